/**
 * Which anomalies belong together: those that began at about the same time on hosts that talk to each other.
 *
 * A symptom joins a group that began or grew within `joinMs` on the same host or one call away, or two calls when the onsets
 * are within a minute of each other (one silent hop is bridged); otherwise it opens a group. Evidence never opens one: it
 * waits, and is taken in when a group opens near it. (Research: Dynatrace merges within 15 minutes along topology; three
 * minutes gave 1.00 incident per fault on a public microservice trace.) Anomalies that detection itself calls one trouble
 * (`Anomaly.group`) are one group, whatever the topology says; when it says so later than it told them, the first group that
 * holds one of them becomes that group, and the others' go over to it.
 */
import type { Anomaly, AnomalyGroup } from "#shared/anomaly.ts";
import type { ServiceGraph } from "#shared/suspicion.ts";

export const joinMs = 180_000;
const silentHopMs = 60_000;
/** Evidence that began this long before the first symptom may still be its cause: a leak, a slow fill. */
const evidenceLeadMs = 3_600_000;
/** Ended evidence is remembered this long for a symptom that comes late; ended groups for a symptom that comes back. */
export const rememberMs = 900_000;

export interface Group {
  readonly id: string;
  /** The trouble that detection told with the anomaly that opened it; null when it opened by itself. */
  shared: AnomalyGroup | null;
  readonly detectedMs: number;
  startedMs: number;
  lastOnsetMs: number;
  /** Time when the last symptom ended; null while one is open. */
  quietSinceMs: number | null;
  readonly symptoms: Map<string, Anomaly>;
  readonly evidence: Map<string, Anomaly>;
}

export class Groups {
  readonly groups = new Map<string, Group>();
  /** Evidence that belongs to no group, by anomaly id. */
  readonly weak = new Map<string, Anomaly>();
  readonly #graph: ServiceGraph;

  constructor(graph: ServiceGraph) {
    this.#graph = graph;
  }

  /** Puts `anomaly` where it belongs; the groups that changed: none when it only waits. */
  place(anomaly: Anomaly, nowMs: number): Group[] {
    const holding = this.#holding(anomaly.id);
    if (holding !== undefined) return this.#goOn(holding, anomaly);
    const home = this.#home(anomaly);
    if (home !== undefined) {
      this.#put(home, anomaly);
      return [home];
    }
    if (anomaly.role !== "symptom" || anomaly.ended) {
      if (anomaly.role !== "symptom") this.weak.set(anomaly.id, anomaly);
      return [];
    }
    const group: Group = {
      id: anomaly.id,
      shared: anomaly.group ?? null,
      detectedMs: nowMs,
      startedMs: anomaly.startedMs,
      lastOnsetMs: anomaly.startedMs,
      quietSinceMs: null,
      symptoms: new Map(),
      evidence: new Map(),
    };
    this.groups.set(group.id, group);
    this.#put(group, anomaly);
    this.#takeIn(group);
    return [group];
  }

