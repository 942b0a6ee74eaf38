/**
 * Tier 2, the unprecedented: does a series do now what it never did?
 *
 * Nine one-sided channels are watched: above and below the level of the last hours, the same for a mean of the last three hours
 * (squashed by asinh, so that what lasts counts and one spike does not), above and below what is usual at this hour (in place of
 * the former, where the season explains), jumps up and down, and restlessness. Of each channel the two greatest episodes
 * are kept, T1 >= T2, fading with a half-life of months. The evidence of a channel c is
 *
 *   q = log((c + f) / sqrt((T1 + f) (T2 + f))),  f = mean |difference| + 0.2 % of the range
 *
 * Two, because one outlier must not hide the next of its kind, and because what has happened twice is no news. Ratios need no
 * scale, no distribution and no unit. The greatest q, less 3 % for every recent alarm, is an alarm from log 1.07 on (more where steps
 * are shorter, for more steps are more chances); then the
 * series is silent for an episode (12.5 hours) unless the evidence grows to 1.7 times. So it speaks seldom and is mostly right.
 *
 * Sources: the common denominator of NAB's leaders (records against all history, refractory time, a noise gate), without their
 * knowledge of the range of the future. What else was tried, and what it gave, is in `README.md`.
 */
import { fadeRun, isSame, stepFlat } from "./flat.ts";
import * as scaling from "./scales.ts";
import type { Scales } from "./scales.ts";
import { stepLevel } from "./level.ts";
import type { Moment } from "./season.ts";
import type { Tick } from "./tick.ts";
import * as state from "./series-state.ts";
import type { SeriesTable } from "./series-state.ts";

const {
  channelCount,
  countMax,
  counts,
  countsLength,
  flag,
  past,
  pastLength,
  small,
  smallLength,
  slow,
  slowLength,
  wide,
  wideLength,
} = state;
const { shares } = scaling;

/** In the order of their numbers; up and down alternate. */
export const channels = [
  "level",
  "level",
  "mean",
  "mean",
  "hour",
  "hour",
  "jump",
  "jump",
  "restless",
] as const;
export type Channel = (typeof channels)[number];

/** During the silence after an alarm only what is clearly worse is told. */
const againEvidence = Math.log(1.7);
const budget = 0.03;
const rangeNoise = 0.002;
const squash = 4;
const slowVarianceWeight = 0.002;
const offsetWeight = 0.002;
const spreadWeight = 0.005;
/** The season is believed when it leaves at most this share of the variance around the slow level. */
const unexplained = 0.6;
/** A series is given slots once it has lived for this long. */
const settledMs = 3_600_000;
/** Hours for which a season's records ripen before they are used. */
const ripeHours = 48;

export interface RecordAlarm {
  readonly number: number;
  /** Which of `channels`. */
  readonly channel: number;
  /** How often the evidence of the weakest alarm doubles into it. */
  readonly doublings: number;
}

/** What a step says of one column of it, if anything. */
export interface StepNews {
  readonly column: number;
  readonly alarm: RecordAlarm | null;
  /** A series that stands still for too long: since this step, or still; or it moves again. */
  readonly flat: "began" | "stays" | "ended" | null;
}

/** What steps have in common. */
export interface Step {
  readonly now: Moment;
  /** It is the first of its hour; and what it is of that, at most the hour. */
  readonly newHour: boolean;
  readonly elapsedMs: number;
}

const deviations = new Float64Array(5);

/**
 * One step of all that is judged among `series` and had samples since the step before: their mean is judged, then learned. Writes `step`, by
 * column. One loop, for the reason given in `sweep.ts`.
 */
