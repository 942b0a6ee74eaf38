// What a look at the past of a group's hosts adds to what anomalies say of causes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCorrelate } from "#collector/correlate/correlate.ts";
import { look, placeIn } from "#collector/correlate/look.ts";
import type { Neighbourhood } from "#collector/correlate/neighbourhood.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { causeConfidenceMin } from "#shared/contract/incident.ts";
import type { Entity } from "#shared/entity.ts";
import type { HistorySeries, HostHistory } from "#shared/host-history.ts";
import { canonicalLabels, labelValue, type Series, seriesId } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/random.ts";

const startMs = Date.UTC(2026, 0, 5);
const intervalMs = 10_000;
const ticks = 220;
/** The fault begins here, and is noticed three ticks later. */
const onset = 190;
const onsetMs = startMs + onset * intervalMs;
const nowMs = onsetMs + 3 * intervalMs;

function history(metric: string, unit: string, labels: [string, string][], values: number[]): HistorySeries {
  const series: Series = { metric, unit, instrument: "gauge", decimals: 3, labels: canonicalLabels(labels) };
  return { series, id: seriesId(series), values: Float64Array.from(values) };
}

/** `level` with some noise, times `factor` from the onset on. */
function wave(level: number, factor: number, seed: number): number[] {
  const random = mulberry32(seed);
  return Array.from(
    { length: ticks },
    (_, tick) => level * (tick >= onset ? factor : 1) * (1 + 0.1 * (random() - 0.5)),
  );
}

function host(name: string, ...series: HistorySeries[]): HostHistory {
  const timesMs = Float64Array.from({ length: ticks }, (_, tick) => startMs + tick * intervalMs);
  return { host: name, timesMs, series };
}

const web: Entity = { kind: "service", host: "web-01", name: "web" };
const ledger: Entity = { kind: "service", host: "db-01", name: "ledger" };

/** The service web on web-01 calls the service ledger on db-01. */
const graph: Neighbourhood = {
  neighbours: (name) => (name === "web-01" ? ["db-01"] : ["web-01"]),
  calls: (caller, callee) => caller === "web-01" && callee === "db-01",
  hops: (a, b) => (a === b ? 0 : 1),
  callees: (caller) => (caller.host === "web-01" ? [{ callee: ledger }] : []),
};

const latency = (factor: number): HistorySeries =>
  history(
    "causeway.service.latency",
    "s",
    [
      ["service.name", "web"],
      ["quantile", "0.95"],
    ],
    wave(0.05, factor, 1),
  );
const cpu = (of: [string, string][], metric: string, factor: number, seed: number): HistorySeries =>
  history(metric, "1", of, wave(0.2, factor, seed));
const ledgerCpu = (factor: number): HistorySeries =>
  cpu(
    [
      ["process.pid", "7"],
      ["process.executable.name", "node"],
      ["service.name", "ledger"],
    ],
    "process.cpu.utilization",
    factor,
    2,
  );
const webCpu = cpu(
  [
    ["process.pid", "9"],
    ["process.executable.name", "node"],
    ["service.name", "web"],
  ],
  "process.cpu.utilization",
  1,
  3,
);

const symptom: Anomaly = {
  id: "web-01|latency",
  host: "web-01",
  entity: web,
  series: latency(1).id,
  metric: "causeway.service.latency",
  kind: "latency",
  resource: "none",
  role: "symptom",
  unit: "s",
  detector: "level",
  direction: "up",
  startedMs: onsetMs,
  lastMs: nowMs,
  ended: false,
  value: 0.25,
  expectedLow: 0.04,
  expectedHigh: 0.07,
  score: 6,
  hostShare: null,
  provisional: false,
  completeness: 1,
  reasons: [],
};

test("who strays is blamed rather than who waits for it, and a process is its service", () => {
  const histories = [host("web-01", latency(5), webCpu), host("db-01", ledgerCpu(4))];
  const found = look(histories, graph, { detectedMs: nowMs, leading: symptom, before: null }, nowMs);
  assert.deepEqual(found.blamed[0]?.entity, ledger);
  assert.equal(found.blamed[0].evidence[0]?.metric, "process.cpu.utilization");
  assert.equal(placeIn(found, { kind: "process", host: "db-01", name: "7/node" }), "service:db-01/ledger");
  assert.equal(placeIn(found, { kind: "disk", host: "db-01", name: "sda" }), "host:db-01");
});

