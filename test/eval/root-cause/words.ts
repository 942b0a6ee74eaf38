/**
 * From a data set's name of a metric to what it measures, by the words and the unit in the name.
 *
 * This is what a person does who sees `PodServerLatencyP95(s)` or `http_request_duration_seconds` for the first time, and it knows no
 * data set: words are those of the trade, units stand in parentheses or are words. Floors are the product's own
 * (`shared/semantics.ts`): a tenth of a CPU or of a filled memory, 128 MiB, 20 ms, 1 % of requests, 2 MiB/s. What has no unit has no
 * floor but a tenth of its usual value.
 */
import type { Measure, Place } from "#collector/correlate/causes/evidence.ts";

const mebibyte = 2 ** 20;
const bytesIn = new Map([
  ["b", 1],
  ["k", 1024],
  ["kb", 1024],
  ["ki", 1024],
  ["m", mebibyte],
  ["mb", mebibyte],
  ["mi", mebibyte],
  ["g", 1024 * mebibyte],
  ["gb", 1024 * mebibyte],
  ["gi", 1024 * mebibyte],
]);
const perSecond = new Map([
  ["s", 1],
  ["ms", 1000],
  ["us", 1_000_000],
]);
const unitWords: readonly (readonly [string, string])[] = [
  ["seconds", "s"],
  ["milliseconds", "ms"],
  ["ms", "ms"],
  ["microseconds", "us"],
  ["us", "us"],
  ["bytes", "b"],
  ["percent", "%"],
  ["pct", "%"],
  ["ratio", "1"],
  ["utilization", "1"],
  ["utilisation", "1"],
];

/** `NodeCpuUsageRate(%)` is node, cpu, usage, rate. */
export function wordsOf(name: string): readonly string[] {
  return name
    .replaceAll(/\([^)]*\)/g, " ")
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

export interface Named {
  readonly name: string;
  /** Of an edge between two entities. */
  readonly isEdge: boolean;
  /** Of all that enters the system, as its users see it. */
  readonly isEntry: boolean;
  /** The largest value that it ever had. */
  readonly largest: number;
}

type Has = (...words: readonly string[]) => boolean;
type Found = Partial<Measure> & Pick<Measure, "kind" | "resource">;

/** Rules in order; the first that knows the words counts. */
const rules: readonly ((has: Has, unit: string, largest: number) => Found | null)[] = [
  (has) =>
    has("retransmits", "retransmit", "resets", "drops") ? { kind: "errors", resource: "network" } : null,
  // Without a unit, what never exceeded 1 is a share of 1.
  (has, _, largest) => {
    if (!has("success", "availability")) return null;
    const full = largest > 1 ? 100 : 1;
    const found = { kind: "errors", resource: "none", badDirection: "down" } as const;
    return { ...found, full, floor: 0.01 * full, floorShare: 0 };
  },
  (has) =>
    has("error", "errors", "failure", "failures", "failed", "exceptions", "timeouts", "rejected", "5xx")
      ? { kind: "errors", resource: "none" }
      : null,
  (has) => {
    if (!has("throttled", "throttling", "pressure", "stall", "queue", "pending", "backlog")) return null;
    return { kind: "saturation", resource: resourceOf(has) };
  },
  (has, unit) => {
    const named = has("lat", "latency", "duration", "gap", "rtt", "delay");
    if (!named && !(has("response") && has("time"))) return null;
    return { kind: "latency", resource: "none", floor: 0.02 * (perSecond.get(unit) ?? 0) };
  },
  (has, unit, largest) => {
    if (!has("cpu")) return null;
    const full = fullOf(unit, largest);
    return { kind: "utilisation", resource: "cpu", floor: 0.1 * (full ?? 0), ...(full && { full }) };
  },
  (has, unit, largest) => {
    if (!has("mem", "memory", "heap", "rss", "swap")) return null;
    const full = fullOf(unit, largest);
    const floor = full === undefined ? (128 * mebibyte) / (bytesIn.get(unit) ?? 1) : 0.1 * full;
    return { kind: "utilisation", resource: "memory", floor, ...(full && { full }) };
  },
  (has) => {
    if (!has("disk", "io", "read", "write", "syscall")) return null;
    return { kind: "traffic", resource: has("network") ? "network" : "disk" };
  },
  (has, unit) => {
    if (!has("network", "net", "receive", "transmit", "bytes")) return null;
    return { kind: "traffic", resource: "network", floor: (2 * mebibyte) / (bytesIn.get(unit) ?? 1) };
  },
  (has) =>
    has("load", "lod", "workload", "request", "requests", "ops", "rps", "qps", "throughput", "transactions")
      ? { kind: "traffic", resource: "none", badDirection: "both" }
      : null,
  (has) =>
    has("up", "alive", "ready", "listen", "replicas")
      ? { kind: "state", resource: "process", badDirection: "down", floorShare: 0.5 }
      : null,
];

export function measureOf({ name, isEdge, isEntry, largest }: Named): Measure {
  const words = new Set(wordsOf(name));
  const has: Has = (...some) => some.some((word) => words.has(word));
  const inWords = unitWords.find(([word]) => words.has(word))?.[1] ?? "";
  const unit = /\(([^)]*)\)/.exec(name)?.[1]?.toLowerCase() ?? inWords;
  const at = placeOf(has, isEdge, isEntry);
  const usual = { role: "evidence", badDirection: "up", unit, floor: 0, floorShare: 0.1, at } as const;
  for (const rule of rules) {
    const found = rule(has, unit, largest);
    if (found !== null) return { ...usual, ...found };
  }
  return { ...usual, kind: "counter", resource: "none", badDirection: "both" };
}

/** A share's whole; of what is called a share and was above 1, nothing is known. */
function fullOf(unit: string, largest: number): number | undefined {
  if (unit === "%") return 100;
  return unit === "1" && largest <= 1 ? 1 : undefined;
}

function resourceOf(has: Has): Measure["resource"] {
  if (has("cpu")) return "cpu";
  if (has("mem", "memory", "heap")) return "memory";
  return has("disk", "io") ? "disk" : "none";
}

function placeOf(has: Has, isEdge: boolean, isEntry: boolean): Place {
  if (isEdge && has("gap", "net", "rtt")) return "gap";
  const fromCaller = has("client", "cli", "src", "source", "caller");
  if (isEdge) return fromCaller ? "caller" : "callee";
  if (isEntry || fromCaller) return "callees";
  return has("node", "host", "machine") ? "host" : "itself";
}
