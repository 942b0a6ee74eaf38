/**
 * What a metric means: its kind, what it belongs to, which direction is bad, and the smallest change that matters.
 *
 * Detection policy and root-cause ranking depend on the meaning, never on a name: this table is the only place where
 * names are looked at. Agents' names are OpenTelemetry's (semantic conventions v1.44); what OpenTelemetry lacks is named
 * `causeway.*`. A metric that the table does not know is judged with its instrument's default and is never a symptom.
 */
import { type Counted, countedOf } from "./counted.ts";
import type { Entity } from "./entity.ts";
import { rowByConvention } from "./naming-conventions.ts";
import { labelValue, type Labels, type Series } from "./series.ts";

export type MetricKind =
  | "utilisation"
  | "saturation"
  | "errors"
  | "latency"
  | "traffic"
  | "state"
  | "counter";

/** The resource that a metric speaks about; what links a host's symptom to the process that caused it. */
export type Resource = "cpu" | "memory" | "disk" | "space" | "network" | "process" | "agent" | "none";

/**
 * `symptom`: may open an incident. `evidence`: judged, attached to an incident, never opens one. `context`: kept for
 * charts and never judged (limits, totals, identities).
 */
export type Role = "symptom" | "evidence" | "context";

export interface Meaning {
  readonly kind: MetricKind;
  readonly resource: Resource;
  readonly role: Role;
  readonly badDirection: "up" | "down" | "both";
  /** Unit of what is judged: for a counter the rate's. */
  readonly unit: string;
  /** Smallest deviation that matters, in `unit`. */
  readonly floor: number;
  /** The same, as a share of the expected value. */
  readonly floorShare: number;
  /** Where trouble is certain without any history, in `unit` and in the bad direction. */
  readonly bound?: number;
  /** Judged as change per second. */
  readonly rate: boolean;
  /** For a series that was born after its host's warm-up: it was 0 before (a process that did not exist used nothing). */
  readonly bornAtZero: boolean;
  /** One sample is enough: what is counted is an event (a process killed for memory), not a level. */
  readonly instant: boolean;
  /**
   * It can run out, so when it will is foretold. share: full at 1. memory: bytes, full when nothing of the host's memory is
   * left. expiry: the time at which it is over, or the seconds until then (`forecast/expiry.ts` tells them apart).
   */
  readonly runsOut?: "share" | "memory" | "expiry";
  /** What the host has in all of it, so that a part's share of the host can be told: cores, or bytes of memory. */
  readonly capacity: "cores" | "memory" | "none";
  readonly entity: Entity;
  /** Requests or transactions that it counts, or those of them that ended in a certain way; absent when it counts none. */
  readonly counts?: Counted;
}

export type MeaningRow = Partial<Omit<Meaning, "entity" | "unit" | "counts">> & {
  readonly resource: Resource;
  readonly of?: Entity["kind"];
  /** Looks at labels where one name carries several meanings (a CPU's modes). */
  readonly refine?: (labels: Labels) => Partial<Omit<Meaning, "entity" | "unit">>;
};

const mebibyte = 1024 * 1024;

/** Of who calls, nothing is of our making: that a client is far away is no trouble of ours. On loopback there is no network. */
function contextIfNotOurs(labels: Labels): Partial<Omit<Meaning, "entity" | "unit">> {
  const peer = labelValue(labels, "network.peer.address");
  const inbound = labelValue(labels, "causeway.edge.direction") === "in";
  return inbound || peer === "127.0.0.1" || peer === "::1" ? { role: "context" } : {};
}

/**
 * Connections that are open or just over are demand: they come of callers that wait or begin anew. Those that nobody closes or accepts are
 * a state of their host.
 */
function demandOrNeglect(labels: Labels): Partial<Omit<Meaning, "entity" | "unit">> {
  const state = labelValue(labels, "network.connection.state");
  return state === "close_wait" || state === "syn_recv" ? {} : { resource: "none", kind: "traffic" };
}

