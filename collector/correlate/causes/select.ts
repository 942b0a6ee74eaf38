/**
 * The k-th smallest of numbers, in linear time and in place (Hoare 1961, with the median of three as pivot).
 *
 * A sort of 300 numbers costs nine times as much, and a ranking needs five order statistics of each of ten thousand series.
 */

/** Moves the `k`-th smallest of `values[from..to)` to `k`, smaller ones before it and larger ones after it, and returns it. */
export function select(values: Float64Array, k: number, from: number, to: number): number {
  let low = from;
  let high = to - 1;
  while (low < high) {
    const a = values[low]!;
    const b = values[(low + high) >>> 1]!;
    const c = values[high]!;
    const pivot = a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b;
    let left = low;
    let right = high;
    while (left <= right) {
      while (values[left]! < pivot) left += 1;
      while (values[right]! > pivot) right -= 1;
      if (left <= right) {
        const held = values[left]!;
        values[left] = values[right]!;
        values[right] = held;
        left += 1;
        right -= 1;
      }
    }
    if (k <= right) high = right;
    else if (k >= left) low = left;
    else break;
  }
  return values[k]!;
}
