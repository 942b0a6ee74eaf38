/**
 * One host among its siblings: which of its metrics are compared, and what it said of the last few steps.
 *
 * A metric is known to siblings by a 53-bit hash of its series' id: two of a thousand metrics share one once in ten thousand
 * million groups, and no table of names is kept. At most `limits.peerMetricsPerHostMax` metrics of a host are compared.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { limits } from "#shared/limits.ts";
import { isShortLived } from "#shared/semantics.ts";
import { seriesId, type Series } from "#shared/series.ts";
import type { Column } from "#shared/snapshot.ts";
import type { HostDetector } from "../host-detector.ts";
import { flag } from "../series-state.ts";
import { type Memory, notCompared, readStep, type Row, type Watch } from "./peer-row.ts";

/** No metric's key is this. */
const none = -1;
/** Rows that wait for the siblings' at most: how far apart they may arrive, and one more. */
const rowsMax = 5;
/** Steps of which it is known whether the host said something. */
const historySteps = 16;

/** A metric that has been unlike the siblings' for one step or more. */
export interface Run {
  readonly startedMs: number;
  steps: number;
  /** Told as an anomaly of its own, with the score it was last told with. */
  anomaly: Anomaly | null;
  toldScore: number;
  /** The anomaly of its own history that was raised instead. */
  raised: string | null;
}

/** Plain JSON, beside the columns. */
export interface MemberState {
  readonly host: string;
  readonly lastStep: number;
  readonly history: number;
  readonly watches: readonly (readonly [number, Watch])[];
  readonly runs: readonly (readonly [number, Run])[];
  readonly rows: readonly Omit<Row, "z">[];
}

export class Member {
  readonly detector: HostDetector;
  readonly runs: Map<number, Run>;
  /** Oldest first. */
  rows: Row[] = [];
  lastStep: number;
  /** Bit i: it said something of step `lastStep - i`. */
  #history: number;
  readonly #memory: Memory;
  #keys: number[] = [];
  #numbers: number[] = [];
  /** Rows that are done with, to be filled again. */
  readonly #spare: Float32Array[] = [];

  constructor(detector: HostDetector, state?: MemberState) {
    this.detector = detector;
    this.lastStep = state?.lastStep ?? 0;
    this.#history = state?.history ?? 0;
    const watches = new Map(state?.watches);
    this.#memory = { indexes: new Uint16Array(0), levels: new Float64Array(0), watches };
    this.runs = new Map(state?.runs.map(([number, run]) => [number, { ...run }]));
  }

  get host(): string {
    return this.detector.table.host;
  }

  /** Compares the metrics that the host has; after a restart as `before` has them. */
  compare(before?: { readonly numbers: Uint32Array; readonly levels: Float64Array }): void {
    for (const number of before?.numbers ?? []) this.#place(number);
    if (before !== undefined) this.#memory.levels.set(before.levels);
    for (const number of this.detector.table.series.keys()) this.#place(number);
  }

  /** `number` is another series from now on, and nothing that was said of it counts. */
  define(number: number): void {
    this.runs.delete(number);
    const { indexes, levels, watches } = this.#memory;
    watches.delete(number);
    const index = indexes[number] ?? notCompared;
    if (index !== notCompared) {
      levels[index] = Number.NaN;
      for (const { z } of this.rows) z[index] = Number.NaN;
    }
    this.#place(number);
  }

