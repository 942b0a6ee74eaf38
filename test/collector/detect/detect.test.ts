import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createDetect, type Detect } from "#collector/detect/detect.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { canonicalLabels, type Instrument, type Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

const startMs = Date.UTC(2026, 0, 5);
const intervalMs = 10_000;

function series(metric: string, labels: [string, string][] = [], instrument: Instrument = "gauge"): Series {
  return { metric, unit: "1", instrument, decimals: 3, labels: canonicalLabels(labels) };
}

const cpu = series("system.cpu.utilization");

/** Feeds one host's ticks from tick `from` on; NaN is "no value". */
function feed(detect: Detect, host: string, columns: readonly (readonly number[])[], from = 0): Anomaly[] {
  const numbers = Uint32Array.from(columns.keys());
  const ticks = Math.max(...columns.map((column) => column.length));
  return Array.from({ length: ticks }, (_, tick) =>
    detect.judge({
      host,
      timeMs: startMs + (from + tick) * intervalMs,
      intervalMs,
      series: numbers,
      values: Float64Array.from(columns, (column) => column[tick] ?? Number.NaN),
    }),
  ).flat();
}

function noisy(level: number, noise: number, ticks: number, seed = 1): number[] {
  const random = mulberry32(seed);
  return Array.from({ length: ticks }, () => level + noise * (2 * random() - 1));
}

function detectWith(...all: Series[]): Detect {
  const detect = createDetect();
  for (const [number, one] of all.entries()) detect.define("h", number, one);
  return detect;
}

test("a step is told once when it begins and once when it ends, with what was expected", () => {
  const told = feed(detectWith(cpu), "h", [
    [...noisy(0.1, 0.02, 60), ...noisy(0.7, 0.02, 20), ...noisy(0.1, 0.02, 20)],
  ]);
  assert.deepEqual(
    told.map(({ ended }) => ended),
    [false, true],
  );
  const [began, ended] = told as [Anomaly, Anomaly];
  assert.equal(began.detector, "record");
  assert.equal(began.direction, "up");
  assert.equal(began.startedMs, startMs + 60 * intervalMs);
  assert.equal(began.lastMs - began.startedMs, intervalMs, "confirmed by the second sample");
  assert.ok(
    began.expectedHigh < 0.45 && began.expectedLow === 0,
    `${began.expectedLow}..${began.expectedHigh}`,
  );
  assert.equal(ended.id, began.id);
  assert.ok(ended.lastMs <= startMs + 82 * intervalMs);
});

test("one sample far out wakes nobody", () => {
  assert.deepEqual(feed(detectWith(cpu), "h", [[...noisy(0.1, 0.02, 60), 0.9, ...noisy(0.1, 0.02, 60)]]), []);
});

test("an outage that lasts an hour does not become normal, and the next one is told again", () => {
  const outage = [...noisy(0.9, 0.01, 360), ...noisy(0.1, 0.02, 60)];
  const told = feed(detectWith(cpu), "h", [[...noisy(0.1, 0.02, 60), ...outage, ...outage]]);
  const began = told.filter(({ ended, lastMs, startedMs }) => !ended && lastMs - startedMs <= intervalMs);
  assert.deepEqual(
    began.map(({ detector }) => detector),
    ["record", "level"],
    "the second one is as large as what was seen before",
  );
});

test("what lasts for two hours is told once: then it is how the series is", () => {
  const told = feed(detectWith(cpu), "h", [[...noisy(0.1, 0.02, 100), ...noisy(0.85, 0.01, 2400)]]);
  assert.deepEqual(
    told.map(({ ended, startedMs, lastMs }) => [ended, lastMs - startedMs]),
    [
      [false, intervalMs],
      [true, 7_200_000],
    ],
  );
});

test("what matters little for the kind is no anomaly, however unlikely", () => {
  // Variance nil, a move of 10 points: below the 15 that matter for a CPU.
  assert.deepEqual(feed(detectWith(cpu), "h", [[...noisy(0.1, 0, 60), ...noisy(0.2, 0, 60)]]), []);
});

test("the direction that is good is never an anomaly", () => {
  assert.deepEqual(feed(detectWith(cpu), "h", [[...noisy(0.8, 0.02, 60), ...noisy(0.05, 0.01, 60)]]), []);
});