test("a round-trip time that an agent measured is of the way between two services", () => {
  const rtt = (peer: string, factor: number): HistorySeries =>
    history(
      "causeway.edge.rtt",
      "s",
      [
        ["service.name", "web"],
        ["causeway.edge.direction", "out"],
        ["network.peer.address", peer],
        ["network.peer.port", "5432"],
      ],
      wave(0.002, factor, 5),
    );
  const known: Neighbourhood = {
    ...graph,
    callOf: (_host, { labels }) =>
      labelValue(labels, "network.peer.address") === "10.0.0.5" ? { caller: web, callee: ledger } : undefined,
  };
  const histories = [
    host("web-01", latency(5), webCpu, rtt("10.0.0.5", 100), rtt("10.0.0.9", 200)),
    host("db-01", ledgerCpu(1)),
  ];
  const found = look(histories, known, { detectedMs: nowMs, leading: symptom, before: null }, nowMs);
  const [first] = found.blamed;
  assert.deepEqual(first?.entity, ledger, "its only caller waits for it, and it itself is well");
  assert.match(first.evidence[0]?.series ?? "", /^causeway\.edge\.rtt\{.*10\.0\.0\.5/);
  assert.ok(!found.blamed.some(({ evidence }) => evidence.some(({ series }) => series.includes("10.0.0.9"))));
});

test("of a service on several hosts the one that differs is blamed, and what all of them show counts for less", () => {
  const ledgerOn = (name: string, factor: number): HostHistory => host(name, ledgerCpu(factor));
  const sure = (...factors: readonly [number, number, number]): number => {
    const histories = [
      host("web-01", latency(5), webCpu),
      ...factors.map((factor, index) => ledgerOn(`db-0${index + 1}`, factor)),
    ];
    const lookedFor = { detectedMs: nowMs, leading: symptom, before: null };
    const { blamed } = look(histories, graph, lookedFor, nowMs);
    return blamed.find(({ entity }) => entity.host === "db-01" && entity.kind === "service")?.confidence ?? 0;
  };
  const [one, all] = [sure(4, 1, 1), sure(4, 4, 4)];
  assert.ok(all < one, `${one} if it alone is busy, ${all} if all three are`);
});

test("of two that stray alike the one that seldom does is blamed", () => {
  const batch = cpu([["service.name", "batch"]], "causeway.service.cpu.time", 4, 2);
  const other = cpu([["service.name", "audit"]], "causeway.service.cpu.time", 4, 2);
  const histories = [host("web-01", latency(5), webCpu), host("db-01", batch, other)];
  const firstOf = (often: string): string | undefined => {
    const rarityOf = ({ series }: { series: string }): number => (series.includes(often) ? 1 : 7);
    const lookedFor = { detectedMs: nowMs, leading: symptom, before: null, rarityOf };
    return look(histories, graph, lookedFor, nowMs).blamed[0]?.entity.name;
  };
  assert.equal(firstOf("batch"), "audit");
  assert.equal(firstOf("audit"), "batch");
});

test("a cause that crossed no threshold is named with its evidence, once the past was looked at", () => {
  const correlate = createCorrelate({ topology: graph });
  const [before] = correlate.add([symptom], nowMs);
  assert.deepEqual(before?.causes, [], "anomalies alone know of nobody else");
  const [request, ...others] = correlate.wanted(nowMs);
  assert.deepEqual(others, []);
  assert.deepEqual(request?.hosts, ["web-01", "db-01"]);
  assert.ok(request.fromMs <= onsetMs - 1_800_000);
  const histories = [host("web-01", latency(5), webCpu), host("db-01", ledgerCpu(4))];
  const [after] = correlate.look(request.id, histories, nowMs, nowMs);
  const cause = after?.causes[0];
  assert.equal(cause?.entity, "service:db-01/ledger");
  assert.ok(cause.confidence >= causeConfidenceMin, `confidence is ${cause.confidence}`);
  assert.equal(cause.evidence[0]?.reasons[0]?.key, "reason.look");
  assert.deepEqual(correlate.wanted(nowMs + 5_000), [], "not again at once");
  assert.equal(correlate.wanted(nowMs + 15_000).length, 1, "but while it lasts");
});

/** The causes of a group of `anomalies` once the past was looked at, first one first. */
function causesSeen(anomalies: readonly Anomaly[], histories: readonly HostHistory[]) {
  const correlate = createCorrelate({ topology: graph });
  correlate.add(anomalies, nowMs);
  const [request] = correlate.wanted(nowMs);
  const [after] = correlate.look(request!.id, histories, nowMs, nowMs);
  assert.ok(after, "the group is told once it was looked at");
  return after.causes;
}

const isNamed = ({ confidence }: { readonly confidence: number }): boolean =>
  confidence >= causeConfidenceMin;

test("that the only one that suffers is the one that strays names no cause", () => {
  const causes = causesSeen([symptom], [host("web-01", latency(5), webCpu), host("db-01", ledgerCpu(1))]);
  assert.deepEqual(causes.filter(isNamed), []);
});

test("what was seen for sure stays when a later look, at what heals, is not sure of it", () => {
  const correlate = createCorrelate({ topology: graph });
  correlate.add([symptom], nowMs);
  const [request] = correlate.wanted(nowMs);
  const during = [host("web-01", latency(5), webCpu), host("db-01", ledgerCpu(4))];
  const [sure] = correlate.look(request!.id, during, nowMs, nowMs);
  const over = [host("web-01", latency(5), webCpu), host("db-01", ledgerCpu(1))];
  const [after] = correlate.look(request!.id, over, nowMs + 60_000, nowMs + 60_000);
  assert.deepEqual(after?.causes, sure?.causes);
  assert.deepEqual(correlate.wanted(nowMs + 65_000), [], "it was looked at all the same");
});

test("a host whose memory another source tells is where it is felt, not what is to blame", () => {
  const memory = history("system.memory.utilization", "1", [["host.name", "db-01"]], wave(0.3, 2.5, 4));
  const full: Anomaly = {
    ...symptom,
    id: "hypervisor@db-01|memory",
    host: "hypervisor@db-01",
    entity: { kind: "host", host: "db-01", name: "" },
    series: memory.id,
    metric: "system.memory.utilization",
    kind: "utilisation",
    resource: "memory",
  };
  const causes = causesSeen([full], [host("hypervisor@db-01", memory), host("db-01", ledgerCpu(1))]);
  assert.deepEqual(causes.filter(isNamed), []);
});

test("a disk that is busy is blamed on who uses it, and by itself only where nobody is known to", () => {
  const stall: Anomaly = {
    ...symptom,
    id: "db-01|stall",
    host: "db-01",
    entity: { kind: "host", host: "db-01", name: "" },
    series: "system.pressure.stall.time",
    metric: "system.pressure.stall.time",
    kind: "saturation",
    resource: "disk",
  };
  const written = (id: string, entity: Entity, metric: string): Anomaly => ({
    ...stall,
    id,
    entity,
    series: `${metric}{disk.io.direction="write"}`,
    metric,
    kind: "traffic",
    role: "evidence",
    unit: "By/s",
    value: 1e9,
  });
  const vda = written("db-01|vda", { kind: "disk", host: "db-01", name: "vda" }, "system.disk.io");
  const backup = written(
    "db-01|12",
    { kind: "process", host: "db-01", name: "12/backup" },
    "process.disk.io",
  );
  const io = history("system.disk.io", "By/s", [["system.device", "vda"]], wave(1e7, 100, 5));
  const histories = [host("db-01", io, ledgerCpu(1))];
  assert.equal(causesSeen([stall, vda, backup], histories)[0]?.entity, "process:db-01/12/backup");
  const [alone] = causesSeen([stall, vda], histories);
  assert.deepEqual([alone?.entity, alone?.confidence], ["disk:db-01/vda", 0.5]);
});

test("of a filesystem that fills nothing is looked for elsewhere", () => {
  const correlate = createCorrelate({ topology: graph });
  const entity: Entity = { kind: "filesystem", host: "db-01", name: "/" };
  correlate.add([{ ...symptom, entity, kind: "utilisation", resource: "space" }], nowMs);
  assert.deepEqual(correlate.wanted(nowMs), []);
});

test("what was found survives a restart, and a host whose past is gone is no error", () => {
  const correlate = createCorrelate({ topology: graph });
  correlate.add([symptom], nowMs);
  const [request] = correlate.wanted(nowMs);
  correlate.look(
    request!.id,
    [host("web-01", latency(5), webCpu), host("db-01", ledgerCpu(4))],
    nowMs,
    nowMs,
  );
  const state = JSON.parse(JSON.stringify(correlate.snapshot()));
  const restored = createCorrelate({ topology: graph, state });
  const again = { ...symptom, lastMs: nowMs + 10_000 };
  const told = [correlate, restored].map((one) => one.add([again], nowMs + 10_000));
  assert.deepEqual(told[1], told[0]);
  assert.equal(told[0]?.[0]?.causes[0]?.entity, "service:db-01/ledger");
  assert.deepEqual(correlate.look("nobody", [], nowMs, nowMs), []);
  assert.equal(restored.look(request!.id, [], nowMs + 20_000, nowMs + 20_000).length, 1);
});

test("a process that was born since the look is still told before the service that it is", () => {
  const correlate = createCorrelate({ topology: graph });
  const busy: Anomaly = {
    ...symptom,
    id: "db-01|cpu",
    host: "db-01",
    entity: { kind: "host", host: "db-01", name: "" },
    series: "system.cpu.utilization",
    metric: "system.cpu.utilization",
    kind: "utilisation",
    resource: "cpu",
    hostShare: 0.5,
  };
  correlate.add([busy], nowMs);
  const [request] = correlate.wanted(nowMs);
  correlate.look(request!.id, [host("db-01", ledgerCpu(4))], nowMs, nowMs);
  const born: Anomaly = {
    ...busy,
    id: "db-01|4711",
    entity: { kind: "process", host: "db-01", name: "4711/ledger" },
    series: "process.cpu.utilization{4711}",
    metric: "process.cpu.utilization",
    role: "evidence",
  };
  const whole: Anomaly = { ...born, id: "db-01|ledger", entity: ledger, series: "causeway.service.cpu.time" };
  const [after] = correlate.add([born, whole], nowMs + 10_000);
  assert.deepEqual(
    after?.causes.map(({ entity }) => entity),
    ["process:db-01/4711/ledger"],
  );
});

test("a port that closed is the cause, whatever else strayed a little at that time", () => {
  const correlate = createCorrelate({ topology: graph });
  const closed: Anomaly = {
    ...symptom,
    id: "db-01|port",
    host: "db-01",
    entity: { kind: "port", host: "db-01", name: "ledger/5432" },
    series: "causeway.listen.sockets",
    metric: "causeway.listen.sockets",
    kind: "state",
    resource: "process",
    direction: "down",
    value: 0,
  };
  correlate.add([closed], nowMs);
  const [request] = correlate.wanted(nowMs);
  const [after] = correlate.look(request!.id, [host("db-01", ledgerCpu(1.4), webCpu)], nowMs, nowMs);
  assert.equal(after?.causes[0]?.entity, "port:db-01/ledger/5432");
  assert.ok(after.causes[0].confidence >= 0.9);
});

test("of a service that is told to be slow the reason that was seen goes first", () => {
  const correlate = createCorrelate({ topology: graph });
  const slow = { ...symptom, id: "db-01|latency", host: "ledger@db-01", entity: ledger };
  correlate.add([symptom, slow], nowMs);
  const [request] = correlate.wanted(nowMs);
  const histories = [host("web-01", latency(5), webCpu), host("db-01", ledgerCpu(4))];
  const [after] = correlate.look(request!.id, histories, nowMs, nowMs);
  const cause = after?.causes[0];
  assert.equal(cause?.entity, "service:db-01/ledger");
  assert.equal(cause.evidence[0]?.metric, "process.cpu.utilization");
  assert.deepEqual(
    after?.impact.map(({ args }) => args["host"]).sort(),
    ["db-01", "web-01"],
    "a source that pushes is no place",
  );
});

test("what siblings show together is the doing of what all of them call, if that strays and they do not", () => {
  const siblings: Anomaly["group"] = {
    id: "web",
    entity: { kind: "group", host: "web", name: "" },
    hosts: 2,
  };
  const of = (name: string): Anomaly => ({
    ...symptom,
    id: `${name}|latency`,
    host: name,
    entity: { ...web, host: name },
    group: siblings,
  });
  const shared: Neighbourhood = {
    ...graph,
    neighbours: (name) => (name === "db-01" ? ["web-01", "web-02"] : ["db-01"]),
    callees: (caller) => (caller.host === "db-01" ? [] : [{ callee: ledger }]),
  };
  const causeWith = (ledgerTimes: number): string | undefined => {
    const correlate = createCorrelate({ topology: shared });
    const [before] = correlate.add([of("web-01"), of("web-02")], nowMs);
    assert.equal(before?.causes[0]?.entity, "group:web");
    const [request] = correlate.wanted(nowMs);
    const histories = [
      host("web-01", latency(5), webCpu),
      host("web-02", latency(5), webCpu),
      host("db-01", ledgerCpu(ledgerTimes)),
    ];
    return correlate.look(request!.id, histories, nowMs, nowMs)[0]?.causes[0]?.entity;
  };
  assert.equal(causeWith(4), "service:db-01/ledger");
  assert.equal(causeWith(1), "group:web");
});
