// What "useful" and "noise" make of thresholds: bounded, reversible, the same whatever the order.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createDetect, type Detect } from "#collector/detect/detect.ts";
import {
  factorAt,
  factorsOf,
  feedbackRules,
  type Feedbacks,
  inForce,
  type JudgedSeries,
  withAnswerOf,
} from "#collector/detect/feedback.ts";
import { flag } from "#collector/detect/series-state.ts";
import { toEvidence } from "#collector/correlate/explain.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Evidence, Incident, Verdict } from "#shared/contract/incident.ts";
import type { Series } from "#shared/series.ts";
import { anomaly, cpuBusy, processCpu } from "#test/collector/anomalies.ts";
import { sampleIncident } from "#test/collector/store/samples.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

const atMs = 1_800_000_000_000;

/** An incident that shows these anomalies and was answered. */
function answered(id: string, verdict: Verdict | null, shown: readonly Anomaly[], givenMs = atMs): Incident {
  return sampleIncident(id, {
    symptoms: shown.map(toEvidence),
    feedback: verdict === null ? null : { verdict, by: "Wang Fang", atMs: givenMs, comment: "" },
  });
}

function all(...incidents: readonly Incident[]): Feedbacks {
  return incidents.reduce(withAnswerOf, [] as Feedbacks);
}

const cpuOf = (host: string): JudgedSeries => ({
  host,
  series: "system.cpu.utilization",
  metric: "system.cpu.utilization",
  entityKind: "host",
});

/** The factor of the CPU of a host after these answers about it, one an incident. */
function factorAfter(...verdicts: readonly Verdict[]): number {
  const given = all(...verdicts.map((verdict, index) => answered(`i${index}`, verdict, [cpuBusy("a", 0)])));
  return factorsOf(given).of(cpuOf("a"));
}

const someAnswers = fc.uniqueArray(
  fc.record({
    id: fc.nat(30).map((number) => `INC-${number}`),
    verdict: fc.constantFrom("useful" as const, "noise" as const),
    hosts: fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 1, maxLength: 5 }),
    process: fc.boolean(),
  }),
  { selector: ({ id }) => id, maxLength: 25 },
);
type SomeAnswer = { id: string; verdict: Verdict; hosts: string[]; process: boolean };

function incidentOf({ id, verdict, hosts, process }: SomeAnswer): Incident {
  const shown = hosts.flatMap((host) => [
    cpuBusy(host, 0),
    ...(process ? [processCpu(host, "job", 0, 0.5)] : []),
  ]);
  return answered(id, verdict, shown);
}

test("noise raises the threshold of what the incident showed, useful lowers it, and nothing else moves", () => {
  assert.equal(factorAfter("noise"), 1.25);
  assert.equal(factorAfter("useful"), 0.9);
  const factors = factorsOf(all(answered("i", "noise", [cpuBusy("a", 0)])));
  assert.equal(factors.of(cpuOf("b")), 1);
  assert.equal(factors.of({ ...cpuOf("a"), series: "system.memory.utilization", metric: "other" }), 1);
});

test("symptoms and the evidence of causes are what an incident showed; a host's silence has no threshold", () => {
  const silence: Evidence = { ...toEvidence(cpuBusy("a", 0)), series: "", metric: "" };
  const job = toEvidence(processCpu("a", "job", 0, 0.5));
  const incident: Incident = {
    ...answered("i", "noise", [cpuBusy("a", 0)]),
    causes: [
      {
        entity: job.entity,
        kind: "demand",
        confidence: 0.9,
        text: { key: "cause.other", args: {} },
        evidence: [job, silence],
        counterEvidence: [],
      },
    ],
  };
  assert.deepEqual(
    factorsOf(withAnswerOf([], incident)).series.map(({ entityKind, factor }) => [entityKind, factor]),
    [
      ["process", 1.25],
      ["host", 1.25],
    ],
  );
});

test("however many answers there are, no threshold leaves its bounds", () => {
  fc.assert(
    fc.property(someAnswers, (answers) => {
      const factors = factorsOf(all(...answers.map(incidentOf)));
      for (const { factor } of factors.series) {
        assert.ok(factor >= 0.7 && factor <= feedbackRules.factorMax, `series ${factor}`);
      }
      for (const { factor } of factors.kinds) assert.ok(factor > 1 && factor < 1.34, `kind ${factor}`);
    }),
    { seed: 81 },
  );
  assert.ok(factorAfter(...Array.from({ length: 40 }, () => "noise" as const)) < 2.5);
  assert.ok(factorAfter(...Array.from({ length: 40 }, () => "useful" as const)) > 0.7);
});

test("useful still counts after any amount of noise", () => {
  const noise = Array.from({ length: 9 }, () => "noise" as const);
  assert.ok(factorAfter(...noise, "useful") < factorAfter(...noise));
});

