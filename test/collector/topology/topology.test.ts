import assert from "node:assert/strict";
import { test } from "node:test";
import { createTopology, type Topology, usualTopologyPolicy } from "#collector/topology/topology.ts";
import { type Entity, entityId } from "#shared/entity.ts";
import { limits } from "#shared/limits.ts";
import type { DependencyEdge } from "#shared/suspicion.ts";
import { Agent, dayMs, hourMs, into, listens, measured, minuteMs, out, startMs } from "./agents.ts";

const service = (host: string, name: string): Entity => ({ kind: "service", host, name });
const host = (name: string): Entity => ({ kind: "host", host: name, name: "" });
const callees = (topology: Topology, of: Entity): string[] =>
  topology.callees(of).map(({ callee }) => entityId(callee));
const callers = (topology: Topology, of: Entity): string[] =>
  topology.callers(of).map(({ caller }) => entityId(caller));

/** A shop's web server that calls a database on another host, both with agents that see their own end. */
function shop(): { topology: Topology; web: Agent; db: Agent } {
  const topology = createTopology();
  const web = new Agent(topology, "web-01", ["10.0.0.2"]);
  const db = new Agent(topology, "db-01", ["10.0.0.5"]);
  web.tell(startMs, [out("shop", "10.0.0.5:5432", { local: "10.0.0.2" }), 3]);
  db.tell(startMs, [into("postgres", "10.0.0.5:5432", "10.0.0.2"), 3]);
  return { topology, web, db };
}

test("a caller's peer that is another agent's listener is an edge from service to service", () => {
  const { topology } = shop();
  assert.equal(topology.calls("web-01", "db-01"), true);
  assert.equal(topology.calls("db-01", "web-01"), false);
  assert.deepEqual(topology.neighbours("db-01"), ["web-01"]);
  assert.equal(topology.hops("db-01", "web-01", 1), 1);
  assert.deepEqual(callees(topology, service("web-01", "shop")), ["service:db-01/postgres"]);
  assert.deepEqual(callers(topology, service("db-01", "postgres")), ["service:web-01/shop"]);
  assert.deepEqual(callees(topology, host("web-01")), ["service:db-01/postgres"]);
  assert.equal(topology.serviceHops(service("db-01", "postgres"), service("web-01", "shop"), 1), 1);
  assert.equal(topology.serviceHops(host("web-01"), host("db-01"), 3), 1);
  assert.equal(topology.serviceHops(host("web-01"), service("db-01", "mysql"), 3), Number.POSITIVE_INFINITY);
  assert.equal(topology.list("service").edges.length, 1, "both ends are one edge");
});

test("a callee that tells no connections is known by what listens at the address", () => {
  const topology = createTopology();
  const web = new Agent(topology, "web-01", ["10.0.0.2"]);
  const db = new Agent(topology, "db-01", ["10.0.0.5", "10.0.0.6"]);
  web.tell(
    startMs,
    [out("shop", "10.0.0.5:5432"), 1],
    [out("shop", "10.0.0.6:5432"), 1],
    [out("shop", "10.0.0.5:22"), 1],
  );
  db.tell(startMs, [listens("postgres", ":5432"), 1], [listens("standby", "10.0.0.6:5432"), 0]);
  assert.deepEqual(callees(topology, service("web-01", "shop")), ["host:db-01", "service:db-01/postgres"]);
  db.tell(startMs + 10_000, [listens("standby", "10.0.0.6:5432"), 1]);
  assert.deepEqual(callees(topology, service("web-01", "shop")), [
    "host:db-01",
    "service:db-01/postgres",
    "service:db-01/standby",
  ]);
});

