import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createCorrelate, rerankMs } from "#collector/correlate/correlate.ts";
import { createTopology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Suspicion } from "#shared/suspicion.ts";
import { anomaly, cpuBusy, endedAt, processCpu, silent, startMs } from "#test/collector/anomalies.ts";

function correlateOver(...edges: [string, string][]) {
  const topology = createTopology();
  for (const [caller, callee] of edges) topology.declare(caller, callee);
  return createCorrelate({ topology });
}

/** One after the other, and then the time in which what was held back is told. */
function addAll(correlate: ReturnType<typeof createCorrelate>, ...anomalies: Anomaly[]): Suspicion[] {
  const told = anomalies.flatMap((one) => correlate.add([one], one.lastMs));
  const lastMs = Math.max(...anomalies.map((one) => one.lastMs));
  return [...told, ...correlate.add([], lastMs + rerankMs)];
}

test("evidence alone opens nothing, and waits as a weak signal", () => {
  const correlate = correlateOver();
  assert.deepEqual(addAll(correlate, processCpu("a", "job", 0, 0.2)), []);
  assert.equal(correlate.weakSignals(), 1);
});

test("a process that began a little before the symptom and accounts for it is the first cause", () => {
  const correlate = correlateOver();
  const told = addAll(
    correlate,
    processCpu("a", "other", 0, 0.03),
    processCpu("a", "job", 0, 0.48),
    cpuBusy("a", 10),
  );
  const [cause, ...others] = told.at(-1)?.causes ?? [];
  assert.equal(cause?.entity, "process:a/7/job");
  assert.ok(cause.confidence > 0.9, `${cause.confidence}`);
  assert.ok(others.every(({ confidence }) => confidence < cause.confidence / 2));
});

test("a process that accounts for a third of it says that two thirds are unexplained", () => {
  const told = addAll(correlateOver(), cpuBusy("a", 0, { hostShare: 0.9 }), processCpu("a", "job", 0, 0.3));
  const cause = told.at(-1)?.causes[0];
  assert.equal(cause?.entity, "process:a/7/job");
  assert.ok(cause.confidence < 0.5);
  assert.deepEqual(
    cause.counterEvidence.map(({ key }) => key),
    ["counter.unexplained"],
  );
});

test("with nothing but a busy host the cause stays below the line at which one is named", () => {
  const [suspicion] = addAll(correlateOver(), cpuBusy("a", 0));
  assert.ok((suspicion?.causes[0]?.confidence ?? 1) < 0.4);
});

test("the service and the process that consume the same are one cause, not two", () => {
  const service = anomaly("a", "causeway.service.cpu.time", 0, {
    labels: [["service.name", "job.service"]],
    hostShare: 0.5,
  });
  const told = addAll(correlateOver(), cpuBusy("a", 0), service, processCpu("a", "job", 0, 0.5));
  assert.deepEqual(
    told.at(-1)?.causes.map(({ entity }) => entity),
    ["process:a/7/job"],
  );
});

test("of a busy disk's traffic the process that makes most of it is blamed, not the disk", () => {
  const direction = ["disk.io.direction", "write"] as const;
  const busy = anomaly("a", "system.disk.io_time", 0, { labels: [["system.device", "sda"]], score: 8 });
  const traffic = anomaly("a", "system.disk.io", 0, {
    labels: [["system.device", "sda"], direction],
    value: 2e8,
    score: 8,
  });
  const writes = (name: string, value: number) =>
    anomaly("a", "process.disk.io", 0, {
      labels: [["process.pid", "7"], ["process.executable.name", name], direction],
      value,
      score: 5,
    });
  const told = addAll(correlateOver(), traffic, writes("backup", 1.8e8), writes("log", 1e7), busy);
  const [cause] = told.at(-1)?.causes ?? [];
  assert.equal(cause?.entity, "process:a/7/backup");
  assert.ok(cause.confidence > 0.8, `${cause.confidence}`);
});

test("what is abnormal at the same time about something else is not named as a cause, nor as the beginning", () => {
  const lost = anomaly("a", "system.network.tcp.retransmits", 0);
  const writes = anomaly("a", "process.disk.io", -100, {
    labels: [
      ["process.pid", "7"],
      ["process.executable.name", "backup"],
      ["disk.io.direction", "write"],
    ],
    score: 12,
  });
  const told = addAll(correlateOver(), writes, lost).at(-1);
  assert.ok(told !== undefined && told.causes.every(({ confidence }) => confidence < 0.4));
  assert.equal(told.startedMs, startMs);
});

test("memory that grew is no cause of a busy processor", () => {
  const hog = anomaly("a", "process.memory.usage", -30, {
    labels: [
      ["process.pid", "9"],
      ["process.executable.name", "cache"],
    ],
    hostShare: 0.5,
    score: 12,
  });
  const told = addAll(correlateOver(), hog, processCpu("a", "job", 0, 0.4), cpuBusy("a", 0));
  assert.equal(told.at(-1)?.causes[0]?.entity, "process:a/7/job");
});

test("hosts that talk to each other fail together as one group, strangers as two", () => {
  const linked = addAll(correlateOver(["a", "b"]), cpuBusy("a", 0), cpuBusy("b", 30));
  assert.equal(new Set(linked.map(({ id }) => id)).size, 1);
  const strangers = addAll(correlateOver(), cpuBusy("a", 0), cpuBusy("b", 30));
  assert.equal(new Set(strangers.map(({ id }) => id)).size, 2);
});

test("a silent hop is bridged within a minute and not later", () => {
  const groups = (atS: number) =>
    new Set(
      addAll(correlateOver(["a", "m"], ["m", "b"]), cpuBusy("a", 0), cpuBusy("b", atS)).map(({ id }) => id),
    ).size;
  assert.equal(groups(50), 1);
  assert.equal(groups(90), 2);
});

