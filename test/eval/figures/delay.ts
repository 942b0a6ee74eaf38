/**
 * F1 of the AIOps contest 2018: a segment is found if one of its first eight points is an alarm, and then wholly.
 *
 * Point-adjusted, so it hides storms: a false alarm costs one point, a long segment found pays all of its points. Micro F1 over the
 * points of all series. `event.ts` is the figure that cannot be flattered in this way.
 */
import { concatenated, f1Of, highestFirst, noAlarm, spansOf } from "./order.ts";

export const contestDelay = 7;

export interface Labelled {
  readonly scores: Float32Array;
  /** 1 in events. */
  readonly labels: Uint8Array;
}

export interface Ratio {
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
}

export interface Fitted {
  readonly f1: number;
  readonly threshold: number;
}

export function ratioOf(truePositives: number, falsePositives: number, falseNegatives: number): Ratio {
  return {
    f1: f1Of(truePositives, falsePositives, falseNegatives),
    precision: truePositives === 0 ? 0 : truePositives / (truePositives + falsePositives),
    recall: truePositives === 0 ? 0 : truePositives / (truePositives + falseNegatives),
  };
}

export function delayAt(series: readonly Labelled[], threshold: number, delay = contestDelay): Ratio {
  let found = 0;
  let falsePoints = 0;
  let points = 0;
  for (const { scores, labels } of series) {
    for (let row = 0; row < scores.length; row += 1) {
      if (labels[row] === 0 && scores[row]! >= threshold) falsePoints += 1;
    }
    for (const { start, end } of spansOf(labels)) {
      points += end - start + 1;
      if (earlyMax(scores, start, Math.min(end, start + delay)) >= threshold) found += end - start + 1;
    }
  }
  return ratioOf(found, falsePoints, points - found);
}

/** The threshold with the best F1, one for all series. */
export function delaySweep(series: readonly Labelled[], delay = contestDelay): Fitted {
  // A segment becomes one entry, found at the best score of its first points and worth its length; a normal point is worth -1.
  const scores: Float32Array[] = [];
  const worths: Int32Array[] = [];
  let points = 0;
  for (const { scores: all, labels } of series) {
    const spans = spansOf(labels);
    const inside = spans.reduce((sum, { start, end }) => sum + end - start + 1, 0);
    const entries = new Float32Array(all.length - inside + spans.length);
    const worth = new Int32Array(entries.length).fill(-1);
    let at = 0;
    for (let row = 0; row < all.length; row += 1) {
      if (labels[row] === 0) entries[at++] = all[row]!;
    }
    for (const { start, end } of spans) {
      entries[at] = earlyMax(all, start, Math.min(end, start + delay));
      worth[at++] = end - start + 1;
    }
    points += inside;
    scores.push(entries);
    worths.push(worth);
  }
  const entries = concatenated(scores);
  const worth = new Int32Array(entries.length);
  let offset = 0;
  for (const part of worths) {
    worth.set(part, offset);
    offset += part.length;
  }
  const order = highestFirst(entries);
  let found = 0;
  let falsePoints = 0;
  let best: Fitted = { f1: 0, threshold: noAlarm };
  for (let place = 0; place < order.length; place += 1) {
    const index = order[place]!;
    if (worth[index]! > 0) found += worth[index]!;
    else falsePoints += 1;
    if (place + 1 < order.length && entries[order[place + 1]!] === entries[index]) continue;
    const f1 = f1Of(found, falsePoints, points - found);
    if (f1 > best.f1) best = { f1, threshold: entries[index]! };
  }
  return best;
}

function earlyMax(scores: Float32Array, start: number, end: number): number {
  let max = -Infinity;
  for (let row = start; row <= end; row += 1) max = Math.max(max, scores[row]!);
  return max;
}
