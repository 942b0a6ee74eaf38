/** Event F1 by hand: onsets, early and late ones, endless alarms, the budget of alarms. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { eventsAt, onsetsOf, type TimedLabelled } from "./event.ts";
import { eventSweep } from "./event-sweep.ts";
import { noAlarm } from "./order.ts";

const minute = 60_000;

/** `rows` samples a minute apart, labelled within `events`, with score 1 at `alarms`. */
function series(rows: number, events: readonly [number, number][], alarms: readonly number[]): TimedLabelled {
  const scores = new Float32Array(rows);
  const labels = new Uint8Array(rows);
  for (const [start, end] of events) labels.fill(1, start, end + 1);
  for (const row of alarms) scores[row] = 1;
  return { scores, labels, intervalMs: minute };
}

const run = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

test("an alarm begins at the first exceeding sample after more than the gap without one", () => {
  const { scores } = series(100, [], [5, 6, 16, 27, 60]);
  assert.deepEqual(onsetsOf(scores, 1, 10), [5, 27, 60]);
  assert.deepEqual(onsetsOf(scores, 1, 60), [5]);
});

test("an event is found by an alarm that begins in it or up to three samples before", () => {
  for (const [row, found] of [
    [46, 0],
    [47, 1],
    [50, 1],
    [59, 1],
    [60, 0],
  ] as const) {
    const figures = eventsAt([series(100, [[50, 59]], [row])], 1, { gap: 10 });
    assert.deepEqual([figures.found, figures.falseAlarms], [found, 1 - found], `alarm at ${row}`);
  }
});

test("one endless alarm finds nothing: it began before the event", () => {
  const figures = eventsAt([series(1000, [[500, 520]], run(100, 999))], 1, { gap: 10 });
  assert.deepEqual([figures.found, figures.falseAlarms, figures.alarms], [0, 1, 1]);
});

test("further alarms within a found event are free, but count as alarms", () => {
  const figures = eventsAt([series(200, [[50, 120]], [52, 80, 110])], 1, { gap: 10 });
  assert.deepEqual([figures.found, figures.falseAlarms, figures.alarms], [1, 0, 3]);
  assert.equal(figures.f1, 1);
});

test("where a delay is set a late alarm finds nothing and is false, unless an early one found the event", () => {
  const late = eventsAt([series(200, [[50, 120]], [80])], 1, { gap: 10, within: 7 });
  assert.deepEqual([late.found, late.falseAlarms], [0, 1]);
  const both = eventsAt([series(200, [[50, 120]], [57, 80])], 1, { gap: 10, within: 7 });
  assert.deepEqual([both.found, both.falseAlarms], [1, 0]);
});

test("precision, recall, median delay and alarms a day are those of all series together", () => {
  const day = 1440;
  const all = [
    series(
      day,
      [
        [100, 119],
        [300, 319],
      ],
      [104, 700],
    ),
    series(day, [[500, 519]], [501, 900]),
  ];
  const figures = eventsAt(all, 1, { gap: 10 });
  assert.equal(figures.precision, 2 / 4);
  assert.equal(figures.recall, 2 / 3);
  assert.equal(figures.medianDelay, 2.5);
  assert.equal(figures.alarmsPerSeriesDay, 4 / 2);
});

test("an alarm run that crosses from one series to the next is two alarms", () => {
  const all = [series(50, [], [49]), series(50, [[0, 5]], [0])];
  const { f1, alarmsPerSeriesDay } = eventSweep(all, { gap: 10 });
  const days = 100 / 1440;
  assert.equal(f1, 2 / 3);
  assert.equal(Math.round(alarmsPerSeriesDay * days), 2);
});

test("a threshold with more alarms than the budget is not chosen, however good", () => {
  const one = series(
    1440,
    [
      [200, 209],
      [400, 409],
      [600, 609],
    ],
    [],
  );
  one.scores[200] = 3;
  one.scores[400] = 2;
  one.scores[600] = 1;
  assert.equal(eventSweep([one], { gap: 10 }).threshold, 1);
  assert.equal(eventSweep([one], { gap: 10 }, 2).threshold, 2);
  assert.equal(eventSweep([one], { gap: 10 }, 0.5).threshold, noAlarm);
});

test("the sweep finds what trying every threshold finds", () => {
  const point = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.boolean());
  const drawnSeries = fc.array(fc.array(point, { maxLength: 60 }), { minLength: 1, maxLength: 3 });
  const options = fc.record({
    gap: fc.integer({ min: 0, max: 12 }),
    within: fc.constantFrom(Infinity, 0, 2),
    budget: fc.constantFrom(Infinity, 20, 200),
  });
  fc.assert(
    fc.property(drawnSeries, options, (drawn, { gap, within, budget }) => {
      const all = drawn.map((points): TimedLabelled => ({
        scores: Float32Array.from(points, ([score]) => score),
        labels: Uint8Array.from(points, ([, label]) => (label ? 1 : 0)),
        intervalMs: minute,
      }));
      let [f1, threshold] = [0, noAlarm];
      for (let tried = 6; tried >= 0; tried -= 1) {
        const isReached = all.some(({ scores }) => scores.includes(tried));
        const figures = eventsAt(all, tried, { gap, within });
        if (!isReached || figures.alarmsPerSeriesDay > budget || figures.f1 <= f1) continue;
        [f1, threshold] = [figures.f1, tried];
      }
      const best = eventSweep(all, { gap, within }, budget);
      assert.deepEqual([best.f1, best.threshold], [f1, threshold]);
    }),
    { numRuns: 500 },
  );
});
