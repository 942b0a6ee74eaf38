// What a collector that was just started says: by what is usual for a kind, until a series has a history.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createDetect, type Detect } from "#collector/detect/detect.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/random.ts";

const startMs = Date.UTC(2026, 0, 5);
const intervalMs = 10_000;
/** Ticks until a series is judged by its own history. */
const warmTicks = 18;

function gauge(metric: string, unit = "1", labels: [string, string][] = []): Series {
  return { metric, unit, instrument: "gauge", decimals: 6, labels: canonicalLabels(labels) };
}

const cpu = gauge("system.cpu.utilization");
const unknown = gauge("custom.thing");

function judgeTick(detect: Detect, tick: number, values: readonly number[], everyMs = intervalMs): Anomaly[] {
  return detect.judge({
    host: "h",
    timeMs: startMs + tick * everyMs,
    intervalMs: everyMs,
    series: Uint32Array.from(values.keys()),
    values: Float64Array.from(values),
  });
}

function watching(...all: Series[]): Detect {
  const detect = createDetect();
  for (const [number, one] of all.entries()) detect.define("h", number, one);
  return detect;
}

/** What is told of one series, each time with its tick. */
function toldOf(one: Series, values: readonly number[], everyMs = intervalMs): [tick: number, Anomaly][] {
  const detect = watching(one);
  return values.flatMap((value, tick) =>
    judgeTick(detect, tick, [value], everyMs).map((anomaly): [number, Anomaly] => [tick, anomaly]),
  );
}

function noisy(level: number, noise: number, ticks: number, seed = 1): number[] {
  const random = mulberry32(seed);
  return Array.from({ length: ticks }, () => level * (1 + noise * (2 * random() - 1)));
}

test("a processor that is busy from minute two on is told half a minute later, provisionally and as info", () => {
  const told = toldOf(cpu, [...noisy(0.1, 0.2, 12), ...noisy(0.85, 0.02, 6)]);
  assert.equal(told.length, 1);
  const [tick, anomaly] = told[0]!;
  assert.equal(tick, 14, "its third sample");
  assert.deepEqual([anomaly.provisional, anomaly.detector, anomaly.direction], [true, "level", "up"]);
  assert.deepEqual(
    anomaly.reasons.map(({ key, effect }) => [key, effect]),
    [
      ["reason.level", "raised"],
      ["reason.prior", "lowered"],
    ],
  );
  assert.ok(anomaly.expectedHigh > 0.1 && anomaly.expectedHigh < 0.85, `${anomaly.expectedHigh}`);
});

test("half of the calls failing is told after minute one, and at once where it was never otherwise", () => {
  const ratio = gauge("payments_success_ratio");
  const step = toldOf(ratio, [...noisy(0.995, 0.005, 6), ...noisy(0.5, 0.02, 6)]);
  assert.deepEqual(
    step.map(([tick, { provisional, direction }]) => [tick, provisional, direction]),
    [[8, true, "down"]],
  );
  const ever = toldOf(ratio, noisy(0.4, 0.02, 6));
  assert.deepEqual(
    ever.map(([tick, { detector, provisional }]) => [tick, detector, provisional]),
    [[2, "bound", true]],
  );
  assert.equal(toldOf(gauge("payments_error_ratio"), noisy(0.6, 0.02, 6)).length, 1);
});

test("memory that is exhausted needs no history: two samples, or one that stands for a minute", () => {
  const memory = gauge("system.memory.utilization");
  const at = (everyMs: number) => toldOf(memory, noisy(0.97, 0.002, 6), everyMs)[0];
  assert.equal(at(10_000)?.[0], 1);
  assert.equal(at(60_000)?.[0], 0);
  assert.equal(at(10_000)?.[1].detector, "bound");
});

test("of a metric that nobody knows nothing is usual: it is judged by its own history only", () => {
  const values = [...noisy(10, 0.01, 8), ...noisy(1000, 0.01, 8)];
  assert.deepEqual(toldOf(unknown, values), []);
});