test("another symptom on the same host much later is another group", () => {
  const memory = anomaly("a", "system.memory.utilization", 600);
  const told = addAll(correlateOver(), cpuBusy("a", 0), memory);
  assert.equal(new Set(told.map(({ id }) => id)).size, 2);
});

test("of services that slow down together the one that calls none of the others is blamed", () => {
  const slow = (host: string, atS: number) => anomaly(host, "latency_seconds", atS);
  const told = addAll(
    correlateOver(["web", "pay"], ["pay", "db"]),
    slow("web", 0),
    slow("pay", 0),
    slow("db", 10),
  );
  assert.deepEqual(
    told.at(-1)?.causes.map(({ entity }) => entity),
    ["host:db"],
  );
});

/** Of a host that was cut off with others. */
function cutOff(host: string, atS: number, id = "partition|1"): Anomaly {
  const group = { id, entity: { kind: "network", host: "collector", name: "" } } as const;
  return { ...silent(host, atS), group, reasons: [{ key: "reason.partition", effect: "raised", args: {} }] };
}

test("hosts that were cut off together are one group though they never talk, and what they share is blamed", () => {
  const told = addAll(correlateOver(), cutOff("a", 0), cutOff("b", 3), cutOff("c", 5));
  assert.equal(new Set(told.map(({ id }) => id)).size, 1);
  const last = told.at(-1);
  assert.deepEqual(
    last?.causes.map(({ entity, text }) => [entity, text.key]),
    [["network:collector", "cause.partition"]],
  );
  assert.deepEqual(new Set(last.symptoms.map(({ host }) => host)), new Set(["a", "b", "c"]));
});

test("what suffers from the cut belongs to it; a host that is silent for its own reason does not", () => {
  const correlate = correlateOver(["web", "a"], ["other", "a"]);
  const [cut] = addAll(correlate, cutOff("a", 0), cutOff("b", 0), cutOff("c", 0));
  const groupOf = (one: Anomaly): string | undefined => addAll(correlate, one)[0]?.id;
  assert.equal(groupOf(anomaly("web", "latency_seconds", 20)), cut?.id);
  assert.notEqual(groupOf(silent("other", 10)), cut?.id);
  assert.notEqual(groupOf(silent("a", 1)), cut?.id, "left behind by the others");
  assert.notEqual(groupOf(cutOff("a", 100, "partition|2")), cut?.id, "cut off again with others");
});

test("of a thousand hosts that come back one by one is told every five seconds, and the end", () => {
  const correlate = correlateOver();
  const all = Array.from({ length: 1000 }, (_, index) => cutOff(`h-${index}`, 0));
  assert.equal(correlate.add(all, startMs).length, 1);
  const told = all.flatMap((one, index) => {
    const atS = 60 + index;
    return correlate.add([endedAt(one, atS)], startMs + atS * 1000);
  });
  assert.ok(told.length <= 1 + 1000 / (rerankMs / 1000), `${told.length}`);
  assert.deepEqual(
    told.filter(({ active }) => !active),
    told.slice(-1),
  );
  assert.ok(told.every(({ shown, impact }) => shown.length === 50 && impact.length === 1));
});

test("a collector that catches up in a moment tells of each group what one tells that hears it as it happens", () => {
  const all = [0, 10, 20, 30].map((atS) => anomaly("a", `service${atS}_errors`, atS));
  const told = (nowOf: (one: Anomaly) => number): unknown[] => {
    const correlate = correlateOver();
    return all.flatMap((one) => correlate.add([one], nowOf(one)).map(({ symptoms }) => symptoms.length));
  };
  assert.deepEqual(
    told(() => startMs + 3_600_000),
    [1, 2, 3, 4],
  );
  assert.deepEqual(
    told(({ lastMs }) => lastMs),
    [1, 2, 3, 4],
  );
});

test("a group is active until its last symptom ends", () => {
  const correlate = correlateOver();
  const cpu = cpuBusy("a", 0);
  const memory = anomaly("a", "system.memory.utilization", 10);
  const active = addAll(correlate, cpu, memory, endedAt(cpu, 60), endedAt(memory, 70)).map(
    (told) => told.active,
  );
  assert.deepEqual(active, [true, true, true, false]);
});

test("any split of the same anomalies into calls, and a restart between any two, ends in the same groups", () => {
  const cpu = cpuBusy("a", 0);
  const all = [
    processCpu("a", "job", -10, 0.4),
    cpu,
    cpuBusy("b", 20),
    anomaly("a", "system.pressure.stall.time", 25, { labels: [["causeway.pressure.resource", "memory"]] }),
    endedAt(cpu, 90),
    cpuBusy("c", 100),
  ];
  const run = (cuts: readonly number[], restartAt: number): string => {
    const topology = createTopology();
    topology.declare("a", "b");
    let correlate = createCorrelate({ topology });
    const latest = new Map<string, Suspicion>();
    let from = 0;
    for (const cut of [...cuts, all.length]) {
      if (from >= restartAt)
        correlate = createCorrelate({ topology, state: JSON.parse(JSON.stringify(correlate.snapshot())) });
      for (const told of correlate.add(all.slice(from, cut), startMs)) latest.set(told.id, told);
      from = cut;
    }
    for (const told of correlate.add([], startMs + rerankMs)) latest.set(told.id, told);
    return JSON.stringify([...latest.values()]);
  };
  const want = run([], 99);
  fc.assert(
    fc.property(fc.subarray([1, 2, 3, 4, 5]), fc.nat(6), (cuts, restartAt) => {
      assert.equal(run(cuts, restartAt), want);
    }),
    { seed: 6 },
  );
});
