/**
 * The store's tables and how they came to be. `application_id` says that a file is ours, `user_version` how many of the
 * migrations it has. A migration is never edited after a release: the next one follows it.
 */
import type { DatabaseSync } from "node:sqlite";
import { StorageError } from "#shared/errors.ts";

/** "CWST" in ASCII. */
export const storeApplicationId = 0x43575354;

const migrations: readonly string[] = [
  `
  CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    position INTEGER NOT NULL,
    seq INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    resolved INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX incidents_newest ON incidents (resolved, started_ms DESC, id);
  CREATE TABLE deltas (seq INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
  CREATE TABLE losses (
    number INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    reason TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    series INTEGER NOT NULL,
    samples INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX losses_host ON losses (host, to_ms);
  CREATE INDEX losses_time ON losses (to_ms);
  CREATE TABLE commands (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX commands_age ON commands (at_ms);
  CREATE TABLE snapshots (
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    blob BLOB NOT NULL,
    PRIMARY KEY (name, position)
  ) STRICT;
  CREATE TABLE hosts (host TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  // Incidents of before operators could say what they were worth.
  `
  UPDATE incidents SET json = json_insert(json, '$.feedback', NULL);
  UPDATE deltas SET json = json_insert(json, '$.feedback', NULL);
  `,
  // Incidents of before they could merge, be suppressed, be told as a story or know their changes and their like.
  `
  UPDATE incidents SET json = json_set(json, '$.mergedInto', NULL, '$.suppressedBy', NULL,
    '$.hostCount', json_array_length(json, '$.hosts'), '$.changes', json('[]'), '$.similar', json('[]'),
    '$.confirmedCause', NULL, '$.story', json('{"cause":null,"failure":null,"ruledOut":[]}'));
  UPDATE deltas SET json = json_set(json, '$.mergedInto', NULL, '$.suppressedBy', NULL,
    '$.hostCount', json_array_length(json, '$.hosts'), '$.changes', json('[]'), '$.similar', json('[]'),
    '$.confirmedCause', NULL, '$.story', json('{"cause":null,"failure":null,"ruledOut":[]}'));
  `,
];

/** Refuses, without a write, a file that is another program's, a newer version's or damaged. `path` is for the message. */
export function identify(db: DatabaseSync, path: string): void {
  const applicationId = Number(pragma(db, "application_id"));
  const version = Number(pragma(db, "user_version"));
  const tables = Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"]);
  if (applicationId !== storeApplicationId && (applicationId !== 0 || version !== 0 || tables !== 0)) {
    throw refusal(path, "it is a database of another program; move it away or choose another data directory");
  }
  if (version > migrations.length) {
    const known = `its schema is version ${version}, this program knows ${migrations.length}`;
    throw refusal(path, `${known}; start the newer program that wrote it`);
  }
  const found = pragma(db, "quick_check(1)");
  if (found !== "ok") {
    throw refusal(path, `it is damaged (${found}); restore a copy, or move it away to start without history`);
  }
}

/** Brings an identified database to the newest schema in one transaction. `epoch` is written into a new one only. */
export function migrate(db: DatabaseSync, epoch: string): void {
  const version = Number(pragma(db, "user_version"));
  if (version === migrations.length) return;
  db.exec("BEGIN IMMEDIATE");
  for (const statements of migrations.slice(version)) db.exec(statements);
  db.prepare("INSERT INTO head VALUES (1, ?, 0, 0) ON CONFLICT DO NOTHING").run(epoch);
  db.exec(`PRAGMA application_id = ${storeApplicationId}`);
  db.exec(`PRAGMA user_version = ${migrations.length}`);
  db.exec("COMMIT");
}

function pragma(db: DatabaseSync, name: string): string {
  return String(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

function refusal(path: string, why: string): StorageError {
  return new StorageError(`cannot use the store ${path}: ${why}`, { retryable: false });
}
