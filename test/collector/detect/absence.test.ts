import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Absence, type AbsenceMeta } from "#collector/detect/absence.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { limits } from "#shared/limits.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

const startMs = Date.UTC(2026, 0, 5);
const tickMs = 2_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;

interface Plan {
  readonly intervalMs?: number;
  /** Seconds after the start; [from, to) in which nothing comes. */
  readonly away?: readonly (readonly [fromS: number, toS: number])[];
  /** How its connection ends, and at which second. */
  readonly left?: readonly [end: "bye" | "closed" | "timeout", atS: number];
  readonly addresses?: readonly string[];
}

interface Played {
  readonly told: readonly { readonly atS: number; readonly anomaly: Anomaly }[];
  readonly gone: readonly { readonly atS: number; readonly host: string }[];
  readonly absence: Absence;
}

interface Circumstances {
  readonly untilS: number;
  readonly goneAfterMs?: number;
  /** Seconds [from, to) in which the collector does not tick; `restart`: it was not there, and starts again. */
  readonly pause?: readonly [fromS: number, toS: number];
  readonly restart?: boolean;
  /** The order in which hosts arrive between two ticks. */
  readonly order?: (hosts: readonly string[]) => readonly string[];
  /** Seconds [from, to) in which a host is in maintenance, by host. */
  readonly maintenance?: Readonly<Record<string, readonly [fromS: number, toS: number]>>;
  /** Put through a snapshot at this second. */
  readonly snapshotAtS?: number;
}

function play(plans: Readonly<Record<string, Plan>>, how: Circumstances): Played {
  const { untilS, goneAfterMs = 7 * dayMs, pause, restart = false, order = (hosts) => hosts } = how;
  let absence = new Absence(goneAfterMs);
  const inMaintenance = (host: string, timeMs: number): boolean => {
    const [fromS, toS] = how.maintenance?.[host] ?? [0, 0];
    return timeMs >= startMs + fromS * 1000 && timeMs < startMs + toS * 1000;
  };
  const told: { atS: number; anomaly: Anomaly }[] = [];
  const gone: { atS: number; host: string }[] = [];
  for (const [host, { addresses }] of Object.entries(plans))
    if (addresses !== undefined) absence.addresses(host, addresses);
  absence.started(startMs);
  for (let atS = 0; atS <= untilS; atS += tickMs / 1000) {
    const nowMs = startMs + atS * 1000;
    if (pause !== undefined && atS >= pause[0] && atS < pause[1]) continue;
    if (restart && atS === pause?.[1]) absence.started(nowMs);
    if (atS === how.snapshotAtS)
      absence = new Absence(goneAfterMs, JSON.parse(JSON.stringify(absence.meta())) as AbsenceMeta);
    for (const [host, { left }] of Object.entries(plans)) if (left?.[1] === atS) absence.left(host, left[0]);
    const { anomalies, departures } = absence.tick(nowMs, inMaintenance);
    for (const anomaly of anomalies) told.push({ atS, anomaly });
    for (const { host, what } of departures) if (what === "gone") gone.push({ atS, host });
    for (const host of order(Object.keys(plans))) {
      const { intervalMs = 10_000, away = [] } = plans[host]!;
      const comes = (atS * 1000) % intervalMs === 0 && !away.some(([from, to]) => atS >= from && atS < to);
      if (!comes) continue;
      for (const anomaly of absence.heard(host, nowMs, intervalMs)) told.push({ atS, anomaly });
    }
  }
  return { told, gone, absence };
}

const never = (): boolean => false;

function fleet(count: number, plan: (index: number) => Plan): Record<string, Plan> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`h-${String(index).padStart(3, "0")}`, plan(index)]),
  );
}

function lines({ told }: Played): string[] {
  return told.map(({ atS, anomaly }) => {
    const { host, ended, reasons, group } = anomaly;
    return `${atS} ${host} ${ended ? "ended" : "silent"} ${reasons.at(-1)!.key}${group === undefined ? "" : ` ${group.entity.host}`}`;
  });
}

test("a host that falls silent is told once, and ends when it is heard", () => {
  const played = play({ a: {}, b: { away: [[100, 200]] }, c: {} }, { untilS: 300 });
  assert.deepEqual(lines(played), ["116 b silent reason.unreachable", "200 b ended reason.unreachable"]);
  assert.equal(played.told[0]!.anomaly.startedMs, startMs + 90_000, "nothing is known since its last sample");
});