test("two samples are no level: what comes third may be anything", () => {
  assert.deepEqual(toldOf(cpu, [0.02, 0.02, 0.8, 0.8, 0.8, 0.8]), []);
});

test("what was told provisionally is over after half an hour, for it was measured against minutes", () => {
  const told = toldOf(cpu, [...noisy(0.1, 0.2, 12), ...noisy(0.85, 0.02, 400)]);
  const [first, last] = [told[0]![1], told.at(-1)![1]];
  assert.deepEqual([first.id, first.provisional, last.ended], [last.id, true, true]);
  assert.equal(last.lastMs - last.startedMs, 1_800_000);
});

test("a series that is calmer than its kind is soon judged as what it is", () => {
  const quiet = toldOf(gauge("payments_latency_seconds", "s"), [
    ...noisy(0.5, 0.002, 180),
    ...noisy(0.62, 0.002, 6),
  ]);
  assert.equal(quiet.length, 1, "a quarter more, half an hour after the start");
  assert.equal(quiet[0]![1].provisional, false);
});

test("in its first three minutes the unit of an unknown metric changes no verdict", () => {
  const step = fc.record({
    level: fc.integer({ min: 1, max: 50 }),
    step: fc.integer({ min: 1, max: 60 }),
    at: fc.integer({ min: 0, max: 3 * warmTicks }),
    seed: fc.nat(1000),
  });
  const plain = (values: readonly number[]) =>
    toldOf(unknown, values).map(([tick, { detector, direction, provisional }]) => [
      tick,
      detector,
      direction,
      provisional,
    ]);
  fc.assert(
    fc.property(step, ({ level, step: factor, at, seed }) => {
      const values = [...noisy(level, 0.05, at, seed), ...noisy(level * factor, 0.05, 20, seed + 1)];
      const want = plain(values);
      for (const unit of [1000, 1 / 1024]) assert.deepEqual(plain(values.map((value) => value * unit)), want);
    }),
    { seed: 5, numRuns: 100 },
  );
});

test("a restart in the middle of the warm-up changes nothing that is told", () => {
  const all = [cpu, gauge("system.memory.utilization"), gauge("payments_latency_seconds", "s"), unknown];
  const value = fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 30, noNaN: true }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  );
  const ticks = fc.array(value, { minLength: 4, maxLength: 40 });
  fc.assert(
    fc.property(ticks, fc.nat(40), (rows, cut) => {
      const whole = watching(...all);
      const want = rows.map((values, tick) => judgeTick(whole, tick, values));
      let detect = watching(...all);
      const got = rows.map((values, tick) => {
        if (tick === cut % rows.length) detect = createDetect({ snapshot: detect.snapshot() });
        return judgeTick(detect, tick, values);
      });
      assert.deepEqual(got, want);
      assert.deepEqual(detect.snapshot(), whole.snapshot());
    }),
    { seed: 6, numRuns: 200 },
  );
});

test("two days of working days make the time of day known there, and not yet on days of rest", () => {
  const detect = watching(cpu, gauge("system.memory.utilization"));
  const hours = 60;
  const known = () => {
    const { workdays, restdays } = detect.progress("h");
    return [workdays, restdays];
  };
  // From Monday on.
  const everyMs = 300_000;
  for (let tick = 0; tick < (hours * 3_600_000) / everyMs; tick += 1) {
    judgeTick(detect, tick, [0.1, 0.2], everyMs);
    if (tick === 400) assert.deepEqual(known(), [0, 0]);
  }
  assert.deepEqual(known(), [2, 0]);
});

test("what lived for a moment, or never had a value, keeps no host from being ready", () => {
  const counter: Series = { ...gauge("causeway.service.cpu.time", "s"), instrument: "counter" };
  const detect = watching(cpu, counter, unknown);
  for (let tick = 0; tick < 40; tick += 1)
    judgeTick(detect, tick, [0.1, tick === 0 ? 5 : Number.NaN, Number.NaN]);
  const { collecting, ready, readyAtMs } = detect.progress("h");
  assert.deepEqual({ collecting, ready, readyAtMs }, { collecting: 0, ready: 1, readyAtMs: null });
});