/** Rows by metric name. What is absent from a row: evidence, bad upwards, floor 0, 10 % of the expected value. */
const rows: ReadonlyMap<string, MeaningRow> = new Map<string, MeaningRow>([
  ["system.cpu.time", { resource: "cpu", role: "context" }],
  [
    "system.cpu.utilization",
    {
      resource: "cpu",
      kind: "utilisation",
      floor: 0.1,
      refine: (labels) => {
        const mode = labelValue(labels, "cpu.mode");
        if (labelValue(labels, "cpu.logical_number") !== undefined || mode === "idle" || mode === "nice") {
          return { role: "context" };
        }
        if (mode === undefined) return { role: "symptom", floor: 0.15, bound: 0.97 };
        return mode === "steal" ? { role: "symptom", floor: 0.1 } : {};
      },
    },
  ],
  ["system.cpu.logical.count", { resource: "cpu", role: "context" }],
  ["system.linux.load_1m", { resource: "cpu", kind: "saturation", floor: 1 }],
  ["system.memory.usage", { resource: "memory", role: "context" }],
  ["system.memory.limit", { resource: "memory", role: "context" }],
  [
    "system.memory.utilization",
    {
      resource: "memory",
      kind: "utilisation",
      role: "symptom",
      floor: 0.05,
      bound: 0.95,
      runsOut: "share",
    },
  ],
  ["system.memory.linux.available", { resource: "memory", role: "context", badDirection: "down" }],
  ["system.memory.linux.slab.usage", { resource: "memory", role: "context" }],
  ["system.paging.usage", { resource: "memory", kind: "saturation", floor: 64 * mebibyte }],
  ["system.paging.operations", { resource: "memory", kind: "saturation", role: "symptom", floor: 200 }],
  [
    "system.paging.faults",
    {
      resource: "memory",
      kind: "saturation",
      floor: 100,
      refine: (labels) =>
        labelValue(labels, "system.paging.fault.type") === "minor" ? { role: "context" } : {},
    },
  ],
  [
    "system.memory.oom_kills",
    { resource: "memory", kind: "errors", role: "symptom", floor: 0.01, instant: true },
  ],
  [
    "system.pressure.stall.time",
    {
      resource: "cpu",
      kind: "saturation",
      floor: 0.1,
      refine: (labels) => {
        const resource = labelValue(labels, "causeway.pressure.resource");
        const full = labelValue(labels, "causeway.pressure.type") === "full";
        if (resource === "memory") return { resource: "memory", role: "symptom", floor: 0.05 };
        if (resource === "io") return { resource: "disk", role: full ? "symptom" : "evidence", floor: 0.2 };
        return full ? { role: "context" } : {};
      },
    },
  ],
  ["system.disk.io", { resource: "disk", kind: "traffic", of: "disk", floor: 8 * mebibyte }],
  ["system.disk.operations", { resource: "disk", kind: "traffic", of: "disk", floor: 100 }],
  [
    "system.disk.io_time",
    { resource: "disk", kind: "utilisation", of: "disk", role: "symptom", floor: 0.3, bound: 0.97 },
  ],
  ["system.disk.operation_time", { resource: "disk", kind: "latency", of: "disk", floor: 0.5 }],
  ["system.disk.merged", { resource: "disk", role: "context", of: "disk" }],
  ["system.filesystem.usage", { resource: "space", role: "context", of: "filesystem" }],
  ["system.filesystem.limit", { resource: "space", role: "context", of: "filesystem" }],
  [
    "system.filesystem.utilization",
    {
      resource: "space",
      kind: "utilisation",
      of: "filesystem",
      role: "symptom",
      floor: 0.02,
      bound: 0.95,
      runsOut: "share",
    },
  ],
  [
    "system.filesystem.inodes.utilization",
    {
      resource: "space",
      kind: "utilisation",
      of: "filesystem",
      role: "symptom",
      floor: 0.02,
      bound: 0.95,
      runsOut: "share",
    },
  ],
  [
    "system.filesystem.read_only",
    { resource: "space", kind: "state", of: "filesystem", role: "symptom", floor: 0.5, instant: true },
  ],
  ["system.network.io", { resource: "network", kind: "traffic", of: "interface", floor: 2 * mebibyte }],
  ["system.network.packet.count", { resource: "network", kind: "traffic", of: "interface", floor: 2000 }],
  [
    "system.network.packet.dropped",
    { resource: "network", kind: "errors", of: "interface", role: "symptom", floor: 20 },
  ],
  [
    "system.network.errors",
    { resource: "network", kind: "errors", of: "interface", role: "symptom", floor: 5 },
  ],
  [
    "system.network.connection.count",
    { resource: "network", kind: "state", floor: 100, floorShare: 0.5, refine: demandOrNeglect },
  ],
  ["system.network.tcp.retransmits", { resource: "network", kind: "errors", role: "symptom", floor: 20 }],
  ["system.network.tcp.resets", { resource: "network", kind: "errors", floor: 20 }],
  ["system.network.tcp.listen.overflows", { resource: "network", kind: "errors", role: "symptom", floor: 1 }],
  ["system.process.count", { resource: "process", kind: "state", floor: 50, floorShare: 0.3 }],
  ["system.process.created", { resource: "process", kind: "traffic", floor: 50 }],
  ["causeway.host.context_switches", { resource: "cpu", kind: "traffic", floor: 20_000, floorShare: 0.5 }],
  ["system.uptime", { resource: "none", role: "context" }],
  [
    "process.cpu.utilization",
    { resource: "cpu", kind: "utilisation", of: "process", floor: 0.25, capacity: "cores", bornAtZero: true },
  ],
  [
    "process.memory.usage",
    {
      resource: "memory",
      kind: "utilisation",
      of: "process",
      floor: 128 * mebibyte,
      capacity: "memory",
      bornAtZero: true,
      runsOut: "memory",
    },
  ],
  [
    "process.disk.io",
    { resource: "disk", kind: "traffic", of: "process", floor: 8 * mebibyte, bornAtZero: true },
  ],
  ["process.thread.count", { resource: "process", role: "context", of: "process" }],
  ["process.open_file_descriptor.count", { resource: "process", role: "context", of: "process" }],
  [
    "causeway.service.cpu.time",
    { resource: "cpu", kind: "utilisation", of: "service", floor: 0.25, capacity: "cores", bornAtZero: true },
  ],
  [
    "causeway.service.memory.usage",
    {
      resource: "memory",
      kind: "utilisation",
      of: "service",
      floor: 128 * mebibyte,
      capacity: "memory",
      bornAtZero: true,
      runsOut: "memory",
    },
  ],
  [
    "causeway.service.disk.io",
    { resource: "disk", kind: "traffic", of: "service", floor: 8 * mebibyte, bornAtZero: true },
  ],
  [
    "causeway.service.process.count",
    { resource: "process", kind: "state", of: "service", floor: 20, floorShare: 0.5 },
  ],
  [
    "causeway.listen.sockets",
    { resource: "process", kind: "state", of: "port", role: "symptom", badDirection: "down", floor: 0.5 },
  ],
  ["causeway.edge.connections", { resource: "network", role: "context", of: "peer" }],
  // From spans (`collector/ingest/otlp/golden.ts`); their counts of calls are known to `counted.ts`.
  [
    "causeway.service.latency",
    { resource: "none", kind: "latency", role: "symptom", of: "service", floor: 0.02, floorShare: 0.25 },
  ],
  [
    "causeway.service.latency.mean",
    { resource: "none", kind: "latency", of: "service", floor: 0.02, floorShare: 0.25 },
  ],
  [
    "causeway.edge.latency",
    { resource: "none", kind: "latency", of: "service", floor: 0.02, floorShare: 0.25 },
  ],
  [
    "causeway.edge.latency.mean",
    { resource: "none", kind: "latency", of: "service", floor: 0.02, floorShare: 0.25 },
  ],
  [
    "causeway.edge.transit",
    { resource: "network", kind: "latency", of: "service", floor: 0.01, floorShare: 0.5 },
  ],
  [
    "causeway.edge.transit.mean",
    { resource: "network", kind: "latency", of: "service", floor: 0.01, floorShare: 0.5 },
  ],
  [
    "causeway.edge.rtt",
    {
      resource: "network",
      kind: "latency",
      of: "peer",
      floor: 0.005,
      floorShare: 0.5,
      refine: contextIfNotOurs,
    },
  ],
  [
    "causeway.edge.retransmits",
    { resource: "network", kind: "errors", of: "peer", floor: 1, refine: contextIfNotOurs },
  ],
  [
    "causeway.edge.unreachable",
    { resource: "network", kind: "errors", of: "peer", floor: 1, bornAtZero: true },
  ],
  [
    "causeway.cgroup.cpu.time",
    { resource: "cpu", kind: "utilisation", of: "cgroup", floor: 0.25, capacity: "cores", bornAtZero: true },
  ],
  [
    "causeway.cgroup.cpu.throttled.time",
    { resource: "cpu", kind: "saturation", of: "cgroup", role: "symptom", floor: 0.1 },
  ],
  [
    "causeway.cgroup.memory.usage",
    {
      resource: "memory",
      kind: "utilisation",
      of: "cgroup",
      floor: 256 * mebibyte,
      capacity: "memory",
      bornAtZero: true,
    },
  ],
  ["causeway.cgroup.memory.limit", { resource: "memory", role: "context", of: "cgroup" }],
  [
    "causeway.cgroup.memory.utilization",
    {
      resource: "memory",
      kind: "utilisation",
      of: "cgroup",
      role: "symptom",
      floor: 0.1,
      bound: 0.97,
      runsOut: "share",
    },
  ],
  [
    "causeway.cgroup.oom_kills",
    { resource: "memory", kind: "errors", of: "cgroup", role: "symptom", instant: true, floor: 0.01 },
  ],
  ["causeway.cgroup.process.count", { resource: "process", role: "context", of: "cgroup" }],
]);

