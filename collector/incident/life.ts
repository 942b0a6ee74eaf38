/**
 * The life of one incident: what news and time make of its state.
 *
 * ```
 *            symptoms gone            quiet for resolveQuietMs
 *   open ------------------> recovering ----------------------> resolved
 *    | ^ <------------------ |  symptoms back                      |
 *    | +-----------------------------------------------------------+  reopened: the same trouble within reopenMs
 *    +--> updating: it has grown, or its cause or severity changed
 *   flapping: four openings and resolutions within half an hour: it stays open until it has been calm for a quarter of an hour
 *   merged: it goes on in another incident; expired: two days without news
 * ```
 * Before it is open it is pending: correlation keeps it to itself until detection, a second sample or company confirms it.
 */
import { type Cause, causeConfidenceMin, type Incident, isOver } from "#shared/contract/incident.ts";
import type { Suspicion } from "#shared/suspicion.ts";
import { entryAt, type Entry, revise, type TimelineEntry } from "./entry.ts";
import { type Facts, factsOf, sizeOf, whereOf } from "./facts.ts";
import { worse } from "./severity.ts";

/** Quiet for this long: resolved. Long enough for a fault that breathes, short enough to be believed. */
export const resolveQuietMs = 120_000;
export const reopenMs = 900_000;
/** So many openings and resolutions within this time are flapping; it ends after so much calm. */
export const flapTransitions = 4;
export const flapWindowMs = 1_800_000;
export const flapCalmMs = 900_000;
/** Without any news it is not known to go on: longer than a weekend's change freeze is watched by the same people. */
export const expireMs = 48 * 3_600_000;
/** It is called milder only when it has been so for a while: a severity that swings wakes people twice. */
export const milderAfterMs = 120_000;
/** What is no news, such as one host more of hundreds, is told after this long all the same. */
export const figuresMs = 30_000;
/** Another cause comes first at once when it is this much surer, else when it is first a second time. */
const rivalMargin = 0.1;

/** What a suspicion says of a known incident. True: so much changed that it is told. */
export function hear(entry: Entry, suspicion: Suspicion, nowMs: number): boolean {
  const before = entry.incident;
  const facts = factsOf(suspicion);
  const where = whereOf(suspicion);
  entry.suspicionId = suspicion.id;
  entry.active = suspicion.active;
  entry.quietSinceMs = suspicion.active ? null : (entry.quietSinceMs ?? nowMs);
  entry.heardMs = nowMs;
  entry.openHosts = where.open;
  entry.downHosts = where.down;
  if (isOver(before) && !comesBack(entry, suspicion, facts)) return false;
  entry.dismissed = false;
  const timeline: TimelineEntry[] = [];
  const life = stateAfter(entry, suspicion, nowMs, timeline);
  const told = suspicion.active ? steadied(entry, facts) : healing(before, facts);
  const severity = severityAfter(entry, suspicion.active, facts, nowMs);
  if (severity !== before.severity)
    timeline.push(entryAt(nowMs, "timeline.severity", { severity: `severity.${severity}` }));
  timeline.push(...causeEntries(before.causes, told.causes, nowMs));
  const size = sizeOf(suspicion, facts.hostCount);
  const isNews =
    timeline.length > 0 ||
    life.state !== before.state ||
    hasGrown(entry, size) ||
    firstNamed(before.causes) !== firstNamed(told.causes) ||
    idsOf(before.changes) !== idsOf(told.changes);
  if (!isNews) {
    const { hosts, hostCount, title } = told;
    entry.untold = hostCount === before.hostCount ? null : { hosts, hostCount, title };
    return false;
  }
  entry.untold = null;
  entry.size = size;
  const state = life.state === "open" && before.state === "open" ? "updating" : life.state;
  const startedMs = Math.min(before.startedMs, facts.startedMs);
  revise(entry, { ...told, ...life, state, startedMs, severity }, timeline, nowMs);
  return true;
}

