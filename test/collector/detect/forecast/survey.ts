/**
 * What the forecast says of many seeds of one shape, and how that compares with what then happens.
 */
import { Forecasts } from "#collector/detect/forecast/forecast.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { meaningOf } from "#shared/semantics.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { type ShapeName, shapeOf, stepMs } from "./shapes.ts";

const hourMs = 3_600_000;
/** Until then nobody can know what comes back every day. */
const youngMs = 36 * hourMs;

export const filesystem: Series = {
  metric: "system.filesystem.utilization",
  unit: "1",
  instrument: "gauge",
  decimals: 4,
  labels: canonicalLabels([["system.filesystem.mountpoint", "/data"]]),
};

/** Feeds one filesystem's shares, half a minute apart, to `told` step by step. */
export function follow(
  values: ArrayLike<number>,
  told: (step: number, anomalies: readonly Anomaly[], forecasts: Forecasts) => void,
): void {
  const info = { id: "data", series: filesystem, meaning: meaningOf(filesystem, "h") };
  const forecasts = new Forecasts("h", () => info);
  forecasts.define(0, filesystem.metric, info.meaning);
  const series = Uint32Array.of(0);
  for (let step = 0; step < values.length; step += 1) {
    const batch = { host: "h", timeMs: (step + 1) * stepMs, intervalMs: stepMs, series };
    forecasts.judge({ ...batch, values: Float64Array.of(values[step]!) }, () => false);
    told(step, forecasts.take(), forecasts);
  }
}

export interface Survey {
  /** Of the seeds, how many were told at all, and the hours before the end at which each was told first. */
  readonly told: number;
  readonly leadHours: readonly number[];
  /** How often something was told anew, a day; and how often once the series had been known for a day and a half. */
  readonly openedPerDay: number;
  readonly openedLater: number;
  /** Share of the time in which something was told. */
  readonly openShare: number;
  /** Share of the forecasts open at each tenth step in which the true end was within the interval; or was before it. */
  readonly within: number;
  readonly sooner: number;
  /** Median width of those intervals, in times of what was left. */
  readonly width: number;
}

export function surveyOf(name: ShapeName, seeds: readonly number[]): Survey {
  const leadHours: number[] = [];
  const widths: number[] = [];
  const count = { opened: 0, later: 0, steps: 0, open: 0, asked: 0, within: 0, sooner: 0 };
  for (const seed of seeds) {
    const { values, fullAt } = shapeOf(name, seed);
    const fullMs = ((fullAt ?? 0) + 1) * stepMs;
    const known = new Set<string>();
    follow(values, (step, anomalies, forecasts) => {
      const nowMs = (step + 1) * stepMs;
      for (const { id, ended } of anomalies) {
        if (ended || known.has(id)) continue;
        if (known.size === 0) leadHours.push((fullMs - nowMs) / hourMs);
        known.add(id);
        count.opened += 1;
        if (nowMs > youngMs) count.later += 1;
      }
      count.steps += 1;
      const [told] = forecasts.open();
      if (told === undefined) return;
      count.open += 1;
      if (fullAt === null || step % 10 !== 0) return;
      const { likelyMs, earliestMs, latestMs } = forecasts.list()[0]!;
      count.asked += 1;
      if (fullMs < earliestMs) count.sooner += 1;
      else if (fullMs <= latestMs) count.within += 1;
      widths.push((latestMs - earliestMs) / Math.max(stepMs, likelyMs - nowMs));
    });
  }
  return {
    told: leadHours.length,
    leadHours: leadHours.toSorted((a, b) => a - b),
    openedPerDay: count.opened / ((count.steps * stepMs) / (24 * hourMs)),
    openedLater: count.later,
    openShare: count.open / count.steps,
    within: count.within / count.asked,
    sooner: count.sooner / count.asked,
    width: widths.toSorted((a, b) => a - b)[widths.length >> 1] ?? Number.NaN,
  };
}
