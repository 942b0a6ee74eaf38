/**
 * What detection keeps per series: 16 numbers in one row of a typed array, and its policy beside it: 161 bytes a series;
 * what describes the series is an object (478 bytes of heap, measured).
 *
 * Rows are in series order, which is the order of a batch's columns, so judging a batch walks memory straight on (random
 * order costs five times as much). Growth doubles; nothing here is an object per series but the description of what it is.
 */
import { meaningOf, type Meaning } from "#shared/semantics.ts";
import { seriesId, type Series } from "#shared/series.ts";

/** Columns of a row. Times are milliseconds since 1970 UTC; levels are in the unit that is judged. */
export const slot = {
  /** Last raw value of a counter and its time; NaN before the first. */
  raw: 0,
  rawMs: 1,
  /** Time of the first sample learned, and of the last one seen. */
  sinceMs: 2,
  lastMs: 3,
  count: 4,
  /** Exponentially weighted level and variance around it, fast (minutes) and slow (hours). */
  fast: 5,
  fastVariance: 6,
  slow: 7,
  slowVariance: 8,
  low: 9,
  high: 10,
  /** Largest deviation ever from the slow level, fading with `recordHalfLifeMs`. */
  recordUp: 11,
  recordDown: 12,
  /** Start of the current run of samples that exceed, 0 when there is none; their number. */
  exceededMs: 13,
  streak: 14,
  /** Samples in a row that were as expected again while an anomaly is open. */
  calm: 15,
} as const;
export const rowLength = 16;

export const policySlot = { floor: 0, floorShare: 1, bound: 2 } as const;
export const policyLength = 3;

export const flag = {
  judged: 1,
  rate: 2,
  badUp: 4,
  badDown: 8,
  /** Judged by its own history from now on. */
  ready: 16,
  open: 32,
  instant: 64,
  /** Trouble at its bound is trouble even when it is usual: what is full stays full. */
  boundAlways: 128,
} as const;

export interface SeriesInfo {
  readonly series: Series;
  readonly id: string;
  readonly meaning: Meaning;
}

/** The rows of one host. */
export class SeriesTable {
  readonly host: string;
  info: (SeriesInfo | undefined)[] = [];
  rows = new Float64Array(0);
  policy = new Float64Array(0);
  flags = new Uint8Array(0);
  /** What operators' feedback multiplies each threshold by (`feedback.ts`); follows from the list of it, so no snapshot has it. */
  feedback = new Float64Array(0);

  constructor(host: string) {
    this.host = host;
  }

  /** Gives `number` to `series` and forgets what was there. */
  define(number: number, series: Series): void {
    this.#widen(number + 1);
    const meaning = meaningOf(series, this.host);
    this.info[number] = { series, id: seriesId(series), meaning };
    this.policy.set([meaning.floor, meaning.floorShare, meaning.bound ?? Number.NaN], number * policyLength);
    const row = this.rows.subarray(number * rowLength, (number + 1) * rowLength).fill(0);
    row[slot.raw] = Number.NaN;
    row[slot.low] = Number.POSITIVE_INFINITY;
    row[slot.high] = Number.NEGATIVE_INFINITY;
    this.flags[number] = flagsOf(meaning);
    this.feedback[number] = 1;
  }

  /** The series' history is that it was 0: ready at once. */
  bornAtZero(number: number, nowMs: number): void {
    const row = this.rows.subarray(number * rowLength, (number + 1) * rowLength);
    row[slot.low] = 0;
    row[slot.high] = 0;
    row[slot.count] = 1;
    row[slot.sinceMs] = nowMs;
    this.flags[number]! |= flag.ready;
  }

  /** Puts a snapshot's columns in place of those of the same definitions. */
  restore(rows: Float64Array, flags: Uint8Array): void {
    this.#widen(flags.length);
    this.rows.set(rows);
    this.flags.set(flags);
  }

  #widen(length: number): void {
    if (length <= this.flags.length) return;
    const capacity = Math.max(64, length, this.flags.length * 2);
    const rows = new Float64Array(capacity * rowLength);
    rows.set(this.rows);
    const policy = new Float64Array(capacity * policyLength);
    policy.set(this.policy);
    const flags = new Uint8Array(capacity);
    flags.set(this.flags);
    const feedback = new Float64Array(capacity).fill(1);
    feedback.set(this.feedback);
    this.feedback = feedback;
    this.rows = rows;
    this.policy = policy;
    this.flags = flags;
  }
}

function flagsOf(meaning: Meaning): number {
  if (meaning.role === "context") return 0;
  const up = meaning.badDirection !== "down" ? flag.badUp : 0;
  const down = meaning.badDirection !== "up" ? flag.badDown : 0;
  const fills = meaning.resource === "space" || meaning.resource === "memory" ? flag.boundAlways : 0;
  return (
    flag.judged | (meaning.rate ? flag.rate : 0) | up | down | (meaning.instant ? flag.instant : 0) | fills
  );
}
