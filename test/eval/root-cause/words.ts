/**
 * From a data set's name of a metric to what it measures, by the words and the unit in the name.
 *
 * This is what a person does who sees `PodServerLatencyP95(s)` for the first time, and it knows no data set: words are those of the
 * trade, units those in parentheses. Floors are the product's own (`shared/semantics.ts`): a tenth of a CPU or of a filled memory,
 * 128 MiB, 20 ms, 1 % of requests, 2 MiB/s. What has no unit has no floor but a tenth of its usual value.
 */
import type { Measure, Place } from "#collector/correlate/causes/evidence.ts";

const mebibyte = 2 ** 20;
const bytesIn = new Map([
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

export function measureOf({ name, isEdge, isEntry, largest }: Named): Measure {
  const words = new Set(wordsOf(name));
  const has = (...some: readonly string[]): boolean => some.some((word) => words.has(word));
  const unit = (/\(([^)]*)\)/.exec(name)?.[1] ?? "").toLowerCase();
  const at = placeOf(has, isEdge, isEntry);
  const usual = { role: "evidence", badDirection: "up", unit, floor: 0, floorShare: 0.1, at } as const;
  // Without a unit, what never exceeded 1 is a share of 1.
  const full = largest > 1 ? 100 : 1;
  const share = unit === "%" ? { full: 100 } : {};
  if (has("lat", "latency", "duration", "gap")) {
    return { ...usual, kind: "latency", resource: "none", floor: 0.02 * (perSecond.get(unit) ?? 0) };
  }
  if (has("success", "availability")) {
    const floor = 0.01 * full;
    return { ...usual, kind: "errors", resource: "none", badDirection: "down", full, floor, floorShare: 0 };
  }
  if (has("error", "errors", "failure", "failures")) return { ...usual, kind: "errors", resource: "none" };
  if (has("cpu")) {
    return {
      ...usual,
      ...share,
      kind: "utilisation",
      resource: "cpu",
      floor: unit === "%" ? 10 : 0,
    };
  }
  if (has("mem", "memory")) {
    const floor = unit === "%" ? 10 : (128 * mebibyte) / (bytesIn.get(unit) ?? 1);
    return { ...usual, ...share, kind: "utilisation", resource: "memory", floor };
  }
  if (has("disk", "io", "read", "write", "syscall")) return { ...usual, kind: "traffic", resource: "disk" };
  if (has("network", "net", "receive", "transmit", "bytes")) {
    return {
      ...usual,
      kind: "traffic",
      resource: "network",
      floor: (2 * mebibyte) / (bytesIn.get(unit) ?? 1),
    };
  }
  if (has("load", "lod", "workload", "request", "requests", "ops", "rps", "qps", "throughput")) {
    return { ...usual, kind: "traffic", resource: "none", badDirection: "both" };
  }
  return { ...usual, kind: "counter", resource: "none", badDirection: "both" };
}

function placeOf(has: (...words: readonly string[]) => boolean, isEdge: boolean, isEntry: boolean): Place {
  if (isEdge && has("gap", "net")) return "gap";
  const fromCaller = has("client", "cli", "src", "source", "caller");
  if (isEdge) return fromCaller ? "caller" : "callee";
  if (isEntry || fromCaller) return "callees";
  return has("node", "host", "machine") ? "host" : "itself";
}
