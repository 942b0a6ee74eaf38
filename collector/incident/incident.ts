/**
 * Incidents: a pure state machine over suspicions, commands and the journal's time; the same input gives the same incidents, ids
 * included.
 *
 * One group is one incident; a group that is the same trouble as an incident that ended a short while ago reopens it, and a group that
 * became part of another merges its incident into the other's: the older id lives on. A new outage is never swallowed: whatever is not
 * the same trouble opens its own. `life.ts` is what becomes of one incident, `facts.ts` what it says, `fingerprint.ts` what it is like,
 * `suppression.ts` what a dead host speaks for, `answers.ts` what operators say.
 */
import { type Incident, isOver } from "#shared/contract/incident.ts";
import type { Suspicion } from "#shared/suspicion.ts";
import { acknowledge, answerTo, confirmCause, type IncidentCommand, recall } from "./answers.ts";
import { entryAt, type Entry } from "./entry.ts";
import { factsOf, sizeOf, whereOf } from "./facts.ts";
import { featuresOf, Library, type Remembered } from "./fingerprint.ts";
import { causeEntries, expireMs, firstNamed, hear, merge, reopenMs, resolveBy, settle } from "./life.ts";
import { Suppression } from "./suppression.ts";

/** Incidents that are over stay in memory, after their last change, for a late reopening only. */
const forgetMs = 2 * reopenMs;

export type { FeedbackCommand, IncidentCommand } from "./answers.ts";

export interface Incidents {
  /** Incidents that changed because of `suspicions` and of time; each once, with its revision one higher. */
  apply(suspicions: readonly Suspicion[], nowMs: number): Incident[];
  /** The changed incident, or undefined when there is no such incident in memory (it ended long ago, or never was). */
  command(command: IncidentCommand, nowMs: number): Incident | undefined;
  /** Whether an incident tells of the group. */
  tells(suspicionId: string): boolean;
  /** An incident in memory: open, or ended or answered so recently that it may change again. */
  incident(id: string): Incident | undefined;
  /** Those that are not over. */
  open(): Incident[];
  snapshot(): IncidentsState;
}

/** Plain JSON. */
export interface IncidentsState {
  readonly next: number;
  readonly entries: readonly Entry[];
  readonly library: readonly Remembered[];
}

export function createIncidents(state?: IncidentsState): Incidents {
  let next = state?.next ?? 1;
  let entries: Entry[] = (state?.entries ?? []).map((entry) => ({ ...entry }));
  const library = new Library(state?.library);
  const suppression = new Suppression();

  const entryOf = (suspicion: Suspicion, nowMs: number): Entry | undefined =>
    entries.find(({ suspicionId }) => suspicionId === suspicion.id) ??
    entries.find(
      (entry) =>
        suspicion.active &&
        !entry.active &&
        (entry.incident.resolvedMs === null || nowMs - entry.incident.resolvedMs <= reopenMs) &&
        isSameTrouble(entry, suspicion),
    );

  /** The oldest of the incidents that this suspicion tells of; the others become part of it. */
  const united = (suspicion: Suspicion, nowMs: number): Entry | undefined => {
    const known = entryOf(suspicion, nowMs);
    const { absorbed } = suspicion;
    const [first, ...others] = entries.filter(
      (entry) => !isOver(entry.incident) && (entry === known || absorbed.includes(entry.suspicionId)),
    );
    if (first === undefined) return known;
    for (const entry of others) merge(first, entry, nowMs);
    // What was over stays what it was; its group goes on in this one.
    if (known !== undefined && known !== first && isOver(known.incident)) known.suspicionId = "";
    return first;
  };

  const follow = (suspicion: Suspicion, nowMs: number): void => {
    const known = united(suspicion, nowMs);
    if (known === undefined) {
      if (!suspicion.active) return;
      entries.push(open(`INC-${next}`, suspicion, library, nowMs));
      next += 1;
      return;
    }
    if (!hear(known, suspicion, nowMs)) return;
    known.features = featuresOf(suspicion, known.incident.severity);
    const { incident, features } = known;
    known.incident = { ...incident, similar: library.similar(incident.id, features) };
  };

  return {
    apply(suspicions, nowMs) {
      const before = new Map(entries.map((entry) => [entry, entry.incident]));
      for (const suspicion of suspicions) follow(suspicion, nowMs);
      for (const entry of entries) settle(entry, nowMs);
      suppression.mark(entries, nowMs);
      const changed = entries.filter((entry) => before.get(entry) !== entry.incident);
      for (const entry of changed) {
        // What happened to it at one moment is one change.
        entry.incident = { ...entry.incident, revision: (before.get(entry)?.revision ?? 0) + 1 };
        library.remember(entry.incident, entry.features);
      }
      entries = entries.filter((entry) => isRemembered(entry, nowMs));
      return changed.map(({ incident }) => incident);
    },
    command(command, nowMs) {
      const known = entries.find(({ incident }) => incident.id === command.incident);
      const entry = known ?? recall(command, nowMs);
      if (entry === undefined) return undefined;
      if (known === undefined) entries.push(entry);
      entry.heardMs = nowMs;
      switch (command.kind) {
        case "acknowledge":
          acknowledge(entry, command, nowMs);
          break;
        case "resolve":
          resolveBy(entry, command.by, nowMs);
          library.remember(entry.incident, entry.features);
          break;
        case "feedback":
          answerTo(entry, command, nowMs);
          break;
        case "cause":
          confirmCause(entry, command, nowMs);
          library.correct(entry.incident);
          break;
      }
      return entry.incident;
    },
    tells: (id) => entries.some(({ suspicionId }) => suspicionId === id),
    incident: (id) => entries.find(({ incident }) => incident.id === id)?.incident,
    open: () => entries.map(({ incident }) => incident).filter((incident) => !isOver(incident)),
    snapshot: () => ({ next, entries: entries.map((entry) => ({ ...entry })), library: library.state() }),
  };
}

/**
 * Another group soon after is the same trouble again if the same is to blame. The same symptom alone says so only while nobody knows what was to
 * blame for the first: customers feel different faults alike.
 */
function isSameTrouble({ fingerprint, incident }: Entry, suspicion: Suspicion): boolean {
  const [before, now] = [firstNamed(incident.causes), firstNamed(suspicion.causes)];
  if (incident.state === "merged") return false;
  if (before !== null) return before === now;
  return fingerprint === suspicion.fingerprint;
}

/** What an operator has called over while signs are left stays known, or those signs would be an incident again. */
function isRemembered({ incident, dismissed, active, heardMs }: Entry, nowMs: number): boolean {
  if (!isOver(incident) || nowMs - incident.updatedMs <= forgetMs) return true;
  return dismissed && active && nowMs - heardMs <= expireMs;
}

function open(id: string, suspicion: Suspicion, library: Library, nowMs: number): Entry {
  const facts = factsOf(suspicion);
  const where = whereOf(suspicion);
  const features = featuresOf(suspicion, facts.severity);
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
    mergedInto: null,
    suppressedBy: null,
    similar: library.similar(id, features),
    confirmedCause: null,
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
    heardMs: nowMs,
    transitions: [nowMs],
    milder: null,
    rival: null,
    size: sizeOf(suspicion, facts.hostCount),
    untold: null,
    openHosts: where.open,
    downHosts: where.down,
    backSinceMs: null,
    dismissed: false,
    features,
  };
}
