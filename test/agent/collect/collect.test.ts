import assert from "node:assert/strict";
import { test } from "node:test";
import { createCollectStats, type CollectStats } from "#agent/collect/collect-stats.ts";
import { createCollect, type Collect } from "#agent/collect/collect.ts";
import { gauge } from "#agent/collect/column.ts";
import type { Commit, Probe, ProbeReport, Tick } from "#agent/collect/probe.ts";
import { Recorder } from "#agent/collect/recorder.ts";
import { silentLog, type Log, type LogFields } from "#shared/log.ts";
import { SimClock } from "#test/sim/sim-clock.ts";

const startMs = 1_790_000_003_210;
const noLimits = { maxCpuShare: 100, maxRssBytes: Number.MAX_SAFE_INTEGER };

interface Options {
  readonly intervalMs?: number;
  readonly cost?: () => { cpuSeconds: number; rssBytes: number };
  readonly budget?: { maxCpuShare: number; maxRssBytes: number };
}

class Bench {
  readonly clock = new SimClock(startMs);
  readonly recorder = new Recorder();
  readonly stats: CollectStats = createCollectStats();
  readonly ticks: { timeMs: number; values: Record<string, number> }[] = [];
  readonly lines: { event: string; fields: LogFields | undefined }[] = [];
  readonly collect: Collect;

  constructor(probes: readonly Probe[], { intervalMs = 10_000, cost, budget = noLimits }: Options = {}) {
    const log: Log = { ...silentLog, warn: (event, fields) => void this.lines.push({ event, fields }) };
    this.collect = createCollect({
      clock: this.clock,
      config: { intervalMs, budget },
      recorder: this.recorder,
      probes,
      stats: this.stats,
      cost: cost ?? (() => ({ cpuSeconds: 0, rssBytes: 0 })),
      log,
      onTick: (timeMs) => this.#tick(timeMs),
    });
    this.collect.start();
  }

  #tick(timeMs: number): void {
    const values: Record<string, number> = {};
    for (const { column, series } of this.recorder.definitions()) {
      const value = this.recorder.values[column] ?? Number.NaN;
      if (!Number.isNaN(value)) values[series.metric] = value;
    }
    this.ticks.push({ timeMs, values });
    this.recorder.endTick();
  }
}

type Read = (tick: Tick, recorder: Recorder) => ProbeReport | undefined | Promise<Commit>;

function probe(name: string, read: Read, more: Partial<Probe> = {}): Probe {
  return { name, shedRank: 0, read, close: () => {}, ...more };
}

/** A probe that wrote has nothing else to report. */
function told(_written: void): undefined {}

/** Writes the number of its reading. */
function counting(name: string, more: Partial<Probe> = {}): Probe {
  const column = gauge(name, "1", 0);
  let readings = 0;
  return probe(name, (_, recorder) => told(column.set(recorder, (readings += 1))), more);
}

test("ticks come at multiples of the interval, and every probe is told how long ago it was asked", async () => {
  const asked: Tick[] = [];
  const bench = new Bench([probe("a", (tick) => void asked.push({ ...tick }))]);
  await bench.clock.advance(35_000);
  assert.deepEqual(
    bench.ticks.map(({ timeMs }) => timeMs % 10_000),
    [0, 0, 0],
  );
  assert.deepEqual(
    asked.map(({ elapsedMs }) => elapsedMs),
    [0, 10_000, 10_000],
  );
  bench.collect.stop();
});

test("a probe that fails costs only its own values, is counted, told once and asked again", async () => {
  let broken = true;
  const column = gauge("b", "1", 0);
  const bad = probe("b", (_, recorder) => {
    if (broken) throw new Error("cannot read /proc/b");
    column.set(recorder, 1);
    return undefined;
  });
  const bench = new Bench([bad, counting("a")]);
  await bench.clock.advance(30_000);
  broken = false;
  await bench.clock.advance(10_000);
  assert.deepEqual(
    bench.ticks.map(({ values }) => values),
    [{ a: 1 }, { a: 2 }, { a: 3 }, { b: 1, a: 4 }],
  );
  assert.equal(bench.stats.probes.get("b")?.failures.failed, 3);
  assert.deepEqual(bench.lines, [
    { event: "probe failed", fields: { probe: "b", reason: "cannot read /proc/b" } },
  ]);
  bench.collect.stop();
});

test("a probe that hangs delays a tick by half an interval, and the next ones not at all", async () => {
  let release = (): void => {};
  const column = gauge("slow", "1", 0);
  const slow = probe("slow", async (_, recorder) => {
    await new Promise<void>((resolve) => (release = resolve));
    return () => told(column.set(recorder, 1));
  });
  const bench = new Bench([slow, counting("a")]);
  await bench.clock.advance(6_790 + 4_999);
  assert.equal(bench.ticks.length, 0);
  await bench.clock.advance(1);
  assert.deepEqual(
    bench.ticks.map(({ values }) => values),
    [{ a: 1 }],
  );
  await bench.clock.advance(5_000);
  assert.deepEqual(bench.ticks[1]?.values, { a: 2 });
  assert.deepEqual(bench.stats.probes.get("slow")?.failures, { failed: 0, late: 1, busy: 1 });
  release();
  await bench.clock.advance(10_000 + 5_000);
  assert.deepEqual(bench.ticks[2]?.values, { a: 3 }, "what came too late belongs to no tick");
  release();
  bench.collect.stop();
});