  #place(number: number): void {
    const memory = this.#memory;
    if (number >= memory.indexes.length) {
      const wider = new Uint16Array(Math.max(this.detector.table.series.length, number + 1));
      wider.fill(notCompared).set(memory.indexes);
      memory.indexes = wider;
    }
    const key = this.#keyOf(number);
    const index = memory.indexes[number]!;
    const length = this.#keys.length;
    if (index !== notCompared) this.#keys[index] = key;
    else if (key !== none && length < limits.peerMetricsPerHostMax) {
      memory.indexes[number] = length;
      this.#keys.push(key);
      this.#numbers.push(number);
      if (length < memory.levels.length) return;
      const levels = new Float64Array(Math.min(limits.peerMetricsPerHostMax, 64 + 2 * length));
      levels.fill(Number.NaN).set(memory.levels);
      memory.levels = levels;
    }
  }

  /** A step of the host has ended. False: it is not later than the last one. */
  push(step: number): boolean {
    if (step <= this.lastStep) return false;
    const steps = step - this.lastStep;
    this.#history = steps >= historySteps ? 1 : ((this.#history << steps) | 1) & ((1 << historySteps) - 1);
    this.lastStep = step;
    if (this.rows.length >= rowsMax) this.dropRows(this.rows[0]!.step);
    const spare = this.#spare.pop();
    const z = spare?.length === this.#keys.length ? spare : new Float32Array(this.#keys.length);
    const strong = readStep(this.detector, this.#memory, z);
    this.rows.push({ step, timeMs: this.detector.lastMs, z, strong });
    return true;
  }

  /** Whether it said something of any step from `from` to `to`. */
  saidSomething(from: number, to: number): boolean {
    for (let step = from; step <= to; step += 1) {
      const ago = this.lastStep - step;
      if (ago >= 0 && ago < historySteps && ((this.#history >> ago) & 1) === 1) return true;
    }
    return false;
  }

  rowOf(step: number): Row | undefined {
    return this.rows.find((row) => row.step === step);
  }

  dropRows(upTo: number): void {
    while (this.rows.length > 0 && this.rows[0]!.step <= upTo) {
      const { z } = this.rows.shift()!;
      if (this.#spare.length === 0) this.#spare.push(z);
    }
  }

  /** The metric's index here, or -1; siblings mostly have it at the same place, which is `hint`. */
  indexOf(key: number, hint: number): number {
    return this.#keys[hint] === key ? hint : this.#keys.indexOf(key);
  }

  /** How a metric of this host is known to its siblings, and where it is here. */
  placeOf(number: number): { key: number; index: number } {
    const index = this.#memory.indexes[number]!;
    return { key: this.#keys[index]!, index };
  }

  /** A run of samples of this metric exceeds, and is not confirmed yet. */
  isPending(key: number): boolean {
    const index = this.#keys.indexOf(key);
    return index >= 0 && (this.detector.table.flags[this.#numbers[index]!]! & flag.pending) !== 0;
  }

  has(key: number): boolean {
    return this.#keys.includes(key);
  }

  /** `none` unless it is judged, and may be there for longer than a process is. */
  #keyOf(number: number): number {
    const { table } = this.detector;
    if (table.series[number] === undefined) return none;
    const { series, meaning, policy } = table.definedAs(number);
    if (!policy.judged || isShortLived(series)) return none;
    const { kind } = meaning.entity;
    return kind === "process" || kind === "peer" ? none : keyOfSeries(series);
  }

  state(): MemberState {
    return {
      host: this.host,
      lastStep: this.lastStep,
      history: this.#history,
      watches: [...this.#memory.watches],
      runs: [...this.runs].map(([number, run]) => [number, { ...run }]),
      rows: this.rows.map(({ step, timeMs, strong }) => ({ step, timeMs, strong })),
    };
  }

  columns(): [name: string, column: Column][] {
    return [
      ["numbers", Uint32Array.from(this.#numbers)],
      ["levels", this.#memory.levels.subarray(0, this.#numbers.length)],
      ...this.rows.map(({ z }, at): [string, Column] => [`row/${at}`, z]),
    ];
  }

  restore(state: MemberState, column: (name: string) => Column): void {
    const numbers = column("numbers") as Uint32Array;
    if (numbers.length > 0) this.compare({ numbers, levels: column("levels") as Float64Array });
    this.rows = state.rows.map((row, at) => ({ ...row, z: column(`row/${at}`) as Float32Array }));
  }
}

/** By series, which all hosts that have it share. */
const keys = new WeakMap<Series, number>();

function keyOfSeries(series: Series): number {
  const known = keys.get(series);
  if (known !== undefined) return known;
  const key = metricKey(seriesId(series));
  keys.set(series, key);
  return key;
}

/** 53 bits of `id`: two 32-bit multiply-and-xor hashes (after Bryc's public-domain cyrb53). */
export function metricKey(id: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < id.length; at += 1) {
    const code = id.charCodeAt(at);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0);
}
