/**
 * A cube asked about a moment: which minutes, against which past.
 *
 * Failures and refusals are asked over as few minutes as hold a hundred of them, five at most: a burst is not thinned by the calm before it,
 * and a small flow has enough to count. They include the running minute. Volumes are asked over as few whole minutes as a thousand
 * events would usually take, five at most.
 */
import {
  drillRatio,
  type DrilledWhat,
  drillVolume,
  type DrillDown,
  feltOf,
  sentenceOf,
} from "#collector/correlate/drilldown/drilldown.ts";
import type { Text } from "#shared/contract/incident.ts";
import { type Cube, minute, minuteMs, minuteOf, minutesKept } from "./cube.ts";

/** failure: the system's; refusal: the business rules'. */
export type DrilledEnding = "failure" | "refusal" | "volume";

export interface Drilled extends DrillDown {
  readonly ending: DrilledEnding;
  readonly fromMs: number;
  readonly toMs: number;
  /** One for each cause. */
  readonly sentences: readonly Text[];
  /** What customers feel, in one sentence; null of volumes, and when nothing ended badly. */
  readonly felt: Text | null;
}

const minutesMax = 5;
const badEnough = 100;
const eventsEnough = 1_000;

/** Null when that time is not kept, or had not begun. */
export function drillCube(cube: Cube, timeMs: number, ending: DrilledEnding): Drilled | null {
  const asked = minuteOf(timeMs);
  const to = ending === "volume" ? Math.min(asked, cube.lastMinute + 1) - 1 : asked;
  if (cube.lastMinute === -1 || to > cube.lastMinute || to <= cube.lastMinute - minutesKept) return null;
  return ending === "volume" ? volumeAt(cube, to) : endingAt(cube, timeMs, ending);
}

function endingAt(cube: Cube, timeMs: number, ending: "failure" | "refusal"): Drilled {
  const to = minuteOf(timeMs);
  const column = ending === "failure" ? "system" : "business";
  let from = to;
  while (to - from + 1 < minutesMax && cube.total(minute[column], from, to) < badEnough) from -= 1;
  const usual = cube.usual(column, from);
  const drilled = drillRatio({
    leaves: cube.leaves(),
    attempts: cube.sums(minute.attempts, from, to),
    failures: cube.sums(minute[column], from, to),
    usualAttempts: usual.attempts,
    usualFailures: usual.bad,
  });
  const what = ending === "failure" ? "failed" : "refused";
  const events = cube.total(minute.attempts, from, to);
  const bad = cube.total(minute[column], from, to);
  const felt = bad === 0 ? null : feltOf(what, drilled, { events, bad, windowMs: timeMs - from * minuteMs });
  return { ...told(drilled, ending, what, from, to), felt };
}

function volumeAt(cube: Cube, to: number): Drilled {
  let from = to;
  let level = cube.level(from);
  const enough = (): boolean => level.reduce((sum, one) => sum + one, 0) * (to - from + 1) >= eventsEnough;
  while (to - from + 1 < minutesMax && !enough()) {
    from -= 1;
    level = cube.level(from);
  }
  const expected = level.map((attempts) => attempts * (to - from + 1));
  const actual = cube.sums(minute.attempts, from, to);
  const drilled = drillVolume({ leaves: cube.leaves(), actual, expected });
  const more = actual.reduce((sum, one, leaf) => sum + one - expected[leaf]!, 0) > 0;
  return told(drilled, "volume", more ? "surplus" : "missing", from, to);
}

function told(
  drilled: DrillDown,
  ending: DrilledEnding,
  what: DrilledWhat,
  from: number,
  to: number,
): Drilled {
  const sentences = drilled.causes.map((_, index) => sentenceOf(what, drilled, index)!);
  return { ...drilled, ending, fromMs: from * minuteMs, toMs: (to + 1) * minuteMs, sentences, felt: null };
}
