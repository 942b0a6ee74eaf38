import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { floorOf, tailScore, weight, zMin, zScore } from "#collector/detect/level.ts";

test("z reaches its threshold exactly where the deviation is the floor plus zMin standard deviations", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.001, max: 1e6, noNaN: true }),
      fc.double({ min: 0.001, max: 1e6, noNaN: true }),
      (sigma, floor) => {
        const z = zScore(floor + zMin * sigma, sigma * sigma, floor);
        assert.ok(Math.abs(z - zMin) < 1e-6, `z is ${z}`);
      },
    ),
    { seed: 1 },
  );
});

test("the tail of Student's t with 4 degrees of freedom is that of the tables", () => {
  // Two-sided 5 % and 1 % points: 2.776 and 4.604.
  assert.ok(Math.abs(tailScore(2.7764) - -Math.log10(0.05)) < 1e-3);
  assert.ok(Math.abs(tailScore(4.6041) - -Math.log10(0.01)) < 1e-3);
  assert.equal(tailScore(0), 0);
  assert.equal(tailScore(1e9), 16);
  assert.equal(tailScore(Number.POSITIVE_INFINITY), 16);
});

test("a larger deviation never scores less", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e8, noNaN: true }),
      fc.double({ min: 0, max: 1e8, noNaN: true }),
      (a, b) => {
        assert.ok(tailScore(Math.max(a, b)) >= tailScore(Math.min(a, b)));
      },
    ),
    { seed: 2 },
  );
});

test("two half steps weigh as much as one whole step", () => {
  const whole = weight(10_000, 100_000);
  const half = weight(5_000, 100_000);
  assert.ok(Math.abs(1 - (1 - half) ** 2 - whole) < 1e-12);
});

test("the floor is the largest of the kind's, the level's share and the range's noise", () => {
  assert.equal(floorOf(2, 0.1, 10, 0, 10), 2);
  assert.equal(floorOf(0, 0.1, -50, -60, -40), 5);
  assert.equal(floorOf(0, 0, 5, 0, 1000), 10);
  assert.equal(floorOf(0, 0, 5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY), 0);
});
