import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  type Calendar,
  type CalendarData,
  createCalendar,
  usualCalendar,
} from "#collector/detect/calendar.ts";
import {
  civilOf,
  dayMs,
  parseDay,
  parseDayPattern,
  parseMinute,
  parseMoment,
} from "#collector/detect/civil.ts";
import { offsetTable } from "#collector/policy/time-zone.ts";

const minute = 60_000;
const hour = 60 * minute;

function days(...texts: string[]): CalendarData["holidays"] {
  return texts.map((text) => parseDayPattern(text) ?? assert.fail(text));
}

function calendar(change: Partial<CalendarData> = {}): Calendar {
  return createCalendar({ ...usualCalendar, ...change });
}

function zoned(zone: string, change: Partial<CalendarData> = {}): Calendar {
  return calendar({ zone, offsets: offsetTable(zone), ...change });
}

function classAt(of: Calendar, text: string): string {
  return of.className(of.dayClass(Date.parse(text)));
}

test("weekends rest, holidays rest, and adjusted working days work", () => {
  const china = zoned("Asia/Shanghai", {
    holidays: days("2026-10-01..2026-10-07"),
    workdays: days("2026-09-20", "2026-10-10"),
  });
  assert.equal(classAt(china, "2026-09-30T12:00+08:00"), "workday");
  assert.equal(classAt(china, "2026-10-01T00:00+08:00"), "restday");
  assert.equal(classAt(china, "2026-10-07T23:59+08:00"), "restday");
  assert.equal(classAt(china, "2026-10-08T00:00+08:00"), "workday");
  assert.equal(classAt(china, "2026-10-10T09:00+08:00"), "workday", "a Saturday on which the bank works");
  assert.equal(classAt(china, "2026-10-11T09:00+08:00"), "restday");
  assert.equal(classAt(china, "2026-09-20T09:00+08:00"), "workday");
  const rest = calendar({ weekend: [5, 6] });
  assert.deepEqual(
    [classAt(rest, "2026-10-09T00:00Z"), classAt(rest, "2026-10-11T00:00Z")],
    ["restday", "workday"],
  );
});

test("month end is the last business days, whatever rests after them", () => {
  const china = calendar({ monthEndDays: 2, holidays: days("2026-01-30", "2026-02-26..2026-02-27") });
  const ends = (month: number) =>
    Array.from({ length: 31 }, (_, index) => Date.UTC(2026, month, index + 1)).filter(
      (timeMs) =>
        new Date(timeMs).getUTCMonth() === month && china.className(china.dayClass(timeMs)) === "month_end",
    );
  assert.deepEqual(
    ends(0).map((timeMs) => new Date(timeMs).getUTCDate()),
    [28, 29],
  );
  assert.deepEqual(
    ends(1).map((timeMs) => new Date(timeMs).getUTCDate()),
    [24, 25],
  );
});

test("an operator's class goes before month end, and a batch window before both", () => {
  const bank = calendar({
    monthEndDays: 1,
    classes: [{ name: "salary day", days: days("*-*-15", "2026-11-30") }],
    batches: [
      { name: "month-end batch", on: "month_end", fromMinute: 20 * 60, toMinute: 6 * 60 },
      { name: "evening", on: "workday", fromMinute: 22 * 60, toMinute: 24 * 60 },
      { name: "noon", on: "salary day", fromMinute: 12 * 60, toMinute: 13 * 60 },
      { name: "early", on: "every_day", fromMinute: 5 * 60, toMinute: 5 * 60 + 30 },
    ],
  });
  assert.equal(bank.classCount, 8);
  assert.equal(classAt(bank, "2026-11-30T10:00Z"), "salary day");
  assert.equal(classAt(bank, "2026-11-30T20:00Z"), "month-end batch", "the day ends its month all the same");
  assert.equal(classAt(bank, "2026-12-01T05:59Z"), "month-end batch", "it goes on beyond midnight");
  assert.equal(classAt(bank, "2026-12-01T06:00Z"), "workday");
  assert.equal(classAt(bank, "2026-12-01T23:59Z"), "evening");
  assert.equal(classAt(bank, "2026-12-02T00:00Z"), "workday");
  assert.equal(classAt(bank, "2026-12-15T12:30Z"), "noon");
  assert.equal(classAt(bank, "2026-12-05T05:10Z"), "early");
  assert.equal(classAt(bank, "2026-12-05T22:30Z"), "restday");
});