/** What an operator has called over comes back with a sign that began later, or with a worse one. */
function comesBack({ incident, dismissed }: Entry, { active, symptoms }: Suspicion, facts: Facts): boolean {
  if (!active || !dismissed) return active;
  const isNew = symptoms.some(({ ended, startedMs }) => !ended && startedMs > (incident.resolvedMs ?? 0));
  return isNew || worse(incident.severity, facts.severity) !== incident.severity;
}

/** While it flaps, that its symptoms come and go is known. */
function hasGrown({ incident, size }: Entry, now: string): boolean {
  return incident.state === "flapping" ? size.split("/")[0] !== now.split("/")[0] : size !== now;
}

/** What time alone does. */
export function settle(entry: Entry, nowMs: number): void {
  const { incident, quietSinceMs, milder, untold } = entry;
  if (isOver(incident)) return;
  const quietMs = quietSinceMs === null ? 0 : nowMs - quietSinceMs;
  if (incident.state === "recovering" && quietMs >= resolveQuietMs) {
    end(entry, nowMs);
  } else if (incident.state === "flapping" && quietMs >= flapCalmMs) {
    entry.transitions = [];
    close(entry, "resolved", "timeline.calm", nowMs);
  } else if (nowMs - entry.heardMs >= expireMs) {
    close(entry, "expired", "timeline.expired", nowMs);
  } else if (untold !== null && nowMs - incident.updatedMs >= figuresMs) {
    entry.untold = null;
    revise(entry, untold, [], nowMs);
  } else if (milder !== null && entry.active && nowMs - milder.sinceMs >= milderAfterMs) {
    entry.milder = null;
    const args = { severity: `severity.${milder.severity}` };
    revise(entry, { severity: milder.severity }, [entryAt(nowMs, "timeline.severity", args)], nowMs);
  }
}

/** `entry` turned out to be `kept`, and is told there from now on. Who is on one of them is on it. */
export function merge(kept: Entry, entry: Entry, nowMs: number): void {
  const into = kept.incident.id;
  const { id, owner, acknowledgements } = entry.incident;
  const change = { state: "merged", mergedInto: into, suppressedBy: null, resolvedMs: nowMs } as const;
  revise(entry, change, [entryAt(nowMs, "timeline.merged", { incident: into })], nowMs);
  Object.assign(entry, { active: false, fingerprint: "", suspicionId: "", openHosts: [], downHosts: [] });
  const before = kept.incident;
  const both = [...before.acknowledgements, ...acknowledgements].sort((a, b) => a.atMs - b.atMs);
  const onIt = { owner: before.owner ?? owner, acknowledgements: both };
  revise(kept, onIt, [entryAt(nowMs, "timeline.absorbed", { incident: id })], nowMs);
}

/** An operator says that it is over. What he says is no flapping. */
export function resolveBy(entry: Entry, by: string, nowMs: number): void {
  if (isOver(entry.incident)) return;
  entry.transitions = [];
  entry.dismissed = true;
  const change = { state: "resolved", resolvedMs: nowMs, suppressedBy: null } as const;
  revise(entry, change, [entryAt(nowMs, "timeline.resolved_by", { by })], nowMs);
}

type Life = Pick<Incident, "state" | "resolvedMs" | "reopened">;

function stateAfter(entry: Entry, suspicion: Suspicion, nowMs: number, timeline: TimelineEntry[]): Life {
  const { state, resolvedMs, reopened } = entry.incident;
  const same: Life = { state, resolvedMs, reopened };
  if (suspicion.active && isOver(entry.incident)) {
    timeline.push(entryAt(nowMs, "timeline.reopened"));
    const flapping = turn(entry, nowMs);
    if (flapping) timeline.push(entryAt(nowMs, "timeline.flapping"));
    return { state: flapping ? "flapping" : "reopened", resolvedMs: null, reopened: reopened + 1 };
  }
  if (suspicion.active && state === "recovering") {
    timeline.push(entryAt(nowMs, "timeline.relapsed"));
    return { ...same, state: "open" };
  }
  if (!suspicion.active && state !== "recovering" && state !== "flapping") {
    timeline.push(endEntry(suspicion, nowMs));
    return { ...same, state: "recovering" };
  }
  return same;
}

