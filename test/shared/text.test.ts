import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInClasses } from "#collector/detect/calendar.ts";
import { en } from "#shared/text/en.ts";
import { languages, renderText } from "#shared/text/text.ts";
import { zhCN } from "#shared/text/zh-CN.ts";

/** A value for every placeholder: a number where it is formatted, else a word. */
function argsFor(sentence: string): Record<string, string | number> {
  const args: Record<string, string | number> = {};
  for (const [, name = "", format] of sentence.matchAll(/\{(\w+)(?:\|(\w+))?\}/g)) {
    args[name] = format === undefined ? `the-${name}` : 0.5;
    if (format !== undefined && /unit$/i.test(format)) args[format] = "By";
  }
  return args;
}

test("every sentence renders in every language, with nothing left in braces", () => {
  for (const [language, catalogue] of [
    ["en", en],
    ["zh-CN", zhCN],
  ] as const) {
    for (const [key, sentence] of Object.entries(catalogue)) {
      const text = renderText({ key, args: argsFor(sentence) }, language);
      assert.doesNotMatch(text, /[{}]|NaN|undefined/, `${language} ${key}: ${text}`);
      assert.notEqual(text, key);
      for (const [name, value] of Object.entries(argsFor(sentence))) {
        if (value === `the-${name}`)
          assert.ok(text.includes(value), `${language} ${key} lost ${name}: ${text}`);
      }
    }
  }
});

test("Chinese sentences are Chinese, and no sentence is the other language's", () => {
  for (const [key, sentence] of Object.entries(zhCN)) {
    // What consists of placeholders only reads the same everywhere.
    const words = sentence.replaceAll(/\{[^}]*\}/g, "").replaceAll(/[^\p{L}]/gu, "");
    if (words !== "") assert.match(sentence, /\p{Script=Han}/u, key);
  }
  for (const [key, sentence] of Object.entries(en)) assert.doesNotMatch(sentence, /\p{Script=Han}/u, key);
});

test("a sentence within a sentence is rendered with the same arguments", () => {
  const args = { symptom: "symptom.silence", cause: "cause.unreachable", host: "web-01", silent: 90_000 };
  assert.equal(
    renderText({ key: "incident.cause", args }, "en"),
    "No data for 1m30s on web-01 because the host is down or cannot be reached",
  );
  assert.match(renderText({ key: "incident.cause", args }, "zh-CN"), /web-01.*1 分钟 30 秒没有数据/);
});

test("an argument that nobody gave stays visible, and an unknown key is shown as it is", () => {
  for (const language of languages) {
    assert.match(renderText({ key: "symptom.silence", args: {} }, language), /\{silent\|duration\}/);
    assert.equal(renderText({ key: "from.the.future", args: { a: 1 } }, language), "from.the.future");
    assert.equal(renderText({ key: "__proto__", args: {} }, language), "__proto__");
  }
});

test("a sentence that names itself ends", () => {
  const args = { cause: "timeline.cause" };
  assert.equal(renderText({ key: "timeline.cause", args }, "en"), "cause: cause: timeline.cause");
});

test("numbers are formatted as their place says", () => {
  const text = (sentence: "counter.unexplained" | "counter.late" | "cause.part.cpu", args: object) =>
    renderText({ key: sentence, args: { ...args } }, "en");
  assert.equal(text("counter.unexplained", { share: 0.25 }), "25 % of the rise is not explained by it");
  assert.equal(text("counter.late", { late: 61_000 }), "it began 1m1s after the first symptom");
  assert.equal(
    text("cause.part.cpu", { causeName: "nginx", causeValue: 3.21 }),
    "nginx uses 321 % of a core",
  );
});

test("what is counted is named in English sentences only: Chinese ones name it themselves", () => {
  const waits = { causeName: "pay", causeMetric: "waiting", causeValue: 7, causeUnit: "{request}" };
  const text = { key: "cause.other", args: waits };
  assert.equal(renderText(text, "en"), "pay shows waiting: 7 requests");
  assert.equal(renderText(text, "zh-CN"), "pay 的 waiting 为 7");
});

test("what a host is called cannot become a sentence or a placeholder", () => {
  const text = renderText(
    { key: "incident.silent", args: { host: "incident.silent", cause: "{host}" } },
    "en",
  );
  assert.equal(text, "incident.silent is silent: {host}");
});

test("a class of day that every calendar has is named in words, the operator's own as it is", () => {
  const compared = (day: string, language: "en" | "zh-CN") =>
    renderText({ key: "reason.hour", args: { day, hour: 14 } }, language);
  assert.equal(compared("workday", "en"), "compared with 14:00 on working days");
  assert.equal(compared("month_end", "zh-CN"), "与月末最后几个工作日 14 点相比");
  assert.equal(compared("salary day", "en"), "compared with 14:00 on days of the class salary day");
  assert.equal(compared("发薪日", "zh-CN"), "与“发薪日”类日期 14 点相比");
  for (const day of builtInClasses) assert.ok(`day.${day}` in en, day);
});
