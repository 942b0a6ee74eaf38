/**
 * Affiliation precision and recall (Huet et al. 2022): how near predictions are to events, as if each event had its own stretch of time.
 *
 * Time is cut in the middle between events; in its stretch each event is compared with predictions placed at random. Rows are
 * intervals [row, row + 1), all integrals are exact. It tells methods apart badly (0.74 to 0.89 for all that were compared):
 * shown, never aimed at.
 */
import { type Span, spansOf } from "./order.ts";

export interface Affiliation {
  /** NaN without a prediction. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Sums, so that several series give one figure. */
export interface AffiliationSums {
  readonly events: number;
  readonly precisions: readonly number[];
  readonly recalls: readonly number[];
}

interface Stretch {
  readonly from: number;
  /** Excluded. */
  readonly to: number;
}

export function affiliationSums(predicted: Uint8Array, labels: Uint8Array): AffiliationSums {
  const events = spansOf(labels).map(stretchOf);
  const predictions = spansOf(predicted).map(stretchOf);
  const precisions: number[] = [];
  const recalls: number[] = [];
  let first = 0;
  for (const [index, event] of events.entries()) {
    const zone = {
      from: index === 0 ? 0 : (events[index - 1]!.to + event.from) / 2,
      to: index === events.length - 1 ? labels.length : (event.to + events[index + 1]!.from) / 2,
    };
    while (first < predictions.length && predictions[first]!.to <= zone.from) first += 1;
    const own: Stretch[] = [];
    for (let at = first; at < predictions.length && predictions[at]!.from < zone.to; at += 1) {
      own.push(clipped(predictions[at]!, zone));
    }
    if (own.length > 0) precisions.push(precisionOf(own, event, zone));
    recalls.push(own.length > 0 ? recallOf(own, event, zone) : 0);
  }
  return { events: events.length, precisions, recalls };
}

export function affiliationOf(sums: readonly AffiliationSums[]): Affiliation {
  const precision = meanOf(sums.flatMap(({ precisions }) => precisions));
  const recall = meanOf(sums.flatMap(({ recalls }) => recalls));
  const f1 = precision > 0 && recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
  return { precision, recall, f1 };
}

function meanOf(numbers: readonly number[]): number {
  return numbers.length === 0 ? NaN : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function stretchOf({ start, end }: Span): Stretch {
  return { from: start, to: end + 1 };
}

function clipped(stretch: Stretch, zone: Stretch): Stretch {
  return { from: Math.max(stretch.from, zone.from), to: Math.min(stretch.to, zone.to) };
}

/** Mean over predicted time of the chance that a random moment of the zone is farther from the event. */
function precisionOf(predictions: readonly Stretch[], event: Stretch, zone: Stretch): number {
  const before = event.from - zone.from;
  const after = zone.to - event.to;
  const whole = zone.to - zone.from;
  const farther = (nearest: number, farthest: number): number =>
    (integralBelow(before, nearest, farthest) + integralBelow(after, nearest, farthest)) / whole;
  let sum = 0;
  let length = 0;
  for (const { from, to } of predictions) {
    length += to - from;
    if (from < event.from) sum += farther(event.from - Math.min(to, event.from), event.from - from);
    if (to > event.to) sum += farther(Math.max(from, event.to) - event.to, to - event.to);
    sum += Math.max(0, Math.min(to, event.to) - Math.max(from, event.from));
  }
  return sum / length;
}

/** Integral of max(0, top - d) for d from `low` to `high`. */
function integralBelow(top: number, low: number, high: number): number {
  const to = (d: number): number => top * d - (d * d) / 2;
  return to(Math.min(high, top)) - to(Math.min(low, top));
}

/** Mean over the event of the chance that a random moment of the zone is farther from it than the nearest prediction. */
function recallOf(predictions: readonly Stretch[], event: Stretch, zone: Stretch): number {
  let near = 0;
  for (let at = 0; at <= predictions.length; at += 1) {
    const left = predictions[at - 1];
    const right = predictions[at];
    const from = Math.max(event.from, left?.to ?? -Infinity);
    const to = Math.min(event.to, right?.from ?? Infinity);
    if (from >= to) continue;
    const middle =
      left === undefined ? -Infinity : right === undefined ? Infinity : (left.to + right.from) / 2;
    const cut = Math.min(to, Math.max(from, middle));
    if (left !== undefined) near += integralCovered(zone.to - left.to, from - left.to, cut - left.to);
    if (right !== undefined)
      near += integralCovered(right.from - zone.from, right.from - to, right.from - cut);
  }
  return 1 - near / (zone.to - zone.from) / (event.to - event.from);
}

/** Integral of min(2d, top) for d from `low` to `high`. */
function integralCovered(top: number, low: number, high: number): number {
  const to = (d: number): number => (2 * d <= top ? d * d : (top * top) / 4 + top * (d - top / 2));
  return to(high) - to(low);
}
