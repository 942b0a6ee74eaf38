/** What is judged and what is known about it: the same for files, for the corpus made by code, and for what others judge. */
import type { Span } from "../figures/order.ts";

/** One metric alone. Rows are in the order in which they came; times may repeat. */
export interface SeriesInput {
  readonly timesMs: Float64Array;
  /** NaN: absent. */
  readonly values: Float64Array;
  /** The usual step; the real ones may differ. */
  readonly intervalMs: number;
}

/** A metric with labels per sample; its first `trainRows` are the half on which thresholds may be chosen. */
export interface LabelledSeries extends SeriesInput {
  readonly id: string;
  /** 1 in events. */
  readonly labels: Uint8Array;
  readonly trainRows: number;
}

/** A metric with windows around its events, as NAB has it. */
export interface WindowedSeries extends SeriesInput {
  readonly id: string;
  readonly category: string;
  readonly windows: readonly Span[];
}

/** All metrics of one host, row by row. */
export interface HostInput {
  readonly timesMs: Float64Array;
  readonly intervalMs: number;
  readonly dims: number;
  /** `dims` values a row. */
  readonly rows: Float32Array;
}

/** A host whose first `trainRows` carry no labels. */
export interface LabelledHost extends HostInput {
  readonly id: string;
  readonly trainRows: number;
  /** Of the rows after `trainRows`. */
  readonly labels: Uint8Array;
  readonly events: readonly HostEvent[];
}

/** An event with the metrics that are to blame; rows are counted from the first after `trainRows`. */
export interface HostEvent extends Span {
  readonly metrics: readonly number[];
}

export interface Corpus {
  readonly nab: readonly WindowedSeries[];
  readonly kpi2018: readonly LabelledSeries[];
  readonly wsd: readonly LabelledSeries[];
  readonly smd: readonly LabelledHost[];
  readonly asd: readonly LabelledHost[];
}

export type SetName = keyof Corpus;

/** Times of rows that are `intervalMs` apart. */
export function regularTimes(firstMs: number, intervalMs: number, rows: number): Float64Array {
  const times = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) times[row] = firstMs + row * intervalMs;
  return times;
}
