/** What belongs together: windows that grow, silent hops, shared places, groups that meet, and what is over staying over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createChanges } from "#collector/changes/changes.ts";
import { createCorrelate, rerankMs } from "#collector/correlate/correlate.ts";
import { createTopology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { canonicalLabels } from "#shared/series.ts";
import type { Suspicion } from "#shared/suspicion.ts";
import { anomaly, cpuBusy, endedAt, processCpu, silent, startMs } from "#test/collector/anomalies.ts";

function correlateOver(...edges: [string, string][]) {
  const topology = createTopology();
  for (const [caller, callee] of edges) topology.declare(caller, callee);
  return createCorrelate({ topology });
}

/** Tells each anomaly at its last sample, then lets `rerankMs` pass; every group as it was last told, by id. */
function groupsOf(correlate: ReturnType<typeof createCorrelate>, ...all: Anomaly[]): Map<string, Suspicion> {
  const last = new Map<string, Suspicion>();
  const hear = (told: readonly Suspicion[]): void => {
    for (const one of told) {
      last.set(one.id, one);
      for (const id of one.absorbed) last.delete(id);
    }
  };
  let nowMs = 0;
  for (const one of all) {
    nowMs = Math.max(nowMs, one.lastMs);
    hear(correlate.add([one], nowMs));
  }
  hear(correlate.add([], nowMs + rerankMs));
  return last;
}

const memory = (host: string, atS: number): Anomaly => anomaly(host, "system.memory.utilization", atS);
const disk = (host: string, atS: number): Anomaly =>
  anomaly(host, "system.disk.io_time", atS, { labels: [["system.device", "sda"]] });

test("a group waits three minutes for more, and longer the longer it grows, up to a quarter of an hour", () => {
  // Each is a metric of its own of the same host, so only time connects them.
  const of = (...onsets: number[]): number =>
    groupsOf(
      correlateOver(),
      ...onsets.map((atS, index) =>
        anomaly("a", "system.filesystem.utilization", atS, {
          labels: [["system.filesystem.mountpoint", `/${index}`]],
        }),
      ),
    ).size;
  assert.equal(of(0, 170), 1);
  assert.equal(of(0, 190), 2);
  assert.equal(of(0, 170, 170 + 260), 1, "it has grown once: 270 s");
  assert.equal(of(0, 1, 2, 3, 193), 2, "a burst is one onset");
  assert.equal(of(0, 170, 430, 830, 830 + 899), 2, "never longer than 15 minutes");
});

test("what suffers from the same stays in one group however long it lasts, and not after it is over", () => {
  const first = cpuBusy("a", 0);
  const load = anomaly("a", "system.linux.load_1m", 900, { role: "symptom" });
  assert.equal(groupsOf(correlateOver(), first, load).size, 1);
  assert.equal(groupsOf(correlateOver(), first, endedAt(first, 60), load).size, 2);
  const [slow, failing] = [anomaly("a", "web_latency_seconds", 0), anomaly("a", "pay_errors", 900)];
  assert.equal(groupsOf(correlateOver(), slow, failing).size, 2, "of which service they are nobody knows");
});

test("a host that falls silent in the middle of another trouble is an incident of its own; one that began with it is the same", () => {
  const correlate = () => correlateOver(["web", "db"]);
  assert.equal(groupsOf(correlate(), cpuBusy("db", 0), silent("db", 40)).size, 1);
  const apart = groupsOf(correlate(), cpuBusy("db", 0), silent("db", 90), memory("web", 100));
  assert.deepEqual(
    [...apart.values()].map(({ symptoms }) => symptoms.map(({ host, detector }) => `${host} ${detector}`)),
    [["db record"], ["db absence", "web record"]],
  );
});

test("two groups that a symptom connects are one, and the older lives on", () => {
  const correlate = correlateOver(["web", "pay"], ["pay", "db"]);
  const told = groupsOf(correlate, memory("web", 0), memory("db", 70), cpuBusy("pay", 80));
  assert.equal(told.size, 1);
  const [one] = told.values();
  assert.equal(one?.id, memory("web", 0).id);
  assert.deepEqual(new Set(one.symptoms.map(({ host }) => host)), new Set(["web", "db", "pay"]));
});

test("groups that began apart and whose roots are no neighbours stay two, though one symptom touches both", () => {
  const edges: [string, string][] = [
    ["web", "x1"],
    ["x1", "x2"],
    ["x2", "db"],
  ];
  const told = groupsOf(
    correlateOver(...edges),
    memory("web", 0),
    memory("x1", 80),
    memory("db", 120),
    cpuBusy("x2", 170),
  );
  assert.equal(told.size, 2);
});

