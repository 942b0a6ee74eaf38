/**
 * How bad it is, from what is felt and not from how sure detection is.
 *
 * info: every symptom has been seen at this size before. warning: something unprecedented, or a bound reached by a series
 * that is still learning. major: a bound is reached, or a host is silent. critical: major on three hosts or more.
 * Customer impact will outrank all of these once transactions are measured.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { Severity } from "#shared/contract/incident.ts";

const criticalHosts = 3;

export function severityOf(symptoms: readonly Anomaly[]): Severity {
  const majorHosts = new Set(symptoms.filter(isMajor).map(({ host }) => host));
  if (majorHosts.size >= criticalHosts) return "critical";
  if (majorHosts.size > 0) return "major";
  return symptoms.some(({ detector }) => detector === "record" || detector === "bound") ? "warning" : "info";
}

function isMajor(symptom: Anomaly): boolean {
  if (symptom.detector === "absence") return true;
  if (symptom.provisional) return false;
  // A dead service is as bad as a full disk.
  return symptom.detector === "bound" || (symptom.entity.kind === "port" && symptom.detector === "record");
}
