/**
 * Anomaly bits like Netdata's, written from its documentation: two means in the space of the last differences, eighteen models.
 *
 * A sample is the vector of the last six differences, each smoothed over three. A model is two centres fitted on six hours of such
 * vectors; its score is the mean distance to the centres, scaled so that the nearest vector it was fitted on is 0 and the farthest
 * is 1. Every three hours a model is added, the last eighteen are kept, and a sample is anomalous when all of them score 0.99 or
 * more. The severity here is the least of their scores, so that any threshold can be tried; a host's is the share of its metrics
 * that are anomalous, over five minutes. Windows are in time, and at least a hundred samples, since Netdata's are of one second.
 */
import type { Judge } from "../judging.ts";

const dims = 6;
const smoothed = 3;
const trainMs = 6 * 3_600_000;
const trainRowsMin = 100;
const models = 18;
const rounds = 8;
const anomalous = 0.99;
const rateMs = 300_000;

interface Model {
  readonly centres: readonly [Float64Array, Float64Array];
  readonly nearest: number;
  readonly farthest: number;
}

/** Severities of one metric of rows that are `width` wide. */
function judge(
  rows: ArrayLike<number>,
  width: number,
  metric: number,
  intervalMs: number,
  severity: Float32Array,
): void {
  const trainRows = Math.max(trainRowsMin, Math.round(trainMs / intervalMs));
  const history = new Float64Array(trainRows * dims);
  const recent: number[] = [];
  const vector = new Float64Array(dims);
  const kept: Model[] = [];
  let seen = 0;
  let before = NaN;
  for (let at = metric; at < rows.length; at += width) {
    const value = rows[at]!;
    if (!Number.isFinite(value)) continue;
    recent.push(value - before);
    before = value;
    if (recent.length > smoothed) recent.shift();
    vector.copyWithin(1, 0);
    vector[0] = recent.reduce((sum, one) => sum + one, 0) / recent.length;
    if (!vector.every(Number.isFinite)) continue;
    if (kept.length > 0) severity[at] = leastScore(kept, vector);
    history.set(vector, (seen % trainRows) * dims);
    seen += 1;
    if (seen >= trainRows && (seen - trainRows) % (trainRows >> 1) === 0) {
      kept.push(fitted(history));
      if (kept.length > models) kept.shift();
    }
  }
}

function leastScore(kept: readonly Model[], vector: Float64Array): number {
  let least = Infinity;
  // The newest model explains most samples: from it back the loop mostly ends at once.
  for (let number = kept.length - 1; number >= 0 && least > 0; number -= 1) {
    const { centres, nearest, farthest } = kept[number]!;
    const far = (distance(vector, 0, centres[0]) + distance(vector, 0, centres[1])) / 2;
    least = Math.min(least, farthest > nearest ? Math.max(0, (far - nearest) / (farthest - nearest)) : 0);
  }
  return least;
}

/** Lloyd's algorithm from the two vectors that are nearest to and farthest from the origin: no chance in it. */
function fitted(history: Float64Array): Model {
  const count = history.length / dims;
  const origin = new Float64Array(dims);
  let [inner, outer] = [0, 0];
  for (let row = 1; row < count; row += 1) {
    const norm = distance(history, row * dims, origin);
    if (norm < distance(history, inner * dims, origin)) inner = row;
    if (norm > distance(history, outer * dims, origin)) outer = row;
  }
  const centres = [inner, outer].map((row) => history.slice(row * dims, (row + 1) * dims));
  const [first, second] = centres as [Float64Array, Float64Array];
  for (let round = 0; round < rounds; round += 1) {
    const sums = [new Float64Array(dims + 1), new Float64Array(dims + 1)] as const;
    for (let row = 0; row < count; row += 1) {
      const at = row * dims;
      const sum = distance(history, at, first) <= distance(history, at, second) ? sums[0] : sums[1];
      for (let dim = 0; dim < dims; dim += 1) sum[dim]! += history[at + dim]!;
      sum[dims]! += 1;
    }
    for (const [number, sum] of sums.entries()) {
      if (sum[dims] === 0) continue;
      for (let dim = 0; dim < dims; dim += 1) centres[number]![dim] = sum[dim]! / sum[dims]!;
    }
  }
  let [nearest, farthest] = [Infinity, 0];
  for (let row = 0; row < count; row += 1) {
    const far = (distance(history, row * dims, first) + distance(history, row * dims, second)) / 2;
    nearest = Math.min(nearest, far);
    farthest = Math.max(farthest, far);
  }
  return { centres: [first, second], nearest, farthest };
}

function distance(vectors: Float64Array, at: number, centre: Float64Array): number {
  let sum = 0;
  for (let dim = 0; dim < dims; dim += 1) {
    const difference = vectors[at + dim]! - centre[dim]!;
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

export const kMeans: Judge = {
  name: "kmeans",
  shipped: { series: anomalous, host: 0.01 },
  judgeSeries({ values, intervalMs }) {
    const severity = new Float32Array(values.length);
    judge(values, 1, 0, intervalMs, severity);
    return severity;
  },
  judgeHost({ timesMs, intervalMs, dims: width, rows }) {
    const perMetric = new Float32Array(rows.length);
    for (let metric = 0; metric < width; metric += 1) judge(rows, width, metric, intervalMs, perMetric);
    const rateRows = Math.max(1, Math.round(rateMs / intervalMs));
    const bits = new Float64Array(timesMs.length);
    const host = new Float32Array(timesMs.length);
    let sum = 0;
    for (let row = 0; row < timesMs.length; row += 1) {
      for (let metric = 0; metric < width; metric += 1) {
        if (perMetric[row * width + metric]! >= anomalous) bits[row]! += 1;
      }
      sum += bits[row]! - (bits[row - rateRows] ?? 0);
      host[row] = sum / (rateRows * width);
    }
    return { host, perMetric };
  },
};