test("groups are not merged any more when the younger is older than a quarter of an hour", () => {
  // Both keep growing on their own hosts, out of each other's sight, until the hosts are known to be neighbours.
  const growing = (host: string, fromS: number, untilS: number): Anomaly[] =>
    Array.from({ length: Math.ceil((untilS - fromS) / 150) }, (_, index) =>
      anomaly(host, "system.filesystem.utilization", fromS + 150 * index, {
        labels: [["system.filesystem.mountpoint", `/${index}`]],
      }),
    );
  const absorbed = (atS: number): number => {
    const topology = createTopology();
    const correlate = createCorrelate({ topology });
    const all = [...growing("a", 0, atS), ...growing("b", 30, atS)];
    groupsOf(correlate, ...all.sort((x, y) => x.startedMs - y.startedMs));
    topology.declare("a", "b");
    const [one] = groupsOf(correlate, disk("a", atS)).values();
    return new Set(one?.symptoms.map(({ host }) => host)).size;
  };
  assert.equal(absorbed(600), 2);
  assert.equal(absorbed(1_200), 1);
});

test("hosts of one network that show the same at the same moment are one trouble; of another network, or later, they are not", () => {
  const groups = (address: string, atS: number, other = cpuBusy("b", atS)): number => {
    const correlate = correlateOver();
    correlate.locate("a", ["10.1.7.11", "172.17.0.1"]);
    correlate.locate("b", [address]);
    return groupsOf(correlate, cpuBusy("a", 0), other).size;
  };
  assert.equal(groups("10.1.7.12", 5), 1);
  assert.equal(groups("10.1.8.12", 5), 2);
  assert.equal(groups("10.1.7.12", 40), 2);
  assert.equal(groups("10.1.7.12", 5, memory("b", 5)), 2);
});

test("hosts of one zone, or touched by one change, that show the same at the same moment are one trouble", () => {
  const topology = createTopology();
  const zones = new Map([
    ["a", "room 1"],
    ["b", "room 1"],
    ["c", "room 2"],
  ]);
  const changes = createChanges();
  const target = { of: "service", name: "pay" } as const;
  const release = {
    id: "r",
    kind: "release",
    atMs: startMs - 60_000,
    title: "pay 4",
    target,
    by: "",
    link: "",
  } as const;
  changes.add([release], startMs);
  for (const host of ["c", "d"]) {
    const labels = canonicalLabels([["service.name", "pay.service"]]);
    changes.define(host, { metric: "m", unit: "1", instrument: "gauge", decimals: 0, labels });
  }
  const groups = (one: string, other: string): number => {
    const graph = { ...topology, zoneOf: (host: string) => zones.get(host) ?? null };
    return groupsOf(createCorrelate({ topology: graph, changes }), cpuBusy(one, 0), cpuBusy(other, 5)).size;
  };
  assert.equal(groups("a", "b"), 1);
  assert.equal(groups("a", "c"), 2);
  assert.equal(groups("c", "d"), 1, "the same release");
  assert.equal(groups("a", "d"), 2);
});

test("a host that hundreds talk to does not connect strangers while it is silent", () => {
  const bridge = (callers: number): number => {
    const edges = Array.from({ length: callers }, (_, index) => [`w${index}`, "hub"] as [string, string]);
    return groupsOf(correlateOver(...edges), cpuBusy("w0", 0), memory("w1", 5)).size;
  };
  assert.equal(bridge(10), 1);
  assert.equal(bridge(100), 2);
});

test("twenty troubles that begin within a minute are one; heard at once, but begun over an hour, they are twenty", () => {
  const begun = (everyS: number): number => {
    const all = Array.from({ length: 30 }, (_, index) => cpuBusy(`h-${index}`, index * everyS));
    const correlate = correlateOver();
    const nowMs = startMs + 7_200_000;
    for (const one of all) correlate.add([one], nowMs);
    return correlate.snapshot().grouping.groups.length;
  };
  assert.equal(begun(1), 1);
  assert.equal(begun(120), 30);
});

test("evidence that waited on a host is taken in when the group reaches that host", () => {
  const correlate = correlateOver(["a", "b"], ["b", "c"]);
  const job = processCpu("c", "job", 100, 0.4);
  const told = groupsOf(correlate, cpuBusy("a", 0), job, cpuBusy("b", 120));
  assert.deepEqual(
    [...told.values()].map(({ evidence }) => evidence.map(({ id }) => id)),
    [[job.id]],
  );
  assert.equal(correlate.weakSignals(), 0);
});

