/** The figures of rankings against cases worked out by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accuracyAt, averageAt5, bootstrap, brier, placeOf, reliability } from "./ranking.ts";

test("the place of the truth counts from 1, and is infinite when it is not there", () => {
  assert.equal(
    placeOf(["a", "b"], (one) => one === "b"),
    2,
  );
  assert.equal(
    placeOf(["a", "b"], (one) => one === "c"),
    Number.POSITIVE_INFINITY,
  );
});

test("AC@k is the share of cases with the truth among the first k, Avg@5 its mean over five k", () => {
  const places = [1, 2, 4, Number.POSITIVE_INFINITY];
  assert.equal(accuracyAt(1, places), 0.25);
  assert.equal(accuracyAt(3, places), 0.5);
  // 0.25, 0.5, 0.5, 0.75, 0.75
  assert.equal(averageAt5(places), 0.55);
});

test("the interval of a mean holds the mean, narrows with more cases and is the same at every run", () => {
  const few = [1, 1, 1, 0];
  const many = Array.from({ length: 40 }, (_, place) => few[place % 4]!);
  const wide = bootstrap(few, 1);
  const narrow = bootstrap(many, 1);
  assert.ok(wide.low <= 0.75 && wide.high >= 0.75);
  assert.ok(narrow.high - narrow.low < wide.high - wide.low);
  assert.deepEqual(bootstrap(many, 1), narrow);
  assert.deepEqual(bootstrap([1, 1, 1], 5), { low: 1, high: 1 });
});

test("the Brier score is 0 for an oracle, 1 for its opposite and a quarter for a coin", () => {
  const said = (confidence: number, right: boolean) => ({ confidence, right });
  assert.equal(brier([said(1, true), said(0, false)]), 0);
  assert.equal(brier([said(0, true), said(1, false)]), 1);
  assert.equal(brier([said(0.5, true), said(0.5, false)]), 0.25);
});

test("a reliability table has what was said and what came true in each fifth that has cases", () => {
  const bins = reliability([
    { confidence: 0.1, right: false },
    { confidence: 0.85, right: true },
    { confidence: 0.95, right: false },
    { confidence: 1, right: true },
  ]);
  assert.deepEqual(
    bins.map(({ from, to, count }) => [from, to, count]),
    [
      [0, 0.2, 1],
      [0.8, 1, 3],
    ],
  );
  assert.ok(Math.abs(bins[1]!.stated - 2.8 / 3) < 1e-12);
  assert.ok(Math.abs(bins[1]!.right - 2 / 3) < 1e-12);
});
