/**
 * What caused it: every entity that was abnormal is scored by how well its own evidence explains the symptoms.
 *
 * The rule is the simplest honest form of an evidence ensemble: evidence counts by its improbability (logarithm of its
 * score), by whether it is about the resource that suffers, by the share of the suffering that it accounts for, and by
 * whether it began no later. A whole host is only what shows the symptom: it is the cause only of its own silence. Latency
 * and errors are effects: of those that suffer them only the origin stays a candidate, the one that calls nobody who suffers.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { causeConfidenceMin } from "#shared/contract/incident.ts";
import { type Entity, entityId } from "#shared/entity.ts";
import { isOfCallees } from "#shared/semantics.ts";
import type { ServiceGraph } from "#shared/suspicion.ts";
import { type Candidate, causeKind, isEffect } from "./candidate.ts";
import { rarityFactor } from "./causes/causes.ts";
import type { Members } from "./group.ts";
import type { ChangeBonus } from "./related-changes.ts";
import { withLook } from "./seen.ts";

export const causesMax = 3;

/** How far an entity of a kind can be the cause rather than the place. */
const kindWeight: Readonly<Record<Entity["kind"], number>> = {
  process: 1,
  port: 1,
  agent: 1,
  network: 1,
  group: 1,
  service: 0.95,
  cgroup: 0.85,
  certificate: 0.8,
  filesystem: 0.7,
  interface: 0.6,
  disk: 0.35,
  peer: 0.4,
  host: 0.3,
};

const otherResourceWeight = 0.25;
/** More calls, or fewer, come from whoever calls. */
const demandWeight = 0.3;
const leadWeight = 0.3;
/** A cause that begins this long after the first symptom counts no more than half. */
const lateMs = 60_000;
/** Abnormal at the same time, about something else: below the line at which a cause is named. */
const coincidenceConfidence = 0.2;
/** What runs out by itself, and neither its contents' owner nor its renewer is known. */
const runsOutConfidence = 0.7;
/** The origin of others' suffering, with nothing to say why it suffers itself. */
const originConfidence = 0.6;
/** Hosts that do the same work show the same at once: what they share is to blame, and which part of it is not known. */
const groupConfidence = 0.6;
/** Of what a silence may be blamed on; a host that gives no sign may be down or out of reach. */
const silenceConfidence: Partial<Record<Entity["kind"], number>> = { agent: 0.9, network: 0.8 };
/** Two entities whose shares are this close tell of the same consumption: a process and its service. */
const sameShare = 0.25;

/** The change that speaks most for an entity whose evidence began then. */
export type ActionOf = (entity: Entity, onsetMs: number) => ChangeBonus | null;

/** How rarely the series of an anomaly is abnormal (`rarity.ts`); undefined when it is not known. */
export type RarityOf = (anomaly: Anomaly) => number | undefined;

/** Candidates, best first; ties by entity id. Never more than `causesMax`. */
export function rankCauses(
  group: Members,
  graph: ServiceGraph,
  actionOf: ActionOf = () => null,
  rarityOf: RarityOf = () => undefined,
): Candidate[] {
  const symptoms = [...group.symptoms.values()];
  const suffering = new Set(symptoms.filter(isEffect).map(({ host }) => host));
  const isOrigin = (host: string): boolean => ![...suffering].some((other) => graph.calls(host, other));
  const byEntity = new Map<string, Anomaly[]>();
  for (const anomaly of [...symptoms, ...group.evidence.values()]) {
    if (isEffect(anomaly) && (suffering.size < 2 || !isOrigin(anomaly.host) || isOfCallees(anomaly.metric)))
      continue;
    const id = entityId(blamed(anomaly));
    const known = byEntity.get(id);
    if (known === undefined) byEntity.set(id, [anomaly]);
    else known.push(anomaly);
  }
  const trouble: Trouble = { symptoms, group, firstSymptomMs: firstOf(symptoms), rarityOf };
  const told = [...byEntity.values()].map((anomalies) => score(anomalies, trouble));
  const seen = group.look === null ? told : withLook(told, group.look, symptoms);
  const candidates = seen.map((candidate) => withAction(candidate, symptoms, actionOf));
  candidates.sort(
    (a, b) =>
      Number(isNamed(b)) - Number(isNamed(a)) ||
      Number(isSilent(b)) - Number(isSilent(a)) ||
      b.score - a.score ||
      (entityId(a.entity) < entityId(b.entity) ? -1 : 1),
  );
  return withoutEchoes(candidates).slice(0, causesMax);
}

