import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Hosts, type HostsState } from "#collector/ingest/hosts.ts";
import type { Series } from "#shared/series.ts";
import type { DecodedFrame, Definition } from "#shared/wire/wire.ts";

const one = "aaaaaaaa-0000-0000-0000-000000000001";
const two = "bbbbbbbb-0000-0000-0000-000000000002";

const series = (metric: string): Series => ({
  metric,
  unit: "1",
  instrument: "gauge",
  decimals: 0,
  labels: [],
});
const define = (...metrics: string[]): Definition[] =>
  metrics.flatMap((metric, column) => (metric === "" ? [] : [{ column, series: series(metric) }]));

function frame(more: {
  host?: string;
  timeMs?: number;
  definitions?: Definition[];
  values?: number[];
  agentId?: string;
}): DecodedFrame {
  const { host, timeMs = 0, definitions = [], values = [], agentId = one } = more;
  const key = host !== undefined;
  return {
    header: { version: 1, key, agentId, epoch: 1, sequence: 0, baseTimeMs: timeMs, intervalMs: 1000 },
    resource: key ? [["host.name", host]] : null,
    definitions,
    ticks: [{ timeMs, values: Float64Array.from(values) }],
    losses: [],
  };
}

test("a series keeps its number over a restart of its agent, whatever its column is then", () => {
  const hosts = new Hosts();
  const first = hosts.arrive(one, 0, frame({ host: "web", definitions: define("a", "b"), values: [1, 2] }));
  assert.deepEqual([...(first?.batches[0]?.series ?? [])], [0, 1]);
  const again = hosts.arrive(
    one,
    0,
    frame({ host: "web", definitions: define("c", "b", "a"), values: [3, 2, 1] }),
  );
  assert.deepEqual(
    again?.fresh.map(({ number, series: { metric } }) => [number, metric]),
    [[2, "c"]],
  );
  assert.deepEqual([...(again?.batches[0]?.series ?? [])], [2, 1, 0]);
  assert.deepEqual([...(again?.batches[0]?.values ?? [])], [3, 2, 1]);
});

test("a column that was never defined carries nothing", () => {
  const hosts = new Hosts();
  const arrival = hosts.arrive(
    one,
    0,
    frame({ host: "web", definitions: define("a", "", "c"), values: [1, 99, 3] }),
  );
  assert.deepEqual([...(arrival?.batches[0]?.values ?? [])], [1, 3]);
});

test("two agents that claim one name are two hosts; a machine that was set up again is one", () => {
  const hosts = new Hosts();
  const minuteMs = 60_000;
  assert.equal(hosts.arrive(one, 0, frame({ host: "web", timeMs: 0 }))?.host, "web");
  assert.equal(
    hosts.arrive(two, 0, frame({ host: "web", timeMs: minuteMs, agentId: two }))?.host,
    "web~bbbb",
  );
  assert.equal(hosts.arrive(one, 0, frame({ host: "web", timeMs: 2 * minuteMs }))?.host, "web");
  const third = "cccccccc-0000-0000-0000-000000000003";
  assert.equal(
    hosts.arrive(third, 0, frame({ host: "web", timeMs: 60 * minuteMs, agentId: third }))?.host,
    "web",
  );
  assert.equal(hosts.arrive(one, 0, frame({ host: "web", timeMs: 61 * minuteMs }))?.host, "web~aaaa");
});

test("times are corrected by what the agent's clock is ahead by", () => {
  const arrival = new Hosts().arrive(
    one,
    250,
    frame({ host: "web", timeMs: 1000, definitions: define("a"), values: [1] }),
  );
  assert.equal(arrival?.batches[0]?.timeMs, 750);
});

test("an agent whose key frame was never seen has no host", () => {
  assert.equal(new Hosts().arrive(one, 0, frame({ values: [1] })), null);
});

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const processSeries = (pid: number): Series => ({
  ...series("process.cpu.utilization"),
  labels: [["process.pid", `${pid}`]],
});
const columnsOf = (...all: Series[]): Definition[] => all.map((one, column) => ({ column, series: one }));

test("a process that is gone for a day leaves its number to another, told as fresh; anything else after a week", () => {
  const hosts = new Hosts();
  const at = (timeMs: number, ...all: Series[]) =>
    hosts.arrive(one, 0, frame({ host: "web", timeMs, definitions: columnsOf(...all) }));
  at(0, series("stays"), processSeries(1), series("weekly"));
  at(hourMs, series("stays"));
  at(hourMs + dayMs, series("stays"));
  assert.equal(hosts.numberOf("web", 'process.cpu.utilization{process.pid="1"}'), 1, "a day is not over yet");
  at(hourMs + dayMs + 1, series("stays"));
  assert.equal(hosts.numberOf("web", 'process.cpu.utilization{process.pid="1"}'), undefined);
  assert.equal(hosts.series("web")[1], undefined);
  assert.equal(hosts.facts()[0]?.series, 2);
  const arrival = at(2 * dayMs, series("stays"), processSeries(2));
  assert.deepEqual(
    arrival?.fresh.map(({ number, series: { labels } }) => [number, labels[0]?.[1]]),
    [[1, "2"]],
  );
  assert.equal(at(7 * dayMs, series("stays"), series("weekly"))?.fresh.length, 0, "it is known after a week");
  at(8 * dayMs, series("stays"));
  at(15 * dayMs + 1, series("stays"));
  assert.equal(hosts.numberOf("web", "weekly"), undefined);
});