export function stepRecords(
  table: SeriesTable,
  series: Uint32Array,
  step: Tick["step"],
  moment: Step,
  scales: Scales,
): StepNews[] {
  const { now, newHour, elapsedMs } = moment;
  const { wide: wides, slow: slows, past: n, counts: numbers, small: smalls, flags, inStep, season } = table;
  const { series: stepped, values: means } = step;
  const { warmSteps, muteSteps, alarmEvidence, forget, longMean, volatility, slowLevel: slowWeight } = scales;
  const news: StepNews[] = [];
  let column = -1;
  for (let index = 0; index < series.length; index += 1) {
    const number = series[index]!;
    const fed = inStep[number]!;
    const flagged = flags[number]!;
    if (fed === 0 || (flagged & flag.judged) === 0) continue;
    column += 1;
    const value = wides[number * wideLength + wide.sum]! / fed;
    inStep[number] = 0;
    stepped[column] = number;
    means[column] = value;
    const slowAt = number * slowLength;
    const row = number * pastLength;
    const countAt = number * countsLength;
    const smallAt = number * smallLength;
    const steps = numbers[countAt + counts.steps]!;
    if (steps === 0) {
      slows[slowAt + slow.origin] = value;
      slows[slowAt + slow.level] = value;
      numbers[countAt + counts.episodeLeft] = scales.episodeSteps;
      numbers[countAt + counts.sinceAlarm] = muteSteps;
    }
    const slowLevel = slows[slowAt + slow.level]!;
    const deviation = value - slowLevel;
    if (deviation === 0 && steps > 0 && n[row + past.deviation] === 0) {
      stepConstant(table, number, moment, scales);
      continue;
    }
    const difference = steps === 0 ? 0 : deviation - n[row + past.previous]!;
    const range = rangeOf(table, number);
    const floor =
      rangeNoise * range + n[row + past.difference]! + 1e-12 * Math.abs(slows[slowAt + slow.origin]!) + 1e-30;

    const dayClass = season.classFor(number, now.dayClass);
    const usual = season.usual(number, dayClass, now.hour);
    const seen = usual === usual;
    const drifted = value - slows[slowAt + slow.origin]! - n[row + past.seasonOffset]!;
    const fromUsual = seen ? drifted - usual : 0;
    const known = seen && season.isKnown(number, dayClass);
    const explains = known && n[row + past.seasonVariance]! < unexplained * n[row + past.slowVariance]!;
    const inSeason = explains && smalls[smallAt + small.ripeHours]! >= ripeHours;

    const mean1 =
      n[row + past.longMean1]! +
      longMean * (squashed(deviation, squash * n[row + past.deviation]!) - n[row + past.longMean1]!);
    const mean2 = n[row + past.longMean2]! + longMean * (mean1 - n[row + past.longMean2]!);
    n[row + past.longMean1] = mean1;
    n[row + past.longMean2] = mean2;
    n[row + past.volatility]! += volatility * (difference * difference - n[row + past.volatility]!);
    deviations[0] = deviation;
    deviations[1] = mean2;
    deviations[2] = known ? fromUsual : 0;
    deviations[3] = difference;
    deviations[4] = Math.sqrt(n[row + past.volatility]!);

    stepFlat(table, number, steps > 0 && isSame(difference, deviation, value), now.dayClass, scales);

    const judged = steps >= warmSteps;
    let most = 0;
    let channel = -1;
    for (let pair = 0; pair < 5; pair += 1) {
      const signed = deviations[pair]!;
      if (signed === 0) continue;
      const one = signed < 0 ? 2 * pair + 1 : 2 * pair;
      const size = Math.abs(signed);
      const at = row + past.record1 + one;
      const episode = n[at + 2 * channelCount]!;
      // News only to the best model in force: where the hour explains, it replaces level and mean.
      if (judged && (pair > 2 || (pair === 2) === inSeason)) {
        const second = n[at + channelCount]!;
        if (size > second) {
          const first = n[at]!;
          const greatest = episode > first ? episode : first;
          const next = episode > first ? first : episode > second ? episode : second;
          const q = ((size + floor) * (size + floor)) / ((greatest + floor) * (next + floor));
          if (q > most) {
            most = q;
            channel = one;
          }
        }
      }
      if (size > episode) n[at + 2 * channelCount] = size;
      if (!judged && size > n[at]!) {
        // The start has no two episodes yet.
        n[at] = size;
        n[at + channelCount] = size;
      }
    }

    const alarms = n[row + past.alarms]! > 1e-3 ? n[row + past.alarms]! * forget : 0;
    n[row + past.alarms] = alarms;
    const evidence = most > 1 ? 0.5 * Math.log(most) - budget * alarms : 0;
    const since = numbers[countAt + counts.sinceAlarm]!;
    const silent = since < muteSteps && evidence < n[row + past.lastAlarm]! + againEvidence;
    const alarm = !silent && evidence >= alarmEvidence;
    if (alarm) {
      n[row + past.lastAlarm] = evidence;
      n[row + past.alarms] = alarms + 1;
      numbers[countAt + counts.sinceAlarm] = 1;
    } else if (since < muteSteps) numbers[countAt + counts.sinceAlarm] = since + 1;

    endEpisode(table, number, scales);
    const share = steps < shares.length ? shares[steps]! : 0;
    const weight = share > spreadWeight ? share : spreadWeight;
    const size = Math.abs(deviation);
    const move = Math.abs(difference);
    const spread = n[row + past.deviation]!;
    const usualMove = n[row + past.difference]!;
    n[row + past.deviation] =
      spread + weight * ((steps < 60 ? size : Math.min(size, 6 * spread + floor)) - spread);
    n[row + past.difference] =
      usualMove +
      weight * ((steps < warmSteps ? move : Math.min(move, 5 * usualMove + 1e-9 * range)) - usualMove);
    n[row + past.slowVariance]! += slowVarianceWeight * (deviation * deviation - n[row + past.slowVariance]!);
    n[row + past.seasonVariance]! +=
      slowVarianceWeight * (fromUsual * fromUsual - n[row + past.seasonVariance]!);
    slows[slowAt + slow.level] = slowLevel + (share > slowWeight ? share : slowWeight) * deviation;
    n[row + past.previous] = value - slows[slowAt + slow.level]!;
    if (newHour) beginHour(table, number, now, known);
    // What lives for minutes has no season.
    if (steps * scales.stepMs >= settledMs) season.learn(number, now, drifted, elapsedMs);
    n[row + past.seasonOffset]! += offsetWeight * fromUsual;
    if (steps < countMax) numbers[countAt + counts.steps] = steps + 1;
    if (explains) table.flags[number]! |= flag.seasonal;
    else table.flags[number]! &= ~flag.seasonal;
    stepLevel(table, number, range);
    const wasFlat = (flagged & flag.flat) !== 0;
    const isFlat = (flags[number]! & flag.flat) !== 0;
    if (!alarm && !wasFlat && !isFlat) continue;
    const doublings = Math.floor(Math.log2(evidence / alarmEvidence));
    news.push({
      column,
      alarm: alarm ? { number, channel, doublings } : null,
      flat: !isFlat ? (wasFlat ? "ended" : null) : wasFlat ? "stays" : "began",
    });
  }
  step.length = column + 1;
  return news;
}