/** What may be told as the cause goes before what may not, however much else speaks for that. */
function isNamed({ confidence }: Candidate): boolean {
  return confidence >= causeConfidenceMin;
}

/** Nothing that is only busy or slow makes a host fall silent; a host that is silent may well make others slow. */
function isSilent({ evidence: [first] }: Candidate): boolean {
  return first !== undefined && isSilence(first);
}

function isSilence({ detector, ended }: Anomaly): boolean {
  return detector === "absence" && !ended;
}

/** What is to blame if this anomaly is to be believed: of a trouble that many share, what they have in common. */
function blamed({ entity, group }: Anomaly): Entity {
  return group?.entity ?? entity;
}

/** Also of thousands: no spread. */
export function firstOf(anomalies: readonly Anomaly[]): number {
  return anomalies.reduce((first, { startedMs }) => Math.min(first, startedMs), Number.POSITIVE_INFINITY);
}

/** What every candidate is weighed against; the first symptom is looked for once, of however many. */
interface Trouble {
  readonly symptoms: readonly Anomaly[];
  readonly group: Members;
  readonly firstSymptomMs: number;
  readonly rarityOf: RarityOf;
}

function score(anomalies: readonly Anomaly[], trouble: Trouble): Candidate {
  const { symptoms, group, rarityOf } = trouble;
  const weighed = anomalies
    .map((anomaly) => ({ anomaly, weight: weigh(anomaly, trouble) * rarityFactor(rarityOf(anomaly)) }))
    .sort(
      (a, b) =>
        Number(isSilence(b.anomaly)) - Number(isSilence(a.anomaly)) ||
        b.weight - a.weight ||
        (a.anomaly.id < b.anomaly.id ? -1 : 1),
    );
  const [first, second, third] = weighed.map(({ weight }) => weight);
  const own = (first ?? 0) + 0.5 * (second ?? 0) + 0.25 * (third ?? 0);
  const evidence = weighed.map(({ anomaly }) => anomaly);
  const entity = blamed(evidence[0]!);
  const share = shareOf(evidence[0]!, symptoms, group);
  return {
    entity,
    kind: causeKind(evidence[0]!),
    score: own * kindWeight[entity.kind],
    confidence: confidence(evidence[0]!, share, symptoms),
    share,
    evidence,
    action: null,
  };
}

/**
 * A change shortly before multiplies what the candidate has of its own, and makes it surer by up to half of what is open, if its evidence
 * is about what suffers. What shows no evidence is no candidate, whatever was changed there.
 */
function withAction(candidate: Candidate, symptoms: readonly Anomaly[], actionOf: ActionOf): Candidate {
  const about = candidate.evidence.filter(
    (anomaly) => isAboutWhatSuffers(anomaly, symptoms) && !saysWhereToLook(anomaly),
  );
  const action = about.length === 0 ? null : actionOf(candidate.entity, firstOf(about));
  if (action === null) return candidate;
  const score = candidate.score * (1 + action.bonus);
  if (!action.isOwn) return { ...candidate, score };
  const confidence = candidate.confidence + (1 - candidate.confidence) * 0.5 * action.bonus;
  return { ...candidate, score, confidence: Math.round(100 * confidence) / 100, action };
}

function isAboutWhatSuffers(anomaly: Anomaly, symptoms: readonly Anomaly[]): boolean {
  return symptoms.some(({ resource }) => resource === anomaly.resource);
}

/** That a host as a whole is unlike itself, or a series stands still, blames nothing: what is to blame has evidence of its own. */
function saysWhereToLook({ detector }: Anomaly): boolean {
  return detector === "host" || detector === "flat";
}

function weigh(anomaly: Anomaly, { symptoms, group, firstSymptomMs }: Trouble): number {
  if (saysWhereToLook(anomaly)) return 0;
  const matches = isAboutWhatSuffers(anomaly, symptoms);
  const share = shareOf(anomaly, symptoms, group);
  // What is foretold began long before it was seen: late says nothing of it.
  const foretold = anomaly.detector === "forecast";
  const lateByMs = Math.min(anomaly.startedMs - firstSymptomMs, foretold ? 0 : Number.POSITIVE_INFINITY);
  const spanMs = Math.max(1, group.lastOnsetMs - group.startedMs, lateMs);
  const timing =
    lateByMs <= 0 ? 1 + leadWeight * Math.min(1, -lateByMs / spanMs) : 1 / (1 + lateByMs / lateMs);
  return (
    Math.log1p(anomaly.score) *
    (matches ? 1 : otherResourceWeight) *
    (anomaly.kind === "traffic" && anomaly.resource === "none" ? demandWeight : 1) *
    (share === null ? 0.6 : 0.2 + 0.8 * share) *
    timing
  );
}

