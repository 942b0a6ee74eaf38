import assert from "node:assert/strict";
import { test } from "node:test";
import { createDetect } from "#collector/detect/detect.ts";
import {
  Policies,
  type PolicyRule,
  type PolicySet,
  type SeriesPolicy,
  usualPolicy,
} from "#collector/detect/policy.ts";
import type { Match } from "#collector/detect/match.ts";
import { knownMetrics, meaningOf } from "#shared/semantics.ts";
import { canonicalLabels, type Instrument, type Series } from "#shared/series.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

function series(
  metric: string,
  unit = "1",
  instrument: Instrument = "gauge",
  labels: [string, string][] = [],
): Series {
  return { metric, unit, instrument, decimals: 3, labels: canonicalLabels(labels) };
}

function rule(match: Record<string, string>, set: PolicySet): PolicyRule {
  return { match: Object.entries(match).map(([name, pattern]) => [name, [pattern]]) as Match, set };
}

function policyOf(one: Series, ...rules: PolicyRule[]): SeriesPolicy {
  const policies = new Policies(rules);
  return policies.all[policies.of(one, "h", meaningOf(one, "h"))]!;
}

const cpu = series("system.cpu.utilization");

test("without rules a policy is what the metric means", () => {
  for (const metric of knownMetrics) {
    for (const instrument of ["gauge", "counter"] as const) {
      const one = series(metric, "1", instrument);
      const meaning = meaningOf(one, "h");
      const policy = policyOf(one);
      assert.equal(policy.floor, meaning.floor);
      assert.equal(policy.floorShare, meaning.floorShare);
      assert.equal(policy.badDirection, meaning.badDirection);
      assert.equal(policy.role, meaning.role);
      assert.equal(policy.judged, meaning.role !== "context");
      assert.ok(policy.rangeLow < policy.rangeHigh);
      assert.ok(meaning.bound === undefined ? Number.isNaN(policy.bound) : policy.bound === meaning.bound);
      assert.ok(!(policy.bound > policy.rangeHigh), `${metric}: its bound is possible`);
    }
  }
});

