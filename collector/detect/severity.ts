/**
 * One scale for both tiers, 0 to 16: what is only unusual stays below 8, what is unprecedented begins above it.
 *
 * Below 8 it is -log10 of how probable such a deviation is (`tailScore`). An alarm of the records counts 9, and one more for each
 * doubling of its evidence. So one number orders everything, and one threshold can ask for either tier.
 */
import { tailScore, zMin } from "./level.ts";
import type { RecordAlarm } from "./record.ts";
import type { Tick } from "./tick.ts";

const unusualMax = 7.999;
const unprecedentedScore = 9;

/** `raised`: by what else is known of it, such as that it is at its kind's bound. */
export function unusualScore(z: number, raised = 0): number {
  return Math.min(unusualMax, tailScore(z) + raised);
}

/** `doublings` of the evidence that the weakest alarm of the records has. */
export function recordScore(doublings: number): number {
  return Math.min(16, unprecedentedScore + doublings);
}

/** Standing still is as far from usual as can be, and no record of a value. */
export const flatScore = unusualMax;

/** Scores from here on are what is told as an anomaly, unless the operator or feedback changed a series' threshold. */
export const shippedScore = unusualScore(zMin);

/** What a host's last tick gave one of its columns. */
export interface JudgedTick {
  readonly tick: Pick<Tick, "series" | "unusual">;
  readonly alarms: readonly RecordAlarm[];
  readonly flats: readonly number[];
}

/** What everything that judged a column together gave it. */
export function severityOf({ tick, alarms, flats }: JudgedTick, column: number): number {
  const number = tick.series[column]!;
  const unusual = unusualScore(Math.sqrt(tick.unusual[column]!));
  const records = alarms
    .filter((alarm) => alarm.number === number)
    .map(({ doublings }) => recordScore(doublings));
  return Math.max(unusual, ...records, flats.includes(number) ? flatScore : 0);
}
