/** A group of siblings fed through detection, in any order and in chunks of any size. */
import { createDetect, type Detect, type DetectPolicy, usualPolicy } from "#collector/detect/detect.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

export const startMs = Date.UTC(2026, 0, 5);
export const intervalMs = 10_000;

export const cpu: Series = {
  metric: "system.cpu.utilization",
  unit: "1",
  instrument: "gauge",
  decimals: 3,
  labels: [],
};
export const traffic: Series = { ...cpu, metric: "app.requests" };

/** Values by host, tick by tick. */
export type Loads = ReadonlyMap<string, readonly number[]>;

export function noisy(level: number, noise: number, ticks: number, seed: number): number[] {
  const random = mulberry32(seed);
  return Array.from({ length: ticks }, () => level + noise * (2 * random() - 1));
}

export function siblings(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `pay-${String(index + 1).padStart(2, "0")}`);
}

export interface Turns {
  /** Hosts in the order in which they come, for each chunk. */
  readonly order?: (chunk: number) => readonly string[];
  /** Ticks that each host sends in one go, by chunk. */
  readonly chunk?: (chunk: number) => number;
  readonly restartAt?: number;
  readonly series?: Series;
  readonly policy?: DetectPolicy;
}

/** The journal ticks after each chunk of each host; everything that was told, in order. */
export function feed(loads: Loads, turns: Turns = {}): { told: Anomaly[]; detect: Detect } {
  const { order = () => [...loads.keys()], chunk = () => 1, restartAt = -1, series = cpu } = turns;
  const policy = turns.policy ?? usualPolicy;
  let detect = createDetect({ policy });
  const told: Anomaly[] = [];
  for (const host of order(0)) detect.define(host, 0, series);
  const ticks = Math.max(...[...loads.values()].map(({ length }) => length));
  let from = 0;
  for (let turn = 0; from < ticks; turn += 1) {
    const to = Math.min(ticks, from + chunk(turn));
    for (const host of order(turn)) {
      for (let tick = from; tick < to; tick += 1) {
        if (tick === restartAt) detect = createDetect({ policy, snapshot: detect.snapshot() });
        const value = loads.get(host)![tick] ?? Number.NaN;
        if (Number.isNaN(value)) continue;
        const values = Float64Array.of(value);
        const timeMs = startMs + tick * intervalMs;
        told.push(...detect.judge({ host, timeMs, intervalMs, series: Uint32Array.of(0), values }));
      }
      told.push(...detect.tick(startMs + (to - 1) * intervalMs + 1000).anomalies);
    }
    from = to;
  }
  return { told, detect };
}
