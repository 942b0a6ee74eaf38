// Services that push over OTLP stand where their hosts stand, and are joined by the calls that they count.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTopology, type Topology } from "#collector/topology/topology.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";

const startMs = Date.UTC(2026, 0, 5);

function calls(caller: string, callee: string): Series {
  const labels: [string, string][] = [
    ["caller", caller],
    ["callee", callee],
    ["callee.kind", "service"],
    ["outcome", "success"],
  ];
  return {
    metric: "causeway.edge.calls",
    unit: "{call}",
    instrument: "counter",
    decimals: 0,
    labels: canonicalLabels(labels),
  };
}

function tick(topology: Topology, source: string, seconds: number, value: number): void {
  const timeMs = startMs + seconds * 1000;
  const values = Float64Array.of(value);
  topology.observe({ host: source, timeMs, intervalMs: 10_000, series: Uint32Array.of(0), values });
}

/** pay on web-01 calls ledger on db-01. */
function bank(): Topology {
  const topology = createTopology();
  topology.runsOn("pay@web-01", "web-01", "pay");
  topology.runsOn("ledger@db-01", "db-01", "ledger");
  topology.define("pay@web-01", 0, calls("pay", "ledger"));
  for (const [at, value] of [5, 25, 45].entries()) tick(topology, "pay@web-01", at * 10, value);
  return topology;
}

test("who is near a host is near what pushes from it", () => {
  const topology = bank();
  assert.deepEqual(topology.neighbours("pay@web-01"), ["db-01", "ledger@db-01", "web-01"]);
  assert.equal(topology.hops("pay@web-01", "ledger@db-01", 2), 1);
  assert.equal(topology.calls("pay@web-01", "ledger@db-01"), true);
  assert.equal(topology.calls("ledger@db-01", "pay@web-01"), false);
});

test("calls that are counted are edges from service to service", () => {
  const [edge, ...others] = bank().callees({ kind: "service", host: "web-01", name: "pay" });
  assert.deepEqual(others, []);
  assert.deepEqual(edge?.callee, { kind: "service", host: "db-01", name: "ledger" });
  assert.ok(edge.callsPerHour > 0);
});

test("a restart changes nothing, and a source that is gone is nobody's neighbour", () => {
  const whole = bank();
  const restored = createTopology({ state: JSON.parse(JSON.stringify(whole.snapshot())) });
  for (const one of [whole, restored]) tick(one, "pay@web-01", 30, 60);
  assert.deepEqual(restored.snapshot(), whole.snapshot());
  assert.deepEqual(restored.neighbours("pay@web-01"), whole.neighbours("pay@web-01"));
  whole.forget("ledger@db-01");
  assert.ok(!whole.neighbours("pay@web-01").includes("ledger@db-01"));
});
