import assert from "node:assert/strict";
import { test } from "node:test";
import { createDetect } from "#collector/detect/detect.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { renderAnomaly } from "#shared/text/anomaly-text.ts";
import { languages } from "#shared/text/text.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

const host = "pay-01";
const startMs = Date.UTC(2026, 0, 5);
const minuteMs = 60_000;
const hourMs = 3_600_000;
const day = 1440;

/** What began last when one series of a host has these values, a minute apart; NaN: the tick did not come. */
function lastTold(metric: string, values: readonly number[], labels: [string, string][] = []): Anomaly {
  const detect = createDetect();
  const series: Series = {
    metric,
    unit: "1",
    instrument: "gauge",
    decimals: 6,
    labels: canonicalLabels(labels),
  };
  detect.define(host, 0, series);
  const all = values.flatMap((value, tick) => {
    if (Number.isNaN(value)) return [];
    return detect.judge({
      host,
      timeMs: startMs + tick * minuteMs,
      intervalMs: minuteMs,
      series: Uint32Array.of(0),
      values: Float64Array.of(value),
    });
  });
  const last = all.findLast(({ ended, startedMs, lastMs }) => !ended && lastMs - startedMs <= hourMs);
  assert.ok(last !== undefined, "nothing was told");
  return last;
}

/** Busy by day, quiet at night, with noise. */
function daily(minutes: number, low: number, high: number): number[] {
  const random = mulberry32(5);
  return Array.from({ length: minutes }, (_, minute) => {
    const hour = (minute % day) / 60;
    return (hour >= 8 && hour < 18 ? high : low) + 0.02 * random();
  });
}

test("what was never there is told with its band, what it was compared with and how much of the data was there", () => {
  const calm = daily(300, 0.2, 0.2);
  const told = lastTold("system.cpu.utilization", [...calm, 0.9, 0.9]);
  assert.match(
    renderAnomaly(told, "en"),
    /^pay-01: CPU busy is 90 %, expected at most \d\d(\.\d)? %; compared with the last 20m; .* larger than any deviation in the 5h known; 100 % of the samples were there\.$/,
  );
  assert.match(
    renderAnomaly(told, "zh-CN"),
    /^pay-01：CPU 使用率为 90 %，预期不超过 \d\d(\.\d)? %；与最近 20 分钟相比；.*在已知的 5 小时内从未有过这样大的偏离；样本到齐 100 %。$/,
  );
});

test("what was seen before, and what is missing, comes after a but", () => {
  const calm = daily(300, 0.2, 0.2);
  const burst = [0.9, 0.9, 0.9, 0.9];
  const first = lastTold("system.cpu.utilization", [...calm, ...burst]);
  const gaps = calm.map((value, tick) => (tick % 2 === 0 ? value : Number.NaN));
  const again = { ...first, reasons: [{ key: "reason.seen", effect: "lowered", args: {} }] } as const;
  assert.match(renderAnomaly(again, "en"), /; but a deviation of this size was seen before; 100 %/);
  const sparse = renderAnomaly(lastTold("system.cpu.utilization", [...gaps, ...gaps, 0.9, 0.9]), "en");
  assert.match(sparse, /; but only \d\d(\.\d)? % of the expected samples were there\.$/);
});

test("a season is named by the hour and the class of day", () => {
  const fortnight = daily(11 * day + 180, 0.1, 0.6);
  const told = lastTold("system.cpu.utilization", [...fortnight, ...Array.from({ length: 5 }, () => 0.6)]);
  assert.match(renderAnomaly(told, "en"), /compared with 3:00 on working days/);
  assert.match(renderAnomaly(told, "zh-CN"), /与工作日 3 点相比/);
});

test("a part of the host is told by the labels that say most", () => {
  const told = lastTold(
    "system.filesystem.utilization",
    [0.97, 0.97, 0.97],
    [
      ["system.filesystem.mountpoint", "/var"],
      ["system.device", "/dev/vda"],
    ],
  );
  assert.match(
    renderAnomaly(told, "en"),
    /^pay-01: Filesystem full \(\/var\) is 97 %, expected at most 95 %; beyond 95 %/,
  );
});

test("what stands still is not told by what was expected of its value", () => {
  const random = mulberry32(7);
  const values = Array.from({ length: 3 * day }, () => 50 + 10 * random());
  const told = lastTold("sessions_open", [...values, ...Array.from({ length: 90 }, () => 55)]);
  assert.equal(
    renderAnomaly({ ...told, unit: "" }, "en"),
    "pay-01: sessions_open stands still at 55; it has stood exactly still for 1h; in the 3d1h known it never did for longer than 1m; 100 % of the samples were there.",
  );
});

test("a silence has neither band nor share", () => {
  const told = lastTold("system.cpu.utilization", [...daily(300, 0.2, 0.2), 0.9, 0.9]);
  const silent: Anomaly = {
    ...told,
    detector: "absence",
    series: "",
    metric: "",
    value: 40,
    reasons: [{ key: "reason.unreachable", effect: "raised", args: {} }],
  };
  assert.equal(
    renderAnomaly(silent, "en"),
    "pay-01: no data for 40s; the connection went dead, and nobody came back.",
  );
  for (const language of languages)
    assert.doesNotMatch(renderAnomaly(silent, language), /[{}]|undefined|NaN/);
});