test("29 February is a day like others, and there is none in other years", () => {
  const leap = calendar({ classes: [{ name: "leap day", days: days("*-02-29") }] });
  assert.equal(classAt(leap, "2028-02-29T23:59Z"), "leap day");
  assert.equal(classAt(leap, "2028-02-28T12:00Z"), "workday");
  assert.equal(classAt(leap, "2027-03-01T12:00Z"), "workday");
  const ends = calendar({ monthEndDays: 1 });
  assert.equal(classAt(ends, "2028-02-29T12:00Z"), "month_end");
  assert.equal(classAt(ends, "2028-02-28T12:00Z"), "workday");
});

test("a year ends at local midnight, and its last business day ends its month", () => {
  const kolkata = zoned("Asia/Kolkata", { monthEndDays: 1, holidays: days("2027-01-01") });
  assert.equal(classAt(kolkata, "2026-12-31T18:29:59Z"), "month_end");
  assert.equal(classAt(kolkata, "2026-12-31T18:30:00Z"), "restday", "the new year began at 00:00 +05:30");
  assert.equal(kolkata.slotOfDay(Date.parse("2026-12-31T18:30Z")), 0);
  assert.equal(kolkata.slotOfDay(Date.parse("2026-12-31T18:29Z")), 1439);
});

test("the hour that daylight saving repeats comes twice, the one that it skips not at all, and the day keeps its class", () => {
  const newYork = zoned("America/New_York");
  const repeated = Date.parse("2026-11-01T05:30Z");
  assert.equal(newYork.slotOfDay(repeated), 90);
  assert.equal(newYork.slotOfDay(repeated + hour), 90);
  assert.equal(newYork.slotOfDay(repeated + 2 * hour), 150);
  const skipped = Date.parse("2026-03-08T06:59Z");
  assert.equal(newYork.slotOfDay(skipped), 119);
  assert.equal(newYork.slotOfDay(skipped + minute), 180);
  const local = Date.UTC(2026, 10, 1, 1, 30);
  assert.equal(newYork.instantOf(local), repeated, "the first of the two");
  assert.equal(newYork.instantOf(Date.UTC(2026, 2, 8, 2, 30)), Date.parse("2026-03-08T07:30Z"));
  const midnight = newYork.instantOf(Date.UTC(2026, 10, 1));
  const classes = new Set(
    Array.from({ length: 25 }, (_, index) => newYork.dayClass(midnight + index * hour)),
  );
  assert.equal(classes.size, 1);
  assert.equal(newYork.localDay(midnight + 25 * hour), newYork.localDay(midnight) + 1, "a day of 25 hours");
});

test("before and after the table its nearest offset holds", () => {
  const table = calendar({ offsets: { sinceMs: [1000, 2000], minutes: [60, -30] } });
  assert.equal(table.slotOfDay(-dayMs), 60);
  assert.equal(table.slotOfDay(1500), 60);
  assert.equal(table.slotOfDay(2000), 1410);
  assert.equal(table.slotOfDay(1e15 - (1e15 % dayMs)), 1410);
});

const zones = [
  "UTC",
  "Asia/Shanghai",
  "Asia/Hong_Kong",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "America/New_York",
  "America/St_Johns",
  "Africa/Casablanca",
  "Pacific/Kiritimati",
];
const tables = new Map(zones.map((zone) => [zone, zoned(zone)]));
const timesMs = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 11, 31) });

test("local day and minute are those that ICU says, in every zone", () => {
  const formats = new Map(
    zones.map((timeZone) => [
      timeZone,
      new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short", timeStyle: "short" }),
    ]),
  );
  fc.assert(
    fc.property(fc.constantFrom(...zones), timesMs, (zone, timeMs) => {
      const of = tables.get(zone)!;
      const { year, month, day } = civilOf(of.localDay(timeMs));
      const slot = of.slotOfDay(timeMs);
      const two = (number: number) => String(number).padStart(2, "0");
      const said = `${year}-${two(month)}-${two(day)} ${two(Math.floor(slot / 60))}:${two(slot % 60)}`;
      assert.equal(said, formats.get(zone)!.format(timeMs));
    }),
    { seed: 5, numRuns: 3000 },
  );
});

