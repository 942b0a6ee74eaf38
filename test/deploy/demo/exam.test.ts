import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ExamRecord, lineOf, runExam, summaryOf } from "../../../deploy/demo/exam/exam.ts";
import type { Bank, Fault } from "../../../deploy/demo/faults/fault.ts";
import { faultNamed, houseFaults, loadFaults } from "../../../deploy/demo/faults/faults.ts";
import { reachedBy } from "../../../deploy/demo/layout.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { incidentOf } from "./incidents.ts";

/** An exam on a clock that is moved, of a collector that tells each fault 20 s after its start. */
async function examOf(faults: readonly Fault[], seed: number) {
  const clock = new SimClock();
  const order: string[] = [];
  const lines: string[] = [];
  const records: ExamRecord[] = [];
  let tell: (incident: Incident) => void = () => {};
  const over = runExam({
    clock,
    faults,
    seed,
    pauseMs: 90_000,
    seconds: undefined,
    bankOf: (fault) =>
      fakeBank(
        () => order.push(fault.name),
        () => {
          clock.after(20_000, () => {
            const { kind, host, name } = fault.cause;
            const entity = `${kind}:${host}/${kind === "process" ? "71/" : ""}${name}`;
            tell(
              incidentOf({
                id: fault.name,
                detectedMs: clock.nowMs(),
                entities: [entity],
                causes: [entity],
              }),
            );
          });
        },
      ),
    watch(told) {
      tell = told;
      return Promise.resolve({ stop: () => (tell = () => {}) });
    },
    cut: new AbortController().signal,
    say: (text) => lines.push(text),
    note: (record) => records.push(structuredClone(record)),
  });
  await clock.advance((faults.length + 1) * 400_000);
  return { score: await over, order, lines, records };
}

function fakeBank(onStart: () => void, tellLater: () => void): Bank {
  let started = false;
  const begin = (): Promise<void> => {
    if (!started) {
      onStart();
      tellLater();
    }
    started = true;
    return Promise.resolve();
  };
  return { turn: begin, run: begin, down: begin, note: begin, restore: () => Promise.resolve() };
}

test("an exam runs every fault once, in an order that its seed gives", async () => {
  const first = await examOf(houseFaults, 5);
  assert.deepEqual([...first.order].sort(), houseFaults.map(({ name }) => name).sort());
  assert.deepEqual(first.order, (await examOf(houseFaults, 5)).order);
  assert.notDeepEqual(first.order, (await examOf(houseFaults, 6)).order);
  assert.equal(first.score.detected, houseFaults.length);
  assert.equal(first.score.rankedFirst, houseFaults.length);
  assert.equal(first.score.medianSecondsToDetect, 20);
  assert.equal(first.score.falsePerHour, 0);
  assert.equal(first.lines.length, houseFaults.length);
  assert.match(summaryOf(first.score), /detected 12 of 12, median 20 s/);
  assert.equal(first.records.length, houseFaults.length + 1);
  assert.deepEqual(
    first.records.at(-1)?.runs.map(({ fault }) => fault),
    first.order,
  );
});

test("a fault that cannot be made is said and left out", async () => {
  const broken: Fault = {
    ...houseFaults[0]!,
    name: "broken",
    start: () => Promise.reject(new Error("no such knob")),
  };
  const { score, lines } = await examOf([broken], 1);
  assert.deepEqual(score.faults, []);
  assert.match(lines.join("\n"), /broken: could not be made, and is left out: no such knob/);
});

test("a line says what was told, also when it is nothing", () => {
  const score = {
    fault: "cpu-hog",
    startedMs: 0,
    endedMs: 60_000,
    detected: true,
    secondsToDetect: 31,
    incidents: 2,
    rank: null,
    hostRank: 2,
    resourceRight: null,
    changeRight: null,
    named: "host:db-01",
    confidence: 0.5,
    incident: "INC-1",
  };
  assert.match(
    lineOf(score),
    /after {2}31 s, 2 incidents, true cause not named, its host 2.; first: host:db-01 \(0.50\)/,
  );
  assert.match(lineOf({ ...score, detected: false, incidents: 0 }), /not detected/);
});

test("faults from outside join the house's, and what is wrong with a file is said", async () => {
  const folder = mkdtempSync(join(os.tmpdir(), "causeway-demo-test-"));
  const good = `export const fault = { name: "mine", does: { en: "a", zh: "b" }, seconds: 5,
    cause: { kind: "service", name: "risk", host: "app-02", resource: "cpu" },
    start: (bank) => bank.turn("risk", { burnShare: 0.1 }), stop: (bank) => bank.restore() };`;
  try {
    await assert.rejects(loadFaults(join(folder, "nowhere")), /cannot read the folder of faults/);
    await assert.rejects(loadFaults(folder), /want at least one/);
    writeFileSync(join(folder, "mine.mjs"), good);
    const faults = await loadFaults(folder);
    assert.equal(faults.length, houseFaults.length + 1);
    assert.equal(faultNamed("mine", faults).seconds, 5);
    const others = join(folder, "wrong");
    mkdirSync(others);
    writeFileSync(join(others, "a.mjs"), "export const fault = { name: 'Bad Name', seconds: 0 };");
    writeFileSync(join(others, "b.mjs"), "export const other = 1;");
    writeFileSync(join(others, "c.mjs"), good.replace("mine", "cpu-hog"));
    writeFileSync(join(others, "d.mjs"), good.replace('"app-02"', '"db-01"'));
    writeFileSync(join(others, "e.mjs"), "this is no program");
    await assert.rejects(loadFaults(others), (error: Error) => {
      for (const words of [
        /a\.mjs: name: want lower-case words.*does\.en: want a sentence.*seconds: want a number.*cause\.host/,
        /b\.mjs: want an export named "fault", got other/,
        /c\.mjs: name: "cpu-hog" is another fault's already/,
        /d\.mjs: cause\.host: risk is on app-02, not on db-01/,
        /e\.mjs: cannot be loaded/,
      ])
        assert.match(error.message, words);
      return true;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a name that is no fault's gives the names that are", () => {
  assert.throws(() => faultNamed("fire", houseFaults), /no fault "fire"; there are:[\s\S]*cpu-hog/);
});

test("trouble reaches everybody who calls, directly or through others", () => {
  assert.deepEqual(reachedBy("cards"), ["cards", "payments", "gateway"]);
  assert.ok(reachedBy("database").includes("gateway"));
  assert.deepEqual(reachedBy("gateway"), ["gateway"]);
});
