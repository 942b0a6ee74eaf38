/** Have we had this before: likeness by rarity, what becomes of a confirmed cause, and how much is remembered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createCorrelate } from "#collector/correlate/correlate.ts";
import { Library, type Remembered } from "#collector/incident/fingerprint.ts";
import { createIncidents } from "#collector/incident/incident.ts";
import { createTopology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { limits } from "#shared/limits.ts";
import { anomaly, cpuBusy, endedAt, processCpu, startMs } from "#test/collector/anomalies.ts";
import { sampleIncident } from "../store/samples.ts";

function remembered(id: string, features: readonly string[], change: Partial<Remembered> = {}): Remembered {
  return { id, startedMs: startMs, features, cause: null, over: true, ...change };
}

test("what is rare and common to both makes two incidents alike, what everybody has hardly does", () => {
  const usual = Array.from({ length: 50 }, (_, index) =>
    remembered(`u-${index}`, ["host", "cpu", `x${index}`]),
  );
  const library = new Library([...usual, remembered("rare", ["host", "cpu", "oom"])]);
  const [first, ...others] = library.similar("new", ["host", "cpu", "oom"]);
  assert.deepEqual([first?.incident, first?.likeness, others], ["rare", 1, []]);
  assert.deepEqual(library.similar("new", ["host", "cpu", "y"]), []);
});

test("only what has ended is compared, never the incident itself; ties go to the newest", () => {
  const library = new Library([
    remembered("a", ["x"], { startedMs: 1 }),
    remembered("b", ["x"], { startedMs: 2 }),
    remembered("open", ["x"], { over: false }),
  ]);
  assert.deepEqual(
    library.similar("none", ["x"]).map(({ incident }) => incident),
    ["b", "a"],
  );
  assert.deepEqual(
    library.similar("b", ["x"]).map(({ incident }) => incident),
    ["a"],
  );
});

test("likeness is between 0 and 1, the same both ways, and 1 for the same features; order of memory does not matter", () => {
  const feature = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const set = fc.uniqueArray(feature, { minLength: 1 });
  fc.assert(
    fc.property(fc.array(set, { minLength: 2, maxLength: 12 }), (all) => {
      const past = all.map((features, index) => remembered(`i-${index}`, features));
      const one = new Library(past);
      const other = new Library([...past].reverse());
      for (const { id, features } of past) {
        const found = one.similar(id, features);
        assert.deepEqual(found, other.similar(id, features));
        for (const { likeness } of found) assert.ok(likeness >= 0.5 && likeness <= 1);
        const same = past.some((rival) => rival.id !== id && String(rival.features) === String(features));
        if (same) assert.equal(found[0]?.likeness, 1);
      }
    }),
    { seed: 3 },
  );
});

test("the oldest are forgotten first, and those with a confirmed cause last", () => {
  const library = new Library();
  const cause = { entity: "disk:a/sda", by: "li", atMs: 1, comment: "" };
  for (let index = 0; index <= limits.fingerprintsKeptMax + 10; index += 1) {
    const change = index === 3 ? { confirmedCause: cause } : {};
    library.remember(sampleIncident(`INC-${index}`, { state: "resolved", ...change }), [`f${index}`]);
  }
  const ids = library.state().map(({ id }) => id);
  assert.equal(ids.length, limits.fingerprintsKeptMax);
  assert.ok(ids.includes("INC-3") && !ids.includes("INC-4"));
});

/** The same trouble every hour on another of some hosts; `answer` says what the operators say of each. */
function hours(count: number, answer: (id: string) => string | null) {
  const correlate = createCorrelate({ topology: createTopology() });
  const incidents = createIncidents();
  const last = new Map<string, Incident>();
  const at = (atS: number, ...anomalies: Anomaly[]): void => {
    const nowMs = startMs + atS * 1000;
    for (const one of incidents.apply(correlate.add(anomalies, nowMs), nowMs)) last.set(one.id, one);
  };
  for (let hour = 0; hour < count; hour += 1) {
    const [host, atS] = [`pay-${hour}`, hour * 3_600];
    const all = [processCpu(host, "report", atS, 0.1), cpuBusy(host, atS)];
    at(atS + 10, ...all);
    at(atS + 100, ...all.map((one) => endedAt(one, atS + 100)));
    at(atS + 300);
    const incident = [...last.keys()].at(-1)!;
    const entity = answer(incident);
    if (entity === null) continue;
    const command = { kind: "cause", incident, entity, by: "li", comment: "seen before" } as const;
    last.set(incident, incidents.command(command, startMs + (atS + 310) * 1000)!);
  }
  return { last, incidents, at };
}

test("an incident says which earlier one it is like, and what the cause was: found, or as an operator said", () => {
  const { last } = hours(3, (id) => (id === "INC-1" ? "batch:eod" : null));
  assert.deepEqual(last.get("INC-1")?.similar, []);
  assert.deepEqual(
    last.get("INC-3")?.similar.map(({ incident, likeness, cause }) => [incident, likeness, cause?.entity]),
    [
      ["INC-2", 1, undefined],
      ["INC-1", 1, "batch:eod"],
    ],
  );
  const [, first] = last.get("INC-3")!.similar;
  assert.deepEqual(first?.cause, { entity: "batch:eod", confirmed: true, comment: "seen before" });
});

test("a cause is confirmed, corrected and withdrawn; each is in the timeline, and the last word counts", () => {
  const { last, incidents } = hours(1, () => null);
  const incident = "INC-1";
  const named = last.get(incident)!.causes[0]!.entity;
  const say = (entity: string | null): Incident =>
    incidents.command({ kind: "cause", incident, entity, by: "li", comment: "" }, startMs + 400_000)!;
  assert.equal(say(named).timeline.at(-1)?.text.key, "timeline.cause_confirmed");
  const corrected = say("switch:core-7");
  assert.equal(corrected.timeline.at(-1)?.text.key, "timeline.cause_corrected");
  assert.equal(corrected.confirmedCause?.entity, "switch:core-7");
  const withdrawn = say(null);
  assert.equal(withdrawn.timeline.at(-1)?.text.key, "timeline.cause_withdrawn");
  assert.equal(withdrawn.confirmedCause, null);
  assert.equal(say(null).revision, withdrawn.revision, "nothing is left to withdraw");
});

test("other trouble is not called alike", () => {
  const { last, at } = hours(2, () => null);
  at(
    20_000,
    anomaly("db-9", "system.filesystem.utilization", 19_990, {
      labels: [["system.filesystem.mountpoint", "/data"]],
      detector: "bound",
    }),
  );
  assert.deepEqual([...last.values()].at(-1)?.similar, []);
});

test("what an incident is like is the same whatever the numbers in its names", () => {
  const { incidents } = hours(2, () => null);
  const [first, second] = incidents.snapshot().library;
  assert.deepEqual(first?.features, second?.features);
});
