/**
 * The journal: everything that was admitted, in one order. Acknowledged means that it is here and durable.
 *
 * All that follows (detection, correlation, incidents) is a deterministic function of it: a restart replays from the
 * position of the last snapshot, a backtest replays with another policy, a chart reads a range. `sqlite.ts` is the embedded
 * adapter; any other must pass `test/collector/journal/contract.ts`.
 */
import type { Position } from "#shared/wire/control.ts";
import type { DecodedFrame } from "#shared/wire/wire.ts";

/**
 * `frame`: an agent's bytes as received. The others are JSON: `tick`, the collector's clock for what must be judged although
 * no data came; `presence`, an agent came or went (`ingest/presence.ts`); `command`, what an operator decided; `change`, what
 * somebody told of changes to the systems.
 * The place in this list is the number in the file: append only.
 */
export const journalKinds = ["frame", "tick", "presence", "command", "change"] as const;
export type JournalKind = (typeof journalKinds)[number];

export interface JournalEntry {
  readonly kind: JournalKind;
  /** The agent's id; of other kinds what they are about, or "". */
  readonly stream: string;
  /** Null unless a frame. */
  readonly epoch: number | null;
  readonly sequence: number | null;
  /** A key frame: its segment can be decoded from here. */
  readonly key: boolean;
  /** First and last tick inside, milliseconds since 1970 UTC, corrected by `skewMs`; for JSON the collector's time. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly samples: number;
  readonly series: number;
  /** What the agent's clock was ahead by: subtract it from the times inside `bytes`. 0 when it is right enough. */
  readonly skewMs: number;
  readonly bytes: Uint8Array;
}

export interface JournalRecord extends JournalEntry {
  /** Grows, with holes; never used twice. */
  readonly position: number;
  /** The frame decoded, when it comes live from the door that has decoded it; null on replay. */
  readonly decoded: DecodedFrame | null;
}

export type JournalState = "ok" | "full" | "failed";

export interface JournalStats {
  /** full: the disk takes no more, and it keeps trying. failed: damaged or gone, the process must start again. */
  readonly state: JournalState;
  /** Position of the newest durable entry. */
  readonly lastPosition: number;
  /** On disk. */
  readonly sizeBytes: number;
  /** Appended and not yet durable, plus durable and not yet taken by the slowest consumer: what to hold back by. */
  readonly waitingBytes: number;
}

export interface Consumption {
  /** Resolves when the replay has reached what was there; the handler has returned for every earlier entry. */
  readonly caughtUp: Promise<void>;
  /** Resolves after `stop`; rejects with what the handler threw, and then no more is handed over. */
  readonly done: Promise<void>;
  stop(): void;
}

export interface Journal {
  /**
   * Resolves with the position once the entry is durable, in the order of the calls; null for a frame that is already here.
   * Waits while the disk is full. Rejects with `StorageError` when the journal has failed or was closed.
   */
  append(entry: JournalEntry, decoded?: DecodedFrame): Promise<number | null>;
  /**
   * Hands over every entry after `position`, in order, each once: first those that are stored, then live ones, without a
   * gap. The next entry waits until what the handler returned has resolved.
   */
  consume(position: number, handler: (record: JournalRecord) => void | Promise<void>): Consumption;
  /** Frames of a stream from the key frame at or before `fromMs` until after `toMs`: decode all, use those in between. */
  read(range: { stream: string; fromMs: number; toMs: number }): AsyncIterable<JournalRecord>;
  /** The frames from a segment's key frame up to and including `last`; [] when they are gone. */
  segmentUpTo(stream: string, last: Position): JournalRecord[];
  /** The last durable frame of a stream, or null. */
  last(stream: string): Position | null;
  has(stream: string, position: Position): boolean;
  /**
   * How many samples were stored for a stream, or for all when it is undefined, counted in steps of ten minutes: those that
   * the range touches. What retention has removed by size still counts until it is too old as well.
   */
  samples(
    stream: string | undefined,
    range: { fromMs?: number | undefined; toMs?: number | undefined },
  ): number;
  stats(): JournalStats;
  /** Removes whole oldest segments beyond the limits of size and age. Called by itself; exposed for tests and operators. */
  trim(): void;
  /** Makes durable what waits, then closes. Rejects what a full disk would not take. */
  close(): Promise<void>;
}

const encoder = new TextEncoder();

/** An entry of one of the JSON kinds, at the collector's time `atMs`. */
export function jsonEntry(
  kind: Exclude<JournalKind, "frame">,
  stream: string,
  atMs: number,
  body: object,
): JournalEntry {
  const bytes = encoder.encode(JSON.stringify(body));
  return {
    kind,
    stream,
    epoch: null,
    sequence: null,
    key: false,
    firstMs: atMs,
    lastMs: atMs,
    samples: 0,
    series: 0,
    skewMs: 0,
    bytes,
  };
}
