/**
 * A data centre goes down: five thousand anomalies in a minute are one incident, of a bounded size, at a cost in proportion to their
 * number. The figures are printed, the counts are asserted.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createChanges } from "#collector/changes/changes.ts";
import { createCorrelate } from "#collector/correlate/correlate.ts";
import { createIncidents } from "#collector/incident/incident.ts";
import { createTopology, type Topology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Change } from "#shared/contract/change.ts";
import { type Incident, isOver } from "#shared/contract/incident.ts";
import { anomaly, cpuBusy, endedAt, startMs } from "#test/collector/anomalies.ts";
import { mulberry32 } from "#test/sim/random.ts";

const hosts = 1_000;
const anomaliesOfHost = 5;
const bytesMax = 128 * 1024;

/** Five signs of each host, from the first to the last second of a minute, in an order that has nothing to do with the topology. */
function outage(random: () => number): Anomaly[] {
  const all = Array.from({ length: hosts }, (_, index) => {
    const host = `h-${index}`;
    const atS = Math.floor(random() * 60);
    return [
      cpuBusy(host, atS, { detector: "bound" }),
      anomaly(host, "http_request_duration_seconds", atS),
      anomaly(host, "system.memory.utilization", atS),
      anomaly(host, "system.network.tcp.retransmits", atS),
      anomaly(host, "system.disk.io", atS, { labels: [["system.device", "sda"]] }),
    ].map((one) => ({ key: random(), one }));
  });
  return all
    .flat()
    .sort((a, b) => a.one.startedMs - b.one.startedMs || a.key - b.key)
    .map(({ one }) => one);
}

/** A busy hour of releases: hosts, services and parts of hosts. */
function deployment(index: number): Change {
  const targets = [
    { of: "host", name: `h-${index}` },
    { of: "service", name: `s-${index}` },
    { of: "entity", name: `disk:h-${index}/sda` },
  ] as const;
  const what = { id: `c-${index}`, kind: "release", title: `release ${index}`, by: "", link: "" } as const;
  return { ...what, atMs: startMs - index * 10_000, target: targets[index % 3]! };
}

/** Plays the anomalies one by one, as a thousand agents send them, with a tick every two seconds; then lets all of them end. */
function play(topology: Topology, all: readonly Anomaly[]) {
  const changes = createChanges();
  changes.add(
    Array.from({ length: 300 }, (_, index) => deployment(index)),
    startMs,
  );
  const correlate = createCorrelate({ topology, changes });
  const incidents = createIncidents();
  const last = new Map<string, Incident>();
  let told = 0;
  let bytes = 0;
  const hear = (anomalies: readonly Anomaly[], nowMs: number): void => {
    for (const incident of incidents.apply(correlate.add(anomalies, nowMs), nowMs)) {
      last.set(incident.id, incident);
      told += 1;
      bytes = Math.max(bytes, JSON.stringify(incident).length);
    }
  };
  const began = process.cpuUsage();
  let nowMs = startMs;
  const tick = (untilMs: number): void => {
    for (; nowMs + 2_000 <= untilMs; nowMs += 2_000) hear([], nowMs + 2_000);
  };
  for (const one of all) {
    tick(one.startedMs);
    hear([one], nowMs);
  }
  tick(startMs + 100_000);
  const { user, system } = process.cpuUsage(began);
  const open = [...last.values()].filter((incident) => !isOver(incident));
  const counted = { open: open.length, told, bytes, cpuMs: Math.round((user + system) / 1000) };
  for (const [index, one] of all.entries()) {
    tick(startMs + 100_000 + index * 10);
    hear([endedAt(one, 100 + index / 100)], nowMs);
  }
  tick(startMs + 600_000);
  return { ...counted, first: open[0]!, all: last };
}

function layered(): Topology {
  const topology = createTopology();
  for (let index = 1; index < hosts; index += 1) topology.declare(`h-${index}`, `h-${Math.floor(index / 8)}`);
  return topology;
}

function aroundOne(): Topology {
  const topology = createTopology();
  for (let index = 1; index < hosts; index += 1) topology.declare(`h-${index}`, "h-0");
  return topology;
}

/** How often the topology was asked while `count` hosts of a chain fail within a minute. */
function asked(count: number): number {
  const topology = createTopology();
  for (let index = 1; index < count; index += 1) topology.declare(`h-${index - 1}`, `h-${index}`);
  let calls = 0;
  const counting: Topology = {
    ...topology,
    neighbours(host) {
      calls += 1;
      return topology.neighbours(host);
    },
    hops(...args) {
      calls += 1;
      return topology.hops(...args);
    },
    calls(...args) {
      calls += 1;
      return topology.calls(...args);
    },
  };
  const correlate = createCorrelate({ topology: counting });
  const random = mulberry32(9);
  const all = Array.from({ length: count }, (_, index) => ({ key: random(), one: cpuBusy(`h-${index}`, 5) }));
  for (const { one } of all.sort((a, b) => a.key - b.key)) correlate.add([one], startMs + 10_000);
  return calls;
}

