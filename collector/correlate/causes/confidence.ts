/**
 * How probable it is that the first of a ranking is to blame: a logistic function of how strong its evidence is, by itself and beside
 * what the same entities score when nothing is wrong, and of how far it is ahead of the second.
 *
 * Calibrated on public cases, in which one entity is to blame and known.
 */
import { calibration } from "./calibration.ts";

/** What a quiet system scores, where that is not known; and what keeps logarithms of small scores apart. */
const usualScore = 0.3;

export interface Features {
  /** Logarithm of 1 + the best score. */
  readonly strength: number;
  /** Logarithm of how many times the usual score it is. */
  readonly rise: number;
  /** By how much the best is ahead, as a share of it. */
  readonly margin: number;
}

/** `first` and `second` are the two best scores, 0 where there is none. */
export function featuresOf(first: number, second: number, usual: number = usualScore): Features {
  return {
    strength: Math.log1p(first),
    rise: Math.log((first + usualScore) / (usual + usualScore)),
    margin: first > 0 ? 1 - second / first : 0,
  };
}

/** In [0, 1]. */
export function confidenceOf(first: number, second: number, usual?: number): number {
  if (first <= 0) return 0;
  const { strength, rise, margin } = featuresOf(first, second, usual);
  const { intercept, ofStrength, ofRise, ofMargin } = calibration;
  return 1 / (1 + Math.exp(-(intercept + ofStrength * strength + ofRise * rise + ofMargin * margin)));
}
