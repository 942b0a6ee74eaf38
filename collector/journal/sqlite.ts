/**
 * The embedded journal: one SQLite file on `shared/frame-log.ts`, synchronous=FULL.
 *
 * Group commit: the first entry of a batch waits `limits.groupCommitMs` for company, then one transaction and one fsync
 * make all of them durable, so a disk that takes 5 ms for an fsync still acknowledges thousands of frames a second. The
 * commit runs on the event loop; what it costs is one fsync per batch (measured and exported by `observe`).
 * A full disk stops the acknowledgements and nothing else: what waits is tried again each second, agents spool meanwhile.
 */
import type { Clock, Timer } from "#shared/clock.ts";
import { StorageError, errorText } from "#shared/errors.ts";
import { FrameLog, type LogEntry, type StoredEntry } from "#shared/frame-log.ts";
import { limits } from "#shared/limits.ts";
import type { Log } from "#shared/log.ts";
import type { Position } from "#shared/wire/control.ts";
import type { DecodedFrame } from "#shared/wire/wire.ts";
import { Consumer } from "./consumer.ts";
import {
  journalKinds,
  type Consumption,
  type Journal,
  type JournalEntry,
  type JournalRecord,
  type JournalState,
  type JournalStats,
} from "./journal.ts";
import { trimOldest } from "./retention.ts";

/** "CWJL" */
const applicationId = 0x43574a4c;
/** Enough waits: commit without waiting for more. */
const commitBytes = 1024 * 1024;
/** A transaction is cut off here, so that the backlog of a full disk does not stop the event loop for seconds. */
const transactionBytesMax = 4 * 1024 * 1024;
const retryMs = 1_000;
/** Grain of the count of stored samples. */
const tallyMs = 600_000;
const trimEveryMs = 60_000;
const pageEntries = 256;
const pageBytesMax = 4 * 1024 * 1024;

export interface SqliteJournalOptions {
  /** A file whose folder exists, or ":memory:". */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: {
    readonly groupCommitMs?: number;
    readonly journalBytesMax?: number;
    readonly journalAgeMsMax?: number;
  };
  /** Told after every commit, and with `error` after one that failed. */
  readonly observe?: (commit: Commit) => void;
}

export interface Commit {
  readonly entries: number;
  readonly sizeBytes: number;
  readonly durationMs: number;
  readonly error: StorageError | null;
}

interface Waiting {
  readonly entry: JournalEntry;
  readonly decoded: DecodedFrame | null;
  readonly resolve: (position: number | null) => void;
  readonly reject: (error: unknown) => void;
}

/** Throws `StorageError` when another process holds the file; a damaged file is moved aside and the log says so. */
export function openSqliteJournal(options: SqliteJournalOptions): Journal {
  const { path, clock, log } = options;
  const frames = FrameLog.open({ path, clock, synchronous: "full", cacheKiB: 16 * 1024, applicationId });
  if (frames.replaced !== null) {
    const { movedTo, sizeBytes, reason, totals } = frames.replaced;
    log.error("journal was damaged and moved aside; a new one began", {
      movedTo,
      sizeBytes,
      reason,
      entriesReadable: totals?.entries ?? null,
    });
  }
  return new SqliteJournal(options, frames);
}

class SqliteJournal implements Journal {
  readonly #frames: FrameLog;
  readonly #options: SqliteJournalOptions;
  readonly #groupCommitMs: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #timer: Timer | null = null;
  #state: JournalState = "ok";
  #closed = false;
  #lastPosition: number;
  #trimmedMs: number;
  readonly #consumers = new Set<Consumer>();
  /** The last durable frame of each stream that was asked about or written. */
  readonly #last = new Map<string, Position>();

  constructor(options: SqliteJournalOptions, frames: FrameLog) {
    this.#options = options;
    this.#groupCommitMs = options.limits?.groupCommitMs ?? limits.groupCommitMs;
    this.#frames = frames;
    this.#lastPosition = frames.lastPosition();
    this.#trimmedMs = options.clock.monotonicMs();
  }

