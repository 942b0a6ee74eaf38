/** The score of the UCR anomaly archive: a series has one event, and the highest severity must lie in it or near it. */
import type { Span } from "./order.ts";

const nearSamples = 100;

/** The first of equal highest rows counts. */
export function ucrHit(scores: Float32Array, { start, end }: Span): boolean {
  let highest = 0;
  for (let row = 1; row < scores.length; row += 1) if (scores[row]! > scores[highest]!) highest = row;
  const near = Math.max(nearSamples, end - start + 1);
  return highest >= start - near && highest <= end + near;
}
