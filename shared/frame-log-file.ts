/**
 * The file under `frame-log.ts`: its tables, how it is opened, how damage is found and what then becomes of it.
 *
 * A small file is checked whole at every start (64 MB take about 0.1 s), a large one only after damage was seen at work,
 * which leaves a `.suspect` mark beside it. A damaged file is never repaired or deleted: it is moved aside for whoever wants
 * to look, and a fresh one begins.
 */
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "./clock.ts";
import { StorageError } from "./errors.ts";

export interface Totals {
  readonly entries: number;
  readonly samples: number;
  /** Largest number of series in one entry. */
  readonly series: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly lastPosition: number;
}

export interface FrameLogOptions {
  /** A file, or ":memory:". Its folder must exist. */
  readonly path: string;
  readonly clock: Clock;
  readonly synchronous: "normal" | "full";
  readonly cacheKiB: number;
  /** Marks the file as ours; a file with another mark is left alone. */
  readonly applicationId: number;
}

/** A damaged file was moved aside and a fresh log begun. `totals` is what could still be read of it. */
export interface Replaced {
  readonly movedTo: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly reason: string;
  readonly totals: Totals | null;
}

const schemaVersion = 1;
const schema = `
  CREATE TABLE entry (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    stream TEXT NOT NULL,
    epoch INTEGER,
    sequence INTEGER,
    key INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    series INTEGER NOT NULL,
    skew_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX entry_frame ON entry (stream, epoch, sequence) WHERE sequence IS NOT NULL;
  CREATE INDEX entry_key ON entry (stream, epoch, sequence) WHERE key = 1;
  CREATE INDEX entry_key_time ON entry (stream, first_ms) WHERE key = 1;
  CREATE TABLE tally (
    stream TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    PRIMARY KEY (stream, from_ms)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** A file up to this size is checked whole at every start; a larger one only after damage was seen. */
const checkedBytesMax = 64 * 1024 * 1024;
export const pageBytes = 4096;
export const totalsOf =
  "count(*) AS entries, sum(samples) AS samples, max(series) AS series, min(first_ms) AS firstMs, max(last_ms) AS lastMs, max(position) AS lastPosition";

/** What SQLite says when the file itself is damaged: SQLITE_CORRUPT, SQLITE_NOTADB. */
const corruptCodes: readonly number[] = [11, 26];
/** SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_NOMEM: may pass. */
const retryableCodes: readonly number[] = [7, 10, 13, 14];
const busyCode = 5;
const genericCode = 1;

/** True for errors that say the file is damaged; then only opening it again helps, which moves it aside. */
export function isCorrupt(error: unknown): boolean {
  const code = sqliteCode(error instanceof StorageError ? error.cause : error);
  return code !== undefined && corruptCodes.includes(code);
}

export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode & 0xff;
}

export function storageError(what: string, error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  return new StorageError(what, { cause: error, retryable: retryableCodes.includes(code) });
}

export function openDatabase(options: FrameLogOptions): DatabaseSync {
  const { path, synchronous, cacheKiB } = options;
  const existed = path !== ":memory:" && fs.existsSync(path) && fs.statSync(path).size > 0;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec(`
      PRAGMA page_size = ${pageBytes};
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${synchronous};
      PRAGMA cache_size = -${cacheKiB};
      PRAGMA wal_autocheckpoint = ${Math.max(64, Math.floor((cacheKiB * 1024) / pageBytes))};
      PRAGMA journal_size_limit = ${16 * 1024 * 1024};
    `);
    prepareSchema(db, options);
    return db;
  } catch (error) {
    db?.close();
    if (sqliteCode(error) === busyCode) {
      throw new StorageError(
        `${path} is in use by another process: stop that one, or choose another folder`,
        {
          cause: error,
          retryable: false,
        },
      );
    }
    // "unsupported file format": the header is damaged in a way that SQLite does not call so.
    if (existed && sqliteCode(error) === genericCode) throw damaged(path, (error as Error).message);
    throw storageError(`cannot open ${path}`, error);
  }
}

/** Takes the lock, then creates the tables or makes sure that they are ours and whole. */
function prepareSchema(db: DatabaseSync, { path, clock, applicationId }: FrameLogOptions): void {
  db.exec("BEGIN IMMEDIATE");
  const owner = pragma(db, "application_id");
  const version = pragma(db, "user_version");
  if (owner === 0 && version === 0 && pragma(db, "schema_version") === 0) {
    db.exec(schema);
    // A log that is begun anew must not repeat the positions of the one before it.
    const seed = Math.max(0, Math.floor(clock.nowMs())) * 1024;
    db.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('entry', ?)").run(seed);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT;`);
    return;
  }
  db.exec("COMMIT");
  if (owner !== applicationId || version !== schemaVersion) {
    throw new StorageError(
      `${path}: want application ${applicationId} version ${schemaVersion}, got ${owner} version ${version}; it was left as it is`,
      { retryable: false },
    );
  }
  checkWhole(db, path);
}

function checkWhole(db: DatabaseSync, path: string): void {
  if (path === ":memory:") return;
  const suspect = fs.existsSync(suspectPath(path));
  if (!suspect && fs.statSync(path).size > checkedBytesMax) return;
  const finding = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (finding !== "ok") {
    throw damaged(path, String(finding));
  }
  if (suspect) fs.unlinkSync(suspectPath(path));
}

function damaged(path: string, finding: string): Error {
  return Object.assign(new Error(`${path} is damaged: ${finding}`), { errcode: corruptCodes[0] });
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}

export function suspectPath(path: string): string {
  return `${path}.suspect`;
}

export function moveAside({ path, clock }: FrameLogOptions, reason: string): Replaced {
  const { size, mtimeMs } = fs.statSync(path);
  const stamp = new Date(clock.nowMs()).toISOString().replaceAll(/[:.]/g, "-");
  const movedTo = `${path}.corrupt-${stamp}`;
  for (const suffix of ["", "-wal"]) {
    if (fs.existsSync(path + suffix)) fs.renameSync(path + suffix, movedTo + suffix);
  }
  fs.rmSync(suspectPath(path), { force: true });
  return { movedTo, sizeBytes: size, modifiedMs: Math.floor(mtimeMs), reason, totals: salvage(movedTo) };
}

/** What a damaged file still tells about its contents; null when it tells nothing. */
function salvage(path: string): Totals | null {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 0, readOnly: true });
    return totalsFrom(db.prepare(`SELECT ${totalsOf} FROM entry WHERE sequence IS NOT NULL`).get());
  } catch {
    return null;
  } finally {
    db?.close();
  }
}

export function totalsFrom(row: Record<string, unknown> | undefined): Totals {
  return {
    entries: Number(row?.["entries"] ?? 0),
    samples: Number(row?.["samples"] ?? 0),
    series: Number(row?.["series"] ?? 0),
    firstMs: Number(row?.["firstMs"] ?? 0),
    lastMs: Number(row?.["lastMs"] ?? 0),
    lastPosition: Number(row?.["lastPosition"] ?? 0),
  };
}
