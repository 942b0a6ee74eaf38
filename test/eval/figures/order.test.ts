/** The sort that every sweep stands on, and what labels say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { f1Of, highestFirst, spansOf } from "./order.ts";

test("rows are ordered by falling score, and equal scores by their rows", () => {
  const score = fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity));
  fc.assert(
    fc.property(fc.array(score), (numbers) => {
      const scores = Float32Array.from(numbers);
      const wanted = [...scores.keys()].sort(
        (a, b) => Number(scores[b]! > scores[a]!) - Number(scores[b]! < scores[a]!) || a - b,
      );
      assert.deepEqual([...highestFirst(scores)], wanted);
    }),
  );
});

test("a score that is no number is refused, with its row", () => {
  assert.throws(() => highestFirst(Float32Array.of(1, NaN)), /score 1 of 2 is NaN/);
});

test("labels become spans, also at both ends", () => {
  assert.deepEqual(spansOf(Uint8Array.of(1, 0, 1, 1, 0, 0, 1)), [
    { start: 0, end: 0 },
    { start: 2, end: 3 },
    { start: 6, end: 6 },
  ]);
  assert.deepEqual(spansOf(new Uint8Array(5)), []);
});

test("F1 of nothing is 0, and of one in two right and one in two found a half", () => {
  assert.equal(f1Of(0, 0, 0), 0);
  assert.equal(f1Of(1, 1, 1), 0.5);
});
