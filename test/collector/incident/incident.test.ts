import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createCorrelate } from "#collector/correlate/correlate.ts";
import { createIncidents, type FeedbackCommand } from "#collector/incident/incident.ts";
import { reopenMs, resolveQuietMs } from "#collector/incident/life.ts";
import { createTopology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { anomaly, cpuBusy, endedAt, processCpu, startMs } from "#test/collector/anomalies.ts";

/** Correlation and incidents together, told at seconds after `startMs`. */
function machine() {
  const correlate = createCorrelate({ topology: createTopology() });
  const incidents = createIncidents();
  const told: Incident[] = [];
  return {
    told,
    incidents,
    at: (atS: number, ...anomalies: Anomaly[]): Incident[] => {
      const nowMs = startMs + atS * 1000;
      const changed = incidents.apply(correlate.add(anomalies, nowMs), nowMs);
      told.push(...changed);
      return changed;
    },
  };
}

test("an incident opens, recovers, and resolves after two quiet minutes", () => {
  const { at, told } = machine();
  const cpu = cpuBusy("a", 0);
  at(10, cpu);
  at(60, endedAt(cpu, 60));
  at(60 + resolveQuietMs / 1000 - 1);
  assert.deepEqual(
    told.map(({ state }) => state),
    ["open", "recovering"],
  );
  const [resolved] = at(60 + resolveQuietMs / 1000);
  assert.equal(resolved?.state, "resolved");
  assert.deepEqual(
    told.map(({ revision }) => revision),
    [1, 2, 3],
  );
  assert.deepEqual([...new Set(told.map(({ id }) => id))], ["INC-1"]);
});

test("symptoms that come back while it recovers are the same incident, open again", () => {
  const { at, told } = machine();
  const cpu = cpuBusy("a", 0);
  at(10, cpu);
  at(60, endedAt(cpu, 60));
  at(90, cpuBusy("a", 80));
  assert.deepEqual(
    told.map(({ id, state }) => `${id} ${state}`),
    ["INC-1 open", "INC-1 recovering", "INC-1 open"],
  );
});

test("the same trouble soon after reopens the incident, and says so", () => {
  const { at, told } = machine();
  const cpu = cpuBusy("a", 0);
  at(10, cpu);
  at(60, endedAt(cpu, 60));
  at(200);
  at(400, cpuBusy("a", 390));
  const last = told.at(-1);
  assert.equal(last?.id, "INC-1");
  assert.equal(last.state, "reopened");
  assert.equal(last.reopened, 1);
  assert.equal(last.resolvedMs, null);
  assert.ok(last.timeline.some(({ text }) => text.key === "timeline.reopened"));
});

test("the same trouble much later is a new incident", () => {
  const { at, told } = machine();
  const cpu = cpuBusy("a", 0);
  at(10, cpu);
  at(60, endedAt(cpu, 60));
  at(200);
  const laterS = 200 + reopenMs / 1000 + 10;
  at(laterS, cpuBusy("a", laterS - 10));
  assert.equal(told.at(-1)?.id, "INC-2");
});

test("other trouble on the same host is never swallowed by an incident that is recovering", () => {
  const { at, told } = machine();
  const cpu = cpuBusy("a", 0);
  at(10, cpu);
  at(60, endedAt(cpu, 60));
  at(100, anomaly("a", "system.memory.utilization", 90));
  assert.deepEqual([...new Set(told.map(({ id }) => id))], ["INC-1", "INC-2"]);
});

test("what is its own cause is said once", () => {
  const port = anomaly("a", "causeway.listen.sockets", 0, {
    labels: [
      ["service.name", "db"],
      ["network.local.port", "5432"],
    ],
    direction: "down",
  });
  assert.equal(machine().at(10, port)[0]?.title.key, "incident.plain");
});

test("severity follows what is felt: seen before, unprecedented, at its bound, silent", () => {
  const severity = (...anomalies: Anomaly[]) => machine().at(10, ...anomalies)[0]?.severity;
  assert.equal(severity(cpuBusy("a", 0, { detector: "level" })), "info");
  assert.equal(severity(cpuBusy("a", 0)), "warning");
  assert.equal(severity(cpuBusy("a", 0, { detector: "bound", provisional: true })), "warning");
  assert.equal(severity(cpuBusy("a", 0, { detector: "bound" })), "major");
});

test("an incident keeps its worst severity and its cause while it recovers", () => {
  const { at, told } = machine();
  const cpu = cpuBusy("a", 0, { detector: "bound" });
  const job = processCpu("a", "job", 0, 0.5);
  at(10, job, cpu);
  at(50, endedAt(job, 50));
  at(60, endedAt(cpu, 60));
  const last = told.at(-1);
  assert.equal(last?.state, "recovering");
  assert.equal(last.severity, "major");
  assert.equal(last.causes[0]?.entity, "process:a/7/job");
});

test("acknowledging names an owner and raises the revision; an unknown incident is nobody's", () => {
  const { at, incidents } = machine();
  at(10, cpuBusy("a", 0));
  const command = { kind: "acknowledge", incident: "INC-1", by: "li", comment: "on it" } as const;
  const acknowledged = incidents.command(command, startMs + 20_000);
  assert.equal(acknowledged?.owner, "li");
  assert.equal(acknowledged.revision, 2);
  assert.equal(incidents.command({ ...command, incident: "INC-9" }, startMs), undefined);
  const resolved = incidents.command({ ...command, kind: "resolve" }, startMs + 30_000);
  assert.equal(resolved?.state, "resolved");
  assert.equal(resolved.owner, "li");
});

const answerTo = (incident: string, verdict: FeedbackCommand["verdict"]): FeedbackCommand => ({
  kind: "feedback",
  incident,
  verdict,
  by: "li",
  comment: "every night",
});

test("an answer stands in the incident until another replaces it or it is withdrawn; the timeline keeps all", () => {
  const { at, incidents } = machine();
  at(10, cpuBusy("a", 0));
  const said = (["noise", "useful", "none"] as const).map((verdict, index) =>
    incidents.command(answerTo("INC-1", verdict), startMs + 20_000 + index),
  );
  assert.deepEqual(
    said.map((incident) => [incident?.revision, incident?.feedback?.verdict ?? null]),
    [
      [2, "noise"],
      [3, "useful"],
      [4, null],
    ],
  );
  assert.deepEqual(said[0]?.feedback, {
    verdict: "noise",
    by: "li",
    atMs: startMs + 20_000,
    comment: "every night",
  });
  assert.deepEqual(
    said[2]?.timeline.slice(-3).map(({ text }) => text.key),
    ["timeline.feedback_noise", "timeline.feedback_useful", "timeline.feedback_withdrawn"],
  );
  const [later] = at(60, cpuBusy("a", 0, { ended: true }));
  assert.equal(later?.feedback, null, "what happens to the incident does not touch its answer");
});

test("an incident that is long over can be answered, and keeps its place in order", () => {
  const { at, told, incidents } = machine();
  const cpu = cpuBusy("a", 0);
  at(10, cpu);
  at(60, endedAt(cpu, 60));
  at(200);
  const resolved = told.at(-1)!;
  const nextDayMs = startMs + 86_400_000;
  at(86_400);
  assert.equal(incidents.incident("INC-1"), undefined, "forgotten");
  assert.equal(incidents.command(answerTo("INC-1", "noise"), nextDayMs), undefined);
  const recalled = { ...answerTo("INC-1", "noise"), recalled: resolved };
  const noise = incidents.command(recalled, nextDayMs);
  assert.deepEqual([noise?.revision, noise?.state, noise?.feedback?.verdict], [4, "resolved", "noise"]);
  at(86_402);
  // The second operator's page was as old as the first one's.
  const useful = incidents.command({ ...recalled, verdict: "useful" }, nextDayMs + 3_000);
  assert.deepEqual([useful?.revision, useful?.feedback?.verdict], [5, "useful"]);
  at(86_500, cpuBusy("a", 86_490));
  assert.equal(told.at(-1)?.id, "INC-2", "it is not what reopens");
});

test("revisions of an incident grow by exactly one, whatever happens in whatever order", () => {
  const step = fc.record({
    host: fc.constantFrom("a", "b"),
    ended: fc.boolean(),
    waitS: fc.nat(400),
    score: fc.nat(16),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { at } = machine();
      const revisions = new Map<string, number>();
      const open = new Map<string, Anomaly>();
      let atS = 0;
      for (const { host, ended, waitS, score } of steps) {
        atS += waitS;
        const before = open.get(host);
        const next =
          before === undefined
            ? cpuBusy(host, atS, { score })
            : ended
              ? endedAt(before, atS)
              : { ...before, score };
        if (next.ended) open.delete(host);
        else open.set(host, next);
        for (const { id, revision } of at(atS, next)) {
          assert.equal(revision, (revisions.get(id) ?? 0) + 1);
          revisions.set(id, revision);
        }
      }
    }),
    { seed: 8 },
  );
});
