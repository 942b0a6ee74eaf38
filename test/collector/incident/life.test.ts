/** The life of incidents: what is told and what is held back, flapping, merging, expiry, and what a dead host speaks for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCorrelate } from "#collector/correlate/correlate.ts";
import { createIncidents } from "#collector/incident/incident.ts";
import {
  expireMs,
  flapCalmMs,
  flapTransitions,
  milderAfterMs,
  resolveQuietMs,
} from "#collector/incident/life.ts";
import { severityOf } from "#collector/incident/severity.ts";
import { createTopology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { anomaly, cpuBusy, endedAt, processCpu, silent, startMs } from "#test/collector/anomalies.ts";

/** Correlation and incidents together, told at seconds after `startMs`; `until` lets time pass as the collector's ticks do. */
function machine(...edges: [string, string][]) {
  const topology = createTopology();
  for (const [caller, callee] of edges) topology.declare(caller, callee);
  const correlate = createCorrelate({ topology });
  const incidents = createIncidents();
  const told: Incident[] = [];
  let lastS = 0;
  const at = (atS: number, ...anomalies: Anomaly[]): Incident[] => {
    lastS = atS;
    const nowMs = startMs + atS * 1000;
    const changed = incidents.apply(correlate.add(anomalies, nowMs), nowMs);
    told.push(...changed);
    return changed;
  };
  return {
    at,
    told,
    incidents,
    until: (atS: number): void => {
      for (let nextS = lastS + 2; nextS <= atS; nextS += 2) at(nextS);
    },
    now: (id: string): Incident | undefined => told.findLast((one) => one.id === id),
  };
}

const memory = (host: string, atS: number): Anomaly => anomaly(host, "system.memory.utilization", atS);

function counted(what: string, events: number, ...keys: string[]): Anomaly {
  const reasons = keys.map((key) => ({ key, effect: "raised", args: { what, events, bad: 1 } }) as const);
  return anomaly("pay", "pay_transactions", 0, { detector: "counts", role: "symptom", reasons });
}

test("an open incident is told again when it has grown, when its cause or severity changes, and not for figures", () => {
  const { at, told, until } = machine();
  at(10, cpuBusy("a", 0));
  at(20, cpuBusy("a", 0, { score: 7, value: 0.95 }));
  at(30, cpuBusy("a", 0, { score: 8, value: 0.97 }));
  until(60);
  assert.equal(told.length, 1, "the same, a little worse");
  at(70, processCpu("a", "job", 0, 0.48));
  assert.deepEqual([told.length, told.at(-1)?.state], [2, "updating"]);
  assert.equal(told.at(-1)?.causes[0]?.entity, "process:a/7/job");
  at(80, cpuBusy("a", 0, { detector: "bound", score: 9 }));
  assert.deepEqual([told.length, told.at(-1)?.severity], [3, "major"]);
});

test("an agent that dies just after its host was busy is told as that, however sure the other cause was", () => {
  const { at, told } = machine();
  const busy = [cpuBusy("a", 0), processCpu("a", "job", 0, 0.5)];
  at(10, ...busy);
  assert.equal(told.at(-1)?.causes[0]?.entity, "process:a/7/job");
  at(60, ...busy.map((one) => endedAt(one, 60)));
  at(80, { ...silent("a", 60), entity: { kind: "agent", host: "a", name: "" } });
  assert.equal(told.at(-1)?.id, "INC-1");
  assert.equal(told.at(-1)?.causes[0]?.entity, "agent:a");
  assert.equal(told.at(-1)?.title.key, "incident.silent");
});

test("a storm of news is ranked and told every five seconds at most", () => {
  const { at, told } = machine();
  for (let step = 0; step < 100; step += 1)
    at(
      10 + step / 10,
      anomaly("a", "system.filesystem.utilization", 0, {
        labels: [["system.filesystem.mountpoint", `/${step}`]],
      }),
    );
  assert.ok(told.length <= 3, `${told.length}`);
});

test("the same symptom of another cause soon after is an incident of its own; of the same cause it comes back", () => {
  const { at, until, now } = machine();
  const busyBy = (process: string, fromS: number) => [
    cpuBusy("a", fromS),
    processCpu("a", process, fromS, 0.48),
  ];
  const overAt = (atS: number, anomalies: readonly Anomaly[]) =>
    at(atS, ...anomalies.map((one) => endedAt(one, atS)));
  at(10, ...busyBy("job", 0));
  overAt(60, busyBy("job", 0));
  until(300);
  assert.equal(now("INC-1")?.state, "resolved");
  at(310, ...busyBy("backup", 300));
  assert.equal(now("INC-2")?.causes[0]?.entity, "process:a/7/backup");
  assert.equal(now("INC-1")?.state, "resolved");
  overAt(360, busyBy("backup", 300));
  until(600);
  at(610, ...busyBy("job", 600));
  assert.deepEqual([now("INC-1")?.state, now("INC-1")?.reopened], ["reopened", 1]);
});