test("the order in which answers about different incidents were given changes nothing", () => {
  fc.assert(
    fc.property(someAnswers, fc.nat(), (answers, turn) => {
      const at = turn % (answers.length + 1);
      const turned = [...answers.slice(at), ...answers.slice(0, at)].reverse();
      const [left, right] = [answers, turned].map((list) => factorsOf(all(...list.map(incidentOf))));
      assert.deepEqual(left!.series, right!.series);
      assert.deepEqual(left!.kinds, right!.kinds);
    }),
    { seed: 82 },
  );
});

test("an answer that is withdrawn leaves no trace, and a new one replaces the earlier one", () => {
  fc.assert(
    fc.property(someAnswers, fc.constantFrom("useful", "noise"), (answers, verdict) => {
      const before = all(...answers.map(incidentOf));
      const given = withAnswerOf(before, incidentOf({ id: "new", verdict, hosts: ["a"], process: true }));
      const withdrawn = withAnswerOf(given, answered("new", null, [cpuBusy("a", 0)]));
      assert.deepEqual(withdrawn, before);
      assert.deepEqual(factorsOf(withdrawn), factorsOf(before));
      const again = withAnswerOf(
        given,
        incidentOf({ id: "new", verdict: "useful", hosts: ["b"], process: false }),
      );
      assert.equal(again.filter(({ incident }) => incident === "new").length, 1);
      assert.equal(again.length, given.length);
    }),
    { seed: 83 },
  );
});

const noiseOn = (...hosts: readonly string[]): Incident[] =>
  hosts.map((host) => answered(`noise-${host}`, "noise", [cpuBusy(host, 0)]));

test("noise from three hosts raises the metric on all hosts, a little; from two it does not", () => {
  assert.equal(factorsOf(all(...noiseOn("a", "b"))).of(cpuOf("elsewhere")), 1);
  const factors = factorsOf(all(...noiseOn("a", "b", "c")));
  assert.equal(factors.of(cpuOf("elsewhere")), 1.1);
  assert.equal(factors.of(cpuOf("a")), 1.25 * 1.1);
  assert.equal(factors.of({ ...cpuOf("elsewhere"), entityKind: "process" }), 1, "another kind of thing");
  const { hosts, incidents } = factors.kinds[0]!;
  assert.deepEqual([hosts, incidents], [3, 3]);
});

test("one answer about one incident of many hosts is no pattern", () => {
  const shown = ["a", "b", "c", "d", "e"].map((host) => cpuBusy(host, 0));
  const factors = factorsOf(all(answered("i", "noise", shown)));
  assert.equal(factors.of(cpuOf("elsewhere")), 1);
  assert.equal(factors.of(cpuOf("a")), 1.25);
});

test("a series that was useful is not raised by noise on other hosts, and speaks against the pattern", () => {
  const useful = answered("good", "useful", [cpuBusy("z", 0)]);
  const factors = factorsOf(all(...noiseOn("a", "b", "c", "d"), useful));
  assert.equal(factors.of(cpuOf("z")), 0.9);
  assert.equal(factors.of(cpuOf("elsewhere")), 1.1, "four against one");
  assert.equal(factorsOf(all(...noiseOn("a", "b", "c"), useful)).of(cpuOf("elsewhere")), 1);
});

test("answers end after half a year, and the oldest when there are too many", () => {
  const given = all(answered("old", "noise", [cpuBusy("a", 0)], atMs), ...noiseOn("b"));
  assert.equal(inForce(given, atMs + feedbackRules.keptMs - 1), given, "the same list: nothing to do");
  assert.deepEqual(inForce(given, atMs + feedbackRules.keptMs), []);
  const many = Array.from({ length: feedbackRules.keptMax + 2 }, (_, index) =>
    answered(`i${index}`, "noise", [cpuBusy("a", 0)]),
  );
  const kept = all(...many);
  assert.equal(kept.length, feedbackRules.keptMax);
  assert.equal(kept[0]?.incident, "i2");
});

test("at its natural bound a sample is judged as shipped, whatever was called noise", () => {
  const full = flag.judged | flag.badUp;
  assert.equal(factorAt(2, 0.94, 0.95, full), 2);
  assert.equal(factorAt(2, 0.95, 0.95, full), 1);
  assert.equal(factorAt(0.8, 0.99, 0.95, full), 0.8, "what was useful stays sensitive");
  assert.equal(factorAt(2, 0, Number.NaN, flag.judged | flag.badDown), 1, "nothing is left of it");
  assert.equal(factorAt(2, 0, Number.NaN, flag.judged | flag.badUp | flag.badDown), 2);
});

// From here on through the detector.
const startMs = Date.UTC(2026, 0, 5);
const intervalMs = 10_000;
const cpu: Series = {
  metric: "system.cpu.utilization",
  unit: "1",
  instrument: "gauge",
  decimals: 3,
  labels: [],
};
const mount: Series = {
  ...cpu,
  metric: "system.filesystem.utilization",
  labels: [["system.filesystem.mountpoint", "/var"]],
};

function detectWith(series: Series): Detect {
  const detect = createDetect();
  detect.define("a", 0, series);
  return detect;
}