test("a series at its kind's bound is told before it has a history, and marked provisional", () => {
  const disk = series("system.filesystem.utilization", [["system.filesystem.mountpoint", "/"]]);
  const [began] = feed(detectWith(disk), "h", [noisy(0.97, 0.001, 6)]);
  assert.equal(began?.detector, "bound");
  assert.equal(began?.provisional, true);
  assert.equal(began?.entity.kind, "filesystem");
});

test("a process that appears on a watched host used nothing before; on a host that is new it is not judged yet", () => {
  const process = series("process.cpu.utilization", [
    ["process.pid", "7"],
    ["process.executable.name", "burn"],
  ]);
  const detect = detectWith(cpu, process);
  const absent = Array.from({ length: 60 }, () => Number.NaN);
  const told = feed(detect, "h", [noisy(0.1, 0.01, 64), [...absent, 0.98, 0.99, 1, 1]]);
  assert.deepEqual(
    told.map(({ entity }) => entity.name),
    ["7/burn"],
  );
  assert.deepEqual(feed(detectWith(cpu, process), "h", [noisy(0.1, 0.01, 10), noisy(1, 0.01, 10)]), []);
});

test("what used too much and is gone ends; what is bad by being gone stays", () => {
  const process = series("process.cpu.utilization", [
    ["process.pid", "7"],
    ["process.executable.name", "burn"],
  ]);
  const port = series("causeway.listen.sockets", [
    ["service.name", "db"],
    ["network.local.port", "5432"],
  ]);
  const gone = (ticks: number) => Array.from({ length: ticks }, () => Number.NaN);
  const detect = detectWith(cpu, process, port);
  feed(detect, "h", [
    noisy(0.1, 0.01, 100),
    [...gone(60), 1, 1, 1, ...gone(37)],
    [...noisy(1, 0, 70), 0, 0, 0, ...gone(27)],
  ]);
  assert.deepEqual(
    detect.open().map(({ entity, direction }) => [entity.name, direction]),
    [["db/5432", "down"]],
  );
});

test("what an agent no longer names after its start ends as what has no value does", () => {
  const process = series("process.cpu.utilization", [
    ["process.pid", "7"],
    ["process.executable.name", "burn"],
  ]);
  const port = series("causeway.listen.sockets", [
    ["service.name", "db"],
    ["network.local.port", "5432"],
  ]);
  const detect = detectWith(cpu, process, port);
  const absent = Array.from({ length: 60 }, () => Number.NaN);
  feed(detect, "h", [noisy(0.1, 0.01, 63), [...absent, 1, 1, 1], [...noisy(1, 0, 60), 0, 0, 0]]);
  const open = () => detect.open().map(({ entity }) => entity.name);
  assert.deepEqual(open().sort(), ["7/burn", "db/5432"]);
  feed(detect, "h", [noisy(0.1, 0.01, 10)], 63);
  assert.deepEqual(open(), ["db/5432"], "what used too much uses nothing; a port that closed stays closed");
  feed(detect, "h", [noisy(0.1, 0.01, 720)], 73);
  assert.deepEqual(open(), [], "and after two hours that is how it is");
});

test("a counter is judged by its rate, and a restart of its source is no spike", () => {
  const io = series("system.disk.io_time", [["system.device", "sda"]], "counter");
  const totals: number[] = [];
  let total = 1e6;
  for (let tick = 0; tick < 120; tick += 1) {
    total = tick === 80 ? 3 : total + (tick >= 100 ? 8 : 0.2);
    totals.push(total);
  }
  const told = feed(detectWith(io), "h", [totals]);
  assert.equal(told.length, 1);
  assert.equal(told[0]?.startedMs, startMs + 100 * intervalMs);
  assert.ok(Math.abs((told[0]?.value ?? 0) - 0.8) < 1e-9);
});

test("one process killed for memory is told at once", () => {
  const kills = series("system.memory.oom_kills", [], "counter");
  const told = feed(detectWith(kills), "h", [[...noisy(0, 0, 60), ...noisy(1, 0, 1)]]);
  assert.equal(told.length, 1);
  assert.equal(told[0]?.kind, "errors");
});

test("late and repeated ticks are counted and judged by nobody", () => {
  const detect = detectWith(cpu);
  feed(detect, "h", [noisy(0.1, 0.01, 60)]);
  assert.deepEqual(feed(detect, "h", [noisy(0.9, 0.01, 30)], 10), []);
  assert.equal(detect.lateTicks(), 30);
});

