import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createCalendar, usualCalendar } from "#collector/detect/calendar.ts";
import { createDetect, type Detect, type DetectPolicy, usualPolicy } from "#collector/detect/detect.ts";
import { Maintenance, type MaintenanceWindow } from "#collector/detect/maintenance.ts";
import type { Match } from "#collector/detect/match.ts";
import { offsetTable } from "#collector/policy/time-zone.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

const startMs = Date.UTC(2026, 0, 5);
const intervalMs = 10_000;
const minute = 60_000;
const cpu = series("system.cpu.utilization");
const service = series("rpc_latency_seconds", [["service.name", "ledger.service"]]);

function series(metric: string, labels: [string, string][] = []): Series {
  return { metric, unit: "1", instrument: "gauge", decimals: 3, labels: canonicalLabels(labels) };
}

function once(match: Match, fromTick: number, toTick: number, reason = ""): MaintenanceWindow {
  return {
    match,
    reason,
    when: { fromMs: startMs + fromTick * intervalMs, toMs: startMs + toTick * intervalMs },
  };
}

function policyWith(...maintenance: MaintenanceWindow[]): DetectPolicy {
  return { ...usualPolicy, maintenance };
}

function judge(detect: Detect, host: string, tick: number, ...values: number[]): Anomaly[] {
  const numbers = Uint32Array.from(values.keys());
  const timeMs = startMs + tick * intervalMs;
  return detect.judge({ host, timeMs, intervalMs, series: numbers, values: Float64Array.from(values) });
}

/** CPU at `level(tick)` with noise for 160 ticks; what was told, with the tick at which it was. */
function run(policy: DetectPolicy, level: (tick: number) => number): { tick: number; anomaly: Anomaly }[] {
  const detect = createDetect({ policy });
  detect.define("h", 0, cpu);
  const random = mulberry32(2);
  return Array.from({ length: 160 }, (_, tick) => {
    const told = judge(detect, "h", tick, level(tick) + 0.02 * (random() - 0.5));
    return told.map((anomaly) => ({ tick, anomaly }));
  }).flat();
}

const window = once([["host", ["h"]]], 80, 120);

test("nothing is told in a window, and what it held is not learned: after it the same is abnormal as before", () => {
  assert.deepEqual(
    run(policyWith(window), (tick) => (tick >= 80 && tick < 120 ? 0.9 : 0.1)),
    [],
  );
  const after = run(policyWith(window), (tick) => (tick >= 80 ? 0.9 : 0.1));
  assert.deepEqual(
    after.map(({ tick }) => tick),
    [121],
    "confirmed by the second sample after the window",
  );
  assert.equal(after[0]?.anomaly.detector, "record", "forty ticks of it did not make it familiar");
});

test("what is open when a window begins ends then, and is told anew when it is still there afterwards", () => {
  const told = run(policyWith(window), (tick) => (tick >= 60 ? 0.9 : 0.1));
  assert.deepEqual(
    told.map(({ tick, anomaly }) => [tick, anomaly.ended]),
    [
      [61, false],
      [80, true],
      [121, false],
    ],
  );
  assert.equal(told[2]?.anomaly.startedMs, startMs + 120 * intervalMs);
});

test("a window over single series leaves the others of the host judged", () => {
  const detect = createDetect({
    policy: policyWith(
      once(
        [
          ["service.name", ["ledger*"]],
          ["host", ["h"]],
        ],
        60,
        90,
      ),
    ),
  });
  for (const host of ["h", "other"])
    for (const [number, one] of [cpu, service].entries()) detect.define(host, number, one);
  const told: string[] = [];
  for (let tick = 0; tick < 80; tick += 1) {
    const high = tick >= 65;
    for (const host of ["h", "other"])
      for (const { metric } of judge(detect, host, tick, high ? 0.9 : 0.1, high ? 5 : 0.1))
        told.push(`${host} ${metric}`);
  }
  assert.deepEqual(told.sort(), [
    "h system.cpu.utilization",
    "other rpc_latency_seconds",
    "other system.cpu.utilization",
  ]);
  assert.equal(
    detect.maintenance("h", startMs + 70 * intervalMs),
    null,
    "the host as such is not in maintenance",
  );
  assert.equal(detect.progress("h").ready, 2, "what is paused still has its baseline");
});

