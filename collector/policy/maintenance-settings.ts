/** Settings of maintenance windows: once, from a date to a date, or each week. */
import { shown, textField } from "#shared/config-file.ts";
import { listPart, partField, sectionPart, valuePart } from "#shared/config-parts.ts";
import { dayMinutes, type Moment, parseMinute, parseMoment, weekdays } from "#collector/detect/civil.ts";
import type { MaintenanceWindow, WeeklyWindow } from "#collector/detect/maintenance.ts";
import type { Match } from "#collector/detect/match.ts";
import { matchPart } from "./match-settings.ts";

export const weekdaysPart = listPart(valuePart(textField("sun", { allowed: weekdays })), {
  max: weekdays.length,
});

export function weekdayNumbers(names: readonly string[]): number[] {
  return weekdays.flatMap((name, number) => (names.includes(name) ? [number] : []));
}

interface WindowSettings {
  readonly match: Match;
  readonly reason: string;
  readonly when: { readonly from: Moment; readonly to: Moment } | WeeklyWindow;
}

const windowSection = {
  match: partField(matchPart, null),
  days: partField(weekdaysPart, null),
  from: textField(null),
  to: textField(null),
  reason: textField(null),
} as const;

const wantMoment = 'want a moment like "2026-11-14T01:00" or "2026-11-14T01:00+08:00"';
const wantTime = 'want a time of day like "01:30"';

export const maintenancePart = sectionPart(windowSection, (given, tell): WindowSettings => {
  const { match, days, reason } = given;
  if (match === null) tell("match", 'missing; {} is everything, {"host": "pay-*"} some hosts');
  const read = <T>(name: "from" | "to", parse: (text: string) => T | undefined, want: string) => {
    const text = given[name];
    const value = text === null ? undefined : parse(text);
    if (value === undefined) tell(name, text === null ? `missing; ${want}` : `${want}, got ${shown(text)}`);
    return value;
  };
  const whole = { match: match ?? [], reason: reason ?? "" };
  if (days === null) {
    const weekly = `${wantMoment} (a time of day needs "days")`;
    const from = read("from", parseMoment, weekly);
    const to = read("to", parseMoment, weekly);
    if (from !== undefined && to !== undefined) {
      if ((from.offsetMinutes === null) !== (to.offsetMinutes === null))
        tell("to", '"from" and "to" must both have an offset such as "+08:00", or neither');
      else if (utcMs(from) >= utcMs(to)) tell("to", "the window must end after it begins");
    }
    const none = { localMs: 0, offsetMinutes: 0 };
    return { ...whole, when: { from: from ?? none, to: to ?? none } };
  }
  if (days.length === 0)
    tell("days", "a window on no day is none; leave the key out for one that comes once");
  const fromMinute = read("from", parseMinute, wantTime);
  const toMinute = read("to", parseMinute, wantTime);
  if (fromMinute === toMinute && fromMinute !== undefined)
    tell("to", 'it ends when it begins; a whole day is "00:00" to "24:00"');
  if (fromMinute === dayMinutes) tell("from", 'a day begins at "00:00"');
  const when = { days: weekdayNumbers(days), fromMinute: fromMinute ?? 0, toMinute: toMinute ?? 0 };
  return { ...whole, when };
});

/** Moments without an offset are those of the wall clock; `instantOf` is the calendar's. */
export function windowOf(
  { match, reason, when }: WindowSettings,
  instantOf: (localMs: number) => number,
): MaintenanceWindow {
  if ("days" in when) return { match, reason, when };
  const ms = (moment: Moment) => (moment.offsetMinutes === null ? instantOf(moment.localMs) : utcMs(moment));
  return { match, reason, when: { fromMs: ms(when.from), toMs: ms(when.to) } };
}

function utcMs({ localMs, offsetMinutes }: Moment): number {
  return localMs - (offsetMinutes ?? 0) * 60_000;
}
