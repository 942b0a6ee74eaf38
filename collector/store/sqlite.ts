/**
 * The store on SQLite, as Node brings it: one file, write-ahead log, `synchronous=FULL`.
 *
 * What `commit` has returned survives a power cut; what it has not returned is not there, whole. The file is locked for one
 * process: a second collector on the same directory is refused when it opens, not when both have written.
 * Cost: one fsync per commit that has something to say (about 1 ms on an SSD). A commit that says nothing moves the
 * position in memory only: replaying it says nothing again, so no disk write is owed.
 */
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import type { Host, Loss } from "#shared/contract/api.ts";
import { type Incident, isOver } from "#shared/contract/incident.ts";
import type { Cursor } from "#shared/contract/live.ts";
import { assert, StorageError } from "#shared/errors.ts";
import type { Limits } from "#shared/limits.ts";
import type { Log } from "#shared/log.ts";
import { identify, migrate } from "./schema.ts";
import type { Commit, Delta, IncidentFilter, LossFilter, Snapshot, Store, StoredCommand } from "./store.ts";

export interface SqliteStoreOptions {
  /** `<data>/store.db`, or ":memory:". */
  readonly path: string;
  /** Identifies a history. Taken by a new database only; an existing one keeps its own. */
  readonly epoch: string;
  readonly limits: Limits;
  readonly log: Log;
  /** For tests of a full disk: the file may not grow beyond this many pages of 4096 bytes. */
  readonly pagesMax?: number;
}

