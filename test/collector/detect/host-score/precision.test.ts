import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { diagonal, invert, multiply, packedLength } from "#collector/detect/host-score/precision.ts";

/** The packed lower half of samples' covariance. */
function covarianceOf(samples: readonly (readonly number[])[], size: number): Float32Array {
  const packed = new Float32Array(packedLength(size));
  for (const sample of samples) {
    for (let i = 0, at = 0; i < size; i += 1)
      for (let j = 0; j <= i; j += 1, at += 1) packed[at]! += (sample[i]! * sample[j]!) / samples.length;
  }
  return packed;
}

const sizes = fc.integer({ min: 1, max: 9 });
const number = fc.double({ min: -3, max: 3, noNaN: true });
const cases = sizes.chain((size) =>
  fc.record({
    size: fc.constant(size),
    samples: fc.array(fc.array(number, { minLength: size, maxLength: size }), {
      minLength: 1,
      maxLength: 20,
    }),
    vector: fc.array(number, { minLength: size, maxLength: size }),
  }),
);

test("the inverse times the matrix with its ridge gives back any vector", () => {
  fc.assert(
    fc.property(cases, ({ size, samples, vector }) => {
      const covariance = covarianceOf(samples, size);
      const inverse = new Float32Array(packedLength(size));
      invert(covariance, size, 0.3, () => true, inverse);
      const [once, twice] = [new Float64Array(size), new Float64Array(size)];
      multiply(inverse, size, Float64Array.from(vector), once);
      multiply(covariance, size, once, twice);
      for (const [at, value] of vector.entries())
        assert.ok(
          Math.abs(twice[at]! + 0.3 * once[at]! - value) < 1e-3,
          `${twice[at]! + 0.3 * once[at]!}, ${value}`,
        );
    }),
    { seed: 1 },
  );
});

test("a row of the inverse over its diagonal is a regression: what the others explain of a copy is most of it", () => {
  const samples = Array.from({ length: 200 }, (_, at) => [Math.sin(at), Math.sin(at), Math.cos(2 * at)]);
  const inverse = new Float32Array(packedLength(3));
  invert(covarianceOf(samples, 3), 3, 0.01, () => true, inverse);
  const unexplained = (vector: readonly number[]): number[] => {
    const product = new Float64Array(3);
    multiply(inverse, 3, Float64Array.from(vector), product);
    return [0, 1, 2].map((metric) => Math.abs(product[metric]! / diagonal(inverse, metric)));
  };
  assert.ok(unexplained([1, 1, 0])[0]! < 0.05, "as always: explained by its copy");
  assert.ok(unexplained([1, -1, 0])[0]! > 1.9, "its copy says the opposite");
  assert.ok(Math.abs(unexplained([0, 0, 1])[2]! - 1) < 0.05, "nothing explains the third");
});

test("metrics that have not joined, and covariances that are none, leave the rest finite", () => {
  const inverse = new Float32Array(packedLength(2));
  invert(Float32Array.from([1, 0.9, 1]), 2, 0.3, (metric) => metric === 0, inverse);
  assert.equal(inverse[1], 0);
  assert.ok(Math.abs(inverse[0]! - 1 / 1.3) < 1e-6);
  invert(Float32Array.from([1, 5, 1]), 2, 0.3, () => true, inverse);
  assert.ok(inverse.every((entry) => Number.isFinite(entry)));
});
