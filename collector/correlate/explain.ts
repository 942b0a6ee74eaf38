/** Puts a group and its ranked candidates into texts `{key, args}`; the reader's language is chosen where they are shown. */
import { type Anomaly, whereFelt } from "#shared/anomaly.ts";
import { type Cause, causeConfidenceMin, type Evidence, type Text } from "#shared/contract/incident.ts";
import { entityId } from "#shared/entity.ts";
import { runsOutText } from "#shared/runs-out.ts";
import type { Candidate } from "./candidate.ts";

export const evidencePerCauseMax = 8;
/** Hosts that are named one by one. */
const namedMax = 3;
/** What a cause leaves unexplained is worth saying from here on. */
const unexplainedShareMin = 0.2;

export function toEvidence(anomaly: Anomaly): Evidence {
  const { host, series, metric, unit, direction, startedMs, lastMs, ended, value } = anomaly;
  const { expectedLow, expectedHigh, score, provisional } = anomaly;
  return {
    host,
    series,
    metric,
    entity: entityId(anomaly.entity),
    unit,
    direction,
    startedMs,
    lastMs,
    ended,
    value,
    expectedLow,
    expectedHigh,
    score: Math.round(score * 100) / 100,
    provisional,
    reasons: anomaly.reasons.map(({ key, effect, args }) => ({ key, effect, args })),
  };
}

export function toCause(candidate: Candidate, rivals: readonly Candidate[], firstSymptomMs: number): Cause {
  return {
    entity: entityId(candidate.entity),
    kind: candidate.kind,
    confidence: candidate.confidence,
    text: causeText(candidate.evidence[0]!),
    evidence: candidate.evidence.slice(0, evidencePerCauseMax).map(toEvidence),
    counterEvidence: counterEvidence(candidate, rivals, firstSymptomMs),
    ...(candidate.action === null ? {} : { action: candidate.action.change.id }),
  };
}

function counterEvidence(candidate: Candidate, rivals: readonly Candidate[], firstSymptomMs: number): Text[] {
  const texts: Text[] = [];
  const first = candidate.evidence[0]!;
  if (candidate.share !== null && 1 - candidate.share >= unexplainedShareMin) {
    texts.push({ key: "counter.unexplained", args: { share: 1 - candidate.share } });
  }
  if (candidate.share === null && first.role === "evidence")
    texts.push({ key: "counter.no_share", args: {} });
  if (first.startedMs > firstSymptomMs) {
    texts.push({ key: "counter.late", args: { late: first.startedMs - firstSymptomMs } });
  }
  for (const rival of rivals) {
    const asMuch = rival.confidence >= causeConfidenceMin && rival.confidence >= candidate.confidence;
    if (rival !== candidate && asMuch)
      texts.push({ key: "counter.rival", args: { entity: entityId(rival.entity) } });
  }
  return texts;
}

function causeText(anomaly: Anomaly): Text {
  const { entity, resource } = anomaly;
  if (anomaly.detector === "absence") return silenceCause(anomaly);
  if (anomaly.group?.entity.kind === "group")
    return { key: "cause.group", args: { group: anomaly.group.entity.host } };
  const causeName = entity.name === "" ? entity.host : entity.name;
  if (anomaly.detector === "host")
    return { key: "cause.host", args: { causeName, metrics: metricsToBlame(anomaly) } };
  const values = {
    causeName,
    causeValue: anomaly.value,
    causeUnit: anomaly.unit,
    causeMetric: anomaly.metric,
  };
  const callee = calleeOf(anomaly);
  if (callee !== undefined) {
    const { name: caller } = entity;
    const key = resource === "network" ? "cause.way" : "cause.answer";
    if (anomaly.kind === "latency") return { key, args: { ...values, caller, callee } };
  }
  if (entity.kind === "port") return { key: "cause.port", args: { causeName } };
  if (entity.kind === "certificate") return { key: "cause.expiry", args: { causeName } };
  if (entity.kind === "filesystem") return { key: "cause.space", args: values };
  if (resource === "none" && (anomaly.kind === "latency" || anomaly.kind === "errors")) {
    return { key: "cause.origin", args: values };
  }
  const known = resource === "cpu" || resource === "memory" || resource === "disk";
  if (entity.kind === "process" && known) {
    const [pid = "", ...rest] = entity.name.split("/");
    return { key: `cause.process.${resource}`, args: { ...values, pid, process: rest.join("/") } };
  }
  const part = entity.kind === "service" || entity.kind === "cgroup";
  return { key: part && known ? `cause.part.${resource}` : "cause.other", args: values };
}

