/**
 * Is a sample far from where its series usually is? Two levels are kept, a fast one (minutes) and a slow one (hours); a
 * sample is anomalous only if neither explains it, and only if it deviates by more than the metric's kind says matters.
 *
 * z = |x - level| / (sigma + floor / zMin), so that z reaches zMin exactly where the deviation is floor + zMin * sigma.
 * Levels and variances are exponentially weighted with time constants, not sample counts, so a changed interval changes
 * nothing. Updates come after judging and are winsorised: a spike may not teach the level that spikes are usual.
 */

/** Deviations, in standard deviations beyond the floor, from which a sample counts as exceeding. */
export const zMin = 6;
/** Below this share of zMin an open anomaly's series counts as calm again: hysteresis against flapping. */
export const calmShare = 0.5;

export const fastTimeConstantMs = 100_000;
export const slowTimeConstantMs = 5_000_000;

/** A series is judged by its own history after this much of it, and this many samples. */
export const warmupMs = 180_000;
export const warmupSamples = 18;

/** Weight of one more sample that comes `elapsedMs` after the last: 1 - e^(-dt/tau). */
export function weight(elapsedMs: number, timeConstantMs: number): number {
  return -Math.expm1(-elapsedMs / timeConstantMs);
}

/** Smallest deviation that matters for a level, in the series' unit; a hundredth of the range seen is noise in any kind. */
export function floorOf(floor: number, floorShare: number, level: number, low: number, high: number): number {
  const range = high > low ? (high - low) * 0.01 : 0;
  return Math.max(floor, floorShare * Math.abs(level), range);
}

/** See the head of this file. Infinity when neither variance nor floor says anything: a constant that moved. */
export function zScore(deviation: number, variance: number, floor: number): number {
  return Math.abs(deviation) / (Math.sqrt(variance) + floor / zMin);
}

/**
 * -log10 of the two-sided tail of Student's t with 4 degrees of freedom, 0 to 16: heavy tails, because the residuals of
 * machines have them. Closed form: p = 1 - u (3 - u^2) / 2 with u = z / sqrt(z^2 + 4).
 */
export function tailScore(z: number): number {
  if (!(z > 0)) return 0;
  // p in a form that does not cancel for large z: (1 - u)^2 (2 + u) / 2 with 1 - u = 4 / (s (s + z)), s = sqrt(z^2 + 4).
  const s = Math.sqrt(z * z + 4);
  const rest = 4 / (s * (s + z));
  const p = (rest * rest * (3 - rest)) / 2;
  return Math.min(16, Math.max(0, -Math.log10(p)));
}

/** On the bad side of the bound: above it where up is bad, else below. There is no bound when it is NaN. */
export function isBeyond(value: number, bound: number, badUp: number): boolean {
  return badUp !== 0 ? value >= bound : value <= bound;
}

/** The step towards a sample, at most three standard deviations and the floor. */
export function clipped(deviation: number, variance: number, floor: number): number {
  if (deviation * deviation <= 9 * variance) return deviation;
  const most = 3 * Math.sqrt(variance) + floor;
  return Math.max(-most, Math.min(most, deviation));
}