  /** What `holding` has goes on, unless detection has found out meanwhile that it is part of a trouble that is told elsewhere. */
  #goOn(holding: Group, anomaly: Anomaly): Group[] {
    const found = anomaly.group;
    const isNews = found !== undefined && holding.shared === null && anomaly.role === "symptom";
    const shared = isNews ? this.#sharing(found) : undefined;
    if (isNews && shared === undefined) holding.shared = found;
    this.#put(shared ?? holding, anomaly);
    if (shared === undefined) return [holding];
    this.#leave(holding, anomaly, shared);
    return [holding, shared];
  }

  /** `anomaly` has gone from `group` over to `shared`; with its last open symptom the group is over, and the rest goes too. */
  #leave(group: Group, anomaly: Anomaly, shared: Group): void {
    group.symptoms.delete(anomaly.id);
    const args = { group: shared.shared!.entity.host };
    const joined = { key: "reason.joined", effect: "lowered", args } as const;
    this.#put(group, {
      ...anomaly,
      id: `${anomaly.id}|joined`,
      ended: true,
      reasons: [...anomaly.reasons, joined],
    });
    if (group.quietSinceMs === null) return;
    this.groups.delete(group.id);
    for (const evidence of group.evidence.values()) this.#put(shared, evidence);
  }

  /** Forgets what ended long ago. Returns nothing: a group that is forgotten was told as ended before. */
  forget(nowMs: number): void {
    for (const [id, anomaly] of this.weak) {
      if (anomaly.ended && nowMs - anomaly.lastMs > rememberMs) this.weak.delete(id);
    }
    for (const [id, group] of this.groups) {
      if (group.quietSinceMs !== null && nowMs - group.quietSinceMs > rememberMs) this.groups.delete(id);
    }
  }

  #holding(anomalyId: string): Group | undefined {
    for (const group of this.groups.values()) {
      if (group.symptoms.has(anomalyId) || group.evidence.has(anomalyId)) return group;
    }
    return undefined;
  }

  #home(anomaly: Anomaly): Group | undefined {
    const home = anomaly.group === undefined ? undefined : this.#sharing(anomaly.group);
    if (home !== undefined || (anomaly.group !== undefined && anomaly.role === "symptom")) return home;
    return this.#near(anomaly);
  }

  /** The group that tells of a trouble that detection has found. */
  #sharing({ id }: AnomalyGroup): Group | undefined {
    for (const group of this.groups.values()) if (group.shared?.id === id) return group;
    return undefined;
  }

  /** The nearest group in hops, then in time; ties go to the older group. */
  #near(anomaly: Anomaly): Group | undefined {
    let best: Group | undefined;
    let bestDistance = Number.POSITIVE_INFINITY;
    for (const group of this.groups.values()) {
      // A host that detection tells apart from those that were cut off is silent for its own reason.
      if (group.shared?.entity.kind === "network" && anomaly.detector === "absence") continue;
      const distance = this.#distance(anomaly, group);
      if (distance < bestDistance) {
        best = group;
        bestDistance = distance;
      }
    }
    return best;
  }

  #distance(anomaly: Anomaly, group: Group): number {
    const apartMs = Math.abs(anomaly.startedMs - group.lastOnsetMs);
    const active = group.quietSinceMs === null;
    const sameTrouble = [...group.symptoms.values()].some((symptom) => sameSign(symptom, anomaly));
    const inTime = apartMs <= joinMs && (active || anomaly.startedMs <= (group.quietSinceMs ?? 0));
    if (!inTime && !sameTrouble) return Number.POSITIVE_INFINITY;
    const hopsMax = apartMs <= silentHopMs ? 2 : 1;
    let hops = Number.POSITIVE_INFINITY;
    for (const host of hostsOf(group)) hops = Math.min(hops, this.#graph.hops(anomaly.host, host, hopsMax));
    return hops > hopsMax ? Number.POSITIVE_INFINITY : hops * joinMs + apartMs;
  }

  #put(group: Group, anomaly: Anomaly): void {
    const members = anomaly.role === "symptom" ? group.symptoms : group.evidence;
    const isNew = !members.has(anomaly.id);
    members.set(anomaly.id, anomaly);
    this.weak.delete(anomaly.id);
    if (isNew) {
      group.startedMs = Math.min(group.startedMs, anomaly.startedMs);
      if (anomaly.role === "symptom") group.lastOnsetMs = Math.max(group.lastOnsetMs, anomaly.startedMs);
    }
    let quietSinceMs: number | null = 0;
    for (const { ended, lastMs } of group.symptoms.values()) {
      quietSinceMs = ended && quietSinceMs !== null ? Math.max(quietSinceMs, lastMs) : null;
      if (quietSinceMs === null) break;
    }
    group.quietSinceMs = quietSinceMs;
  }

  /** Waiting evidence near a group that has just opened joins it. */
  #takeIn(group: Group): void {
    const hosts = hostsOf(group);
    for (const anomaly of this.weak.values()) {
      const leadMs = group.startedMs - anomaly.startedMs;
      const recent =
        Math.abs(leadMs) <= joinMs || (!anomaly.ended && leadMs >= 0 && leadMs <= evidenceLeadMs);
      const near = hosts.some((host) => this.#graph.hops(anomaly.host, host, 1) <= 1);
      if (recent && near) this.#put(group, anomaly);
    }
  }
}

/** The same thing wrong in the same way, now or again. */
function sameSign(a: Anomaly, b: Anomaly): boolean {
  return a.host === b.host && a.series === b.series && a.direction === b.direction && a.role === b.role;
}

export function hostsOf(group: Group): string[] {
  return [...new Set([...group.symptoms.values()].map(({ host }) => host))];
}
