/**
 * Operators' commands: through the journal like everything else, so that a replay decides the same.
 *
 * A command is answered when its journal record was followed. The same key with the same request gets the same answer, now,
 * while the first is under way, and a day later; with another request it is refused. Changes to the systems take the same way; each
 * is known by its own id.
 */
import type { Clock } from "#shared/clock.ts";
import type { Change } from "#shared/contract/change.ts";
import { isOver } from "#shared/contract/incident.ts";
import { StorageError } from "#shared/errors.ts";
import { type Follower, type JournaledChanges, type JournaledCommand, spelled } from "./follow.ts";
import { jsonEntry, type Journal } from "./journal/journal.ts";
import type { ChangesResult, Command, CommandResult } from "./push/api.ts";
import type { Store } from "./store/store.ts";

export interface CommandParts {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly store: Store;
  readonly follower: Follower;
  /** Why the collector cannot take commands now; [] when it can. */
  readonly ready: () => readonly string[];
}

export class Commands {
  readonly #parts: CommandParts;
  /** Those that wait for their record to be followed, by key. */
  readonly #underWay = new Map<
    string,
    { readonly request: string; readonly result: Promise<CommandResult> }
  >();
  #changesTaken = 0;

  constructor(parts: CommandParts) {
    this.#parts = parts;
  }

  /** Throws a retryable `StorageError` while the collector is not ready. */
  async take(command: Command): Promise<CommandResult> {
    const { store, follower } = this.#parts;
    const { id, kind, idempotencyKey: key } = command;
    const entry = this.#entryOf(command);
    const asked = spelled(entry);
    const before = store.command(key);
    if (before !== undefined) {
      return before.request === asked
        ? (JSON.parse(before.answer) as CommandResult)
        : { outcome: "key_reused" };
    }
    this.#mustBeReady();
    const forgotten = store.incident(id) !== undefined && follower.chain.incident(id) === undefined;
    if (forgotten && kind !== "feedback" && kind !== "cause") {
      return { outcome: "not_allowed", message: `${id} was resolved long ago and is closed` };
    }
    const first = this.#underWay.get(key);
    if (first !== undefined) return first.request === asked ? first.result : { outcome: "key_reused" };
    const result = this.#journal(entry);
    this.#underWay.set(key, { request: asked, result });
    return result;
  }

  /** Resolves when the journal has them; throws like `take`. Known ones count once; nothing is taken of a list with a conflict. */
  async takeChanges(changes: readonly Change[]): Promise<ChangesResult> {
    const { clock, follower, journal } = this.#parts;
    this.#mustBeReady();
    for (const change of changes) {
      const known = follower.chain.changes.known(change.id);
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(change))
        return { outcome: "id_reused", known };
    }
    const atMs = clock.nowMs();
    this.#changesTaken += 1;
    const key = `${atMs}-${this.#changesTaken}`;
    try {
      const taken = follower.taken(key);
      await journal.append(jsonEntry("change", "", atMs, { key, atMs, changes } satisfies JournaledChanges));
      return { outcome: "done", taken: await taken };
    } finally {
      follower.forget(key);
    }
  }

  /** Full, it would wait for space without an answer. Replaying, it may be in the journal already, and only the end tells. */
  #mustBeReady(): void {
    const reasons = this.#parts.ready();
    if (reasons.length > 0)
      throw new StorageError(`try again in a moment: ${reasons.join("; ")}`, { retryable: true });
  }

  #entryOf(command: Command): JournaledCommand {
    const { clock, store, follower } = this.#parts;
    const { id, idempotencyKey: key, ifMatch = null } = command;
    const entry = { id, ...command.request, key, ifMatch, atMs: clock.nowMs() };
    if (command.kind !== "feedback" && command.kind !== "cause") return { ...entry, kind: command.kind };
    // What is over may be forgotten by the chain when the record is followed, and a replay may have no store.
    const known = follower.chain.incident(id);
    const recalled = known !== undefined && !isOver(known) ? {} : { recalled: store.incident(id) };
    return command.kind === "feedback"
      ? { ...entry, kind: command.kind, verdict: command.request.verdict, ...recalled }
      : { ...entry, kind: command.kind, entity: command.request.entity, ...recalled };
  }

  async #journal(entry: JournaledCommand): Promise<CommandResult> {
    const { follower, journal } = this.#parts;
    try {
      const answer = follower.answer(entry.key);
      await journal.append(jsonEntry("command", entry.id, entry.atMs, entry));
      return await answer;
    } finally {
      this.#underWay.delete(entry.key);
      follower.forget(entry.key);
    }
  }
}
