/** Volume under the surface: by hand where it can be, and beside the definition written out plainly. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { spansOf } from "./order.ts";
import { periodOf, vus } from "./vus.ts";

/** The definition, row by row: every threshold, every width, every row. */
function plainly(scores: Float32Array, labels: Uint8Array, widest: number): { pr: number; roc: number } {
  const rows = scores.length;
  const sorted = [...scores].sort((a, b) => b - a);
  const events = spansOf(labels);
  const points = labels.reduce((sum, label) => sum + label, 0);
  let [pr, roc] = [0, 0];
  for (let width = 0; width <= widest; width += 1) {
    const half = Math.floor(width / 2);
    const degree = Array.from({ length: rows }, (_, row) => {
      if (labels[row] === 1) return 1;
      let sum = 0;
      for (const { start, end } of events) {
        const distance = row < start ? start - row : row - end;
        if (distance <= half) sum += Math.sqrt(1 - distance / width);
      }
      return Math.min(1, sum);
    });
    const groups: { start: number; end: number }[] = [];
    for (const { start, end } of events) {
      const last = groups.at(-1);
      if (last !== undefined && start - half <= last.end) last.end = end + half;
      else groups.push({ start: start - half, end: end + half });
    }
    let [rateBefore, falseBefore] = [0, 0];
    for (let step = 0; step < 250; step += 1) {
      const threshold = sorted[Math.floor((step * (rows - 1)) / 249)]!;
      const alarms = [...scores.keys()].filter((row) => scores[row]! >= threshold);
      const truly = alarms.reduce((sum, row) => sum + degree[row]!, 0);
      const around = alarms.filter((row) => labels[row] === 0).reduce((sum, row) => sum + degree[row]!, 0);
      const positives = (points + (points + around)) / 2;
      const touched = groups.filter(({ start, end }) => alarms.some((row) => row >= start && row <= end));
      const rate = Math.min(truly / positives, 1) * (touched.length / groups.length);
      const falseRate = (alarms.length - truly) / (rows - positives);
      pr += (rate - rateBefore) * (truly / alarms.length);
      roc += ((falseRate - falseBefore) * (rate + rateBefore)) / 2;
      [rateBefore, falseBefore] = [rate, falseRate];
    }
    roc += ((1 - falseBefore) * (1 + rateBefore)) / 2;
  }
  return { pr: pr / (widest + 1), roc: roc / (widest + 1) };
}

test("the volume is what its definition gives, row by row", () => {
  const point = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 5 }));
  fc.assert(
    fc.property(
      fc.array(point, { minLength: 4, maxLength: 40 }),
      fc.integer({ min: 0, max: 8 }),
      (drawn, widest) => {
        const scores = Float32Array.from(drawn, ([score]) => score);
        const labels = Uint8Array.from(drawn, ([, label]) => (label === 0 ? 1 : 0));
        if (!labels.includes(1) || !labels.includes(0)) return;
        const [wanted, got] = [plainly(scores, labels, widest), vus({ scores, labels }, widest)];
        assert.ok(Math.abs(wanted.pr - got.pr) < 1e-9, `pr ${got.pr}, want ${wanted.pr}`);
        assert.ok(Math.abs(wanted.roc - got.roc) < 1e-9, `roc ${got.roc}, want ${wanted.roc}`);
      },
    ),
    { numRuns: 60 },
  );
});

test("with width 0 and every event's rows on top precision is 1 throughout", () => {
  const labels = Uint8Array.from({ length: 250 }, (_, row) => (row >= 100 && row < 110 ? 1 : 0));
  const scores = Float32Array.from(labels, (label, row) => label * 10 + 1 / (row + 1));
  assert.ok(vus({ scores, labels }, 0).pr > 0.999999);
});

test("a series without an event has no volume", () => {
  assert.deepEqual(vus({ scores: new Float32Array(9), labels: new Uint8Array(9) }, 4), { pr: NaN, roc: NaN });
});

test("the period of a daily pattern is found, and noise has the usual one", () => {
  const wave = Float64Array.from({ length: 3000 }, (_, row) => Math.sin((2 * Math.PI * row) / 96));
  assert.equal(periodOf(wave), 96);
  assert.equal(periodOf(new Float64Array(3000)), 125);
});
