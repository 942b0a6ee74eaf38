/**
 * Rolling windows of one flow: how many events, failures and refusals there were in the last 1, 5, 15 and 60 minutes.
 *
 * Exact counts in pieces of a minute (for the hour, of five), not decayed sums: an operator is told "12 of 40" and can look it up. What
 * a tick brings is spread evenly over the time since the one before, so a tick that is split in two changes nothing.
 */
import { bucket, bucketLength, fives, minutes, row } from "./flow-row.ts";

export const minuteMs = 60_000;
const fiveMs = 5 * minuteMs;
const hourMs = 60 * minuteMs;

/** What ended badly in one way, by where a bucket keeps it. */
export type Bad = typeof bucket.failures | typeof bucket.refusals;

export interface Counts {
  events: number;
  failures: number;
  refusals: number;
}

/** Nominal lengths of the windows; the running minute is the last of each, so they are up to one piece shorter, the first one longer. */
export const windowsMs = [minuteMs, fiveMs, 15 * minuteMs, hourMs] as const;

/** Adds what came between the last counted moment and `toMs`; `closed` is told of each minute that ends, before it goes on. */
export function addCounts(
  rows: Float64Array,
  at: number,
  toMs: number,
  { events, failures, refusals }: Readonly<Counts>,
  closed: (endMs: number) => void,
): void {
  const spanMs = toMs - rows[at + row.countedMs]!;
  for (let fromMs = toMs - spanMs; fromMs < toMs;) {
    const endMs = (Math.floor(fromMs / minuteMs) + 1) * minuteMs;
    const pieceMs = Math.min(endMs, toMs) - fromMs;
    // A whole span is added as it is: counts stay whole numbers.
    const share = pieceMs === spanMs ? 1 : pieceMs / spanMs;
    for (const place of [minutePlace(at, fromMs), fivePlace(at, fromMs)]) {
      rows[place + bucket.events]! += events * share;
      rows[place + bucket.failures]! += failures * share;
      rows[place + bucket.refusals]! += refusals * share;
      rows[place + bucket.seconds]! += pieceMs / 1000;
    }
    fromMs += pieceMs;
    rows[at + row.countedMs] = fromMs;
    if (fromMs !== endMs) continue;
    closed(endMs);
    enterMinute(rows, at, endMs);
  }
}

/** Goes on to `toMs` without knowing what happened meanwhile. */
export function skipTo(rows: Float64Array, at: number, toMs: number): void {
  const fromMs = rows[at + row.countedMs]!;
  rows[at + row.countedMs] = toMs;
  if (toMs - fromMs > hourMs) {
    clearWindows(rows, at, toMs);
    return;
  }
  for (let next = (Math.floor(fromMs / minuteMs) + 1) * minuteMs; next <= toMs; next += minuteMs)
    enterMinute(rows, at, next);
}

/** Forgets what is in the windows, not what was learned. */
export function clearWindows(rows: Float64Array, at: number, sinceMs: number): void {
  rows.fill(0, at + row.minutes, at + row.minutes + (minutes + fives) * bucketLength);
  rows[at + row.sinceMs] = sinceMs;
}

/** Forgets what ended badly, in all windows. */
export function forgetBad(rows: Float64Array, at: number, bad: Bad): void {
  for (let piece = 0; piece < minutes + fives; piece += 1)
    rows[at + row.minutes + piece * bucketLength + bad] = 0;
}

function enterMinute(rows: Float64Array, at: number, startMs: number): void {
  const minute = minutePlace(at, startMs);
  rows.fill(0, minute, minute + bucketLength);
  if (startMs % fiveMs !== 0) return;
  const five = fivePlace(at, startMs);
  rows.fill(0, five, five + bucketLength);
}

function minutePlace(at: number, timeMs: number): number {
  return at + row.minutes + (Math.floor(timeMs / minuteMs) % minutes) * bucketLength;
}

function fivePlace(at: number, timeMs: number): number {
  return at + row.fives + (Math.floor(timeMs / fiveMs) % fives) * bucketLength;
}

/** A window as it was last summed: scratch that is used again. */
export class WindowSum {
  events = 0;
  bad = 0;
  seconds = 0;
  /** Pieces in which something ended badly. */
  badPieces = 0;
  /** From its beginning to the last counted moment. */
  spanMs = 0;

  /** The window `index` of `windowsMs`, up to the last counted moment. */
  sum(rows: Float64Array, at: number, index: number, bad: Bad): this {
    const nowMs = rows[at + row.countedMs]!;
    const sizeMs = windowsMs[index]!;
    const pieceMs = sizeMs === hourMs ? fiveMs : minuteMs;
    // The running minute alone would hold nothing when it begins.
    const pieces = Math.max(2, sizeMs / pieceMs);
    const startMs = (Math.floor(nowMs / pieceMs) + 1 - pieces) * pieceMs;
    return this.#add(rows, at, startMs, pieces, pieceMs, bad, nowMs);
  }

  /** The `pieces` minutes that end at `endMs`, which is where a minute ends. */
  sumClosed(rows: Float64Array, at: number, endMs: number, pieces: number, bad: Bad): this {
    return this.#add(rows, at, endMs - pieces * minuteMs, pieces, minuteMs, bad, endMs);
  }

  #add(
    rows: Float64Array,
    at: number,
    startMs: number,
    pieces: number,
    pieceMs: number,
    bad: Bad,
    endMs: number,
  ): this {
    this.events = 0;
    this.bad = 0;
    this.seconds = 0;
    this.badPieces = 0;
    for (let piece = 0; piece < pieces; piece += 1) {
      const timeMs = startMs + piece * pieceMs;
      const place = pieceMs === minuteMs ? minutePlace(at, timeMs) : fivePlace(at, timeMs);
      this.events += rows[place + bucket.events]!;
      this.bad += rows[place + bad]!;
      this.seconds += rows[place + bucket.seconds]!;
      if (rows[place + bad]! > 0) this.badPieces += 1;
    }
    this.spanMs = endMs - Math.max(startMs, rows[at + row.sinceMs]!);
    return this;
  }
}
