import assert from "node:assert/strict";
import { test } from "node:test";
import { impactTexts, symptomText } from "#collector/correlate/explain.ts";
import { severityOf } from "#collector/incident/severity.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { renderText } from "#shared/text/text.ts";
import {
  counter,
  dayMs,
  minuteMs,
  payments,
  startMs,
  ticksOf,
  Watched,
} from "#test/collector/detect/counts/flow-days.ts";

const troubleMs = startMs + dayMs + 10 * minuteMs;

/** What is told last of a steady service of which so many of a hundred fail, or of which nothing comes. */
function told(failing: number | "nothing", metric: string): Anomaly {
  const watched = new Watched();
  watched.detect.define(watched.host, 0, counter(`${metric}_total`));
  watched.detect.define(watched.host, 1, counter(`${metric.replace(/_.*/, "")}_errors_total`));
  const steady = { ...payments, nightShare: 1, restless: 0, bursty: 0 };
  for (const tick of ticksOf(steady, 1.02, 5)) {
    if (tick.timeMs <= troubleMs) watched.tick(tick);
    else if (failing === "nothing") watched.tick({ timeMs: tick.timeMs, events: 0, failures: 0 });
    else watched.tick({ timeMs: tick.timeMs, events: 100, failures: failing });
  }
  return watched.told.findLast(({ detector }) => detector === "counts")!;
}

test("an operator reads how many of how many failed, what is usual, and whether it is most of them", () => {
  const few = told(5, "pay_requests");
  assert.match(
    renderText(symptomText(few), "en"),
    /^\d+ of \d+ requests of pay failed in the last \d+(m|s|m\d+s)$/,
  );
  assert.match(renderText(symptomText(few), "zh-CN"), /^pay 最近 .+ 内 \d+ 次请求中有 \d+ 次失败$/);
  assert.match(renderText(few.reasons[0]!, "en"), /usually 0\.\d+ %$/);
  assert.equal(severityOf([few]), "warning");
  const most = told(70, "pay_transactions");
  assert.match(renderText(symptomText(most), "en"), /transactions of pay failed/);
  assert.ok(most.reasons.some(({ key }) => key === "reason.most"));
  assert.equal(severityOf([most]), "critical");
  assert.deepEqual(impactTexts([most]), [symptomText(most)]);
});

test("an operator reads for how long nothing has come, and what would be usual", () => {
  const none = told("nothing", "pay_transactions");
  assert.match(
    renderText(symptomText(none), "en"),
    /^pay has had no transactions for \d+m \(about \d+ would be usual\)$/,
  );
  assert.match(renderText(symptomText(none), "zh-CN"), /^pay 已 .+ 没有交易（平时同样时长约 \d+ 笔）$/);
  assert.equal(severityOf([none]), "critical");
});
