/**
 * The business calendar: which class of day a moment belongs to, and where in its local day it is.
 *
 * Seasonality learns each class for itself: a working Sunday (调休) is a working day, a holiday on a Tuesday is a day of rest, and
 * what the end-of-day batch does to a disk at month end is compared with other month ends. All of it is data: weekly
 * pattern, holidays, adjusted working days, classes and batch windows of the operator, and a time zone as the instants at
 * which its offset changes, so nothing here knows a zone's name or reads a clock.
 *
 * Defined: in the hour that daylight saving repeats a slot comes twice, in the hour that it skips it does not come; both
 * days keep their class. Before the first and after the last instant of the table the nearest offset holds.
 * Cost: asked once a tick, not once a sample; 40 ns within a day that was asked before, 6 us for a new one.
 */
import { type Civil, civilOf, dayMinutes, dayMs, type DayPattern, fitsDay, weekdayOf } from "./civil.ts";

/** `minutes[i]` is what local time is ahead of UTC by from `sinceMs[i]` on; instants ascend, and there is at least one. */
export interface OffsetTable {
  readonly sinceMs: readonly number[];
  readonly minutes: readonly number[];
}

export interface DayClass {
  readonly name: string;
  readonly days: readonly DayPattern[];
}

/** A stretch of local time that is a class of its own; beyond midnight when `toMinute` is not after `fromMinute`. */
export interface BatchWindow {
  readonly name: string;
  /** On which days it begins: `everyDay`, or the name of a day class. */
  readonly on: string;
  readonly fromMinute: number;
  readonly toMinute: number;
}

export interface CalendarData {
  /** The zone's name, for people. */
  readonly zone: string;
  readonly offsets: OffsetTable;
  /** Days of the week without business, 0 is Sunday. */
  readonly weekend: readonly number[];
  readonly holidays: readonly DayPattern[];
  /** Days with business although the two above say otherwise. */
  readonly workdays: readonly DayPattern[];
  /** How many of the last business days of a month are a class of their own; 0: none. */
  readonly monthEndDays: number;
  readonly classes: readonly DayClass[];
  readonly batches: readonly BatchWindow[];
}

export const everyDay = "every_day";
/** The classes that every calendar has; the operator's follow, then the batch windows. */
export const builtInClasses = ["workday", "restday", "month_end"] as const;

export interface Calendar {
  readonly zone: string;
  /** Indexes are below this. */
  readonly classCount: number;
  /**
   * A small whole number. A batch window goes before a class of the operator (the first that fits), that before month end,
   * that before working day or day of rest.
   */
  dayClass(timeMs: number): number;
  className(index: number): string;
  /** Minute of the local day, 0 to 1439. */
  slotOfDay(timeMs: number): number;
  /** Days since 1970-01-01 by the local date. */
  localDay(timeMs: number): number;
  /**
   * The instant at which the wall clock shows `localMs` (as if that were UTC): the first of the two when it does so twice; when
   * it never does, the instant at which it skips that time, later by as much.
   */
  instantOf(localMs: number): number;
}

export const utc: OffsetTable = { sinceMs: [0], minutes: [0] };

/** Without settings: UTC, Saturdays and Sundays are days of rest. */
export const usualCalendar: CalendarData = {
  zone: "UTC",
  offsets: utc,
  weekend: [0, 6],
  holidays: [],
  workdays: [],
  monthEndDays: 0,
  classes: [],
  batches: [],
};

interface DayFacts {
  readonly day: number;
  readonly dayClass: number;
  /** By batch window: whether it begins on this day. */
  readonly begins: readonly boolean[];
}

export function createCalendar(data: CalendarData): Calendar {
  const { offsets, classes, batches } = data;
  const names = [...builtInClasses, ...classes.map(({ name }) => name), ...batches.map(({ name }) => name)];
  const firstBatch = builtInClasses.length + classes.length;
  const clock = new WallClock(offsets);
  const days = new DayBook(data);

  return {
    zone: data.zone,
    classCount: names.length,
    dayClass(timeMs) {
      const localMs = clock.localMs(timeMs);
      const day = Math.floor(localMs / dayMs);
      const today = days.facts(day);
      if (batches.length === 0) return today.dayClass;
      const minute = minuteOf(localMs);
      const yesterday = days.facts(day - 1);
      for (const [index, { fromMinute, toMinute }] of batches.entries()) {
        const overMidnight = toMinute <= fromMinute;
        const sinceToday = minute >= fromMinute && (overMidnight || minute < toMinute);
        const sinceYesterday = overMidnight && minute < toMinute;
        if ((sinceToday && today.begins[index]) || (sinceYesterday && yesterday.begins[index]))
          return firstBatch + index;
      }
      return today.dayClass;
    },
    className: (index) => names[index] ?? "",
    slotOfDay: (timeMs) => minuteOf(clock.localMs(timeMs)),
    localDay: (timeMs) => Math.floor(clock.localMs(timeMs) / dayMs),
    instantOf: (localMs) => clock.instantOf(localMs),
  };
}