test("a probe that waits and is in time is part of its tick", async () => {
  const column = gauge("slow", "1", 0);
  const slow = probe("slow", (_, recorder) => Promise.resolve(() => told(column.set(recorder, 7))));
  const bench = new Bench([slow]);
  await bench.clock.advance(6_790);
  assert.deepEqual(bench.ticks, [{ timeMs: 1_790_000_010_000, values: { slow: 7 } }]);
  bench.collect.stop();
});

test("ticks that did not happen are counted and not made up", async () => {
  const bench = new Bench([counting("a")]);
  await bench.clock.advance(10_000);
  // The machine sleeps for a minute: its wall clock goes on, its timers do not.
  bench.clock.wallMs += 60_000;
  await bench.clock.advance(10_000);
  assert.equal(bench.stats.ticksMissed, 6);
  assert.deepEqual(
    bench.ticks.map(({ values }) => values["a"]),
    [1, 2],
  );
  bench.collect.stop();
});

test("a wall clock that is set back stops nothing", async () => {
  const bench = new Bench([counting("a")]);
  await bench.clock.advance(10_000);
  bench.clock.wallMs -= 3_600_000;
  await bench.clock.advance(30_000);
  assert.ok(bench.ticks.length >= 3, `${bench.ticks.length} ticks`);
  const times = bench.ticks.map(({ timeMs }) => timeMs);
  assert.equal(new Set(times).size, times.length, "no time is told twice");
  assert.equal(bench.lines.filter(({ event }) => event === "clock set back").length, 1);
  bench.collect.stop();
});

test("a wall clock that is set back by a moment tells no time twice", async () => {
  const bench = new Bench([counting("a")], { intervalMs: 1_000 });
  await bench.clock.advance(5_000);
  bench.clock.wallMs -= 300;
  await bench.clock.advance(5_000);
  const times = bench.ticks.map(({ timeMs }) => timeMs);
  assert.deepEqual(
    times,
    [...new Set(times)].toSorted((a, b) => a - b),
  );
  assert.equal(bench.stats.ticksMissed, 0);
  bench.collect.stop();
});

test("what is not permitted or not there is told once for each fact", async () => {
  const bench = new Bench([probe("a", () => ({ notPermitted: ["/proc/1/io"], absent: ["pressure"] }))]);
  await bench.clock.advance(50_000);
  assert.deepEqual(bench.lines, [
    { event: "not permitted", fields: { probe: "a", what: "/proc/1/io" } },
    { event: "not available", fields: { probe: "a", what: "pressure" } },
  ]);
  bench.collect.stop();
});

test("at one second dear probes take turns", async () => {
  const asked: string[] = [];
  const dear = (name: string) =>
    probe(name, ({ timeMs }) => void asked.push(`${name} ${(timeMs / 1000) % 5}`), { periodMs: 5_000 });
  const bench = new Bench([dear("a"), dear("b")], { intervalMs: 1_000 });
  await bench.clock.advance(10_000);
  assert.deepEqual(asked.toSorted(), ["a 0", "a 0", "b 1", "b 1"]);
  bench.collect.stop();
});

test("over its budget the agent gives up the dearest probe, says so, and takes it back", async () => {
  let cpuSeconds = 0;
  let costPerTick = 1;
  const bench = new Bench([counting("cheap"), counting("dear", { shedRank: 9 })], {
    budget: { maxCpuShare: 0.05, maxRssBytes: 1e9 },
    cost: () => ({ cpuSeconds: (cpuSeconds += costPerTick), rssBytes: 1e6 }),
  });
  await bench.clock.advance(100_000);
  assert.equal(bench.stats.probes.get("dear")?.shed, true);
  assert.equal(bench.ticks.at(-1)?.values["dear"], undefined);
  assert.equal(bench.ticks.at(-1)?.values["cheap"], 10);
  costPerTick = 0.1;
  await bench.clock.advance(600_000);
  assert.equal(bench.stats.probes.get("dear")?.shed, false);
  assert.notEqual(bench.ticks.at(-1)?.values["dear"], undefined);
  assert.deepEqual(
    bench.lines.map(({ event }) => event),
    ["probe shed", "probe given back"],
  );
  bench.collect.stop();
});

test("a stopped agent asks nobody any more and closes its probes", async () => {
  let closed = 0;
  const bench = new Bench([counting("a", { close: () => void (closed += 1) })]);
  await bench.clock.advance(10_000);
  bench.collect.stop();
  await bench.clock.advance(60_000);
  assert.equal(bench.ticks.length, 1);
  assert.equal(closed, 1);
});
