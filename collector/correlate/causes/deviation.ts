/**
 * How far each series strays after a detection: the farthest mean over a stretch, in usual deviations.
 *
 * A detection is late, so what is usual ends a guard band before it: what the fault has already done must not count as usual. (With a
 * baseline that ends at the detection nine cases in ten are lost when the clock is a minute late; NSigma too.) What is unusual must be
 * so at or after the detection: in the guard band it is neither held against a series nor for it. Stretches rather than single
 * samples, because a cause lasts; both directions, because what fails falls silent. Measured is the logarithm of the deviation over
 * the series' own stray, so that a series that often wanders has to wander farther.
 * Cost: linear in the samples of the window, and in those of the baseline where none is kept.
 */
import { aspectOf } from "./aspects.ts";
import { baselineFrom, type Quartiles, quartilesOf } from "./baseline.ts";
import type { Baseline, EvidenceSeries, Measure } from "./evidence.ts";

/** The guard band: two minutes or two samples, whichever is longer. Clock errors of -30 to 120 s then change nothing. */
const guardMs = 120_000;
const guardSamples = 2;
/** A stretch is a fifth of what came since, and at least two samples: one alone may be a slip. */
const stretchShare = 0.2;
const stretchMin = 2;
/** The winsorised deviation counts for a little less: it has the outliers that the quartiles leave out. */
const winsorisedShare = 0.8;
/** A change of less than 3 % of what is usual is none, however quiet the series. */
const spreadShareMin = 0.03;
/** A tenth of a percentage point of failures, in shares of all. */
const failureSpreadMin = 0.001;
/** Counts scatter by the root of their number; a twentieth of that is the least. */
const countSpread = 0.05;
/** What has always been 0 has no spread: it is twenty deviations away, wherever it went. */
const constantSpreadShare = 0.05;
/** Logarithms are squashed towards this: a hundred thousand deviations are not twice the evidence of three hundred. */
const strengthMax = 6;
/** So many samples count for half of a baseline. */
const thinCount = 3;
/** A series that was there for less than a quarter of the time has no usual. */
const coverageFull = 0.25;

const deviationsMax = 1e6;
/** Silence is at least two samples long, and as long as it would be by chance once in a thousand times at most. */
const silentSamplesMin = 2;
const silentChanceMax = 0.001;

/** By series. */
export interface Deviations {
  readonly aspect: Int8Array;
  /** 0 when nothing is unusual; not yet weighed by what it measures. */
  readonly strength: Float64Array;
  readonly deviations: Float64Array;
  readonly usual: Float64Array;
  readonly value: Float64Array;
  readonly sinceMs: Float64Array;
  /** Where it began, as a share of the time from the end of the baseline. */
  readonly onset: Float64Array;
  /** When it was last heard, of a series that fell silent; Infinity when nothing was measured and that says nothing; else NaN. */
  readonly silentSinceMs: Float64Array;
}

export function deviationsOf(series: readonly EvidenceSeries[], detectedMs: number): Deviations {
  const count = series.length;
  const found: Deviations = {
    aspect: new Int8Array(count),
    strength: new Float64Array(count),
    deviations: new Float64Array(count),
    usual: new Float64Array(count),
    value: new Float64Array(count),
    sinceMs: new Float64Array(count),
    onset: new Float64Array(count),
    silentSinceMs: new Float64Array(count).fill(Number.NaN),
  };
  const ranges = new Map<Float64Array, Range>();
  for (let index = 0; index < count; index += 1) {
    const one = series[index]!;
    const aspect = aspectOf(one.measure);
    found.aspect[index] = aspect;
    if (aspect < 0) continue;
    let range = ranges.get(one.timesMs);
    if (range === undefined) {
      range = rangeOf(one.timesMs, detectedMs);
      ranges.set(one.timesMs, range);
    }
    judge(one, range, found, index);
  }
  return found;
}

interface Range {
  readonly baselineTo: number;
  readonly detected: number;
}

function rangeOf(timesMs: Float64Array, detectedMs: number): Range {
  const last = timesMs.length - 1;
  const steps = Math.min(last, 16);
  const stepMs = steps > 0 ? (timesMs[last]! - timesMs[last - steps]!) / steps : 0;
  const baselineEndMs = detectedMs - Math.max(guardMs, guardSamples * stepMs);
  return { baselineTo: firstFrom(timesMs, baselineEndMs), detected: firstFrom(timesMs, detectedMs) };
}

/** The first place at or after `timeMs`. */
function firstFrom(timesMs: Float64Array, timeMs: number): number {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle]! < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What was measured since the end of the baseline, and where: kept and grown, like the baseline's. */
let since = new Float64Array(256);
let places = new Int32Array(256);