test("a container's listener is at its own addresses, not at its host's", () => {
  const topology = createTopology();
  const web = new Agent(topology, "web-01", ["10.0.0.2"]);
  const box = new Agent(topology, "box-01", ["10.0.0.7"]);
  web.tell(startMs, [out("shop", "10.0.0.7:80"), 1], [out("shop", "10.244.1.9:80"), 1]);
  box.tell(
    startMs,
    [listens("pod", ":80", "77"), 1],
    [out("pod", "203.0.113.9:443", { local: "10.244.1.9", namespace: "77" }), 1],
  );
  assert.deepEqual(callees(topology, service("web-01", "shop")), ["host:box-01", "service:box-01/pod"]);
});

test("what no agent owns is an endpoint of its own, each port by itself", () => {
  const topology = createTopology();
  const web = new Agent(topology, "web-01", ["10.0.0.2"]);
  web.tell(
    startMs,
    [out("shop", "203.0.113.9:443"), 1],
    [out("shop", "203.0.113.9:8443"), 1],
    [into("nginx", "10.0.0.2:443", "198.51.100.7"), 2],
  );
  assert.deepEqual(callees(topology, service("web-01", "shop")), [
    "peer:203.0.113.9/443",
    "peer:203.0.113.9/8443",
  ]);
  assert.deepEqual(callers(topology, service("web-01", "nginx")), ["peer:198.51.100.7"]);
  assert.deepEqual(topology.neighbours("web-01"), []);
});

test("a host whose agent does not tell of its call is known by its address alone", () => {
  const topology = createTopology();
  topology.addresses("web-01", ["10.0.0.2"]);
  const db = new Agent(topology, "db-01", ["10.0.0.5"]);
  db.tell(startMs, [into("postgres", "10.0.0.5:5432", "10.0.0.2"), 3]);
  assert.deepEqual(callers(topology, service("db-01", "postgres")), ["host:web-01"]);
  assert.equal(topology.calls("web-01", "db-01"), true);
  assert.deepEqual(topology.neighbours("web-01"), ["db-01"]);
});

test("a caller that its agent may not look into is its host", () => {
  const topology = createTopology();
  const web = new Agent(topology, "web-01", ["10.0.0.2"]);
  web.tell(
    startMs,
    [out("unknown", "203.0.113.9:443"), 1],
    [out("unknown", "10.0.0.2:80"), 1],
    [listens("nginx", ":80"), 1],
  );
  assert.deepEqual(
    topology.list("service").edges.map(({ caller, callee }) => [caller, callee]),
    [["host:web-01", "peer:203.0.113.9/443"]],
  );
  assert.deepEqual(
    topology.list("service").nodes.map(({ id }) => id),
    ["host:web-01", "peer:203.0.113.9/443", "service:web-01/nginx"],
  );
});

test("loopback stays within its host and network namespace, and empty connections make no edge", () => {
  const topology = createTopology();
  topology.addresses("db-01", ["10.0.0.5", "127.0.0.1", "::1"]);
  const web = new Agent(topology, "web-01", ["10.0.0.2", "127.0.0.1"]);
  web.tell(
    startMs,
    [out("nginx", "127.0.0.1:8080", { local: "127.0.0.1" }), 4],
    [listens("shop", "127.0.0.1:8080"), 1],
    [listens("sidecar", ":8080", "77"), 1],
    [out("pod", "127.0.0.1:8080", { local: "127.0.0.1", namespace: "77" }), 1],
    [into("shop", "127.0.0.1:8080", "127.0.0.1"), 4],
    [out("nginx", "10.0.0.5:5432"), 0],
  );
  assert.deepEqual(topology.neighbours("web-01"), []);
  assert.deepEqual(callees(topology, service("web-01", "nginx")), ["service:web-01/shop"]);
  assert.deepEqual(callees(topology, service("web-01", "pod")), ["service:web-01/sidecar"]);
  assert.deepEqual(callers(topology, service("web-01", "shop")), ["service:web-01/nginx"]);
});

