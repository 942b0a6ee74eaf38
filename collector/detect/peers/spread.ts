/** Median, and median absolute deviation from it: half of the members may be anything without moving either. */

let scratch = new Float64Array(64);

export interface Spread {
  readonly median: number;
  /** Not scaled to a standard deviation: 0.67 of it for normal data. */
  readonly mad: number;
}

/** Of the first `count` of `values`, at least one and none of them NaN; `values` is reordered. Linear in `count`, on average. */
export function spreadOf(values: Float64Array, count: number): Spread {
  if (scratch.length < count) scratch = new Float64Array(2 * count);
  const median = medianOf(values, count);
  for (let index = 0; index < count; index += 1) scratch[index] = Math.abs(values[index]! - median);
  return { median, mad: medianOf(scratch, count) };
}

function medianOf(values: Float64Array, count: number): number {
  const half = count >> 1;
  const upper = select(values, count, half);
  if (count % 2 === 1) return upper;
  let lower = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < half; index += 1) lower = Math.max(lower, values[index]!);
  return (lower + upper) / 2;
}

/** The value that would stand at `rank` if they were sorted; those before it are not larger afterwards (Hoare 1961). */
function select(values: Float64Array, count: number, rank: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1]!;
    let left = low;
    let right = high;
    while (left <= right) {
      while (values[left]! < pivot) left += 1;
      while (values[right]! > pivot) right -= 1;
      if (left > right) break;
      const swapped = values[left]!;
      values[left] = values[right]!;
      values[right] = swapped;
      left += 1;
      right -= 1;
    }
    if (rank <= right) high = right;
    else if (rank >= left) low = left;
    else break;
  }
  return values[rank]!;
}
