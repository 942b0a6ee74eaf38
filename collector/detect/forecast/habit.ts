/**
 * Does the series rise like this as a habit, and come back? Log rotation, a nightly clean-up, a garbage collector, the working
 * day: the present ramp says nothing then, only the peaks of many ramps do.
 *
 * The history is cut into legs at turning points of half the present rise (as rainflow counting does, Matsuishi and Endo
 * 1968). Earlier upward legs that were about as steep and came down again are the same ramp: two of them are a habit, and one
 * is if it was a day ago to the hour. A ramp that has risen well beyond all their peaks has broken the habit. An operator's
 * clean-up a week ago is one leg and makes no habit. Cost: one pass over at most 576 bins, about 3 us.
 */
import { type History, ringBins, ringCount, ringStepsMs } from "./history.ts";

const dayMs = 86_400_000;
/** Turning points of this share of the present rise count. */
const turningShare = 0.5;
/** About as steep: within this factor. */
const steepnessFactor = 3;
const legsMin = 2;
/** A leg that came as close to the limit as this was trouble, not a habit. */
const nearLimit = 0.02;
/** It had stopped: it gained less than this share of what the present trend says. */
const pausedShare = 0.75;
const weekDays = 7;
/** Beyond the earlier peaks by this share of the present rise: the habit is broken. */
const brokenShare = 0.25;

export interface Ramp {
  readonly rise: number;
  readonly spanMs: number;
  /** The share of the limit now. */
  readonly level: number;
  /** What is ahead, at most, and in what time. */
  readonly distance: number;
  readonly leftMs: number;
}

interface Leg {
  readonly startMs: number;
  readonly peakMs: number;
  readonly rise: number;
  readonly peak: number;
  readonly stepMs: number;
}

/** The habit's period, or 0 when `ramp` is none. */
export function habitOf(history: History, ramp: Ramp, nowMs: number): number {
  const periodMs = rampPeriodOf(history, ramp, nowMs);
  return periodMs === 0 && pausedBefore(history, ramp, nowMs) ? dayMs : periodMs;
}

function rampPeriodOf(history: History, ramp: Ramp, nowMs: number): number {
  const troubleFrom = ramp.level + ramp.distance - nearLimit;
  const legs = legsBefore(history, ramp.rise * turningShare);
  const similar = legs.filter((leg) => leg.peak < troubleFrom && isAsSteep(leg, ramp));
  const [first] = similar;
  if (first === undefined) return wasSameYesterday(history, ramp, nowMs) ? dayMs : 0;
  if (ramp.level > nextPeak(similar) + brokenShare * ramp.rise) return 0;
  if (similar.length >= legsMin) return periodOf(similar);
  const knownMs = nowMs - history.originMs;
  const tooYoung = knownMs < (legsMin + 0.5) * (nowMs - ramp.spanMs - first.startMs);
  return tooYoung ? nowMs - first.peakMs : wasSameYesterday(history, ramp, nowMs) ? dayMs : 0;
}

/** Upward legs of at least `turning` that came down by as much, oldest first. */
export function legsBefore(history: History, turning: number): Leg[] {
  const legs: Leg[] = [];
  let rising = false;
  let extreme = Number.NaN;
  let extremeMs = 0;
  let trough = Number.NaN;
  let troughMs = 0;
  const turn = (value: number, atMs: number, stepMs: number): void => {
    if (Number.isNaN(extreme) || (rising ? value >= extreme : value <= extreme)) {
      extreme = value;
      extremeMs = atMs;
    } else if (Math.abs(value - extreme) >= turning) {
      if (rising)
        legs.push({ startMs: troughMs, peakMs: extremeMs, rise: extreme - trough, peak: extreme, stepMs });
      else [trough, troughMs] = [extreme, extremeMs];
      rising = !rising;
      extreme = value;
      extremeMs = atMs;
    }
  };
  for (let ring = ringCount - 1; ring >= 0; ring -= 1) {
    const stepMs = ringStepsMs[ring]!;
    const newest = history.newest[ring]!;
    // A finer ring takes over from where it begins.
    const finer = ring === 0 ? newest + 1 : Math.floor(finerStart(history, ring) / stepMs);
    for (let bin = Math.max(0, newest - ringBins + 1); bin < finer; bin += 1) {
      const low = history.low(ring, bin);
      if (Number.isNaN(low)) continue;
      const atMs = history.originMs + (bin + 0.5) * stepMs;
      const high = history.high(ring, bin);
      // Which of the two came first, the bins beside it tell.
      const falls = history.high(ring, bin - 1) > history.high(ring, bin + 1);
      turn(falls ? high : low, atMs, stepMs);
      turn(falls ? low : high, atMs, stepMs);
    }
  }
  return legs;
}

/** Where the next finer ring begins, from the origin. */
function finerStart(history: History, ring: number): number {
  const oldest = Math.max(0, history.newest[ring - 1]! - ringBins + 1);
  return oldest * ringStepsMs[ring - 1]!;
}

/** The highest peak so far, and as much more as peaks gained each time; of one peak nobody knows, so half its rise. */
function nextPeak(legs: readonly Leg[]): number {
  const peak = Math.max(...legs.map((leg) => leg.peak));
  if (legs.length < legsMin) return peak + legs[0]!.rise / 4;
  const gains = legs.slice(1).map((leg, index) => leg.peak - legs[index]!.peak);
  return peak + Math.max(0, medianOf(gains));
}

function isAsSteep(leg: Leg, ramp: Ramp): boolean {
  const [until, from] = [ramp.rise / ramp.spanMs, ramp.distance / ramp.leftMs];
  const spanMs = leg.peakMs - leg.startMs;
  const least = leg.rise / (spanMs + leg.stepMs);
  const most = leg.rise / Math.max(leg.stepMs / 4, spanMs - leg.stepMs);
  return most * steepnessFactor >= Math.min(until, from) && least <= steepnessFactor * Math.max(until, from);
}

function periodOf(legs: readonly Leg[]): number {
  return medianOf(legs.slice(1).map((leg, index) => leg.peakMs - legs[index]!.peakMs));
}

function medianOf(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}

/** A day ago it had risen by half as much in the same time, and it is not much above what it came to then. */
function wasSameYesterday(history: History, ramp: Ramp, nowMs: number): boolean {
  const then = history.highAt(nowMs - dayMs);
  const before = history.highAt(nowMs - dayMs - ramp.spanMs);
  return then - before >= turningShare * ramp.rise && ramp.level <= then + brokenShare * ramp.rise;
}

/** On the last day on which it rose like this at this hour, it had stopped long before the limit would have been reached. */
function pausedBefore(history: History, { rise, spanMs, distance, leftMs }: Ramp, nowMs: number): boolean {
  const aheadMs = Math.min(leftMs, dayMs);
  const expected = (distance / leftMs) * aheadMs;
  for (let days = 1; days <= weekDays; days += 1) {
    const thenMs = nowMs - days * dayMs;
    const then = history.highAt(thenMs);
    const rose = then - history.highAt(thenMs - spanMs);
    if (!(rose >= turningShare * rise)) continue;
    const went = history.highAt(thenMs + aheadMs) - then;
    return went < pausedShare * expected && rise <= (1 + brokenShare) * (rose + Math.max(0, went));
  }
  return false;
}
