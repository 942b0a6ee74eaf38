/**
 * What detection keeps per series, as rows of typed arrays: 241 bytes, and 96 more for each class of day that it has lived
 * through (`season.ts`). What a series is (name, labels) is kept once for all hosts that have it (`shared/series-pool.ts`).
 *
 * Rows are in series order, which is the order of a batch's columns, so judging a batch walks memory straight on (random
 * order costs five times as much). Levels, which may be large with a small spread, are doubles; deviations from them are
 * single floats. Growth doubles; nothing here is an object per series.
 */
import { meaningOf, type Meaning } from "#shared/semantics.ts";
import { seriesId, type Series } from "#shared/series.ts";
import { type Column } from "#shared/snapshot.ts";
import { meaningUnder, type Policies, type SeriesPolicy } from "./policy.ts";
import { SeasonSlots } from "./season.ts";

/** Doubles that every sample touches. Times are milliseconds since 1970 UTC; levels are in the unit that is judged. */
export const wide = {
  /** Last raw value (a counter's total), NaN before the first; and when the last sample came. */
  raw: 0,
  lastMs: 1,
  /** Level of the last samples (`level.ts`). */
  level: 2,
  /** Sum of the samples since the last step. */
  sum: 3,
} as const;
export const wideLength = 4;

/** Single floats that every sample touches, around `wide.level`. */
export const near = {
  /** Variance of a sample's deviation, the short mean of deviations, variance of that. */
  variance: 0,
  shortMean: 1,
  shortVariance: 2,
  /** The smallest standard deviation that is believed. */
  floor: 3,
  /** Clusters of exceedances per step. */
  exceedRate: 4,
} as const;
export const nearLength = 5;

/** Doubles that every step touches (`record.ts`). */
export const slow = {
  /** Level of the last hours. */
  level: 0,
  /** The first value: the season is kept relative to it, so that single floats do. */
  origin: 1,
} as const;
export const slowLength = 2;

/** How many channels keep records. */
export const channelCount = 9;

/** Single floats that every step touches. */
export const past = {
  /** Variance around `slow.level`, and around the season. */
  slowVariance: 0,
  seasonVariance: 1,
  /** Slow drift that the season is freed of. */
  seasonOffset: 2,
  /** Two cascaded means of squashed deviations from `slow.level`. */
  longMean1: 3,
  longMean2: 4,
  /** Mean square of differences of the last steps; mean absolute difference and deviation of the last day. */
  volatility: 5,
  difference: 6,
  deviation: 7,
  /** Decayed number of alarms; how much was needed for the last one. */
  alarms: 8,
  lastAlarm: 9,
  /** Last step's value, relative to `slow.level` as it was before it. */
  previous: 10,
  /** Largest and second largest episode, and the running one, of each channel. */
  record1: 11,
  record2: 11 + channelCount,
  episode: 11 + 2 * channelCount,
} as const;
export const pastLength = 11 + 3 * channelCount;

/** 16-bit counts that every step touches; all stop at `countMax`. */
export const counts = {
  steps: 0,
  episodeLeft: 1,
  sinceAlarm: 2,
  /** Steps since it moved, and the most of them known; share of the steps in which it moves, in `countMax` parts (`flat.ts`). */
  run: 3,
  longestRun: 4,
  moving: 5,
} as const;
export const countsLength = 6;
export const countMax = 65_535;

/** 8-bit counts that every step touches; all stop at 255. */
export const small = { ripeHours: 0, sinceExceeded: 1 } as const;
export const smallLength = 2;

/** 16-bit flags of a row. The first ones follow from the policy, the others are learned. */
export const flag = {
  judged: 1,
  rate: 2,
  badUp: 4,
  badDown: 8,
  instant: 16,
  /** Trouble at its bound is trouble even when it is usual: what is full stays full. */
  boundAlways: 32,
  /** Its policy has a bound. */
  bounded: 64,
  bornAtZero: 128,
  /** Judged by its own history from now on. */
  ready: 256,
  /** An anomaly is open, or a run of exceeding samples has begun. */
  open: 512,
  pending: 1024,
  /** Its season is believed. */
  seasonal: 2048,
  /** A series that moves; it stands still for longer than it ever did. */
  mustMove: 4096,
  flat: 8192,
  /** Its policy says that it has a value less often than its host has ticks. */
  sparse: 16_384,
} as const;
const learnedFlags = flag.ready | flag.open | flag.pending | flag.seasonal | flag.flat;

