/**
 * Volume under the surface: area under the precision-recall (and ROC) curve, averaged over how far around a label still counts.
 *
 * After Paparrizos et al. 2022, as TSB-AD computes it. For each width w from 0 to W a row outside an event at distance d <= w/2 is
 * an event to the degree sqrt(1 - d/w); recall is multiplied by the share of events that were touched at all. No threshold is
 * chosen: 250 of them, at equal steps of rank. Cost: (rows near events) x W, and events x W.
 */
import { highestFirst, type Span, spansOf } from "./order.ts";
import type { Labelled } from "./delay.ts";

export interface Vus {
  readonly pr: number;
  readonly roc: number;
}

const thresholds = 250;

/** NaN without an event, or where all is one. */
export function vus({ scores, labels }: Labelled, widest: number): Vus {
  const rows = scores.length;
  const events = spansOf(labels);
  if (events.length === 0 || rows < 2) return { pr: NaN, roc: NaN };
  const { steps, predicted } = stepsOf(scores);
  const inEvents = new Float64Array(thresholds);
  let points = 0;
  for (const { start, end } of events) {
    for (let row = start; row <= end; row += 1) inEvents[steps[row]!]! += 1;
    points += end - start + 1;
  }
  const found = cumulated(inEvents);
  const margin = new Margin(rows, events, steps, widest >> 1);
  const groups = new Groups(events, steps, rows);
  let pr = 0;
  let roc = 0;
  for (let width = 0; width <= widest; width += 1) {
    const half = width >> 1;
    const around = cumulated(margin.weights(width));
    const { touched, count } = groups.grown(half);
    const touchedBy = cumulated(touched);
    let [rateBefore, falseRateBefore] = [0, 0];
    for (let step = 0; step < thresholds; step += 1) {
      const truePositives = found[step]! + around[step]!;
      const positives = points + around[step]! / 2;
      const rate = Math.min(truePositives / positives, 1) * (touchedBy[step]! / count);
      const falseRate = (predicted[step]! - truePositives) / (rows - positives);
      pr += (rate - rateBefore) * (truePositives / predicted[step]!);
      roc += ((falseRate - falseRateBefore) * (rate + rateBefore)) / 2;
      [rateBefore, falseRateBefore] = [rate, falseRate];
    }
    roc += ((1 - falseRateBefore) * (1 + rateBefore)) / 2;
  }
  return { pr: pr / (widest + 1), roc: roc / (widest + 1) };
}

/** Per row: the first threshold that it reaches. Per threshold: how many rows reach it. */
function stepsOf(scores: Float32Array): { steps: Uint8Array; predicted: Float64Array } {
  const order = highestFirst(scores);
  const rows = order.length;
  const steps = new Uint8Array(rows);
  const predicted = new Float64Array(thresholds);
  let rank = 0;
  for (let step = 0; step < thresholds; step += 1) {
    const at = Math.floor((step * (rows - 1)) / (thresholds - 1));
    const lowest = scores[order[at]!]!;
    while (rank < rows && scores[order[rank]!]! >= lowest) {
      steps[order[rank]!] = step;
      rank += 1;
    }
    predicted[step] = rank;
  }
  return { steps, predicted };
}

function cumulated(counts: Float64Array): Float64Array {
  let sum = 0;
  return counts.map((count) => (sum += count));
}

/** Rows outside events and near to one: to which degree each is an event at a width, summed by the threshold it reaches. */
class Margin {
  readonly #rows: number;
  readonly #events: readonly Span[];
  /** Rows near events, and where each row is among them (-1: in an event, or far). */
  readonly #near: number[] = [];
  readonly #place: Int32Array;
  readonly #steps: Uint8Array;