/** It stayed quiet: resolved, unless it comes and goes so often that nobody would believe it. */
function end(entry: Entry, nowMs: number): void {
  if (turn(entry, nowMs)) revise(entry, { state: "flapping" }, [entryAt(nowMs, "timeline.flapping")], nowMs);
  else close(entry, "resolved", "timeline.resolved", nowMs);
}

function close(entry: Entry, state: "resolved" | "expired", key: string, nowMs: number): void {
  revise(entry, { state, resolvedMs: nowMs, suppressedBy: null }, [entryAt(nowMs, key)], nowMs);
}

/** One more opening or resolution. True: it is flapping. */
function turn(entry: Entry, nowMs: number): boolean {
  const recent = entry.transitions.filter((atMs) => nowMs - atMs <= flapWindowMs);
  entry.transitions = [...recent, nowMs].slice(-flapTransitions);
  return entry.transitions.length >= flapTransitions;
}

/** What an incident was at its worst is what it was: it does not shrink while it heals. */
function healing(before: Incident, facts: Facts): Facts {
  const { title, story, impact, causes } = before;
  return { ...facts, title, story, impact, causes: merged(causes, facts.causes) };
}

/**
 * What is first stays first while another is hardly surer: a cause that swings helps nobody. Unless it is over, and the other is not: nothing
 * that has ended makes a host fall silent now.
 */
function steadied(entry: Entry, facts: Facts): Facts {
  const { incident } = entry;
  const held = firstNamed(incident.causes);
  const [first] = facts.causes;
  const again = facts.causes.find(({ entity }) => entity === held);
  const close =
    held !== null &&
    first !== undefined &&
    again !== undefined &&
    first !== again &&
    again.confidence >= causeConfidenceMin &&
    !(isPast(again) && !isPast(first));
  if (!close || first.confidence - again.confidence >= rivalMargin || entry.rival === first.entity) {
    entry.rival = null;
    return facts;
  }
  entry.rival = first.entity;
  const causes = [again, ...facts.causes.filter((cause) => cause !== again)];
  return { ...facts, causes, title: incident.title, story: incident.story };
}

function isPast({ evidence }: Cause): boolean {
  return evidence.every(({ ended }) => ended);
}

function severityAfter(entry: Entry, active: boolean, facts: Facts, nowMs: number): Incident["severity"] {
  const before = entry.incident.severity;
  const worst = worse(before, facts.severity);
  if (worst === facts.severity || !active) {
    entry.milder = null;
    return worst;
  }
  const { milder } = entry;
  const sinceMs = milder?.severity === facts.severity ? milder.sinceMs : nowMs;
  entry.milder = { severity: facts.severity, sinceMs };
  return before;
}

/** Every symptom has ended: by itself, or because its host counts as taken out of service. */
function endEntry({ symptoms }: Suspicion, nowMs: number): TimelineEntry {
  const gone = symptoms.filter(({ reasons }) => reasons.some(({ key }) => key === "reason.gone"));
  const [first] = gone;
  if (first === undefined) return entryAt(nowMs, "timeline.recovering");
  const silent = first.lastMs - first.startedMs;
  if (gone.length > 1) return entryAt(nowMs, "timeline.gone_hosts", { hosts: gone.length, silent });
  return entryAt(nowMs, "timeline.gone", { host: first.host, silent });
}

export function causeEntries(
  before: readonly Cause[],
  after: readonly Cause[],
  nowMs: number,
): TimelineEntry[] {
  const cause = after[0];
  if (cause === undefined || cause.confidence < causeConfidenceMin || before[0]?.entity === cause.entity)
    return [];
  return [entryAt(nowMs, "timeline.cause", { ...cause.text.args, cause: cause.text.key })];
}

export function firstNamed([first]: readonly Cause[]): string | null {
  return first !== undefined && first.confidence >= causeConfidenceMin ? first.entity : null;
}

function idsOf(changes: Incident["changes"]): string {
  return changes.map(({ id }) => id).join("\n");
}

function merged(before: readonly Cause[], after: readonly Cause[]): Cause[] {
  return before.length > 0
    ? before.map((cause) => after.find(({ entity }) => entity === cause.entity) ?? cause)
    : [...after];
}
