import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createDetect } from "#collector/detect/detect.ts";
import { usualPolicy } from "#collector/detect/policy.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { limits } from "#shared/limits.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { counter, minuteMs, payments, startMs, type Tick, ticksOf, Watched } from "./flow-days.ts";

const intervalMs = 10_000;
const steady = { ...payments, nightShare: 1, restless: 0, bursty: 0 };
/** Three hours of a steady service, of which all of the second half of the third hour fails. */
const outageMs = startMs + 150 * minuteMs;
const ticks: Tick[] = [...ticksOf(steady, 0.125, 7)].map((tick) =>
  tick.timeMs > outageMs ? { ...tick, failures: tick.events } : tick,
);
const indexOf = (timeMs: number): number => (timeMs - startMs) / intervalMs - 1;

function judge(all: readonly Tick[]): Watched {
  const watched = new Watched();
  for (const tick of all) watched.tick(tick);
  return watched;
}

test("an outage is one anomaly, told within half a minute with its numbers, and not told again by the errors' rate", () => {
  const { told } = judge(ticks);
  const [first, ...others] = judge(ticks).begun();
  assert.ok(first !== undefined);
  assert.deepEqual(others, []);
  assert.ok(first.startedMs > outageMs && first.lastMs <= outageMs + 30_000, `${first.lastMs - outageMs}`);
  assert.equal(first.metric, "pay_errors_total");
  assert.equal(first.role, "symptom");
  assert.equal(first.provisional, false);
  const { bad, events } = first.reasons[0]!.args;
  assert.equal(first.value, Number(bad) / Number(events));
  assert.deepEqual(
    told.filter(({ metric, detector }) => metric === "pay_errors_total" && detector !== "counts"),
    [],
  );
});

test("it ends when what comes succeeds again, and not while nothing comes", () => {
  const silence: Tick[] = Array.from({ length: 12 }, (_, index) => ({
    timeMs: ticks.at(-1)!.timeMs + (index + 1) * intervalMs,
    events: 0,
    failures: 0,
  }));
  const watched = judge([...ticks, ...silence]);
  const ended = (): boolean =>
    watched.told.some(({ detector, ended: over }) => detector === "counts" && over);
  assert.equal(ended(), false);
  for (let index = 1; index <= 3; index += 1)
    watched.tick({ timeMs: silence.at(-1)!.timeMs + index * intervalMs, events: 100, failures: 0 });
  assert.equal(ended(), true);
});

test("it ends two hours after it began when nothing was tried for long: nobody knows any more", () => {
  const watched = judge(ticks);
  for (let index = 1; index <= 560; index += 1)
    watched.tick({ timeMs: ticks.at(-1)!.timeMs + index * intervalMs, events: 0, failures: 0 });
  const end = watched.told.find(({ id, ended }) => ended && id.includes("|failure|"));
  assert.ok(end !== undefined && Math.abs(end.lastMs - outageMs - 120 * minuteMs) <= minuteMs);
});

test("a counter that begins anew tells nothing of itself, whichever it is", () => {
  for (const fallen of ["requests", "errors", "both"]) {
    const watched = new Watched();
    let [events, failures] = [0, 0];
    for (const tick of ticks.slice(0, indexOf(outageMs))) {
      events += tick.events;
      failures += tick.failures;
      if (tick.timeMs === startMs + 100 * minuteMs) {
        if (fallen !== "errors") events = 3;
        if (fallen !== "requests") failures = 0;
      }
      watched.send(tick.timeMs, events, failures);
    }
    assert.deepEqual(watched.begun(), [], fallen);
  }
});

test("values that are missing are counted with the next ones; values that are no numbers are missing", () => {
  for (const nothing of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const watched = new Watched();
    let [events, failures] = [0, 0];
    for (const [index, tick] of ticks.entries()) {
      events += tick.events;
      failures += tick.failures;
      watched.send(tick.timeMs, events, index % 3 === 1 ? nothing : failures);
    }
    const [first, ...others] = watched.begun();
    assert.ok(first !== undefined && first.lastMs <= outageMs + 40_000, `${nothing}`);
    assert.deepEqual(others, []);
  }
});

