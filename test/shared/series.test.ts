import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { canonicalLabels, labelValue, seriesId } from "#shared/series.ts";

test("labels are sorted, each name once, without empty values, whatever they are called", () => {
  const labels = canonicalLabels([
    ["z", "1"],
    ["__proto__", "2"],
    ["a", "first"],
    ["empty", ""],
    ["a", "last"],
  ]);
  assert.deepEqual(labels, [
    ["__proto__", "2"],
    ["a", "last"],
    ["z", "1"],
  ]);
  assert.equal(labelValue(labels, "__proto__"), "2");
  assert.equal(labelValue(labels, "constructor"), undefined);
});

test("a series has one spelling, with quotes, backslashes and newlines escaped", () => {
  assert.equal(seriesId({ metric: "m", labels: [] }), "m");
  const labels = canonicalLabels([
    ["b", 'say "x"\\\n'],
    ["a", "1"],
  ]);
  assert.equal(seriesId({ metric: "m", labels }), 'm{a="1",b="say \\"x\\"\\\\\\n"}');
});

test("the order of labels does not matter, and different series have different spellings", () => {
  const name = fc.constantFrom("a", "b", "c.d", "e_f");
  const pairs = fc.array(
    fc.tuple(name, fc.string({ unit: fc.constantFrom('"', "\\", "\n", ",", "=", "}", "x") })),
    {
      maxLength: 4,
    },
  );
  const unique = (list: [string, string][]) => [...new Map(list)];
  fc.assert(
    fc.property(pairs, pairs, (left, right) => {
      const [a, b] = [canonicalLabels(left), canonicalLabels(right)];
      const same = JSON.stringify(a) === JSON.stringify(b);
      assert.equal(seriesId({ metric: "m", labels: a }) === seriesId({ metric: "m", labels: b }), same);
      assert.deepEqual(canonicalLabels(unique(left).reverse()), canonicalLabels(unique(left)));
    }),
    { seed: 23, numRuns: 2000 },
  );
});
