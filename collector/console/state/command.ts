/**
 * Sends a command as an operator means it.
 *
 * An open incident's revision grows with every sample that changes its evidence, so the revision on the screen is often
 * old although nothing that matters to the decision has changed. What matters is who acknowledged and whether it is open:
 * if only the rest has changed, the command is sent again with the new revision; otherwise it is a conflict, and the
 * operator decides anew.
 */
import type { CommandRequest } from "#shared/contract/api.ts";
import { type Incident, isOver } from "#shared/contract/incident.ts";

/** All but the first two are answers, of an incident that is over too: was it useful, and what was its cause. */
export type CommandKind = "acknowledge" | "resolve" | "useful" | "noise" | "withdraw" | "cause" | "uncause";

/** Whether the command would change anything. */
export function isOffered(kind: CommandKind, incident: Incident): boolean {
  const { feedback, confirmedCause } = incident;
  switch (kind) {
    case "acknowledge":
    case "resolve":
      return !isOver(incident);
    case "useful":
    case "noise":
      return feedback?.verdict !== kind;
    case "withdraw":
      return feedback !== null;
    case "cause":
      return true;
    case "uncause":
      return confirmedCause !== null;
  }
}

export interface CommandDoor {
  /** Rejects with an error that has `status`: 412 when the revision is not the incident's any more, 0 without answer. */
  send(incident: Incident, request: CommandRequest, key: string): Promise<Incident>;
  /** The incident as the collector has it now; rejects when it has it no longer. */
  fetch(id: string): Promise<Incident>;
  newKey(): string;
}

export type CommandOutcome =
  | { readonly kind: "done"; readonly incident: Incident }
  /** Somebody else has acknowledged or resolved; `incident` is as it is now. */
  | { readonly kind: "conflict"; readonly incident: Incident }
  | { readonly kind: "failed"; readonly status: number; readonly message: string };

const attemptsMax = 4;

/** `key` is for the first attempt; the same key with the same revision and request may be sent again safely. */
export async function runCommand(
  door: CommandDoor,
  seen: Incident,
  request: CommandRequest,
  key: string,
  same: (seen: Incident, now: Incident) => boolean = sameDecision,
): Promise<CommandOutcome> {
  let incident = seen;
  let attemptKey = key;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { kind: "done", incident: await door.send(incident, request, attemptKey) };
    } catch (error) {
      const status = statusOf(error);
      const message = error instanceof Error ? error.message : String(error);
      if (status !== 412 || attempt === attemptsMax) return { kind: "failed", status, message };
      const now = await door.fetch(seen.id).catch(() => undefined);
      if (now === undefined) return { kind: "failed", status, message };
      if (!same(seen, now)) return { kind: "conflict", incident: now };
      incident = now;
      attemptKey = door.newKey();
    }
  }
}

/** Whether what the operator decided on is as it was: nobody acknowledged since, and it has not ended or reopened. */
export function sameDecision(seen: Incident, now: Incident): boolean {
  return seen.acknowledgements.length === now.acknowledgements.length && isOver(seen) === isOver(now);
}

/** The same for an answer: nobody else has answered since. */
export function sameFeedback(seen: Incident, now: Incident): boolean {
  return seen.feedback?.atMs === now.feedback?.atMs && seen.feedback?.verdict === now.feedback?.verdict;
}

/** The same for a cause: nobody else has said one since. */
export function sameCause(seen: Incident, now: Incident): boolean {
  return (
    seen.confirmedCause?.atMs === now.confirmedCause?.atMs &&
    seen.confirmedCause?.entity === now.confirmedCause?.entity
  );
}

function statusOf(error: unknown): number {
  return error instanceof Error && "status" in error && typeof error.status === "number" ? error.status : 0;
}
