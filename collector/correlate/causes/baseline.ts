/**
 * What is usual for a series: median, spread, and how far its means stray while nothing is wrong.
 *
 * Medians and quartiles are not moved by what is found once; a standard deviation of values clipped at their 2 % and 98 % quantiles
 * sees what the quartiles of a series with two levels do not. The stray is what calibrates a series by itself: one that often wanders
 * must wander farther to be evidence. (Median and quartiles as BARO has them, FSE 2024; the calibration is ours.)
 * Cost: linear in the number of samples; nothing is allocated but the result.
 */
import type { Baseline } from "./evidence.ts";
import { select } from "./select.ts";

const quartileToDeviation = 1 / 1.349;
/** A stretch in ten strays farther than this. At 0.8 two cases in a hundred are lost, at 1 the quiet past of one outlier hides a fault. */
const strayQuantile = 0.9;
const winsorisedShare = 0.02;
/** From here on one sample on each side is clipped however few there are: one outlier in sixteen must not be the spread. */
const winsorisedCountMin = 8;

/** Working memory that grows and is kept: of ten thousand series none allocates its own. */
let inOrder = new Float64Array(1024);
let mixed = new Float64Array(1024);

/** The part of a baseline that says whether the rest is worth its cost. */
export type Quartiles = Pick<Baseline, "count" | "coverage" | "median" | "quartileDeviation">;

/** Of `values[from..to)` without what is no number; null when nothing was measured. Stray is that of means over `length` samples. */
export function baselineOf(values: Float64Array, from: number, to: number, length: number): Baseline | null {
  const quartiles = quartilesOf(values, from, to);
  return quartiles === null ? null : baselineFrom(quartiles, length);
}

/** The first half of `baselineOf`. */
export function quartilesOf(values: Float64Array, from: number, to: number): Quartiles | null {
  if (to - from > inOrder.length) {
    inOrder = new Float64Array(2 * (to - from));
    mixed = new Float64Array(2 * (to - from));
  }
  let count = 0;
  for (let index = from; index < to; index += 1) {
    const value = values[index]!;
    if (!Number.isFinite(value)) continue;
    inOrder[count] = value;
    mixed[count] = value;
    count += 1;
  }
  if (count === 0) return null;
  const { middle, low, high } = ranksOf(count);
  const median = select(mixed, middle, 0, count);
  const lowQuartile = select(mixed, low, 0, middle + 1);
  const highQuartile = select(mixed, high, middle, count);
  const quartileDeviation = (highQuartile - lowQuartile) * quartileToDeviation;
  return { count, coverage: count / (to - from), median, quartileDeviation };
}

/** The second half: `quartiles` must be what `quartilesOf` gave last, as the working memory still holds its samples. */
export function baselineFrom(quartiles: Quartiles, length: number): Baseline {
  const { count, median } = quartiles;
  const { low, high } = ranksOf(count);
  const cut = count < winsorisedCountMin ? 0 : Math.max(1, Math.floor(winsorisedShare * count));
  const floor = select(mixed, cut, 0, low + 1);
  const ceiling = select(mixed, count - 1 - cut, Math.min(high, count - 1 - cut), count);
  return {
    ...quartiles,
    winsorisedDeviation: winsorised(count, floor, ceiling),
    stray: stray(count, median, Math.max(1, Math.min(length, count))),
  };
}

function ranksOf(count: number): { readonly middle: number; readonly low: number; readonly high: number } {
  return { middle: count >>> 1, low: count >>> 2, high: Math.min(count - 1, Math.floor((3 * count) / 4)) };
}

function winsorised(count: number, floor: number, ceiling: number): number {
  let sum = 0;
  let squares = 0;
  for (let index = 0; index < count; index += 1) {
    const value = inOrder[index]!;
    // From the floor on, so that a large level does not cancel a small spread.
    const clipped = (value < floor ? floor : value > ceiling ? ceiling : value) - floor;
    sum += clipped;
    squares += clipped * clipped;
  }
  const mean = sum / count;
  return Math.sqrt(Math.max(0, squares / count - mean * mean));
}

function stray(count: number, median: number, length: number): number {
  let sum = 0;
  for (let index = 0; index < length; index += 1) sum += inOrder[index]! - median;
  const means = count - length + 1;
  mixed[0] = Math.abs(sum / length);
  for (let index = 1; index < means; index += 1) {
    sum += inOrder[index + length - 1]! - inOrder[index - 1]!;
    mixed[index] = Math.abs(sum / length);
  }
  return select(mixed, Math.floor(strayQuantile * (means - 1)), 0, means);
}