test("a first cause that another hardly beats stays first until the other is first again", () => {
  const { at, told } = machine();
  const job = (name: string, hostShare: number): Anomaly => ({
    ...processCpu("a", name, 0, hostShare),
    id: name,
  });
  const first = (): string | undefined => told.at(-1)?.causes[0]?.entity;
  at(10, job("one", 0.3), cpuBusy("a", 0));
  assert.equal(first(), "process:a/7/one");
  const openings = told.length;
  at(20, job("two", 0.32));
  assert.equal(first(), "process:a/7/one");
  at(30, job("two", 0.33));
  assert.equal(first(), "process:a/7/two");
  assert.equal(told.length, openings + 1);
});

test("it is called milder only after it has been so for two minutes", () => {
  const { at, told, until } = machine();
  const disk = anomaly("a", "system.filesystem.utilization", 0, {
    detector: "bound",
    labels: [["system.filesystem.mountpoint", "/"]],
  });
  at(10, disk, memory("a", 5));
  assert.equal(told.at(-1)?.severity, "major");
  // What has ended still counts as a symptom; what was a bound is seen to be less.
  at(20, { ...disk, detector: "record" });
  until(20 + milderAfterMs / 1000 - 4);
  assert.equal(told.at(-1)?.severity, "major");
  until(20 + milderAfterMs / 1000 + 4);
  assert.equal(told.at(-1)?.severity, "warning");
});

test("what opens and resolves four times within half an hour is held open, quietly, until it has been calm", () => {
  const { at, told, until, now } = machine();
  const outage = (atS: number): void => {
    until(atS);
    at(atS + 10, cpuBusy("a", atS));
    at(atS + 60, endedAt(cpuBusy("a", atS), atS + 60));
  };
  outage(0);
  until(300);
  assert.equal(now("INC-1")?.state, "resolved");
  outage(400);
  until(700);
  assert.equal(now("INC-1")?.state, "flapping", `${flapTransitions} openings and resolutions`);
  const before = told.length;
  outage(800);
  outage(1_100);
  assert.equal(told.length, before, "that it comes and goes is known");
  until(1_160 + flapCalmMs / 1000 - 10);
  assert.equal(now("INC-1")?.state, "flapping");
  until(1_160 + flapCalmMs / 1000 + 10);
  assert.equal(now("INC-1")?.state, "resolved");
  assert.equal(now("INC-1")?.timeline.at(-1)?.text.key, "timeline.calm");
  assert.deepEqual([...new Set(told.map(({ id }) => id))], ["INC-1"]);
});

test("two incidents that turn out to be one are merged: the older lives on, the other says where", () => {
  const { at, now, until, incidents } = machine(["web", "pay"], ["pay", "db"]);
  at(10, memory("web", 0));
  at(80, memory("db", 70));
  assert.equal(incidents.open().length, 2);
  const command = { kind: "acknowledge", incident: "INC-2", by: "li", comment: "on it" } as const;
  incidents.command(command, startMs + 85_000);
  at(90, cpuBusy("pay", 80));
  const [older, other] = [now("INC-1"), now("INC-2")];
  assert.deepEqual([other?.state, other?.mergedInto], ["merged", "INC-1"]);
  assert.equal(other?.resolvedMs, startMs + 90_000);
  assert.equal(other.timeline.at(-1)?.text.key, "timeline.merged");
  assert.deepEqual([older?.state, older?.hostCount], ["updating", 3]);
  assert.deepEqual(
    [older?.owner, older?.acknowledgements.length],
    ["li", 1],
    "who is on one of them is on it",
  );
  assert.ok(older?.timeline.some(({ text }) => text.args["incident"] === "INC-2"));
  at(120, endedAt(memory("db", 70), 120), endedAt(memory("web", 0), 120), endedAt(cpuBusy("pay", 80), 120));
  until(120 + resolveQuietMs / 1000 + 4);
  assert.equal(now("INC-1")?.state, "resolved");
  assert.equal(now("INC-2")?.revision, 3, "nothing more is said of it");
  // The same again soon after reopens the one, not the other.
  at(400, memory("db", 390));
  assert.notEqual(now("INC-2")?.state, "reopened");
});

test("what an operator has called over comes back with a new sign or a worse one, not with the old ones", () => {
  const states = (...later: Anomaly[]): (string | undefined)[] => {
    const { at, until, now, incidents } = machine();
    at(10, cpuBusy("a", 0));
    incidents.command({ kind: "resolve", incident: "INC-1", by: "li", comment: "" }, startMs + 20_000);
    at(40, ...later);
    until(60);
    return [incidents.incident("INC-1")?.state, now("INC-2")?.state];
  };
  assert.deepEqual(states(cpuBusy("a", 0, { score: 9 }), processCpu("a", "job", 5, 0.4)), [
    "resolved",
    undefined,
  ]);
  assert.deepEqual(states(cpuBusy("a", 0, { detector: "bound" })), ["reopened", undefined]);
  assert.deepEqual(states(memory("a", 30)), ["reopened", undefined]);
  const { at, until, told, incidents } = machine();
  at(10, cpuBusy("a", 0));
  incidents.command({ kind: "resolve", incident: "INC-1", by: "li", comment: "" }, startMs + 20_000);
  until(7_000);
  at(7_010, cpuBusy("a", 0, { score: 9 }));
  assert.deepEqual([...new Set(told.map(({ id }) => id))], ["INC-1"], "hours later neither");
});

