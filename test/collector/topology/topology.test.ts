import assert from "node:assert/strict";
import { test } from "node:test";
import { createTopology } from "#collector/topology/topology.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";

function edge(address: string, direction: "in" | "out" = "out"): Series {
  const labels = canonicalLabels([
    ["service.name", "app"],
    ["causeway.edge.direction", direction],
    ["network.peer.address", address],
    ["network.peer.port", "5432"],
  ]);
  return {
    metric: "causeway.edge.connections",
    unit: "{connection}",
    instrument: "gauge",
    decimals: 0,
    labels,
  };
}

function seen(host: string, timeMs: number, ...values: number[]) {
  return {
    host,
    timeMs,
    intervalMs: 10_000,
    series: Uint32Array.from(values.keys()),
    values: Float64Array.from(values),
  };
}

test("a connection to another agent's address is an edge from caller to callee", () => {
  const topology = createTopology();
  topology.addresses("db-01", ["10.0.0.5", "127.0.0.1"]);
  topology.define("web-01", 0, edge("10.0.0.5"));
  topology.define("web-01", 1, edge("10.9.9.9"));
  topology.observe(seen("web-01", 1000, 3, 1));
  assert.equal(topology.calls("web-01", "db-01"), true);
  assert.equal(topology.calls("db-01", "web-01"), false);
  assert.deepEqual(topology.neighbours("db-01"), ["web-01"]);
  assert.equal(topology.hops("db-01", "web-01", 1), 1);
});

test("loopback, inbound and empty connections make no edges", () => {
  const topology = createTopology();
  topology.addresses("db-01", ["10.0.0.5"]);
  topology.addresses("web-01", ["127.0.0.1"]);
  topology.define("web-01", 0, edge("127.0.0.1"));
  topology.define("web-01", 1, edge("10.0.0.5", "in"));
  topology.define("web-01", 2, edge("10.0.0.5"));
  topology.observe(seen("web-01", 1000, 3, 3, 0));
  assert.deepEqual(topology.neighbours("web-01"), []);
});

test("hops are counted up to the limit, both ways, and survive a snapshot", () => {
  const topology = createTopology();
  topology.declare("a", "b");
  topology.declare("b", "c");
  const restored = createTopology(JSON.parse(JSON.stringify(topology.snapshot())));
  assert.equal(restored.hops("a", "a", 0), 0);
  assert.equal(restored.hops("c", "a", 2), 2);
  assert.equal(restored.hops("c", "a", 1), Number.POSITIVE_INFINITY);
});

test("an edge not seen for a day is gone", () => {
  const topology = createTopology();
  topology.addresses("db-01", ["10.0.0.5"]);
  topology.define("web-01", 0, edge("10.0.0.5"));
  topology.observe(seen("web-01", 1000, 3));
  topology.observe(seen("web-01", 1000 + 90_000_000, Number.NaN));
  assert.equal(topology.calls("web-01", "db-01"), false);
});
