import assert from "node:assert/strict";
import { test } from "node:test";
import { type Expiry, stepExpiry } from "#collector/detect/forecast/expiry.ts";

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 1, 1);

/** Looks each hour at a certificate that `endOf` says the end of, and gives the days left at which something was said. */
function said(hours: number, valueOf: (atMs: number) => number): [news: string, daysLeft: number | null][] {
  let expiry: Expiry | null = null;
  const told: [string, number | null][] = [];
  for (let hour = 0; hour < hours; hour += 1) {
    const atMs = nowMs + (hour * dayMs) / 24;
    const step = stepExpiry(expiry, valueOf(atMs), atMs);
    expiry = step.expiry;
    if (step.news !== null)
      told.push([step.news, expiry === null ? null : Math.floor((expiry.endMs - atMs) / dayMs)]);
  }
  return told;
}

const expected = [
  ["began", 14],
  ["changed", 7],
  ["changed", 3],
  ["changed", 1],
  ["changed", 0],
];

test("a certificate is told two weeks before it ends, and again at a week, three days, a day and its end", () => {
  const endMs = nowMs + 20 * dayMs;
  assert.deepEqual(
    said(24 * 25, () => endMs / 1000),
    expected,
  );
  const left = (atMs: number) => (endMs - atMs) / 1000;
  assert.deepEqual(said(24 * 25, left), expected, "seconds left say the same");
  assert.deepEqual(
    said(24 * 25, (atMs) => Math.max(0, left(atMs))),
    expected,
    "also where they stop at 0",
  );
});

test("a certificate that is renewed in time is nobody's trouble, however short its life", () => {
  // A day long, renewed with eight hours left.
  const endOf = (atMs: number) => (Math.floor((atMs - nowMs) / (dayMs / 1.5)) + 1.5) * (dayMs / 1.5) + nowMs;
  const told = said(24 * 10, (atMs) => endOf(atMs) / 1000);
  assert.deepEqual(told.slice(2), [], JSON.stringify(told));
});

test("a renewal ends what was told", () => {
  const told = said(
    24 * 12,
    (atMs) => (atMs < nowMs + 5 * dayMs ? nowMs + 10 * dayMs : nowMs + 90 * dayMs) / 1000,
  );
  assert.deepEqual(
    told.map(([news]) => news),
    ["began", "changed", "ended"],
  );
});

test("an exporter that knows no certificate says nothing: 0, and ends that were years ago", () => {
  assert.deepEqual(
    said(48, () => 0),
    [],
  );
  assert.deepEqual(
    said(48, () => (nowMs - 900 * dayMs) / 1000),
    [],
  );
});
