/**
 * Has a deviation this large ever been seen? The largest deviation from the slow level is kept per direction and fades
 * with a half-life of a week; what exceeds it by a margin is unprecedented, which tells an incident from a bad habit.
 * (The record detectors of NAB's leaders, without their knowledge of the future's range.)
 */
export const recordHalfLifeMs = 7 * 86_400_000;
export const recordMargin = 1.05;

/** Factor by which a record fades in `elapsedMs`. */
export function recordDecay(elapsedMs: number): number {
  return 2 ** (-elapsedMs / recordHalfLifeMs);
}

export function isUnprecedented(deviation: number, record: number): boolean {
  return deviation > record * recordMargin;
}
