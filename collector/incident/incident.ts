/**
 * The life of an incident: open, updated, acknowledged, recovering, resolved, reopened. A pure state machine over
 * suspicions, commands and the journal's time; the same input gives the same incidents, ids included.
 *
 * ```
 *            symptoms gone            quiet for resolveQuietMs
 *   open ------------------> recovering ----------------------> resolved
 *     ^ <------------------ |  symptoms back                       |
 *     +------------------------------------------------------------+  same trouble within reopenMs
 * ```
 * One group is one incident; a group that is the same trouble as an incident resolved a short while ago reopens it. A new
 * outage is never swallowed: whatever is not the same trouble opens its own.
 */
import {
  type Cause,
  causeConfidenceMin,
  type Incident,
  severities,
  type Severity,
  type Text,
  type Verdict,
} from "#shared/contract/incident.ts";
import { entityId } from "#shared/entity.ts";
import type { Suspicion } from "#shared/suspicion.ts";
import { severityOf } from "./severity.ts";

/** Quiet for this long: resolved. Long enough for a fault that breathes, short enough to be believed. */
export const resolveQuietMs = 120_000;
export const reopenMs = 900_000;
/** Changes of figures alone are told at most this often. */
const figuresMs = 30_000;
const evidenceMax = 50;
const timelineMax = 200;
/** Resolved incidents stay in memory, after their last change, for a late reopening only. */
const forgetMs = 2 * reopenMs;

export interface AcknowledgeCommand {
  readonly kind: "acknowledge" | "resolve";
  readonly incident: string;
  readonly by: string;
  readonly comment: string;
}

/** An operator's answer to "was this useful?"; `none` withdraws it. */
export interface FeedbackCommand {
  readonly kind: "feedback";
  readonly incident: string;
  readonly verdict: Verdict | "none";
  readonly by: string;
  readonly comment: string;
  /** The incident as it was last told, when it resolved so long ago that it may not be in memory. */
  readonly recalled?: Incident | undefined;
}

export type IncidentCommand = AcknowledgeCommand | FeedbackCommand;

export interface Incidents {
  /** Incidents that changed because of `suspicions` and of time; each with its revision one higher. */
  apply(suspicions: readonly Suspicion[], nowMs: number): Incident[];
  /** The changed incident, or undefined when there is no such incident in memory (it resolved long ago, or never was). */
  command(command: IncidentCommand, nowMs: number): Incident | undefined;
  /** An incident in memory: open, or resolved or answered so recently that it may change again. */
  incident(id: string): Incident | undefined;
  /** Those that are not resolved. */
  open(): Incident[];
  snapshot(): IncidentsState;
}

/** Plain JSON. */
export interface IncidentsState {
  readonly next: number;
  readonly entries: readonly Entry[];
}

interface Entry {
  incident: Incident;
  /** Groups that this incident tells of; the last one is current. */
  suspicionId: string;
  fingerprint: string;
  active: boolean;
  quietSinceMs: number | null;
  figuresToldMs: number;
}

export function createIncidents(state?: IncidentsState): Incidents {
  let next = state?.next ?? 1;
  const entries: Entry[] = (state?.entries ?? []).map((entry) => ({ ...entry }));

  const entryOf = (suspicion: Suspicion, nowMs: number): Entry | undefined =>
    entries.find(({ suspicionId }) => suspicionId === suspicion.id) ??
    entries.find(
      ({ fingerprint, incident }) =>
        fingerprint === suspicion.fingerprint &&
        suspicion.active &&
        (incident.resolvedMs === null || nowMs - incident.resolvedMs <= reopenMs),
    );

  const hear = (suspicion: Suspicion, nowMs: number): Incident | undefined => {
    const known = entryOf(suspicion, nowMs);
    if (known !== undefined) return update(known, suspicion, nowMs);
    if (!suspicion.active) return undefined;
    const entry = open(`INC-${next}`, suspicion, nowMs);
    next += 1;
    entries.push(entry);
    return entry.incident;
  };

  return {
    apply(suspicions, nowMs) {
      const changed = new Map<string, Incident>();
      for (const suspicion of suspicions) {
        const incident = hear(suspicion, nowMs);
        if (incident !== undefined) changed.set(incident.id, incident);
      }
      for (const entry of entries) {
        const incident = settle(entry, nowMs);
        if (incident !== undefined) changed.set(incident.id, incident);
      }
      forget(entries, nowMs);
      return [...changed.values()];
    },
    command(command, nowMs) {
      const known = entries.find(({ incident }) => incident.id === command.incident);
      const entry = known ?? recall(command);
      if (entry === undefined) return undefined;
      if (known === undefined) entries.push(entry);
      switch (command.kind) {
        case "acknowledge":
          return acknowledge(entry, command, nowMs);
        case "resolve":
          return resolveBy(entry, command, nowMs);
        case "feedback":
          return answer(entry, command, nowMs);
      }
    },
    incident: (id) => entries.find(({ incident }) => incident.id === id)?.incident,
    open: () => entries.map(({ incident }) => incident).filter(({ state }) => state !== "resolved"),
    snapshot: () => ({ next, entries: entries.map((entry) => ({ ...entry })) }),
  };
}

