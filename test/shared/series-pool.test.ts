import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { SeriesPool } from "#shared/series-pool.ts";

function series(metric: string, label = "a"): Series {
  const labels = canonicalLabels([["part", label]]);
  return { metric, unit: "1", instrument: "gauge", decimals: 3, labels };
}

test("equal series are one object, and what differs in anything is another", () => {
  const pool = new SeriesPool();
  const first = pool.intern(series("m"));
  assert.equal(pool.intern(series("m")), first);
  const others = [
    series("n"),
    series("m", "b"),
    { ...series("m"), unit: "s" },
    { ...series("m"), instrument: "counter" } as const,
    { ...series("m"), decimals: 2 },
  ];
  for (const other of others) {
    assert.equal(pool.intern(other), other);
    assert.notEqual(pool.intern(other), first);
  }
});

test("the pool is bounded: the oldest entry is forgotten", () => {
  const pool = new SeriesPool(2);
  const [a, b] = [pool.intern(series("a")), pool.intern(series("b"))];
  pool.intern(series("c"));
  assert.equal(pool.size, 2);
  assert.equal(pool.intern(series("b")), b);
  assert.notEqual(pool.intern(series("a")), a);
});
