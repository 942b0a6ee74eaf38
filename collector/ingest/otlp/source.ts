/**
 * One source that pushes: what came in becomes ticks on a grid of ten seconds, and ticks become frames like an agent's.
 *
 * Points and spans of one interval come in several requests, late and out of order. Each request makes a frame that is durable
 * before the request is answered; so a frame holds the interval as far as it is known, and a later one tells it again with what has
 * come since. `held-ticks.ts`, behind the journal, lets a tick through when its interval can change no more, which is
 * `limits.otlpLatenessMs` after its end. Ten seconds, because detection's own times are made for that; a point's time is that of
 * the end of its interval.
 * Nothing else need be kept for a restart: the last segment in the journal says what the columns are and what they had come to.
 * Cost: a map look-up a point; an encoding of all columns a frame, where what is unchanged costs a fraction of a byte.
 */
import { limits } from "#shared/limits.ts";
import type { Labels, Series } from "#shared/series.ts";
import { seriesId } from "#shared/series.ts";
import {
  type DecodedFrame,
  type Definition,
  FrameEncoder,
  type FrameTick,
  type LossReason,
  type LossRecord,
  wireVersion,
} from "#shared/wire/wire.ts";
import { Column } from "./column.ts";

export const gridMs = 10_000;
/** The default of OpenTelemetry's SDKs, until a source has shown its own. */
const usualIntervalMs = 60_000;
const intervalMsMax = 3_600_000;
const gapsRemembered = 3;

/** What a point with these attributes became when it came last. */
export interface KnownPoint {
  readonly labels: Labels;
  /** By the part of the point: a histogram has several. */
  readonly columns: Map<string, Column>;
}

/** Attributes come in the same order each time, mostly. */
const knownPointsMax = 2 * limits.otlpSeriesPerSourceMax;

/** What a key frame needs for all definitions: each text once, and a reference for each that a series has. */
class DefinitionBudget {
  readonly #texts = new Set<string>();
  #sizeBytes = 0;

