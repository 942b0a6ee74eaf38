/** What the state machine keeps of one incident beside what everybody sees of it, and the one way to change it. */
import type { Incident, Severity, Text } from "#shared/contract/incident.ts";

const timelineMax = 200;

/** Plain JSON. */
export interface Entry {
  incident: Incident;
  /** The group that this incident tells of. */
  suspicionId: string;
  fingerprint: string;
  active: boolean;
  quietSinceMs: number | null;
  /** Last news of it: of its group, or of an operator. */
  heardMs: number;
  /** Moments at which it opened or resolved, oldest first. */
  transitions: readonly number[];
  /** What would be told if it stays so: a milder severity, another first cause. */
  milder: { readonly severity: Severity; readonly sinceMs: number } | null;
  rival: string | null;
  /** How many hosts and open symptoms it was told with, in classes. */
  size: string;
  /** How far it has spread meanwhile, while that is too little to be told at once. */
  untold: Pick<Incident, "hosts" | "hostCount" | "title"> | null;
  /** Hosts with an open symptom, and those that are silent or cut off. */
  openHosts: readonly string[];
  downHosts: readonly string[];
  /** When the hosts of what is suppressed came back; null: they are not, or it is not. */
  backSinceMs: number | null;
  /** An operator said that it is over while signs of it were left: only new ones bring it back. */
  dismissed: boolean;
  /** What it is like, for a comparison with others. */
  features: readonly string[];
}

export type TimelineEntry = Incident["timeline"][number];

export function entryAt(atMs: number, key: string, args: Text["args"] = {}): TimelineEntry {
  return { atMs, text: { key, args } };
}

export function revise(
  entry: Entry,
  change: Partial<Incident>,
  timeline: readonly TimelineEntry[],
  nowMs: number,
): void {
  const before = entry.incident;
  entry.incident = {
    ...before,
    ...change,
    revision: before.revision + 1,
    updatedMs: nowMs,
    timeline: [...before.timeline, ...timeline].slice(-timelineMax),
  };
}