/** Which label names the part of the host, for each kind of entity. */
const nameLabel: Partial<Record<Entity["kind"], readonly string[]>> = {
  service: ["service.name"],
  process: ["process.pid", "process.executable.name"],
  cgroup: ["causeway.cgroup"],
  disk: ["system.device"],
  filesystem: ["system.filesystem.mountpoint"],
  interface: ["network.interface.name"],
  port: ["service.name", "network.local.port"],
  peer: ["network.peer.address", "network.peer.port"],
};

/** Exporters name a certificate in many ways; the first label that is there counts, from the subject to where it was seen. */
const certificateLabels: readonly string[] = [
  "subject_CN",
  "http.tls.cn",
  "common_name",
  "cn",
  "name",
  "secret_name",
  "filename",
  "filepath",
  "path",
  "server.address",
  "target",
  "instance",
  "http.url",
];

/** Never throws: a series that is unknown, or lacks its entity's label, belongs to its host. */
export function meaningOf(series: Series, host: string): Meaning {
  const known = rows.get(series.metric);
  const counts = known === undefined ? countedOf(series) : undefined;
  const row = known ?? rowByConvention(series, counts);
  const refined = { ...row, ...row.refine?.(series.labels) };
  const rate = series.instrument === "counter";
  return {
    kind: refined.kind ?? "counter",
    resource: refined.resource,
    role: refined.role ?? "evidence",
    badDirection: refined.badDirection ?? "up",
    unit: rate ? `${series.unit}/s` : series.unit,
    floor: refined.floor ?? 0,
    floorShare: refined.floorShare ?? 0.1,
    ...(refined.bound === undefined ? {} : { bound: refined.bound }),
    ...(refined.runsOut === undefined || rate ? {} : { runsOut: refined.runsOut }),
    rate,
    bornAtZero: refined.bornAtZero ?? false,
    instant: refined.instant ?? false,
    capacity: refined.capacity ?? "none",
    entity: entityOf(row.of ?? (known === undefined ? "service" : "host"), host, series.labels),
    ...(counts === undefined ? {} : { counts }),
  };
}