test("one sample that detection has not confirmed is told with the second, with company, or after a minute, and not if it ends", () => {
  const single = cpuBusy("a", 0, { detector: "level", lastMs: startMs });
  const told = (...steps: readonly (readonly [number, ...Anomaly[]])[]): number => {
    const correlate = correlateOver();
    return steps.reduce((sum, [atS, ...all]) => sum + correlate.add(all, startMs + atS * 1000).length, 0);
  };
  assert.equal(told([0, single], [12]), 0);
  assert.equal(told([0, single], [72]), 1);
  assert.equal(told([0, single], [30, { ...single, lastMs: startMs + 30_000 }]), 1);
  assert.equal(told([0, single], [30, memory("a", 20)]), 1);
  assert.equal(told([0, single], [30, endedAt(single, 30)], [200]), 0);
});

test("answers that are a little slow everywhere at once have to last; much slower, or failing, is told at once", () => {
  const slow = (host: string, value: number): Anomaly =>
    anomaly(host, "causeway.service.latency", 0, {
      labels: [["service.name", host]],
      value,
      expectedHigh: 0.1,
    });
  const later = (correlate: ReturnType<typeof createCorrelate>, atS: number): number => {
    const again = ["web", "pay"].map((host) => ({ ...slow(host, 0.11), lastMs: startMs + atS * 1000 }));
    return correlate.add(again, startMs + atS * 1000).length;
  };
  const edges: [string, string] = ["web", "pay"];
  const little = correlateOver(edges);
  assert.equal(groupsOf(little, slow("web", 0.11), slow("pay", 0.12)).size, 0);
  assert.equal(little.weakSignals(), 2);
  assert.equal(later(little, 40), 0);
  assert.equal(later(little, 90), 1, "a minute later it is one incident");
  assert.equal(groupsOf(correlateOver(edges), slow("web", 0.11), slow("pay", 0.2)).size, 1);
  const over = correlateOver(edges);
  const ended = ["web", "pay"].map((host) => endedAt(slow(host, 0.11), 30));
  assert.equal(groupsOf(over, slow("web", 0.11), slow("pay", 0.12), ...ended).size, 0);
  assert.equal(over.weakSignals(), 0);
});

test("no anomaly is in two groups, none is lost, and a restart anywhere changes nothing, whatever the order", () => {
  const hosts = ["a", "b", "c", "d", "e"];
  const step = fc.record({
    host: fc.constantFrom(...hosts),
    what: fc.constantFrom("cpu", "memory", "job"),
    waitS: fc.nat(90),
    ends: fc.boolean(),
  });
  const edges = fc.array(fc.tuple(fc.constantFrom(...hosts), fc.constantFrom(...hosts)), { maxLength: 6 });
  fc.assert(
    fc.property(edges, fc.array(step, { maxLength: 40 }), fc.nat(40), (pairs, steps, restartAt) => {
      const topology = createTopology();
      for (const [caller, callee] of pairs) topology.declare(caller, callee);
      let correlate = createCorrelate({ topology });
      let restarted = createCorrelate({ topology });
      const open = new Map<string, Anomaly>();
      let atS = 0;
      for (const [index, { host, what, waitS, ends }] of steps.entries()) {
        atS += waitS;
        const key = `${host} ${what}`;
        const before = open.get(key);
        const fresh =
          what === "cpu"
            ? cpuBusy(host, atS)
            : what === "memory"
              ? memory(host, atS)
              : processCpu(host, "job", atS, 0.3);
        const next = before === undefined ? fresh : ends ? endedAt(before, atS) : { ...before, score: 9 };
        if (next.ended) open.delete(key);
        else open.set(key, next);
        if (index === restartAt)
          restarted = createCorrelate({ topology, state: JSON.parse(JSON.stringify(restarted.snapshot())) });
        const nowMs = startMs + atS * 1000 + 10_000;
        assert.deepEqual(restarted.add([next], nowMs), correlate.add([next], nowMs));
        const { weak, groups } = correlate.snapshot().grouping;
        const ids = [...weak, ...groups.flatMap((group) => [...group.symptoms, ...group.evidence])].map(
          ({ id }) => id,
        );
        assert.equal(new Set(ids).size, ids.length, "one place each");
        for (const { id } of open.values()) assert.ok(ids.includes(id), `${id} is lost`);
      }
      assert.deepEqual(restarted.snapshot(), correlate.snapshot());
    }),
    { seed: 4, numRuns: 60 },
  );
});
