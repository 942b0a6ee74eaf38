/**
 * What detection keeps per series: 16 numbers in one row of a typed array, and its policy and feedback beside it: 169 bytes a series;
 * what describes the series is an object (478 bytes of heap, measured).
 *
 * Rows are in series order, which is the order of a batch's columns, so judging a batch walks memory straight on (random
 * order costs five times as much). Growth doubles; nothing here is an object per series but the description of what it is.
 */
import { meaningOf, type Meaning } from "#shared/semantics.ts";
import { seriesId, type Series } from "#shared/series.ts";
import { meaningUnder, type Policies, type SeriesPolicy } from "./policy.ts";

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

export const policySlot = { floor: 0, floorShare: 1, bound: 2, thresholdFactor: 3 } as const;
export const policyLength = 4;

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
/** What is learned; the other flags follow from the policy. */
const learnedFlags = flag.ready | flag.open;

export interface SeriesInfo {
  readonly series: Series;
  readonly id: string;
  /** Under its policy. */
  readonly meaning: Meaning;
}

/** The rows of one host. */
export class SeriesTable {
  readonly host: string;
  info: (SeriesInfo | undefined)[] = [];
  rows = new Float64Array(0);
  policy = new Float64Array(0);
  flags = new Uint8Array(0);
  readonly #policies: Policies;
  /** What operators' feedback multiplies each threshold by (`feedback.ts`); follows from the list of it, so no snapshot has it. */
  feedback = new Float64Array(0);

  constructor(host: string, policies: Policies) {
    this.host = host;
    this.#policies = policies;
  }

  /** Gives `number` to `series` and forgets what was there. */
  define(number: number, series: Series): void {
    this.#widen(number + 1);
    const known = meaningOf(series, this.host);
    const policy = this.#policies.all[this.#policies.of(series, this.host, known)]!;
    const meaning = meaningUnder(known, policy);
    this.info[number] = { series, id: seriesId(series), meaning };
    const { floor, floorShare, bound, thresholdFactor } = policy;
    this.policy.set([floor, floorShare, bound, thresholdFactor], number * policyLength);
    const row = this.rows.subarray(number * rowLength, (number + 1) * rowLength).fill(0);
    row[slot.raw] = Number.NaN;
    row[slot.low] = Number.POSITIVE_INFINITY;
    row[slot.high] = Number.NEGATIVE_INFINITY;
    this.flags[number] = flagsOf(meaning, policy);
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

  /** Puts what a snapshot has learned in place of that of the same definitions; their policy is today's. */
  restore(rows: Float64Array, flags: Uint8Array): void {
    this.#widen(flags.length);
    this.rows.set(rows);
    for (const [number, before] of flags.entries())
      this.flags[number] = (this.flags[number]! & ~learnedFlags) | (before & learnedFlags);
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

function flagsOf(meaning: Meaning, { badDirection, boundAlways, judged }: SeriesPolicy): number {
  if (!judged) return 0;
  const up = badDirection !== "down" ? flag.badUp : 0;
  const down = badDirection !== "up" ? flag.badDown : 0;
  const full = boundAlways ? flag.boundAlways : 0;
  return (
    flag.judged | (meaning.rate ? flag.rate : 0) | up | down | (meaning.instant ? flag.instant : 0) | full
  );
}
