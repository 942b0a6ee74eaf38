/**
 * Correlation: anomalies in, suspicions out; pure. It alone sees all hosts, and it sees anomalies, not samples.
 *
 * `group.ts` says what belongs together, `rank.ts` what caused it, `explain.ts` puts it into texts.
 */
import type { Anomaly, AnomalyGroup } from "#shared/anomaly.ts";
import { causeConfidenceMin } from "#shared/contract/incident.ts";
import { entityId } from "#shared/entity.ts";
import type { ServiceGraph, Suspicion } from "#shared/suspicion.ts";
import { impactTexts, symptomText, toCause, toEvidence } from "./explain.ts";
import { type Group, Groups } from "./group.ts";
import { type Candidate, firstOf, rankCauses } from "./rank.ts";

/** Symptoms that an incident shows; a thousand hosts that were cut off need not all be spelled out. */
const shownMax = 50;

export interface Correlate {
  /** The groups that changed because of `anomalies`; `nowMs` is the journal's time. */
  add(anomalies: readonly Anomaly[], nowMs: number): Suspicion[];
  /** Open anomalies that belong to no group. */
  weakSignals(): number;
  snapshot(): CorrelateState;
}

/** Plain JSON. */
export interface CorrelateState {
  readonly weak: readonly Anomaly[];
  readonly groups: readonly {
    readonly id: string;
    readonly shared: AnomalyGroup | null;
    readonly detectedMs: number;
    readonly startedMs: number;
    readonly lastOnsetMs: number;
    readonly quietSinceMs: number | null;
    readonly symptoms: readonly Anomaly[];
    readonly evidence: readonly Anomaly[];
  }[];
}

export function createCorrelate(parts: {
  topology: ServiceGraph;
  state?: CorrelateState | undefined;
}): Correlate {
  const groups = new Groups(parts.topology);
  if (parts.state !== undefined) restore(groups, parts.state);
  return {
    add(anomalies, nowMs) {
      groups.forget(nowMs);
      const changed = new Set<Group>();
      for (const anomaly of anomalies) {
        for (const group of groups.place(anomaly, nowMs)) if (isNews(group, anomaly)) changed.add(group);
      }
      return [...changed].map((group) => suspicionOf(group, parts.topology));
    },
    weakSignals: () => [...groups.weak.values()].filter(({ ended }) => !ended).length,
    snapshot: () => ({
      weak: [...groups.weak.values()],
      groups: [...groups.groups.values()].map((group) => ({
        ...group,
        symptoms: [...group.symptoms.values()],
        evidence: [...group.evidence.values()],
      })),
    }),
  };
}

/**
 * Hosts that were cut off by the thousand come back one by one: each of a few is told, of many every twentieth part, so that
 * their return costs no more than in proportion to their number.
 */
function isNews({ symptoms, quietSinceMs }: Group, anomaly: Anomaly): boolean {
  if (!anomaly.ended || quietSinceMs !== null || symptoms.size <= shownMax) return true;
  let over = 0;
  for (const { ended } of symptoms.values()) if (ended) over += 1;
  return over % Math.ceil(symptoms.size / 20) === 0;
}

function restore(groups: Groups, state: CorrelateState): void {
  for (const anomaly of state.weak) groups.weak.set(anomaly.id, anomaly);
  for (const group of state.groups) {
    groups.groups.set(group.id, {
      ...group,
      symptoms: new Map(group.symptoms.map((anomaly) => [anomaly.id, anomaly])),
      evidence: new Map(group.evidence.map((anomaly) => [anomaly.id, anomaly])),
    });
  }
}

function suspicionOf(group: Group, graph: ServiceGraph): Suspicion {
  const symptoms = [...group.symptoms.values()].sort(strongestFirst);
  const candidates = rankCauses(group, graph);
  const firstSymptomMs = firstOf(symptoms);
  const leading = symptoms[0]!;
  return {
    id: group.id,
    startedMs: Math.min(firstSymptomMs, ...causeOnsets(candidates[0])),
    detectedMs: group.detectedMs,
    symptoms,
    shown: symptoms.slice(0, shownMax).map(toEvidence),
    symptomText: symptomText(leading),
    evidence: [...group.evidence.values()].sort(strongestFirst),
    causes: candidates.map((candidate) => toCause(candidate, candidates, firstSymptomMs)),
    impact: impactTexts(symptoms),
    active: group.quietSinceMs === null,
    fingerprint: fingerprintOf(group, leading),
  };
}

function fingerprintOf({ shared }: Group, { host, resource, entity }: Anomaly): string {
  if (shared !== null) return `${entityId(shared.entity)}|${resource}`;
  return `${host}|${resource}|${entity.kind}|${entity.name}`;
}

/** When what is blamed began; evidence of anything else says nothing about when the trouble did. */
function causeOnsets(cause: Candidate | undefined): number[] {
  if (cause === undefined || cause.confidence < causeConfidenceMin) return [];
  return cause.evidence.map(({ startedMs }) => startedMs);
}

/** Open before ended, then by score, then by id: the same group always reads the same. */
function strongestFirst(a: Anomaly, b: Anomaly): number {
  return Number(a.ended) - Number(b.ended) || b.score - a.score || (a.id < b.id ? -1 : 1);
}
