/**
 * Days of the civil calendar as numbers (days since 1970-01-01), and patterns of them as an operator writes them.
 *
 * Pure arithmetic on the Gregorian calendar: no time zone, no clock. A pattern is one day (`2026-10-01`), a range
 * (`2026-10-01..2026-10-07`) or what comes again: `*` stands for every year or every month (`*-11-11`, `*-*-15`,
 * `*-02-29` in leap years, `*-*-31` in the months that have it).
 */
export const dayMs = 86_400_000;
export const dayMinutes = 1440;

export interface Civil {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

export type DayPattern =
  /** Both ends included. */
  | { readonly from: number; readonly to: number }
  /** Null: every one. */
  | { readonly year: number | null; readonly month: number | null; readonly day: number };

/** 0 is Sunday. */
export const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

export function weekdayOf(day: number): number {
  // 1970-01-01 was a Thursday.
  return (((day + 4) % 7) + 7) % 7;
}

export function dayOf({ year, month, day }: Civil): number {
  return Date.UTC(year, month - 1, day) / dayMs;
}

export function civilOf(day: number): Civil {
  const date = new Date(day * dayMs);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** Whether the day `day`, which is `civil`, fits. */
export function fitsDay(pattern: DayPattern, day: number, civil: Civil): boolean {
  if ("from" in pattern) return pattern.from <= day && day <= pattern.to;
  return (
    pattern.day === civil.day &&
    (pattern.month ?? civil.month) === civil.month &&
    (pattern.year ?? civil.year) === civil.year
  );
}

/** "2026-10-01" as a day; undefined when there is no such day. */
export function parseDay(text: string): number | undefined {
  const [, year, month, day] = (/^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || year < 1970) return undefined;
  const civil = { year, month, day };
  const number = dayOf(civil);
  const back = civilOf(number);
  return back.month === month && back.day === day ? number : undefined;
}

/** Undefined when the text is no pattern, or no day could ever fit it. */
export function parseDayPattern(text: string): DayPattern | undefined {
  const [first = "", last, ...more] = text.split("..");
  const from = parseDay(first);
  if (from !== undefined) {
    const to = last === undefined ? from : parseDay(last);
    return to === undefined || to < from || more.length > 0 ? undefined : { from, to };
  }
  const match = /^(\d{4}|\*)-(\d{2}|\*)-(\d{2})$/.exec(text);
  if (match === null || !text.includes("*")) return undefined;
  const number = (part: string | undefined) => (part === "*" ? null : Number(part));
  const [year, month, day] = [number(match[1]), number(match[2]), Number(match[3])];
  // 2024 is a leap year, and January is a month of 31 days.
  const fitting = dayOf({ year: year ?? 2024, month: month ?? 1, day });
  const back = civilOf(fitting);
  const exists = back.day === day && back.month === (month ?? 1) && (year ?? 1970) >= 1970;
  return exists ? { year, month, day } : undefined;
}

/** "06:30" as minutes of the day; "24:00" is the end of it. */
export function parseMinute(text: string): number | undefined {
  const [, hour, minute] = (/^(\d{2}):(\d{2})$/.exec(text) ?? []).map(Number);
  if (hour === undefined || minute === undefined || minute > 59) return undefined;
  const minutes = hour * 60 + minute;
  return minutes <= dayMinutes ? minutes : undefined;
}

export interface Moment {
  /** As the clock on the wall shows it, as if that were UTC. */
  readonly localMs: number;
  /** What the wall clock is ahead of UTC by; null when that was not written, and the calendar's zone counts. */
  readonly offsetMinutes: number | null;
}

/** "2026-11-14T01:00", with seconds or not, with "Z" or "+08:00" or neither. */
export function parseMoment(text: string): Moment | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2}))?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (match === null) return undefined;
  const [, date = "", time = "", second = "0", zone] = match;
  const day = parseDay(date);
  const minute = parseMinute(time);
  if (day === undefined || minute === undefined || Number(second) > 59) return undefined;
  const offsetMinutes = zone === undefined ? null : parseOffset(zone);
  if (offsetMinutes === undefined) return undefined;
  return { localMs: day * dayMs + minute * 60_000 + Number(second) * 1000, offsetMinutes };
}

/** "Z", "+05:30" in minutes; the farthest zones are 14 hours off. */
function parseOffset(text: string): number | undefined {
  if (text === "Z") return 0;
  const minutes = parseMinute(text.slice(1));
  if (minutes === undefined || minutes > 14 * 60) return undefined;
  return text.startsWith("-") ? -minutes : minutes;
}
