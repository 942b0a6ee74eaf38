import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createDetect, type Detect } from "#collector/detect/detect.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { canonicalLabels, type Instrument, type Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

/** A Monday. */
const startMs = Date.UTC(2026, 0, 5);
const minuteMs = 60_000;
const day = 1440;

function series(metric: string, instrument: Instrument = "gauge"): Series {
  return { metric, unit: "1", instrument, decimals: 6, labels: canonicalLabels([]) };
}
const gauge = series("sessions_open");

function feed(detect: Detect, values: readonly number[], from = 0): Anomaly[] {
  return values.flatMap((value, tick) =>
    detect.judge({
      host: "h",
      timeMs: startMs + (from + tick) * minuteMs,
      intervalMs: minuteMs,
      series: Uint32Array.of(0),
      values: Float64Array.of(value),
    }),
  );
}

function detectWith(one: Series): Detect {
  const detect = createDetect();
  detect.define("h", 0, one);
  return detect;
}

function moving(minutes: number, seed = 1): number[] {
  const random = mulberry32(seed);
  return Array.from({ length: minutes }, () => 50 + 10 * random());
}

function flatOf(told: readonly Anomaly[]): Anomaly[] {
  return told.filter(({ detector }) => detector === "flat");
}

function still(value: number, minutes: number): number[] {
  return Array.from({ length: minutes }, () => value);
}

test("a series that always moves and stands exactly still for an hour is told once, as evidence, until it moves", () => {
  const told = feed(detectWith(gauge), [...moving(3 * day), ...still(55, 200), ...moving(30, 2)]);
  assert.deepEqual(
    told.map(({ detector, role, ended }) => [detector, role, ended]),
    [
      ["flat", "evidence", false],
      ["flat", "evidence", true],
    ],
  );
  const [began, ended] = told as [Anomaly, Anomaly];
  assert.equal(began.startedMs, startMs + 3 * day * minuteMs, "since it moved last");
  assert.equal(
    began.lastMs - began.startedMs,
    60 * minuteMs,
    "an hour of steps that are like the one before",
  );
  assert.deepEqual(
    began.reasons.map(({ key, args }) => [key, args["still"], args["longest"]]),
    [["reason.flat", 60 * minuteMs, minuteMs]],
  );
  assert.ok(ended.lastMs - (startMs + (3 * day + 200) * minuteMs) <= 2 * minuteMs);
});

test("what has stood still before is told only when it does so for three times as long", () => {
  const before = [...moving(2 * day), ...still(55, 60), ...moving(2 * day, 2)];
  assert.deepEqual(feed(detectWith(gauge), [...before, ...still(52, 170)]), []);
  assert.equal(feed(detectWith(gauge), [...before, ...still(52, 190)]).length, 1);
});

test("what is constant by nature is never told: limits, counts of few, errors at night", () => {
  const steady = still(8, 4 * day);
  const random = mulberry32(3);
  const few = Array.from({ length: 4 * day }, () => Math.floor(3 * random()));
  const nights = moving(4 * day).map((value, minute) => (minute % day < 480 ? 0 : value));
  for (const values of [steady, [...few, ...still(1, 300)], [...nights, ...still(0, 470)]])
    assert.deepEqual(flatOf(feed(detectWith(gauge), values)), []);
});

test("only what must move is looked at: a flow that stops, not a share that rests", () => {
  const rest = [...moving(3 * day).map((value) => value / 500), ...still(0.1, 300)];
  assert.deepEqual(feed(detectWith(series("system.cpu.utilization")), rest), []);
  let total = 0;
  const flow = [...moving(3 * day), ...still(0, 100)].map((value) => (total += value));
  const told = feed(detectWith(series("system.disk.operations", "counter")), flow);
  assert.deepEqual(
    told.map(({ detector, value }) => [detector, value]),
    [["flat", 0]],
  );
});

test("the first weekend of a series is no standstill", () => {
  // From Monday to Friday it moves day and night.
  const week = moving(5 * day);
  assert.deepEqual(flatOf(feed(detectWith(gauge), [...week, ...still(50, 2 * day)])), []);
});

test("the second time is told as well", () => {
  const frozen = still(55, 300);
  const told = feed(detectWith(gauge), [
    ...moving(3 * day),
    ...frozen,
    ...moving(600, 2),
    ...still(51, 300),
    ...moving(9, 3),
  ]);
  assert.equal(told.filter(({ detector, ended }) => detector === "flat" && ended).length, 2);
});

test("a value far out ends the standstill and is told for itself", () => {
  const told = feed(detectWith(gauge), [...moving(3 * day), ...still(55, 100), ...still(500, 5)]);
  assert.deepEqual(
    told.slice(0, 3).map(({ detector, ended }) => [detector, ended]),
    [
      ["flat", false],
      ["flat", true],
      ["record", false],
    ],
  );
});

test("unit, zero point and a restart at any moment change nothing about a standstill", () => {
  const values = [...moving(2 * day), ...still(55, 90), ...moving(5, 2)];
  const signs = (told: readonly Anomaly[]) =>
    told.map(({ detector, startedMs, lastMs, ended }) => [detector, startedMs, lastMs, ended]);
  const expected = signs(feed(detectWith(gauge), values));
  assert.equal(expected.length, 2);
  fc.assert(
    fc.property(
      fc.constantFrom(0.001, 1, 1000),
      fc.constantFrom(-1e6, 0, 1e6),
      fc.integer({ min: 1, max: values.length - 1 }),
      (scale, shift, cut) => {
        const moved = values.map((value) => value * scale + shift);
        const first = detectWith(gauge);
        const told = feed(first, moved.slice(0, cut));
        const restored = createDetect({ snapshot: first.snapshot() });
        assert.deepEqual(signs([...told, ...feed(restored, moved.slice(cut), cut)]), expected);
      },
    ),
    { numRuns: 12 },
  );
});
