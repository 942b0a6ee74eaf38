/**
 * The store: what the collector concluded, kept so that a restart changes nothing that an operator can see.
 *
 * The journal holds what was measured; the store holds what follows from it and is dear to compute again: incidents, the
 * `incidents` channel's deltas, snapshots of detection's state, and the ledger of what is missing. One `commit` moves all
 * of it together with the journal position that it follows from, so that a replay after a restart finds out by the position
 * alone what was already said, and says nothing twice.
 *
 * All calls are synchronous: a commit is one disk write of a few kilobytes, and a caller that has returned is durable.
 */
import type { Host, Loss } from "#shared/contract/api.ts";
import type { Incident } from "#shared/contract/incident.ts";
import type { Cursor } from "#shared/contract/live.ts";

/** One step of the `incidents` channel: `seq` grows by one from delta to delta, without a hole, over restarts too. */
export interface Delta {
  readonly seq: number;
  readonly incident: Incident;
}

/** A command that was carried out, kept `limits.commandsKeptMs` so that its repeat gets the same answer. */
export interface StoredCommand {
  /** The client's `Idempotency-Key`. */
  readonly key: string;
  /** What was asked, in the caller's own spelling: a repeat of the key with another request is a mistake. */
  readonly request: string;
  readonly answer: string;
  readonly atMs: number;
}

export interface Commit {
  /** Journal position up to which all of this follows from the journal; a whole number above 0 that only grows. */
  readonly position: number;
  /** Incidents in the order in which they changed; each becomes a delta. The same id may come more than once. */
  readonly incidents: readonly Incident[];
  readonly losses: readonly Loss[];
  readonly commands?: readonly StoredCommand[];
}

export interface IncidentFilter {
  /** `open`: everything that is not over. */
  readonly state: "open" | "all";
  readonly limit: number;
}

export interface LossFilter {
  readonly host?: string;
  /** Losses that touch [fromMs, toMs]. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Rows returned; the sum is over all that match. */
  readonly limit: number;
}

export interface Snapshot {
  /** Journal position that the snapshot includes: replay begins after it. */
  readonly position: number;
  readonly blob: Uint8Array;
}

/** What the live protocol needs of a store. */
export interface DeltaSource {
  /** Where the `incidents` channel is now. The epoch is that of the database; `seq` 0 means that nothing was ever said. */
  cursor(): Cursor;
  /** At most `limit` deltas after `seq`, oldest first; undefined when they are no longer (or not yet) there. */
  deltasAfter(seq: number, limit?: number): readonly Delta[] | undefined;
  /** The channel's whole state at `cursor()`: every incident that is not over, then the newest that are. */
  channelIncidents(): readonly Incident[];
}

/** Every method throws `StorageError` when the disk or the file refuses; after a retryable one the store is as before. */
export interface Store extends DeltaSource {
  /** The last committed journal position; 0 when there is none. */
  readonly position: number;
  /**
   * Stores everything in one transaction and returns the deltas to push, in order. A position that is not beyond the
   * committed one was committed before: nothing is stored, and [] is returned.
   */
  commit(commit: Commit): readonly Delta[];
  incident(id: string): Incident | undefined;
  /** Newest start first; equal starts by id. */
  incidents(filter: IncidentFilter): readonly Incident[];
  command(key: string): StoredCommand | undefined;
  losses(filter: LossFilter): { readonly samples: number; readonly losses: readonly Loss[] };
  /** Keeps the newest two snapshots of each name. */
  saveSnapshot(name: string, snapshot: Snapshot): void;
  /** The newest snapshot whose bytes are those that were saved. */
  loadSnapshot(name: string): Snapshot | undefined;
  /** Hosts as they were last known, for the time between a restart and the agents' first frames. */
  saveHosts(hosts: readonly Host[]): void;
  hosts(): readonly Host[];
  close(): void;
}