function minuteOf(localMs: number): number {
  return Math.floor(localMs / 60_000) - Math.floor(localMs / dayMs) * dayMinutes;
}

/** UTC to local time and back. Remembers the stretch of the table that was used last. */
class WallClock {
  readonly #offsets: OffsetTable;
  #fromMs = Number.POSITIVE_INFINITY;
  #untilMs = Number.NEGATIVE_INFINITY;
  #offsetMs = 0;

  constructor(offsets: OffsetTable) {
    this.#offsets = offsets;
  }

  localMs(timeMs: number): number {
    if (!(timeMs >= this.#fromMs && timeMs < this.#untilMs)) this.#seek(timeMs);
    return timeMs + this.#offsetMs;
  }

  instantOf(localMs: number): number {
    const beforeMs = this.#offsetAt(localMs - dayMs);
    const afterMs = this.#offsetAt(localMs + dayMs);
    for (const offsetMs of [beforeMs, afterMs])
      if (this.#offsetAt(localMs - offsetMs) === offsetMs) return localMs - offsetMs;
    return localMs - beforeMs;
  }

  #offsetAt(timeMs: number): number {
    return this.localMs(timeMs) - timeMs;
  }

  #seek(timeMs: number): void {
    const { sinceMs, minutes } = this.#offsets;
    let low = 0;
    let high = sinceMs.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (sinceMs[middle]! <= timeMs) low = middle;
      else high = middle - 1;
    }
    this.#fromMs = low === 0 ? Number.NEGATIVE_INFINITY : sinceMs[low]!;
    this.#untilMs = sinceMs[low + 1] ?? Number.POSITIVE_INFINITY;
    this.#offsetMs = (minutes[low] ?? 0) * 60_000;
  }
}

/** What each day is; the last four that were asked for are remembered. */
class DayBook {
  readonly #data: CalendarData;
  readonly #known: (DayFacts | undefined)[] = [];

  constructor(data: CalendarData) {
    this.#data = data;
  }

  facts(day: number): DayFacts {
    const place = day & 3;
    const known = this.#known[place];
    if (known?.day === day) return known;
    const facts = this.#factsOf(day);
    this.#known[place] = facts;
    return facts;
  }

  #factsOf(day: number): DayFacts {
    const { classes, batches } = this.#data;
    const civil = civilOf(day);
    const business = this.#isBusinessDay(day, civil);
    const monthEnd = business && this.#isMonthEnd(day, civil);
    const own = classes.map(({ days }) => isAny(days, day, civil));
    const is = new Map<string, boolean>([
      [everyDay, true],
      ["workday", business],
      ["restday", !business],
      ["month_end", monthEnd],
      ...classes.map(({ name }, index) => [name, own[index] === true] as const),
    ]);
    const named = own.indexOf(true);
    const plain = monthEnd ? "month_end" : business ? "workday" : "restday";
    const dayClass = named >= 0 ? builtInClasses.length + named : builtInClasses.indexOf(plain);
    return { day, dayClass, begins: batches.map(({ on }) => is.get(on) === true) };
  }

  #isBusinessDay(day: number, civil: Civil): boolean {
    const { weekend, holidays, workdays } = this.#data;
    if (isAny(workdays, day, civil)) return true;
    return !weekend.includes(weekdayOf(day)) && !isAny(holidays, day, civil);
  }

  /** Fewer than `monthEndDays` business days follow in its month. */
  #isMonthEnd(day: number, { month }: Civil): boolean {
    let left = this.#data.monthEndDays;
    for (let next = day + 1; left > 0; next += 1) {
      const civil = civilOf(next);
      if (civil.month !== month) return true;
      if (this.#isBusinessDay(next, civil)) left -= 1;
    }
    return false;
  }
}

function isAny(patterns: readonly DayPattern[], day: number, civil: Civil): boolean {
  return patterns.some((pattern) => fitsDay(pattern, day, civil));
}
