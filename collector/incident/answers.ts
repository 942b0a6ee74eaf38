/** What operators say of an incident: that they are on it, whether it was useful, what its cause was. All of it can be taken back. */
import { completed, type Incident, isOver, type Verdict } from "#shared/contract/incident.ts";
import { entryAt, type Entry, revise } from "./entry.ts";

export interface AcknowledgeCommand {
  readonly kind: "acknowledge" | "resolve";
  readonly incident: string;
  readonly by: string;
  readonly comment: string;
}

/** An operator's answer to "was this useful?"; `none` withdraws it. */
export interface FeedbackCommand {
  readonly kind: "feedback";
  readonly incident: string;
  readonly verdict: Verdict | "none";
  readonly by: string;
  readonly comment: string;
  /** The incident as it was last told, when it ended so long ago that it may not be in memory. */
  readonly recalled?: Incident | undefined;
}

/** What an operator knows the cause to be, whatever was found; null withdraws it. */
export interface CauseCommand {
  readonly kind: "cause";
  readonly incident: string;
  readonly entity: string | null;
  readonly by: string;
  readonly comment: string;
  readonly recalled?: Incident | undefined;
}

export type IncidentCommand = AcknowledgeCommand | FeedbackCommand | CauseCommand;

export function acknowledge(entry: Entry, { by, comment }: AcknowledgeCommand, nowMs: number): void {
  const acknowledgements = [...entry.incident.acknowledgements, { by, atMs: nowMs, comment }];
  revise(entry, { owner: by, acknowledgements }, [entryAt(nowMs, "timeline.acknowledged", { by })], nowMs);
}

export function answerTo(entry: Entry, { verdict, by, comment }: FeedbackCommand, nowMs: number): void {
  if (verdict !== "none") {
    const feedback = { verdict, by, atMs: nowMs, comment };
    revise(entry, { feedback }, [entryAt(nowMs, `timeline.feedback_${verdict}`, { by })], nowMs);
  } else if (entry.incident.feedback !== null) {
    revise(entry, { feedback: null }, [entryAt(nowMs, "timeline.feedback_withdrawn", { by })], nowMs);
  }
}

export function confirmCause(entry: Entry, { entity, by, comment }: CauseCommand, nowMs: number): void {
  const { confirmedCause, causes } = entry.incident;
  if (entity !== null) {
    const key = causes[0]?.entity === entity ? "timeline.cause_confirmed" : "timeline.cause_corrected";
    const change = { confirmedCause: { entity, by, atMs: nowMs, comment } };
    revise(entry, change, [entryAt(nowMs, key, { by, entity })], nowMs);
  } else if (confirmedCause !== null) {
    revise(entry, { confirmedCause: null }, [entryAt(nowMs, "timeline.cause_withdrawn", { by })], nowMs);
  }
}

/** Back in memory for as long as after its end, so that two answers at once do not both change the same revision. */
export function recall(command: IncidentCommand, nowMs: number): Entry | undefined {
  if (command.kind !== "feedback" && command.kind !== "cause") return undefined;
  if (command.recalled === undefined || !isOver(command.recalled)) return undefined;
  return {
    incident: completed(command.recalled),
    // No group is it any more: what begins now is new trouble, or another incident's.
    suspicionId: "",
    fingerprint: "",
    active: false,
    quietSinceMs: null,
    heardMs: nowMs,
    transitions: [],
    milder: null,
    rival: null,
    size: "",
    untold: null,
    openHosts: [],
    downHosts: [],
    backSinceMs: null,
    dismissed: false,
    features: [],
  };
}