  append(entry: JournalEntry, decoded?: DecodedFrame): Promise<number | null> {
    if (this.#closed || this.#state === "failed") return Promise.reject(this.#gone());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, decoded: decoded ?? null, resolve, reject });
      this.#waitingBytes += entry.bytes.length;
      if (this.#state === "full") return;
      if (this.#waitingBytes >= commitBytes) this.#commit();
      else this.#schedule(this.#groupCommitMs);
    });
  }

  #schedule(delayMs: number): void {
    this.#timer ??= this.#options.clock.after(delayMs, () => this.#commit(), { keepAlive: true });
  }

  #commit(): void {
    this.#timer?.cancel();
    this.#timer = null;
    while (this.#waiting.length > 0) {
      const { count, sizeBytes } = this.#nextBatch();
      const batch = this.#waiting.slice(0, count);
      if (!this.#write(batch, sizeBytes)) return;
    }
    const { clock } = this.#options;
    if (clock.monotonicMs() - this.#trimmedMs >= trimEveryMs) this.trim();
  }

  #nextBatch(): { count: number; sizeBytes: number } {
    let count = 0;
    let sizeBytes = 0;
    for (const { entry } of this.#waiting) {
      if (count > 0 && sizeBytes + entry.bytes.length > transactionBytesMax) break;
      count += 1;
      sizeBytes += entry.bytes.length;
    }
    return { count, sizeBytes };
  }

