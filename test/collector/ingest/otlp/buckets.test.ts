import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { ExponentialBuckets } from "#collector/ingest/decode/otlp.ts";
import { countOf, quantileOf, since } from "#collector/ingest/otlp/buckets.ts";
import { LatencySketch } from "#collector/ingest/otlp/latency-sketch.ts";

/** What an SDK would have made of `values` at a scale. */
function exponentialOf(values: readonly number[], scale: number): ExponentialBuckets {
  const indexes = values.map((value) => Math.ceil(Math.log2(value) * 2 ** scale) - 1);
  const offset = Math.min(0, ...indexes);
  const counts = Array.from({ length: Math.max(0, ...indexes) - offset + 1 }, () => 0);
  for (const index of indexes) counts[index - offset]! += 1;
  return { kind: "exponential", scale, zeroCount: 0, offset, counts };
}

const values = fc.array(fc.double({ min: 0.001, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 });

/** The value of that rank, as the buckets mean it: as many are not above it. */
function exact(all: readonly number[], q: number): number {
  const sorted = all.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

test("a quantile of an exponential histogram is within a bucket of the true one, at any scale", () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 0, max: 6 }), fc.constantFrom(0.5, 0.95), (all, scale, q) => {
      const ratio = quantileOf(exponentialOf(all, scale), q) / exact(all, q);
      const width = 2 ** (2 ** -scale) * (1 + 1e-9);
      assert.ok(ratio <= width && ratio >= 1 / width, `${ratio} of ${width}`);
    }),
  );
});

test("the sketch of an interval's latencies is within 9 % of the true quantile", () => {
  fc.assert(
    fc.property(values, fc.constantFrom(0.5, 0.95), (all, q) => {
      const sketch = new LatencySketch();
      for (const value of all) sketch.add(value);
      const ratio = sketch.quantile(q) / exact(all, q);
      assert.ok(ratio < 1.0906 && ratio > 1 / 1.0906, String(ratio));
      assert.equal(sketch.count, all.length);
    }),
  );
});

test("what a cumulative histogram counted since is what was added, though its resolution has been halved meanwhile", () => {
  fc.assert(
    fc.property(values, values, fc.integer({ min: 0, max: 3 }), (before, added, halvings) => {
      const fine = exponentialOf(before, 5);
      const all = exponentialOf([...before, ...added], 5 - halvings);
      const fresh = since(all, fine);
      assert.ok(fresh !== null);
      assert.equal(countOf(fresh), added.length);
      const want = exponentialOf(added, 5 - halvings);
      assert.ok(Math.abs(quantileOf(fresh, 0.5) / quantileOf(want, 0.5) - 1) < 1e-9);
    }),
  );
});

test("a histogram that began anew, or has other bounds, has no difference", () => {
  const explicit = (counts: number[], bounds = [1, 2]) => ({ kind: "explicit", bounds, counts }) as const;
  assert.deepEqual(since(explicit([5, 3, 1]), explicit([2, 3, 0])), explicit([3, 0, 1]));
  assert.equal(since(explicit([1, 0, 0]), explicit([2, 3, 0])), null);
  assert.equal(since(explicit([5, 3, 1], [1, 3]), explicit([2, 3, 0])), null);
  assert.equal(since(exponentialOf([1], 3), exponentialOf([1, 50], 3)), null);
  assert.equal(since(explicit([5, 3, 1]), exponentialOf([1], 3)), null);
});

test("an explicit histogram is read between its bounds, and what is above the last is told as the last", () => {
  const buckets = { kind: "explicit", bounds: [10, 20], counts: [10, 10, 0] } as const;
  assert.equal(quantileOf(buckets, 0.5), 10);
  assert.equal(quantileOf(buckets, 0.95), 19);
  assert.equal(quantileOf({ ...buckets, counts: [0, 0, 7] }, 0.5), 20);
  assert.equal(quantileOf({ ...buckets, counts: [0, 0, 0] }, 0.5), Number.NaN);
});

test("no buckets that a request can hold make anything but a number or nothing", () => {
  const counts = fc.array(fc.nat(1_000), { maxLength: 50 });
  const exponential = fc.record({
    kind: fc.constant("exponential"),
    scale: fc.integer({ min: -30, max: 30 }),
    zeroCount: fc.nat(10),
    offset: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    counts,
  });
  fc.assert(
    fc.property(exponential, exponential, (a, b) => {
      const left = { ...a, kind: "exponential" } as const;
      const right = { ...b, kind: "exponential" } as const;
      assert.equal(typeof quantileOf(left, 0.95), "number");
      const fresh = since(left, right);
      if (fresh !== null) assert.ok(fresh.counts.every((count) => count >= 0));
    }),
  );
});