test("a number in force is never another's, however long its column has been there and however full the host is", () => {
  const hosts = new Hosts();
  const live = Array.from({ length: 15_000 }, (_, pid) => processSeries(pid));
  hosts.arrive(one, 0, frame({ host: "web", timeMs: 0, definitions: columnsOf(...live) }));
  const numbers = new Map(live.map((_, pid) => [pid, pid]));
  // One segment, weeks long: columns 100 on are never defined again; the first hundred are reused without end.
  let given = 0;
  for (let turn = 1; turn <= 300; turn += 1) {
    const definitions = Array.from({ length: 100 }, (_, column) => ({
      column,
      series: processSeries(20_000 + turn * 100 + column),
    }));
    const arrival = hosts.arrive(one, 0, frame({ timeMs: turn * hourMs, definitions }));
    for (const { number } of arrival?.fresh ?? []) {
      assert.ok(number < 100 || number >= 15_000, `${number} is in force`);
      given += 1;
    }
  }
  assert.equal(given, 30_000);
  assert.equal(hosts.refused, 0);
  assert.ok(hosts.series("web").length <= 20_000);
  for (const pid of [100, 7_000, 14_999])
    assert.equal(hosts.numberOf("web", `process.cpu.utilization{process.pid="${pid}"}`), numbers.get(pid));
  // The key frame that comes at last defines all of them anew, at the limit: none loses its number to another on the way.
  const again = hosts.arrive(
    one,
    0,
    frame({ host: "web", timeMs: 301 * hourMs, definitions: columnsOf(...live) }),
  );
  assert.ok(again!.fresh.every(({ series: { labels } }) => Number(labels[0]![1]) < 100));
  assert.equal(hosts.numberOf("web", 'process.cpu.utilization{process.pid="14999"}'), 14_999);
});

test("more live series than a host may have are refused and counted, and none of the others is harmed", () => {
  const hosts = new Hosts();
  const all = Array.from({ length: 20_500 }, (_, pid) => processSeries(pid));
  hosts.arrive(one, 0, frame({ host: "web", timeMs: 0, definitions: columnsOf(...all) }));
  assert.equal(hosts.refused, 500);
  hosts.arrive(one, 0, frame({ host: "web", timeMs: hourMs, definitions: columnsOf(...all) }));
  assert.equal(hosts.refused, 1_000);
  assert.equal(hosts.numberOf("web", 'process.cpu.utilization{process.pid="19999"}'), 19_999);
});

test("what an agent that was replaced still sends reaches no column of the new one", () => {
  const hosts = new Hosts();
  hosts.arrive(one, 0, frame({ host: "web", definitions: define("a") }));
  hosts.arrive(two, 0, frame({ host: "web", timeMs: hourMs, agentId: two, definitions: define("b") }));
  assert.equal(hosts.arrive(one, 0, frame({ timeMs: hourMs + 1000, values: [1] })), null);
  assert.equal(hosts.hostOf(two), "web");
});

test("a host that is gone keeps its facts and nothing else, and is new when it comes back", () => {
  const hosts = new Hosts();
  hosts.arrive(one, 0, frame({ host: "web", timeMs: 5, definitions: define("a", "b"), values: [1, 2] }));
  hosts.arrive(two, 0, frame({ host: "db", timeMs: 6, agentId: two }));
  hosts.retire("web");
  assert.deepEqual(
    hosts.facts().map(({ host, series: count, lastMs }) => [host, count, lastMs]),
    [
      ["db", 0, 6],
      ["web", 0, 5],
    ],
  );
  assert.deepEqual([hosts.hostOf(one), hosts.agentOf("web"), hosts.series("web")], [undefined, one, []]);
  assert.deepEqual(JSON.stringify(hosts.snapshot()).match(/"metric"/g), null);
  const back = hosts.arrive(one, 0, frame({ host: "web", timeMs: 9, definitions: define("b") }));
  assert.deepEqual(
    back?.fresh.map(({ number }) => number),
    [0],
  );
  assert.equal(hosts.facts().find(({ host }) => host === "web")?.firstMs, 9);
  hosts.retire("web");
  hosts.forget("web");
  assert.deepEqual(
    hosts.facts().map(({ host }) => host),
    ["db"],
  );
});

test("a snapshot taken anywhere continues exactly as if it had not been taken", () => {
  const step = fc.record({
    agent: fc.constantFrom(one, two),
    key: fc.boolean(),
    host: fc.constantFrom("web", "db"),
    metrics: fc.array(fc.constantFrom("a", "b", "c", "d", ""), { maxLength: 5 }),
    pids: fc.array(fc.nat(3), { maxLength: 2 }),
    gone: fc.constantFrom("", "", "", "web"),
    afterMs: fc.oneof(fc.integer({ min: 1, max: 40 * 60_000 }), fc.integer({ min: 1, max: 9 * dayMs })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.nat(20), (steps, at) => {
      const straight = new Hosts();
      let resumed = new Hosts();
      let timeMs = 0;
      for (const [index, { agent, key, host, metrics, pids, gone, afterMs }] of steps.entries()) {
        timeMs += afterMs;
        if (index === at)
          resumed = Hosts.restore(JSON.parse(JSON.stringify(resumed.snapshot())) as HostsState);
        const unique = metrics.filter((metric, place) => metric === "" || metrics.indexOf(metric) === place);
        const values = [1, 2, 3, 4, 5];
        const made = frame({
          ...(key ? { host } : {}),
          timeMs,
          definitions: [
            ...define(...unique),
            ...[...new Set(pids)].map((pid, place) => ({ column: 5 + place, series: processSeries(pid) })),
          ],
          values,
          agentId: agent,
        });
        assert.deepEqual(resumed.arrive(agent, 0, made), straight.arrive(agent, 0, made));
        for (const hosts of [resumed, straight]) hosts.retire(gone);
      }
      assert.deepEqual(resumed.snapshot(), straight.snapshot());
      assert.deepEqual(resumed.facts(), straight.facts());
    }),
  );
});
