import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createDetect, type Detect, type DetectPolicy, usualPolicy } from "#collector/detect/detect.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { limits } from "#shared/limits.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/random.ts";
import { type ShapeName, shapeOf, stepMs } from "./shapes.ts";
import { filesystem } from "./survey.ts";

const startMs = Date.UTC(2026, 0, 5);
const hour = 120;
const gibibyte = 2 ** 30;

function series(metric: string, labels: [string, string][] = [], unit = "1"): Series {
  return { metric, unit, instrument: "gauge", decimals: 4, labels: canonicalLabels(labels) };
}

const hostMemory = series("system.memory.utilization");
const memoryLimit = series("system.memory.limit", [], "By");
const processMemory = series(
  "process.memory.usage",
  [
    ["process.pid", "42"],
    ["process.executable.name", "ledger"],
  ],
  "By",
);

interface Played {
  readonly told: readonly Anomaly[];
  readonly detect: Detect;
}

/** Half a minute a step; `columns` by series number. Only forecasts are given back. */
function play(
  columns: readonly { readonly of: Series; readonly values: (step: number) => number }[],
  steps: number,
  { detect = createDetect(), from = 0, offsetMs = 0 } = {},
): Played {
  if (from === 0) for (const [number, { of }] of columns.entries()) detect.define("h", number, of);
  const numbers = Uint32Array.from(columns.keys());
  const told: Anomaly[] = [];
  for (let step = from; step < steps; step += 1) {
    const values = Float64Array.from(columns, (column) => column.values(step));
    const timeMs = startMs + offsetMs + step * stepMs;
    told.push(...detect.judge({ host: "h", timeMs, intervalMs: stepMs, series: numbers, values }));
  }
  return { told: told.filter(({ detector }) => detector === "forecast"), detect };
}

/** From 30 % up to full in `hours`, after two hours as usual. */
function filling(hours: number, seed = 1): (step: number) => number {
  const random = mulberry32(seed);
  return (step) =>
    Math.min(1, 0.3 + (0.7 * Math.max(0, step - 2 * hour)) / (hours * hour) + 0.002 * (random() - 0.5));
}

function valuesOf(name: ShapeName, seed: number): (step: number) => number {
  const { values } = shapeOf(name, seed);
  return (step) => values[step] ?? Number.NaN;
}

test("a filesystem that fills is told with the time left, the interval and how fast it rose", () => {
  const { told, detect } = play([{ of: filesystem, values: filling(6) }], 6 * hour);
  const [began] = told;
  assert.ok(began?.runsOut);
  const fullMs = startMs + 8 * hour * stepMs;
  assert.ok(began.runsOut.earliestMs <= fullMs && fullMs <= began.runsOut.latestMs);
  assert.deepEqual(
    [began.entity.kind, began.role, began.direction, began.provisional, began.runsOut.what],
    ["filesystem", "symptom", "up", true, "full"],
  );
  assert.deepEqual(
    began.reasons.map(({ key }) => key),
    ["reason.forecast", "reason.trend", "reason.young"],
  );
  assert.deepEqual(
    detect.forecasts("h").map(({ metric, told: near }) => [metric, near]),
    [[filesystem.metric, true]],
  );
});

test("it is told again when it came nearer, always under the same id, and ends when it was emptied", () => {
  const full = filling(6);
  const values = (step: number) => (step < 7 * hour ? full(step) : 0.2);
  const { told, detect } = play([{ of: filesystem, values }], 10 * hour);
  assert.equal(new Set(told.map(({ id }) => id)).size, 1);
  const left = told.filter(({ ended }) => !ended).map(({ runsOut, lastMs }) => runsOut!.likelyMs - lastMs);
  assert.ok(left.length >= 3, `${left.length}`);
  for (const [index, now] of left.slice(1).entries()) assert.ok(now < left[index]!);
  assert.deepEqual([told.at(-1)!.ended, told.filter(({ ended }) => ended).length], [true, 1]);
  assert.ok(told.at(-1)!.lastMs <= startMs + (7 * hour + 30) * stepMs);
  assert.deepEqual(detect.forecasts("h"), []);
  assert.deepEqual(detect.open(), []);
});

test("what is far away is listed and not told", () => {
  const { told, detect } = play([{ of: filesystem, values: filling(120) }], 60 * hour);
  assert.deepEqual(told, []);
  assert.deepEqual(
    detect.forecasts("h").map(({ told: near }) => near),
    [false],
  );
});

