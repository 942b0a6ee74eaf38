/**
 * What detection says and correlation hears: one stretch of one series, of one host's silence, or of a host as a whole, that
 * is not as expected.
 */
import type { Entity } from "./entity.ts";
import type { RunsOut } from "./runs-out.ts";
import type { MetricKind, Resource, Role } from "./semantics.ts";

/**
 * level: far from where the series usually is. record: farther than it ever was. bound: beyond what its kind can bear,
 * whatever its history. flat: standing still for longer than it ever did, in no direction. absence: a host that should be heard is
 * not. host: its metrics together are not as they usually are. peers: not as on the hosts that do the same work. forecast: it will
 * run out, and it is known when. counts: more fail than usual of what was tried, or nothing comes.
 */
export type DetectorName =
  | "level"
  | "record"
  | "bound"
  | "flat"
  | "absence"
  | "host"
  | "peers"
  | "forecast"
  | "counts";

/** A fact that raised or lowered the score; rendered in the reader's language from `key` and `args`. */
export interface Reason {
  readonly key: string;
  readonly effect: "raised" | "lowered";
  readonly args: Readonly<Record<string, string | number>>;
}

/**
 * One anomaly is told when it begins, when it grows and when it ends, always with the same `id`.
 * `score` is -log10 of how probable a deviation this large is under the series' own history, 0 to 16.
 */
export interface Anomaly {
  /** host, series and start: the same input gives the same id. */
  readonly id: string;
  readonly host: string;
  readonly entity: Entity;
  /** `seriesId`, or "" for a host's silence and for a host as a whole. */
  readonly series: string;
  readonly metric: string;
  readonly kind: MetricKind;
  readonly resource: Resource;
  readonly role: Role;
  readonly unit: string;
  readonly detector: DetectorName;
  readonly direction: "up" | "down";
  readonly startedMs: number;
  readonly lastMs: number;
  readonly ended: boolean;
  readonly value: number;
  readonly expectedLow: number;
  readonly expectedHigh: number;
  readonly score: number;
  /** The deviation as a share of what the whole host has (of its cores, of its memory); null when that has no meaning. */
  readonly hostShare: number | null;
  /** The series' own history is still too short; judged by what is usual for its kind, and by its kind's bounds. */
  readonly provisional: boolean;
  /** Share of the expected samples of the judged window that were there, 0 to 1. */
  readonly completeness: number;
  readonly reasons: readonly Reason[];
  /** Only of the detector "forecast", and there only of what runs out itself, not of what contributes to it. */
  readonly runsOut?: RunsOut;
  /** Set when several anomalies are one trouble, whatever the topology says: they share the group's id. */
  readonly group?: AnomalyGroup;
}

export interface AnomalyGroup {
  readonly id: string;
  /** What they have in common, and where to look first. */
  readonly entity: Entity;
  /** How many hosts have it in common, of which not all need be abnormal; absent: only those that are. */
  readonly hosts?: number;
}

/**
 * Where it is felt: the host of what it is about. Of what a service pushes itself (OTLP) `host` is that source, which is no place.
 */
export function whereFelt({ host, entity }: Pick<Anomaly, "host" | "entity">): string {
  const isShared = entity.kind === "network" || entity.kind === "group" || entity.kind === "peer";
  return isShared || entity.host === "" ? host : entity.host;
}
