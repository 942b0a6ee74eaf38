/** What a drill-down answers: combinations of attribute values, and how much each explains. */
import type { Where } from "./leaves.ts";

export interface Combination {
  readonly where: Where;
  /** Of everything that is beyond what is usual, 0 to 1. */
  readonly share: number;
  /** Failures beyond what is usual, or events that are missing (or too many, as the whole has too many). */
  readonly excess: number;
  readonly actual: number;
  readonly expected: number;
  /** What was tried there. */
  readonly events: number;
  /** Comparable within one answer only. */
  readonly score: number;
}

export interface DrillDown {
  /** Best first. Each explains what those before it do not. */
  readonly causes: readonly Combination[];
  /** What explains most of what these leave over, though not enough to be a cause. */
  readonly next: Combination | null;
  /** All that is beyond what is usual. */
  readonly excess: number;
}

/** An operator reads three facts at once, and no cause in the public cases has more. */
export const attributesPerCombinationMax = 3;
/** Faults that begin at the same minute in different places: more are a fault of something else. */
export const causesMax = 3;

/** Less than a hundredth is no explanation: then nothing is next best. */
export const nextShareMin = 0.01;

export function shareOf(excess: number, of: number): number {
  return of > 0 ? Math.min(1, Math.max(0, excess / of)) : 0;
}

export function nextOf(combination: Combination): Combination | null {
  return combination.share < nextShareMin ? null : combination;
}
