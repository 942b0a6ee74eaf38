/**
 * Tier 1, the unusual: is a sample, or the mean of the last few, far from what the samples before it let expect?
 *
 * Expected is the level of the last 20 samples, moved by what the season says happens between the last sample and this one. The
 * deviations of the sample and of a short mean (3 samples: a small shift that lasts) are each compared with their own
 * standard deviation of the last day or so, and with a floor: 0.7 % of the range ever seen, or the smallest deviation that
 * matters for the metric's kind. z = |deviation| / (sigma + floor), and the larger of the two counts.
 *
 * A series with a short history is expected to vary more than it did: its deviations are divided by 1 + 12 / samples. Until it has
 * one, it is judged by a variance that is its kind's as well (`priors.ts`); what is learned is its own alone. A
 * series that is often unusual by the same measure is judged more mildly: clusters of exceedances are counted, one a
 * cluster as extreme value theory asks (Coles 2001), so that a long anomaly is one and poisons nothing.
 *
 * What lies beyond four standard deviations is attended to: it is learned by `learnAttended`, clipped. While an anomaly is open
 * the level follows at a pace of two hours and the variances stand still: an outage must not become normal by lasting.
 *
 * Tried and worse, in F1 of events: quantiles of z tracked per series (long anomalies poison them, -0.10 to -0.15), the smaller of
 * the local and the seasonal z (-0.02), a second sample to confirm (-0.2), a range that is forgotten in days (-0.3).
 */
import type { Scales } from "./scales.ts";
import type { Moment } from "./season.ts";
import * as state from "./series-state.ts";
import type { SeriesTable } from "./series-state.ts";

const { countMax, counts, countsLength, flag, near, nearLength, small, smallLength, wide, wideLength } =
  state;

/** Deviations, in units of the expected one, from which a sample counts as exceeding. */
export const zMin = 9.2;
/**
 * The same where two samples in a row must exceed, because one stands for less than half a minute: what each must show is less, for
 * with tails as heavy as a machine's two at 5.5 are as rare as one at 9.2.
 */
const zMinConfirmed = 5.5;
/** An interval from which on one sample is enough. */
export const aloneMs = 30_000;

export function zMinAt(intervalMs: number): number {
  return intervalMs >= aloneMs ? zMin : zMinConfirmed;
}
/** Below this share of zMin an open anomaly's series counts as calm again: hysteresis against flapping. */
export const calmShare = 0.5;
/** From here on a sample is not learned as it is. */
const attendZ = 4;
export const attendSquared = attendZ * attendZ;
export const learnSquared = 4;

/** What a short history adds to the expected deviation: 1 + 12 / samples times as much. */
const youth = 12;
/** The same while its kind's variance is what counts: that covers much of what is not known. */
const provisionalYouth = 4;
/** Samples from which a series is judged by its kind's variance: before, its level is a guess. */
export const provisionalSamples = 3;
/** The short mean has its own variance, but it is compared twice as often: a tenth less. */
const shortShare = 0.9;
export const shortShareSquared = shortShare * shortShare;
/** Share of the range ever seen that is noise in any kind. */
const rangeShare = 0.007;
/** Clusters of exceedances per step that are nothing special; more often divides the squared z in proportion. */
const usualRate = 0.0015;
/** Over how many steps clusters are counted. */
const rateSteps = 10_000;
const rateStepsMin = 2_000;
/** Samples apart from which two exceedances are two clusters, in steps. */
const clusterSteps = 5;

/**
 * -log10 of the two-sided tail of Student's t with 4 degrees of freedom, 0 to 16: heavy tails, because the residuals of
 * machines have them. Closed form: p = 1 - u (3 - u^2) / 2 with u = z / sqrt(z^2 + 4).
 */
export function tailScore(z: number): number {
  if (!(z > 0)) return 0;
  // p in a form that does not cancel for large z: (1 - u)^2 (2 + u) / 2 with 1 - u = 4 / (s (s + z)), s = sqrt(z^2 + 4).
  const s = Math.sqrt(z * z + 4);
  const rest = 4 / (s * (s + z));
  const p = (rest * rest * (3 - rest)) / 2;
  return Math.min(16, Math.max(0, -Math.log10(p)));
}

