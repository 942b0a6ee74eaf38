/**
 * What is kept of one flow of events, as a row of doubles: its windows, what is usual of its failures and refusals, and of its volume.
 * 1.3 KB a flow, constant whatever the number of events; nothing here is an object per event or tick.
 */

/** Windows are made of the last 15 minutes, one by one, and of the last hour in pieces of five. */
export const minutes = 15;
export const fives = 12;
/** Of each minute and piece: events, failures, refusals, and how many seconds of it were seen. */
export const bucket = { events: 0, failures: 1, refusals: 2, seconds: 3 } as const;
export const bucketLength = 4;

/** What is learned of a ratio (`ratio.ts`). */
export const ratio = {
  /** Decayed sums of events and of those that ended badly; minutes with events. */
  events: 0,
  bad: 1,
  minutes: 2,
  /** For each size: decayed sums for the method of moments, and of the squares of the last of them. */
  spread: 3,
  /** When what is going on began: a cumulative sum, and the first tick of it. */
  rise: 15,
  riseMs: 16,
} as const;
const ratioLength = 17;
/** Sizes of window of which the over-dispersion is learned, minutes. */
export const sizes = [1, 5, 15] as const;
/** Per size, from `ratio.spread` on. */
export const spread = { squares: 0, binomial: 1, pairs: 2, pairsSquared: 3 } as const;
export const spreadLength = 4;

/** What is learned of the volume (`volume.ts`). */
export const volume = {
  /** Events per second, and minutes that it stands on. */
  level: 0,
  minutes: 1,
  /** Decayed sums for the relative variance of a minute's rate. */
  squares: 2,
  means: 3,
  /** First tick without an event since the last one that had one. */
  quietMs: 4,
  /** A run of minutes that are far below: since when, what came of what was expected, and whether it was worth telling. */
  runMs: 5,
  runEvents: 6,
  runExpected: 7,
  runMinutes: 8,
  runWorth: 9,
  /** Hours of which it is known which runs there were, and by hour of the day how many began; both fade. */
  watchedHours: 10,
  hours: 11,
} as const;
const volumeLength = 11 + 24;

export const row = {
  /** When its first tick came; 0 before. */
  firstMs: 0,
  /** Events up to here are counted. */
  countedMs: 1,
  /** Nothing from before is in the windows. */
  sinceMs: 2,
  minutes: 3,
  fives: 3 + minutes * bucketLength,
  failures: 3 + (minutes + fives) * bucketLength,
  refusals: 3 + (minutes + fives) * bucketLength + ratioLength,
  volume: 3 + (minutes + fives) * bucketLength + 2 * ratioLength,
} as const;
export const rowLength = row.volume + volumeLength;

/** The rows of one host's flows; growth by half, and places are given out again. */
export class FlowRows {
  values = new Float64Array(0);
  #free: number[] = [];
  #next = 0;

  /** The offset of an empty row. */
  take(): number {
    const at = this.#free.pop() ?? this.#next++ * rowLength;
    if (at + rowLength > this.values.length) {
      const values = new Float64Array(Math.max(4, Math.ceil(this.#next * 1.5)) * rowLength);
      values.set(this.values);
      this.values = values;
    }
    this.values.fill(0, at, at + rowLength);
    return at;
  }

  release(at: number): void {
    this.#free.push(at);
  }
}
