/**
 * How unlike itself a host is as a whole, in one number a row, and which of its metrics are to blame. Strictly online.
 *
 * Every metric is compared with itself and with the others. Its deviation d = (value - level) / sigma is learned slowly, winsorised.
 *
 *   unexplained  [P (d - season)]_j / P_jj              what the other metrics do not explain (`precision.ts`): the only way to see
 *                                                       one that leaves the others while it stays in its usual range
 *   seasonal     d_j - season_j                         what the hour of the day does not explain, where it explains anything
 *   abrupt       (value - mean of some minutes) / sigma also where all move together, which the first cannot see
 *
 *   unusual = |residual|^3 / mean |residual|^3          by channel and metric, clipped
 *   raw     = cube root of the mean of all of these     1 on an ordinary day of any host: so one threshold serves all
 *   score   = exponential mean of raw over 30 minutes
 *
 * Third moments make a metric with a heavy tail pay for its own tail, and are not winsorised: the largest single gain at one
 * threshold for all hosts. A metric without a value takes the one that the others expect, so that it accuses nobody.
 *
 * Sources: regression by precision matrix (`precision.ts`); the rest by measurement, see the README of detect for data, figures and
 * what was tried. Beside a constant, "no difference" is less than 0.01 in point F1 on either set of hosts, "worse by" is on the
 * worse one. Cost: d^2 multiplications a row for judging, d^2 for learning.
 */
import { fastSpanMs, learn } from "./learning.ts";
import { channels, type ModelState } from "./model-state.ts";
import { diagonal, multiply } from "./precision.ts";
import { type Hours, hoursOf, row } from "./scratch.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;
/** A deviation counts as this many at most: one metric gone mad may not drown the others. 12 to 40: worse by 0.01 at most. */
const deviationMax = 20;
/** `unusual` is at most this, cubed. 8: worse by 0.02; 20: no difference. */
const clipCube = 12 ** 3;
/** Added to each mean cube: what has hardly moved is not unusual for moving a little. 0.02 to 0.1 made no difference. */
const leastCube = 0.05 ** 3;
/** Deviations below this share of the range seen are none. 0.005 to 0.02 made no difference. */
const rangeShare = 0.01;
/** And below this share of the level: rounding. */
const levelShare = 1e-9;
const deviationMin = 1e-30;
/** Of larger values the square is not finite. */
const valueMax = 1e100;
/** 20 minutes: worse by 0.02; 45: no difference, and later. */
const smoothMs = 30 * minuteMs;
/** But this many rows at least. */
const smoothRowsMin = 3;
/** The hour of the day is asked after two days, where it takes away this share of the mean cube. 0.2 to 0.5: worse by 0.01 at most. */
const seasonAfterMs = 2 * dayMs;
const seasonWorth = 0.3;
/**
 * What residuals are usual is learned for this long before a metric counts. In the first four days there were 33 alarms on ten
 * hosts without it and 24, 22 and 11 with 6, 12 and 24 hours; accuracy later is the same.
 */
const settleMs = dayMs;
/** A metric counts as unusual now from this many times its usual residual on. */
const unusualCube = 3 ** 3;
/** A gap counts as this many rows: what was learned before it is not outweighed by one row after it. */
const gapRows = 3;

/**
 * Judges one row, then learns it; `state` holds the verdict. `values`: by metric, anything that is not finite is missing. False when
 * all are: then nothing is learned, and the last verdict stands.
 */
export function judgeRow(state: ModelState, timeMs: number, values: Float64Array): boolean {
  const { figures, size } = state;
  const elapsedMs = elapsed(state, timeMs);
  const hours = hoursOf(timeMs);
  standardise(state, timeMs, values, elapsedMs);
  if (row.missing === size) return false;
  removeSeason(state, hours);
  const smoothing = -Math.expm1(-2 / (Math.max(smoothRowsMin, smoothMs / elapsedMs) + 1));
  const raw = figures.fitted ? compare(state, values, smoothing) : 0;
  figures.score += smoothing * (raw - figures.score);
  learn(state, values, elapsedMs, hours.from);
  return true;
}

function elapsed({ figures }: ModelState, timeMs: number): number {
  const { lastMs, intervalMs } = figures;
  figures.lastMs = timeMs;
  if (lastMs === 0) return minuteMs;
  const gapMs = timeMs - lastMs;
  const first = intervalMs === 0;
  if (!(gapMs > 0)) return first ? minuteMs : intervalMs;
  if (first) figures.intervalMs = gapMs;
  const elapsedMs = Math.min(gapMs, gapRows * figures.intervalMs);
  figures.intervalMs += 0.05 * (elapsedMs - figures.intervalMs);
  return elapsedMs;
}

