/**
 * Confidence in words. A number alone is read as precision that is not there, a word alone as opinion; both are shown.
 * Below `causeConfidenceMin` there is no cause, only candidates, and the console says that none was identified.
 */
import { type Cause, causeConfidenceMin, type Incident } from "#shared/contract/incident.ts";

export type ConfidenceWord = "veryLikely" | "likely" | "possible" | "guess";

export function confidenceWord(confidence: number): ConfidenceWord {
  if (confidence >= 0.85) return "veryLikely";
  if (confidence >= 0.65) return "likely";
  return confidence >= causeConfidenceMin ? "possible" : "guess";
}

/** Whole per cent, never 0 or 100: neither is known. */
export function confidencePercent(confidence: number): string {
  return `${Math.min(99, Math.max(1, Math.round(confidence * 100)))} %`;
}

export interface RankedCauses {
  /** At most three; empty: the cause is not identified. */
  readonly identified: readonly Cause[];
  /** What was considered and is too weak to be called a cause; at most three. */
  readonly candidates: readonly Cause[];
}

/** Whether a cause is named: the first candidate is sure enough. */
export function isIdentified(incident: Pick<Incident, "causes">): boolean {
  return rankCauses(incident).identified.length > 0;
}

export function rankCauses(incident: Pick<Incident, "causes">): RankedCauses {
  const ranked = [...incident.causes].sort((a, b) => b.confidence - a.confidence);
  const first = ranked[0];
  if (first === undefined || first.confidence < causeConfidenceMin) {
    return { identified: [], candidates: ranked.slice(0, 3) };
  }
  return { identified: ranked.slice(0, 3), candidates: [] };
}