/** Throws `StorageError` when the file is damaged, foreign, newer than this program, locked or not writable. */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  return guarded(`open the store ${options.path}`, () => {
    const db = new DatabaseSync(options.path, { timeout: 0 });
    try {
      db.exec("PRAGMA locking_mode = EXCLUSIVE");
      identify(db, options.path);
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216");
      migrate(db, options.epoch);
      return new SqliteStore(db, options);
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

const snapshotsKept = 2;

export class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #limits: Limits;
  readonly #log: Log;
  readonly #path: string;
  readonly #epoch: string;
  readonly #statements = new Map<string, StatementSync>();
  #position: number;
  #seq: number;

  constructor(db: DatabaseSync, options: SqliteStoreOptions) {
    this.#db = db;
    this.#limits = options.limits;
    this.#log = options.log;
    this.#path = options.path;
    const head = this.#one("SELECT * FROM head") as HeadRow | undefined;
    assert(head !== undefined, "the store has no head row");
    this.#epoch = head.epoch;
    this.#position = head.position;
    this.#seq = head.seq;
    if (options.pagesMax !== undefined) this.limitPages(options.pagesMax);
  }

  get position(): number {
    return this.#position;
  }

  cursor(): Cursor {
    return { epoch: this.#epoch, seq: this.#seq };
  }

  commit({ position, incidents, losses, commands = [] }: Commit): readonly Delta[] {
    assert(Number.isSafeInteger(position) && position > 0, `commit at position ${position}`);
    if (position <= this.#position) return [];
    const deltas = incidents.map((incident, index) => ({ seq: this.#seq + index + 1, incident }));
    const seq = this.#seq + deltas.length;
    if (deltas.length + losses.length + commands.length > 0) {
      this.#transaction(`commit position ${position}`, () => {
        for (const delta of deltas) this.#putDelta(delta);
        for (const loss of losses) this.#putLoss(loss);
        for (const command of commands) this.#putCommand(command);
        if (deltas.length > 0) this.#trimIncidents(seq);
        if (losses.length > 0) this.#trimLosses();
        this.#run("UPDATE head SET position = ?, seq = ?", position, seq);
      });
    }
    this.#position = position;
    this.#seq = seq;
    return deltas;
  }

  #putDelta({ seq, incident }: Delta): void {
    const json = JSON.stringify(incident);
    this.#run(
      `INSERT INTO incidents VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
       SET revision = ?2, resolved = ?3, started_ms = ?4, json = ?5`,
      incident.id,
      incident.revision,
      isOver(incident) ? 1 : 0,
      incident.startedMs,
      json,
    );
    this.#run("INSERT INTO deltas VALUES (?, ?)", seq, json);
  }

  #putLoss({ host, reason, fromMs, toMs, series, samples }: Loss): void {
    this.#run(
      "INSERT INTO losses (host, reason, from_ms, to_ms, series, samples) VALUES (?, ?, ?, ?, ?, ?)",
      host,
      reason,
      fromMs,
      toMs,
      series,
      samples,
    );
  }

  #putCommand({ key, request, answer, atMs }: StoredCommand): void {
    this.#run("DELETE FROM commands WHERE at_ms < ?", atMs - this.#limits.commandsKeptMs);
    // The first answer stays: a repeat that was already on its way must not change what the client was told.
    this.#run("INSERT INTO commands VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", key, request, answer, atMs);
  }

  #trimIncidents(seq: number): void {
    this.#run("DELETE FROM deltas WHERE seq <= ?", seq - this.#limits.liveRingMax);
    this.#run(
      `DELETE FROM incidents WHERE resolved = 1 AND id IN
       (SELECT id FROM incidents WHERE resolved = 1 ORDER BY started_ms DESC, id LIMIT -1 OFFSET ?)`,
      this.#limits.incidentsKeptMax,
    );
  }

  #trimLosses(): void {
    this.#run(
      "DELETE FROM losses WHERE number <= (SELECT max(number) FROM losses) - ?",
      this.#limits.lossesKeptMax,
    );
  }

  deltasAfter(seq: number, limit = this.#limits.liveRingMax): readonly Delta[] | undefined {
    if (seq < 0 || seq > this.#seq) return undefined;
    if (seq === this.#seq) return [];
    const rows = this.#all<{ seq: number; json: string }>(
      "SELECT seq, json FROM deltas WHERE seq > ? ORDER BY seq LIMIT ?",
      seq,
      limit,
    );
    if (rows[0]?.seq !== seq + 1) return undefined;
    return rows.map((row) => ({ seq: row.seq, incident: parseIncident(row) }));
  }

  channelIncidents(): readonly Incident[] {
    const open = this.incidents({ state: "open", limit: -1 });
    const rows = this.#all<JsonRow>(
      "SELECT json FROM incidents WHERE resolved = 1 ORDER BY started_ms DESC, id LIMIT ?",
      Math.max(0, this.#limits.incidentsListedMax - open.length),
    );
    return [...open, ...rows.map(parseIncident)];
  }

  incident(id: string): Incident | undefined {
    const row = this.#one("SELECT json FROM incidents WHERE id = ?", id) as JsonRow | undefined;
    return row === undefined ? undefined : parseIncident(row);
  }

  incidents({ state, limit }: IncidentFilter): readonly Incident[] {
    const where = state === "open" ? "WHERE resolved = 0" : "";
    return this.#all<JsonRow>(
      `SELECT json FROM incidents ${where} ORDER BY started_ms DESC, id LIMIT ?`,
      limit,
    ).map(parseIncident);
  }

  command(key: string): StoredCommand | undefined {
    const row = this.#one("SELECT key, request, answer, at_ms AS atMs FROM commands WHERE key = ?", key);
    return row === undefined ? undefined : ({ ...row } as unknown as StoredCommand);
  }

  losses({ host, fromMs, toMs, limit }: LossFilter): { samples: number; losses: readonly Loss[] } {
    const where = "WHERE (?1 IS NULL OR host = ?1) AND to_ms >= ?2 AND from_ms <= ?3";
    const args = [host ?? null, fromMs ?? Number.MIN_SAFE_INTEGER, toMs ?? Number.MAX_SAFE_INTEGER];
    const sum = this.#one(`SELECT total(samples) AS samples FROM losses ${where}`, ...args);
    const losses = this.#all<Loss>(
      `SELECT host, reason, from_ms AS fromMs, to_ms AS toMs, series, samples
       FROM losses ${where} ORDER BY to_ms DESC, number DESC LIMIT ?4`,
      ...args,
      limit,
    );
    return { samples: Number(sum?.["samples"]), losses: losses.map((loss) => ({ ...loss })) };
  }

  saveSnapshot(name: string, { position, blob }: Snapshot): void {
    this.#transaction(`save the snapshot "${name}" of ${blob.length} bytes`, () => {
      this.#run(
        "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)",
        name,
        position,
        digest(name, position, blob),
        blob,
      );
      this.#run(
        `DELETE FROM snapshots WHERE name = ?1 AND position NOT IN
         (SELECT position FROM snapshots WHERE name = ?1 ORDER BY position DESC LIMIT ${snapshotsKept})`,
        name,
      );
    });
  }

  loadSnapshot(name: string): Snapshot | undefined {
    const rows = this.#all<{ position: number; sha256: Uint8Array; blob: Uint8Array }>(
      "SELECT position, sha256, blob FROM snapshots WHERE name = ? ORDER BY position DESC",
      name,
    );
    for (const { position, sha256, blob } of rows) {
      if (digest(name, position, blob).equals(sha256)) return { position, blob };
      this.#log.warn("snapshot refused", {
        name,
        position,
        reason: "its bytes are not those that were saved",
      });
    }
    return undefined;
  }

  saveHosts(hosts: readonly Host[]): void {
    this.#transaction(`save ${hosts.length} hosts`, () => {
      this.#run("DELETE FROM hosts");
      for (const host of hosts) this.#run("INSERT INTO hosts VALUES (?, ?)", host.host, JSON.stringify(host));
    });
  }

  hosts(): readonly Host[] {
    return this.#all<JsonRow>("SELECT json FROM hosts ORDER BY host").map(
      (row) => JSON.parse(row.json) as Host,
    );
  }

  /** Lets the file grow to this many pages of 4096 bytes: a full disk for tests. */
  limitPages(pagesMax: number): void {
    this.#db.exec(`PRAGMA max_page_count = ${pagesMax}`);
  }

  close(): void {
    guarded(`close the store ${this.#path}`, () => {
      try {
        this.#run("UPDATE head SET position = ?", this.#position);
      } finally {
        this.#statements.clear();
        this.#db.close();
      }
    });
  }

  #transaction(what: string, write: () => void): void {
    guarded(`${what} in the store ${this.#path}`, () => {
      this.#db.exec("BEGIN IMMEDIATE");
      try {
        write();
        this.#db.exec("COMMIT");
      } catch (error) {
        // SQLite itself rolls back on some errors, a full disk among them.
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
        throw error;
      }
    });
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #run(sql: string, ...args: SQLInputValue[]): void {
    this.#prepare(sql).run(...args);
  }

  #one(sql: string, ...args: SQLInputValue[]): Row | undefined {
    return guarded(`read the store ${this.#path}`, () => this.#prepare(sql).get(...args));
  }

  #all<Row>(sql: string, ...args: SQLInputValue[]): Row[] {
    return guarded(`read the store ${this.#path}`, () => this.#prepare(sql).all(...args) as Row[]);
  }
}

