/**
 * From a batch to what is judged: values as they are, counters as rates, and the sums of which a step's means are made.
 */
import type { SampleBatch } from "#shared/batch.ts";
import type { Series } from "#shared/series.ts";
import { isBeyond } from "./level.ts";
import { flag, type SeriesTable, wide, wideLength } from "./series-state.ts";
import type { Tick } from "./tick.ts";

/** A host is new for this long: what appears meanwhile may have been there all along. */
export const watchedMs = 180_000;
/** A process that appears on a watched host has this history: that it used nothing. */
const bornSamples = 60;
/** A counter's rate over a longer gap says nothing about now. */
const rateGapIntervals = 10;
/** Larger values are judged as this large, so that squares stay finite in single floats. */
const valueMax = 1e18;

export class ColumnReader {
  /** What the host has, as its own metrics say; 0 until they do. */
  cores = 0;
  memoryBytes = 0;
  /** Columns of the last tick whose value is at its bound. */
  readonly bounded: number[] = [];
  readonly #table: SeriesTable;
  #coresNumber = -1;
  #memoryNumber = -1;

  constructor(table: SeriesTable) {
    this.#table = table;
  }

  define(number: number, series: Series): void {
    if (series.metric === "system.cpu.logical.count") this.#coresNumber = number;
    if (series.metric === "system.memory.limit") this.#memoryNumber = number;
  }

  /** Fills `tick` from `batch`; the host was first heard at `firstMs`. */
  read({ timeMs, intervalMs, series, values }: SampleBatch, tick: Tick, firstMs: number): void {
    const table = this.#table;
    const { wide: wides, flags, inStep } = table;
    const columns = Math.min(series.length, values.length);
    const rateGapMs = rateGapIntervals * intervalMs;
    const perInterval = 1000 / intervalMs;
    tick.reserve(columns);
    this.bounded.length = 0;
    let length = 0;
    for (let column = 0; column < columns; column += 1) {
      const number = series[column]!;
      const raw = values[column]!;
      const flagged = flags[number]!;
      if ((flagged & flag.judged) === 0) {
        if (number === this.#coresNumber && raw > 0) this.cores = raw;
        if (number === this.#memoryNumber && raw > 0) this.memoryBytes = raw;
        continue;
      }
      const at = number * wideLength;
      if (raw !== raw) continue;
      let value = raw;
      if ((flagged & flag.rate) !== 0) {
        const before = wides[at + wide.raw]!;
        const gapMs = timeMs - wides[at + wide.lastMs]!;
        wides[at + wide.raw] = raw;
        wides[at + wide.lastMs] = timeMs;
        // NaN before the first sample; a total that fell began anew; over a long gap the rate is of no moment.
        if (!(raw >= before) || gapMs > rateGapMs) continue;
        value = gapMs === intervalMs ? (raw - before) * perInterval : ((raw - before) * 1000) / gapMs;
      } else {
        wides[at + wide.lastMs] = timeMs;
      }
      if (value > valueMax) value = valueMax;
      else if (value < -valueMax) value = -valueMax;
      if (
        (flagged & flag.bounded) !== 0 &&
        isBeyond(value, table.policyOf(number).bound, flagged & flag.badUp)
      )
        this.bounded.push(length);
      const fed = inStep[number]!;
      if (fed < 255) {
        wides[at + wide.sum] = fed === 0 ? value : wides[at + wide.sum]! + value;
        inStep[number] = fed + 1;
      }
      if ((flagged & flag.bornAtZero) !== 0) this.#bearAtZero(number, timeMs - firstMs);
      tick.series[length] = number;
      tick.values[length] = value;
      length += 1;
    }
    tick.length = length;
  }

  /** A process that appears on a host that has been watched for a while used nothing before: that is its history. */
  #bearAtZero(number: number, knownMs: number): void {
    if (this.#table.samples[number]! !== 0 || knownMs < watchedMs) return;
    this.#table.samples[number] = bornSamples;
    this.#table.wide[number * wideLength + wide.level] = 0;
  }
}