test("of a gap nothing is said: neither that nothing came, nor when what failed meanwhile did", () => {
  const quiet = ticks.slice(0, indexOf(outageMs));
  const gap = quiet.filter(
    ({ timeMs }) => timeMs < startMs + 60 * minuteMs || timeMs > startMs + 90 * minuteMs,
  );
  const at = gap.findIndex(({ timeMs }) => timeMs > startMs + 60 * minuteMs);
  gap[at] = { ...gap[at]!, events: 20_000, failures: 15_000 };
  assert.deepEqual(judge(gap).begun(), []);
});

test("ticks that come twice or late change nothing", () => {
  const watched = new Watched();
  let [events, failures] = [0, 0];
  for (const tick of ticks) {
    events += tick.events;
    failures += tick.failures;
    watched.send(tick.timeMs, events, failures);
    watched.send(tick.timeMs, events, failures);
    watched.send(tick.timeMs - 7_000, 0, 1e6);
  }
  assert.deepEqual(watched.told, judge(ticks).told);
});

test("a snapshot at any moment goes on as if there had been none", () => {
  const want = judge(ticks).told;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: ticks.length - 1 }), (at) => {
      const watched = new Watched();
      for (const [index, tick] of ticks.entries()) {
        if (index === at)
          watched.detect = createDetect({ policy: usualPolicy, snapshot: watched.detect.snapshot() });
        watched.tick(tick);
      }
      assert.deepEqual(watched.told, want);
    }),
    { seed: 6, numRuns: 12, examples: [[indexOf(outageMs) + 20]] },
  );
});

test("neither the order of hosts nor that of definitions changes what is told of each", () => {
  const run = (hosts: readonly string[], defineFirst: readonly number[]): Map<string, Anomaly[]> => {
    const detect = createDetect({ policy: usualPolicy });
    const watched = hosts.map((host) => new Watched(intervalMs, detect, host));
    const series = [counter("pay_requests_total"), counter("pay_errors_total")];
    for (const { host } of watched)
      for (const number of defineFirst) detect.define(host, number, series[number]!);
    for (const tick of ticks) for (const one of watched) one.tick(tick);
    return new Map(watched.map(({ host, told }) => [host, told]));
  };
  const want = run(["a", "b"], [0, 1]);
  const got = run(["b", "a"], [1, 0]);
  for (const host of ["a", "b"]) assert.deepEqual(got.get(host), want.get(host));
  assert.ok(want.get("a")!.length > 0);
});

/** Series with what each brings in a tick of ten seconds: as usual, and in the last ten minutes. */
function told(
  rows: readonly (readonly [series: Series, usual: (tick: number) => number, then: number])[],
): Anomaly[] {
  const watched = new Watched();
  for (const [number, [series]] of rows.entries()) watched.detect.define(watched.host, number, series);
  const totals = rows.map(() => 0);
  for (let tick = 1; tick <= 660; tick += 1) {
    for (const [number, [{ instrument }, usual, then]] of rows.entries()) {
      const brought = tick > 600 ? then : usual(tick);
      totals[number] = instrument === "gauge" ? brought : totals[number]! + brought;
    }
    watched.send(startMs + tick * intervalMs, ...totals);
  }
  return watched.begun();
}

const labelled = (metric: string, ...labels: (readonly [string, string])[]): Series =>
  counter(metric, canonicalLabels(labels));
const nowAndThen = (tick: number): number => (tick % 20 === 0 ? 1 : 0);

