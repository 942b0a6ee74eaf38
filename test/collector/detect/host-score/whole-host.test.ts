// The host score through the door of detection: what feeds it, what it says beside the series' own detectors, and that it is data.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createDetect, type Detect } from "#collector/detect/detect.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Series } from "#shared/series.ts";
import { dayRows, intervalMs, seriesNumber, startMs, usualRows } from "./rows.ts";

const metrics = 6;
const columns = Uint32Array.from({ length: metrics }, (_, number) => number);

/** From midnight on, for half a day, metric 2 falls where the others rise: smoothly, and nowhere where it never was. */
const midnight = 4 * dayRows;
const days = usualRows(metrics, 4.75 * dayRows, 3).map((row, at) =>
  row.map((value, metric) =>
    metric === 2 && at >= midnight && at < midnight + dayRows / 2 ? 0.8 - value : value,
  ),
);

function defined(detect: Detect, host: string, change: Partial<Series> = {}): void {
  for (let number = 0; number < metrics; number += 1)
    detect.define(host, number, { ...seriesNumber(number), ...change });
}

function judge(detect: Detect, host: string, at: number, row: readonly number[]): Anomaly[] {
  const timeMs = startMs + at * intervalMs;
  return detect.judge({ host, timeMs, intervalMs, series: columns, values: Float64Array.from(row) });
}

test("a metric that breaks with the others within its own range is told by the host, and no series is out of its range", () => {
  const detect = createDetect();
  defined(detect, "h");
  const told = days.flatMap((row, at) => judge(detect, "h", at, row));
  const byHost = told.filter(({ detector }) => detector === "host");
  assert.match(String(byHost[0]!.reasons[0]!.args["metrics"]), /^app\.metric_2 p2/);
  assert.ok(byHost[0]!.startedMs >= startMs + midnight * intervalMs);
  const bySeries = told.filter(
    ({ detector, startedMs, reasons }) =>
      detector !== "host" &&
      startedMs >= startMs + midnight * intervalMs &&
      reasons[0]?.key !== "reason.jump",
  );
  assert.deepEqual(bySeries, []);
});

test("the score is known after a day and a half, and while it is unusual it names the metrics", () => {
  const detect = createDetect();
  defined(detect, "h");
  assert.equal(detect.hostScore("h"), null);
  assert.equal(detect.hostScore("nobody"), null);
  let unusual = 0;
  for (const [at, row] of days.entries()) {
    judge(detect, "h", at, row);
    const reading = detect.hostScore("h");
    const hours = at / (dayRows / 24);
    if (reading === null) assert.ok(hours < 37.5, `${hours} h`);
    else assert.ok(hours > 36.5, `${hours} h`);
    const open = detect.open().filter(({ detector }) => detector === "host");
    assert.equal(open.length, reading?.unusual ? 1 : 0);
    if (!reading?.unusual) continue;
    unusual += 1;
    assert.ok(reading.score > 1.25 && reading.unusual.share <= 1);
    assert.ok(reading.unusual.metrics.length >= 1 && reading.unusual.metrics.length <= 3);
  }
  assert.ok(unusual > 12, `${unusual} rows`);
});

test("the order of hosts and a snapshot at any tick change nothing, byte for byte", () => {
  const other = usualRows(metrics, days.length, 9);
  const rowsOf = (host: string, at: number): readonly number[] => (host === "a" ? days[at]! : other[at]!);
  const alone = new Map(
    ["a", "b"].map((host) => {
      const detect = createDetect();
      defined(detect, host);
      return [host, JSON.stringify(days.flatMap((_, at) => judge(detect, host, at, rowsOf(host, at))))];
    }),
  );
  const whole = createDetect();
  for (const host of ["a", "b"]) defined(whole, host);
  for (let at = 0; at < days.length; at += 1)
    for (const host of ["a", "b"]) judge(whole, host, at, rowsOf(host, at));
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.integer({ min: 1, max: 400 })),
      fc.integer({ min: 0, max: days.length - 1 }),
      (runs, cut) => {
        let detect = createDetect();
        for (const host of ["a", "b"]) defined(detect, host);
        const told = new Map<string, Anomaly[]>([
          ["a", []],
          ["b", []],
        ]);
        const at = new Map([
          ["a", 0],
          ["b", 0],
        ]);
        let turn = 0;
        while ([...at.values()].some((row) => row < days.length)) {
          const host = turn++ % 2 === 0 ? "a" : "b";
          const until = Math.min(days.length, at.get(host)! + runs.next().value);
          for (let row = at.get(host)!; row < until; row += 1) {
            told.get(host)!.push(...judge(detect, host, row, rowsOf(host, row)));
            if (row === cut) detect = createDetect({ snapshot: detect.snapshot() });
          }
          at.set(host, until);
        }
        for (const host of ["a", "b"]) assert.equal(JSON.stringify(told.get(host)), alone.get(host));
        for (const host of ["a", "b"]) assert.deepEqual(detect.hostScore(host), whole.hostScore(host));
      },
    ),
    { numRuns: 6, seed: 1 },
  );
});

test("a host that is heard six times a minute has its minutes' means compared, and of counters the rates", () => {
  const minutes = 45 * 60;
  // In the last hour metric 2 stands where it was half a day ago.
  const rows = usualRows(metrics, minutes, 4).map((row, at, all) =>
    at < minutes - 60 ? row : row.with(2, all[at - dayRows / 2]![2]!),
  );
  for (const instrument of ["gauge", "counter"] as const) {
    const detect = createDetect();
    defined(detect, "h", { instrument });
    const totals = new Float64Array(metrics);
    const before: (number | undefined)[] = [];
    for (const [at, row] of rows.entries()) {
      for (let part = 0; part < 6; part += 1) {
        const timeMs = startMs + (6 * at + part) * 10_000;
        // Each sample swings by a tenth, and every minute's mean does not.
        const swinging = row.map((value) => value * (part % 2 === 0 ? 1.1 : 0.9));
        for (const [number, value] of swinging.entries()) totals[number]! += value * 10;
        const values = instrument === "gauge" ? Float64Array.from(swinging) : totals.slice();
        detect.judge({ host: "h", timeMs, intervalMs: 10_000, series: columns, values });
      }
      if (at < minutes - 60) before.push(detect.hostScore("h")?.score);
    }
    const known = before.filter((score) => score !== undefined);
    assert.ok(known.length > 60 && known.every((score) => score < 1.6), instrument);
    assert.match(detect.hostScore("h")!.unusual!.metrics[0]!, /^app\.metric_2/);
  }
});
