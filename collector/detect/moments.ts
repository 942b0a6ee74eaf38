/**
 * Similar moments: when was a series as far off as now, in the same direction? An operator at night wants to know whether this is the
 * first time, and whether it comes at the same time of each day.
 *
 * Remembered is when an anomaly began and how far off it was then, of the series that had one lately; what lives once is not worth it.
 * The score does not depend on it: what happens again is as often trouble again as it is usual. What was tried is in `README.md`.
 * Cost: nothing but when an anomaly begins; 160 bytes for a series that had ten.
 */
import type { Reason } from "#shared/anomaly.ts";
import { limits } from "#shared/limits.ts";

/** As far off: within this factor. */
const likeness = 1.5;
const dayMs = 86_400_000;
/** At this time of each day, give or take: a job that waits for another begins later on some days. */
const sameTimeMs = 1_800_000;
const dailyMin = 3;

export type MomentsState = readonly (readonly [number: number, moments: readonly number[]])[];

export class Moments {
  /** By series' number, the one that was off last at the end: times and deviations in turn, oldest first. */
  readonly #moments = new Map<number, number[]>();

  constructor(state: MomentsState = []) {
    for (const [number, moments] of state) this.#moments.set(number, [...moments]);
  }

  add(number: number, atMs: number, deviation: number): void {
    const moments = this.#moments.get(number) ?? [];
    moments.push(atMs, deviation);
    if (moments.length > 2 * limits.momentsPerSeriesMax) moments.splice(0, 2);
    this.#moments.delete(number);
    this.#moments.set(number, moments);
    if (this.#moments.size <= limits.momentSeriesPerHostMax) return;
    const [oldest] = this.#moments.keys();
    if (oldest !== undefined) this.#moments.delete(oldest);
  }

  forget(number: number): void {
    this.#moments.delete(number);
  }

  /** What there is to say of a series that is off by `deviation` since `nowMs`; null: it is the first time. */
  reason(number: number, nowMs: number, deviation: number): Reason | null {
    const moments = this.#moments.get(number) ?? [];
    const times = moments.filter((atMs, index) => {
      const ratio = moments[index + 1]! / deviation;
      const isTime = index % 2 === 0 && nowMs - atMs <= limits.momentKeptMs;
      return isTime && ratio >= 1 / likeness && ratio <= likeness;
    });
    const first = times[0];
    const last = times.at(-1);
    if (first === undefined || last === undefined) return null;
    const args = { count: times.length, span: nowMs - first, last: nowMs - last };
    return { key: keyOf(times, nowMs), effect: "lowered", args };
  }

  state(): MomentsState {
    return [...this.#moments];
  }
}

function keyOf(times: readonly number[], nowMs: number): string {
  if (times.length === 1) return "reason.similar_once";
  const daily = times.length >= dailyMin && times.every((atMs) => isSameTimeOfDay(nowMs - atMs));
  return daily ? "reason.similar_daily" : "reason.similar";
}

function isSameTimeOfDay(agoMs: number): boolean {
  const past = agoMs % dayMs;
  return agoMs > dayMs / 2 && Math.min(past, dayMs - past) <= sameTimeMs;
}
