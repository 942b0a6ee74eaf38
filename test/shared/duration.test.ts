import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { formatDuration, parseDuration, roundDuration } from "#shared/duration.ts";
import { ConfigError } from "#shared/errors.ts";

test("durations are written as people write them", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["250ms", 250],
    ["90s", 90_000],
    ["15m", 900_000],
    ["1h30m", 5_400_000],
    ["7d", 604_800_000],
    ["0s", 0],
  ];
  for (const [text, durationMs] of cases) assert.equal(parseDuration(text), durationMs, text);
});

test("what is no duration is refused, naming the setting, what was wanted and what was got", () => {
  for (const text of ["", "15", "m", "15 m", "1.5h", "-1s", "15m ", "1y", "m15"]) {
    assert.throws(
      () => parseDuration(text, "detect.window"),
      (error: unknown) =>
        error instanceof ConfigError &&
        error.message === `detect.window: want a duration like "15m" or "1h30m", got ${JSON.stringify(text)}`,
      text,
    );
  }
});

test("a duration shows its two largest units and never more than it is", () => {
  assert.equal(formatDuration(5_400_000), "1h30m");
  assert.equal(formatDuration(86_400_000 + 3_600_000 + 60_000), "1d1h");
  assert.equal(formatDuration(1_999), "1s");
  assert.equal(formatDuration(999.9), "999ms");
  assert.equal(formatDuration(-5), "0s");
  fc.assert(
    fc.property(fc.nat(400 * 86_400_000), (durationMs) => {
      const text = formatDuration(durationMs);
      const shownMs = parseDuration(text);
      assert.ok(
        shownMs <= durationMs && shownMs >= durationMs * 0.95 - 1000,
        `${durationMs} ms reads as ${text}`,
      );
      assert.equal(formatDuration(shownMs), text, "shown again it is the same");
    }),
    { seed: 22 },
  );
});

test("an estimate is rounded as people say it: the longer, the coarser", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["29s", "0s"],
    ["12m40s", "13m"],
    ["47m", "45m"],
    ["4h10m", "4h"],
    ["4h20m", "4h30m"],
    ["30h20m", "1d6h"],
    ["4d7h", "4d12h"],
  ];
  for (const [from, to] of cases) assert.equal(formatDuration(roundDuration(parseDuration(from))), to, from);
});
