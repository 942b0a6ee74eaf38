/**
 * A log of frames on SQLite: append, read on from a position, read a range of time, remove the oldest.
 *
 * The agent's spool and the collector's journal both stand on it, because what they promise is the same: an append that
 * returned survives kill -9, a full disk leaves nothing half written, a damaged file never stops the process from starting.
 * SQLite keeps these promises with a proof that a home-made format would owe (https://sqlite.org/atomiccommit.html).
 * WAL mode; `synchronous` NORMAL survives the process (a power cut may cost the last moments), FULL survives the machine.
 * One process owns the file: EXCLUSIVE locking also saves the shared-memory index, and dies with the process.
 * Cost on one core: about 0.05 ms of CPU for an append of one 1 KB frame; a read of a position is one B-tree descent.
 */
import fs from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  isCorrupt,
  moveAside,
  openDatabase,
  pageBytes,
  sqliteCode,
  storageError,
  suspectPath,
  totalsFrom,
  totalsOf,
  type FrameLogOptions,
  type Replaced,
  type Totals,
} from "./frame-log-file.ts";

export interface LogEntry {
  /** The owner's own numbering of what an entry is. */
  readonly kind: number;
  /** Whose entry it is: an agent's id. Frames of one stream are read by time and refused when repeated. */
  readonly stream: string;
  /** Both null unless this is a frame. */
  readonly epoch: number | null;
  readonly sequence: number | null;
  /** A key frame begins a segment: it can be read without what came before it. */
  readonly key: boolean;
  /** Times of the first and last tick inside, milliseconds since 1970 UTC, corrected by `skewMs`. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly samples: number;
  readonly series: number;
  /** What the times inside `bytes` are ahead by. */
  readonly skewMs: number;
  readonly bytes: Uint8Array;
}

/** Positions grow in the order of appends, with holes, and never come back, not even in a log that had to be begun anew. */
export interface StoredEntry extends LogEntry {
  readonly position: number;
}

export interface Segment {
  /** Position, epoch and sequence of its key frame. */
  readonly position: number;
  readonly stream: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly firstMs: number;
}

const columns =
  "position, kind, stream, epoch, sequence, key, first_ms, last_ms, samples, series, skew_ms, bytes";

export class FrameLog {
  /** Set when opening had to begin anew. */
  readonly replaced: Replaced | null;
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens or creates the log. Throws `StorageError` (not retryable) when another process holds it, when it is not ours or
   * was written by a newer version; a damaged file is moved aside instead.
   */
  static open(options: FrameLogOptions): FrameLog {
    try {
      return new FrameLog(options, openDatabase(options), null);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      const replaced = moveAside(options, (error as Error).message);
      return new FrameLog(options, openDatabase(options), replaced);
    }
  }

  private constructor(options: FrameLogOptions, db: DatabaseSync, replaced: Replaced | null) {
    this.#path = options.path;
    this.#db = db;
    this.replaced = replaced;
  }

