/**
 * A stretch of the past of one host, read from the journal: what a chart shows, and what a ranking of causes looks at.
 *
 * Counters come as rates, as detection judges them; what was not there is NaN. Only what the journal held up to `position` counts: so a
 * replay reads what was read live. Cost: about 5 ms for an hour of 600 series, most of it decoding from the key frame before.
 */
import type { HostHistory } from "#shared/host-history.ts";
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
  /** Raw, by row; shorter than the rows where it ended. */
  readonly values: number[];
}

class Rows {
  readonly #host: string;
  readonly #fromMs: number;
  readonly #toMs: number;
  /** Ascending; also of the segment before the range, which a rate begins with. */
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
    const begun = { series, id, rate, values: [] };
    this.#series.set(id, begun);
    return begun;
  }

  /** A tick that is told again is known better now; one from before the rows, of a clock that was set back, is left out. */
  add(timeMs: number, raw: Float64Array): void {
    let row = this.#timesMs.length;
    while (row > 0 && this.#timesMs[row - 1]! > timeMs) row -= 1;
    if (row > 0 && this.#timesMs[row - 1] === timeMs) row -= 1;
    else if (row < this.#timesMs.length) return;
    else this.#timesMs.push(timeMs);
    for (const [index, column] of this.#columns.entries()) {
      if (column === undefined) continue;
      while (column.values.length < row) column.values.push(Number.NaN);
      column.values[row] = raw[index] ?? Number.NaN;
    }
  }

  history(): HostHistory {
    const times = this.#timesMs;
    const first = times.findIndex((timeMs) => timeMs >= this.#fromMs);
    const from = first < 0 ? times.length : first;
    const end = times.findIndex((timeMs) => timeMs > this.#toMs);
    const to = end < 0 ? times.length : end;
    const series = [...this.#series.values()].map((column) => {
      const values = new Float64Array(Math.max(0, to - from));
      for (let row = from; row < to; row += 1) values[row - from] = judged(column, times, row);
      return { series: column.series, id: column.id, values };
    });
    return { host: this.#host, timesMs: Float64Array.from(times.slice(from, to)), series };
  }
}

/** A gauge's value, a counter's rate since its last value. */
function judged({ rate, values }: Column, timesMs: readonly number[], row: number): number {
  const value = values[row] ?? Number.NaN;
  if (!rate || Number.isNaN(value)) return value;
  let before = row - 1;
  while (before >= 0 && Number.isNaN(values[before] ?? Number.NaN)) before -= 1;
  if (before < 0 || value < values[before]!) return Number.NaN;
  return ((value - values[before]!) * 1000) / (timesMs[row]! - timesMs[before]!);
}