  constructor(rows: number, events: readonly Span[], steps: Uint8Array, reach: number) {
    this.#rows = rows;
    this.#events = events;
    this.#steps = steps;
    this.#place = new Int32Array(rows).fill(-1);
    const inside = new Uint8Array(rows);
    for (const { start, end } of events) inside.fill(1, start, end + 1);
    for (const { start, end } of events) {
      for (let row = Math.max(0, start - reach); row <= Math.min(rows - 1, end + reach); row += 1) {
        if (inside[row] === 1 || this.#place[row] !== -1) continue;
        this.#place[row] = this.#near.length;
        this.#near.push(row);
      }
    }
  }

  weights(width: number): Float64Array {
    const degrees = new Float64Array(this.#near.length);
    for (let distance = 1; distance <= width >> 1; distance += 1) {
      const degree = Math.sqrt(1 - distance / width);
      for (const { start, end } of this.#events) {
        const before = start >= distance ? this.#place[start - distance]! : -1;
        const after = end + distance < this.#rows ? this.#place[end + distance]! : -1;
        if (before >= 0) degrees[before]! += degree;
        if (after >= 0) degrees[after]! += degree;
      }
    }
    const byStep = new Float64Array(thresholds);
    for (const [place, row] of this.#near.entries()) {
      byStep[this.#steps[row]!]! += Math.min(1, degrees[place]!);
    }
    return byStep;
  }
}

/** Events that grow on both sides, merged where they meet; by the threshold at which each is first touched. */
class Groups {
  readonly #events: readonly Span[];
  readonly #steps: Uint8Array;
  readonly #rows: number;
  readonly #first: Uint8Array;
  #half = 0;

  constructor(events: readonly Span[], steps: Uint8Array, rows: number) {
    this.#events = events;
    this.#steps = steps;
    this.#rows = rows;
    this.#first = Uint8Array.from(events, ({ start, end }) => steps.subarray(start, end + 1).reduce(lower));
  }

  /** `half` may only grow from call to call. */
  grown(half: number): { touched: Float64Array; count: number } {
    while (this.#half < half) {
      this.#half += 1;
      for (const [index, { start, end }] of this.#events.entries()) {
        const before = start >= this.#half ? this.#steps[start - this.#half]! : 255;
        const after = end + this.#half < this.#rows ? this.#steps[end + this.#half]! : 255;
        this.#first[index] = Math.min(this.#first[index]!, before, after);
      }
    }
    const touched = new Float64Array(thresholds);
    let count = 0;
    let first = 255;
    for (const [index, { end }] of this.#events.entries()) {
      first = Math.min(first, this.#first[index]!);
      const next = this.#events[index + 1];
      if (next !== undefined && end + half >= next.start - half) continue;
      touched[first]! += 1;
      count += 1;
      first = 255;
    }
    return { touched, count };
  }
}

function lower(a: number, b: number): number {
  return Math.min(a, b);
}

const periodRows = 20_000;
const lags = { from: 3, to: 400 };
const usualPeriod = 125;

/** W for a series: the lag of the highest peak of its autocorrelation, as TSB-AD finds it; 125 when it has none from 6 to 303. */
export function periodOf(values: ArrayLike<number>): number {
  const rows = Math.min(values.length, periodRows);
  let mean = 0;
  let known = 0;
  for (let row = 0; row < rows; row += 1) {
    if (!Number.isFinite(values[row])) continue;
    mean += values[row]!;
    known += 1;
  }
  mean /= Math.max(1, known);
  const centred = Float64Array.from({ length: rows }, (_, row) =>
    Number.isFinite(values[row]) ? values[row]! - mean : 0,
  );
  const correlation: number[] = [];
  for (let lag = lags.from; lag <= lags.to && lag < rows; lag += 1) {
    let sum = 0;
    for (let row = lag; row < rows; row += 1) sum += centred[row]! * centred[row - lag]!;
    correlation.push(sum);
  }
  let best = -1;
  for (let index = 1; index + 1 < correlation.length; index += 1) {
    const here = correlation[index]!;
    if (here <= correlation[index - 1]! || here <= correlation[index + 1]!) continue;
    if (best < 0 || here > correlation[best]!) best = index;
  }
  return best < 3 || best > 300 ? usualPeriod : best + lags.from;
}
