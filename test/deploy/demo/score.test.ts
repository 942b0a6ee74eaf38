import assert from "node:assert/strict";
import { test } from "node:test";
import { type FaultRun, isTrue, scoreExam, scoreFault, type Told } from "../../../deploy/demo/exam/score.ts";
import type { TrueCause } from "../../../deploy/demo/faults/fault.ts";
import { incidentOf, type Sketch } from "./incidents.ts";

const risk: TrueCause = { kind: "service", name: "risk", host: "app-02", resource: "cpu" };
const run: FaultRun = { fault: "cpu-hog", cause: risk, startedMs: 100_000, endedMs: 280_000 };
const settleMs = 30_000;

function told(...sketches: (Sketch & { atMs?: number })[]): Told[] {
  return sketches.map((sketch) => ({
    atMs: sketch.atMs ?? sketch.detectedMs ?? 0,
    incident: incidentOf(sketch),
  }));
}

test("an incident on what the fault reaches detects it, and the place of its true cause is told", () => {
  const score = scoreFault(
    run,
    told({
      detectedMs: 125_000,
      entities: ["service:app-02/payments"],
      causes: ["service:app-02/payments", "process:app-02/71/risk", "host:app-02"],
    }),
    settleMs,
  );
  assert.deepEqual(
    [score.detected, score.secondsToDetect, score.incidents, score.rank, score.hostRank, score.resourceRight],
    [true, 25, 1, 2, 1, true],
  );
  assert.equal(score.named, "service:app-02/payments");
});

test("an incident from before the fault, or long after it, does not detect it", () => {
  for (const detectedMs of [99_999, 310_001]) {
    const score = scoreFault(run, told({ detectedMs, entities: ["service:app-02/risk"] }), settleMs);
    assert.deepEqual([score.detected, score.incidents], [false, 0]);
  }
  const late = scoreFault(run, told({ detectedMs: 309_000, entities: ["service:app-02/risk"] }), settleMs);
  assert.equal(late.detected, true);
});

test("an incident elsewhere in the fault's time counts as one too many, not as a detection", () => {
  const score = scoreFault(
    run,
    told({ detectedMs: 120_000, entities: ["disk:ext-01/sda"], causes: ["disk:ext-01/sda"] }),
    settleMs,
  );
  assert.deepEqual([score.detected, score.incidents, score.rank], [false, 1, null]);
});

test("an earlier incident that came back in the fault's time detects it when it came back", () => {
  const entities = ["service:app-02/risk"];
  const score = scoreFault(
    run,
    told({ detectedMs: 1_000, entities }, { atMs: 150_000, detectedMs: 1_000, reopened: 1, entities }),
    settleMs,
  );
  assert.deepEqual([score.detected, score.secondsToDetect, score.incidents], [true, 50, 1]);
});

test("what was merged into another incident is not counted", () => {
  const entities = ["service:app-02/risk"];
  const score = scoreFault(
    run,
    told(
      { id: "INC-1", detectedMs: 120_000, entities },
      { id: "INC-2", detectedMs: 121_000, entities },
      { id: "INC-2", atMs: 130_000, detectedMs: 121_000, entities, state: "merged" },
    ),
    settleMs,
  );
  assert.equal(score.incidents, 1);
});

test("the causes are those that were named while the fault's time lasted, not what came later", () => {
  const entities = ["service:app-02/risk"];
  const score = scoreFault(
    run,
    told(
      { detectedMs: 120_000, entities, causes: ["host:db-01"] },
      { atMs: 200_000, detectedMs: 120_000, entities, causes: ["service:app-02/risk"] },
      { atMs: 400_000, detectedMs: 120_000, entities, causes: ["host:db-01"] },
    ),
    settleMs,
  );
  assert.equal(score.rank, 1);
});

test("a cause is right by any id of the guilty, on its host only", () => {
  for (const id of ["service:app-02/risk", "process:app-02/71/risk", "port:app-02/risk/7444"])
    assert.ok(isTrue(id, risk), id);
  for (const id of [
    "service:app-01/risk",
    "service:app-02/payments",
    "host:app-02",
    "process:app-02/71/brisk",
  ])
    assert.ok(!isTrue(id, risk), id);
});

test("right for the wrong reason is told", () => {
  const score = scoreFault(
    run,
    told({
      detectedMs: 120_000,
      entities: ["service:app-02/risk"],
      causes: ["service:app-02/risk"],
      metric: "process.memory.usage",
    }),
    settleMs,
  );
  assert.deepEqual([score.rank, score.resourceRight], [1, false]);
});

test("the first change named is the guilty one, or it is not", () => {
  const released: FaultRun = { ...run, cause: { ...risk, change: "risk 4.2.0" } };
  const entities = ["service:app-02/risk"];
  const of = (...changes: string[]) =>
    scoreFault(released, told({ detectedMs: 120_000, entities, changes }), settleMs).changeRight;
  assert.equal(of("risk 4.2.0", "login 2.9.1"), true);
  assert.equal(of("login 2.9.1", "risk 4.2.0"), false);
  assert.equal(of(), false);
  assert.equal(scoreFault(run, told({ detectedMs: 120_000, entities }), settleMs).changeRight, null);
});

test("an exam sums up, and what was told in the quiet is false", () => {
  const second: FaultRun = { ...run, fault: "memory-leak", startedMs: 700_000, endedMs: 800_000 };
  const entities = ["service:app-02/risk"];
  const score = scoreExam(
    [run, second],
    told(
      { id: "INC-0", detectedMs: 0, entities },
      { id: "INC-1", detectedMs: 120_000, entities, causes: ["service:app-02/risk"] },
      { id: "INC-2", detectedMs: 500_000, entities },
      { id: "INC-3", detectedMs: 760_000, entities, causes: ["host:x", "host:y", "service:app-02/risk"] },
    ),
    { settleMs, fromMs: 10_000, toMs: 3_950_000 },
  );
  assert.deepEqual([score.detected, score.rankedFirst, score.rankedInThree], [2, 1, 2]);
  assert.equal(score.medianSecondsToDetect, 40);
  assert.equal(score.incidentsPerFault, 1);
  assert.deepEqual(score.falseIncidents, ["INC-2"], "what is older than the exam is not its affair");
  assert.equal(score.quietHours, 1);
  assert.equal(score.falsePerHour, 1);
});

test("an exam without a detection has no median and no incidents per fault", () => {
  const score = scoreExam([run], [], { settleMs, fromMs: 0, toMs: 1_000_000 });
  assert.deepEqual([score.detected, score.medianSecondsToDetect, score.incidentsPerFault], [0, null, null]);
});