/** The first sample of a series is its level. */
export function begin(table: SeriesTable, number: number, value: number): void {
  table.wide[number * wideLength + wide.level] = value;
  // A share of that level counts from now on, not from the first step on.
  if (table.isKnownKind(number)) table.near[number * nearLength + near.floor] = floorOf(table, number, 0);
}

/** Squared z of a series that has no history yet; 0 while its level is a guess, and where nothing is usual for its kind. */
function provisionalZ(table: SeriesTable, number: number, own: number, mean: number, scales: Scales): number {
  if (table.samples[number]! < provisionalSamples || !table.isKnownKind(number)) return 0;
  const sigma = deviationOf(table, number, near.variance, scales);
  const shortSigma = deviationOf(table, number, near.shortVariance, scales);
  return Math.max(own / (sigma * sigma), mean / (shortSigma * shortSigma));
}

/** A young series' variance, with its kind's as if `priorSamples` samples of its own had shown that. */
function blended(table: SeriesTable, number: number, variance: number, scales: Scales): number {
  const { usualDeviation, usualShare } = table.policyOf(number);
  const level = Math.abs(table.wide[number * wideLength + wide.level]!);
  const usual = scales.priorWidening * (usualDeviation + usualShare * level);
  const samples = table.samples[number]!;
  return (scales.priorSamples * usual * usual + samples * variance) / (scales.priorSamples + samples);
}

/** The larger of the two squared z of a sample, of the squares of its deviation and of the short mean's; see the head of this file. */
export function squaredZ(
  table: SeriesTable,
  number: number,
  own: number,
  mean: number,
  scales: Scales,
): number {
  const samples = table.samples[number]!;
  if (samples < scales.warmupSamples) return provisionalZ(table, number, own, mean, scales);
  const row = number * nearLength;
  const { near: nears } = table;
  const floor = nears[row + near.floor]!;
  const sigma = Math.sqrt(nears[row + near.variance]!) + floor;
  const shortSigma = Math.sqrt(nears[row + near.shortVariance]!) + floor;
  const inflated = 1 + youth / (samples + 1);
  const z2 = Math.max(own / (sigma * sigma), mean / (shortSigma * shortSigma)) / (inflated * inflated);
  const rate = nears[row + near.exceedRate]!;
  return rate > usualRate ? (z2 * usualRate) / rate : z2;
}

/** What was expected of a column's sample, before it is learned. */
export function expectedOf(table: SeriesTable, number: number, before: Moment, now: Moment): number {
  const level = table.wide[number * wideLength + wide.level]!;
  return (table.flags[number]! & flag.seasonal) === 0
    ? level
    : level + table.season.drift(number, before, now);
}

/** Standard deviation with floor and youth: a sample that deviates by zMin of these exceeds. */
export function expectedDeviation(table: SeriesTable, number: number, scales: Scales): number {
  return deviationOf(table, number, near.variance, scales);
}

/** The same of what has this `variance`: of `near.shortVariance` for a mean that is at least as smooth as the short one. */
export function deviationOf(table: SeriesTable, number: number, variance: number, scales: Scales): number {
  const row = number * nearLength;
  const { near: nears } = table;
  const rate = nears[row + near.exceedRate]!;
  const samples = table.samples[number]!;
  const isYoung = samples < scales.warmupSamples && table.isKnownKind(number);
  const own = nears[row + variance]!;
  const believed = isYoung ? blended(table, number, own, scales) : own;
  const sigma = Math.sqrt(believed) + nears[row + near.floor]!;
  const inflated = sigma * (1 + (isYoung ? provisionalYouth : youth) / (samples + 1));
  return rate > usualRate ? inflated * Math.sqrt(rate / usualRate) : inflated;
}

