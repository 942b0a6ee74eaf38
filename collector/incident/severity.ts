/**
 * How bad it is, from what is felt and not from how sure detection is.
 *
 * info: every symptom has been seen at this size before. warning: something unprecedented, or a bound reached by a series
 * that is still learning, more requests that fail than usual, or something that runs out within a day (a certificate: two weeks). major: a
 * bound is reached, a host is silent, most requests fail or none come, or it runs out within two hours (a certificate: a day). critical:
 * major on three hosts or more.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { Severity } from "#shared/contract/incident.ts";
import type { RunsOut } from "#shared/runs-out.ts";

const criticalHosts = 3;
const fullSoonMs = 2 * 3_600_000;
const expirySoonMs = 86_400_000;
const warnings: ReadonlySet<Anomaly["detector"]> = new Set(["record", "bound", "counts", "forecast"]);

export function severityOf(symptoms: readonly Anomaly[]): Severity {
  const majorHosts = new Set(symptoms.filter(isMajor).map(({ host }) => host));
  if (majorHosts.size >= criticalHosts) return "critical";
  if (majorHosts.size > 0) return "major";
  return symptoms.some(({ detector }) => warnings.has(detector)) ? "warning" : "info";
}

function isMajor(symptom: Anomaly): boolean {
  if (symptom.detector === "absence") return true;
  if (symptom.provisional) return false;
  if (symptom.detector === "counts")
    return symptom.reasons.some(({ key }) => key === "reason.most" || key === "reason.volume");
  if (symptom.runsOut !== undefined) return isSoon(symptom.runsOut, symptom.lastMs);
  // A dead service is as bad as a full disk.
  return symptom.detector === "bound" || (symptom.entity.kind === "port" && symptom.detector === "record");
}

/** As seen when it was told: it is told again when it has come nearer. */
function isSoon({ what, likelyMs }: RunsOut, nowMs: number): boolean {
  return likelyMs - nowMs <= (what === "expiry" ? expirySoonMs : fullSoonMs);
}
