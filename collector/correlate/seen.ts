/**
 * Joins what anomalies say of causes with what a look at the past says (`look.ts`).
 *
 * Anomalies know which part of a host's suffering an entity accounts for; a look knows who strayed first and farthest, and whom others
 * explain, and its sureness is calibrated. So as far as it is sure its order decides, and beside it that of the anomalies; a place that no
 * anomaly was told of becomes a candidate by what was seen there. A host and a service on it stand for each other: what a service uses
 * up is its host's. That the one that suffers is the one that strays is no news: a host with a busy processor, or the only service that
 * fails, is where it is felt. Silence, and a network, are not for a look to judge.
 */
import { type Anomaly, whereFelt } from "#shared/anomaly.ts";
import { causeConfidenceMin } from "#shared/contract/incident.ts";
import { type Entity, entityId } from "#shared/entity.ts";
import { type Candidate, causeKind, isEffect } from "./candidate.ts";
import { type BlamedPlace, isKnown, type Look, placeIn } from "./look.ts";

/** A service for its host, and a host for its service. */
const onThatHost = 0.9;
/** The disk that much is read from, for the host that it is of: who reads is nearer to it. */
const usedPart = 0.8;
/** From this share of the first place's score on a place is blamed as much. */
const blamedShare = 0.9;
/** Of the look's confidence, where anomalies speak for the same. */
const agreement = 0.5;

export function withLook(
  candidates: readonly Candidate[],
  look: Look,
  symptoms: readonly Anomaly[],
): Candidate[] {
  if (look.blamed.length === 0) return [...candidates];
  const isFelt = feltOf(look, symptoms);
  const best = candidates.reduce((most, { score }) => Math.max(most, score), 0);
  const judged = candidates.map((candidate) => {
    const one = withReason(judgedBy(candidate, look, best), look);
    return isFelt(candidate) ? { ...one, confidence: Math.min(one.confidence, candidate.confidence) } : one;
  });
  const held = candidates.map(({ entity }) => placeOfPart(look, entity));
  // A host that is told of stands for no service on it: which one it is, is what was looked for.
  const isHeld = ({ entity }: BlamedPlace): boolean =>
    held.some((place) => place === entityId(entity) || (entity.kind === "host" && isOn(place, entity)));
  const found = look.blamed.filter((one) => !isFelt(one) && !isHeld(one));
  const sure = look.blamed[0]!.confidence;
  return [...judged, ...found.map((place) => candidateOf(place, sure))];
}

/**
 * Of two looks at the same trouble. What was seen for sure while it lasted stays before what a later look is not sure of: evidence fades as
 * the cause does, while those that suffered from it still recover.
 */
export function surerLook(before: Look | null, fresh: Look, symptoms: readonly Anomaly[]): Look {
  if (before === null || names(fresh, symptoms) || !names(before, symptoms)) return fresh;
  return { ...before, atMs: fresh.atMs, places: fresh.places };
}

/** It is sure who is to blame, and that is not just where it is felt. */
function names(look: Look, symptoms: readonly Anomaly[]): boolean {
  const [first] = look.blamed;
  return first !== undefined && first.confidence >= causeConfidenceMin && !feltOf(look, symptoms)(first);
}

/** What says where the trouble is felt, and nothing of why. */
function feltOf(
  look: Look,
  symptoms: readonly Anomaly[],
): (one: Pick<Candidate, "entity" | "evidence">) => boolean {
  const hosts = new Set(symptoms.map(whereFelt));
  const suffering = new Set(symptoms.filter(isEffect).map(({ entity }) => placeIn(look, entity)));
  return ({ entity, evidence }) =>
    (hosts.has(entity.host) && (entity.kind === "host" || isUsedPart(entity, evidence))) ||
    (suffering.size < 2 && evidence.every(isEffect));
}

/** A device that is busy because it is used: by whom, it does not say. */
function isUsedPart({ kind }: Entity, [first]: readonly Anomaly[]): boolean {
  const isDevice = kind === "disk" || kind === "interface";
  return isDevice && (first?.kind === "traffic" || first?.kind === "utilisation");
}

