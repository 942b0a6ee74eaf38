/**
 * How much a series varies: the standard deviation of its samples around the level of the last 20, which is what tier 1 compares a
 * sample with (`collector/detect/level.ts`).
 *
 * Deviations are clipped at their own 99th percentile, so that one fault in the recording is not taken for what is usual.
 */

/** Shorter ones say little of how much they vary. */
const samplesMin = 120;
const levelWeight = 1 / 20;
/** Samples before the level is one. */
const settling = 18;
const clipQuantile = 0.99;

export interface Spread {
  /** Mean of the samples' size, and standard deviation of a sample around its level. */
  readonly level: number;
  readonly deviation: number;
  readonly samples: number;
}

/** Null for a series that is too short or never moved: it says nothing of how much others vary. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length < samplesMin) return null;
  let level = values[0]!;
  const deviations: number[] = [];
  for (const [index, value] of values.entries()) {
    const deviation = value - level;
    if (index >= settling) deviations.push(Math.abs(deviation));
    level += Math.max(levelWeight, 1 / (index + 1)) * deviation;
  }
  const most = quantile(deviations, clipQuantile);
  const squares = deviations.reduce((sum, one) => sum + Math.min(one, most) ** 2, 0);
  if (squares === 0) return null;
  const size = values.reduce((sum, one) => sum + Math.abs(one), 0) / values.length;
  return { level: size, deviation: Math.sqrt(squares / deviations.length), samples: values.length };
}

/** Linear between the two nearest; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  const rest = at - low;
  return rest === 0 ? (sorted[low] ?? Number.NaN) : sorted[low]! + rest * (sorted[low + 1]! - sorted[low]!);
}