function open(id: string, suspicion: Suspicion, nowMs: number): Entry {
  const facts = factsOf(suspicion);
  const timeline = [
    entryAt(suspicion.startedMs, "timeline.started"),
    entryAt(suspicion.detectedMs, "timeline.opened"),
    ...causeEntries([], facts.causes, nowMs),
  ];
  const incident: Incident = {
    id,
    revision: 1,
    state: "open",
    detectedMs: suspicion.detectedMs,
    updatedMs: nowMs,
    resolvedMs: null,
    reopened: 0,
    owner: null,
    acknowledgements: [],
    feedback: null,
    timeline,
    ...facts,
  };
  return {
    incident,
    suspicionId: suspicion.id,
    fingerprint: suspicion.fingerprint,
    active: true,
    quietSinceMs: null,
    figuresToldMs: nowMs,
  };
}

/** The part of an incident that is a function of its suspicion alone. */
function factsOf(suspicion: Suspicion) {
  return {
    severity: severityOf(suspicion.symptoms),
    title: titleOf(suspicion),
    startedMs: suspicion.startedMs,
    hosts: [...new Set(suspicion.symptoms.map(({ host }) => host))],
    impact: [...suspicion.impact],
    causes: [...suspicion.causes],
    symptoms: suspicion.shown.slice(0, evidenceMax),
    entities: entitiesOf(suspicion),
    completeness: Math.min(1, ...suspicion.symptoms.map(({ completeness }) => completeness)),
  };
}

function update(entry: Entry, suspicion: Suspicion, nowMs: number): Incident | undefined {
  const before = entry.incident;
  const facts = factsOf(suspicion);
  const timeline: Incident["timeline"] = [];
  let { state, resolvedMs, reopened } = before;
  if (suspicion.active && state === "resolved") {
    timeline.push(entryAt(nowMs, "timeline.reopened"));
    reopened += 1;
    resolvedMs = null;
    state = "open";
  } else if (suspicion.active && state === "recovering") {
    timeline.push(entryAt(nowMs, "timeline.relapsed"));
    state = "open";
  } else if (!suspicion.active && state === "open") {
    timeline.push(endEntry(suspicion, nowMs));
    state = "recovering";
  }
  entry.suspicionId = suspicion.id;
  entry.active = suspicion.active;
  entry.quietSinceMs = suspicion.active ? null : (entry.quietSinceMs ?? nowMs);
  if (state === "resolved") return undefined;
  // What an incident was at its worst is what it was: it does not shrink while it heals.
  const healing = state === "recovering";
  const severity = healing ? worse(before.severity, facts.severity) : facts.severity;
  const told = healing
    ? { ...facts, title: before.title, causes: merged(before.causes, facts.causes) }
    : facts;
  if (severity !== before.severity)
    timeline.push(entryAt(nowMs, "timeline.severity", { severity: `severity.${severity}` }));
  timeline.push(...causeEntries(before.causes, told.causes, nowMs));
  const figuresOnly = timeline.length === 0 && before.symptoms.length === facts.symptoms.length;
  if (figuresOnly && nowMs - entry.figuresToldMs < figuresMs) return undefined;
  entry.figuresToldMs = nowMs;
  const startedMs = Math.min(before.startedMs, facts.startedMs);
  return revise(entry, { ...told, startedMs, severity, state, resolvedMs, reopened }, timeline, nowMs);
}

/** What time alone does: an incident that stayed quiet is resolved. */
function settle(entry: Entry, nowMs: number): Incident | undefined {
  if (entry.incident.state !== "recovering" || entry.quietSinceMs === null) return undefined;
  if (nowMs - entry.quietSinceMs < resolveQuietMs) return undefined;
  return revise(
    entry,
    { state: "resolved", resolvedMs: nowMs },
    [entryAt(nowMs, "timeline.resolved")],
    nowMs,
  );
}

function acknowledge(entry: Entry, command: AcknowledgeCommand, nowMs: number): Incident {
  const { by, comment } = command;
  const acknowledgements = [...entry.incident.acknowledgements, { by, atMs: nowMs, comment }];
  const timeline = [entryAt(nowMs, "timeline.acknowledged", { by })];
  return revise(entry, { owner: by, acknowledgements }, timeline, nowMs);
}

function resolveBy(entry: Entry, command: AcknowledgeCommand, nowMs: number): Incident {
  if (entry.incident.state === "resolved") return entry.incident;
  const timeline = [entryAt(nowMs, "timeline.resolved_by", { by: command.by })];
  return revise(entry, { state: "resolved", resolvedMs: nowMs }, timeline, nowMs);
}

function answer(entry: Entry, command: FeedbackCommand, nowMs: number): Incident {
  const { verdict, by, comment } = command;
  if (verdict === "none") {
    if (entry.incident.feedback === null) return entry.incident;
    return revise(entry, { feedback: null }, [entryAt(nowMs, "timeline.feedback_withdrawn", { by })], nowMs);
  }
  const feedback = { verdict, by, atMs: nowMs, comment };
  return revise(entry, { feedback }, [entryAt(nowMs, `timeline.feedback_${verdict}`, { by })], nowMs);
}

