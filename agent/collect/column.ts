/**
 * A probe's handle on one column of the recorder: made once, written at every tick.
 *
 * The recorder takes a column back when nothing was written for long (a probe that was shed, a device that was away).
 * The handle notices and asks for one again, so that probes need not know. Values are rounded to the decimals that
 * the series declares: the wire then sends them as small integers.
 */
import { canonicalLabels, type Instrument, type Series } from "#shared/series.ts";
import type { Recorder } from "./recorder.ts";

/** Writes between two requests of a series that the recorder had no room for. */
const retryWrites = 30;

export class Column {
  #series: Series;
  readonly #scale: number;
  #column = -1;
  #waitWrites = 0;

  constructor(series: Series) {
    this.#series = series;
    this.#scale = 10 ** series.decimals;
  }

  /** A value that is not finite is ignored: the column has no value at this tick. */
  set(recorder: Recorder, value: number): void {
    if (!Number.isFinite(value)) return;
    if (!recorder.holds(this.#column, this.#series) && !this.#claim(recorder)) return;
    recorder.set(this.#column, this.#scale === 1 ? value : Math.round(value * this.#scale) / this.#scale);
  }

  #claim(recorder: Recorder): boolean {
    if (this.#waitWrites > 0) {
      this.#waitWrites -= 1;
      return false;
    }
    this.#column = recorder.column(this.#series);
    // Another handle may have declared the same series before: from here on both hold that one.
    this.#series = recorder.seriesOf(this.#column) ?? this.#series;
    if (this.#column < 0) this.#waitWrites = retryWrites;
    return this.#column >= 0;
  }
}

export type LabelPairs = readonly (readonly [string, string])[];

export function gauge(metric: string, unit: string, decimals: number, labels: LabelPairs = []): Column {
  return column("gauge", metric, unit, decimals, labels);
}

export function counter(metric: string, unit: string, decimals: number, labels: LabelPairs = []): Column {
  return column("counter", metric, unit, decimals, labels);
}

function column(
  instrument: Instrument,
  metric: string,
  unit: string,
  decimals: number,
  labels: LabelPairs,
): Column {
  return new Column({ metric, unit, instrument, decimals, labels: canonicalLabels(labels) });
}
