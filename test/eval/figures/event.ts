/**
 * Event F1 by onsets: the product's own figure. An alarm is what an operator sees begin; an event is found if one begins in it.
 *
 * An onset is the first sample at or above the threshold after more than `gap` samples below it. Event [a, b] is found if an
 * onset lies in [a - 3, b], or with `within` set in [a - 3, a + within]. An onset in no such window is a false alarm, but for
 * further onsets within a found event. Counting onsets, not overlap, is what makes one endless alarm worthless
 * (Grafana's bands: 0.975 by overlap, 0.66 by onsets).
 */
import { type Labelled, type Ratio, ratioOf } from "./delay.ts";
import { spansOf } from "./order.ts";

/** An onset this many samples before the label still belongs to the event: labels are drawn by hand. */
export const earlySamples = 3;
const dayMs = 86_400_000;

export interface TimedLabelled extends Labelled {
  readonly intervalMs: number;
}

export interface EventOptions {
  readonly gap: number;
  /** The onset must come within this many samples of the event's beginning; absent: anywhere in the event. */
  readonly within?: number;
}

export interface EventFigures extends Ratio {
  readonly events: number;
  readonly found: number;
  readonly falseAlarms: number;
  readonly alarms: number;
  readonly alarmsPerSeriesDay: number;
  /** In samples, from the event's beginning to its first onset; NaN when nothing was found. */
  readonly medianDelay: number;
}

export function seriesDays(series: readonly TimedLabelled[]): number {
  return series.reduce((sum, { scores, intervalMs }) => sum + (scores.length * intervalMs) / dayMs, 0);
}

/** Rows at which an alarm begins. */
export function onsetsOf(scores: Float32Array, threshold: number, gap: number): number[] {
  const onsets: number[] = [];
  let last = -Infinity;
  for (let row = 0; row < scores.length; row += 1) {
    if (!(scores[row]! >= threshold)) continue;
    if (row - last > gap) onsets.push(row);
    last = row;
  }
  return onsets;
}

export function eventsAt(
  series: readonly TimedLabelled[],
  threshold: number,
  { gap, within = Infinity }: EventOptions,
): EventFigures {
  let events = 0;
  let alarms = 0;
  let falseAlarms = 0;
  const delays: number[] = [];
  for (const { scores, labels } of series) {
    const onsets = onsetsOf(scores, threshold, gap);
    const free = new Uint8Array(onsets.length);
    alarms += onsets.length;
    let from = 0;
    for (const { start, end } of spansOf(labels)) {
      events += 1;
      while (from < onsets.length && onsets[from]! < start - earlySamples) from += 1;
      const first = onsets[from];
      if (first === undefined || first > Math.min(end, start + within)) continue;
      delays.push(first - start);
      for (let at = from; at < onsets.length && onsets[at]! <= end; at += 1) free[at] = 1;
    }
    falseAlarms += free.reduce((sum, isFree) => sum + 1 - isFree, 0);
  }
  return {
    ...ratioOf(delays.length, falseAlarms, events - delays.length),
    events,
    found: delays.length,
    falseAlarms,
    alarms,
    alarmsPerSeriesDay: alarms / seriesDays(series),
    medianDelay: medianOf(delays),
  };
}

/** NaN of nothing. */
function medianOf(numbers: number[]): number {
  const sorted = numbers.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
