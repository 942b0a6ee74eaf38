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

test("numbers of series that are gone for a day are used again, and told as fresh", () => {
  const hosts = new Hosts();
  const hourMs = 3_600_000;
  for (let hour = 0; hour < 200; hour += 1) {
    const churn = Array.from({ length: 50 }, (_, index) => `process.${hour}.${index}`);
    const definitions = define("stays", ...churn);
    hosts.arrive(one, 0, frame({ host: "web", timeMs: hour * hourMs, definitions, values: [1] }));
  }
  assert.ok(hosts.series("web").length <= 2_600, `${hosts.series("web").length} numbers for 10,001 series`);
  assert.equal(hosts.numberOf("web", "stays"), 0);
  assert.equal(hosts.refused, 0);
  const arrival = hosts.arrive(
    one,
    0,
    frame({ host: "web", timeMs: 200 * hourMs, definitions: define("new") }),
  );
  const number = arrival?.fresh[0]?.number ?? -1;
  assert.equal(hosts.series("web")[number]?.metric, "new");
  assert.equal(hosts.numberOf("web", "process.0.0"), undefined);
});

test("a snapshot taken anywhere continues exactly as if it had not been taken", () => {
  const step = fc.record({
    agent: fc.constantFrom(one, two),
    key: fc.boolean(),
    host: fc.constantFrom("web", "db"),
    metrics: fc.array(fc.constantFrom("a", "b", "c", "d", ""), { maxLength: 5 }),
    afterMs: fc.integer({ min: 1, max: 40 * 60_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.nat(20), (steps, at) => {
      const straight = new Hosts();
      let resumed = new Hosts();
      let timeMs = 0;
      for (const [index, { agent, key, host, metrics, afterMs }] of steps.entries()) {
        timeMs += afterMs;
        if (index === at)
          resumed = Hosts.restore(JSON.parse(JSON.stringify(resumed.snapshot())) as HostsState);
        const unique = metrics.filter((metric, place) => metric === "" || metrics.indexOf(metric) === place);
        const values = [1, 2, 3, 4, 5];
        const made = frame({
          ...(key ? { host } : {}),
          timeMs,
          definitions: define(...unique),
          values,
          agentId: agent,
        });
        assert.deepEqual(resumed.arrive(agent, 0, made), straight.arrive(agent, 0, made));
      }
      assert.deepEqual(resumed.snapshot(), straight.snapshot());
      assert.deepEqual(resumed.facts(), straight.facts());
    }),
  );
});