/** Back in memory for as long as after its end, so that two answers at once do not both change the same revision. */
function recall(command: IncidentCommand): Entry | undefined {
  if (command.kind !== "feedback" || command.recalled?.state !== "resolved") return undefined;
  const incident = command.recalled;
  // No group is it any more: what begins now is new trouble, or another incident's.
  return { incident, suspicionId: "", fingerprint: "", active: false, quietSinceMs: null, figuresToldMs: 0 };
}

function revise(
  entry: Entry,
  change: Partial<Incident>,
  timeline: Incident["timeline"],
  nowMs: number,
): Incident {
  const before = entry.incident;
  entry.incident = {
    ...before,
    ...change,
    revision: before.revision + 1,
    updatedMs: nowMs,
    timeline: [...before.timeline, ...timeline].slice(-timelineMax),
  };
  return entry.incident;
}

function forget(entries: Entry[], nowMs: number): void {
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    const { resolvedMs, updatedMs } = entries[index]!.incident;
    if (resolvedMs !== null && nowMs - updatedMs > forgetMs) entries.splice(index, 1);
  }
}

function titleOf(suspicion: Suspicion): Text {
  const symptom = suspicion.symptoms[0]!;
  const cause = suspicion.causes[0];
  const named = cause !== undefined && cause.confidence >= causeConfidenceMin;
  const hosts = new Set(suspicion.symptoms.map(({ host }) => host));
  const text = suspicion.symptomText;
  const args = { ...text.args, symptom: text.key, host: symptom.host, more: hosts.size - 1 };
  const several = hosts.size > 1;
  if (!named) return { key: several ? "incident.hosts_unknown" : "incident.unknown", args };
  if (symptom.group !== undefined && cause.entity === entityId(symptom.group.entity)) {
    const hosts = together(suspicion);
    if (symptom.group.entity.kind !== "group")
      return { key: "incident.partition", args: { ...cause.text.args, hosts, cause: cause.text.key } };
    const { hosts: members = hosts, entity } = symptom.group;
    const key = hosts >= members ? "incident.group" : "incident.group_most";
    return { key, args: { ...args, hosts, members, group: entity.host } };
  }
  const silent = symptom.detector === "absence" && !several;
  // A port that closed, a filesystem that filled: the symptom says it all.
  const itself = cause.entity === entityId(symptom.entity) && !several;
  const key = silent
    ? "incident.silent"
    : itself
      ? "incident.plain"
      : several
        ? "incident.hosts"
        : "incident.cause";
  return { key, args: { ...cause.text.args, ...args, cause: cause.text.key } };
}

/** Hosts that detection says are in it together. */
function together({ symptoms }: Suspicion): number {
  return new Set(symptoms.filter(({ group }) => group !== undefined).map(({ host }) => host)).size;
}

/** Every symptom has ended: by itself, or because its host counts as taken out of service. */
function endEntry({ symptoms }: Suspicion, nowMs: number): Incident["timeline"][number] {
  const gone = symptoms.filter(({ reasons }) => reasons.some(({ key }) => key === "reason.gone"));
  const joined = symptoms.find(({ ended, reasons }) => ended && reasons.at(-1)?.key === "reason.joined");
  if (joined !== undefined) return entryAt(nowMs, "timeline.joined", joined.reasons.at(-1)!.args);
  const [first] = gone;
  if (first === undefined) return entryAt(nowMs, "timeline.recovering");
  const silent = first.lastMs - first.startedMs;
  if (gone.length > 1) return entryAt(nowMs, "timeline.gone_hosts", { hosts: gone.length, silent });
  return entryAt(nowMs, "timeline.gone", { host: first.host, silent });
}

function causeEntries(
  before: readonly Cause[],
  after: readonly Cause[],
  nowMs: number,
): Incident["timeline"] {
  const cause = after[0];
  if (cause === undefined || cause.confidence < causeConfidenceMin || before[0]?.entity === cause.entity)
    return [];
  return [
    { atMs: nowMs, text: { key: "timeline.cause", args: { ...cause.text.args, cause: cause.text.key } } },
  ];
}

function merged(before: readonly Cause[], after: readonly Cause[]): Cause[] {
  return before.length > 0
    ? before.map((cause) => after.find(({ entity }) => entity === cause.entity) ?? cause)
    : [...after];
}

function entitiesOf(suspicion: Suspicion): Incident["entities"] {
  const cause = suspicion.causes[0];
  const all = new Map<string, Incident["entities"][number]>();
  for (const anomaly of [...suspicion.symptoms, ...suspicion.evidence]) {
    const id = entityId(anomaly.entity);
    const role = id === cause?.entity && cause.confidence >= causeConfidenceMin ? "cause" : "affected";
    if (!all.has(id)) all.set(id, { id, ...anomaly.entity, role });
  }
  return [...all.values()].slice(0, evidenceMax);
}

function entryAt(atMs: number, key: string, args: Text["args"] = {}): Incident["timeline"][number] {
  return { atMs, text: { key, args } };
}

function worse(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) >= severities.indexOf(b) ? a : b;
}
