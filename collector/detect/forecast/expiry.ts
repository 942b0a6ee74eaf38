/**
 * When a certificate ends is no forecast but a fact; what is to be known is when to say so.
 *
 * Two weeks before, or, for one that was seen to be renewed, a quarter of its life before: certificates that live for a day
 * and are renewed every few hours are nobody's trouble until a renewal fails to come. A certificate that ended is told until
 * another one takes its place.
 */
import type { Span } from "./outlook.ts";

const dayMs = 86_400_000;

export const expiryNoticeMs = 14 * dayMs;
const lifeShare = 1 / 4;
/** Values from here on are times in seconds since 1970; seconds left are fewer: this many are 31 years. */
const timesFrom = 1e9;
/** An end longer ago than this is an exporter's way to say that there is no certificate. */
const longAgoMs = 400 * dayMs;
/**
 * Ends that differ by less are one certificate's: seconds left are rounded, and read a while ago. An end is told when it was
 * seen twice: seconds that do not grow fewer are no certificate's.
 */
const sameMs = 60_000;
/** Told again at each of these. */
const stepsMs = [7 * dayMs, 3 * dayMs, dayMs, 0] as const;

/** Plain JSON, kept over a restart. */
export interface Expiry {
  readonly endMs: number;
  /** How long the present certificate had when it was new; null when it was not seen to come. */
  readonly lifeMs: number | null;
  /** Since when it is told, and how many of the steps were. */
  readonly told: { readonly startedMs: number; readonly steps: number } | null;
}

export interface ExpiryStep {
  readonly expiry: Expiry | null;
  readonly news: "began" | "changed" | "ended" | null;
}

/** `value`: a time in seconds since 1970, or seconds left. */
export function stepExpiry(before: Expiry | null, value: number, nowMs: number): ExpiryStep {
  // Seconds left may stop at 0 when it is over; elsewhere 0 is no certificate.
  const isOver = value === 0 && before !== null && before.endMs - nowMs <= sameMs;
  const endMs = isOver ? before.endMs : value >= timesFrom ? value * 1000 : nowMs + value * 1000;
  if ((value === 0 && !isOver) || nowMs - endMs > longAgoMs)
    return { expiry: null, news: before?.told ? "ended" : null };
  const renewed = before !== null && endMs - before.endMs > sameMs;
  const lifeMs = renewed ? endMs - nowMs : (before?.lifeMs ?? null);
  const noticeMs = Math.min(expiryNoticeMs, (lifeMs ?? Number.POSITIVE_INFINITY) * lifeShare);
  const leftMs = endMs - nowMs;
  const told = before?.told ?? null;
  if (leftMs > noticeMs || before === null || renewed)
    return { expiry: { endMs, lifeMs, told: null }, news: told && "ended" };
  const steps = stepsMs.filter((stepMs) => leftMs <= stepMs).length;
  const startedMs = told?.startedMs ?? nowMs;
  const news = told === null ? "began" : steps === told.steps ? null : "changed";
  return { expiry: { endMs, lifeMs, told: { startedMs, steps } }, news };
}

export function spanOfExpiry({ endMs }: Expiry): Span {
  const likelyMs = Math.round(endMs);
  return { likelyMs, earliestMs: likelyMs, latestMs: likelyMs };
}