test("hosts on one machine join by the loopback addresses that their agents say are theirs", () => {
  const topology = createTopology();
  const web = new Agent(topology, "web-01", ["127.0.0.11"]);
  const db = new Agent(topology, "db-01", ["127.0.0.12"]);
  web.tell(
    startMs,
    [out("shop", "127.0.0.12:5432", { local: "127.0.0.11" }), 2],
    [out("shop", "127.0.0.13:80"), 1],
  );
  db.tell(
    startMs,
    [into("postgres", "127.0.0.12:5432", "127.0.0.11"), 2],
    [out("postgres", "127.0.0.11:80", { local: "127.0.0.1" }), 1],
  );
  web.tell(startMs, [into("shop", "127.0.0.11:80", "127.0.0.1"), 1]);
  assert.deepEqual(callees(topology, service("web-01", "shop")), ["service:db-01/postgres"]);
  assert.deepEqual(callees(topology, service("db-01", "postgres")), ["service:web-01/shop"]);
  assert.deepEqual(callers(topology, service("web-01", "shop")), ["service:db-01/postgres"]);
});

test("an address that many hosts have is the caller's own, or that of the only one that has the connection", () => {
  const topology = createTopology();
  const bridge = "172.17.0.1";
  const a = new Agent(topology, "a", ["10.0.0.1", bridge]);
  const b = new Agent(topology, "b", ["10.0.0.2", bridge]);
  const c = new Agent(topology, "c", ["10.0.0.3"]);
  a.tell(startMs, [out("pod", `${bridge}:53`, { local: "172.17.0.2" }), 1], [listens("dns", ":53"), 1]);
  b.tell(startMs, [listens("dns", ":53"), 1]);
  c.tell(startMs, [out("app", `${bridge}:53`, { local: "10.0.0.3" }), 1]);
  assert.deepEqual(callees(topology, service("a", "pod")), ["service:a/dns"]);
  assert.deepEqual(callees(topology, service("c", "app")), [`peer:${bridge}/53`]);
  b.tell(startMs, [into("dns", `${bridge}:53`, "10.0.0.3"), 1]);
  assert.deepEqual(callees(topology, service("c", "app")), ["service:b/dns"]);
});

test("hops are counted up to the limit, both ways, and survive a snapshot", () => {
  const topology = createTopology();
  topology.declare("a", "b");
  topology.declare("b", "c");
  const restored = createTopology({ state: JSON.parse(JSON.stringify(topology.snapshot())) });
  assert.equal(restored.hops("a", "a", 0), 0);
  assert.equal(restored.hops("c", "a", 2), 2);
  assert.equal(restored.hops("c", "a", 1), Number.POSITIVE_INFINITY);
  assert.equal(restored.calls("a", "a"), false);
});

test("an edge halves in an hour without connections, is stale then, and gone after a day", () => {
  const { topology, web } = shop();
  const edge = () => topology.callees(service("web-01", "shop"))[0];
  assert.equal(edge()?.connections, 3);
  web.tell(startMs + 1000, [out("shop", "10.0.0.5:5432", { local: "10.0.0.2" }), Number.NaN]);
  topology.advance(startMs + minuteMs);
  assert.equal(edge()?.connections, 3, "between two looks of an agent nothing goes");
  topology.advance(startMs + minuteMs + hourMs / 2);
  assert.ok(Math.abs(edge()!.connections - 3 / Math.SQRT2) < 1e-9);
  topology.advance(startMs + hourMs);
  assert.equal(edge()?.stale, false);
  topology.advance(startMs + hourMs + 1);
  assert.equal(edge()?.stale, true);
  topology.advance(startMs + dayMs);
  assert.equal(edge()?.lastSeenMs, startMs);
  assert.equal(topology.calls("web-01", "db-01"), true);
  topology.advance(startMs + dayMs + 2 * minuteMs);
  assert.equal(edge(), undefined);
  assert.equal(topology.calls("web-01", "db-01"), false);
});

