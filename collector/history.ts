/**
 * A stretch of the past of one host, read from the journal: what a chart shows, and what a ranking of causes looks at.
 *
 * Counters come as rates, as detection judges them; what was not there is NaN. Only what the journal held up to `position` counts: so a
 * replay reads what was read live. Cost: about 5 ms for an hour of 600 series, most of it decoding from the key frame before.
 */
import { meaningOf } from "#shared/semantics.ts";
import { type Series, seriesId } from "#shared/series.ts";
import { FrameDecoder } from "#shared/wire/wire.ts";
import type { Journal } from "./journal/journal.ts";

export interface HistoryRange {
  readonly host: string;
  /** The agent that speaks for it. */
  readonly stream: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** The newest record that counts; without it all do. */
  readonly position?: number;
}

/** One row a tick, ascending in time. */
export interface HostHistory {
  readonly timesMs: Float64Array;
  readonly series: readonly HistorySeries[];
}

export interface HistorySeries {
  readonly series: Series;
  readonly id: string;
  readonly values: Float64Array;
}

/** The series of a host that are `wanted`, in the order in which they are first defined. */
export async function readHistory(
  journal: Pick<Journal, "read">,
  { host, stream, fromMs, toMs, position = Number.POSITIVE_INFINITY }: HistoryRange,
  wanted: (id: string) => boolean,
): Promise<HostHistory> {
  const rows = new Rows(host, fromMs, toMs);
  const decoder = new FrameDecoder();
  let started = false;
  for await (const { key, skewMs, bytes, position: at } of journal.read({ stream, fromMs, toMs })) {
    // A range whose beginning was removed may start within a segment: nothing to decode it from.
    started ||= key;
    if (!started || at > position) continue;
    const frame = decoder.decode(bytes);
    if (key) rows.startSegment();
    for (const { column, series } of frame.definitions) rows.define(column, series, wanted);
    for (const tick of frame.ticks) rows.add(tick.timeMs - skewMs, tick.values);
  }
  return rows.history();
}

interface Column {
  readonly series: Series;
  readonly id: string;
  readonly rate: boolean;
  /** By row. */
  readonly values: number[];
  before: number;
  beforeMs: number;
}

class Rows {
  readonly #host: string;
  readonly #fromMs: number;
  readonly #toMs: number;
  readonly #timesMs: number[] = [];
  readonly #series = new Map<string, Column>();
  /** By the agent's column, in the segment that is being read. */
  #columns: (Column | undefined)[] = [];

  constructor(host: string, fromMs: number, toMs: number) {
    this.#host = host;
    this.#fromMs = fromMs;
    this.#toMs = toMs;
  }

  startSegment(): void {
    this.#columns = [];
  }

  define(column: number, series: Series, wanted: (id: string) => boolean): void {
    const id = seriesId(series);
    this.#columns[column] = wanted(id) ? (this.#series.get(id) ?? this.#begin(series, id)) : undefined;
  }

  #begin(series: Series, id: string): Column {
    const { rate } = meaningOf(series, this.#host);
    const begun = { series, id, rate, values: [], before: Number.NaN, beforeMs: 0 };
    this.#series.set(id, begun);
    return begun;
  }

  add(timeMs: number, raw: Float64Array): void {
    const isWanted = timeMs >= this.#fromMs && timeMs <= this.#toMs && timeMs > (this.#timesMs.at(-1) ?? 0);
    const row = this.#timesMs.length;
    if (isWanted) this.#timesMs.push(timeMs);
    for (const [index, column] of this.#columns.entries()) {
      if (column === undefined) continue;
      const value = judged(column, timeMs, raw[index] ?? Number.NaN);
      if (!isWanted) continue;
      while (column.values.length < row) column.values.push(Number.NaN);
      column.values.push(value);
    }
  }

  history(): HostHistory {
    const length = this.#timesMs.length;
    const series = [...this.#series.values()].map(({ series: one, id, values }) => {
      const all = new Float64Array(length).fill(Number.NaN);
      all.set(values);
      return { series: one, id, values: all };
    });
    return { timesMs: Float64Array.from(this.#timesMs), series };
  }
}

/** A gauge's value, a counter's rate since its last value. */
function judged(column: Column, timeMs: number, raw: number): number {
  if (!column.rate) return raw;
  const { before, beforeMs } = column;
  column.before = raw;
  column.beforeMs = timeMs;
  return raw >= before ? ((raw - before) * 1000) / (timeMs - beforeMs) : Number.NaN;
}