function judge(one: EvidenceSeries, { baselineTo, detected }: Range, found: Deviations, index: number): void {
  const { measure, values, timesMs } = one;
  if (values.length - baselineTo > since.length) {
    since = new Float64Array(2 * (values.length - baselineTo));
    places = new Int32Array(2 * (values.length - baselineTo));
  }
  let count = 0;
  let before = 0;
  for (let place = baselineTo; place < values.length; place += 1) {
    const value = values[place]!;
    if (!Number.isFinite(value)) continue;
    since[count] = value;
    places[count] = place;
    count += 1;
    if (place < detected) before = count;
  }
  if (before === count && detected < values.length) {
    found.silentSinceMs[index] = silentSinceMs(one, baselineTo, detected);
    return;
  }
  // When the window ends with the detection, the guard band is all there is.
  const from = before === count ? 0 : before;
  const length = Math.min(count - from, Math.max(stretchMin, Math.round(stretchShare * (count - from))));
  const quartiles = count === 0 ? null : (one.baseline ?? quartilesOf(values, 0, baselineTo));
  if (quartiles === null) return;
  const { median } = quartiles;
  const { farthest, at } = farthestStretch(from, count, length, median);
  found.usual[index] = median;
  found.value[index] = median + farthest;
  const ifConstant = constantSpreadShare * Math.abs(farthest);
  if (ifConstant === 0 || !Number.isFinite(ifConstant)) return;
  let onset = at;
  while (onset > 0 && (since[onset - 1]! - median) * Math.sign(farthest) > Math.abs(farthest) / 2) onset -= 1;
  found.sinceMs[index] = timesMs[places[onset]!]!;
  found.onset[index] = onset / count;
  const least = leastSpread(measure, quartiles);
  found.deviations[index] = bounded(farthest / (least || ifConstant));
  // Most series stay within what is already known to be usual, and need not be looked at further.
  if (Math.abs(farthest) <= least) return;
  const usual = one.baseline ?? baselineFrom(quartiles, length);
  const spread = Math.max(least, winsorisedShare * usual.winsorisedDeviation) || ifConstant;
  found.deviations[index] = bounded(farthest / spread);
  const raw = Math.log(Math.abs(farthest) / (usual.stray + spread));
  if (raw > 0) found.strength[index] = strengthMax * (1 - Math.exp(-raw / strengthMax)) * trust(usual);
}

/** A million deviations are as good as any more, and are a number. */
function bounded(deviations: number): number {
  return Math.max(-deviationsMax, Math.min(deviationsMax, deviations));
}

function farthestStretch(
  from: number,
  to: number,
  length: number,
  median: number,
): { farthest: number; at: number } {
  let sum = 0;
  for (let place = from; place < from + length; place += 1) sum += since[place]! - median;
  let farthest = sum;
  let at = from;
  for (let start = from + 1; start + length <= to; start += 1) {
    sum += since[start + length - 1]! - since[start - 1]!;
    if (Math.abs(sum) > Math.abs(farthest)) {
      farthest = sum;
      at = start;
    }
  }
  return { farthest: farthest / length, at };
}

/** When it was last heard; Infinity when so few are measured, or so few are missing, that chance would leave out as many. */
function silentSinceMs(
  { values, timesMs, baseline }: EvidenceSeries,
  baselineTo: number,
  detected: number,
): number {
  const missing = values.length - detected;
  let heard = 0;
  if (baseline === undefined) {
    for (let place = 0; place < baselineTo; place += 1) if (Number.isFinite(values[place]!)) heard += 1;
  }
  const coverage = baseline?.coverage ?? (baselineTo === 0 ? 0 : heard / baselineTo);
  if (missing < silentSamplesMin || (1 - coverage) ** missing > silentChanceMax)
    return Number.POSITIVE_INFINITY;
  let last = detected - 1;
  while (last >= 0 && !Number.isFinite(values[last]!)) last -= 1;
  return last < 0 ? Number.POSITIVE_INFINITY : timesMs[last]!;
}

/** Few samples, or samples now and then only, say little about what is usual. */
function trust({ count, coverage }: Baseline): number {
  return Math.min(count / (count + thinCount), Math.sqrt(coverage / coverageFull));
}

/** What one usual deviation is at least, in the series' unit; 0 for what has always been 0. */
function leastSpread({ kind, badDirection, full }: Measure, quartiles: Quartiles): number {
  // Of successes, failures are what is looked at: 3 % of 100 % would hide thirty times the usual failures.
  const ofSuccess = kind === "errors" && badDirection === "down" && full !== undefined;
  const level = Math.abs(ofSuccess ? full - quartiles.median : quartiles.median);
  let spread = Math.max(quartiles.quartileDeviation, spreadShareMin * level);
  if (ofSuccess) spread = Math.max(spread, failureSpreadMin * full);
  if (kind === "traffic") spread = Math.max(spread, countSpread * Math.sqrt(level));
  return spread;
}