/** `best`: the highest score that anomalies alone give. As far as the look is sure, it decides; beside it what they say. */
function judgedBy(candidate: Candidate, look: Look, best: number): Candidate {
  const own = best === 0 ? 0 : candidate.score / best;
  if (isBeyond(candidate)) return { ...candidate, score: own };
  const { entity, confidence, evidence } = candidate;
  const share = shareIn(look, candidate);
  const sure = look.blamed[0]!.confidence;
  const score = (1 - sure) * own + sure * share * (isUsedPart(entity, evidence) ? usedPart : 1);
  // A port that closed is seen as it is; a look only knows that its service went quiet.
  if (entity.kind === "port") return { ...candidate, score: Math.max(own, score) };
  const surer =
    share >= blamedShare
      ? confidence + (1 - confidence) * agreement * sure
      : confidence * (1 - sure * (1 - share));
  return { ...candidate, score, confidence: Math.round(100 * surer) / 100 };
}

/** How far the look blames the place of an entity, from 0 to 1. */
function shareIn(look: Look, { entity, evidence }: Candidate): number {
  if (entity.kind === "group") return shareOfSiblings(look, evidence);
  const place = placeOfPart(look, entity);
  // A process that was born since the look may be of any service there.
  const near = entity.kind === "process" && !isKnown(look, entity) ? 1 : onThatHost;
  let share = 0;
  for (const { entity: one, share: whole } of look.blamed) {
    if (place === entityId(one)) share = Math.max(share, whole);
    else if (isOn(place, one)) share = Math.max(share, near * whole);
  }
  return share;
}

/** What siblings share is to blame as far as the look blames one of them; else it is what all of them call. */
function shareOfSiblings({ blamed }: Look, evidence: readonly Anomaly[]): number {
  const hosts = new Set(evidence.map(({ host }) => host));
  return blamed.reduce(
    (most, { entity, share }) => (hosts.has(entity.host) ? Math.max(most, share) : most),
    0,
  );
}

/** A port is its service's. */
function placeOfPart(look: Look, entity: Entity): string {
  const { kind, host, name } = entity;
  if (kind !== "port") return placeIn(look, entity);
  return entityId({ kind: "service", host, name: name.slice(0, name.lastIndexOf("/")) });
}

/** What it suffers goes after why: what the look has seen, else what it has used up itself. */
function withReason(candidate: Candidate, look: Look): Candidate {
  const { evidence, entity } = candidate;
  if (!isEffect(evidence[0]!)) return candidate;
  const [seen] = look.blamed.find((one) => entityId(one.entity) === entityId(entity))?.evidence ?? [];
  const reason = seen !== undefined && !isEffect(seen) ? seen : evidence.find(isUsedUp);
  if (reason === undefined) return candidate;
  const others = evidence.filter(({ series }) => series !== reason.series);
  return { ...candidate, kind: causeKind(reason), evidence: [reason, ...others] };
}

function isUsedUp(anomaly: Anomaly): boolean {
  const { kind, role } = anomaly;
  return role === "evidence" && (kind === "saturation" || kind === "utilisation") && !isEffect(anomaly);
}

/** Of the same host, and one of both is the host itself. */
function isOn(place: string, { kind, host }: Entity): boolean {
  if (kind === "host") return place.startsWith(`service:${host}/`);
  return kind === "service" && place === entityId({ kind: "host", host, name: "" });
}

/** Silence is seen as it is; a network has no place. */
function isBeyond({ entity: { kind }, evidence }: Candidate): boolean {
  return kind === "network" || evidence[0]!.detector === "absence";
}

/** What was seen where nothing was told. */
function candidateOf({ entity, share, confidence, evidence }: BlamedPlace, sure: number): Candidate {
  const [first] = evidence as readonly [Anomaly, ...Anomaly[]];
  return {
    entity,
    kind: causeKind(first),
    score: sure * share,
    confidence,
    share: null,
    evidence,
    action: null,
  };
}