/** What a series is, worked out when somebody asks. */
export interface SeriesInfo {
  readonly series: Series;
  readonly id: string;
  /** Under its policy. */
  readonly meaning: Meaning;
}

/** The rows of one host. */
export class SeriesTable {
  readonly host: string;
  readonly policies: Policies;
  readonly season: SeasonSlots;
  series: (Series | undefined)[] = [];
  wide = new Float64Array(0);
  near = new Float32Array(0);
  slow = new Float64Array(0);
  past = new Float32Array(0);
  counts = new Uint16Array(0);
  small = new Uint8Array(0);
  flags = new Uint16Array(0);
  /** Samples that were learned, up to `countMax`; samples since the last step, up to 255. */
  samples = new Uint16Array(0);
  inStep = new Uint8Array(0);
  /** Index of its policy in `policies`. */
  policy = new Uint16Array(0);
  /** What operators' feedback multiplies a threshold by, where that is not 1; follows from their answers, so no snapshot has it. */
  readonly #feedback = new Map<number, number>();

  constructor(host: string, policies: Policies, dayClasses: number) {
    this.host = host;
    this.policies = policies;
    this.season = new SeasonSlots(dayClasses);
  }

  /** Gives `number` to `series` and forgets what was there. The meaning's entity may be another host's: only its kind counts. */
  define(number: number, series: Series): Meaning {
    this.#widen(number + 1);
    this.series[number] = series;
    const { policy, meaning } = this.policies.resolve(series, this.host);
    this.policy[number] = policy;
    this.flags[number] = flagsOf(meaning, this.policies.all[policy]!);
    this.forget(number);
    return meaning;
  }

  /** Everything that was learned of `number`. */
  forget(number: number): void {
    this.wide.fill(0, number * wideLength, (number + 1) * wideLength);
    this.wide[number * wideLength + wide.raw] = Number.NaN;
    this.near.fill(0, number * nearLength, (number + 1) * nearLength);
    this.slow.fill(0, number * slowLength, (number + 1) * slowLength);
    this.past.fill(0, number * pastLength, (number + 1) * pastLength);
    this.counts.fill(0, number * countsLength, (number + 1) * countsLength);
    this.small.fill(0, number * smallLength, (number + 1) * smallLength);
    this.samples[number] = 0;
    this.inStep[number] = 0;
    this.#feedback.delete(number);
    this.flags[number]! &= ~learnedFlags;
    this.season.forget(number);
  }

  info(number: number): SeriesInfo | undefined {
    const series = this.series[number];
    if (series === undefined) return undefined;
    const policy = this.policies.all[this.policy[number]!]!;
    const meaning = meaningUnder(meaningOf(series, this.host), policy);
    return { series, id: seriesId(series), meaning };
  }

  /** 1 is as shipped. */
  feedbackOf(number: number): number {
    return this.#feedback.get(number) ?? 1;
  }

  setFeedback(number: number, factor: number): void {
    if (factor === 1) this.#feedback.delete(number);
    else this.#feedback.set(number, factor);
  }

  /** What `number` was defined as. The meaning's entity may be another host's. */
  definedAs(number: number): { series: Series; meaning: Meaning; policy: SeriesPolicy } {
    const series = this.series[number]!;
    const { meaning } = this.policies.resolve(series, this.host);
    return { series, meaning, policy: this.policyOf(number) };
  }

  policyOf(number: number): SeriesPolicy {
    return this.policies.all[this.policy[number]!]!;
  }

