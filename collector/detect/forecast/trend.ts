/**
 * A trend and how far it can be trusted, from the upper envelope of one window: at most 24 values, one a block.
 *
 * The slope is the median of the slopes between all pairs of values (Theil 1950, Sen 1968): up to a quarter of the values may
 * be anything. Its error is not taken from the scatter around the line, which trusts too much whenever neighbouring values
 * hang together, as those of machines do. Instead the series is taken for a random walk with drift, and how far such a walk
 * strays is measured over a sixth of the window: noise averages out of that, bursts, batches and daily waves do not. So a
 * single step, a wave and a walk without drift have no trend.
 *
 * When the older and the newer half have slopes that differ by more than walks' do (once in a hundred), the trend bends, and
 * the slope is the one now. Cost: 408 slopes sorted, about 15 us.
 */

/** Blocks of one window. */
export const blocks = 24;
/** Values that must be there, and values of a part of it for that to have a slope. */
const valuesMin = 16;
const partMin = 3;
/** A sixth of the window, over which a walk's straying is measured. */
const lagBlocks = 4;
/**
 * Measured on 20,000 walks of 24 values without drift, in units of what they stray in the window's span: what a fitted slope
 * takes away from the straying, the errors of a slope, of the slope now when it bends, and the difference of the halves'
 * slopes that one in a hundred exceeds.
 */
const strayingCorrection = 1.21;
const slopeError = 1.085;
const slopeNowError = 3.1;
const bendMin = 8;
/** The slope changes from each quarter of the window to the next by at least this share of the mean change. */
const evenBend = 0.3;
/** Errors within which 80 %, 95 % and 99.9 % of such walks' slopes are, measured likewise. */
export const within80 = 1.4;
export const within95 = 2.3;
export const within999 = 4.4;

export interface Trend {
  /** Share of the limit a millisecond, now. */
  readonly slope: number;
  /** Change of the slope a millisecond; 0 when it does not bend. */
  readonly bend: number;
  /** Standard error of the slope. */
  readonly error: number;
  /** Variance that a walk like this one gathers in a millisecond. */
  readonly straying: number;
  readonly spanMs: number;
  /** By how much it rose in the window, by the fitted line. */
  readonly rise: number;
  /** The envelope now. */
  readonly level: number;
  /** Share of the window's blocks that had values. */
  readonly completeness: number;
}

const slopes = new Float64Array((blocks * (blocks - 1)) / 2);

/** `values` by block, oldest first, NaN where there is none, each at the time in `timesMs`. Undefined: too few values. */
export function trendOf(timesMs: Float64Array, values: Float64Array): Trend | undefined {
  let count = 0;
  let first = -1;
  let last = -1;
  for (let block = 0; block < blocks; block += 1) {
    if (Number.isNaN(values[block]!)) continue;
    if (first < 0) first = block;
    last = block;
    count += 1;
  }
  if (count < valuesMin) return undefined;
  const spanMs = timesMs[last]! - timesMs[first]!;
  const slope = slopeOf(timesMs, values, first, last + 1);
  const straying = strayingOf(timesMs, values, slope, 0, 0);
  const plain = {
    slope,
    bend: 0,
    error: slopeError * Math.sqrt(straying / spanMs),
    straying,
    spanMs,
    rise: slope * spanMs,
    level: values[last]!,
    completeness: count / blocks,
  };
  return bent(plain, timesMs, values, first, last) ?? plain;
}

function bent(
  plain: Trend,
  timesMs: Float64Array,
  values: Float64Array,
  first: number,
  last: number,
): Trend | undefined {
  const middle = (first + last + 1) >> 1;
  const older = slopeOf(timesMs, values, first, middle);
  const newer = slopeOf(timesMs, values, middle, last + 1);
  // What fell first does not bend upwards: it turned.
  if (!(older >= 0)) return undefined;
  const { spanMs } = plain;
  const bend = (newer - older) / (spanMs / 2);
  const mean = (older + newer) / 2;
  const straying = strayingOf(timesMs, values, mean, bend, (timesMs[first]! + timesMs[last]!) / 2);
  if (!(Math.abs(newer - older) > bendMin * Math.sqrt(straying / strayingCorrection / spanMs)))
    return undefined;
  if (!bendsEvenly(timesMs, values, first, last)) return undefined;
  const error = slopeNowError * Math.sqrt(straying / spanMs);
  return { ...plain, slope: newer + (newer - older) / 2, bend, error, straying, rise: mean * spanMs };
}

/** A trend that began within the window, or ended there, has an elbow; one that bends does so from quarter to quarter. */
function bendsEvenly(timesMs: Float64Array, values: Float64Array, first: number, last: number): boolean {
  const quarter = (last + 1 - first) / 4;
  let before = Number.NaN;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let part = 0; part < 4; part += 1) {
    const from = first + Math.round(part * quarter);
    const slope = slopeOf(timesMs, values, from, first + Math.round((part + 1) * quarter));
    const change = slope - before;
    if (part > 0) {
      least = Math.min(least, change);
      most = Math.max(most, change);
      sum += change;
    }
    before = slope;
  }
  const mean = sum / 3;
  return mean > 0 ? least >= evenBend * mean : most <= evenBend * mean;
}

/** Median slope between the pairs of values in [from, to); NaN when there are too few. */
function slopeOf(timesMs: Float64Array, values: Float64Array, from: number, to: number): number {
  let pairs = 0;
  let count = 0;
  for (let j = from; j < to; j += 1) {
    if (Number.isNaN(values[j]!)) continue;
    count += 1;
    for (let i = from; i < j; i += 1) {
      if (Number.isNaN(values[i]!)) continue;
      slopes[pairs] = (values[j]! - values[i]!) / (timesMs[j]! - timesMs[i]!);
      pairs += 1;
    }
  }
  return count < partMin ? Number.NaN : medianOf(slopes.subarray(0, pairs));
}

/** Mean square of what a sixth of the window strays from `slope`, which it is at `middleMs`, a millisecond. */
function strayingOf(
  timesMs: Float64Array,
  values: Float64Array,
  slope: number,
  bend: number,
  middleMs: number,
): number {
  let sum = 0;
  let count = 0;
  for (let i = lagBlocks; i < blocks; i += 1) {
    const elapsedMs = timesMs[i]! - timesMs[i - lagBlocks]!;
    const slopeThere =
      bend === 0 ? slope : slope + bend * ((timesMs[i]! + timesMs[i - lagBlocks]!) / 2 - middleMs);
    const strayed = values[i]! - values[i - lagBlocks]! - slopeThere * elapsedMs;
    if (Number.isNaN(strayed)) continue;
    sum += (strayed * strayed) / elapsedMs;
    count += 1;
  }
  return count === 0 ? Number.POSITIVE_INFINITY : (strayingCorrection * sum) / count;
}

function medianOf(values: Float64Array): number {
  values.sort();
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2;
}