test("one metric divided by status: what the server failed at is a symptom, what it refused is not", () => {
  const all = (code: string): Series => labelled("http_requests_total", ["route", "/pay"], ["code", code]);
  const [failed, ...others] = told([
    [all("200"), () => 50, 40],
    [all("404"), nowAndThen, 0],
    [all("500"), nowAndThen, 10],
  ]);
  assert.deepEqual(others, []);
  assert.equal(failed?.reasons[0]?.key, "reason.failed");
  assert.equal(failed?.role, "symptom");
  assert.match(failed?.series ?? "", /500/);
  const [refused, ...more] = told([
    [all("200"), () => 50, 40],
    [all("404"), nowAndThen, 30],
    [all("500"), nowAndThen, 0],
  ]);
  assert.deepEqual(more, []);
  assert.equal(refused?.reasons[0]?.key, "reason.refused");
  assert.equal(refused?.role, "evidence");
});

test("a gauge of the share that succeeded is judged by the volume beside it", () => {
  const volume: Series = { ...counter("mobile_transactions_per_minute"), instrument: "gauge" };
  const share: Series = { ...counter("mobile_success_ratio"), instrument: "gauge", decimals: 4 };
  const [failed, ...others] = told([
    [volume, () => 600, 600],
    [share, () => 0.999, 0.9],
  ]);
  assert.deepEqual(others, []);
  assert.equal(failed?.reasons[0]?.args["what"], "transactions");
  assert.equal(failed?.metric, "mobile_success_ratio");
  assert.deepEqual(
    told([
      [volume, () => 0.6, 0.6],
      [share, () => 0.999, 0.33],
    ]),
    [],
    "two of three of one a minute",
  );
});

test("errors whose counter appears with the first of them are counted from zero", () => {
  const watched = new Watched();
  let [events, failures] = [0, 0];
  for (const tick of ticks) {
    events += tick.events;
    if (tick.timeMs > outageMs) failures += tick.failures;
    if (failures === 0) watched.send(tick.timeMs, events);
    else watched.send(tick.timeMs, events, failures);
  }
  const [first] = watched.begun();
  assert.ok(first !== undefined && first.lastMs <= outageMs + 30_000);
});

test("in a maintenance window nothing is told, and what failed in it is not usual afterwards", () => {
  const window = {
    match: [],
    when: { fromMs: outageMs - minuteMs, toMs: ticks.at(-1)!.timeMs },
    reason: "release",
  };
  const detect = createDetect({ policy: { ...usualPolicy, maintenance: [window] } });
  const watched = new Watched(intervalMs, detect);
  for (const tick of ticks) watched.tick(tick);
  assert.deepEqual(watched.begun(), []);
  for (let index = 1; index <= 12; index += 1)
    watched.tick({ timeMs: ticks.at(-1)!.timeMs + index * intervalMs, events: 100, failures: 60 });
  assert.equal(watched.begun().length, 1);
});

test("flows beyond the limit of a host are judged like other series, whoever they are, also after a restart", () => {
  const flows = limits.countFlowsPerHostMax + 1;
  const series = Uint32Array.from({ length: 2 * flows }, (_, number) => number);
  const run = (restartAt: number): Set<string> => {
    let detect = createDetect({ policy: usualPolicy });
    // Backwards: the flow with the lowest numbers comes last, and finds no room.
    for (let flow = flows - 1; flow >= 0; flow -= 1) {
      detect.define("h", 2 * flow, labelled("pay_requests_total", ["shop", `${flow}`]));
      detect.define("h", 2 * flow + 1, labelled("pay_errors_total", ["shop", `${flow}`]));
    }
    const told = new Set<string>();
    for (let tick = 1; tick <= 45; tick += 1) {
      if (tick === restartAt) detect = createDetect({ policy: usualPolicy, snapshot: detect.snapshot() });
      const values = Float64Array.from(series, (number) =>
        number % 2 === 0 ? 100 * tick : 80 * Math.max(0, tick - 40),
      );
      const timeMs = startMs + tick * minuteMs;
      for (const { detector, series: id } of detect.judge({
        host: "h",
        timeMs,
        intervalMs: minuteMs,
        series,
        values,
      }))
        if (detector === "counts") told.add(id);
    }
    return told;
  };
  const told = run(0);
  assert.equal(told.size, limits.countFlowsPerHostMax);
  assert.ok(![...told].some((id) => id.includes('"0"')));
  assert.deepEqual(run(38), told);
});