  /** False when nothing was written and the rest must wait too. */
  #write(batch: readonly Waiting[], sizeBytes: number): boolean {
    const { clock, observe } = this.#options;
    const startMs = clock.monotonicMs();
    let positions: (number | null)[];
    try {
      positions = this.#frames.append(
        batch.map(({ entry }) => stored(entry)),
        (given) => this.#tally(batch, given),
      );
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      observe?.({ entries: batch.length, sizeBytes, durationMs: clock.monotonicMs() - startMs, error });
      this.#refused(error);
      return false;
    }
    observe?.({ entries: batch.length, sizeBytes, durationMs: clock.monotonicMs() - startMs, error: null });
    this.#waiting = this.#waiting.slice(batch.length);
    this.#waitingBytes -= sizeBytes;
    this.#became("ok");
    batch.forEach((waiting, index) => this.#durable(waiting, positions[index] ?? null));
    return true;
  }

  #tally(batch: readonly Waiting[], positions: readonly (number | null)[]): void {
    const sums = new Map<string, { stream: string; fromMs: number; samples: number }>();
    for (const [index, { entry }] of batch.entries()) {
      if (entry.samples === 0 || positions[index] === null) continue;
      const fromMs = Math.floor(entry.firstMs / tallyMs) * tallyMs;
      const key = `${fromMs} ${entry.stream}`;
      const sum = sums.get(key) ?? { stream: entry.stream, fromMs, samples: 0 };
      sum.samples += entry.samples;
      sums.set(key, sum);
    }
    for (const { stream, fromMs, samples } of sums.values()) this.#frames.addTally(stream, fromMs, samples);
  }

  samples(
    stream: string | undefined,
    range: { fromMs?: number | undefined; toMs?: number | undefined },
  ): number {
    const fromMs = Math.floor((range.fromMs ?? 0) / tallyMs) * tallyMs;
    return this.#frames.tally(stream ?? null, fromMs, range.toMs ?? Number.MAX_SAFE_INTEGER);
  }

  #durable({ entry, decoded, resolve }: Waiting, position: number | null): void {
    if (position !== null) {
      this.#lastPosition = position;
      if (entry.epoch !== null && entry.sequence !== null) {
        this.#last.set(entry.stream, { epoch: entry.epoch, sequence: entry.sequence });
      }
      for (const consumer of this.#consumers) consumer.offer({ ...entry, position, decoded });
    }
    resolve(position);
  }

  #refused(error: StorageError): void {
    if (error.retryable) {
      this.#became("full", error);
      this.#schedule(retryMs);
      return;
    }
    this.#became("failed", error);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#waitingBytes = 0;
  }

  #became(state: JournalState, error?: StorageError): void {
    if (state === this.#state) return;
    this.#state = state;
    const { log } = this.#options;
    if (state === "ok") log.info("journal took entries again");
    else log.error("journal refused entries", { state, error: errorText(error) });
  }

  #gone(): StorageError {
    const why = this.#closed ? "is closed" : "has failed; start the collector again";
    return new StorageError(`cannot append to ${this.#options.path}: the journal ${why}`, {
      retryable: false,
    });
  }

  consume(position: number, handler: (record: JournalRecord) => void | Promise<void>): Consumption {
    const consumer = new Consumer({
      position,
      handler,
      page: (after) => this.#frames.after(after, pageEntries, pageBytesMax).map(recordOf),
      ended: () => this.#consumers.delete(consumer),
    });
    this.#consumers.add(consumer);
    consumer.start();
    return consumer;
  }

  async *read({ stream, fromMs, toMs }: { stream: string; fromMs: number; toMs: number }) {
    const start = this.#frames.segmentAt(stream, fromMs);
    if (start === undefined) return;
    let { epoch, sequence } = start;
    while (!this.#closed) {
      const page = this.#frames.framesFrom(stream, epoch, sequence, pageEntries);
      for (const entry of page) {
        // Only a later segment ends it: a clock that was set back may bring earlier times again within one.
        if (entry.key && entry.firstMs > toMs) return;
        yield recordOf(entry);
        epoch = entry.epoch ?? epoch;
        sequence = (entry.sequence ?? sequence) + 1;
      }
      if (page.length < pageEntries) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  segmentUpTo(stream: string, last: Position): JournalRecord[] {
    const start = this.#frames.segmentOf(stream, last.epoch, last.sequence);
    if (start?.epoch !== last.epoch) return [];
    const count = last.sequence - start.sequence + 1;
    const records = this.#frames.framesFrom(stream, start.epoch, start.sequence, count).map(recordOf);
    const end = records.at(-1);
    return records.length === count && end?.epoch === last.epoch ? records : [];
  }

  last(stream: string): Position | null {
    const known = this.#last.get(stream);
    if (known !== undefined) return known;
    const entry = this.#frames.last(stream);
    if (entry === undefined || entry.epoch === null || entry.sequence === null) return null;
    const position = { epoch: entry.epoch, sequence: entry.sequence };
    this.#last.set(stream, position);
    return position;
  }

  has(stream: string, { epoch, sequence }: Position): boolean {
    return this.#frames.find(stream, epoch, sequence) !== undefined;
  }

  stats(): JournalStats {
    const behind = [...this.#consumers].reduce((most, consumer) => Math.max(most, consumer.waitingBytes), 0);
    return {
      state: this.#state,
      lastPosition: this.#lastPosition,
      sizeBytes: this.#closed ? 0 : this.#frames.usedBytes(),
      waitingBytes: this.#waitingBytes + behind,
    };
  }

  trim(): void {
    const { clock, log, limits: given } = this.#options;
    this.#trimmedMs = clock.monotonicMs();
    try {
      const removed = trimOldest(this.#frames, {
        bytesMax: given?.journalBytesMax ?? limits.journalBytesMax,
        beforeMs: clock.nowMs() - (given?.journalAgeMsMax ?? limits.journalAgeMsMax),
        consumedPosition: Math.min(...[...this.#consumers].map((consumer) => consumer.position)),
      });
      if (removed.segments === 0) return;
      log.info("journal removed its oldest segments", { segments: removed.segments, frames: removed.frames });
      this.#last.clear();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      log.warn("journal could not remove its oldest segments", { error: errorText(error) });
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#commit();
    this.#closed = true;
    this.#timer?.cancel();
    for (const { reject } of this.#waiting.splice(0)) reject(this.#gone());
    for (const consumer of this.#consumers) consumer.stop();
    await Promise.allSettled([...this.#consumers].map((consumer) => consumer.done));
    this.#frames.close();
  }
}

function stored(entry: JournalEntry): LogEntry {
  return { ...entry, kind: journalKinds.indexOf(entry.kind) };
}

function recordOf(entry: StoredEntry): JournalRecord {
  const kind = journalKinds[entry.kind];
  if (kind === undefined) {
    throw new StorageError(
      `journal entry ${entry.position} is of kind ${entry.kind}, which this version does not know: install the newer one again`,
      { retryable: false },
    );
  }
  return { ...entry, kind, decoded: null };
}
