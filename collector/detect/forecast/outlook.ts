/**
 * From estimates, which come and go, to what is believed, and from that to what is told: once, again when it changed, and when
 * it is over.
 *
 * An estimate is believed when others have agreed with it for a twentieth of the time left: the times that they name stayed
 * within its interval. That of a cache that fills slower and slower, of a large copy or of a walk runs away. What is believed
 * gives way only to another estimate that has stood as long, outlives a pause, and is told when even its early end is near.
 */
import { emptiedBelow, type Estimate } from "./estimate.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Told when it may be full within this time. */
export const noticeMs = 24 * hourMs;
/** Until a day and a half has been seen nobody knows what is a habit of the day: only what is near is told. */
export const youngMs = 36 * hourMs;
const youngNoticeMs = 4 * hourMs;
/** What is told stays until it is so much farther than the notice. */
const keepFactor = 1.5;
/** Believed after this share of the time left, within these bounds. */
const confirmShare = 1 / 20;
const confirmMsMin = 3 * minuteMs;
const confirmMsMax = hourMs;
/** Estimates that may be missing before one is believed. */
const missesMax = 1;
/** Over without an estimate for this share of what it looked back on, within these bounds. */
const patienceShare = 1 / 8;
const patienceMsMin = 10 * minuteMs;
const patienceMsMax = 3 * hourMs;
/**
 * Told again when the time left is this share of what was told last, or as much longer (minutes change no statement), and when the
 * time that was told has come and it is not full.
 */
const changeShare = 0.8;
const slackMs = 5 * minuteMs;

/** Times are milliseconds since 1970 UTC. */
export interface Span {
  readonly likelyMs: number;
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** Plain JSON, kept over a restart. */
export interface Outlook {
  /** The first of the estimates that agree, since when, and how many have been missing since the last. */
  readonly candidate: (Span & { readonly sinceMs: number; readonly misses: number }) | null;
  readonly believed: Belief | null;
  readonly told: { readonly startedMs: number; readonly likelyMs: number; readonly leftMs: number } | null;
}

export interface Belief extends Span {
  /** When the last estimate agreed, and what it looked back on. */
  readonly seenMs: number;
  readonly spanMs: number;
  /** Below this it has been emptied. */
  readonly emptiedLevel: number;
}

export const noOutlook: Outlook = { candidate: null, believed: null, told: null };

export interface Seen {
  readonly nowMs: number;
  /** How long the series has been known. */
  readonly knownMs: number;
  /** The newest share of the limit. */
  readonly level: number;
  readonly estimate: Estimate | undefined;
}

export interface Step {
  readonly outlook: Outlook;
  /** What is to be said, if anything. */
  readonly news: "began" | "changed" | "ended" | null;
}

export function step(before: Outlook, seen: Seen): Step {
  const { candidate, believed } = considered(before, seen);
  const { told } = before;
  if (believed === null) return { outlook: { candidate, believed, told: null }, news: told && "ended" };
  // Nothing new was learned: nothing new is said.
  if (believed.seenMs !== seen.nowMs) return { outlook: { candidate, believed, told }, news: null };
  const earlyMs = believed.earliestMs - seen.nowMs;
  const leftMs = believed.likelyMs - seen.nowMs;
  if (told === null) {
    const near = earlyMs <= (seen.knownMs < youngMs ? youngNoticeMs : noticeMs);
    const now = near ? { startedMs: seen.nowMs, likelyMs: believed.likelyMs, leftMs } : null;
    return { outlook: { candidate, believed, told: now }, news: now && "began" };
  }
  if (earlyMs > keepFactor * noticeMs) return { outlook: { candidate, believed, told: null }, news: "ended" };
  const ratio = (leftMs + slackMs) / (told.leftMs + slackMs);
  const isPast = told.likelyMs < seen.nowMs && leftMs > slackMs;
  const changed = isPast || ratio <= changeShare || ratio >= 1 / changeShare;
  const now = changed ? { startedMs: told.startedMs, likelyMs: believed.likelyMs, leftMs } : told;
  return { outlook: { candidate, believed, told: now }, news: changed ? "changed" : null };
}

function considered({ candidate, believed }: Outlook, seen: Seen): Pick<Outlook, "candidate" | "believed"> {
  const { nowMs, level, estimate } = seen;
  const holds = believed !== null && !isOver(believed, nowMs, level);
  const kept = holds ? believed : null;
  if (estimate === undefined) {
    const misses = (candidate?.misses ?? 0) + 1;
    return {
      candidate: candidate !== null && misses <= missesMax ? { ...candidate, misses } : null,
      believed: kept,
    };
  }
  const atMs = nowMs + estimate.leftMs;
  if (kept !== null && isWithin(atMs, kept)) return { candidate: null, believed: beliefOf(nowMs, estimate) };
  if (candidate === null || !isWithin(atMs, candidate))
    return { candidate: { ...spanOf(nowMs, estimate), sinceMs: nowMs, misses: 0 }, believed: kept };
  const confirmMs = Math.min(confirmMsMax, Math.max(confirmMsMin, estimate.leftMs * confirmShare));
  if (nowMs - candidate.sinceMs < confirmMs)
    return { candidate: { ...candidate, misses: 0 }, believed: kept };
  return { candidate: null, believed: beliefOf(nowMs, estimate) };
}

function isOver({ seenMs, spanMs, emptiedLevel }: Belief, nowMs: number, level: number): boolean {
  const patienceMs = Math.min(patienceMsMax, Math.max(patienceMsMin, spanMs * patienceShare));
  return nowMs - seenMs >= patienceMs || level < emptiedLevel;
}

function isWithin(atMs: number, span: Span): boolean {
  return atMs >= span.earliestMs && atMs <= span.latestMs;
}

function beliefOf(nowMs: number, estimate: Estimate): Belief {
  const { trend, habitMs } = estimate;
  // With a habit it is emptied again and again.
  const emptiedLevel = habitMs > 0 ? 0 : emptiedBelow(trend);
  return { ...spanOf(nowMs, estimate), seenMs: nowMs, spanMs: trend.spanMs, emptiedLevel };
}

function spanOf(nowMs: number, { leftMs, earlyMs, lateMs }: Estimate): Span {
  return {
    likelyMs: Math.round(nowMs + leftMs),
    earliestMs: Math.round(nowMs + earlyMs),
    latestMs: Math.round(nowMs + lateMs),
  };
}
