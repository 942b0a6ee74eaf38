/**
 * Joins what anomalies say of causes with what a look at the past says (`look.ts`).
 *
 * Anomalies know which part of a host's suffering an entity accounts for; a look knows who strayed first and farthest, and whom others
 * explain. So a candidate at a place that the look blames counts in full and is surer, one that it does not blame counts less, the surer the look is, and a place
 * that no anomaly was told of becomes a candidate by what was seen there. A host and a service on it stand for each other: what a
 * service uses up is its host's. That the one that suffers is the one that strays is no news: a host with a busy processor, or the only
 * service that fails, is where it is felt. Silence, and what many hosts share, is not for a look to judge.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { type Entity, entityId } from "#shared/entity.ts";
import { type Candidate, causeKind, isEffect } from "./candidate.ts";
import { type BlamedPlace, isKnown, type Look, placeIn } from "./look.ts";

/** What a candidate keeps of its score at a place that the look does not blame at all. */
const unblamed = 0.3;
/** A service for its host, and a host for its service. */
const onThatHost = 0.9;
/** From this share of the first place's score on a place is blamed as much. */
const blamedShare = 0.9;
/** How much surer than the best that was told counts, and what the least sure is taken for. */
const surerMax = 1.5;
const doubt = 0.2;
/** Of the look's confidence, where anomalies speak for the same. */
const agreement = 0.5;

export function withLook(
  candidates: readonly Candidate[],
  look: Look,
  symptoms: readonly Anomaly[],
): Candidate[] {
  if (look.blamed.length === 0) return [...candidates];
  const hosts = new Set(symptoms.map(({ host }) => host));
  const suffering = new Set(symptoms.filter(isEffect).map(({ entity }) => placeIn(look, entity)));
  /** It says where the trouble is felt, and nothing of why. */
  const isFelt = ({ entity, evidence }: Pick<Candidate, "entity" | "evidence">): boolean =>
    (entity.kind === "host" && hosts.has(entity.host)) || (suffering.size < 2 && evidence.every(isEffect));
  const judged = candidates.map((candidate) => {
    const one = withReason(judgedBy(candidate, look), look);
    return isFelt(candidate) ? { ...one, confidence: Math.min(one.confidence, candidate.confidence) } : one;
  });
  const held = candidates.map(({ entity }) => placeIn(look, entity));
  // A host that is told of stands for no service on it: which one it is, is what was looked for.
  const isHeld = ({ entity }: BlamedPlace): boolean =>
    held.some((place) => place === entityId(entity) || (entity.kind === "host" && isOn(place, entity)));
  const found = look.blamed.filter((one) => !isFelt(one) && !isHeld(one));
  const best = judged.reduce<Candidate | null>(
    (most, one) => (most === null || one.score > most.score ? one : most),
    null,
  );
  return [...judged, ...found.map((place) => candidateOf(place, best))];
}

function judgedBy(candidate: Candidate, look: Look): Candidate {
  if (isBeyond(candidate)) return candidate;
  const place = placeIn(look, candidate.entity);
  // A process that was born since the look may be of any service there.
  const near = candidate.entity.kind === "process" && !isKnown(look, candidate.entity) ? 1 : onThatHost;
  let share = 0;
  for (const { entity, share: whole } of look.blamed) {
    if (place === entityId(entity)) share = Math.max(share, whole);
    else if (isOn(place, entity)) share = Math.max(share, near * whole);
  }
  const sure = look.blamed[0]!.confidence;
  const { confidence } = candidate;
  const surer =
    share >= blamedShare
      ? confidence + (1 - confidence) * agreement * sure
      : confidence * (1 - sure * (1 - share));
  return {
    ...candidate,
    score: candidate.score * (1 - sure * (1 - unblamed) * (1 - share)),
    confidence: Math.round(100 * surer) / 100,
  };
}

/** Where anomalies tell what it suffers first, and the look has seen why, that goes before. */
function withReason(candidate: Candidate, look: Look): Candidate {
  const place = look.blamed.find(({ entity }) => entityId(entity) === entityId(candidate.entity));
  const [reason] = place?.evidence ?? [];
  if (reason === undefined || isEffect(reason) || !isEffect(candidate.evidence[0]!)) return candidate;
  const others = candidate.evidence.filter(({ series }) => series !== reason.series);
  return { ...candidate, kind: causeKind(reason), evidence: [reason, ...others] };
}

/** Of the same host, and one of both is the host itself. */
function isOn(place: string, { kind, host }: Entity): boolean {
  if (kind === "host") return place.startsWith(`service:${host}/`);
  return kind === "service" && place === entityId({ kind: "host", host, name: "" });
}

/** Silence and what closed by itself are seen as they are; what many hosts share has no place. */
function isBeyond({ entity: { kind }, evidence }: Candidate): boolean {
  return kind === "network" || kind === "group" || kind === "port" || evidence[0]!.detector === "absence";
}

/** What was seen where nothing was told: beside the best of the others as far as it is surer than that. */
function candidateOf(
  { entity, share, confidence, evidence }: BlamedPlace,
  best: Candidate | null,
): Candidate {
  const [first] = evidence as readonly [Anomaly, ...Anomaly[]];
  const surer = Math.min(surerMax, confidence / Math.max(doubt, best?.confidence ?? doubt));
  return {
    entity,
    kind: causeKind(first),
    score: (best?.score ?? 1) * share * surer,
    confidence,
    share: null,
    evidence,
    action: null,
  };
}