test("a goodbye is no silence, a closed connection is a dead agent, nothing at all is a host that is down", () => {
  const away = [[100, 400]] as const;
  const played = play(
    {
      a: { away, left: ["bye", 100] },
      b: { away, left: ["closed", 100] },
      c: { away, left: ["timeout", 140] },
      d: {},
    },
    { untilS: 300 },
  );
  assert.deepEqual(lines(played), ["116 b silent reason.agent_died", "116 c silent reason.unreachable"]);
  assert.equal(played.told[0]!.anomaly.entity.kind, "agent");
  assert.deepEqual(
    ["a", "b", "d"].map((host) => played.absence.state(host)),
    ["stopped", "silent", "up"],
  );
});

test("a goodbye that comes after the silence was told explains it", () => {
  const played = play({ a: { away: [[100, 400]], left: ["bye", 200] }, b: {} }, { untilS: 300 });
  assert.deepEqual(lines(played), ["116 a silent reason.unreachable", "200 a ended reason.unreachable"]);
});

test("two hosts that fall silent at once are two troubles; three of nine are one", () => {
  const cut = (away: number) =>
    lines(
      play(
        fleet(9, (index) => (index < away ? { away: [[100, 400]] } : {})),
        { untilS: 300 },
      ),
    );
  assert.deepEqual(cut(2), ["116 h-000 silent reason.unreachable", "116 h-001 silent reason.unreachable"]);
  assert.deepEqual(
    cut(3),
    [0, 1, 2].map((index) => `116 h-00${index} silent reason.partition collector`),
  );
});

test("three of ten are three troubles, unless they are all of a network", () => {
  const played = (address: (index: number) => string) =>
    lines(
      play(
        fleet(10, (index) => ({ addresses: [address(index)], ...(index < 3 ? { away: [[100, 400]] } : {}) })),
        { untilS: 300 },
      ),
    );
  assert.ok(played((index) => `10.0.0.${index}`).every((line) => line.endsWith("reason.unreachable")));
  assert.deepEqual(
    played((index) => (index < 3 ? `10.0.7.${index}` : `10.0.0.${index}`)),
    [0, 1, 2].map((index) => `116 h-00${index} silent reason.partition_network 10.0.7.0`),
  );
  const bridge = played((index) => (index < 3 ? "172.17.0.1" : `10.0.0.${index}`));
  assert.ok(
    bridge.every((line) => line.endsWith("reason.unreachable")),
    "an address of several hosts is no network",
  );
});

test("when nobody is heard any more the collector itself may be to blame, and that is said", () => {
  const played = play(
    fleet(3, () => ({ away: [[100, 400]] })),
    { untilS: 300 },
  );
  assert.deepEqual(
    new Set(lines(played).map((line) => line.split(" ").slice(3).join(" "))),
    new Set(["reason.partition_all collector"]),
  );
  assert.equal(new Set(played.told.map(({ anomaly }) => anomaly.group?.id)).size, 1);
});

test("hosts that died one after the other within minutes are no partition", () => {
  const played = play(
    fleet(6, (index) => (index < 4 ? { away: [[100 + 40 * index, 900]] } : {})),
    { untilS: 600 },
  );
  assert.equal(played.told.length, 4);
  assert.ok(played.told.every(({ anomaly }) => anomaly.group === undefined));
});

test("agents that died together are dead agents: their hosts closed the connections, so the network is there", () => {
  const played = play(
    fleet(4, () => ({ away: [[100, 900]], left: ["closed", 100] })),
    { untilS: 300 },
  );
  assert.equal(played.told.length, 4);
  assert.ok(
    played.told.every(({ anomaly: { group, entity } }) => group === undefined && entity.kind === "agent"),
  );
});

test("hosts that report less often join the cut when their silence shows", () => {
  const played = play(
    fleet(8, (index) => ({ intervalMs: index < 4 ? 10_000 : 60_000, away: [[130, 900]] })),
    { untilS: 600 },
  );
  const times = played.told.map(({ atS }) => atS);
  assert.deepEqual([...new Set(times)], [146, 272], "the slow ones are due 150 s after their last sample");
  assert.equal(new Set(played.told.map(({ anomaly }) => anomaly.group?.id)).size, 1);
});

test("a host waits to be told while others are late as well, until it is known what it is", () => {
  const slow = (toS: number) => fleet(3, () => ({ intervalMs: 20_000, away: [[100, toS]] }));
  const late = play({ a: { away: [[100, 900]] }, ...slow(120) }, { untilS: 300 });
  assert.deepEqual(lines(late), ["122 a silent reason.unreachable"], "they come, late");
  const cut = play({ a: { away: [[100, 900]] }, ...slow(900) }, { untilS: 300 });
  assert.deepEqual(
    lines(cut),
    ["a", "h-000", "h-001", "h-002"].map((host) => `132 ${host} silent reason.partition_all collector`),
  );
});

