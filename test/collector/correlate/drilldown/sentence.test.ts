import assert from "node:assert/strict";
import { test } from "node:test";
import { type Combination, feltOf, sentenceOf } from "#collector/correlate/drilldown/drilldown.ts";
import { renderText } from "#shared/text/text.ts";

const combination = (share: number, ...where: [string, string][]): Combination => ({
  where,
  share,
  excess: 900 * share,
  actual: 870.4,
  expected: 14.2,
  events: 3000,
  score: 1,
});
const first = combination(0.931, ["channel", "mobile"], ["product", "transfer"]);
const second = combination(0.12, ["region", "north"]);

test("what explains the failures is one sentence, with the runner-up", () => {
  const text = sentenceOf("failed", { causes: [first], next: second, excess: 900 })!;
  assert.equal(
    renderText(text, "en"),
    "channel=mobile, product=transfer explains 93 % of the failures beyond what is usual (870 of 3000; about 14 would be usual); " +
      "next best region=north, 12 %",
  );
  assert.equal(
    renderText(text, "zh-CN"),
    "超出平时的失败中，channel=mobile, product=transfer 占 93 %（3000 次中失败 870 次，平时约 14 次）；其次为 region=north，占 12 %",
  );
});

test("the second cause is the first one's runner-up, and has a sentence of its own", () => {
  const drilled = { causes: [first, second], next: null, excess: 900 };
  assert.equal(sentenceOf("missing", drilled)!.key, "drill.missing_next");
  assert.equal(sentenceOf("missing", drilled, 1)!.key, "drill.missing");
  assert.equal(sentenceOf("missing", drilled, 2), null);
});

test("customers feel one combination when it is nearly all, else the whole", () => {
  const whole = { events: 9000, bad: 935, windowMs: 90_000 };
  const felt = feltOf("failed", { causes: [first], next: second, excess: 900 }, whole);
  assert.equal(
    renderText(felt, "en"),
    "870 of 3000 transactions with channel=mobile, product=transfer failed in the last 1m30s",
  );
  const spread = feltOf("refused", { causes: [second], next: null, excess: 900 }, whole);
  assert.equal(renderText(spread, "en"), "935 of 9000 transactions were refused in the last 1m30s");
  assert.equal(renderText(spread, "zh-CN"), "最近 1 分钟 30 秒 内 9000 笔交易中有 935 笔被拒绝");
});

test("every kind of sentence is there in both languages", () => {
  for (const what of ["failed", "refused", "missing", "surplus"] as const)
    for (const next of [null, second])
      for (const language of ["en", "zh-CN"] as const)
        assert.doesNotMatch(
          renderText(sentenceOf(what, { causes: [first], next, excess: 1 })!, language),
          /drill\.|\{/,
        );
});
