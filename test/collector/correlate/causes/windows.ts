/** Windows of evidence for tests: what is usual, with a little noise from a seed, and what changed where. */
import type { EvidenceSeries, EvidenceWindow, Measure } from "#collector/correlate/causes/evidence.ts";
import { mulberry32 } from "#test/sim/random.ts";

const stepMs = 10_000;
const before = 90;
const since = 30;

const usual = { role: "evidence", badDirection: "up", floor: 0, floorShare: 0.1 } as const;
export const measures = {
  cpu: { ...usual, kind: "utilisation", resource: "cpu", at: "itself", unit: "1", full: 1, floor: 0.1 },
  memory: { ...usual, kind: "utilisation", resource: "memory", at: "itself", unit: "By", floor: 2 ** 27 },
  disk: { ...usual, kind: "traffic", resource: "disk", at: "itself", unit: "By/s", floor: 2 ** 23 },
  latency: { ...usual, kind: "latency", resource: "none", at: "itself", unit: "s", floor: 0.02 },
  success: {
    ...usual,
    kind: "errors",
    resource: "none",
    at: "itself",
    unit: "1",
    badDirection: "down",
    full: 1,
    floor: 0.01,
    floorShare: 0,
  },
  traffic: {
    ...usual,
    kind: "traffic",
    resource: "none",
    at: "itself",
    unit: "{request}",
    badDirection: "both",
  },
  seenByCaller: { ...usual, kind: "latency", resource: "none", at: "caller", unit: "s", floor: 0.02 },
  seenByCallee: { ...usual, kind: "latency", resource: "none", at: "callee", unit: "s", floor: 0.02 },
  onItsWay: { ...usual, kind: "latency", resource: "network", at: "gap", unit: "s", floor: 0.01 },
  onTheWire: { ...usual, kind: "latency", resource: "network", at: "wire", unit: "s", floor: 0.005 },
} as const satisfies Record<string, Measure>;

const levels: Readonly<Record<keyof typeof measures, number>> = {
  cpu: 0.2,
  memory: 2 ** 29,
  disk: 2 ** 24,
  latency: 0.1,
  success: 0.99,
  traffic: 100,
  seenByCaller: 0.1,
  seenByCallee: 0.09,
  onItsWay: 0.01,
  onTheWire: 0.002,
};

export interface Made {
  readonly entity: string;
  readonly caller?: string;
  readonly what: keyof typeof measures;
  /** Times its usual value, from the fault on; 1 when nothing changes. */
  readonly times?: number;
  /** NaN from the fault on. */
  readonly gone?: boolean;
  /** When it changes, after the fault at 0. */
  readonly atMs?: number;
  readonly rarity?: number;
}

/** The detection is at 0, or `lateMs` after the fault; the same seed gives the same values. */
export function windowOf(
  made: readonly Made[],
  rest: Partial<EvidenceWindow> & { readonly lateMs?: number; readonly seed?: number } = {},
): EvidenceWindow {
  const { lateMs = 0, seed = 1, ...window } = rest;
  const next = mulberry32(seed);
  const timesMs = Float64Array.from({ length: before + since }, (_, place) => (place - before) * stepMs);
  const series = made.map(
    ({ entity, caller, what, times = 1, gone = false, atMs = 0, rarity }): EvidenceSeries => {
      const values = timesMs.map((timeMs) => {
        const noisy = levels[what] * (0.99 + 0.02 * next());
        if (timeMs < atMs) return noisy;
        return gone ? Number.NaN : noisy * times;
      });
      return {
        id: `${what} of ${entity}${caller === undefined ? "" : ` for ${caller}`}`,
        entity,
        ...(caller === undefined ? {} : { caller }),
        ...(rarity === undefined ? {} : { rarity }),
        measure: measures[what],
        timesMs,
        values,
      };
    },
  );
  return { calls: [], ...window, detectedMs: lateMs, series };
}
