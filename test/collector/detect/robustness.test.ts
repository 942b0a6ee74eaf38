import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createDetect } from "#collector/detect/detect.ts";
import { usualCalendar } from "#collector/detect/calendar.ts";
import { usualPolicy } from "#collector/detect/policy.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 0, 5);
const unknown: Series = { metric: "custom.thing", unit: "1", instrument: "gauge", decimals: 9, labels: [] };

interface Row {
  readonly timeMs: number;
  readonly value: number;
}

/** A daily rhythm with noise, a spike, a step that lasts an hour, and a restless stretch. */
function eventful(days: number, seed: number): Row[] {
  const random = mulberry32(seed);
  return Array.from({ length: days * 288 }, (_, index) => {
    const noise = 2 * random() - 1;
    const hour = (index % 288) / 12;
    let value = 40 + 10 * Math.sin((hour / 24) * 2 * Math.PI) + noise;
    if (index === 900) value += 60;
    if (index >= 1000 && index < 1012) value -= 25;
    if (index >= 1200 && index < 1230) value += 12 * noise;
    return { timeMs: startMs + index * 5 * minuteMs, value };
  });
}

function judge(rows: readonly Row[], intervalMs = 5 * minuteMs, policy = usualPolicy): Anomaly[] {
  const detect = createDetect({ policy });
  detect.define("h", 0, unknown);
  const series = Uint32Array.of(0);
  return rows.flatMap(({ timeMs, value }) =>
    detect.judge({ host: "h", timeMs, intervalMs, series, values: Float64Array.of(value) }),
  );
}

const verdictsOf = (told: readonly Anomaly[]) =>
  told.map(({ startedMs, lastMs, ended, detector, direction }) => [
    startedMs,
    lastMs,
    ended,
    detector,
    direction,
  ]);

test("neither the unit of a metric nor where its zero is changes a verdict, when nothing is known of it", () => {
  const rows = eventful(5, 1);
  const want = verdictsOf(judge(rows));
  assert.ok(want.length >= 4, `${want.length}`);
  const scaled = (factor: number, offset: number) =>
    rows.map(({ timeMs, value }) => ({ timeMs, value: factor * value + offset }));
  fc.assert(
    fc.property(
      fc.constantFrom(0.001, 1 / 1024, 1, 60, 1000),
      fc.integer({ min: -1000, max: 1000 }),
      (factor, by) => {
        assert.deepEqual(verdictsOf(judge(scaled(factor, factor * by))), want);
      },
    ),
    { seed: 3, numRuns: 12 },
  );
});

test("what comes twice or late changes nothing", () => {
  const rows = eventful(5, 2);
  const random = mulberry32(7);
  const echoed = rows.flatMap((row, index) => {
    if (index < 10 || random() < 0.7) return [row];
    const earlier = rows[index - 1 - Math.floor(random() * 9)]!;
    return [row, row, { ...earlier, value: 1e6 }];
  });
  assert.deepEqual(judge(echoed), judge(rows));
});

test("a clock that jumps a week ahead is a gap: nothing is told for it, and what follows is judged", () => {
  const rows = eventful(4, 3).slice(0, 890);
  const jump = rows.at(-1)!.timeMs + 7 * dayMs;
  const after = rows.slice(-288).map(({ value }, index) => ({ timeMs: jump + index * 5 * minuteMs, value }));
  assert.deepEqual(judge([...rows, ...after]).length, judge(rows).length);
  const spike = { timeMs: after.at(-1)!.timeMs + 5 * minuteMs, value: 200 };
  assert.ok(judge([...rows, ...after, spike]).length > judge(rows).length);
});

test("a sample that is no number is not there, and an infinite one is the largest there is", () => {
  const rows = eventful(4, 4).slice(0, 890);
  const holes = rows.map((row, index) => (index % 5 === 4 ? { ...row, value: Number.NaN } : row));
  assert.deepEqual(
    verdictsOf(judge(holes)),
    verdictsOf(judge(rows.filter((_, index) => index % 5 !== 4))),
    "a hole is as if nothing had been sent",
  );
  const at = rows.at(-1)!.timeMs + 5 * minuteMs;
  const [told] = judge([...rows, { timeMs: at, value: Number.POSITIVE_INFINITY }]).slice(-1);
  assert.equal(told?.startedMs, at);
  assert.ok(Number.isFinite(told.value) && Number.isFinite(told.score));
});

test("the hour that daylight saving repeats and 29 February are days like others", () => {
  // An hour back in the night to 25 October 2026, as in Berlin; a rhythm of the local day.
  const fallMs = Date.UTC(2026, 9, 25, 1);
  const offsets = { sinceMs: [0, fallMs], minutes: [120, 60] };
  const policy = { ...usualPolicy, calendar: { ...usualCalendar, zone: "test", offsets } };
  const rhythm = (fromMs: number, days: number, minutesAt: (timeMs: number) => number): Row[] => {
    const random = mulberry32(5);
    return Array.from({ length: days * 288 }, (_, index) => {
      const timeMs = fromMs + index * 5 * minuteMs;
      const hour = ((timeMs / minuteMs + minutesAt(timeMs)) / 60) % 24;
      return { timeMs, value: 40 + 20 * Math.sin((hour / 24) * 2 * Math.PI) + 2 * random() };
    });
  };
  const autumn = rhythm(Date.UTC(2026, 9, 5), 28, (timeMs) => (timeMs < fallMs ? 120 : 60));
  const inThatWeek = judge(autumn, 5 * minuteMs, policy).filter(
    ({ startedMs }) => startedMs >= fallMs - dayMs,
  );
  assert.deepEqual(verdictsOf(inThatWeek), []);
  const leap = rhythm(Date.UTC(2028, 1, 8), 28, () => 0);
  const aroundLeapDay = judge(leap).filter(({ startedMs }) => startedMs >= Date.UTC(2028, 1, 28));
  assert.deepEqual(verdictsOf(aroundLeapDay), []);
});
