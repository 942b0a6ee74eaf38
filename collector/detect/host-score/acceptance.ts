/**
 * How much a row teaches, and when trouble that lasts is how the host is now.
 *
 * A row's weight falls with the fourth power of the score above a gate: trouble does not become normal by lasting. But a host that
 * was given other work must not be unusual for ever. A state that lasted for `acceptMs` is accepted in two steps: first the levels
 * alone move to the last day's, so that a shift is forgotten and nothing of the sensitivity is lost; if that was not it, all is
 * learned anew, within two days. (Everything at once had a point F1 of 0.57 where this had 0.63.)
 */
import type { ModelFigures } from "./model-state.ts";

/** Quiet from here downwards; 1 is the ordinary day. From 1.1 to 1.4 nothing changed by more than 0.02. */
export const gate = 1.25;
const gatePower = 4;
/** The least weight. 0.01 to 0.1 made no difference. */
const leastWeight = 0.03;
/** Longer than the longest incidents known (two days in the data); 2.5 to 7 days gave the same. */
const acceptMs = 3 * 86_400_000;
/** After the levels moved: what of `acceptMs` counts as past when it is asked again. */
const acceptedShare = 0.3;
const relearnMs = 2 * 86_400_000;
/** Weight of a row in the pattern of the day while all is learned anew; as usual `slotWeight` of `learning.ts`. */
const anewSlotWeight = 0.5;

export interface Lesson {
  /** Multiplies every weight, 0.03 to 1. */
  weight: number;
  /** What a weight is at least, before that: 0, or while all is learned anew a share of two days. */
  hurry: number;
  /** Weight of a whole hour in its slot of the day, 0 for the usual one. */
  slotWeight: number;
  /** The levels move to the last day's now. */
  relevel: boolean;
}

/** What the row just scored teaches; moves `figures` on. One `lesson` is used again and again. */
export function follow(figures: ModelFigures, elapsedMs: number, lesson: Lesson): void {
  const { score } = figures;
  lesson.weight = score > gate ? Math.max(leastWeight, (gate / score) ** gatePower) : 1;
  lesson.hurry = 0;
  lesson.slotWeight = 0;
  lesson.relevel = false;
  if (!figures.fitted) return;
  // Calm counts double, so that trouble which breathes is not accepted for having lasted.
  figures.elevatedMs =
    score > gate ? figures.elevatedMs + elapsedMs : Math.max(0, figures.elevatedMs - 2 * elapsedMs);
  if (figures.elevatedMs === 0) figures.accepting = 0;
  if (figures.accepting === 2 && figures.elevatedMs < acceptMs / 2) figures.accepting = 1;
  if (figures.elevatedMs > acceptMs) {
    if (figures.accepting === 0) {
      figures.accepting = 1;
      figures.elevatedMs = acceptedShare * acceptMs;
      lesson.relevel = true;
    } else {
      figures.accepting = 2;
      figures.elevatedMs = Math.min(figures.elevatedMs, acceptMs + relearnMs / 2);
    }
  }
  if (figures.accepting === 2) {
    lesson.weight = 1;
    lesson.hurry = elapsedMs / relearnMs;
    lesson.slotWeight = anewSlotWeight;
  }
}