  /** False when there is no room. */
  take({ metric, unit, labels }: Series): boolean {
    const fresh = new Set([metric, unit, ...labels.flat()].filter((text) => !this.#texts.has(text)));
    // At most three bytes for a UTF-16 unit and for a number.
    let sizeBytes = 3 * (4 + 2 * labels.length);
    for (const text of fresh) sizeBytes += 3 * (text.length + 1);
    if (this.#sizeBytes + sizeBytes > limits.otlpDefinitionBytesMax) return false;
    this.#sizeBytes += sizeBytes;
    for (const text of fresh) this.#texts.add(text);
    return true;
  }

  clear(): void {
    this.#texts.clear();
    this.#sizeBytes = 0;
  }
}

export interface SourceFrame {
  readonly bytes: Uint8Array;
  readonly decoded: DecodedFrame;
  /** Values that no earlier frame had. */
  readonly samples: number;
}

export class Interval {
  readonly endMs: number;
  readonly values = new Map<Column, number>();
  readonly timesMs = new Map<Column, number>();
  readonly added = new Map<Column, number>();
  /** Something has changed since it was last put into a frame. */
  isNew = true;
  /** Values of it that were in a frame. */
  told = 0;

  constructor(endMs: number) {
    this.endMs = endMs;
  }
}

interface Refused {
  fromMs: number;
  toMs: number;
  samples: number;
  readonly series: Set<string>;
}

export interface SourceParts {
  readonly agentId: string;
  readonly name: string;
  readonly resource: Labels;
  /** Of the frames to come: larger than that of those in the journal. */
  readonly epoch: number;
  /** The last segment that the journal has of this source, in order. */
  readonly journaled: readonly DecodedFrame[];
  /** Whether a metric adds up what came in, so that its columns are totals from the start. */
  readonly isTotal: (metric: string) => boolean;
}

export class PushedSource {
  readonly agentId: string;
  readonly name: string;
  readonly resource: Labels;
  readonly epoch: number;
  /** Sends spans: it has a tick each interval, also when nothing came. */
  hasSpans = false;
  lastSpanMs = 0;
  /** The process whose points come in now. */
  instance = "";
  /** What its clock is ahead by, and is corrected by. */
  skewMs = 0;
  /** End of the newest interval that was in a frame. */
  lastEndMs = 0;
  #columns: Column[] = [];
  readonly #byId = new Map<string, Column>();
  readonly #definitions = new DefinitionBudget();
  readonly #known = new Map<string, KnownPoint>();
  #fresh: Column[] = [];
  readonly #open = new Map<number, Interval>();
  readonly #refused = new Map<LossReason, Refused>();
  readonly #encoder: FrameEncoder;
  readonly #gapsMs: number[] = [];
  #sequence = 0;
  #segmentFrames = 0;
  #segmentBytes = 0;

  constructor({ agentId, name, resource, epoch, journaled, isTotal }: SourceParts) {
    this.agentId = agentId;
    this.name = name;
    this.resource = resource;
    this.epoch = epoch;
    this.#encoder = new FrameEncoder({ agentId, epoch, resource });
    this.#restore(journaled, isTotal);
  }

  get columns(): number {
    return this.#columns.length;
  }

  get intervalMs(): number {
    if (this.hasSpans) return gridMs;
    // The middle one: on a grid, what comes each minute comes after 50 or 70 seconds now and then.
    return this.#gapsMs.toSorted((a, b) => a - b)[this.#gapsMs.length >> 1] ?? usualIntervalMs;
  }

  /** The interval of `timeMs`, or why nothing can be put there. */
  interval(timeMs: number, nowMs: number): Interval | LossReason {
    // No time at all, or one that no clock shows.
    if (!(timeMs > 0) || timeMs > Number.MAX_SAFE_INTEGER) return "invalid";
    if (timeMs - nowMs > limits.clockErrorMsMax) return "clock";
    const endMs = Math.ceil(timeMs / gridMs) * gridMs;
    if (endMs + limits.otlpLatenessMs <= nowMs) return "too_late";
    return this.#intervalAt(endMs);
  }

  #intervalAt(endMs: number): Interval {
    let interval = this.#open.get(endMs);
    if (interval === undefined) this.#open.set(endMs, (interval = new Interval(endMs)));
    return interval;
  }

  /** The column of `series`; undefined when there is no room for it. */
  column(series: Series, nowMs: number): Column | undefined {
    const id = seriesId(series);
    let column = this.#byId.get(id);
    if (column === undefined) {
      if (this.#columns.length >= limits.otlpSeriesPerSourceMax) return undefined;
      if (!this.#definitions.take(series)) return undefined;
      column = new Column(series, this.#columns.length);
      this.#columns.push(column);
      this.#byId.set(id, column);
      this.#fresh.push(column);
    }
    column.seenMs = nowMs;
    return column;
  }

  known(key: string): KnownPoint | undefined {
    return this.#known.get(key);
  }

  know(key: string, point: KnownPoint): void {
    if (this.#known.size >= knownPointsMax) this.#known.clear();
    this.#known.set(key, point);
  }

  /** Of several values in one interval the latest counts. */
  set(interval: Interval, column: Column, timeMs: number, value: number): void {
    if ((interval.timesMs.get(column) ?? 0) > timeMs) return;
    interval.timesMs.set(column, timeMs);
    interval.values.set(column, value);
    interval.isNew = true;
  }

  add(interval: Interval, column: Column, by: number): void {
    column.isTotal = true;
    interval.added.set(column, (interval.added.get(column) ?? 0) + by);
    interval.isNew = true;
  }

  /** `samples` of one series that were not taken. */
  refuse(reason: LossReason, timeMs: number, series: string, samples = 1): void {
    const refused = this.#refused.get(reason) ?? {
      fromMs: timeMs,
      toMs: timeMs,
      samples: 0,
      series: new Set(),
    };
    this.#refused.set(reason, refused);
    refused.fromMs = Math.min(refused.fromMs, timeMs);
    refused.toMs = Math.max(refused.toMs, timeMs);
    refused.samples += samples;
    refused.series.add(series);
  }

  /** A tick for the interval that has just ended, if nothing came in it. */
  beat(nowMs: number): void {
    const endMs = Math.floor(nowMs / gridMs) * gridMs;
    if (endMs > this.lastEndMs) this.#intervalAt(endMs);
  }

  /** What is to be journaled now; null when nothing is new. */
  frame(nowMs: number): SourceFrame | null {
    const losses = this.#takeRefused(nowMs);
    // A frame's time is that of its ticks.
    if (losses.length > 0 && !this.hasNews) this.#intervalAt(Math.ceil(nowMs / gridMs) * gridMs).isNew = true;
    if (!this.hasNews) {
      this.#close(nowMs);
      return null;
    }
    const isKey = this.#isKeyDue();
    if (isKey) this.#compact(nowMs);
    const definitions = this.#defined(isKey);
    const { ticks, samples } = this.#ticks();
    const intervalMs = this.#learnInterval(ticks);
    const sequence = this.#sequence;
    const input = { sequence, key: isKey, intervalMs, definitions, losses };
    const columns = this.#columns.length;
    const bytes = this.#encoder.encode({ ...input, ticks: ticks.map((tick) => ({ ...tick, columns })) });
    const place = { version: wireVersion, key: isKey, agentId: this.agentId, epoch: this.epoch, sequence };
    const header = { ...place, baseTimeMs: ticks[0]?.timeMs ?? 0, intervalMs };
    const resource = isKey ? this.resource : null;
    this.#sequence += 1;
    this.#segmentFrames = isKey ? 1 : this.#segmentFrames + 1;
    this.#segmentBytes = isKey ? bytes.length : this.#segmentBytes + bytes.length;
    this.#close(nowMs);
    return { bytes, decoded: { header, resource, definitions, ticks, losses }, samples };
  }

  /** Something was put into an interval, and no frame has told it. */
  get hasNews(): boolean {
    return [...this.#open.values()].some(({ isNew }) => isNew);
  }

  #isKeyDue(): boolean {
    return (
      this.#sequence === 0 ||
      this.#segmentFrames >= limits.segmentFramesMax ||
      this.#segmentBytes >= limits.segmentBytesMax
    );
  }

  /** A key frame defines everything anew: what nobody has measured for long is left out. */
  #compact(nowMs: number): void {
    this.#columns = this.#columns.filter((column) => {
      const isKept = nowMs - column.seenMs <= limits.otlpIdleMs;
      if (!isKept) this.#byId.delete(column.id);
      return isKept;
    });
    this.#known.clear();
    this.#definitions.clear();
    for (const [index, column] of this.#columns.entries()) {
      column.index = index;
      this.#definitions.take(column.series);
    }
  }

  #defined(isKey: boolean): Definition[] {
    const columns = isKey ? this.#columns : this.#fresh;
    this.#fresh = [];
    return columns.map(({ index, series }) => ({ column: index, series }));
  }

  /**
   * The intervals that have changed, as ticks; a total is what it was plus what came up to the interval's end. So what comes late
   * changes those after it too.
   */
  #ticks(): { ticks: FrameTick[]; samples: number } {
    const totals = this.#columns.map(({ total }) => total);
    const ticks: FrameTick[] = [];
    let samples = 0;
    let hasChanged = false;
    for (const interval of this.#ordered()) {
      for (const [{ index }, by] of interval.added) totals[index]! += by;
      hasChanged ||= interval.isNew;
      if (!hasChanged) continue;
      const values = new Float64Array(this.#columns.length).fill(Number.NaN);
      let present = 0;
      for (const column of this.#columns) {
        const value = column.isTotal ? totals[column.index] : interval.values.get(column);
        if (value === undefined) continue;
        // No negative zero: a frame has none.
        values[column.index] = value + 0;
        present += 1;
      }
      samples += Math.max(0, present - interval.told);
      interval.told = Math.max(interval.told, present);
      interval.isNew = false;
      ticks.push({ timeMs: interval.endMs, values });
    }
    return { ticks, samples };
  }

  #ordered(): Interval[] {
    return [...this.#open.values()].sort((a, b) => a.endMs - b.endMs);
  }

  #learnInterval(ticks: readonly FrameTick[]): number {
    const endMs = ticks.at(-1)?.timeMs ?? 0;
    if (endMs > this.lastEndMs) {
      if (this.lastEndMs !== 0) this.#gapsMs.push(Math.min(intervalMsMax, endMs - this.lastEndMs));
      if (this.#gapsMs.length > gapsRemembered) this.#gapsMs.shift();
      this.lastEndMs = endMs;
    }
    return this.intervalMs;
  }

  /** What can change no more is part of the totals. */
  #close(nowMs: number): void {
    for (const interval of this.#open.values()) {
      if (interval.endMs + limits.otlpLatenessMs > nowMs) continue;
      for (const [column, by] of interval.added) column.total += by;
      this.#open.delete(interval.endMs);
    }
  }

