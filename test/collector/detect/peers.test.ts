// Siblings: one that is unlike the rest, and all of them together; told the same in whatever order they arrive.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createDetect, usualPolicy } from "#collector/detect/detect.ts";
import { groupOf } from "#collector/detect/peers/membership.ts";
import { spreadOf } from "#collector/detect/peers/spread.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { cpu, feed, intervalMs, type Loads, noisy, siblings, startMs, traffic } from "./peers.ts";

const calmTicks = 360;
/** Restless enough that a host's own history excuses the rest of `unlike`. */
const restless = (ticks: number, seed: number) => noisy(0.3, 0.15, ticks, seed);

/** All but the third of `count` hosts go on as before; it stays busier for ten minutes. */
function oneUnlike(count: number, level = 0.66): Loads {
  return new Map(
    siblings(count).map((host, seed) => [
      host,
      seed === 2
        ? [...restless(calmTicks, seed), ...noisy(level, 0.1, 60, 90), ...restless(60, 91)]
        : restless(calmTicks + 120, seed),
    ]),
  );
}

/** `busy` of six hosts get busy, each a little later than the one before. */
function together(busy: number, apartTicks = 1): Loads {
  return new Map(
    siblings(6).map((host, at) => {
      const calm = 120 + at * apartTicks;
      const rise = at < busy ? noisy(0.8, 0.02, 60, 50 + at) : noisy(0.1, 0.02, 60, 60 + at);
      return [host, [...noisy(0.1, 0.02, calm, at), ...rise, ...noisy(0.1, 0.02, 180 - calm, 70 + at)]];
    }),
  );
}

const peersOf = (told: readonly Anomaly[]) => told.filter(({ detector }) => detector === "peers");
const groupsOf = (told: readonly Anomaly[]) =>
  [
    ...new Set(
      told.flatMap(({ id, group }) => (group?.entity.kind === "group" ? [`${id} in ${group.id}`] : [])),
    ),
  ].sort();

test("hosts are siblings when their names differ only in digits, unless the operator says who belongs together", () => {
  assert.equal(groupOf("pay-01", []), "pay-*");
  assert.equal(groupOf("pay-2.dc1", []), "pay-*.dc*");
  for (const alone of ["ledger", "10.1.2.3", "ip-10-0-1-23"]) assert.equal(groupOf(alone, []), null);
  const groups = [
    { name: "payments", match: [["host", ["pay-0*", "settle"]]] },
    { name: "gw-*", match: [["host", ["gw-1*"]]] },
  ] as const;
  assert.equal(groupOf("settle", groups), "payments");
  assert.equal(groupOf("pay-01", groups), "payments");
  assert.equal(groupOf("pay-11", groups), "pay-*");
  assert.equal(groupOf("gw-20", groups), null, "the group of that name is the operator's");
});