test("missing samples and gaps of hours lower how complete it is, and change little else", () => {
  const random = mulberry32(5);
  const full = filling(6);
  const values = (step: number) =>
    random() < 0.3 || (step > 3 * hour && step < 3.75 * hour) ? Number.NaN : full(step);
  const { told } = play([{ of: filesystem, values }], 7 * hour);
  const fullMs = startMs + 8 * hour * stepMs;
  for (const { runsOut } of told) assert.ok(runsOut!.earliestMs <= fullMs && fullMs <= runsOut!.latestMs);
  assert.ok(told.length > 0);
});

test("the memory of a host that runs out names the process that fills it", () => {
  const usage = filling(6);
  const { told, detect } = play(
    [
      { of: memoryLimit, values: () => 64 * gibibyte },
      { of: hostMemory, values: usage },
      { of: processMemory, values: (step) => (usage(step) - 0.25) * 64 * gibibyte },
    ],
    7 * hour,
  );
  const host = told.find(({ entity }) => entity.kind === "host")!;
  const process = told.find(({ entity }) => entity.kind === "process")!;
  assert.equal(host.resource, "memory");
  assert.equal(process.role, "evidence");
  assert.ok(process.hostShare! > 0.8 * host.hostShare!, `${process.hostShare} of ${host.hostShare}`);
  assert.ok(detect.forecasts("h").some(({ meaning }) => meaning.entity.kind === "host"));
});

test("a part of the memory is not watched before it is known how much memory there is", () => {
  const { detect } = play([{ of: processMemory, values: (step) => gibibyte * (1 + step / 100) }], 4 * hour);
  assert.deepEqual(detect.forecasts("h"), []);
});

test("a certificate is listed with its end, and told once when it is near", () => {
  const endMs = startMs + 10 * 86_400_000;
  const certificate = series("probe_ssl_earliest_cert_expiry", [["instance", "https://pay.example"]], "s");
  const { told, detect } = play([{ of: certificate, values: () => endMs / 1000 }], 3 * hour);
  assert.equal(told.length, 1);
  assert.deepEqual([told[0]!.entity.kind, told[0]!.entity.name], ["certificate", "https://pay.example"]);
  assert.deepEqual(told[0]!.runsOut, { what: "expiry", likelyMs: endMs, earliestMs: endMs, latestMs: endMs });
  assert.deepEqual(
    detect.forecasts("h").map(({ what, likelyMs }) => [what, likelyMs]),
    [["expiry", endMs]],
  );
});

const names = ["linear", "accelerating", "leakWithTeeth", "copies"] as const satisfies readonly ShapeName[];

test("a snapshot at any step changes nothing of what is told, nor of the next snapshot", () => {
  const property = fc.property(
    fc.constantFrom(...names),
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 30 * hour }),
    (name, seed, cut) => {
      const columns = [{ of: filesystem, values: valuesOf(name, seed) }];
      const whole = play(columns, 32 * hour);
      const before = play(columns, cut);
      const detect = createDetect({ snapshot: before.detect.snapshot() });
      const after = play(columns, 32 * hour, { detect, from: cut });
      assert.deepEqual([...before.told, ...after.told], whole.told);
      assert.deepEqual(Buffer.from(after.detect.snapshot()), Buffer.from(whole.detect.snapshot()));
    },
  );
  fc.assert(property, { numRuns: 8, seed: 3 });
});

test("memory a thousand times as large, or another start of time, gives the same forecasts", () => {
  const scaled = (factor: number, offsetMs: number) => {
    const usage = filling(6, 7);
    const { told } = play(
      [
        { of: memoryLimit, values: () => 64 * gibibyte * factor },
        { of: hostMemory, values: usage },
        { of: processMemory, values: (step) => (usage(step) - 0.25) * 64 * gibibyte * factor },
      ],
      7.5 * hour,
      { offsetMs },
    );
    return told.map(({ entity, startedMs, lastMs, runsOut, ended, hostShare }) => ({
      entity,
      started: startedMs - offsetMs,
      last: lastMs - offsetMs,
      likely: runsOut && runsOut.likelyMs - offsetMs,
      hostShare,
      ended,
    }));
  };
  const once = scaled(1, 0);
  assert.ok(once.length > 2);
  assert.deepEqual(scaled(1000, 0), once);
  assert.deepEqual(scaled(1, 12_345_678_000), once);
});