/** Learns an attended column: clipped, and hardly at all while it is `exceeding` or an anomaly is open. */
export function learnAttended(
  table: SeriesTable,
  number: number,
  value: number,
  expected: number,
  z2: number,
  exceeding: boolean,
  scales: Scales,
): void {
  const { wide: wides, near: nears, samples: numbers } = table;
  const row = number * nearLength;
  const samples = numbers[number]!;
  const floor = nears[row + near.floor]!;
  const variance = nears[row + near.variance]!;
  const shortVariance = nears[row + near.shortVariance]!;
  // What varies more than its kind must be known for it before its own history counts.
  const isYoung = samples < scales.warmupSamples;
  const inflated = 1 + youth / (samples + 1);
  const most = isYoung && !exceeding ? Infinity : attendZ * inflated * (Math.sqrt(variance) + floor);
  const deviation = value - expected;
  const step = clipped(deviation, most);
  const shortBefore = nears[row + near.shortMean]!;
  const short = shortBefore + scales.sustained * (clipped(deviation, 3 * most) - shortBefore);
  const share = 1 / (samples + 1);
  const pace = exceeding ? scales.openLevel : Math.max(scales.level, share);
  wides[number * wideLength + wide.level] = expected + pace * step;
  nears[row + near.shortMean] = short;
  if (!exceeding) {
    const weight = Math.max(scales.variance, share);
    const clip = isYoung ? Infinity : learnSquared;
    const learned = Math.min(deviation * deviation, clip * (variance + floor * floor));
    const learnedShort = Math.min(short * short, clip * (shortVariance + floor * floor));
    nears[row + near.variance] = variance + weight * (learned - variance);
    nears[row + near.shortVariance] = shortVariance + weight * (learnedShort - shortVariance);
    if (samples < countMax) numbers[number] = samples + 1;
  }
  if (z2 > attendSquared && !isYoung) countCluster(table, number);
}

/** What was an anomaly is the level from now on. */
export function beginAnew(table: SeriesTable, number: number, value: number): void {
  table.wide[number * wideLength + wide.level] = value;
  table.near[number * nearLength + near.shortMean] = 0;
}

/** One more cluster of exceedances, unless this sample still belongs to the last one. */
function countCluster(table: SeriesTable, number: number): void {
  const at = number * smallLength + small.sinceExceeded;
  if (table.small[at]! > clusterSteps)
    table.near[number * nearLength + near.exceedRate]! += rateWeight(table, number);
  table.small[at] = 0;
}

/** Of one step in the rate of clusters: a week's worth, but a young series is soon known for what it is. */
function rateWeight(table: SeriesTable, number: number): number {
  const steps = table.counts[number * countsLength + counts.steps]!;
  return 1 / Math.min(rateSteps, steps + rateStepsMin);
}

/**
 * Once a step: the rate of clusters fades, and the floor follows the range of the records and the policy. `range` is what the
 * records of `record.ts` span.
 */
export function stepLevel(table: SeriesTable, number: number, range: number): void {
  const row = number * nearLength;
  const since = number * smallLength + small.sinceExceeded;
  if (table.small[since]! < 255) table.small[since]! += 1;
  const rate = table.near[row + near.exceedRate]!;
  if (rate !== 0) table.near[row + near.exceedRate] = rate * (1 - rateWeight(table, number));
  table.near[row + near.floor] = floorOf(table, number, range);
}

/** The smallest standard deviation that is believed; see the head of this file. */
export function floorOf(table: SeriesTable, number: number, range: number): number {
  const { floor, floorShare } = table.policyOf(number);
  const at = number * wideLength;
  const level = Math.abs(table.wide[at + wide.level]!);
  const policy = Math.max(floor, floorShare * level) / zMin;
  const noise = rangeShare * range;
  // A billionth of the level is what arithmetic leaves of a constant.
  const rounding = 1e-9 * level + 1e-30;
  return Math.max(noise, policy) + rounding;
}

function clipped(deviation: number, most: number): number {
  return deviation > most ? most : deviation < -most ? -most : deviation;
}

/** On the bad side of the bound: above it where up is bad, else below. There is no bound when it is NaN. */
export function isBeyond(value: number, bound: number, badUp: number): boolean {
  return badUp !== 0 ? value >= bound : value <= bound;
}