/**
 * How much of the suffering `anomaly` accounts for: of the strongest symptom of the same resource on the same host, or, for
 * traffic with a disk, of the disks' own traffic in the same direction. Null when it cannot be told.
 */
function shareOf(anomaly: Anomaly, symptoms: readonly Anomaly[], group: Members): number | null {
  if (anomaly.resource === "disk" && anomaly.kind === "traffic") return trafficShare(anomaly, group);
  if (anomaly.hostShare === null) return null;
  let suffered = 0;
  for (const symptom of symptoms) {
    if (
      symptom.host === anomaly.host &&
      symptom.resource === anomaly.resource &&
      symptom.hostShare !== null
    ) {
      suffered = Math.max(suffered, symptom.hostShare);
    }
  }
  return suffered > 0 ? Math.min(1, Math.max(0, anomaly.hostShare / suffered)) : null;
}

function trafficShare(anomaly: Anomaly, group: Members): number | null {
  if (anomaly.entity.kind === "disk") return null;
  const direction = ioDirection(anomaly);
  let traffic = 0;
  for (const other of group.evidence.values()) {
    const ofDisk = other.entity.kind === "disk" && other.kind === "traffic" && other.unit === anomaly.unit;
    if (ofDisk && other.host === anomaly.host && ioDirection(other) === direction) traffic += other.value;
  }
  return traffic > 0 ? Math.min(1, anomaly.value / traffic) : null;
}

function ioDirection({ series }: Anomaly): string | undefined {
  return /disk\.io\.direction="(\w+)"/.exec(series)?.[1];
}

/**
 * How sure. Not calibrated on data yet, and stated so in README.md: a share accounted for is worth up to 0.95, a state that
 * changed by itself 0.9, a match of resource and time alone stays near the line below which no cause is named.
 */
function confidence(anomaly: Anomaly, share: number | null, symptoms: readonly Anomaly[]): number {
  const complete = anomaly.detector === "absence" ? 1 : Math.min(1, anomaly.completeness / 0.9);
  const about = isAboutWhatSuffers(anomaly, symptoms) && !saysWhereToLook(anomaly);
  const sure = about ? certainty(anomaly, share) : coincidenceConfidence;
  return Math.round(100 * complete * sure) / 100;
}

function certainty(anomaly: Anomaly, share: number | null): number {
  if (anomaly.detector === "absence") return silenceConfidence[blamed(anomaly).kind] ?? 0.6;
  if (blamed(anomaly).kind === "group") return groupConfidence;
  if (anomaly.entity.kind === "port") return 0.9;
  if (isEffect(anomaly)) return originConfidence;
  if (anomaly.entity.kind === "host") return 0.2;
  const runsOut = anomaly.runsOut !== undefined && anomaly.entity.kind !== "process";
  if (anomaly.entity.kind === "filesystem" || (runsOut && share === null)) return runsOutConfidence;
  if (share !== null) return 0.15 + 0.8 * share;
  return anomaly.role === "evidence" ? 0.5 : 0.3;
}

/** Drops entities that tell a better one's story again: the service of a process, the cgroup of a service. */
function withoutEchoes(candidates: readonly Candidate[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    const echoed = kept.some((better) => echoes(candidate, better));
    const onlyPlace = candidate.entity.kind === "host" && kept.length > 0;
    if (!echoed && !onlyPlace) kept.push(candidate);
  }
  return kept;
}

function echoes(candidate: Candidate, better: Candidate): boolean {
  if (candidate.entity.host !== better.entity.host || candidate.entity.kind === better.entity.kind)
    return false;
  const [a, b] = [candidate.evidence[0]!, better.evidence[0]!];
  if (a.resource !== b.resource) return false;
  if (candidate.share === null || better.share === null) return a.direction === b.direction;
  return Math.abs(candidate.share - better.share) <= sameShare;
}
