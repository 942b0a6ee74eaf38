// What siblings show together: one incident, also when that is found out only after some of them were told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCorrelate, rerankMs } from "#collector/correlate/correlate.ts";
import { createIncidents } from "#collector/incident/incident.ts";
import { createTopology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { languages, renderText } from "#shared/text/text.ts";
import { anomaly, cpuBusy, endedAt, processCpu, startMs } from "#test/collector/anomalies.ts";

const group = {
  id: "group|pay-*|1",
  entity: { kind: "group", host: "pay-*", name: "" },
  hosts: 6,
} as const;
const hosts = ["pay-01", "pay-02", "pay-03", "pay-04", "pay-05", "pay-06"];

const inGroup = (of: Anomaly): Anomaly => ({ ...of, group });

/** Plays anomalies one after the other; every incident as it was last told. */
function play(...all: Anomaly[]): Map<string, Incident> {
  const correlate = createCorrelate({ topology: createTopology() });
  const incidents = createIncidents();
  const last = new Map<string, Incident>();
  const hear = (told: readonly Incident[]) => {
    for (const incident of told) last.set(incident.id, incident);
  };
  let nowMs = startMs;
  for (const one of all) {
    nowMs = Math.max(nowMs, one.lastMs);
    hear(incidents.apply(correlate.add([one], nowMs), nowMs));
  }
  hear(incidents.apply(correlate.add([], nowMs + rerankMs), nowMs + rerankMs));
  hear(incidents.apply([], nowMs + 130_000));
  return last;
}

test("siblings that show the same are one incident that blames no host, though each has a busy process of its own", () => {
  const told = hosts.flatMap((host) => [processCpu(host, "java", 0, 0.48), inGroup(cpuBusy(host, 0))]);
  const [incident, ...others] = play(...told).values();
  assert.equal(others.length, 0);
  assert.equal(incident?.causes[0]?.entity, "group:pay-*");
  assert.equal(incident.causes[0].text.key, "cause.group");
  assert.deepEqual(incident.hosts.toSorted(), hosts);
  const [en, zh] = languages.map((language) => renderText(incident.title, language));
  assert.equal(en, "All 6 hosts of pay-*: CPU is 90 % busy (expected at most 30 %)");
  assert.equal(zh, "pay-* 全部 6 台主机：CPU 使用率 90 %（预期不超过 30 %）");
});

test("incidents of single hosts go over to the group's when it is found out later, and say so", () => {
  const early = hosts.slice(0, 3).map((host, at) => cpuBusy(host, 20 * at));
  const evidence = processCpu("pay-02", "java", 20, 0.4);
  const later = [...early, ...hosts.slice(3, 5).map((host) => cpuBusy(host, 100))].map(inGroup);
  const all = play(...early, evidence, ...later, endedAt(later[1]!, 200));
  assert.deepEqual(
    [...all.values()].map(({ id, state }) => [id, state]),
    [
      ["INC-1", "updating"],
      ["INC-2", "merged"],
      ["INC-3", "merged"],
    ],
  );
  const [first, second] = all.values();
  assert.equal(first?.title.key, "incident.group_most");
  assert.equal(first.title.args["hosts"], 5);
  assert.ok(first.entities.some(({ host, kind }) => host === "pay-02" && kind === "process"));
  assert.equal(second!.mergedInto, "INC-1");
  const keys = second!.timeline.map(({ text }) => text.key);
  assert.ok(keys.includes("timeline.merged") && !keys.includes("timeline.recovering"), keys.join());
});

test("what else these hosts suffer joins the group's incident, and evidence that all of them show says so", () => {
  const traffic = inGroup(anomaly("pay-01", "http_requests", 0, { kind: "traffic", role: "evidence" }));
  const memory = anomaly("pay-02", "system.memory.utilization", 30);
  const all = play(traffic, ...hosts.map((host) => inGroup(cpuBusy(host, 10))), memory);
  assert.equal(all.size, 1);
  const [incident] = all.values();
  assert.ok(incident!.causes[0]?.evidence.some(({ metric }) => metric === "http_requests") === true);
});

/** Four hosts of a service that detection calls one trouble, `atS` after the start. */
function siblings(service: string, atS: number): Anomaly[] {
  const id = `group|${service}-*|${startMs + atS * 1000}`;
  const group = { id, entity: { kind: "group", host: `${service}-*`, name: "" }, hosts: 4 } as const;
  return [1, 2, 3, 4].map((number) => ({ ...cpuBusy(`${service}-${number}`, atS), group }));
}

function inZone(zoneOf: (host: string) => string) {
  const topology = createTopology();
  const located = new Set<string>();
  return {
    topology,
    locate(host: string): void {
      if (!located.has(host)) topology.addresses(host, [], zoneOf(host));
      located.add(host);
    },
  };
}

/** Ids, states and titles of all incidents, as they were last told. With `restarts` from a snapshot before each anomaly. */
function outage(all: readonly Anomaly[], zoneOf: (host: string) => string, restarts = false): Incident[] {
  const zone = inZone(zoneOf);
  const { topology } = zone;
  let correlate = createCorrelate({ topology });
  const incidents = createIncidents();
  const last = new Map<string, Incident>();
  let nowMs = startMs;
  const hear = (anomalies: readonly Anomaly[]): void => {
    for (const told of incidents.apply(correlate.add(anomalies, nowMs), nowMs)) last.set(told.id, told);
  };
  for (const one of all) {
    zone.locate(one.host);
    nowMs = Math.max(nowMs, one.lastMs);
    if (restarts) correlate = createCorrelate({ topology, state: structuredClone(correlate.snapshot()) });
    hear([one]);
  }
  nowMs += rerankMs;
  hear([]);
  return [...last.values()];
}

const services = ["web", "pay", "ledger", "core-db", "mq"];

test("when several kinds of hosts in one zone fail within a minute it is the zone's incident, and later kinds join it", () => {
  const all = services.flatMap((service, index) => siblings(service, 12 * index));
  const ends = all.slice(0, 4).map((one) => endedAt(one, 100));
  const told = outage([...all, ...ends], () => "dc-2");
  const [first, ...others] = told;
  assert.deepEqual(
    others.map(({ state, mergedInto }) => [state, mergedInto]),
    others.map(() => ["merged", first?.id]),
  );
  assert.equal(first?.hostCount, 20);
  assert.equal(first.causes[0]?.entity, "group:dc-2");
  const [en, zh] = languages.map((language) => renderText(first.title, language));
  assert.equal(en, "20 hosts of dc-2: CPU is 90 % busy (expected at most 30 %)");
  assert.equal(zh, "dc-2 的 20 台主机：CPU 使用率 90 %（预期不超过 30 %）");
  assert.deepEqual(
    outage([...all, ...ends], () => "dc-2", true),
    told,
    "a restart in the middle of it tells the same",
  );
});

test("kinds of hosts that fail in different zones, or not within a minute, or only two of them, stay apart", () => {
  const all = services.slice(0, 3).flatMap((service) => siblings(service, 0));
  const apart = (told: readonly Incident[]): number => told.filter(({ state }) => state !== "merged").length;
  assert.equal(apart(outage(all, () => "dc-2")), 1);
  assert.equal(apart(outage(all, (host) => `dc of ${host.replace(/-\d+$/, "")}`)), 3);
  assert.equal(apart(outage(all.slice(0, 8), () => "dc-2")), 2);
  const slow = services.slice(0, 3).flatMap((service, index) => siblings(service, 70 * index));
  assert.equal(apart(outage(slow, () => "dc-2")), 3);
});
