import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { formatNumber, formatValue } from "#shared/units.ts";

test("a value reads as people say it", () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [0.523, "1", "52.3 %"],
    [1, "1", "100 %"],
    [1_200, "1/s", "1.2k/s"],
    [0, "By", "0 B"],
    [1536, "By", "1.5 KiB"],
    [-1536, "By", "-1.5 KiB"],
    [3 * 1024 ** 3, "By", "3 GiB"],
    [8 * 1024 ** 2, "By/s", "8 MiB/s"],
    [0.25, "s", "250 ms"],
    [0, "s", "0 s"],
    [12.34, "s", "12.3 s"],
    [3.2, "s/s", "3.2 s/s"],
    [12_500, "{packet}/s", "12.5k packets/s"],
    [7, "{process}", "7 processes"],
    [1, "{process}", "1 process"],
    [3, "{entry}", "3 entries"],
    [Number.NaN, "By", "–"],
    [Number.POSITIVE_INFINITY, "1", "–"],
  ];
  for (const [value, unit, want] of cases) assert.equal(formatValue(value, unit), want, `${value} ${unit}`);
});

test("a number has at least three significant digits, no exponent, and its sign", () => {
  const value = fc.double({ min: -1e14, max: 1e14, noNaN: true });
  fc.assert(
    fc.property(value, (number) => {
      const text = formatNumber(number);
      assert.match(text, /^-?\d+(?:\.\d+)?(?:e-\d+)?$/);
      const tolerance = Math.max(Math.abs(number) * 0.005, 0.5e-6);
      assert.ok(Math.abs(Number(text) - number) <= tolerance, `${number} reads as ${text}`);
    }),
    { seed: 21 },
  );
});
