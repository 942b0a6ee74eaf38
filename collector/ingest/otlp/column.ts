/**
 * One series of a source that pushes: its column, and what turns its points into a value that only grows where that is what it is.
 *
 * A cumulative counter begins anew when its process does. A point says when its counting began, so it is known whether what it shows
 * came since the last one, and the column goes on from where it was: nothing is lost at a restart of the application. When another
 * process's counter takes the column over, or the collector has forgotten the last point, how much is new is not known, and nothing
 * is added: a rate of zero once rather than a leap. A delta is added to the column's total.
 */
import { seriesId, type Series } from "#shared/series.ts";
import type { Buckets } from "./buckets.ts";

export interface CumulativePoint {
  /** 0 when not given. */
  readonly startMs: number;
  readonly timeMs: number;
  readonly value: number;
  /** The process that counts. */
  readonly from: string;
}

export class Column {
  readonly series: Series;
  readonly id: string;
  index: number;
  /** What it adds up to is kept here; in every tick it has a value, also when nothing was added. */
  isTotal = false;
  total = 0;
  /** The last point of a delta; what is not later is a repetition. */
  addedMs = 0;
  /** When it was last measured, by the collector's time. */
  seenMs = 0;
  /** The last value that the journal has, from before a restart of the collector. */
  journaled: number | undefined;
  /** The last point's buckets, of a cumulative histogram. */
  buckets: Buckets | null = null;
  #last: CumulativePoint | undefined;
  /** What is added to a point's value. */
  #offset = 0;

  constructor(series: Series, index: number) {
    this.series = series;
    this.id = seriesId(series);
    this.index = index;
  }

  /** What the column shows at this point; undefined when the point is not later than the last one. */
  follow(point: CumulativePoint): number | undefined {
    const last = this.#last;
    if (last === undefined) {
      if (this.journaled !== undefined) this.#offset = this.journaled - point.value;
    } else if (point.timeMs <= last.timeMs) {
      return undefined;
    } else if (beganSince(point, last)) {
      this.#offset += last.value;
    } else if (isAnother(point, last)) {
      this.#offset += last.value - point.value;
    }
    this.#last = point;
    return this.#offset + point.value;
  }
}

function beganSince(point: CumulativePoint, last: CumulativePoint): boolean {
  if (point.startMs !== 0 && point.startMs >= last.timeMs) return true;
  return point.value < last.value && !isAnother(point, last);
}

/** Counted by another process, or since another time. */
function isAnother({ startMs, from }: CumulativePoint, last: CumulativePoint): boolean {
  return from !== last.from || (startMs !== last.startMs && startMs !== 0 && last.startMs !== 0);
}
