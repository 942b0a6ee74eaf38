/**
 * Which incidents the list shows, and in which order.
 *
 * A list that moves under the hand makes one acknowledge the wrong row. So the order is held while somebody is at it
 * (pointer, focus or selection inside): rows change in place, newcomers wait behind a "2 new" button.
 */
import { type Incident, isOver, type Severity } from "#shared/contract/incident.ts";
import { severitiesWorstFirst, severityRank } from "./severity.ts";

export interface Arranged {
  /** Worst first, then those that still hurt, then newest; what another one speaks for stands last. */
  readonly open: readonly Incident[];
  /** Newest first. */
  readonly resolved: readonly Incident[];
}

export function arrange(incidents: Iterable<Incident>): Arranged {
  const all = [...incidents];
  return {
    open: all.filter((incident) => !isOver(incident)).sort(byUrgency),
    resolved: all.filter(isOver).sort(byResolution),
  };
}

/** Ties are broken by id, so that the same incidents always stand in the same order. */
function byUrgency(a: Incident, b: Incident): number {
  return (
    Number(a.suppressedBy !== null) - Number(b.suppressedBy !== null) ||
    severityRank(b.severity) - severityRank(a.severity) ||
    Number(a.state === "recovering") - Number(b.state === "recovering") ||
    b.startedMs - a.startedMs ||
    byId(a, b)
  );
}

function byResolution(a: Incident, b: Incident): number {
  return (b.resolvedMs ?? 0) - (a.resolvedMs ?? 0) || byId(a, b);
}

function byId(a: Incident, b: Incident): number {
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

export interface Held {
  readonly shown: readonly Incident[];
  /** Open incidents that wait until the list is let go. */
  readonly waiting: readonly Incident[];
}

/**
 * The list as it stood (`heldIds`), with today's content. An incident that resolved meanwhile keeps its row; one that is
 * gone altogether loses it. `heldIds` null: nobody is at the list, and it is `arranged.open`.
 */
export function hold(heldIds: readonly string[] | null, arranged: Arranged): Held {
  if (heldIds === null) return { shown: arranged.open, waiting: [] };
  const byId = new Map([...arranged.open, ...arranged.resolved].map((incident) => [incident.id, incident]));
  const shown = heldIds.flatMap((id) => byId.get(id) ?? []);
  return { shown, waiting: arranged.open.filter((incident) => !heldIds.includes(incident.id)) };
}

export interface SeverityCount {
  readonly severity: Severity;
  readonly count: number;
}

/** Worst first; severities without an open incident are left out. */
export function countBySeverity(open: readonly Incident[]): readonly SeverityCount[] {
  return severitiesWorstFirst
    .map((severity) => ({
      severity,
      count: open.filter((incident) => incident.severity === severity).length,
    }))
    .filter(({ count }) => count > 0);
}

/** The neighbour of `id` in `ids`, `step` away, held at the ends; the first when `id` is not among them. */
export function neighbour(ids: readonly string[], id: string | null, step: number): string | null {
  const index = id === null ? -1 : ids.indexOf(id);
  if (index === -1) return ids[0] ?? null;
  return ids[Math.min(ids.length - 1, Math.max(0, index + step))] ?? null;
}

/** The element id of an incident's row: where the keyboard returns to. */
export function rowId(id: string): string {
  return `row-${id}`;
}
