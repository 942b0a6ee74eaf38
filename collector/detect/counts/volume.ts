/**
 * Did events stop coming? "No transactions on this node" is judged by how probable so few are, not by a threshold of silence.
 *
 * Expected is the level of the last twenty minutes. A minute that brings less than a quarter of it begins a run: the level stands still,
 * and what came during the run is compared with what was expected as a negative binomial count, a Poisson count whose rate itself
 * varies; how much is learned from minutes by the method of moments. The run is worth telling when it is improbable, a tenth of
 * what was expected or less, and at least forty events are missing within twenty minutes: where 0.2 a minute are usual,
 * nothing is nothing.
 *
 * Shops close and batches end: a run that begins at an hour of the day, give or take one, at which such runs began on a third of the
 * days is a habit and not told. So nothing is told before a day was watched. What stops once a week at an hour of its own is told.
 */
import { row, volume } from "./flow-row.ts";
import { scoreWanted, surpriseOfScarcity } from "./tails.ts";

const volumeScoreMin = 7;
/** A run goes on below this share of what is expected, and is told below the second one. */
const lowShare = 0.25;
export const toldShare = 0.1;
const missingMin = 40;
/** The level is known. */
const warmMinutes = 30;
/** A run that was not told soon is how things are now. */
const runMinutesMax = 20;

const levelMinutes = 20;
const priorDispersion = 0.1;
const priorMinutes = 30;
const dispersionMax = 100;
const minutesMax = 3 * 1440;
const fade = 2 ** (-1 / minutesMax);
/** Habits are those of the last week or two. */
const hourFade = 2 ** (-1 / (7 * 24));
const habitShare = 1 / 3;
const hourMs = 3_600_000;

export interface VolumeFinding {
  readonly events: number;
  readonly expected: number;
  readonly runMs: number;
  readonly minutes: number;
  readonly score: number;
  readonly exceeds: boolean;
}

/** Events per second as they were last. */
export function levelOf(rows: Float64Array, at: number): number {
  return rows[at + row.volume + volume.level]!;
}

/** One more tick: since when there is nothing at all. */
export function followQuiet(rows: Float64Array, at: number, toMs: number, events: number): void {
  const quiet = at + row.volume + volume.quietMs;
  if (events > 0) rows[quiet] = 0;
  else if (rows[quiet] === 0) rows[quiet] = toMs;
}

/** A minute that has ended. */
export interface Minute {
  readonly endMs: number;
  /** Of it were seen. */
  readonly seconds: number;
  readonly events: number;
  /** Multiplies what is wanted. */
  readonly factor: number;
  /** Told already. */
  readonly open: boolean;
}

/** The run that goes on with this minute, or null. */
export function judgeMinute(rows: Float64Array, at: number, minute: Minute): VolumeFinding | null {
  const { endMs, events, seconds, factor, open } = minute;
  if (!(seconds > 0)) return null;
  const v = at + row.volume;
  if (endMs % hourMs === 0) fadeHabits(rows, v);
  if (!open && rows[v + volume.runMinutes]! >= runMinutesMax) endRun(rows, v, false);
  const inRun = rows[v + volume.runMs]! !== 0;
  const expected = rows[v + volume.level]! * seconds;
  if (rows[v + volume.minutes]! < warmMinutes || events >= lowShare * expected) {
    if (inRun) endRun(rows, v, open);
    learnMinute(rows, v, events, seconds);
    return null;
  }
  if (!inRun) rows[v + volume.runMs] = endMs - seconds * 1000;
  rows[v + volume.runEvents]! += events;
  rows[v + volume.runExpected]! += expected;
  rows[v + volume.runMinutes]! += 1;
  return findingOf(rows, v, factor);
}

function findingOf(rows: Float64Array, v: number, factor: number): VolumeFinding {
  const events = rows[v + volume.runEvents]!;
  const expected = rows[v + volume.runExpected]!;
  const runMs = rows[v + volume.runMs]!;
  const score = surpriseOfScarcity(events, expected, dispersionOf(rows, v));
  const matters = events <= toldShare * expected && expected - events >= factor * missingMin;
  const worth = matters && score >= scoreWanted(volumeScoreMin, factor);
  if (worth) rows[v + volume.runWorth] = 1;
  return {
    events: Math.round(events),
    expected,
    runMs,
    minutes: rows[v + volume.runMinutes]!,
    score,
    exceeds: worth && !isHabit(rows, v, runMs),
  };
}