test("errors of another service of the same host soon after are an incident of their own", () => {
  const { at, until, told } = machine();
  const errors = (name: string, atS: number): Anomaly => anomaly("a", `${name}_errors`, atS);
  at(10, errors("pay", 0));
  at(60, endedAt(errors("pay", 0), 60));
  until(200);
  at(300, errors("loans", 290));
  assert.deepEqual([...new Set(told.map(({ id }) => id))], ["INC-1", "INC-2"]);
  at(310, errors("pay", 305));
  assert.equal(
    told.findLast(({ id }) => id === "INC-1")?.state,
    "resolved",
    "near in time it is one trouble with the newest",
  );
});

test("two days without news, and it has expired; what goes on after all comes back", () => {
  const { at, until, now, told } = machine();
  at(10, cpuBusy("a", 0));
  at(10 + expireMs / 1000 - 10);
  assert.equal(now("INC-1")?.state, "open");
  at(10 + expireMs / 1000);
  assert.equal(now("INC-1")?.state, "expired");
  assert.notEqual(now("INC-1")?.resolvedMs, null);
  const laterS = 10 + expireMs / 1000 + 60;
  at(laterS, cpuBusy("a", 0, { score: 12, lastMs: startMs + laterS * 1000 }));
  until(laterS + 10);
  assert.equal(told.at(-1)?.state, "reopened");
});

test("a dead host's incident suppresses what else is wrong on it, in sight, until the host is back and that is not", () => {
  const { at, until, now } = machine();
  const slow = anomaly("a", "http_request_duration_seconds", 0);
  at(10, slow);
  const death = silent("a", 300);
  at(310, death);
  assert.equal(now("INC-1")?.suppressedBy, "INC-2");
  assert.equal(now("INC-1")?.state, "open", "it is not closed by that");
  assert.deepEqual(now("INC-1")?.timeline.at(-1)?.text, {
    key: "timeline.suppressed",
    args: { incident: "INC-2" },
  });
  assert.equal(now("INC-2")?.suppressedBy, null);
  at(400, endedAt(death, 400));
  until(410);
  assert.equal(now("INC-1")?.suppressedBy, "INC-2", "it gets a moment to show that it is over");
  until(450);
  assert.equal(now("INC-1")?.suppressedBy, null);
  assert.equal(now("INC-1")?.timeline.at(-1)?.text.key, "timeline.unsuppressed");
});

test("what ends while its host comes back is not called back first", () => {
  const { at, until, now } = machine();
  const slow = anomaly("a", "http_request_duration_seconds", 0);
  at(10, slow);
  at(310, silent("a", 300));
  at(400, endedAt(silent("a", 300), 400));
  at(420, endedAt(slow, 420));
  until(600);
  const keys = now("INC-1")?.timeline.map(({ text }) => text.key) ?? [];
  assert.ok(!keys.includes("timeline.unsuppressed"), keys.join());
  assert.deepEqual([now("INC-1")?.state, now("INC-1")?.suppressedBy], ["resolved", null]);
});

test("an incident with trouble on a host that lives is suppressed by nobody, and a dead agent suppresses nothing", () => {
  const { at, now } = machine(["a", "b"]);
  at(10, anomaly("a", "http_request_duration_seconds", 0), anomaly("b", "http_request_duration_seconds", 0));
  at(310, silent("a", 300));
  assert.equal(now("INC-1")?.suppressedBy, null);
  const other = machine();
  other.at(10, anomaly("a", "http_request_duration_seconds", 0));
  other.at(310, { ...silent("a", 300), entity: { kind: "agent", host: "a", name: "" } });
  assert.equal(other.now("INC-1")?.suppressedBy, null);
});

test("money that does not move is worse than any busy processor", () => {
  const busy = ["a", "b", "c", "d"].map((host) => cpuBusy(host, 0, { detector: "bound" }));
  assert.equal(severityOf(busy), "major");
  assert.equal(severityOf([counted("transactions", 100, "reason.failed", "reason.most")]), "critical");
  assert.equal(severityOf([counted("transactions", 0, "reason.volume")]), "critical");
  assert.equal(severityOf([counted("transactions", 100, "reason.failed")]), "major");
  assert.equal(severityOf([counted("requests", 100, "reason.failed", "reason.most")]), "major");
  assert.equal(severityOf([counted("requests", 100, "reason.failed")]), "warning");
  assert.equal(severityOf(["a", "b", "c"].map((host) => silent(host, 0))), "critical");
});

test("what customers feel is in the sentence before what only operators see, however sure detection is of that", () => {
  const failing = counted("transactions", 100, "reason.failed");
  const { at } = machine();
  const [incident] = at(10, cpuBusy("pay", 0, { score: 16 }), { ...failing, score: 3 });
  assert.equal(incident?.title.args["symptom"], "symptom.failed_transactions");
  assert.equal(incident?.severity, "major");
});