test("a verdict says how much of its window was there", () => {
  const detect = detectWith(cpu);
  for (let tick = 0; tick < 200; tick += 2) feed(detect, "h", [[0.1]], tick);
  const [began] = [
    ...feed(detect, "h", [[0.9]], 200),
    ...feed(detect, "h", [[0.9]], 202),
    ...feed(detect, "h", [[0.9]], 204),
  ];
  assert.ok(
    began !== undefined && began.completeness < 0.6 && began.completeness > 0.4,
    `${began?.completeness}`,
  );
  assert.ok(began.reasons.some(({ key }) => key === "reason.incomplete"));
});

test("shifting the times or scaling a unit without bounds changes no verdict", () => {
  const plain = (factor: number) => {
    const values = [...noisy(10, 2, 100), ...noisy(60, 4, 20), ...noisy(10, 2, 30)].map(
      (value) => value * factor,
    );
    const told = feed(detectWith(series("custom.thing")), "h", [values]);
    return told.map(({ startedMs, lastMs, ended, detector }) => ({ startedMs, lastMs, ended, detector }));
  };
  const want = plain(1);
  assert.ok(want.length >= 2);
  for (const factor of [1000, 1 / 1024, 7]) assert.deepEqual(plain(factor), want);
});

test("the order of hosts and a restart from a snapshot at any tick change no anomaly", () => {
  const loads = new Map([
    ["a", [...noisy(0.1, 0.02, 60, 1), ...noisy(0.9, 0.02, 20, 2), ...noisy(0.1, 0.02, 40, 3)]],
    ["b", [...noisy(0.3, 0.05, 90, 4), ...noisy(0.8, 0.02, 30, 5)]],
    ["c", noisy(0.97, 0.01, 120, 6)],
  ]);
  const run = (order: readonly string[], restartAt: number): string[] => {
    let detect = createDetect();
    for (const host of order) detect.define(host, 0, cpu);
    const told: Anomaly[] = [];
    for (let tick = 0; tick < 120; tick += 1) {
      if (tick === restartAt) detect = createDetect({ snapshot: detect.snapshot() });
      for (const host of order)
        told.push(...feed(detect, host, [[loads.get(host)?.[tick] ?? Number.NaN]], tick));
    }
    return told.map((anomaly) => JSON.stringify(anomaly)).sort();
  };
  const want = run(["a", "b", "c"], -1);
  assert.ok(want.length >= 3);
  fc.assert(
    fc.property(fc.shuffledSubarray(["a", "b", "c"], { minLength: 3 }), fc.nat(119), (order, restartAt) => {
      assert.deepEqual(run(order, restartAt), want);
    }),
    { seed: 4, numRuns: 25 },
  );
});

test("no values whatever make detection throw or score outside 0 to 16", () => {
  const value = fc.oneof(
    fc.double(),
    fc.constantFrom(Number.NaN, 0, 1e308, -1e308, 5e-324, Number.MAX_SAFE_INTEGER),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { minLength: 30, maxLength: 80 }), (pairs) => {
      const detect = detectWith(series("custom.thing"), series("custom.total", [], "counter"));
      for (const anomaly of feed(detect, "h", [pairs.map(([a]) => a), pairs.map(([, b]) => b)])) {
        assert.ok(anomaly.score >= 0 && anomaly.score <= 16, `${anomaly.score}`);
      }
    }),
    { seed: 9, numRuns: 300 },
  );
});

test("warm-up is counted: collecting, provisional, ready", () => {
  const known = series("system.memory.utilization");
  const detect = detectWith(cpu, known, series("system.memory.limit"), series("custom.thing"));
  const all = () => {
    const { collecting, provisional, ready } = detect.progress("h");
    return [collecting, provisional, ready];
  };
  const ticks = (count: number) => [0.1, 0.2, 1, 5].map((level) => noisy(level, 0, count));
  feed(detect, "h", ticks(1));
  assert.deepEqual(all(), [3, 0, 0]);
  feed(detect, "h", ticks(5), 1);
  assert.deepEqual(all(), [1, 2, 0], "of a metric that nobody knows nothing is usual");
  feed(detect, "h", ticks(20), 6);
  assert.deepEqual(all(), [0, 0, 3]);
});
