/** A stretch of a host's past, as whoever keeps the journal reads it and as a ranking of causes looks at it. */
import type { Series } from "./series.ts";

export interface HistorySeries {
  readonly series: Series;
  /** `seriesId`. */
  readonly id: string;
  /** A gauge's values, a counter's rates per second; NaN where there is none. */
  readonly values: Float64Array;
}

/** One row a tick, ascending in time; every series has a value for each. */
export interface HostHistory {
  readonly host: string;
  readonly timesMs: Float64Array;
  readonly series: readonly HistorySeries[];
}

/** Who wants to see which past: `id` is for the one that asks. */
export interface HistoryRequest {
  readonly id: string;
  readonly hosts: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}