/** Forgets a run. What was not told was within what is usual here, and is learned as it was. */
function endRun(rows: Float64Array, v: number, told: boolean): void {
  const minutes = rows[v + volume.runMinutes]!;
  if (rows[v + volume.runWorth] === 1) rows[v + hourOf(rows[v + volume.runMs]!)]! += 1;
  if (!told) {
    const level = rows[v + volume.level]!;
    const events = rows[v + volume.runEvents]!;
    const expected = rows[v + volume.runExpected]!;
    learnDispersion(rows, v, events, expected, fade ** minutes);
    const rate = (events / expected) * level;
    rows[v + volume.level] = rate + Math.exp(-minutes / levelMinutes) * (level - rate);
  }
  clearRun(rows, v);
}

function clearRun(rows: Float64Array, v: number): void {
  rows.fill(0, v + volume.runMs, v + volume.runWorth + 1);
}

/** After a gap nobody knows whether the run went on. */
export function forgetRun(rows: Float64Array, at: number): void {
  clearRun(rows, at + row.volume);
  rows[at + row.volume + volume.quietMs] = 0;
}

/** What lasted for hours is how it is now. */
export function acceptVolume(rows: Float64Array, at: number): void {
  const v = at + row.volume;
  const level = rows[v + volume.runEvents]! / (60 * rows[v + volume.runMinutes]!);
  endRun(rows, v, true);
  rows[v + volume.level] = level;
}

function fadeHabits(rows: Float64Array, v: number): void {
  for (let at = v + volume.hours; at < v + volume.hours + 24; at += 1) rows[at]! *= hourFade;
  rows[v + volume.watchedHours] = hourFade * rows[v + volume.watchedHours]! + 1;
}

/** Where the runs are counted that began at this hour of the day, UTC. */
function hourOf(timeMs: number): number {
  return volume.hours + (Math.floor(timeMs / hourMs) % 24);
}

function isHabit(rows: Float64Array, v: number, runMs: number): boolean {
  const days = rows[v + volume.watchedHours]! / 24;
  // A day of 24 hours that faded a little.
  if (days < 0.95) return true;
  const runs = [runMs - hourMs, runMs, runMs + hourMs].map((timeMs) => rows[v + hourOf(timeMs)]!);
  return runs[0]! + runs[1]! + runs[2]! > habitShare * days;
}

function learnMinute(rows: Float64Array, v: number, events: number, seconds: number): void {
  const minutes = rows[v + volume.minutes]!;
  const level = rows[v + volume.level]!;
  if (minutes > 0) learnDispersion(rows, v, events, level * seconds, fade);
  const weight = Math.max(1 / (minutes + 1), -Math.expm1(-seconds / 60 / levelMinutes));
  rows[v + volume.level] = level + weight * (events / seconds - level);
  rows[v + volume.minutes] = Math.min(minutesMax, minutes + 1);
}

/** Sums whose ratio is the relative variance of the rate. A burst counts as three times what was expected at most. */
function learnDispersion(
  rows: Float64Array,
  v: number,
  events: number,
  expected: number,
  kept: number,
): void {
  const most = 3 * Math.max(1, expected);
  const deviation = Math.max(-most, Math.min(most, events - expected));
  rows[v + volume.squares] = kept * rows[v + volume.squares]! + deviation * deviation - expected;
  rows[v + volume.means] = kept * rows[v + volume.means]! + expected * expected;
}

/** With a prior worth half an hour. */
function dispersionOf(rows: Float64Array, v: number): number {
  const minutes = rows[v + volume.minutes]!;
  const ratio = rows[v + volume.squares]! / rows[v + volume.means]!;
  const estimate = Math.min(dispersionMax, Math.max(0, ratio));
  return (minutes * estimate + priorMinutes * priorDispersion) / (minutes + priorMinutes);
}