test("twice as many anomalies ask the topology twice as often", () => {
  const [small, large] = [asked(1_000), asked(2_000)];
  assert.ok(large <= 2.2 * small, `${small} for a thousand, ${large} for two thousand`);
  assert.ok(small <= 20_000, `${small} for a thousand`);
});

test("five thousand hosts that are cut off and come back one by one are one incident, told every five seconds at most", (t) => {
  const entity = { kind: "network", host: "collector", name: "" } as const;
  const cut = { id: "partition|1", entity };
  const all = Array.from({ length: 5_000 }, (_, index) =>
    anomaly(`h-${index}`, "", 0, {
      id: `h-${index}|silence`,
      entity: { kind: "host", host: `h-${index}`, name: "" },
      series: "",
      detector: "absence",
      kind: "state",
      resource: "agent",
      role: "symptom",
      group: cut,
    }),
  );
  const correlate = createCorrelate({ topology: createTopology() });
  const incidents = createIncidents();
  const began = process.cpuUsage();
  const told: Incident[] = [];
  for (const one of all) told.push(...incidents.apply(correlate.add([one], startMs), startMs));
  for (const [index, one] of all.entries()) {
    const nowMs = startMs + 60_000 + 20 * index;
    told.push(...incidents.apply(correlate.add([endedAt(one, 60 + index / 50)], nowMs), nowMs));
  }
  const { user, system } = process.cpuUsage(began);
  t.diagnostic(
    `${Math.round((user + system) / 1000)} ms of CPU for 10,000 anomalies, told ${told.length} times`,
  );
  assert.deepEqual([...new Set(told.map(({ id }) => id))], ["INC-1"]);
  assert.equal(told.at(-1)?.state, "recovering");
  assert.ok(told.length <= 2 + 100_000 / 5_000, `${told.length}`);
  assert.ok(told.every((one) => JSON.stringify(one).length < bytesMax));
});

const topologies: readonly (readonly [string, () => Topology])[] = [
  ["in layers that call each other", layered],
  ["that all use one database", aroundOne],
  ["of which no connection is known", createTopology],
];

for (const [name, build] of topologies) {
  test(`${hosts * anomaliesOfHost} anomalies in a minute on hosts ${name} are one incident of bounded size, and it ends as one`, (t) => {
    const all = outage(mulberry32(3));
    assert.equal(all.length, hosts * anomaliesOfHost);
    const { open, told, bytes, cpuMs, first, all: incidents } = play(build(), all);
    t.diagnostic(`${cpuMs} ms of CPU, told ${told} times, ${bytes} bytes at most, ${incidents.size} ids`);
    assert.equal(open, 1);
    assert.equal(first.hostCount, hosts);
    assert.ok(bytes < bytesMax, `${bytes} bytes`);
    assert.ok(first.hosts.length <= 100);
    assert.equal(incidents.get(first.id)?.state, "resolved");
    for (const { id, state, mergedInto } of incidents.values())
      if (id !== first.id) assert.deepEqual([state, mergedInto], ["merged", first.id]);
    // Every five seconds of the minute, and the merging of what began apart.
    assert.ok(told < 150, `told ${told} times`);
  });
}

test("a zone of fifty kinds of hosts that detection calls fifty troubles is one incident, at a cost in proportion", (t) => {
  const topology = createTopology();
  const random = mulberry32(5);
  const all = outage(random).map((one): Anomaly => {
    const kind = Number(one.host.slice(2)) % 50;
    const entity = { kind: "group", host: `kind-${kind}-*`, name: "" } as const;
    return one.role === "symptom" ? { ...one, group: { id: `group|${kind}`, entity, hosts: 20 } } : one;
  });
  for (const { host } of all) topology.addresses(host, [], "dc-2");
  const { open, told, bytes, cpuMs, first } = play(topology, all);
  t.diagnostic(`${cpuMs} ms of CPU, told ${told} times, ${bytes} bytes at most`);
  assert.equal(open, 1);
  assert.equal(first.hostCount, hosts);
  assert.equal(first.causes[0]?.entity, "group:dc-2");
  assert.ok(bytes < bytesMax, `${bytes} bytes`);
  assert.ok(told < 150, `told ${told} times`);
});