test("values that are possible follow from kind and unit", () => {
  const range = ({ rangeLow, rangeHigh }: SeriesPolicy) => [rangeLow, rangeHigh];
  assert.deepEqual(range(policyOf(cpu)), [0, 1]);
  assert.deepEqual(range(policyOf(series("process.cpu.utilization"))), [0, Number.POSITIVE_INFINITY]);
  assert.deepEqual(range(policyOf(series("payment_success_ratio"))), [0, 1]);
  assert.deepEqual(range(policyOf(series("sessions_open"))), [
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
  assert.deepEqual(range(policyOf(series("things_total", "1", "counter"))), [0, Number.POSITIVE_INFINITY]);
});

test("later rules win, key by key", () => {
  const policy = policyOf(
    cpu,
    rule({}, { smallestShare: 0.5, sensitivity: 2 }),
    rule({ metric: "system.cpu.*" }, { sensitivity: 0.5, bound: { value: 0.8, unit: "1" } }),
    rule({ host: "other" }, { judge: false }),
    rule({ kind: "utilisation" }, { direction: "both" }),
  );
  assert.deepEqual(
    [policy.floorShare, policy.thresholdFactor, policy.bound, policy.judged, policy.badDirection],
    [0.5, 2, 0.8, true, "both"],
  );
  assert.ok(policy.boundAlways, "a bound that was asked for counts whatever is usual");
});

test("another kind brings its direction and range, and no more", () => {
  const policy = policyOf(
    series("sessions_open"),
    rule({ metric: "sessions_open" }, { kind: "saturation", role: "symptom" }),
  );
  assert.deepEqual(
    [policy.kind, policy.role, policy.badDirection, policy.rangeLow],
    ["saturation", "symptom", "up", 0],
  );
});

test("the usual bound is none when the other direction is bad", () => {
  assert.equal(policyOf(cpu, rule({}, { direction: "both" })).bound, 0.97);
  assert.ok(Number.isNaN(policyOf(cpu, rule({}, { direction: "down" })).bound));
  assert.equal(policyOf(cpu, rule({}, { direction: "down", bound: { value: 0.1, unit: "" } })).bound, 0.1);
});

test("an amount with a unit says nothing about series of another", () => {
  const rules = [
    rule({}, { smallestDeviation: { value: 64e6, unit: "By" } }),
    rule({}, { bound: { value: 0.02, unit: "s" }, smallestShare: 0.3 }),
  ];
  assert.equal(policyOf(cpu, ...rules).floor, 0.15);
  assert.equal(policyOf(cpu, ...rules).bound, 0.97);
  assert.equal(policyOf(cpu, ...rules).floorShare, 0.3);
  assert.equal(policyOf(series("process.memory.usage", "By"), ...rules).floor, 64e6);
  assert.equal(policyOf(series("rpc_latency_seconds", "s"), ...rules).bound, 0.02);
});

test("what is context is judged when a rule says so, as evidence", () => {
  const threads = series("process.thread.count");
  assert.equal(policyOf(threads).judged, false);
  const asked = policyOf(threads, rule({ metric: "process.thread.count" }, { judge: true }));
  assert.deepEqual([asked.judged, asked.role], [true, "evidence"]);
  assert.equal(policyOf(cpu, rule({}, { judge: false })).judged, false);
});

test("equal policies are one", () => {
  const policies = new Policies([rule({ host: "a*" }, { sensitivity: 2 })]);
  const of = (host: string) => policies.of(cpu, host, meaningOf(cpu, host));
  assert.equal(of("a1"), of("a2"));
  assert.equal(of("b1"), of("b2"));
  assert.notEqual(of("a1"), of("b1"));
  assert.equal(policies.all.length, 2);
});

/** How many anomalies a series has that is at `low` for ten minutes and at `high` for five, with some noise. */
function told(set: PolicySet, high: number, low = 0.2): number {
  const detect = createDetect({ policy: { ...usualPolicy, rules: [rule({ metric: "system.cpu.*" }, set)] } });
  detect.define("h", 0, cpu);
  const random = mulberry32(1);
  const ids = new Set<string>();
  for (let tick = 0; tick < 90; tick += 1) {
    const value = (tick >= 60 ? high : low) + 0.02 * (random() - 0.5);
    const timeMs = Date.UTC(2026, 0, 5) + tick * 10_000;
    const batch = {
      host: "h",
      timeMs,
      intervalMs: 10_000,
      series: Uint32Array.of(0),
      values: Float64Array.of(value),
    };
    for (const { id } of detect.judge(batch)) ids.add(id);
  }
  return ids.size;
}

test("detection does what the rules say", () => {
  assert.equal(told({}, 0.5), 1);
  assert.equal(told({ judge: false }, 0.5), 0);
  assert.equal(told({ direction: "down" }, 0.5), 0);
  assert.equal(told({ direction: "down" }, 0, 0.5), 1);
  assert.equal(told({ smallestDeviation: { value: 0.4, unit: "1" } }, 0.5), 0);
  assert.equal(told({ smallestShare: 3 }, 0.5), 0);
  assert.equal(told({ sensitivity: 0.25 }, 0.5), 0);
  assert.equal(told({ bound: { value: 0.3, unit: "1" } }, 0.32), 1, "12 points are below the usual 15");
  assert.equal(told({ direction: "down", bound: { value: 0.45, unit: "1" } }, 0.44, 0.5), 1);
  assert.equal(told({ direction: "down", bound: { value: 0.1, unit: "1" } }, 0.44, 0.5), 0);
});

/** What is told of a gauge that has a new value every five minutes and is scraped at every tick of 10 s. */
function scraped(rules: PolicyRule[], noisy: (sample: number) => number, samples: number): Anomaly[] {
  const detect = createDetect({ policy: { ...usualPolicy, rules } });
  detect.define("h", 0, series("queue_age_seconds", "s"));
  const found: Anomaly[] = [];
  for (let tick = 0; tick < samples * 30; tick += 1) {
    const timeMs = Date.UTC(2026, 0, 5) + tick * 10_000;
    const values = Float64Array.of(noisy(Math.floor(tick / 30)));
    found.push(...detect.judge({ host: "h", timeMs, intervalMs: 10_000, series: Uint32Array.of(0), values }));
  }
  return found;
}

test("a series that has a value less often than its host has ticks is judged by its own values, each once", () => {
  const rules = [rule({ metric: "queue_*" }, { intervalMs: 300_000 })];
  const random = mulberry32(4);
  const noise = Array.from({ length: 80 }, () => 10 + 2 * (random() - 0.5));
  const steady = (sample: number): number => noise[sample]!;
  assert.deepEqual(scraped(rules, steady, 80), [], "its noise is noise");
  const jumps = (sample: number): number => (sample >= 60 ? 40 : noise[sample]!);
  const [first] = scraped(rules, jumps, 62);
  assert.equal(
    first?.startedMs,
    Date.UTC(2026, 0, 5) + 60 * 300_000,
    "and one value that stands for minutes is enough",
  );
  assert.equal(first.ended, false, "what is repeated in between does not make it calm");
});
