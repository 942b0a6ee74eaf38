/** Rows of a made-up host whose metrics follow one load, for the tests of the host score. */
import { HostScore } from "#collector/detect/host-score/host-score.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/random.ts";

export const startMs = Date.UTC(2026, 0, 5);
export const intervalMs = 300_000;
export const dayRows = 86_400_000 / intervalMs;

const gauge = { role: "evidence", entity: { kind: "host", host: "h", name: "" } } as const;

export function seriesNumber(number: number): Series {
  return {
    metric: `app.metric_${number}`,
    unit: "1",
    instrument: "gauge",
    decimals: 6,
    labels: canonicalLabels([["part", `p${number}`]]),
  };
}

export function scoreOf(metrics: number): HostScore {
  const score = new HostScore("h", seriesNumber);
  for (let number = 0; number < metrics; number += 1) score.define(number, gauge);
  return score;
}

/** `count` rows of `metrics` numbers: each metric its own share of a load that has days and noise, and a little noise of its own. */
export function usualRows(metrics: number, count: number, seed = 1): number[][] {
  const random = mulberry32(seed);
  const noise = (): number => random() + random() + random() - 1.5;
  let walk = 0;
  return Array.from({ length: count }, (_, row) => {
    walk = 0.95 * walk + 0.1 * noise();
    const load = 1 + 0.3 * Math.sin((2 * Math.PI * row) / dayRows) + walk;
    return Array.from({ length: metrics }, (__, metric) => (0.2 + 0.1 * metric) * load + 0.02 * noise());
  });
}

/** Feeds rows from row `from` on; what was told. */
export function feed(score: HostScore, rows: readonly (readonly number[])[], from = 0): Anomaly[] {
  return rows.flatMap((row, at) => {
    const series = Uint32Array.from(row.keys());
    const columns = { series, values: Float64Array.from(row), length: row.length };
    score.push(startMs + (from + at) * intervalMs, columns, 1);
    return [...score.take()];
  });
}
