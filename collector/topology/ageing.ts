/**
 * How edges age: their weight is an exponentially weighted mean of what is seen, with a half-life of an hour.
 *
 * A mean over time, not over samples, so that an agent's interval does not matter: after `dt` the old mean counts 2^(-dt / half-life)
 * (Coroot, Weave Scope and others keep such maps; an hour outlives a restart and forgets a one-off by the evening). An edge that is not
 * seen is kept for `edgeKeptMs`, so that a batch that runs at night keeps its place. Pure.
 */
export const halfLifeMs = 3_600_000;
/** Not seen for as long as its weight takes to halve. */
export const staleAfterMs = halfLifeMs;
/** An agent looks again within this time: what was there at its last look is taken to be there still. */
export const lookMs = 60_000;
/** What is measured on an edge is told for this long: ten of the agent's looks. */
export const measuredMs = 300_000;

/** What is left of a weight after `elapsedMs`. */
export function decay(elapsedMs: number): number {
  return 2 ** (-Math.max(0, elapsedMs) / halfLifeMs);
}

/** What is left of it when nothing was heard of it since `weightMs`. */
export function faded(weight: number, weightMs: number, nowMs: number): number {
  return weight * decay(nowMs - weightMs - lookMs);
}

/** Something that was seen at a time, and counts while that is not too long ago. */
export interface Aged {
  /** -1 before it was seen at all. */
  seenMs: number;
}