test("median and deviation are those of the sorted values, in any order", () => {
  const value = fc.float({ noNaN: true, noDefaultInfinity: true });
  const middle = (sorted: readonly number[]) =>
    (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 40 }), (values) => {
      const sorted = values.toSorted((a, b) => a - b);
      const median = middle(sorted);
      const mad = middle(values.map((one) => Math.abs(one - median)).sort((a, b) => a - b));
      const found = spreadOf(Float64Array.from(values), values.length);
      assert.ok(Object.is(found.median + 0, median + 0) && Object.is(found.mad + 0, mad + 0));
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("a host that is unlike its siblings is told though its own history excuses it, and ends when it is like them", () => {
  const { told, detect } = feed(oneUnlike(6));
  assert.ok(told.every(({ detector }) => detector === "peers"));
  const [began] = told;
  assert.equal(began?.host, "pay-03");
  assert.equal(began?.role, "symptom");
  assert.equal(began?.reasons[0]?.key, "reason.peers");
  assert.equal(began?.reasons[0]?.args["siblings"], 5);
  assert.ok(began.value > 0.55 && began.expectedHigh < 0.55 && began.expectedLow >= 0);
  const sinceMs = began.startedMs - startMs - calmTicks * intervalMs;
  assert.ok(sinceMs <= 60_000 && began.lastMs - began.startedMs <= 240_000);
  assert.equal(told.at(-1)?.ended, true);
  assert.deepEqual([...new Set(told.map(({ id }) => id))], [began.id]);
  assert.deepEqual(detect.open(), []);
});

test("three hosts are no group, and a host whose siblings do the same is like them", () => {
  assert.deepEqual(feed(oneUnlike(3)).told, []);
  const all = new Map(
    siblings(6).map((host, seed) => [
      host,
      [...restless(calmTicks, seed), ...noisy(0.66, 0.1, 60, 90 + seed)],
    ]),
  );
  assert.deepEqual(peersOf(feed(all).told), []);
});

test("what its own history found is raised, and stays one anomaly", () => {
  const { told } = feed(oneUnlike(6, 0.95));
  const own = told.filter(({ host, detector }) => host === "pay-03" && detector !== "peers");
  const raised = own.filter(({ reasons }) => reasons.some(({ key }) => key === "reason.peers"));
  assert.ok(raised.length >= 2, "told when it is raised, and when it ends");
  assert.equal(raised.at(-1)?.ended, true);
  assert.ok(raised[0]!.score >= Math.min(7.9, own[0]!.score + 0.9));
  assert.equal(peersOf(told).length, 0);
  assert.equal(new Set(own.map(({ id }) => id)).size, 1);
});

test("when most siblings show the same within three minutes their anomalies are one group, told once each", () => {
  const { told } = feed(together(6, 0));
  const began = told.filter(({ ended, detector }) => !ended && detector !== "absence");
  assert.equal(groupsOf(told).length, 6);
  assert.equal(new Set(began.map(({ group }) => group?.id)).size, 1, "none was told without it");
  assert.deepEqual(began[0]?.group?.entity, { kind: "group", host: "pay-*", name: "" });
  assert.equal(began[0].group.hosts, 6);
  assert.equal(new Set(began.map(({ id }) => id)).size, 6);
  assert.deepEqual(groupsOf(feed(together(3)).told), [], "three of six are each for themselves");
  assert.equal(groupsOf(feed(together(4)).told).length, 4, "a minute from the first to the last");
});

test("those that begin too far apart are each for themselves, and a symptom is told within seconds", () => {
  assert.deepEqual(groupsOf(feed(together(6, 9)).told), []);
  const loads = together(1);
  const detect = createDetect();
  for (const host of loads.keys()) detect.define(host, 0, cpu);
  let toldMs = 0;
  for (let tick = 0; tick < 125 && toldMs === 0; tick += 1) {
    const timeMs = startMs + tick * intervalMs;
    for (const [host, values] of loads) {
      const batch = {
        host,
        timeMs,
        intervalMs,
        series: Uint32Array.of(0),
        values: Float64Array.of(values[tick]!),
      };
      assert.deepEqual(detect.judge(batch), []);
    }
    if (detect.tick(timeMs + 2000).anomalies.length > 0) toldMs = timeMs + 2000;
  }
  assert.equal(toldMs - startMs, 121 * intervalMs + 2000, "with the journal's tick after its second sample");
});

test("the order in which hosts arrive between two ticks of the journal, and a restart, change no byte", () => {
  const hosts = siblings(6);
  for (const loads of [oneUnlike(6), oneUnlike(6, 0.95), together(6), together(4, 3)]) {
    const run = (order: readonly string[], restartAt: number) => {
      // The journal ticks once all have arrived.
      let detect = createDetect();
      const lines: string[] = [];
      for (const host of order) detect.define(host, 0, cpu);
      for (let tick = 0; tick < 480; tick += 1) {
        if (tick === restartAt) detect = createDetect({ snapshot: detect.snapshot() });
        const timeMs = startMs + tick * intervalMs;
        const found = order.flatMap((host) => {
          const value = loads.get(host)![tick];
          if (value === undefined) return [];
          const values = Float64Array.of(value);
          return detect.judge({ host, timeMs, intervalMs, series: Uint32Array.of(0), values });
        });
        found.push(...detect.tick(timeMs + 2000).anomalies);
        lines.push(...found.map((one) => JSON.stringify(one)).sort());
      }
      return lines;
    };
    const want = run(hosts, -1);
    assert.ok(want.length >= 2);
    const orders = fc.shuffledSubarray(hosts, { minLength: 6 });
    fc.assert(
      fc.property(orders, fc.nat(479), (order, restartAt) => {
        assert.deepEqual(run(order, restartAt), want);
      }),
      { seed: 5, numRuns: 8 },
    );
  }
});

test("hosts that arrive up to three minutes apart give the same verdicts of siblings and the same members of one group", () => {
  const hosts = siblings(6);
  const chunks = fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 8, maxLength: 8 });
  const orders = fc.array(fc.shuffledSubarray(hosts, { minLength: 6 }), { minLength: 5, maxLength: 5 });
  for (const loads of [oneUnlike(6), together(6)]) {
    const verdicts = (told: readonly Anomaly[]) => ({
      peers: peersOf(told).map((one) => JSON.stringify(one)),
      // The group is named after the first of those that were known when it was found.
      members: groupsOf(told).map((line) => line.split(" in ")[0]),
      groups: new Set(groupsOf(told).map((line) => line.split(" in ")[1])).size,
    });
    const want = verdicts(feed(loads).told);
    assert.ok(want.peers.length + want.members.length >= 2 && want.groups <= 1);
    fc.assert(
      fc.property(chunks, orders, fc.nat(479), (sizes, turns, restartAt) => {
        const { told } = feed(loads, {
          chunk: (turn) => sizes[turn % sizes.length]!,
          order: (turn) => turns[turn % turns.length]!,
          restartAt,
        });
        assert.deepEqual(verdicts(told), want);
      }),
      { seed: 6, numRuns: 12 },
    );
  }
});

