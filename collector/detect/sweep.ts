/**
 * One pass over the columns of a tick: what is judged (values as they are, counters as rates), the sums of which a step's means are
 * made, and tier 1 of `level.ts`: each sample is judged by the level before it, and learned unless it is attended to.
 *
 * This is where a collector spends its time, so it is one loop and calls nothing for a sample that is near its level. What it uses of
 * other modules is taken apart here first: a module's own constant is folded into the code, an imported one is loaded at each use
 * (that alone was a fifth of the cost of a sample).
 */
import type { SampleBatch } from "#shared/batch.ts";
import type { Series } from "#shared/series.ts";
import * as level from "./level.ts";
import { begin, isBeyond, squaredZ } from "./level.ts";
import * as scaling from "./scales.ts";
import type { Scales } from "./scales.ts";
import type { Moment } from "./season.ts";
import * as state from "./series-state.ts";
import type { SeriesTable } from "./series-state.ts";
import type { Tick } from "./tick.ts";

const { countMax, flag, near, nearLength, wide, wideLength } = state;
const { attendSquared, learnSquared, shortShareSquared } = level;
const { shares } = scaling;

/** A host is new for this long: what appears meanwhile may have been there all along. */
export const watchedMs = 180_000;
/** A process that appears on a watched host has this history: that it used nothing. */
const bornSamples = 60;
/** A counter's rate over a longer gap says nothing about now. */
const rateGapIntervals = 10;
/** Larger values are judged as this large, so that squares stay finite in single floats. */
const valueMax = 1e18;

export class Sweep {
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

  /**
   * One tick of the host, which was first heard at `firstMs`; `before` and `now` are the moments of its last tick and of this one.
   *
   * Fills `tick`: what is judged, how unusual it is (z squared; 0 below four, where nothing is attended to), and the columns that are
   * attended to, which are not learned here.
   */
  pass(
    { timeMs, intervalMs, series, values }: SampleBatch,
    tick: Tick,
    firstMs: number,
    scales: Scales,
    before: Moment,
    now: Moment,
  ): void {
    const table = this.#table;
    const { wide: wides, near: nears, flags, inStep, samples: numbers } = table;
    const { level: levelWeight, sustained, variance: varianceWeight, warmupSamples, youngSamples } = scales;
    const columns = Math.min(series.length, values.length);
    const perInterval = 1000 / intervalMs;
    tick.reserve(columns);
    const { series: judged, values: judgedValues, unusual, attended } = tick;
    this.bounded.length = 0;
    let length = 0;
    let attendedCount = 0;
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
      let usualMs = intervalMs;
      if ((flagged & flag.sparse) !== 0) {
        // What an exporter repeats in between is no sample.
        usualMs = table.intervalOf(number, intervalMs);
        if (timeMs - wides[at + wide.lastMs]! < usualMs - intervalMs / 2) continue;
      }
      let value = raw;
      if ((flagged & flag.rate) !== 0) {
        const rawBefore = wides[at + wide.raw]!;
        const gapMs = timeMs - wides[at + wide.lastMs]!;
        wides[at + wide.raw] = raw;
        wides[at + wide.lastMs] = timeMs;
        // NaN before the first sample; a total that fell began anew; over a long gap the rate is of no moment.
        if (!(raw >= rawBefore) || gapMs > rateGapIntervals * usualMs) continue;
        value = gapMs === intervalMs ? (raw - rawBefore) * perInterval : ((raw - rawBefore) * 1000) / gapMs;
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
      judged[length] = number;
      judgedValues[length] = value;
      length += 1;

      if (numbers[number] === 0) this.#begin(number, value, flagged, timeMs - firstMs);
      const samples = numbers[number]!;
      const row = number * nearLength;
      let expected = wides[at + wide.level]!;
      if ((flagged & flag.seasonal) !== 0) expected += table.season.drift(number, before, now);
      const deviation = value - expected;
      const variance = nears[row + near.variance]!;
      const shortVariance = nears[row + near.shortVariance]!;
      const floor = nears[row + near.floor]!;
      const shortBefore = nears[row + near.shortMean]!;
      unusual[length - 1] = 0;
      // What has never moved, as two in five series of a host have not: all that follows is zero and stays so.
      if (deviation === 0 && variance === 0 && shortVariance === 0 && shortBefore === 0) {
        if ((flagged & (flag.open | flag.pending | flag.seasonal)) === 0) {
          if (samples < countMax) numbers[number] = samples + 1;
          continue;
        }
      }
      const short = shortBefore + sustained * (deviation - shortBefore);
      const own = deviation * deviation;
      const shortSquared = short * short;
      const mean = shortShareSquared * shortSquared;
      const floorSquared = floor * floor;
      const believed = variance + floorSquared;
      const shortBelieved = shortVariance + floorSquared;
      // Variance and floor in squares are less than (sigma + floor) squared: most samples are done with here, without a root.
      const isNear = own <= attendSquared * believed && mean <= attendSquared * shortBelieved;
      if (!isNear || (flagged & (flag.open | flag.pending)) !== 0) {
        const z2 = squaredZ(table, number, own, mean, scales);
        unusual[length - 1] = z2;
        if (z2 > attendSquared || (flagged & (flag.open | flag.pending)) !== 0) {
          attended[attendedCount] = length - 1;
          attendedCount += 1;
          continue;
        }
      }
      let pace = levelWeight;
      let weight = varianceWeight;
      if (samples < youngSamples) {
        const share = shares[samples]!;
        if (share > pace) pace = share;
        if (share > weight) weight = share;
      }
      wides[at + wide.level] = expected + pace * deviation;
      // Winsorised: a tenth of the time spent in bursts must not hide what lasts.
      const clip = samples > warmupSamples ? learnSquared : Infinity;
      const learned = own > clip * believed ? clip * believed : own;
      const shortLearned = shortSquared > clip * shortBelieved ? clip * shortBelieved : shortSquared;
      nears[row + near.variance] = variance + weight * (learned - variance);
      nears[row + near.shortVariance] = shortVariance + weight * (shortLearned - shortVariance);
      nears[row + near.shortMean] = short;
      if (samples < countMax) numbers[number] = samples + 1;
    }
    tick.length = length;
    tick.attendedCount = attendedCount;
  }

  /** The first sample of a series is its level, but for a process on a host that has been watched: it used nothing before. */
  #begin(number: number, value: number, flagged: number, knownMs: number): void {
    if ((flagged & flag.bornAtZero) !== 0 && knownMs >= watchedMs) {
      this.#table.samples[number] = bornSamples;
      this.#table.wide[number * wideLength + wide.level] = 0;
    } else begin(this.#table, number, value);
  }
}