test("a host that waits is told after a minute, whatever the others do", () => {
  const slow = (intervalMs: number, fromS: number) =>
    fleet(3, () => ({ intervalMs, away: [[fromS, 900]] as const }));
  const within = play({ a: { away: [[110, 900]] }, ...slow(50_000, 60) }, { untilS: 400 });
  assert.equal(new Set(within.told.map(({ anomaly }) => anomaly.group?.id)).size, 1);
  assert.deepEqual([...new Set(within.told.map(({ atS }) => atS))], [176]);
  const beyond = play(
    { a: { intervalMs: 70_000, away: [[150, 900]] }, ...slow(120_000, 150) },
    { untilS: 900 },
  );
  assert.deepEqual(lines(beyond).slice(0, 1), ["376 a silent reason.unreachable"]);
});

test("a cut is over when most are back: who is silent still is told for itself", () => {
  const played = play(
    fleet(8, (index) => ({ away: [[100, index === 7 ? 900 : index === 6 ? 340 : 300]] })),
    { untilS: 600 },
  );
  const last = lines(played).filter((line) => line.includes("h-007"));
  assert.deepEqual(last, [
    "116 h-007 silent reason.partition_all collector",
    "362 h-007 ended reason.partition_all collector",
    "362 h-007 silent reason.left_behind",
  ]);
  assert.ok(
    lines(played).includes("340 h-006 ended reason.partition_all collector"),
    "it had a moment to follow",
  );
  const [, , again] = played.told.filter(({ anomaly }) => anomaly.host === "h-007");
  assert.notEqual(again!.anomaly.id, played.told[0]!.anomaly.id);
  assert.deepEqual(played.absence.meta().partitions.partitions, []);
});

test("who comes back for a moment only belongs to the cut still", () => {
  const played = play(
    fleet(4, (index) => ({
      away:
        index === 0
          ? [
              [100, 200],
              [210, 900],
            ]
          : [[100, 900]],
    })),
    { untilS: 400 },
  );
  const own = played.told.filter(({ anomaly }) => anomaly.host === "h-000");
  assert.equal(own.length, 3);
  assert.equal(new Set(own.map(({ anomaly }) => anomaly.group?.id)).size, 1);
});

test("the collector's own absence is nobody's silence, whether it was stopped or stood still", () => {
  for (const restart of [true, false]) {
    const away = [[100, 740]] as const;
    const back = play(
      fleet(5, () => ({ away })),
      { untilS: 900, pause: [100, 700], restart },
    );
    assert.deepEqual(lines(back), [], "they come back within the minute that they get");
    const one = play(
      fleet(5, (index) => (index === 0 ? { away: [[100, 5000]] } : { away })),
      {
        untilS: 900,
        pause: [100, 700],
        restart,
      },
    );
    assert.deepEqual(lines(one), ["760 h-000 silent reason.unreachable"]);
  }
});

test("a host that was not heard for long is gone: its silence ends, nothing is kept of it, and it may come back as new", () => {
  const goneAfterMs = 2 * hourMs;
  const away = [[100, 9_000]] as const;
  const played = play(
    { a: {}, b: { away }, c: { away, left: ["bye", 100] }, d: { away, left: ["closed", 100] } },
    { untilS: 9_200, goneAfterMs },
  );
  assert.deepEqual(lines(played), [
    "116 b silent reason.unreachable",
    "116 d silent reason.agent_died",
    "7292 b ended reason.gone",
    "7292 d ended reason.gone",
  ]);
  assert.deepEqual(
    played.gone,
    ["b", "c", "d"].map((host) => ({ atS: 7_292, host })),
  );
  assert.equal(played.absence.state("b"), "up", "it came back");
  const { reasons } = played.told[2]!.anomaly;
  assert.deepEqual(reasons[1]!.args, { silent: 7_202_000 });
});

test("time in which the collector did not listen does not make a host gone", () => {
  const goneAfterMs = 2 * hourMs;
  const plans = { a: {}, b: { away: [[100, 90_000]] as const } };
  for (const restart of [true, false]) {
    const { gone } = play(plans, { untilS: 90_000, goneAfterMs, pause: [1_000, 80_000], restart });
    assert.deepEqual(gone, [{ atS: 80_000 + 7_292 - 998, host: "b" }]);
  }
});

