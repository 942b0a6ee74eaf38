/**
 * A z-score against an exponentially weighted mean: the detector that everybody writes first.
 *
 * z = |x - mean| / (sigma + 1 % of the range seen). Judged before learned; what is learned is winsorised at five sigma, so that
 * an outage does not widen the band by which it is judged. A host is the mean of its five worst metrics, each at most 20.
 */
import { type Judge, topMean } from "../judging.ts";

const meanWeight = 0.1;
const varianceWeight = 0.002;
const winsor = 5;
const floorShare = 0.01;
/** Rows before which there is nothing to compare with. */
const warmup = 30;
const worstMetrics = 5;
const worst = 20;

/** Severities of metric `metric` of rows that are `dims` wide, written in place. */
function judge(rows: ArrayLike<number>, dims: number, metric: number, severity: Float32Array): void {
  let [count, mean, variance, low, high] = [0, 0, 0, Infinity, -Infinity];
  for (let at = metric; at < rows.length; at += dims) {
    const value = rows[at]!;
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    if (count === 0) mean = value;
    count += 1;
    const error = value - mean;
    const sigma = Math.sqrt(variance) + floorShare * (high - low) + 1e-9;
    if (count > warmup) severity[at] = Math.abs(error) / sigma;
    const learned = count > warmup ? Math.max(-winsor * sigma, Math.min(winsor * sigma, error)) : error;
    mean += Math.max(meanWeight, 1 / count) * learned;
    variance += Math.max(varianceWeight, 1 / count) * (learned * learned - variance);
  }
}

export const ewma: Judge = {
  name: "ewma",
  shipped: { series: 8, host: 8 },
  judgeSeries({ values }) {
    const severity = new Float32Array(values.length);
    judge(values, 1, 0, severity);
    return severity;
  },
  judgeHost({ timesMs, dims, rows }) {
    const perMetric = new Float32Array(rows.length);
    for (let metric = 0; metric < dims; metric += 1) judge(rows, dims, metric, perMetric);
    const capped = perMetric.map((one) => Math.min(one, worst));
    const host = timesMs.map((_, row) => topMean(capped, row * dims, dims, worstMetrics));
    return { host: Float32Array.from(host), perMetric };
  },
};
