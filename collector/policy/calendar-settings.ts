/** Settings of the business calendar: zone, days of rest and of work, classes of days, batch windows. */
import { type ConfigOf, numberField, shown, suggestion, textField, valueOf } from "#shared/config-file.ts";
import { listPart, type Part, partField, sectionPart } from "#shared/config-parts.ts";
import { limits } from "#shared/limits.ts";
import {
  type BatchWindow,
  builtInClasses,
  type CalendarData,
  type DayClass,
  everyDay,
  usualCalendar,
} from "#collector/detect/calendar.ts";
import {
  civilOf,
  dayMinutes,
  type DayPattern,
  fitsDay,
  parseDayPattern,
  parseMinute,
} from "#collector/detect/civil.ts";
import { weekdayNumbers, weekdaysPart } from "./maintenance-settings.ts";
import { isTimeZone } from "./time-zone.ts";

export type CalendarSettings = Omit<CalendarData, "offsets">;

const { offsets: _, ...usual } = usualCalendar;
export const usualCalendarSettings: CalendarSettings = usual;

const rangeDaysMax = 366;

const dayPart: Part<DayPattern> = {
  want: 'a day like "2026-10-01", "2026-10-01..2026-10-07", "*-11-11" or "*-*-15"',
  readNode(node, key, tell) {
    const raw = valueOf(node);
    const pattern = typeof raw === "string" ? parseDayPattern(raw) : undefined;
    if (pattern === undefined) return tell(node, key, `want ${this.want}, got ${shown(raw)}`);
    if ("from" in pattern && pattern.to - pattern.from >= rangeDaysMax)
      return tell(node, key, `${shown(raw)} is longer than a year`);
    return pattern;
  },
};

const daysField = () => partField(listPart(dayPart, { max: limits.calendarDaysMax }), []);
const nameField = () =>
  textField(null, { want: "a name of at most 64 characters", matches: (text) => text.length <= 64 });

const classPart = sectionPart({ name: nameField(), days: daysField() }, ({ name, days }, tell): DayClass => {
  if (name === null) tell("name", "missing; explanations name the class");
  if (days.length === 0) tell("days", "missing; a class without days is none");
  return { name: name ?? "", days };
});

const batchPart = sectionPart(
  { name: nameField(), on: textField(everyDay), from: textField(null), to: textField(null) },
  ({ name, on, from, to }, tell): BatchWindow => {
    if (name === null) tell("name", "missing; explanations name the window");
    const [fromMinute, toMinute] = [parseMinute(from ?? ""), parseMinute(to ?? "")];
    const want = 'want a time of day like "22:30"';
    if (fromMinute === undefined || fromMinute === dayMinutes) tell("from", `${want}, got ${shown(from)}`);
    if (toMinute === undefined) tell("to", `${want}, got ${shown(to)}`);
    else if (toMinute === fromMinute) tell("to", "the window ends when it begins");
    return { name: name ?? "", on, fromMinute: fromMinute ?? 0, toMinute: toMinute ?? 0 };
  },
);

const calendarSection = {
  /** Days begin, and windows are, in this zone's local time. */
  zone: textField(usual.zone, { want: 'a time zone like "Asia/Shanghai"', matches: isTimeZone }),
  weekend: partField(weekdaysPart, ["sat", "sun"]),
  holidays: daysField(),
  /** Adjusted working days: business although the week or a holiday says otherwise. */
  workdays: daysField(),
  /** How many of a month's last business days are a class of their own. */
  monthEnd: numberField(usual.monthEndDays, { min: 0, max: 10, whole: true }),
  classes: partField(listPart(classPart, { max: limits.dayClassesMax }), []),
  batches: partField(listPart(batchPart, { max: limits.dayClassesMax }), []),
} as const;

type Told = (name: string, problem: string) => void;

export const calendarPart = sectionPart(calendarSection, (given, tell): CalendarSettings => {
  const { zone, weekend, holidays, workdays, monthEnd, classes, batches } = given;
  tellClashes(given, tell);
  tellNames(given, tell);
  return {
    zone,
    weekend: weekdayNumbers(weekend),
    holidays,
    workdays,
    monthEndDays: monthEnd,
    classes,
    batches,
  };
});

function tellClashes({ holidays, workdays }: ConfigOf<typeof calendarSection>, tell: Told): void {
  for (const [index, pattern] of workdays.entries()) {
    if (!("from" in pattern)) continue;
    for (let day = pattern.from; day <= pattern.to; day += 1) {
      const civil = civilOf(day);
      if (!holidays.some((holiday) => fitsDay(holiday, day, civil))) continue;
      const date = [civil.year, civil.month, civil.day]
        .map((part) => String(part).padStart(2, "0"))
        .join("-");
      tell(`workdays[${index}]`, `${date} is a holiday as well; say it once`);
      break;
    }
  }
}

function tellNames({ classes, batches }: ConfigOf<typeof calendarSection>, tell: Told): void {
  const names = new Set<string>([everyDay, ...builtInClasses]);
  const take = (name: string, place: string): void => {
    if (names.has(name)) tell(place, `${shown(name)} is the name of another class`);
    names.add(name);
  };
  for (const [index, { name }] of classes.entries()) take(name, `classes[${index}].name`);
  const days = [...names];
  for (const [index, { name, on }] of batches.entries()) {
    take(name, `batches[${index}].name`);
    if (!days.includes(on)) tell(`batches[${index}].on`, `unknown class${suggestion(on, days)}`);
  }
  const count = builtInClasses.length + classes.length + batches.length;
  if (count > limits.dayClassesMax)
    tell(
      "classes",
      `${count} classes with the batch windows and the three that are always there, limit is ${limits.dayClassesMax}`,
    );
}
