/**
 * How bad it is, from what customers feel first, and not from how sure detection is.
 *
 * critical: most transactions fail or none come; or three hosts are silent or have lost a port. major: some transactions fail or come in
 * small numbers, most requests fail or none come; a bound is reached, a host is silent, or something runs out within two hours (a
 * certificate: a day). warning: more requests fail than usual; something unprecedented, or a bound reached by a series that is still
 * learning; or it runs out within a day (a certificate: two weeks). info: every symptom has been seen at this size before.
 * A busy processor, on however many hosts, is never as bad as money that does not move.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { severities, type Severity } from "#shared/contract/incident.ts";
import type { RunsOut } from "#shared/runs-out.ts";

const criticalHosts = 3;
const fullSoonMs = 2 * 3_600_000;
const expirySoonMs = 86_400_000;
const warnings: ReadonlySet<Anomaly["detector"]> = new Set(["record", "bound", "counts", "forecast"]);

export function severityOf(symptoms: readonly Anomaly[]): Severity {
  let worst: Severity = "info";
  const lostHosts = new Set<string>();
  for (const symptom of symptoms) {
    worst = worse(worst, severityOfOne(symptom));
    if (isLoss(symptom)) lostHosts.add(symptom.host);
  }
  return lostHosts.size >= criticalHosts ? "critical" : worst;
}

export function worse(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) >= severities.indexOf(b) ? a : b;
}

function severityOfOne(symptom: Anomaly): Severity {
  if (symptom.detector === "counts") return severityOfCounts(symptom);
  if (isLoss(symptom)) return "major";
  if (!symptom.provisional) {
    if (symptom.runsOut !== undefined) return isSoon(symptom.runsOut, symptom.lastMs) ? "major" : "warning";
    if (symptom.detector === "bound") return "major";
  }
  return warnings.has(symptom.detector) ? "warning" : "info";
}

/** Detection's first reason has the numbers. */
function severityOfCounts({ reasons, provisional }: Anomaly): Severity {
  const [first] = reasons;
  const transactions = first?.args["what"] === "transactions";
  const few = reasons.some(({ key }) => key === "reason.volume");
  const none = few && first?.args["events"] === 0;
  const most = none || reasons.some(({ key }) => key === "reason.most");
  if (provisional) return transactions ? "major" : "warning";
  if (most) return transactions ? "critical" : "major";
  return transactions || few ? "major" : "warning";
}

/** A host that is silent; a dead service. */
function isLoss({ detector, entity, provisional }: Anomaly): boolean {
  return detector === "absence" || (!provisional && entity.kind === "port" && detector === "record");
}

/** As seen when it was told: it is told again when it has come nearer. */
function isSoon({ what, likelyMs }: RunsOut, nowMs: number): boolean {
  return likelyMs - nowMs <= (what === "expiry" ? expirySoonMs : fullSoonMs);
}