/** The same for what has never moved, as two in five series of a host have not: all of the above is zero and stays so. */
function stepConstant(
  table: SeriesTable,
  number: number,
  { now, newHour, elapsedMs }: Step,
  scales: Scales,
): void {
  const { counts: numbers, season } = table;
  const at = number * countsLength;
  stepFlat(table, number, true, now.dayClass, scales);
  if (numbers[at + counts.sinceAlarm]! < scales.muteSteps) numbers[at + counts.sinceAlarm]! += 1;
  endEpisode(table, number, scales);
  if (newHour) {
    const dayClass = season.classFor(number, now.dayClass);
    const seen = season.usual(number, dayClass, now.hour) === 0;
    beginHour(table, number, now, seen && season.isKnown(number, dayClass));
  }
  const steps = numbers[at + counts.steps]!;
  if (steps * scales.stepMs >= settledMs) season.learn(number, now, 0, elapsedMs);
  if (steps < countMax) numbers[at + counts.steps] = steps + 1;
  stepLevel(table, number, 0);
}

/** Another hour of this class of day begins; `known`: the class was known before it. */
function beginHour(table: SeriesTable, number: number, now: Moment, known: boolean): void {
  const at = number * smallLength + small.ripeHours;
  table.season.countHour(number, now.dayClass);
  if (known && table.small[at]! < 255) table.small[at]! += 1;
}

/** What was expected of a value when `channel` raised an alarm about it. */
export function referenceOf(table: SeriesTable, number: number, channel: number, now: Moment): number {
  const row = number * pastLength;
  const at = number * slowLength;
  switch (channels[channel]!) {
    case "level":
    case "mean":
      return table.slow[at + slow.level]!;
    case "hour": {
      const usual = table.season.usual(number, table.season.classFor(number, now.dayClass), now.hour);
      return table.slow[at + slow.origin]! + table.past[row + past.seasonOffset]! + usual;
    }
    case "jump":
    case "restless":
      return table.wide[number * wideLength + wide.level]!;
  }
}

/** What the values of a series have spanned around its slow level. */
export function rangeOf({ past: narrows }: SeriesTable, number: number): number {
  const up = number * pastLength + past.record1;
  const down = up + 1;
  const episodes = 2 * channelCount;
  return (
    Math.max(narrows[up]!, narrows[up + episodes]!) + Math.max(narrows[down]!, narrows[down + episodes]!)
  );
}

/** At the end of an episode its greatest deviations become records, and the older ones fade. */
function endEpisode(table: SeriesTable, number: number, scales: Scales): void {
  const left = table.counts[number * countsLength + counts.episodeLeft]!;
  if (left > 1) {
    table.counts[number * countsLength + counts.episodeLeft] = left - 1;
    return;
  }
  table.counts[number * countsLength + counts.episodeLeft] = scales.episodeSteps;
  fadeRun(table, number, scales);
  const row = number * pastLength + past.record1;
  const { past: n } = table;
  for (let first = row; first < row + channelCount; first += 1) {
    const second = first + channelCount;
    const episode = n[second + channelCount]!;
    const faded = n[first]! * scales.recordDecay;
    const fadedSecond = n[second]! * scales.recordDecay;
    if (episode > faded) {
      n[first] = episode;
      n[second] = faded;
    } else {
      n[first] = faded;
      n[second] = episode > fadedSecond ? episode : fadedSecond;
    }
    n[second + channelCount] = 0;
  }
}

/** s asinh(x / s). Up to 2 s by a fraction that is right to 2e-5 (fitted for it); the logarithm costs as much as a third of the step. */
function squashed(deviation: number, scale: number): number {
  if (!(scale > 0)) return deviation;
  const ratio = deviation / scale;
  const t = ratio * ratio;
  if (t <= 4)
    return (deviation * (1 + t * (0.5348538 + t * 0.0248797))) / (1 + t * (0.7011869 + t * 0.068498));
  const size = scale * Math.log(Math.abs(ratio) + Math.sqrt(t + 1));
  return deviation < 0 ? -size : size;
}
