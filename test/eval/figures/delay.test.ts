/** The contest's F1 by hand: the first eight points, whole segments, micro over series. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { delayAt, delaySweep, type Labelled } from "./delay.ts";

function series(labels: readonly number[], alarms: readonly number[]): Labelled {
  const scores = new Float32Array(labels.length);
  for (const row of alarms) scores[row] = 1;
  return { scores, labels: Uint8Array.from(labels) };
}

const segment = [0, 0, ...Array.from({ length: 10 }, () => 1), 0, 0];

test("an alarm in the eighth point of a segment finds all of it, in the ninth nothing", () => {
  assert.deepEqual(delayAt([series(segment, [9])], 1), { f1: 1, precision: 1, recall: 1 });
  assert.deepEqual(delayAt([series(segment, [10])], 1), { f1: 0, precision: 0, recall: 0 });
});

test("a late alarm within a segment is no false alarm, one outside is one point", () => {
  const { f1, precision } = delayAt([series(segment, [0, 2, 11])], 1);
  assert.equal(precision, 10 / 11);
  assert.equal(f1, 20 / 21);
});

test("points of all series are counted together", () => {
  const found = series(segment, [2]);
  const missed = series([0, 1, 1, 0], []);
  assert.equal(delayAt([found, missed], 1).recall, 10 / 12);
});

test("a segment shorter than the delay is found by any of its points only", () => {
  assert.equal(delayAt([series([0, 1, 1, 0, 0], [2])], 1).f1, 1);
  assert.equal(delayAt([series([0, 1, 1, 0, 0], [3])], 1).f1, 0);
});

test("no threshold beats the one that the sweep chose, and its figure is that of the threshold", () => {
  const point = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 1 }));
  fc.assert(
    fc.property(fc.array(fc.array(point, { maxLength: 40 }), { minLength: 1, maxLength: 3 }), (drawn) => {
      const all = drawn.map((points): Labelled => ({
        scores: Float32Array.from(points, ([score]) => score),
        labels: Uint8Array.from(points, ([, label]) => label),
      }));
      const best = delaySweep(all, 2);
      assert.equal(delayAt(all, best.threshold, 2).f1, best.f1);
      for (let threshold = 0; threshold <= 7; threshold += 1) {
        assert.ok(delayAt(all, threshold, 2).f1 <= best.f1);
      }
    }),
  );
});
