/**
 * When will it be full? Chooses the stretch of history that says it, or finds that none does.
 *
 * Each of the windows has a trend of its own. From short to long, those whose trends agree within their errors form a run, and
 * of a run the longest that is not less sure speaks: as long a look back as the present trend reaches, and no longer
 * (intersection of confidence intervals, Goldenshluger and Nemirovski 1997). The first run that will do is told: upwards,
 * beyond what a walk without drift shows once in a thousand times, still going on, seen for at least a third of the time that
 * it looks ahead, and not a ramp that comes back by habit. After a habit only windows of four of its periods count, and of
 * those the peaks. Cost: 2 us when nothing rises, about 100 us when something does.
 */
import { habitOf } from "./habit.ts";
import type { History } from "./history.ts";
import { errorShareMin, type TimeLeft, timeLeftOf } from "./time-left.ts";
import { type Trend, within95, within999 } from "./trend.ts";
import { Envelope, type Window, windows } from "./windows.ts";

/** Nothing is foretold for longer than this many times what was seen. */
const lookaheadMax = 3;
const periodsMin = 4;
/** A period that is no longer than this is the one that the peaks are of already. */
const samePeriod = 1.5;
/** Rotation within days within weeks; more than that is no habit that anybody keeps. */
const passesMax = 4;
/** Over the last quarter of the window it rose by at least this share of what the trend says. */
const goingOnMin = 0.4;
/** A window whose newer half gains less than this share of what is left cannot be full within the look ahead. */
const gainShareMin = 1 / (4 * lookaheadMax);

export interface Estimate extends TimeLeft {
  readonly trend: Trend;
  readonly window: Window;
  /** Earlier rises came back after about this long, and the trend is of their peaks; 0 when there was no such habit. */
  readonly habitMs: number;
}

export interface Question {
  readonly nowMs: number;
  /** The share at which it is full. */
  readonly limit: number;
  /** No smaller rise matters. */
  readonly riseMin: number;
  /** An open forecast needs less to stay than a new one to begin. */
  readonly open: boolean;
}

interface Speaker {
  readonly trend: Trend;
  readonly window: Window;
}

const envelope = new Envelope();

/** Undefined: nothing says that it will be full. */
export function estimateOf(history: History, question: Question): Estimate | undefined {
  let habitMs = 0;
  for (let pass = 0; pass < passesMax; pass += 1) {
    const said = estimateWith(history, question, habitMs);
    if (typeof said === "object") return said;
    if (said <= habitMs) return undefined;
    habitMs = said;
  }
  return undefined;
}

/** What is said when rises that come back after `habitMs` are known: an estimate, or the period of a longer habit, or nothing new. */
function estimateWith(history: History, question: Question, habitMs: number): Estimate | number {
  const { nowMs, limit, open } = question;
  const errorsMin = open ? within95 : within999;
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  let speaker: Speaker | undefined;
  for (const window of windows) {
    if (window.spanMs < periodsMin * habitMs) continue;
    envelope.fill(history, window, nowMs, habitMs);
    if (!(envelope.gain() > gainShareMin * (limit - envelope.level()))) continue;
    const trend = envelope.trend();
    if (trend === undefined || trend.slope <= errorsMin * trend.error) continue;
    const [from, to] = [trend.slope - within95 * trend.error, trend.slope + within95 * trend.error];
    if (speaker !== undefined && (from > high || to < low)) {
      const judged = judge(history, speaker, question, habitMs);
      if (typeof judged === "object" || judged > habitMs) return judged;
      [speaker, low, high] = [undefined, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    }
    low = Math.max(low, from);
    high = Math.min(high, to);
    if (isSurer(trend, speaker) && envelope.goingOn(trend) >= goingOnMin) speaker = { trend, window };
  }
  return speaker === undefined ? habitMs : judge(history, speaker, question, habitMs);
}

function isSurer(trend: Trend, speaker: Speaker | undefined): boolean {
  if (speaker === undefined) return true;
  return trend.error <= Math.max(speaker.trend.error, errorShareMin * speaker.trend.slope);
}

/** The estimate, or, when the run will not do, the period of the longest habit known. */
function judge(
  history: History,
  { trend, window }: Speaker,
  { nowMs, limit, riseMin }: Question,
  habitMs: number,
): Estimate | number {
  const left = timeLeftOf(trend, limit, habitMs);
  const distance = limit - trend.level;
  if (left === undefined || left.leftMs > lookaheadMax * trend.spanMs) return habitMs;
  if (trend.rise < Math.min(riseMin, distance / 2)) return habitMs;
  // The newest block of a long window still holds what was there before it was emptied.
  if (habitMs === 0 && history.newestHigh() < emptiedBelow(trend)) return habitMs;
  const periodMs = habitOf(history, { ...trend, distance, leftMs: left.leftMs }, nowMs);
  return periodMs > samePeriod * habitMs ? periodMs : { ...left, trend, window, habitMs };
}

/** With less than this it has been emptied: more than half of the rise is gone. */
export function emptiedBelow({ level, rise }: Trend): number {
  return level - rise / 2;
}

/** What `history` did in the window that another series' forecast looks at; undefined when it did not rise for certain. */
export function riseWithin(history: History, window: Window, nowMs: number): number | undefined {
  envelope.fill(history, window, nowMs, 0);
  const trend = envelope.trend();
  return trend !== undefined && trend.slope > within95 * trend.error ? trend.rise : undefined;
}