test("the weight of an edge is the mean of its connections over time, whatever the interval", () => {
  const weights = [10_000, minuteMs].map((intervalMs) => {
    const topology = createTopology();
    const web = new Agent(topology, "web-01", ["10.0.0.2"]);
    const edge = out("shop", "203.0.113.9:443");
    web.tell(startMs, [edge, 8]);
    for (let timeMs = startMs + intervalMs; timeMs <= startMs + hourMs; timeMs += intervalMs)
      web.tell(timeMs, [edge, 4]);
    return topology.callees(service("web-01", "shop"))[0]!.connections;
  });
  for (const weight of weights) assert.ok(Math.abs(weight - 6) < 1e-9, String(weight));
});

test("a bank with weekly batches keeps its edges for a week, marked as stale", () => {
  const topology = createTopology({ policy: { ...usualTopologyPolicy, edgeKeptMs: 7 * dayMs } });
  const batch = new Agent(topology, "batch-01", ["10.0.0.9"]);
  batch.tell(startMs, [out("settle", "203.0.113.9:443"), 1]);
  topology.advance(startMs + 6.9 * dayMs);
  assert.equal(topology.callees(host("batch-01"))[0]?.stale, true);
  topology.advance(startMs + 7.1 * dayMs);
  assert.deepEqual(topology.callees(host("batch-01")), []);
});

test("round-trip time, retransmits and unreachable peers stand at the edge while they are fresh", () => {
  const { topology, web, db } = shop();
  const edge = out("shop", "10.0.0.5:5432", { local: "10.0.0.2" });
  assert.deepEqual(topology.callOf("web-01", measured(edge, "causeway.edge.rtt")), {
    caller: service("web-01", "shop"),
    callee: service("db-01", "postgres"),
  });
  const elsewhere = out("shop", "10.0.0.77:5432", { local: "10.0.0.2" });
  assert.equal(topology.callOf("web-01", measured(elsewhere, "causeway.edge.rtt")), undefined);
  const figures = (): DependencyEdge => topology.callees(service("web-01", "shop"))[0]!;
  assert.deepEqual(
    [figures().rttSeconds, figures().retransmitsPerSecond, figures().unreachable],
    [null, null, 0],
  );
  db.tell(startMs, [measured(into("postgres", "10.0.0.5:5432", "10.0.0.2"), "causeway.edge.rtt"), 0.009]);
  assert.equal(figures().rttSeconds, 0.009, "the callee's, where the caller's agent measures none");
  web.tell(
    startMs,
    [measured(edge, "causeway.edge.rtt"), 0.002],
    [measured(edge, "causeway.edge.retransmits"), 100],
  );
  web.tell(
    startMs + 30_000,
    [measured(edge, "causeway.edge.retransmits"), 160],
    [measured(edge, "causeway.edge.unreachable"), 2],
    [edge, 3],
  );
  assert.deepEqual(
    [figures().rttSeconds, figures().retransmitsPerSecond, figures().unreachable],
    [0.002, 2, 2],
  );
  web.tell(startMs + 60_000, [measured(edge, "causeway.edge.retransmits"), 0]);
  assert.equal(figures().retransmitsPerSecond, 2, "a counter that began anew says nothing");
  topology.advance(startMs + 10 * minuteMs);
  assert.deepEqual(
    [figures().rttSeconds, figures().retransmitsPerSecond, figures().unreachable],
    [null, null, 0],
  );
});

test("two services that call one database share what it measures, and it counts once for their host", () => {
  const topology = createTopology();
  const web = new Agent(topology, "web-01", ["10.0.0.2"]);
  const db = new Agent(topology, "db-01", ["10.0.0.5"]);
  const back = into("postgres", "10.0.0.5:5432", "10.0.0.2");
  web.tell(
    startMs,
    [out("shop", "10.0.0.5:5432", { local: "10.0.0.2" }), 1],
    [out("jobs", "10.0.0.5:5432", { local: "10.0.0.2" }), 2],
  );
  for (const [index, total] of [0, 30].entries())
    db.tell(startMs + index * 10_000, [back, 3], [measured(back, "causeway.edge.retransmits"), total]);
  const [edge] = topology.list("host").edges;
  assert.deepEqual(
    [edge?.caller, edge?.callee, edge?.retransmitsPerSecond],
    ["host:web-01", "host:db-01", 3],
  );
  assert.deepEqual(callers(topology, service("db-01", "postgres")), [
    "service:web-01/jobs",
    "service:web-01/shop",
  ]);
});