  /**
   * Appends all or nothing. Returns each entry's position, or null for a frame that the log already holds. `also` runs in
   * the same transaction. Throws `StorageError`; a retryable one means: nothing was written, try again later.
   */
  append(
    entries: readonly LogEntry[],
    also?: (positions: readonly (number | null)[]) => void,
  ): (number | null)[] {
    return this.transaction(`append ${entries.length} entries to`, () => {
      const positions = entries.map((entry) => this.#insert(entry));
      also?.(positions);
      return positions;
    });
  }

  #insert(entry: LogEntry): number | null {
    const insert = this.#statement(
      `INSERT INTO entry (kind, stream, epoch, sequence, key, first_ms, last_ms, samples, series, skew_ms, bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, epoch, sequence) WHERE sequence IS NOT NULL DO NOTHING`,
    );
    const { kind, stream, epoch, sequence, key, firstMs, lastMs, samples, series, skewMs, bytes } = entry;
    const result = insert.run(
      kind,
      stream,
      epoch,
      sequence,
      key ? 1 : 0,
      firstMs,
      lastMs,
      samples,
      series,
      skewMs,
      bytes,
    );
    return Number(result.changes) === 0 ? null : Number(result.lastInsertRowid);
  }

  /** Runs `work` as one transaction; see `append` for what it throws. `doing` completes "cannot ... /path". */
  transaction<T>(doing: string, work: () => T): T {
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors, not after others.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw this.#failed(doing, error);
    }
  }

  /** Up to `countMax` entries after `position`, in order; stops early once `bytesMax` is reached. */
  after(position: number, countMax: number, bytesMax = Number.POSITIVE_INFINITY): StoredEntry[] {
    return this.#read("read", () => {
      const rows = this.#statement(
        `SELECT ${columns} FROM entry WHERE position > ? ORDER BY position LIMIT ?`,
      );
      const entries: StoredEntry[] = [];
      let sizeBytes = 0;
      for (const row of rows.iterate(position, countMax)) {
        const entry = entryOf(row);
        entries.push(entry);
        sizeBytes += entry.bytes.length;
        if (sizeBytes >= bytesMax) break;
      }
      return entries;
    });
  }

  /** Up to `countMax` frames of `stream` from (epoch, sequence) on, in their order. */
  framesFrom(stream: string, epoch: number, sequence: number, countMax: number): StoredEntry[] {
    const rows = this.#all(
      `SELECT ${columns} FROM entry WHERE stream = ? AND sequence IS NOT NULL AND (epoch, sequence) >= (?, ?)
       ORDER BY epoch, sequence LIMIT ?`,
      [stream, epoch, sequence, countMax],
    );
    return rows.map(entryOf);
  }

  /** The segment that holds the moment `timeMs`, or else the first one after it; undefined when there is none. */
  segmentAt(stream: string, timeMs: number): Segment | undefined {
    const select =
      "SELECT position, stream, epoch, sequence, first_ms FROM entry WHERE key = 1 AND stream = ?";
    return (
      this.#segment(`${select} AND first_ms <= ? ORDER BY first_ms DESC, position DESC LIMIT 1`, [
        stream,
        timeMs,
      ]) ?? this.#segment(`${select} ORDER BY first_ms, position LIMIT 1`, [stream])
    );
  }

  /** The segment that frame (epoch, sequence) belongs to. */
  segmentOf(stream: string, epoch: number, sequence: number): Segment | undefined {
    return this.#segment(
      `SELECT position, stream, epoch, sequence, first_ms FROM entry
       WHERE key = 1 AND stream = ? AND (epoch, sequence) <= (?, ?) ORDER BY epoch DESC, sequence DESC LIMIT 1`,
      [stream, epoch, sequence],
    );
  }

  segmentAfter(segment: Segment): Segment | undefined {
    return this.#segment(
      `SELECT position, stream, epoch, sequence, first_ms FROM entry
       WHERE key = 1 AND stream = ? AND (epoch, sequence) > (?, ?) ORDER BY epoch, sequence LIMIT 1`,
      [segment.stream, segment.epoch, segment.sequence],
    );
  }

  /** Segments of all streams, oldest first, after `position`. */
  segments(position: number, countMax: number): Segment[] {
    return this.#all(
      `SELECT position, stream, epoch, sequence, first_ms FROM entry WHERE key = 1 AND position > ?
       ORDER BY position LIMIT ?`,
      [position, countMax],
    ).map(segmentOf);
  }

  #segment(sql: string, parameters: (string | number)[]): Segment | undefined {
    const row = this.#all(sql, parameters)[0];
    return row === undefined ? undefined : segmentOf(row);
  }

  /** The last frame of `stream`. */
  last(stream: string): StoredEntry | undefined {
    const row = this.#all(
      `SELECT ${columns} FROM entry WHERE stream = ? AND sequence IS NOT NULL ORDER BY epoch DESC, sequence DESC LIMIT 1`,
      [stream],
    )[0];
    return row === undefined ? undefined : entryOf(row);
  }

  find(stream: string, epoch: number, sequence: number): number | undefined {
    const row = this.#all(
      "SELECT position FROM entry WHERE stream = ? AND epoch = ? AND sequence = ? AND sequence IS NOT NULL",
      [stream, epoch, sequence],
    )[0];
    return row === undefined ? undefined : Number(row["position"]);
  }

  /** Position of the newest entry ever appended, also when it has been removed since; a new log's is already large. */
  lastPosition(): number {
    const row = this.#all("SELECT seq FROM sqlite_sequence WHERE name = 'entry'", [])[0];
    return Number(row?.["seq"] ?? 0);
  }

  /** Totals over the positions in [from, to]. */
  totals(fromPosition: number, toPosition: number): Totals {
    const sql = `SELECT ${totalsOf} FROM entry WHERE position BETWEEN ? AND ?`;
    return totalsFrom(this.#all(sql, [fromPosition, toPosition])[0]);
  }

  /** How many frames a segment holds. Read from the index alone. */
  segmentFrames(segment: Segment): number {
    const next = this.segmentAfter(segment);
    const { stream, epoch, sequence } = segment;
    const row = this.#all(
      `SELECT count(*) AS frames FROM entry WHERE stream = ? AND sequence IS NOT NULL
       AND (epoch, sequence) >= (?, ?) AND (epoch, sequence) < (?, ?)`,
      [stream, epoch, sequence, next?.epoch ?? Number.MAX_SAFE_INTEGER, next?.sequence ?? 0],
    )[0];
    return Number(row?.["frames"] ?? 0);
  }

  /** Removes the positions in [from, to]. Call inside `transaction`. */
  deletePositions(fromPosition: number, toPosition: number): void {
    this.#statement("DELETE FROM entry WHERE position BETWEEN ? AND ?").run(fromPosition, toPosition);
  }

  /** Removes a segment, up to the next one of its stream. Returns how many frames. Call inside `transaction`. */
  deleteSegment(segment: Segment): number {
    const next = this.segmentAfter(segment);
    const { stream, epoch, sequence } = segment;
    const result = this.#statement(
      `DELETE FROM entry WHERE stream = ? AND sequence IS NOT NULL
       AND (epoch, sequence) >= (?, ?) AND (epoch, sequence) < (?, ?)`,
    ).run(stream, epoch, sequence, next?.epoch ?? Number.MAX_SAFE_INTEGER, next?.sequence ?? 0);
    return Number(result.changes);
  }

  /** Removes what is no frame, lies before `position` and is older than `timeMs`. Call inside `transaction`. */
  deleteOthers(position: number, timeMs: number): void {
    const sql = "DELETE FROM entry WHERE position < ? AND sequence IS NULL AND last_ms < ?";
    this.#statement(sql).run(position, timeMs);
  }

  /** Adds to the samples of `stream` in the bucket that begins at `fromMs`. Call in `append`'s `also`. */
  addTally(stream: string, fromMs: number, samples: number): void {
    this.#statement(
      `INSERT INTO tally (stream, from_ms, samples) VALUES (?, ?, ?)
       ON CONFLICT (stream, from_ms) DO UPDATE SET samples = samples + excluded.samples`,
    ).run(stream, fromMs, samples);
  }

  /** Samples in the buckets that begin in [fromMs, toMs]; of every stream when `stream` is null. */
  tally(stream: string | null, fromMs: number, toMs: number): number {
    const ofStream = stream === null ? "" : "stream = ? AND ";
    const row = this.#all(
      `SELECT sum(samples) AS samples FROM tally WHERE ${ofStream}from_ms BETWEEN ? AND ?`,
      stream === null ? [fromMs, toMs] : [stream, fromMs, toMs],
    )[0];
    return Number(row?.["samples"] ?? 0);
  }

  /** Removes the buckets that begin before `timeMs`. Call inside `transaction`. */
  deleteTally(timeMs: number): void {
    this.#statement("DELETE FROM tally WHERE from_ms < ?").run(timeMs);
  }

  /** Bytes of the file that hold something; what was removed does not count. */
  usedBytes(): number {
    const pages = Number(this.#all("PRAGMA page_count", [])[0]?.["page_count"] ?? 0);
    return (pages - this.#freePages()) * pageBytes;
  }

  #freePages(): number {
    return Number(this.#all("PRAGMA freelist_count", [])[0]?.["freelist_count"] ?? 0);
  }

  /** Moves what the write-ahead log holds into the file, as far as the disk takes it; its space is then used again. */
  checkpoint(): void {
    try {
      this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
    }
  }

  /** Gives pages beyond `keepBytes` of free ones back to the file system, a bounded number at a time. */
  reclaim(keepBytes: number): void {
    const spare = this.#freePages() - Math.ceil(keepBytes / pageBytes);
    if (spare <= 0) return;
    this.#read("shrink", () => this.#db.exec(`PRAGMA incremental_vacuum(${Math.min(spare, 4096)})`));
  }

  /** A small text that is stored with the log. Call `setNote` inside `transaction`, or in `append`'s `also`. */
  note(name: string): string | null {
    const row = this.#all("SELECT value FROM note WHERE name = ?", [name])[0];
    return row === undefined ? null : String(row["value"]);
  }

  setNote(name: string, value: string): void {
    this.#statement(
      "INSERT INTO note (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    ).run(name, value);
  }

  /** For tests of a full disk: the file may not grow beyond this. */
  limitBytes(sizeBytes: number): void {
    this.#db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(sizeBytes / pageBytes))}`);
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #all(sql: string, parameters: (string | number)[]): Record<string, unknown>[] {
    return this.#read("read", () => this.#statement(sql).all(...parameters));
  }

  #read<T>(doing: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#failed(doing, error);
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #failed(doing: string, error: unknown): unknown {
    // The next start must look at the whole file, however large it is.
    if (isCorrupt(error) && this.#path !== ":memory:") fs.writeFileSync(suspectPath(this.#path), "");
    return storageError(`cannot ${doing} ${this.#path}`, error);
  }
}

function entryOf(row: Record<string, unknown>): StoredEntry {
  return {
    position: Number(row["position"]),
    kind: Number(row["kind"]),
    stream: String(row["stream"]),
    epoch: row["epoch"] === null ? null : Number(row["epoch"]),
    sequence: row["sequence"] === null ? null : Number(row["sequence"]),
    key: row["key"] === 1,
    firstMs: Number(row["first_ms"]),
    lastMs: Number(row["last_ms"]),
    samples: Number(row["samples"]),
    series: Number(row["series"]),
    skewMs: Number(row["skew_ms"]),
    bytes: row["bytes"] as Uint8Array,
  };
}

function segmentOf(row: Record<string, unknown>): Segment {
  return {
    position: Number(row["position"]),
    stream: String(row["stream"]),
    epoch: Number(row["epoch"]),
    sequence: Number(row["sequence"]),
    firstMs: Number(row["first_ms"]),
  };
}
