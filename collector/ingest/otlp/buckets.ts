/**
 * Quantiles of histograms, and what a cumulative histogram counted since it was last read.
 *
 * Explicit buckets are read as Prometheus reads them: linear between the bounds, the first one from zero, the last bound for what is
 * above it. Exponential buckets are geometric between their bounds, so an error is at most a bucket's width (4 % at scale 3).
 */
import type { ExplicitBuckets, ExponentialBuckets } from "../decode/otlp.ts";

export type Buckets = ExplicitBuckets | ExponentialBuckets;

/** The value that the share `q` of what was counted does not exceed; NaN when nothing was counted. */
export function quantileOf(buckets: Buckets, q: number): number {
  return buckets.kind === "explicit" ? explicitQuantile(buckets, q) : exponentialQuantile(buckets, q);
}

/** How many were counted. */
export function countOf(buckets: Buckets): number {
  const zero = buckets.kind === "exponential" ? buckets.zeroCount : 0;
  return buckets.counts.reduce((sum, count) => sum + count, zero);
}

/** What `now` has counted since `before`; null when it began anew or its bounds are others. */
export function since(now: Buckets, before: Buckets): Buckets | null {
  if (now.kind === "explicit") return before.kind === "explicit" ? explicitSince(now, before) : null;
  return before.kind === "exponential" ? exponentialSince(now, before) : null;
}

function explicitQuantile({ bounds, counts }: ExplicitBuckets, q: number): number {
  const rank = q * counts.reduce((sum, count) => sum + count, 0);
  if (!(rank > 0)) return Number.NaN;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    if (below + count < rank || count === 0) {
      below += count;
      continue;
    }
    const high = bounds[index];
    // Above the last bound nothing is known but that it is above.
    if (high === undefined) return bounds.at(-1) ?? Number.NaN;
    const low = bounds[index - 1] ?? Math.min(0, high);
    return low + (high - low) * ((rank - below) / count);
  }
  return bounds.at(-1) ?? Number.NaN;
}

function exponentialQuantile({ scale, zeroCount, offset, counts }: ExponentialBuckets, q: number): number {
  const rank = q * (zeroCount + counts.reduce((sum, count) => sum + count, 0));
  if (!(rank > 0)) return Number.NaN;
  if (rank <= zeroCount) return 0;
  let below = zeroCount;
  for (const [index, count] of counts.entries()) {
    if (below + count < rank || count === 0) {
      below += count;
      continue;
    }
    return 2 ** ((offset + index + (rank - below) / count) * 2 ** -scale);
  }
  return 2 ** ((offset + counts.length) * 2 ** -scale);
}

function explicitSince(now: ExplicitBuckets, before: ExplicitBuckets): ExplicitBuckets | null {
  if (now.counts.length !== before.counts.length) return null;
  if (now.bounds.some((bound, index) => bound !== before.bounds[index])) return null;
  const counts = now.counts.map((count, index) => count - (before.counts[index] ?? 0));
  return counts.some((count) => count < 0) ? null : { kind: "explicit", bounds: now.bounds, counts };
}

/** An exponential histogram halves its resolution when its range grows: both are compared at the coarser one. */
function exponentialSince(now: ExponentialBuckets, before: ExponentialBuckets): ExponentialBuckets | null {
  const scale = Math.min(now.scale, before.scale);
  const a = coarser(now, scale);
  const b = coarser(before, scale);
  const zeroCount = now.zeroCount - before.zeroCount;
  const counts = a.counts.map((count, index) => count - (b.counts[index + a.offset - b.offset] ?? 0));
  const isLost = b.counts.some((count, index) => {
    const at = index + b.offset - a.offset;
    return count > 0 && (at < 0 || at >= a.counts.length);
  });
  if (isLost || zeroCount < 0 || counts.some((count) => count < 0)) return null;
  return { kind: "exponential", scale, zeroCount, offset: a.offset, counts };
}

function coarser(buckets: ExponentialBuckets, scale: number): ExponentialBuckets {
  const shift = buckets.scale - scale;
  if (shift <= 0 || buckets.counts.length === 0) return { ...buckets, scale };
  // No shift of 32 bits, which would be none: beyond 31 all that is left of an index is its sign.
  const down = (index: number): number => index >> Math.min(31, shift);
  const offset = down(buckets.offset);
  const length = down(buckets.offset + buckets.counts.length - 1) - offset + 1;
  const counts = Array.from({ length }, () => 0);
  for (const [index, count] of buckets.counts.entries())
    counts[down(buckets.offset + index) - offset]! += count;
  return { ...buckets, scale, offset, counts };
}
