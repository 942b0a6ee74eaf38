/**
 * The order in which a falling threshold meets the samples: one sort, from which every sweep over thresholds is made.
 *
 * Radix sort of the float's bits, three passes of eleven: 3.4 M scores in a fifth of a second, where a comparison sort of
 * indices takes several. Equal scores keep the order of their rows.
 */

/** Above every score: the threshold at which nothing is an alarm. Finite, so that JSON can hold it. */
export const noAlarm = Number.MAX_VALUE;

/** Indices of `scores`, highest score first. Throws on NaN: a score that cannot be compared cannot be swept. */
export function highestFirst(scores: Float32Array): Uint32Array {
  const length = scores.length;
  const keys = new Uint32Array(length);
  const bits = new Uint32Array(scores.slice().buffer);
  for (let index = 0; index < length; index += 1) {
    if (scores[index] !== scores[index]) throw new Error(`score ${index} of ${length} is NaN`);
    // -0 and 0 are one score. Negative floats grow downwards in bits; all is turned over so that the highest is first.
    const raw = scores[index] === 0 ? 0 : bits[index]!;
    keys[index] = raw >= 0x80000000 ? raw : ~(raw | 0x80000000);
  }
  let from = new Uint32Array(length);
  for (let index = 0; index < length; index += 1) from[index] = index;
  let to = new Uint32Array(length);
  for (const shift of [0, 11, 22]) {
    const starts = new Uint32Array(2049);
    for (let index = 0; index < length; index += 1) starts[((keys[index]! >>> shift) & 2047) + 1]! += 1;
    for (let digit = 0; digit < 2048; digit += 1) starts[digit + 1]! += starts[digit]!;
    for (let place = 0; place < length; place += 1) {
      const index = from[place]!;
      const digit = (keys[index]! >>> shift) & 2047;
      to[starts[digit]!] = index;
      starts[digit]! += 1;
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Several series' scores end to end, so that one threshold is swept over all of them. */
export function concatenated(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What a labelled array of 0 and 1 says: first and last row of each event. */
export interface Span {
  readonly start: number;
  /** Included. */
  readonly end: number;
}

export function spansOf(labels: Uint8Array): Span[] {
  const spans: Span[] = [];
  let start = -1;
  for (let row = 0; row < labels.length; row += 1) {
    if (labels[row] !== 0 && start < 0) start = row;
    if (labels[row] === 0 && start >= 0) {
      spans.push({ start, end: row - 1 });
      start = -1;
    }
  }
  if (start >= 0) spans.push({ start, end: labels.length - 1 });
  return spans;
}

/** F1 from counts; 0 where there is nothing to be right about. */
export function f1Of(truePositives: number, falsePositives: number, falseNegatives: number): number {
  const weight = 2 * truePositives + falsePositives + falseNegatives;
  return weight === 0 ? 0 : (2 * truePositives) / weight;
}