type Row = Record<string, SQLOutputValue>;

interface HeadRow {
  readonly epoch: string;
  readonly position: number;
  readonly seq: number;
}

interface JsonRow {
  readonly json: string;
}

function parseIncident({ json }: JsonRow): Incident {
  return JSON.parse(json) as Incident;
}

/** Over name and position too: right bytes at the wrong position would skip or repeat a piece of the journal. */
function digest(name: string, position: number, blob: Uint8Array): Buffer {
  return createHash("sha256").update(`${name}\n${position}\n`).update(blob).digest();
}

/** SQLite's primary result codes. */
const busy = 5;
const ioError = 10;
const full = 13;
const cannotOpen = 14;

const advice = new Map([
  [busy, "another process has it open: stop the other collector or choose another data directory"],
  [8, "the file or its directory is read-only for this user"],
  [ioError, "the disk refused"],
  [11, "the file is damaged: restore a copy, or move it away to start without history"],
  [full, "the disk is full: free space; nothing was half written and the next try goes on"],
  [cannotOpen, "the directory is missing or not writable for this user"],
  [26, "the file is not a database: move it away or choose another data directory"],
]);

function guarded<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = sqliteCode(error);
    if (code === undefined) throw error;
    const message = `cannot ${what}: ${advice.get(code) ?? "SQLite refused"}`;
    throw new StorageError(message, { cause: error, retryable: [busy, ioError, full].includes(code) });
  }
}

/** The primary result code of an error that SQLite raised, else undefined. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return Number(error.errcode) & 0xff;
}