/** Fills `known`, `scale` and `deviation`; a metric's first value is its level. */
function standardise(state: ModelState, timeMs: number, values: Float64Array, elapsedMs: number): void {
  const { size, level, variance, low, high, day, fast, knownMs, ageMs, levelAgeMs } = state;
  const spanMs = fastSpanMs(state.figures.intervalMs);
  const { known, scale, deviation } = row;
  let missing = 0;
  for (let j = 0; j < size; j += 1) {
    const value = values[j]!;
    const seen = ageMs[j]! > 0;
    const isKnown = Math.abs(value) < valueMax;
    known[j] = isKnown ? 1 : 0;
    if (seen || isKnown) {
      ageMs[j]! += elapsedMs;
      levelAgeMs[j]! += elapsedMs;
    }
    if (!isKnown) {
      missing += 1;
      deviation[j] = 0;
      continue;
    }
    if (!seen) level[j] = day[j] = low[j] = high[j] = value;
    // Against what it was long ago nothing is abrupt.
    if (!seen || timeMs - knownMs[j]! > spanMs) fast[j] = value;
    knownMs[j] = timeMs;
    if (value < low[j]!) low[j] = value;
    if (value > high[j]!) high[j] = value;
    const floor = rangeShare * (high[j]! - low[j]!) + levelShare * Math.abs(level[j]!) + deviationMin;
    scale[j] = 1 / Math.sqrt(variance[j]! + floor * floor);
    deviation[j] = clipped((value - level[j]!) * scale[j]!, deviationMax);
  }
  row.missing = missing;
}

function removeSeason({ size, slots, slotRows }: ModelState, { from, to, share }: Hours): void {
  const { known, deviation, rest, complete } = row;
  const isKnown = slotRows[from]! > 0 && slotRows[to]! > 0;
  for (let j = 0; j < size; j += 1) {
    const season = isKnown ? slots[from * size + j]! * (1 - share) + slots[to * size + j]! * share : 0;
    rest[j] = known[j] === 0 ? 0 : deviation[j]! - season;
    complete[j] = rest[j]!;
  }
}

/** Fills the residuals, and returns how unusual the row is; keeps blame and the share of unusual metrics. */
function compare(state: ModelState, values: Float64Array, smoothing: number): number {
  const { size, precision, fast, ageMs, joinedMs, residualCubes, deviationCube, blame } = state;
  const { known, scale, rest, complete, product, residuals } = row;
  for (let j = 0; j < size; j += 1) if (!state.isJoined(j)) complete[j] = 0;
  if (row.missing > 0) {
    multiply(precision, size, complete, product);
    for (let j = 0; j < size; j += 1) {
      if (known[j] === 0 && state.isJoined(j)) complete[j] = -product[j]! / diagonal(precision, j);
    }
  }
  multiply(precision, size, complete, product);
  let sum = 0;
  let judged = 0;
  let unusual = 0;
  for (let j = 0; j < size; j += 1) {
    if (known[j] === 0 || !state.isJoined(j)) {
      blame[j]! -= smoothing * blame[j]!;
      continue;
    }
    residuals[0]![j] = Math.abs(product[j]! / diagonal(precision, j));
    residuals[1]![j] = Math.abs(rest[j]!);
    residuals[2]![j] = Math.min(deviationMax, Math.abs((values[j]! - fast[j]!) * scale[j]!));
    const seasonal = ageMs[j]! > seasonAfterMs && residualCubes[1]![j]! < seasonWorth * deviationCube[j]!;
    if (joinedMs[j]! < settleMs) {
      blame[j]! -= smoothing * blame[j]!;
      continue;
    }
    let own = 0;
    let most = 0;
    for (let channel = 0; channel < channels; channel += 1) {
      if (channel === 1 && !seasonal) continue;
      const one = cube(residuals[channel]![j]!) / (residualCubes[channel]![j]! + leastCube);
      own += Math.min(clipCube, one);
      if (one > most) most = one;
    }
    blame[j]! += smoothing * (own - blame[j]!);
    sum += own;
    judged += 1;
    if (most >= unusualCube) unusual += 1;
  }
  state.figures.share = judged === 0 ? 0 : unusual / judged;
  if (judged === 0) return 0;
  state.figures.judging = true;
  // Every channel counts, also where one is not asked: a host is not louder for having no daily pattern.
  return Math.cbrt(sum / (channels * judged));
}

function clipped(value: number, most: number): number {
  return value > most ? most : value < -most ? -most : value;
}

function cube(value: number): number {
  return value * value * value;
}