  #takeRefused(nowMs: number): LossRecord[] {
    const losses = [...this.#refused].map(([reason, { fromMs, toMs, series, samples }]) => {
      // A frame's times are whole and not negative, and what a wrong clock says is no range: then it is now.
      const isTime = fromMs > 0 && toMs < 2 * nowMs;
      const from = Math.floor(isTime ? fromMs : nowMs);
      return { reason, fromMs: from, toMs: isTime ? Math.ceil(toMs) : from, series: series.size, samples };
    });
    this.#refused.clear();
    return losses;
  }

  #restore(journaled: readonly DecodedFrame[], isTotal: (metric: string) => boolean): void {
    const last: number[] = [];
    const ticks = new Map<number, Float64Array>();
    for (const { header, definitions, ticks: told } of journaled) {
      if (header.key) this.#columns = [];
      for (const { column, series } of definitions) this.#columns[column] = new Column(series, column);
      for (const { timeMs, values } of told) {
        ticks.set(timeMs, values);
        for (const [index, value] of values.entries()) if (!Number.isNaN(value)) last[index] = value;
        this.lastEndMs = Math.max(this.lastEndMs, timeMs);
      }
    }
    for (const column of this.#columns) {
      this.#byId.set(column.id, column);
      this.#definitions.take(column.series);
      column.journaled = last[column.index];
      column.total = column.journaled ?? 0;
      column.isTotal = isTotal(column.series.metric);
      column.seenMs = this.lastEndMs;
      this.hasSpans ||= column.isTotal;
    }
    this.lastSpanMs = this.hasSpans ? this.lastEndMs : 0;
    for (const [endMs, values] of ticks) this.#reopen(endMs, values);
  }

  /** What an interval had before a restart; if it can change no more, the next frame closes it. */
  #reopen(endMs: number, values: Float64Array): void {
    if (endMs + limits.otlpLatenessMs + gridMs < this.lastEndMs) return;
    const interval = this.#intervalAt(endMs);
    interval.isNew = false;
    for (const column of this.#columns) {
      const value = values[column.index];
      if (value === undefined || Number.isNaN(value)) continue;
      interval.told += 1;
      if (!column.isTotal) interval.values.set(column, value);
    }
  }
}
