/** Order statistics and what is usual, against values worked out by hand and against sorting. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { baselineOf } from "#collector/correlate/causes/baseline.ts";
import { select } from "#collector/correlate/causes/select.ts";

test("the k-th smallest is where a sort would put it, with the smaller before and the larger behind", () => {
  const numbers = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true })), {
    minLength: 1,
    maxLength: 80,
  });
  fc.assert(
    fc.property(numbers, fc.nat(), (some, seed) => {
      const values = Float64Array.from(some);
      const k = seed % values.length;
      const found = select(values, k, 0, values.length);
      assert.equal(found + 0, Float64Array.from(some).sort()[k]! + 0, "a zero of either sign");
      assert.ok(values.subarray(0, k).every((value) => value <= found));
      assert.ok(values.subarray(k).every((value) => value >= found));
    }),
  );
});

test("what is usual of 0 to 99 has their median and quartiles, and leaves out what was not measured", () => {
  const values = Float64Array.from({ length: 110 }, (_, place) =>
    place % 11 === 10 ? NaN : place - Math.floor(place / 11),
  );
  const usual = baselineOf(values, 0, 110, 1)!;
  assert.equal(usual.count, 100);
  assert.ok(Math.abs(usual.coverage - 100 / 110) < 1e-12);
  assert.equal(usual.median, 50);
  assert.ok(Math.abs(usual.quartileDeviation - 50 / 1.349) < 1e-9);
  // The deviation of 0 to 99 is 28.9; two values at each end are clipped.
  assert.ok(usual.winsorisedDeviation > 28 && usual.winsorisedDeviation < 28.9);
});

test("one outlier in sixteen is not the spread", () => {
  const values = Float64Array.from({ length: 16 }, (_, place) => (place === 7 ? 1e6 : 10 + (place % 3)));
  const usual = baselineOf(values, 0, 16, 1)!;
  assert.ok(usual.winsorisedDeviation < 1);
});

test("the stray is how far means over a stretch come from the median: 9 in 10 stay within it", () => {
  const values = Float64Array.from({ length: 200 }, (_, place) => (place % 20 < 10 ? 1 : -1));
  assert.equal(baselineOf(values, 0, 200, 10)!.median, 1);
  // Means over ten run from -1 to 1 and back; the median is 1, and nine in ten are within 1.8 or 2 of it.
  const { stray } = baselineOf(values, 0, 200, 10)!;
  assert.ok(stray >= 1.8 && stray <= 2);
  assert.equal(baselineOf(Float64Array.of(5, 5, 5), 0, 3, 2)!.stray, 0);
});

test("of nothing nothing is usual", () => {
  assert.equal(baselineOf(Float64Array.of(NaN, NaN), 0, 2, 2), null);
  assert.equal(baselineOf(Float64Array.of(1), 0, 0, 2), null);
});
