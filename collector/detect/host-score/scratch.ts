/** What one row of one host is while it is judged and learned: room that every host uses in turn, and that nobody reads later. */
import { channels, metricsMax, slotsPerDay } from "./model-state.ts";

const dayMs = 86_400_000;

const column = (): Float64Array => new Float64Array(metricsMax);

export const row = {
  /** 1 where there is a value. */
  known: new Uint8Array(metricsMax),
  missing: 0,
  /** One over the expected deviation. */
  scale: column(),
  /** Deviations from the level in units of it, and the same without what the hour of the day explains. */
  deviation: column(),
  rest: column(),
  /** `rest`, with what the others would expect where there is no value. */
  complete: column(),
  product: column(),
  residuals: Array.from({ length: channels }, column),
  weight: column(),
};

/** Where a moment stands between two hours of the day (UTC; which hour is called the first makes no difference). */
export interface Hours {
  from: number;
  to: number;
  share: number;
}

export function hoursOf(timeMs: number): Hours {
  const intoDay = timeMs % dayMs;
  const hours = ((intoDay < 0 ? intoDay + dayMs : intoDay) / dayMs) * slotsPerDay;
  const from = Math.floor(hours) % slotsPerDay;
  return { from, to: (from + 1) % slotsPerDay, share: hours - Math.floor(hours) };
}