test("declared edges are there without being seen, never stale, and gone with the setting", () => {
  const policy = { ...usualTopologyPolicy, declared: [["mq-01/mq", "batch-01"]] as const };
  const topology = createTopology({ policy });
  topology.advance(startMs + 365 * dayMs);
  const [edge] = topology.callees(service("mq-01", "mq"));
  assert.deepEqual(
    [entityId(edge!.callee), edge!.connections, edge!.lastSeenMs, edge!.stale],
    ["host:batch-01", 0, null, false],
  );
  assert.equal(topology.calls("mq-01", "batch-01"), true);
  const without = createTopology({ state: JSON.parse(JSON.stringify(topology.snapshot())) });
  assert.equal(without.calls("mq-01", "batch-01"), false);
});

test("a call between two names is an edge between the hosts that run them", () => {
  const topology = createTopology();
  for (const name of ["pay-01", "pay-02"]) {
    new Agent(topology, name, []).tell(startMs, [listens("payments.service", ":8080"), 1]);
  }
  new Agent(topology, "core-01", []).tell(startMs, [listens("ledger", ":9090"), 1]);
  for (let call = 0; call < 3600; call += 1)
    topology.observeCall("payments", "ledger", startMs + call * 1000);
  topology.advance(startMs + hourMs);
  const [edge] = topology.callees(service("pay-01", "payments.service"));
  assert.equal(entityId(edge!.callee), "service:core-01/ledger");
  assert.ok(Math.abs(edge!.callsPerHour - 1800) < 1, `${edge!.callsPerHour}: half of it after one half-life`);
  assert.deepEqual(topology.neighbours("core-01"), ["pay-01", "pay-02"]);
  assert.equal(topology.hops("pay-01", "pay-02", 2), 2);
  assert.deepEqual(callers(topology, service("core-01", "ledger")), ["service:/payments"]);
  topology.observeCall("pay-02/payments", "fraud", startMs);
  assert.deepEqual(callees(topology, service("pay-02", "payments.service")), [
    "service:/fraud",
    "service:core-01/ledger",
  ]);
  topology.advance(startMs + 3 * dayMs);
  assert.deepEqual(topology.neighbours("core-01"), []);
});

test("pairs of calls are bounded, and the rarest go", () => {
  const topology = createTopology();
  for (let call = 0; call < 5; call += 1) topology.observeCall("often", "called", startMs);
  for (let pair = 0; pair < limits.topologyCallsMax + 10; pair += 1)
    topology.observeCall(`s${pair}`, "x", startMs);
  assert.equal(topology.snapshot().told.calls.length, limits.topologyCallsMax);
  assert.ok(topology.snapshot().told.calls.some(([caller]) => caller === "often"));
});