test("a host that falls silent holds nobody up for long, and what siblings said of it ends", () => {
  const loads = new Map(oneUnlike(6));
  const busy = loads.get("pay-03")!;
  loads.set("pay-03", busy.slice(0, calmTicks + 40));
  const { told, detect } = feed(loads);
  const own = peersOf(told);
  assert.equal(own.at(-1)?.ended, true);
  assert.ok(own.at(-1)!.lastMs - startMs <= (calmTicks + 40) * intervalMs + 360_000);
  assert.deepEqual(
    detect.open().filter(({ detector }) => detector === "peers"),
    [],
  );
});

test("one clock that is a day ahead does not close its siblings' steps", () => {
  const loads = oneUnlike(7);
  const policy = usualPolicy;
  const detect = createDetect({ policy });
  const told: Anomaly[] = [];
  for (const host of loads.keys()) detect.define(host, 0, cpu);
  for (let tick = 0; tick < calmTicks + 60; tick += 1) {
    for (const [host, values] of loads) {
      const aheadMs = host === "pay-07" ? 86_400_000 : 0;
      const timeMs = startMs + tick * intervalMs + aheadMs;
      const column = { series: Uint32Array.of(0), values: Float64Array.of(values[tick]!) };
      told.push(...detect.judge({ host, timeMs, intervalMs, ...column }));
    }
    told.push(...detect.tick(startMs + tick * intervalMs + 2000).anomalies);
  }
  assert.equal(peersOf(told)[0]?.host, "pay-03");
});

test("in maintenance a host is compared with nobody, and a series that is another one is not its predecessor", () => {
  const until = startMs + (calmTicks + 60) * intervalMs;
  const when = { fromMs: startMs + (calmTicks - 6) * intervalMs, toMs: until };
  const policy = {
    ...usualPolicy,
    maintenance: [{ match: [["host", ["pay-03"]]] as const, when, reason: "" }],
  };
  assert.deepEqual(peersOf(feed(oneUnlike(6), { policy }).told), []);
  const { detect, told } = feed(
    new Map([...oneUnlike(6)].map(([host, values]) => [host, values.slice(0, 400)])),
  );
  assert.equal(peersOf(told).length, 1);
  detect.define("pay-03", 0, traffic);
  const ends = detect.tick(until).anomalies.filter(({ detector }) => detector === "peers");
  assert.deepEqual(
    ends.map(({ host, ended }) => [host, ended]),
    [["pay-03", true]],
  );
});

test("hosts that are gone leave nothing behind", () => {
  const { detect } = feed(oneUnlike(6));
  const fresh = createDetect({ snapshot: detect.snapshot() });
  for (let day = 0; day < 9; day += 1)
    for (let step = 0; step < 86_400_000; step += 20_000)
      fresh.tick(startMs + 4_800_000 + day * 86_400_000 + step);
  const left = new TextDecoder().decode(fresh.snapshot());
  assert.match(left, /"peers":\{"cohorts":\[\]\}/);
});