test("hosts in maintenance are no part of a cut, and the time of their window does not make them gone", () => {
  const away = [[100, 9_000]] as const;
  const maintenance = { "h-000": [90, 6_000], "h-001": [90, 6_000] } as const;
  const plans = fleet(6, (index) => (index < 4 ? { away } : {}));
  const played = play(plans, { untilS: 8_000, goneAfterMs: 2 * hourMs, maintenance });
  assert.deepEqual(lines(played), [
    "116 h-002 silent reason.unreachable",
    "116 h-003 silent reason.unreachable",
    "6000 h-000 silent reason.unreachable",
    "6000 h-001 silent reason.unreachable",
    "7292 h-002 ended reason.gone",
    "7292 h-003 ended reason.gone",
  ]);
});

test("a host is shown as gone for a week, and then not any more", () => {
  const absence = new Absence(hourMs);
  absence.tick(startMs, never);
  absence.heard("a", startMs, 10_000);
  const departures: string[] = [];
  for (let nowMs = startMs; nowMs < startMs + 8 * dayMs; nowMs += 20_000)
    for (const { host, what } of absence.tick(nowMs, never).departures)
      departures.push(`${host} ${what} ${Math.floor((nowMs - startMs) / hourMs)} ${absence.state(host)}`);
  assert.deepEqual(departures, ["a gone 1 gone", `a forgotten ${1 + limits.hostGoneShownMs / hourMs} up`]);
  const { hosts, addresses, gone, partitions } = absence.meta();
  assert.deepEqual([hosts, addresses, gone, partitions.partitions], [[], [], [], []]);
});

/** Any fleet, any outages. */
const anyPlans = fc
  .array(
    fc.record({
      intervalMs: fc.constantFrom(2_000, 10_000, 30_000, 60_000),
      outages: fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 60 })), { maxLength: 2 }),
      common: fc.boolean(),
      left: fc.option(fc.tuple(fc.constantFrom("bye", "closed", "timeout"), fc.nat(300)), { nil: undefined }),
      network: fc.nat(2),
    }),
    { minLength: 1, maxLength: 9 },
  )
  .map((hosts) =>
    fleet(hosts.length, (index) => {
      const { intervalMs, outages, common, left, network } = hosts[index]!;
      const away = outages.map(([from, length]) => [10 * from, 10 * (from + length)] as const);
      return {
        intervalMs,
        away: common ? [...away, [200, 420] as const] : away,
        ...(left === undefined ? {} : { left: [left[0], 2 * left[1]] as const }),
        addresses: [`10.0.${network}.${index}`],
      };
    }),
  );

test("the order in which hosts arrive between two ticks, and a restart from a snapshot, change nothing that is told", () => {
  fc.assert(
    fc.property(anyPlans, fc.nat(1000), fc.nat(400), (plans, seed, snapshot) => {
      const how = { untilS: 800, goneAfterMs: 500_000 };
      const random = mulberry32(seed);
      const order = (hosts: readonly string[]): string[] =>
        hosts
          .map((host) => ({ host, at: random() }))
          .sort((a, b) => a.at - b.at)
          .map(({ host }) => host);
      const straight = play(plans, how);
      const byTick = (told: Played["told"]): string[] => told.map((one) => JSON.stringify(one)).sort();
      assert.deepEqual(byTick(play(plans, { ...how, order }).told), byTick(straight.told));
      const resumed = play(plans, { ...how, snapshotAtS: 2 * snapshot });
      assert.deepEqual(resumed.told, straight.told);
      assert.deepEqual(resumed.absence.meta(), straight.absence.meta());
    }),
    { seed: 21, numRuns: 150 },
  );
});

test("whatever happens, a silence that was told ends exactly once, and a host has one at a time", () => {
  fc.assert(
    fc.property(anyPlans, (plans) => {
      const { told, absence } = play(plans, { untilS: 1_600, goneAfterMs: 700_000 });
      const open = new Map<string, string>();
      for (const { anomaly } of told) {
        if (anomaly.ended) assert.equal(open.get(anomaly.host), anomaly.id);
        else assert.equal(open.get(anomaly.host), undefined);
        if (anomaly.ended) open.delete(anomaly.host);
        else open.set(anomaly.host, anomaly.id);
      }
      assert.deepEqual(
        [...open.values()].sort(),
        absence
          .open()
          .map(({ id }) => id)
          .sort(),
      );
      const groups = new Set(told.flatMap(({ anomaly }) => anomaly.group?.id ?? []));
      for (const id of groups) {
        const hosts = new Set(
          told.filter(({ anomaly }) => anomaly.group?.id === id).map(({ anomaly }) => anomaly.host),
        );
        assert.ok(hosts.size >= 3, `${id} has ${hosts.size} hosts`);
      }
    }),
    { seed: 22, numRuns: 150 },
  );
});