  /** How often `number` has a value, on a host with this interval. */
  intervalOf(number: number, hostMs: number): number {
    return (this.flags[number]! & flag.sparse) === 0
      ? hostMs
      : Math.max(hostMs, this.policyOf(number).intervalMs);
  }

  /** What its kind usually varies by is known. */
  isKnownKind(number: number): boolean {
    return !Number.isNaN(this.policyOf(number).usualDeviation);
  }

  /** Columns of a snapshot, cut to the series that are there; the season's come with them. */
  columns(): [name: string, column: Column][] {
    const used = this.series.length;
    return [
      ["wide", this.wide.subarray(0, used * wideLength)],
      ["near", this.near.subarray(0, used * nearLength)],
      ["slow", this.slow.subarray(0, used * slowLength)],
      ["past", this.past.subarray(0, used * pastLength)],
      ["samples", this.samples.subarray(0, used)],
      ["in step", this.inStep.subarray(0, used)],
      ["counts", this.counts.subarray(0, used * countsLength)],
      ["small", this.small.subarray(0, used * smallLength)],
      ["flags", this.flags.subarray(0, used)],
      ["policy", this.policy.subarray(0, used)],
      ...this.season.columns(used),
    ];
  }

  /** Puts what was learned in place of that of the same definitions; policies are today's. */
  restore(column: (name: string) => Column): void {
    this.wide.set(column("wide"));
    this.near.set(column("near"));
    this.slow.set(column("slow"));
    this.past.set(column("past"));
    this.samples.set(column("samples"));
    this.inStep.set(column("in step"));
    this.counts.set(column("counts"));
    this.small.set(column("small"));
    for (const [number, flags] of (column("flags") as Uint16Array).entries())
      this.flags[number] = (this.flags[number]! & ~learnedFlags) | (flags & learnedFlags);
    this.season.restore(column);
  }

  #widen(length: number): void {
    if (length <= this.flags.length) return;
    // Doubled while that is little, then by an eighth: a million series that grew by doubling would hold half of it empty, and
    // forty small steps leave as much in pieces that nobody fits into.
    const had = this.flags.length;
    const capacity = Math.max(64, length, had < 1024 ? had * 2 : Math.ceil(had * 1.125));
    this.wide = widened(this.wide, new Float64Array(capacity * wideLength));
    this.near = widened(this.near, new Float32Array(capacity * nearLength));
    this.slow = widened(this.slow, new Float64Array(capacity * slowLength));
    this.past = widened(this.past, new Float32Array(capacity * pastLength));
    this.samples = widened(this.samples, new Uint16Array(capacity));
    this.inStep = widened(this.inStep, new Uint8Array(capacity));
    this.counts = widened(this.counts, new Uint16Array(capacity * countsLength));
    this.small = widened(this.small, new Uint8Array(capacity * smallLength));
    this.flags = widened(this.flags, new Uint16Array(capacity));
    this.policy = widened(this.policy, new Uint16Array(capacity));
    this.season.widen(capacity);
  }
}

function widened<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

function flagsOf(meaning: Meaning, policy: SeriesPolicy): number {
  if (!policy.judged) return 0;
  return (
    flag.judged |
    (meaning.rate ? flag.rate : 0) |
    (policy.badDirection === "down" ? 0 : flag.badUp) |
    (policy.badDirection === "up" ? 0 : flag.badDown) |
    (meaning.instant ? flag.instant : 0) |
    (policy.boundAlways ? flag.boundAlways : 0) |
    (Number.isNaN(policy.bound) ? 0 : flag.bounded) |
    (meaning.bornAtZero ? flag.bornAtZero : 0) |
    (policy.badDirection === "both" || policy.kind === "traffic" ? flag.mustMove : 0) |
    (policy.intervalMs > 0 ? flag.sparse : 0)
  );
}

/** What one series costs, without its season. */
export const bytesPerSeries =
  (wideLength + slowLength) * 8 +
  (nearLength + pastLength) * 4 +
  countsLength * 2 +
  smallLength +
  2 +
  1 +
  2 +
  2;
