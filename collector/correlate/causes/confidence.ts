/**
 * How probable it is that the first of a ranking is to blame: a logistic function of how strong its evidence is and of how far
 * it is ahead of the second.
 *
 * Calibrated on public cases, in which one entity is to blame and known. A system that is noisier than those (a window without any
 * fault scores 2 in one of them, 0.3 in another) is believed too easily: rarity in its own history is what tells noise there.
 */
import { calibration } from "./calibration.ts";

export interface Features {
  /** Logarithm of 1 + the best score. */
  readonly strength: number;
  /** By how much the best is ahead, as a share of it. */
  readonly margin: number;
}

export function featuresOf(first: number, second: number): Features {
  return { strength: Math.log1p(first), margin: first > 0 ? 1 - second / first : 0 };
}

/** In [0, 1]; `first` and `second` are the two best scores, 0 where there is none. */
export function confidenceOf(first: number, second: number): number {
  if (first <= 0) return 0;
  const { strength, margin } = featuresOf(first, second);
  const { intercept, ofStrength, ofMargin } = calibration;
  return 1 / (1 + Math.exp(-(intercept + ofStrength * strength + ofMargin * margin)));
}
