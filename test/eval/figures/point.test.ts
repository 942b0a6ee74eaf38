/** Point F1 by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pointAt, pointSweep } from "./point.ts";

const labels = Uint8Array.of(0, 0, 1, 1, 0, 1);
const scores = Float32Array.of(1, 5, 6, 3, 2, 4);

test("points are counted one by one, without adjustment", () => {
  assert.deepEqual(pointAt({ scores, labels }, 4), { f1: 2 / 3, precision: 2 / 3, recall: 2 / 3 });
  assert.equal(pointAt({ scores, labels }, 7).f1, 0);
});

test("the best threshold is found among all scores, equal ones taken together", () => {
  assert.deepEqual(pointSweep({ scores, labels }), { f1: 6 / 7, threshold: 3 });
  assert.deepEqual(pointSweep({ scores: new Float32Array(6), labels }), { f1: 2 / 3, threshold: 0 });
});
