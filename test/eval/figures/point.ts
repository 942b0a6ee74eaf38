/** F1 over single points, without any adjustment: each sample of an event must be told apart from each sample outside. */
import { type Fitted, type Labelled, type Ratio, ratioOf } from "./delay.ts";
import { f1Of, highestFirst, noAlarm } from "./order.ts";

/** The best F1 of one series over all thresholds: an oracle, comparable with the literature, not with life. */
export function pointSweep({ scores, labels }: Labelled): Fitted {
  const order = highestFirst(scores);
  const points = labels.reduce((sum, label) => sum + (label === 0 ? 0 : 1), 0);
  let found = 0;
  let best: Fitted = { f1: 0, threshold: noAlarm };
  for (let place = 0; place < order.length; place += 1) {
    const row = order[place]!;
    if (labels[row] !== 0) found += 1;
    if (place + 1 < order.length && scores[order[place + 1]!] === scores[row]) continue;
    const f1 = f1Of(found, place + 1 - found, points - found);
    if (f1 > best.f1) best = { f1, threshold: scores[row]! };
  }
  return best;
}

export function pointAt({ scores, labels }: Labelled, threshold: number): Ratio {
  let found = 0;
  let wrong = 0;
  let missed = 0;
  for (let row = 0; row < scores.length; row += 1) {
    const alarm = scores[row]! >= threshold;
    if (labels[row] === 0) wrong += alarm ? 1 : 0;
    else if (alarm) found += 1;
    else missed += 1;
  }
  return ratioOf(found, wrong, missed);
}