/** Feeds values from tick `from` on. */
function feed(detect: Detect, values: readonly number[], from = 0): Anomaly[] {
  return values.flatMap((value, tick) =>
    detect.judge({
      host: "a",
      timeMs: startMs + (from + tick) * intervalMs,
      intervalMs,
      series: Uint32Array.of(0),
      values: Float64Array.of(value),
    }),
  );
}

function noisy(level: number, noise: number, ticks: number): number[] {
  const random = mulberry32(4);
  return Array.from({ length: ticks }, () => level + noise * (2 * random() - 1));
}

const calm = noisy(0.2, 0.02, 120);
const noises = (count: number): Incident[] =>
  Array.from({ length: count }, (_, index) => answered(`n${index}`, "noise", [cpuBusy("a", 0)]));

/** The size of the step, of those tried, from which the CPU's anomaly is told after these answers. */
function smallestTold(answers: readonly Incident[]): number {
  for (let step = 0.05; step < 0.9; step += 0.01) {
    const detect = detectWith(cpu);
    for (const incident of answers) detect.heed(incident);
    if (feed(detect, [...calm, ...noisy(0.2 + step, 0.001, 6)]).length > 0) return step;
  }
  return Number.POSITIVE_INFINITY;
}

test("a step that was told is not told after noise, and a smaller one is told after useful", () => {
  const shipped = smallestTold([]);
  const raised = smallestTold(noises(2));
  assert.ok(raised > 1.3 * shipped && raised < 2 * shipped, `${raised} after noise, ${shipped} before`);
  const lowered = smallestTold(["u0", "u1"].map((id) => answered(id, "useful", [cpuBusy("a", 0)])));
  assert.ok(lowered < shipped, `${lowered} after useful, ${shipped} before`);
  assert.ok(lowered >= 0.15, "never below the smallest deviation that matters for the kind");
});

test("a verdict says that it was given with another threshold, and expects accordingly", () => {
  const [before] = feed(detectWith(cpu), [...calm, 0.9, 0.9]);
  const detect = detectWith(cpu);
  for (const incident of noises(1)) detect.heed(incident);
  const [after] = feed(detect, [...calm, 0.9, 0.9]);
  assert.ok(before !== undefined && after !== undefined);
  assert.equal(
    before.reasons.some(({ key }) => key === "reason.feedback"),
    false,
  );
  assert.deepEqual(
    after.reasons.find(({ key }) => key === "reason.feedback"),
    { key: "reason.feedback", effect: "lowered", args: { times: 1.25 } },
  );
  assert.ok(after.expectedHigh > before.expectedHigh);
  assert.equal(after.score, before.score, "how improbable it is does not depend on who was annoyed");
});

test("a full disk is told however often it was called noise", () => {
  const detect = detectWith(mount);
  const shown = [anomaly("a", mount.metric, 0, { labels: mount.labels })];
  for (let index = 0; index < 9; index += 1) detect.heed(answered(`n${index}`, "noise", shown));
  assert.ok(detect.feedback().factors.series[0]!.factor > 2);
  const told = feed(detect, [...noisy(0.5, 0.001, 60), 0.96, 0.96, 0.96]);
  assert.equal(told[0]?.detector, "bound");
});

test("an anomaly that is open ends when noise raises the threshold above it", () => {
  const detect = detectWith(cpu);
  const step = noisy(0.2 + 1.1 * smallestTold([]), 0.001, 6);
  const [began] = feed(detect, [...calm, ...step]);
  assert.ok(began !== undefined);
  for (const incident of noises(4)) detect.heed(incident);
  const later = feed(detect, noisy(0.2 + 0.7 * smallestTold([]), 0.001, 6), 126);
  assert.deepEqual(
    later.map(({ id, ended }) => [id, ended]),
    [[began.id, true]],
  );
});

test("a series that appears after the answers has their factor, by its name or by its kind", () => {
  const detect = createDetect();
  for (const incident of noiseOn("b", "c", "d")) detect.heed(incident);
  detect.define("a", 0, cpu);
  const [told] = feed(detect, [...calm, 0.9, 0.9]);
  assert.deepEqual(told?.reasons.find(({ key }) => key === "reason.feedback")?.args, { times: 1.1 });
});

test("a restart keeps the answers and what follows from them, to the byte", () => {
  const detect = detectWith(cpu);
  feed(detect, calm);
  for (const incident of noises(2)) detect.heed(incident);
  const restored = createDetect({ snapshot: detect.snapshot() });
  assert.deepEqual(restored.snapshot(), detect.snapshot());
  assert.deepEqual(restored.feedback(), detect.feedback());
  const step = noisy(0.2 + 1.2 * smallestTold([]), 0.001, 6);
  assert.deepEqual(feed(restored, step, 120), feed(detect, step, 120));
  detect.tick(atMs + feedbackRules.keptMs);
  assert.deepEqual(detect.feedback().given, [], "and time ends them");
});
