/**
 * A small system made by code from a seed, in the same layout as the public ones: a shop of six services, and a fault in each of them
 * that an honest ranker can tell: a CPU used up, a memory filled, a network delayed, an answer refused. Made to be told apart, not to
 * compare good rankers.
 */
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { mulberry32 } from "../../sim/random.ts";

const calls = [
  ["web", "orders"],
  ["web", "catalogue"],
  ["orders", "payment"],
  ["orders", "stock"],
  ["payment", "ledger"],
  ["catalogue", "stock"],
] as const;
const services = [...new Set(calls.flat())];
const faults = ["cpu", "memory", "delay", "refuse", "code"] as const;
type Fault = (typeof faults)[number];
const before = 120;
const since = 60;

export interface MadeCase {
  readonly id: string;
  readonly fault: string;
  readonly dt: number;
  readonly tin: number;
  readonly nPre: number;
  readonly t: readonly number[];
  readonly series: readonly {
    readonly e: string;
    readonly m: string;
    readonly v: readonly (number | null)[];
  }[];
  readonly edges: readonly (readonly [string, string])[];
  readonly gt: { readonly entity: string; readonly service: string; readonly metrics: readonly string[] };
}

/** How much a caller suffers of what a service has: all of it one call away, half of it two. */
function suffering(service: string, guilty: string): number {
  if (service === guilty) return 1;
  const share = calls.filter(([caller]) => caller === service).map(([, callee]) => suffering(callee, guilty));
  return 0.8 * Math.max(0, ...share);
}

function madeCase(next: () => number, guilty: string, fault: Fault): MadeCase {
  const noisy = (level: number, place: number, change: number): number =>
    (level + (place >= before ? change : 0)) * (0.97 + 0.06 * next());
  const column = (level: number, change: number): (number | null)[] =>
    Array.from({ length: before + since }, (_, place) =>
      next() < 0.02 ? null : noisy(level, place, change),
    );
  const isGuilty = (service: string, ...which: readonly Fault[]): boolean =>
    service === guilty && which.includes(fault);
  const series = services.flatMap((service) => {
    const share = fault === "code" ? 0 : suffering(service, guilty);
    const ofOwn = service === guilty && fault === "delay" ? 0 : share;
    return [
      { e: service, m: "CpuUsage(%)", v: column(20, isGuilty(service, "cpu") ? 75 : 0) },
      { e: service, m: "MemoryUsage(Mi)", v: column(300, isGuilty(service, "memory") ? 600 : 0) },
      { e: service, m: "Latency(s)", v: column(0.1, 0.3 * ofOwn) },
      { e: service, m: "SuccessRate(%)", v: column(99, fault === "refuse" ? -30 * share : 0) },
      { e: service, m: "Requests", v: column(100, 0) },
    ];
  });
  const edges = calls.flatMap(([caller, callee]) => {
    const gained = fault === "delay" && callee === guilty ? 0.3 : 0;
    return [
      { e: callee, m: `srcLatency:${caller}`, caller, v: column(0.11, gained) },
      { e: callee, m: `dstLatency:${caller}`, caller, v: column(0.1, 0) },
    ];
  });
  const metrics: Readonly<Record<Fault, readonly string[]>> = {
    cpu: ["CpuUsage(%)"],
    memory: ["MemoryUsage(Mi)"],
    delay: ["latency"],
    refuse: ["SuccessRate(%)"],
    code: [],
  };
  return {
    id: `${guilty}-${fault}`,
    fault,
    dt: 5,
    tin: 1_700_000_000,
    nPre: before,
    t: Array.from({ length: before + since }, (_, place) => 1_700_000_000 + (place - before) * 5),
    series: [...series, ...edges],
    edges: calls,
    gt: { entity: guilty, service: guilty, metrics: metrics[fault] },
  };
}

/** The same seed gives the same cases. Nobody calls "web", so no edge shows that its network is slow. */
export function makeCases(seed: number): MadeCase[] {
  const next = mulberry32(seed);
  return services.flatMap((guilty) =>
    faults
      .filter((fault) => guilty !== "web" || fault !== "delay")
      .map((fault) => madeCase(next, guilty, fault)),
  );
}

export function writeCases(path: string, cases: readonly MadeCase[]): void {
  writeFileSync(path, gzipSync(cases.map((one) => `${JSON.stringify(one)}\n`).join("")));
}