test("the instant of a local time shows that time, or the next one that there is", () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), timesMs, (zone, timeMs) => {
      const of = tables.get(zone)!;
      const localOf = (ms: number) => of.localDay(ms) * dayMs + of.slotOfDay(ms) * minute;
      const wholeMs = timeMs - (timeMs % minute);
      const localMs = localOf(wholeMs);
      const first = of.instantOf(localMs);
      assert.equal(localOf(first), localMs);
      assert.ok(first <= wholeMs && wholeMs - first <= hour);
      // Of any wall-clock reading, there or not.
      const shown = localOf(of.instantOf(wholeMs));
      assert.ok(shown === wholeMs || (shown > wholeMs && shown - wholeMs <= hour), `${shown - wholeMs}`);
    }),
    { seed: 6, numRuns: 3000 },
  );
});

test("of every month exactly the last business days are its end, and a class never depends on the order of questions", () => {
  const holiday = fc.tuple(fc.integer({ min: 0, max: 364 }), fc.integer({ min: 0, max: 9 }));
  const first = Date.UTC(2027, 0, 1) / dayMs;
  fc.assert(
    fc.property(
      fc.array(holiday, { maxLength: 6 }),
      fc.subarray([0, 1, 2, 3, 4, 5, 6]),
      fc.integer({ min: 0, max: 4 }),
      (holidays, weekend, monthEndDays) => {
        const ranges = holidays.map(([from, length]) => ({ from: first + from, to: first + from + length }));
        const asked = calendar({ weekend, holidays: ranges, monthEndDays });
        const other = calendar({ weekend, holidays: ranges, monthEndDays });
        const plain = calendar({ weekend, holidays: ranges });
        const all = Array.from({ length: 365 }, (_, index) => first + index);
        const names = all.map((day) => asked.className(asked.dayClass(day * dayMs)));
        const backwards = all.toReversed().map((day) => other.className(other.dayClass(day * dayMs + hour)));
        assert.deepEqual(backwards.toReversed(), names);
        for (let month = 1; month <= 12; month += 1) {
          const business = all.filter(
            (day) =>
              civilOf(day).month === month && plain.className(plain.dayClass(day * dayMs)) === "workday",
          );
          const ends = all.filter(
            (day, index) => civilOf(day).month === month && names[index] === "month_end",
          );
          assert.deepEqual(ends, monthEndDays === 0 ? [] : business.slice(-monthEndDays));
        }
      },
    ),
    { seed: 7, numRuns: 100 },
  );
});

test("days and times are read as they are written, and what does not exist is not read", () => {
  assert.equal(parseDay("1970-01-02"), 1);
  for (const text of ["2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "1969-12-31", "x"])
    assert.equal(parseDay(text), undefined, text);
  for (const text of [
    "2026-10-07..2026-10-01",
    "*-02-30",
    "*-*-32",
    "*-*-00",
    "2026-*-31..2026-*-31",
    "2026-10-01..x",
    "*",
  ])
    assert.equal(parseDayPattern(text), undefined, text);
  assert.deepEqual(parseDayPattern("*-02-29"), { year: null, month: 2, day: 29 });
  assert.deepEqual(parseDayPattern("2026-*-31"), { year: 2026, month: null, day: 31 });
  assert.deepEqual(["00:00", "24:00", "24:01", "9:00", "10:60"].map(parseMinute), [
    0,
    1440,
    undefined,
    undefined,
    undefined,
  ]);
  assert.deepEqual(parseMoment("1970-01-02T01:00:30+05:30"), {
    localMs: dayMs + hour + 30_000,
    offsetMinutes: 330,
  });
  assert.deepEqual(parseMoment("1970-01-02 00:00"), { localMs: dayMs, offsetMinutes: null });
  assert.equal(parseMoment("1970-01-02T00:00-03:30")?.offsetMinutes, -210);
  for (const text of ["1970-01-02", "1970-01-02T00:00+15:00", "1970-02-30T00:00", "01:00"])
    assert.equal(parseMoment(text), undefined, text);
});