test("a series that appears in a window is not judged before its end", () => {
  const detect = createDetect({ policy: policyWith(once([], 10, 60)) });
  detect.define("h", 0, cpu);
  judge(detect, "h", 20, 0.1);
  const disk = series("system.filesystem.utilization", [["system.filesystem.mountpoint", "/"]]);
  detect.define("h", 1, disk);
  const told = Array.from({ length: 60 }, (_, index) => judge(detect, "h", 21 + index, 0.1, 0.99)).flat();
  assert.equal(told[0]?.startedMs, startMs + 60 * intervalMs);
});

test("a host that is switched off in its window is not silent, and what was open ends; after it the silence is told", () => {
  const detect = createDetect({ policy: policyWith(once([["host", ["h"]]], 100, 200, "new disks")) });
  detect.define("h", 0, cpu);
  const tick = (at: number) => detect.tick(startMs + at * intervalMs).anomalies;
  for (let at = 0; at < 99; at += 1) {
    tick(at);
    judge(detect, "h", at, at >= 90 ? 0.9 : 0.1);
  }
  assert.equal(detect.open().length, 1);
  const during: Anomaly[] = [];
  for (let at = 99; at < 200; at += 1) during.push(...tick(at));
  assert.deepEqual(
    during.map(({ ended, metric }) => [ended, metric]),
    [[true, "system.cpu.utilization"]],
  );
  assert.equal(detect.state("h"), "stopped");
  assert.deepEqual(detect.maintenance("h", startMs + 150 * intervalMs), {
    untilMs: startMs + 200 * intervalMs,
    reason: "new disks",
  });
  const [after] = tick(200);
  assert.equal(after?.detector, "absence");
  assert.equal(after?.startedMs, startMs + 98 * intervalMs);
});

test("a silence that was told before the window ends with its beginning", () => {
  const detect = createDetect({ policy: policyWith(once([], 20, 30)) });
  detect.define("h", 0, cpu);
  detect.tick(startMs);
  judge(detect, "h", 0, 0.1);
  const told = Array.from({ length: 40 }, (_, at) =>
    detect.tick(startMs + at * intervalMs).anomalies.map(({ ended }) => [at, ended]),
  ).flat();
  assert.deepEqual(told, [
    [3, false],
    [20, true],
    [30, false],
  ]);
});

test("samples that a spool held back are judged by the window of their own time", () => {
  const told = run(policyWith(window), (tick) => (tick >= 80 && tick < 120 ? 0.9 : 0.1));
  const detect = createDetect({ policy: policyWith(window) });
  detect.define("h", 0, cpu);
  detect.tick(startMs + 1000 * intervalMs);
  const late = Array.from({ length: 160 }, (_, tick) =>
    judge(detect, "h", tick, tick >= 80 && tick < 120 ? 0.9 : 0.1),
  ).flat();
  assert.deepEqual(
    late.filter(({ detector }) => detector !== "absence"),
    told.map(({ anomaly }) => anomaly),
  );
});

test("a weekly window is in local time, belongs to the day it begins on, and survives daylight saving", () => {
  const calendar = createCalendar({
    ...usualCalendar,
    zone: "America/New_York",
    offsets: offsetTable("America/New_York"),
  });
  const weekly = (days: number[], fromMinute: number, toMinute: number) =>
    new Maintenance([{ match: [], reason: "", when: { days, fromMinute, toMinute } }], calendar);
  const until = (of: Maintenance, text: string) => {
    const end = of.at("h", Date.parse(text))?.untilMs;
    return end === undefined ? null : new Date(end).toISOString();
  };
  const night = weekly([6], 23 * 60, 3 * 60);
  assert.equal(until(night, "2026-11-01T02:59:00Z"), null);
  assert.equal(
    until(night, "2026-11-01T03:00:00Z"),
    "2026-11-01T08:00:00.000Z",
    "Saturday 23:00 to Sunday 03:00, five hours",
  );
  assert.equal(until(night, "2026-11-01T07:59:59Z"), "2026-11-01T08:00:00.000Z");
  assert.equal(until(night, "2026-11-01T08:00:00Z"), null);
  assert.equal(until(weekly([5], 0, 24 * 60), "2026-11-06T23:00:00Z"), "2026-11-07T05:00:00.000Z");
  const skipped = weekly([0], 2 * 60, 3 * 60);
  assert.equal(until(skipped, "2026-03-08T06:59:59Z"), null);
  assert.equal(until(skipped, "2026-03-08T07:00:00Z"), null, "02:00 to 03:00 does not exist that day");
  assert.equal(until(skipped, "2026-03-15T06:30:00Z"), "2026-03-15T07:00:00.000Z");
});

