import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { fitsPattern, type Match, matcherOf, patternProblem } from "#collector/detect/match.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";

const series: Series = {
  metric: "system.disk.io",
  unit: "By",
  instrument: "counter",
  decimals: 0,
  labels: canonicalLabels([["service.name", "ledger.service"]]),
};

test("all names must fit, any pattern under a name, and a label that is not there fits nothing", () => {
  const fits = (match: Match) => matcherOf(match)(series, "pay-01", "traffic");
  assert.ok(fits([]));
  assert.ok(
    fits([
      ["metric", ["system.disk.*"]],
      ["host", ["web-*", "pay-??"]],
      ["kind", ["traffic"]],
    ]),
  );
  assert.ok(fits([["service.name", ["ledger*"]]]));
  assert.ok(
    !fits([
      ["metric", ["system.disk.*"]],
      ["host", ["web-*"]],
    ]),
  );
  assert.ok(!fits([["system.device", ["*"]]]));
  assert.ok(!fits([["host", []]]));
});

test("a pattern fits the whole text, whatever characters it is of", () => {
  assert.ok(!fitsPattern("pay", "pay-01"));
  assert.ok(!fitsPattern("a.c", "abc"), "a dot is a dot");
  assert.ok(fitsPattern("\\*", "*") && !fitsPattern("\\*", "x"));
  assert.ok(fitsPattern("支付?", "支付💳"), "a character is a character, not half of one");
  assert.ok(fitsPattern("*", ""));
});

test("a pattern agrees with the regular expression that it stands for", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
  const pattern = fc
    .array(fc.constantFrom("a", "b", "*", "?", "**"), { maxLength: 8 })
    .map((all) => all.join(""));
  fc.assert(
    fc.property(pattern, text, (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll(/\*+/g, ".*").replaceAll("?", ".")}$`);
      assert.equal(fitsPattern(pattern, text), expression.test(text));
    }),
    { seed: 3, numRuns: 2000 },
  );
});

test("no pattern takes long, however many runs it has", () => {
  assert.ok(!fitsPattern("*a".repeat(200) + "b", "a".repeat(1024)));
});

test("a pattern that can never match is seen", () => {
  for (const pattern of ["", " pay", "pay ", "pay-[12]", "{a,b}", "x\\", "x".repeat(2000)])
    assert.notEqual(patternProblem(pattern), null, pattern);
  for (const pattern of ["*", "pay-*", "a\\[0\\]", "x\\\\", "a b", "支付"])
    assert.equal(patternProblem(pattern), null, pattern);
});