/** Of what one service sees of another. */
function calleeOf({ series }: Anomaly): string | undefined {
  return /[{,]callee="([^"]*)"/.exec(series)?.[1];
}

/** Detection's first reason says what kind of silence it is. */
function silenceCause({ entity, group, reasons: [reason] }: Anomaly): Text {
  if (entity.kind === "agent") return { key: "cause.agent_died", args: {} };
  if (group === undefined || reason === undefined) return { key: "cause.unreachable", args: {} };
  return { key: reason.key.replace("reason.", "cause."), args: reason.args };
}

export function symptomText(anomaly: Anomaly): Text {
  const name = anomaly.entity.name === "" ? anomaly.host : anomaly.entity.name;
  const { value, expectedLow: low, expectedHigh: high, unit, metric } = anomaly;
  const args = { value, low, high, unit, metric, name };
  if (anomaly.detector === "absence") return { key: "symptom.silence", args: { silent: value * 1000 } };
  if (anomaly.detector === "counts") return countText(anomaly);
  if (anomaly.detector === "host") return { key: "symptom.host", args: { metrics: metricsToBlame(anomaly) } };
  if (anomaly.runsOut !== undefined) {
    const thing = { kind: anomaly.entity.kind, name, metric };
    return runsOutText(thing, anomaly.runsOut, anomaly.lastMs);
  }
  return { key: symptomKey(anomaly), args };
}

/** Detection's first reason has the numbers, and says what became of them. */
function countText({ reasons: [reason] }: Anomaly): Text {
  const { key = "", args = {} } = reason ?? {};
  const volume = args["events"] === 0 ? "no" : "few";
  const became = key === "reason.volume" ? volume : key.startsWith("reason.refused") ? "refused" : "failed";
  return { key: `symptom.${became}_${args["what"]}`, args };
}

function symptomKey(anomaly: Anomaly): string {
  const isLevel = anomaly.kind === "utilisation";
  if (anomaly.entity.kind === "port") return "symptom.port";
  if (anomaly.resource === "cpu" && isLevel) return "symptom.cpu";
  if (anomaly.resource === "memory" && anomaly.kind === "errors") return "symptom.oom";
  if (anomaly.resource === "memory") return isLevel ? "symptom.memory" : "symptom.memory_stall";
  if (anomaly.resource === "disk" && isLevel) return "symptom.disk";
  if (anomaly.resource === "disk") return "symptom.disk_stall";
  if (anomaly.resource === "space" && isLevel) return "symptom.space";
  if (anomaly.resource === "network") return "symptom.network";
  if (anomaly.kind === "latency") return "symptom.latency";
  if (anomaly.kind === "saturation" && anomaly.resource === "none") return "symptom.queue";
  return "symptom.other";
}

/** What a host as a whole is unlike itself in. */
function metricsToBlame({ reasons }: Anomaly): string {
  return String(reasons.find(({ key }) => key === "reason.host_metrics")?.args["metrics"] ?? "");
}

export function impactTexts(symptoms: readonly Anomaly[]): Text[] {
  const silent = new Set(symptoms.filter(({ detector }) => detector === "absence").map(whereFelt));
  // Where requests and transactions are counted, what failed of them is what customers felt.
  const counted = symptoms.filter(({ detector }) => detector === "counts");
  if (counted.length > 0) return counted.slice(0, namedMax).map(countText);
  const hosts = [...new Set(symptoms.map(whereFelt))];
  if (silent.size > namedMax) {
    const others = hosts.filter((host) => !silent.has(host));
    const more = others.length > namedMax;
    return [
      { key: "impact.blind_hosts", args: { hosts: silent.size } },
      ...(more
        ? [{ key: "impact.unknown_hosts", args: { hosts: others.length } }]
        : others.map((host) => ({ key: "impact.unknown", args: { host } }))),
    ];
  }
  const named = hosts.slice(0, namedMax).map((host) => ({
    key: silent.has(host) ? "impact.blind" : "impact.unknown",
    args: { host },
  }));
  const more = hosts.length - named.length;
  return more === 0 ? named : [...named, { key: "impact.unknown_hosts", args: { hosts: more } }];
}