test("of several windows the one that ends last says until when", () => {
  const all = new Maintenance(
    [once([], 0, 10, "a"), once([["host", ["h*"]]], 5, 30, "b"), once([["host", ["x"]]], 0, 90, "c")],
    createCalendar(usualCalendar),
  );
  assert.equal(all.at("h1", startMs)?.reason, "a");
  assert.equal(all.at("h1", startMs + 5 * intervalMs)?.reason, "b");
  assert.equal(all.at("h1", startMs + 30 * intervalMs), null);
});

test("a restart in, before or after a window changes nothing that is told", () => {
  const policy = policyWith(window, once([["metric", ["rpc_*"]]], 30, 70));
  const level = (tick: number) => (tick % 50 >= 35 ? 0.9 : 0.1);
  const play = (restartAt: number): string[] => {
    let detect = createDetect({ policy });
    for (const [number, one] of [cpu, service].entries()) detect.define("h", number, one);
    return Array.from({ length: 160 }, (_, tick) => {
      if (tick === restartAt) detect = createDetect({ policy, snapshot: detect.snapshot() });
      return judge(detect, "h", tick, level(tick), level(tick));
    })
      .flat()
      .map((anomaly) => JSON.stringify(anomaly));
  };
  const want = play(-1);
  assert.ok(want.length >= 4);
  fc.assert(
    fc.property(fc.nat(159), (restartAt) => assert.deepEqual(play(restartAt), want)),
    { seed: 8, numRuns: 40 },
  );
});

test("a snapshot of another policy keeps what was learned, and is judged by the new one", () => {
  const rules = (set: object): DetectPolicy => ({ ...usualPolicy, rules: [{ match: [], set }] });
  const learn = (policy: DetectPolicy): Detect => {
    const detect = createDetect({ policy });
    detect.define("h", 0, cpu);
    for (let tick = 0; tick < 60; tick += 1) judge(detect, "h", tick, 0.1);
    return detect;
  };
  const told = (detect: Detect) =>
    Array.from({ length: 5 }, (_, index) => judge(detect, "h", 60 + index, 0.2)).flat().length;
  const usual = learn(usualPolicy);
  assert.equal(told(createDetect({ snapshot: usual.snapshot() })), 0, "10 points do not matter");
  const fine = { smallestDeviation: { value: 0.02, unit: "1" }, smallestShare: 0 } as const;
  const strict = createDetect({ policy: rules(fine), snapshot: usual.snapshot() });
  assert.equal(strict.progress("h").ready, 1);
  assert.equal(told(strict), 1);
  const deaf = createDetect({ policy: rules({ judge: false }), snapshot: strict.snapshot() });
  assert.deepEqual(
    judge(deaf, "h", 70, 0.2).map(({ ended }) => ended),
    [true],
    "what is no longer judged does not stay open",
  );
  const heard = createDetect({ policy: rules(fine), snapshot: deaf.snapshot() });
  assert.equal(heard.progress("h").ready, 1, "and is as it was when it is judged again");
});

test("a window ends at the minute it says", () => {
  const all = new Maintenance([once([], 0, 6)], createCalendar(usualCalendar));
  assert.equal(all.at("h", startMs + minute - 1)?.untilMs, startMs + minute);
  assert.equal(all.at("h", startMs + minute), null);
  assert.equal(all.at("h", startMs - 1), null);
});
