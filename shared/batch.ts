/**
 * The hot path's currency: one tick of one host, as columns.
 *
 * A batch is a column of series numbers and a column of values of the same length. Nothing per sample is an object. Series
 * numbers are the host's own, dense from 0, given out by whoever keeps the host's list of series (`collector/ingest`).
 */
export interface SampleBatch {
  /** The partition: everything that detection keeps is kept per host. */
  readonly host: string;
  /** The tick's own time, milliseconds since 1970 UTC, corrected for the host's clock error if one is known. */
  readonly timeMs: number;
  /** The nominal distance between ticks, milliseconds. */
  readonly intervalMs: number;
  /** Series number of each column. Often the same array for many batches: never written to. */
  readonly series: Uint32Array;
  /** Value of each column; NaN where the series had no value at this tick. Length is that of `series`. */
  readonly values: Float64Array;
}