test("a level folds services into hosts and hosts into zones, and what stays within is no edge", () => {
  const policy = { ...usualTopologyPolicy, zones: [{ name: "dmz", hosts: ["web-*"] }] };
  const fits = (pattern: string, text: string) => text.startsWith(pattern.replace("*", ""));
  const topology = createTopology({ policy, fits });
  const web = new Agent(topology, "web-01", ["10.0.0.2"], "ignored");
  const db = new Agent(topology, "db-01", ["10.0.0.5"], "core");
  topology.addresses("idle-01", ["10.0.0.6"]);
  web.tell(
    startMs,
    [out("nginx", "127.0.0.1:8080"), 9],
    [listens("shop", ":8080"), 1],
    [out("shop", "10.0.0.5:5432"), 3],
    [out("nginx", "10.0.0.5:5432"), 1],
    [into("nginx", "10.0.0.2:443", "198.51.100.7"), 5],
  );
  db.tell(startMs, [listens("postgres", ":5432"), 1]);
  const shown = (level: "service" | "host" | "zone") => {
    const { nodes, edges } = topology.list(level);
    return {
      nodes: nodes.map(({ id, zone }) => `${id} ${zone ?? "-"}`),
      edges: edges.map(({ caller, callee, connections }) => `${caller} > ${callee} ${connections}`),
    };
  };
  assert.deepEqual(shown("service"), {
    nodes: [
      "peer:198.51.100.7 -",
      "service:db-01/postgres core",
      "service:web-01/nginx dmz",
      "service:web-01/shop dmz",
    ],
    edges: [
      "service:web-01/nginx > service:web-01/shop 9",
      "peer:198.51.100.7 > service:web-01/nginx 5",
      "service:web-01/shop > service:db-01/postgres 3",
      "service:web-01/nginx > service:db-01/postgres 1",
    ],
  });
  assert.deepEqual(shown("host"), {
    nodes: ["host:db-01 core", "host:idle-01 -", "host:web-01 dmz", "peer:198.51.100.7 -"],
    edges: ["peer:198.51.100.7 > host:web-01 5", "host:web-01 > host:db-01 4"],
  });
  assert.deepEqual(shown("zone"), {
    nodes: ["peer: -", "zone: -", "zone:core core", "zone:dmz dmz"],
    edges: ["peer: > zone:dmz 5", "zone:dmz > zone:core 4"],
  });
  assert.deepEqual(
    [topology.zoneOf("web-01"), topology.zoneOf("db-01"), topology.zoneOf("idle-01")],
    ["dmz", "core", null],
  );
});

test("of a host's ends the largest are kept, and of all edges the largest are listed", () => {
  const topology = createTopology();
  for (const name of ["a", "b", "c", "d", "e", "f"]) {
    const web = new Agent(topology, name, []);
    const client = (index: number) => into("nginx", "10.0.0.2:443", `198.51.${index >> 8}.${index & 255}`);
    const count = limits.topologyEndsPerHostMax;
    web.tell(startMs, ...Array.from({ length: count }, (_, index) => [client(index), 2] as const));
    web.tell(startMs + 10_000, [client(count), 1], [client(count + 1), 9]);
  }
  const report = topology.list("service");
  assert.equal(report.edgesTotal, 6 * limits.topologyEndsPerHostMax);
  assert.equal(report.edges.length, limits.topologyEdgesListedMax);
  assert.deepEqual(
    report.edges.slice(0, 7).map(({ connections }) => Math.round(connections)),
    [9, 9, 9, 9, 9, 9, 2],
  );
  assert.ok(report.nodes.length < report.nodesTotal || report.nodes.length <= limits.topologyNodesListedMax);
});

test("a series number that is given to another series speaks of that one from then on", () => {
  const { topology, web } = shop();
  topology.define("web-01", 0, out("mail", "203.0.113.25:25"));
  web.tell(startMs + 10_000, [out("shop", "10.0.0.5:5432", { local: "10.0.0.2" }), 7]);
  assert.equal(topology.callees(service("web-01", "mail"))[0]?.connections, 7);
  assert.equal(topology.callees(service("web-01", "shop"))[0]?.lastSeenMs, startMs);
});

test("a host that is gone is nobody's neighbour, and its address may be another's", () => {
  const { topology, web } = shop();
  topology.forget("db-01");
  assert.deepEqual(topology.neighbours("web-01"), []);
  assert.deepEqual(callees(topology, service("web-01", "shop")), ["peer:10.0.0.5/5432"]);
  new Agent(topology, "db-02", ["10.0.0.5"]).tell(startMs, [listens("postgres", ":5432"), 1]);
  assert.deepEqual(callees(topology, service("web-01", "shop")), ["service:db-02/postgres"]);
  topology.forget("web-01");
  assert.deepEqual(topology.list("service").edges, []);
  assert.ok(web);
});