/** OpenTelemetry's and Prometheus' names of what a client measures of its calls. */
const clientMetric =
  /^(causeway\.edge\.(calls|latency)|(http|rpc|grpc|db|messaging)[._]client[._](request|operation|call|duration|started|handled|handling))/;

/** Whether it is what an entity saw of those that it calls, so that it may be their doing; a client's pools and connections are its own. */
export function isOfCallees(metric: string): boolean {
  return clientMetric.test(metric);
}

/** Labels whose values are used once: what they name never comes back under that name. */
const onceLabels = new Set(["process.pid", "container.id", "k8s.pod.uid", "network.peer.address"]);
/** Control groups of containers and of sessions. */
const onceCgroup = /[0-9a-f]{12}|session-\w+\.scope/;

/** A series of something that lives once, like a process: when it is gone it does not come back. */
export function isShortLived({ labels }: Series): boolean {
  return labels.some(
    ([name, value]) => onceLabels.has(name) || (name === "causeway.cgroup" && onceCgroup.test(value)),
  );
}

/** The host that a series speaks of: the one that it names, or the one that it was reported by. */
export function hostNamed(labels: Labels, reporter: string): string {
  return labelValue(labels, "host.name") ?? reporter;
}

/** What names its host is a part of that host, wherever it was reported; what names a service and nothing nearer is that service's. */
function entityOf(kind: Entity["kind"], partition: string, labels: Labels): Entity {
  const host = hostNamed(labels, partition);
  if (kind === "certificate") {
    const label = certificateLabels.find((name) => labelValue(labels, name) !== undefined);
    return { kind, host, name: label === undefined ? "" : (labelValue(labels, label) ?? "") };
  }
  const names = (nameLabel[kind] ?? []).map((label) => labelValue(labels, label));
  if (names.length === 0) return { kind, host, name: "" };
  if (!names.includes(undefined)) return { kind, host, name: names.join("/") };
  const service = labelValue(labels, "service.name");
  return service === undefined ? { kind: "host", host, name: "" } : { kind: "service", host, name: service };
}

/** The metric names that this table knows, for tests and documentation. */
export const knownMetrics: readonly string[] = [...rows.keys()];
