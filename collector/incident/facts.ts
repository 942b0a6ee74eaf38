/** The part of an incident that is a function of its suspicion alone: how bad, the sentence, who is in it. Bounded, however many they are. */
import { whereFelt } from "#shared/anomaly.ts";
import { causeConfidenceMin, type Incident, type Text } from "#shared/contract/incident.ts";
import { entityId } from "#shared/entity.ts";
import { limits } from "#shared/limits.ts";
import type { Suspicion } from "#shared/suspicion.ts";
import { severityOf } from "./severity.ts";

const evidenceMax = 50;
/** Upper ends of the classes of size: what is between two of them is told as the same. */
const sizeSteps: readonly number[] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000,
  3_000, 5_000, 7_000, 10_000,
];

export type Facts = ReturnType<typeof factsOf>;

export function factsOf(suspicion: Suspicion) {
  const hosts = hostsOf(suspicion.symptoms);
  return {
    severity: severityOf(suspicion.symptoms),
    title: titleOf(suspicion),
    startedMs: suspicion.startedMs,
    hosts: hosts.slice(0, limits.incidentHostsMax),
    hostCount: hosts.length,
    impact: [...suspicion.impact],
    story: suspicion.story,
    causes: [...suspicion.causes],
    symptoms: suspicion.shown.slice(0, evidenceMax),
    entities: entitiesOf(suspicion),
    changes: [...suspicion.changes],
    completeness: suspicion.symptoms.reduce((least, { completeness }) => Math.min(least, completeness), 1),
  };
}

/** Hosts with an open symptom, and of those the ones that are silent themselves or cut off. */
export function whereOf({ symptoms }: Suspicion): { open: string[]; down: string[] } {
  const open = symptoms.filter(({ ended }) => !ended);
  const down = open.filter(({ detector, entity }) => detector === "absence" && entity.kind !== "agent");
  return { open: hostsOf(open), down: hostsOf(down) };
}

/** How large it is, as a class: growing by one of a thousand is no news. */
export function sizeOf({ symptoms }: Suspicion, hostCount: number): string {
  const open = symptoms.reduce((sum, { ended }) => sum + Number(!ended), 0);
  return `${classOf(hostCount)}/${classOf(open)}`;
}

export function classOf(count: number): number {
  const index = sizeSteps.findIndex((step) => count <= step);
  return index === -1 ? sizeSteps.length : index;
}

function hostsOf(symptoms: Suspicion["symptoms"]): string[] {
  return [...new Set(symptoms.map(whereFelt))];
}

function titleOf(suspicion: Suspicion): Text {
  const symptom = suspicion.symptoms[0]!;
  const cause = suspicion.causes[0];
  const named = cause !== undefined && cause.confidence >= causeConfidenceMin;
  const hosts = new Set(hostsOf(suspicion.symptoms));
  const text = suspicion.symptomText;
  const args = { ...text.args, symptom: text.key, host: whereFelt(symptom), more: hosts.size - 1 };
  const several = hosts.size > 1;
  if (!named) return { key: several ? "incident.hosts_unknown" : "incident.unknown", args };
  if (symptom.group !== undefined && cause.entity === entityId(symptom.group.entity)) {
    const hosts = together(suspicion);
    if (symptom.group.entity.kind !== "group")
      return { key: "incident.partition", args: { ...cause.text.args, hosts, cause: cause.text.key } };
    const { hosts: members, entity } = symptom.group;
    // Of a place nobody has counted the hosts.
    if (members === undefined) return { key: "incident.place", args: { ...args, hosts, group: entity.host } };
    const key = hosts >= members ? "incident.group" : "incident.group_most";
    return { key, args: { ...args, hosts, members, group: entity.host } };
  }
  const silent = symptom.detector === "absence" && !several;
  // A port that closed, a filesystem that filled: the symptom says it all.
  const itself = cause.entity === entityId(symptom.entity) && !several;
  const change = suspicion.changes.find(({ id }) => id === cause.action);
  const after = change === undefined ? "" : "_change";
  const key = silent
    ? "incident.silent"
    : itself && change === undefined
      ? "incident.plain"
      : several
        ? `incident.hosts${after}`
        : `incident.cause${after}`;
  const changeArgs = change === undefined ? {} : { change: change.title, target: change.target };
  return { key, args: { ...cause.text.args, ...args, cause: cause.text.key, ...changeArgs } };
}

/** Hosts that detection says are in it together. */
function together({ symptoms }: Suspicion): number {
  return new Set(symptoms.filter(({ group }) => group !== undefined).map(({ host }) => host)).size;
}

function entitiesOf(suspicion: Suspicion): Incident["entities"] {
  const cause = suspicion.causes[0];
  const all = new Map<string, Incident["entities"][number]>();
  for (const anomaly of [...suspicion.symptoms, ...suspicion.evidence]) {
    const id = entityId(anomaly.entity);
    const role = id === cause?.entity && cause.confidence >= causeConfidenceMin ? "cause" : "affected";
    if (!all.has(id)) all.set(id, { id, ...anomaly.entity, role });
  }
  // What is to blame stays on the list, however many it has touched.
  const listed = [...all.values()].sort((a, b) => Number(b.role === "cause") - Number(a.role === "cause"));
  return listed.slice(0, evidenceMax);
}
