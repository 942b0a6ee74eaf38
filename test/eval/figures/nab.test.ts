/** NAB's score by hand: the ends of its scale, its curve, its near misses, ties, probation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { nabAt, nabCounts, nabProbation, nabProfiles, type NabScored, nabSweep, nabWorth } from "./nab.ts";
import { noAlarm } from "./order.ts";

/** 1000 rows (150 of them probation) with one window of 100. */
function fileWith(detected: readonly number[], windows = [{ start: 500, end: 599 }]): NabScored {
  const scores = new Float32Array(1000);
  for (const row of detected) scores[row] = 1;
  return { scores, windows };
}

function near(actual: number, wanted: number): void {
  assert.ok(Math.abs(actual - wanted) < 1e-9, `got ${actual}, want ${wanted}`);
}

test("a detector that never speaks scores 0 in every profile", () => {
  const swept = nabSweep([fileWith([]), fileWith([])]);
  for (const { name } of nabProfiles) {
    assert.equal(swept[name].score, 0);
    near(nabAt([fileWith([])], name, noAlarm), 0);
  }
});

test("the first row of every window and nothing else scores 100", () => {
  const swept = nabSweep([fileWith([500]), fileWith([500])]);
  for (const { name } of nabProfiles) {
    near(swept[name].score, 100);
    assert.equal(swept[name].threshold, 1);
  }
});

test("the reward falls along the curve that NAB publishes: 0.98661 at -1, 0.84828 at -0.5", () => {
  const { worth, window } = nabWorth(1000, [{ start: 500, end: 599 }]);
  near(worth[500]!, 1);
  // Half way into a window of 100 rows is where 50 rows are left, this one counted.
  near(worth[550]!, 0.8482836399575131 / 0.9866142981514305);
  assert.deepEqual([window[499], window[500], window[599], window[600]], [-1, 0, 0, -1]);
});

test("a detection just after a window is cheap, one far from it or before any costs 1", () => {
  const { worth } = nabWorth(1000, [{ start: 500, end: 599 }]);
  near(worth[0]!, -1);
  near(worth[600]!, 2 / (1 + Math.exp(5 / 99)) - 1);
  near(worth[599 + 99]!, -0.9866142981514305);
  assert.equal(worth[599 + 3 * 99 + 1], -1);
});

test("only the best detection of a window counts, and each false row costs", () => {
  const file = fileWith([300, 301, 500, 510, 599]);
  near(nabAt([file], "standard", 1), (100 * (1 - 2 * 0.11 + 1)) / 2);
  near(nabAt([file], "low_fp", 1), (100 * (1 - 2 * 0.22 + 1)) / 2);
  near(nabAt([file], "low_fn", 1), (100 * (1 - 2 * 0.11 + 2)) / 3);
  assert.deepEqual(nabCounts(file, 1).falseRows, 2);
  assert.deepEqual(nabCounts(file, 1).detectedAt, [500]);
});

test("a missed window costs 1, with few false negatives wanted 2", () => {
  const windows = [
    { start: 300, end: 399 },
    { start: 500, end: 599 },
  ];
  near(nabAt([fileWith([500], windows)], "standard", 1), (100 * (1 - 1 + 2)) / 4);
  near(nabAt([fileWith([500], windows)], "low_fn", 1), (100 * (1 - 2 + 4)) / 6);
});

test("probation is 15 % of the rows and at most 750, and nothing in it counts", () => {
  assert.deepEqual([nabProbation(1000), nabProbation(4032), nabProbation(22_695)], [150, 604, 750]);
  near(nabAt([fileWith([0, 149, 500])], "standard", 1), 100);
  assert.ok(nabAt([fileWith([150, 500])], "standard", 1) < 100);
});

test("equal scores are detected together", () => {
  const file = fileWith([500, ...Array.from({ length: 20 }, (_, index) => 200 + index)]);
  // Taken one by one, row 500 alone would score 100; all 21 rows have one score, and cost more than they bring.
  assert.equal(nabSweep([file]).standard.score, 0);
});

test("the threshold is the best over all files together, not per file", () => {
  const quiet = fileWith([]);
  quiet.scores[500] = 0.4;
  const loud = fileWith([]);
  for (let row = 200; row < 400; row += 1) loud.scores[row] = 0.5;
  loud.scores[500] = 1;
  const { score, threshold } = nabSweep([quiet, loud]).standard;
  assert.equal(threshold, 1);
  near(score, 50);
});

test("a blind alarm every 400 rows earns points though it knows nothing", () => {
  // The benchmark's own shape: 4000 rows, two windows of 5 % each; ten alarms, one or two of them in a window by luck.
  const files = Array.from({ length: 30 }, (_, file): NabScored => {
    const starts = [900 + ((file * 137) % 1200), 2400 + ((file * 211) % 1200)];
    const windows = starts.map((start) => ({ start, end: start + 199 }));
    return { scores: Float32Array.from({ length: 4000 }, (_, row) => (row % 400 === 0 ? 1 : 0)), windows };
  });
  const { score } = nabSweep(files).standard;
  assert.ok(score > 10 && score < 35, `got ${score}`);
});

test("no threshold beats the one that the sweep chose, and its figure is that of the threshold", () => {
  const file = fc.record({
    scores: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 30, maxLength: 60 }),
    start: fc.integer({ min: 0, max: 15 }),
    width: fc.integer({ min: 1, max: 5 }),
    second: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(file, { minLength: 1, maxLength: 3 }), (drawn) => {
      const files = drawn.map(({ scores, start, width, second }): NabScored => {
        const windows = [{ start, end: start + width - 1 }];
        if (second) windows.push({ start: start + width + 3, end: start + 2 * width + 3 });
        return { scores: Float32Array.from(scores), windows };
      });
      const swept = nabSweep(files);
      for (const { name } of nabProfiles) {
        near(nabAt(files, name, swept[name].threshold), swept[name].score);
        for (let threshold = 0; threshold <= 6; threshold += 1) {
          assert.ok(nabAt(files, name, threshold) <= swept[name].score + 1e-9);
        }
      }
    }),
  );
});
