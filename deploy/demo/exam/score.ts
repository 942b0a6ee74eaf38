/**
 * What an exam says of one fault, and of all: from what was really done and what the collector told. Pure.
 *
 * The figures are those that decide in the field whether a tool is believed: was it noticed, how soon, in how many incidents, did the
 * first cause named deserve it, and how often was there a cry when nothing was wrong. An incident counts for a fault when it was opened
 * (or reopened) while the fault was on or shortly after, and has something on the hosts that the fault reaches; a cause is right when
 * it names the guilty service or process, by whichever of its ids (service, process, port) on the right host.
 */
import type { Incident } from "#shared/contract/incident.ts";
import { meaningOf } from "#shared/semantics.ts";
import { parseEntity } from "../../drill/entity.ts";
import type { TrueCause } from "../faults/fault.ts";
import { isServiceName, layout, reachedBy, servicesOf } from "../layout.ts";

/** One state of an incident, as it was told. */
export interface Told {
  readonly atMs: number;
  readonly incident: Incident;
}

export interface FaultRun {
  readonly fault: string;
  readonly cause: TrueCause;
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface FaultScore {
  readonly fault: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly detected: boolean;
  /** From the fault's start to the incident's; null when it was not detected. */
  readonly secondsToDetect: number | null;
  /** Opened or reopened in the fault's time, whatever they are of; those that were merged into others are not counted. */
  readonly incidents: number;
  /** Place of the true cause among those named, from 1; null when it is not among them. */
  readonly rank: number | null;
  /** The same, of anything on the right host. */
  readonly hostRank: number | null;
  /** Whether the right cause is shown by the right resource; null when there is no right cause, or no resource is short. */
  readonly resourceRight: boolean | null;
  /** Whether the guilty change is the first of those named; null when no change is to blame. */
  readonly changeRight: boolean | null;
  /** The first cause named; "" for none. */
  readonly named: string;
  readonly confidence: number;
  /** Of the incident that counts; "" for none. */
  readonly incident: string;
}

export interface ExamScore {
  readonly faults: readonly FaultScore[];
  readonly detected: number;
  readonly medianSecondsToDetect: number | null;
  /** Per detected fault. */
  readonly incidentsPerFault: number | null;
  readonly rankedFirst: number;
  readonly rankedInThree: number;
  readonly falseIncidents: readonly string[];
  readonly quietHours: number;
  readonly falsePerHour: number | null;
}

/** `settleMs`: for so long after its end an incident still counts for the fault. */
export function scoreFault(run: FaultRun, told: readonly Told[], settleMs: number): FaultScore {
  const untilMs = run.endedMs + settleMs;
  const opened = openings(told).filter(({ atMs }) => atMs >= run.startedMs && atMs <= untilMs);
  const states = lastStates(told, untilMs);
  const ids = [...new Set(opened.map(({ id }) => id))].filter((id) => !isMerged(states.get(id)));
  const hosts = hostsReached(run.cause);
  const first = opened
    .filter(({ id }) => ids.includes(id) && concerns(states.get(id), hosts))
    .sort((a, b) => a.atMs - b.atMs)[0];
  const incident = first === undefined ? undefined : states.get(first.id);
  const causes = incident?.causes ?? [];
  const rank = causes.findIndex(({ entity }) => isTrue(entity, run.cause)) + 1;
  const hostRank = causes.findIndex(({ entity }) => placeOf(parseEntity(entity).host) === run.cause.host) + 1;
  return {
    fault: run.fault,
    startedMs: run.startedMs,
    endedMs: run.endedMs,
    detected: first !== undefined,
    secondsToDetect: first === undefined ? null : (first.atMs - run.startedMs) / 1000,
    incidents: ids.length,
    rank: rank === 0 ? null : rank,
    hostRank: hostRank === 0 ? null : hostRank,
    resourceRight:
      rank === 0 || run.cause.resource === "none" ? null : showsResource(causes[rank - 1]!, run.cause),
    changeRight: run.cause.change === undefined ? null : incident?.changes[0]?.title === run.cause.change,
    named: causes[0]?.entity ?? "",
    confidence: causes[0]?.confidence ?? 0,
    incident: incident?.id ?? "",
  };
}

/** All of it; `fromMs` and `toMs` are the exam's. */
export function scoreExam(
  runs: readonly FaultRun[],
  told: readonly Told[],
  { settleMs, fromMs, toMs }: { settleMs: number; fromMs: number; toMs: number },
): ExamScore {
  const faults = runs.map((run) => scoreFault(run, told, settleMs));
  const found = faults.filter(({ detected }) => detected);
  const windows = runs.map(({ startedMs, endedMs }) => [startedMs, endedMs + settleMs] as const);
  const states = lastStates(told, toMs);
  const falseIncidents = openings(told)
    .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
    .filter(({ atMs }) => !windows.some(([from, to]) => atMs >= from && atMs <= to))
    .map(({ id }) => id)
    .filter((id) => !isMerged(states.get(id)));
  const busyMs = windows.reduce((sum, [from, to]) => sum + to - from, 0);
  const quietHours = Math.max(0, toMs - fromMs - busyMs) / 3_600_000;
  return {
    faults,
    detected: found.length,
    medianSecondsToDetect: median(found.map(({ secondsToDetect }) => secondsToDetect ?? 0)),
    incidentsPerFault:
      found.length === 0 ? null : found.reduce((sum, { incidents }) => sum + incidents, 0) / found.length,
    rankedFirst: faults.filter(({ rank }) => rank === 1).length,
    rankedInThree: faults.filter(({ rank }) => rank !== null && rank <= 3).length,
    falseIncidents,
    quietHours,
    falsePerHour: quietHours === 0 ? null : falseIncidents.length / quietHours,
  };
}

/** Whether an entity's id names what was really to blame. */
export function isTrue(id: string, cause: TrueCause): boolean {
  const { kind, host, name } = parseEntity(id);
  if (placeOf(host) !== cause.host) return false;
  switch (kind) {
    case "service":
      return name === cause.name;
    case "process":
      return name.endsWith(`/${cause.name}`);
    case "port":
      return name.startsWith(`${cause.name}/`);
    default:
      return kind === cause.kind && name === cause.name;
  }
}

/** A source that pushes is named `service@host`. */
function placeOf(host: string): string {
  return host.slice(host.lastIndexOf("@") + 1);
}

/** When an incident was opened, and each time when it came back. */
function openings(told: readonly Told[]): { readonly id: string; readonly atMs: number }[] {
  const seen = new Map<string, number>();
  const found: { id: string; atMs: number }[] = [];
  for (const { atMs, incident } of told) {
    const reopened = seen.get(incident.id);
    if (reopened === undefined) found.push({ id: incident.id, atMs: incident.detectedMs });
    else if (incident.reopened > reopened) found.push({ id: incident.id, atMs });
    seen.set(incident.id, incident.reopened);
  }
  return found;
}

function lastStates(told: readonly Told[], untilMs: number): ReadonlyMap<string, Incident> {
  const states = new Map<string, Incident>();
  for (const { atMs, incident } of told)
    if (atMs <= untilMs || !states.has(incident.id)) states.set(incident.id, incident);
  return states;
}

/** It goes on as another one, which counts in its place. */
function isMerged(incident: Incident | undefined): boolean {
  return incident?.state === "merged";
}

function hostsReached({ name, host }: TrueCause): ReadonlySet<string> {
  const services = isServiceName(name) ? [name] : servicesOf(host);
  return new Set([host, ...services.flatMap(reachedBy).map((service) => layout[service].host)]);
}

function concerns(incident: Incident | undefined, hosts: ReadonlySet<string>): boolean {
  return incident?.entities.some(({ host }) => hosts.has(placeOf(host))) === true;
}

function showsResource({ evidence }: Incident["causes"][number], cause: TrueCause): boolean {
  return evidence.some(({ metric, unit, host }) => {
    const series = { metric, unit, instrument: "gauge", decimals: 0, labels: [] } as const;
    return meaningOf(series, host).resource === cause.resource;
  });
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return null;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}
