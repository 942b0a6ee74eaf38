/**
 * Flat lines: a series that always moves, and now stands exactly still. An exporter that hangs and repeats its last answer, a
 * counter whose source froze, a flow that stopped; nothing of it is far from anything, so no other detector sees it.
 *
 * Counted are steps whose value is that of the step before. A run of them is told when it is three times as long as the longest
 * one known (which fades like a record), at least an hour, and the series moved in nine of ten steps before it. So what is
 * constant by nature (limits, errors at night, what is counted in few whole numbers) is never told: it has stood still before.
 * Only series are looked at of which both directions are bad, or that are a flow; and only once a day of them was known when it began, of this
 * class of days two: the first weekend of a thing that rests at weekends is none. It is evidence whatever the metric is: it opens no incident.
 *
 * A run that was told counts as no longer than twice the longest before it, so that the next one is told too.
 * Cost: nothing for a sample, a comparison for a step; 6 bytes a series.
 */
import type { Scales } from "./scales.ts";
import * as state from "./series-state.ts";
import type { SeriesTable } from "./series-state.ts";

const { countMax, counts, countsLength, flag } = state;

const longerThanKnown = 3;
const hourMs = 3_600_000;
const shortestMs = hourMs;
const knownMs = 86_400_000;
/** Of the steps before it, in which the series moved. */
const movingShare = 0.9;
/** Over how many steps that share is counted. */
const shareSteps = 512;
/** From here on what moves once more changes the share by less than half of the unit in which it is kept. */
const alwaysMoving = countMax - shareSteps / 2 + 1;
/** Single floats keep seven digits: what differs by less is the same. */
const sameShare = 1e-7;
const rounding = 1e-12;

/** Whether two steps have one value: they differ by `difference`, and the later one from the level of the last hours by `deviation`. */
export function isSame(difference: number, deviation: number, value: number): boolean {
  return Math.abs(difference) <= sameShare * Math.abs(deviation) + rounding * Math.abs(value);
}

/** One step of one series; `same`: its value is that of the step before. Keeps `flag.flat`, which says that it stands still for too long. */
export function stepFlat(
  table: SeriesTable,
  number: number,
  same: boolean,
  dayClass: number,
  scales: Scales,
): void {
  const { counts: numbers, flags } = table;
  const at = number * countsLength;
  const run = numbers[at + counts.run]!;
  if (same) {
    if (run === countMax) return;
    numbers[at + counts.run] = run + 1;
    const isWatched = (flags[number]! & (flag.mustMove | flag.flat)) === flag.mustMove;
    if (isWatched && isTooLong(table, number, dayClass, scales)) flags[number]! |= flag.flat;
    return;
  }
  const steps = numbers[at + counts.steps]!;
  // What always moves, as most do: its share would be rounded to what it is.
  if (run === 0 && steps >= shareSteps && numbers[at + counts.moving]! >= alwaysMoving) return;
  const longest = numbers[at + counts.longestRun]!;
  const learned = (flags[number]! & flag.flat) === 0 ? run : Math.min(run, 2 * leastRun(longest, scales));
  const moving = numbers[at + counts.moving]! / countMax;
  const weight = Math.max(1 / (steps + 1), 1 / shareSteps);
  const before = moving * (1 - Math.min(1, learned * weight));
  numbers[at + counts.moving] = Math.round(countMax * (before + weight * (1 - before)));
  if (run === 0) return;
  if (learned > longest) numbers[at + counts.longestRun] = learned;
  numbers[at + counts.run] = 0;
  flags[number]! &= ~flag.flat;
}

/** The longest run known, or what would have to be known for an hour to be told. */
function leastRun(longest: number, { stepMs }: Scales): number {
  return Math.max(longest, Math.ceil(shortestMs / stepMs / longerThanKnown));
}

function isTooLong(table: SeriesTable, number: number, dayClass: number, scales: Scales): boolean {
  const at = number * countsLength;
  const { counts: numbers } = table;
  const run = numbers[at + counts.run]!;
  const least = longerThanKnown * leastRun(numbers[at + counts.longestRun]!, scales);
  if (run < least) return false;
  const known = numbers[at + counts.steps]! - run;
  if (known < scales.warmSteps || known * scales.stepMs < knownMs) return false;
  if (!table.season.isKnown(number, dayClass, Math.ceil((run * scales.stepMs) / hourMs))) return false;
  const { thresholdFactor } = table.policyOf(number);
  return (
    numbers[at + counts.moving]! >= movingShare * countMax &&
    run >= least * thresholdFactor * table.feedbackOf(number)
  );
}

/** For how long a series has stood still, and for how long it ever did before, in milliseconds. */
export interface Standstill {
  readonly still: number;
  readonly longest: number;
}

export function standstill(table: SeriesTable, number: number, stepMs: number): Standstill {
  const at = number * countsLength;
  const { counts: numbers } = table;
  return {
    still: numbers[at + counts.run]! * stepMs,
    // What moves at every step stays where it is for one.
    longest: Math.max(1, numbers[at + counts.longestRun]!) * stepMs,
  };
}

/** At the end of an episode the longest run fades. */
export function fadeRun(table: SeriesTable, number: number, { recordDecay }: Scales): void {
  const at = number * countsLength + counts.longestRun;
  table.counts[at] = Math.round(table.counts[at]! * recordDecay);
}
