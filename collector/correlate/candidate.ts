/** An entity that may have caused it, with what speaks for it. */
import type { Anomaly } from "#shared/anomaly.ts";
import type { Cause } from "#shared/contract/incident.ts";
import type { Entity } from "#shared/entity.ts";
import type { ChangeBonus } from "./related-changes.ts";

export interface Candidate {
  readonly entity: Entity;
  readonly kind: Cause["kind"];
  readonly score: number;
  readonly confidence: number;
  /** Share of the symptom's deviation that the entity accounts for, 0 to 1, or null when it cannot be told. */
  readonly share: number | null;
  /** Strongest first. */
  readonly evidence: readonly Anomaly[];
  /** What somebody did shortly before its evidence began. */
  readonly action: ChangeBonus | null;
}

/** What somebody suffers, and what may be another's doing. */
export function isEffect(anomaly: Anomaly): boolean {
  const { kind, resource, detector } = anomaly;
  return resource === "none" && (kind === "latency" || kind === "errors" || detector === "counts");
}

export function causeKind(anomaly: Anomaly): Cause["kind"] {
  if (anomaly.detector === "absence") return "silence";
  if (anomaly.entity.kind === "port") return "state_change";
  const isSlowWay = anomaly.kind === "latency" && anomaly.resource === "network";
  if (isSlowWay || anomaly.kind === "state" || isEffect(anomaly)) return "state_change";
  if (anomaly.resource === "space" || anomaly.runsOut !== undefined) return "exhaustion";
  return anomaly.kind === "saturation" || anomaly.detector === "bound" ? "saturation" : "demand";
}
