/** HitRate and the UCR score by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hitRate, severityOver } from "./hit-rate.ts";
import { ucrHit } from "./ucr.ts";

test("of two guilty metrics, one of the first two is half, both of the first three are all", () => {
  const severity = [9, 1, 8, 7];
  assert.equal(hitRate(severity, [0, 3], 1), 0.5);
  assert.equal(hitRate(severity, [0, 3], 1.5), 1);
});

test("a judge that says nothing has what chance gives", () => {
  assert.ok(Math.abs(hitRate([0, 0, 0, 0], [1, 2], 1) - 0.5) < 1e-12);
});

test("places that are tied for are shared", () => {
  assert.ok(Math.abs(hitRate([5, 1, 1, 1], [0, 1], 1) - (1 + 1 / 3) / 2) < 1e-12);
});

test("a metric's severity is its mean over the event's rows", () => {
  const perMetric = Float32Array.of(0, 0, 1, 2, 3, 4, 0, 0);
  assert.deepEqual(severityOver(perMetric, 2, { start: 1, end: 2, metrics: [0] }), [2, 3]);
});

test("UCR: the highest row within the event's length, at least 100 rows, of it is a hit", () => {
  const scores = new Float32Array(1000);
  scores[399] = 1;
  assert.equal(ucrHit(scores, { start: 500, end: 510 }), false);
  assert.equal(ucrHit(scores, { start: 499, end: 510 }), true);
  assert.equal(ucrHit(scores, { start: 550, end: 700 }), true);
});