test("a late tick changes nothing", () => {
  const columns = [{ of: filesystem, values: filling(6) }];
  const { detect } = play(columns, 4 * hour);
  const before = detect.forecasts("h");
  play([{ of: filesystem, values: () => 0.01 }], 4 * hour, { detect, from: 4 * hour - 1 });
  assert.deepEqual(detect.forecasts("h"), before);
});

test("what another series gets the number of is over", () => {
  const columns = [{ of: filesystem, values: filling(6) }];
  const { detect } = play(columns, 6 * hour);
  detect.define("h", 0, series("system.cpu.utilization"));
  const { told } = play(columns, 6 * hour + 1, { detect, from: 6 * hour });
  assert.deepEqual(
    told.map(({ ended }) => ended),
    [true],
  );
  assert.deepEqual(detect.forecasts("h"), []);
});

test("a series that the operator does not want judged is not foretold, and what was told of it ends", () => {
  const policy: DetectPolicy = {
    ...usualPolicy,
    rules: [{ match: [["metric", [filesystem.metric]]], set: { judge: false } }],
  };
  const columns = [{ of: filesystem, values: filling(6) }];
  const silent = play(columns, 8 * hour, { detect: createDetect({ policy }) });
  assert.deepEqual([silent.told, silent.detect.forecasts("h")], [[], []]);

  const snapshot = play(columns, 6 * hour).detect.snapshot();
  const again = createDetect({ policy, snapshot: createDetect({ policy, snapshot }).snapshot() });
  const { told } = play(columns, 6 * hour + 1, { detect: again, from: 6 * hour });
  assert.deepEqual(
    told.map(({ ended }) => ended),
    [true],
  );
});

test("a maintenance window ends what is told, teaches nothing, and what still fills is told after it", () => {
  const when = { fromMs: startMs + 6 * hour * stepMs, toMs: startMs + 6.5 * hour * stepMs };
  const policy: DetectPolicy = {
    ...usualPolicy,
    maintenance: [{ match: [["host", ["h"]]], when, reason: "" }],
  };
  const { told } = play([{ of: filesystem, values: filling(6) }], 8 * hour, {
    detect: createDetect({ policy }),
  });
  const inside = told.filter(({ lastMs }) => lastMs >= when.fromMs && lastMs < when.toMs);
  assert.deepEqual(
    inside.map(({ ended, lastMs }) => [ended, lastMs]),
    [[true, when.fromMs]],
  );
  assert.ok(told.some(({ ended, startedMs }) => !ended && startedMs >= when.toMs));
});

test("of a host that is gone nothing is kept, and what was told ends", () => {
  const { detect } = play([{ of: filesystem, values: filling(6) }], 6 * hour);
  const lastMs = startMs + 6 * hour * stepMs;
  const ends: Anomaly[] = [];
  for (let nowMs = lastMs; nowMs < lastMs + limits.hostGoneMs + 3_600_000; nowMs += 20_000)
    ends.push(...detect.tick(nowMs).anomalies.filter(({ detector }) => detector === "forecast"));
  assert.deepEqual(
    ends.map(({ ended }) => ended),
    [true],
  );
  assert.deepEqual(detect.forecasts("h"), []);
});

test("no more than so many series of a host are remembered; the largest parts of the memory count", () => {
  const parts = Array.from({ length: limits.forecastSeriesPerHostMax + 20 }, (_, pid) => ({
    of: series(
      "process.memory.usage",
      [
        ["process.pid", String(pid)],
        ["process.executable.name", `p${pid}`],
      ],
      "By",
    ),
    // Each later one is larger; all are above the share from which a part is watched.
    values: () => (1.5 + 0.2 * pid) * gibibyte,
  }));
  const { detect } = play([{ of: memoryLimit, values: () => 64 * gibibyte }, ...parts], 20);
  const bytes = detect.snapshot().byteLength;
  const few = play([{ of: memoryLimit, values: () => 64 * gibibyte }, ...parts.slice(0, 10)], 20);
  const history = 2.4 * 1024;
  assert.ok(bytes - few.detect.snapshot().byteLength < limits.forecastSeriesPerHostMax * history + 74 * 1024);
});
