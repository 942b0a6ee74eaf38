import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { openSqliteStore } from "#collector/store/sqlite.ts";
import type { SqliteStore } from "#collector/store/sqlite.ts";
import { completed, type Incident, incidentSchema } from "#shared/contract/incident.ts";
import { StorageError } from "#shared/errors.ts";
import { limits } from "#shared/limits.ts";
import type { Limits } from "#shared/limits.ts";
import { createLog, silentLog } from "#shared/log.ts";
import { storeContract } from "./contract.ts";
import { sampleIncident, sampleLoss } from "./samples.ts";

function openAt(path: string, options: { epoch?: string; limits?: Partial<Limits> } = {}): SqliteStore {
  const { epoch = "epoch", limits: some = {} } = options;
  return openSqliteStore({ path, epoch, limits: { ...limits, ...some }, log: silentLog });
}

function inDirectory(body: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "causeway-store-"));
  try {
    body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

storeContract("sqlite in memory", false, () => {
  const opened: SqliteStore[] = [];
  return {
    open(options) {
      const store = openAt(":memory:", options);
      opened.push(store);
      return store;
    },
    end: () => opened.forEach((store) => store.close()),
  };
});

storeContract("sqlite in a file", true, () => {
  const directory = mkdtempSync(join(tmpdir(), "causeway-store-"));
  let last: SqliteStore | undefined;
  return {
    open(options) {
      last = openAt(join(directory, "store.db"), options);
      return last;
    },
    end() {
      last?.close();
      rmSync(directory, { recursive: true });
    },
  };
});

test("a full disk refuses one commit whole, and the store goes on when there is space", () => {
  inDirectory((directory) => {
    const store = openAt(join(directory, "store.db"));
    store.commit({ position: 1, incidents: [sampleIncident("a")], losses: [] });
    store.limitPages(24);
    const comment = "x".repeat(60_000);
    const large = sampleIncident("b", { acknowledgements: [{ by: "ops", atMs: 1, comment }] });
    const commit = { position: 2, incidents: [large, sampleIncident("c")], losses: [sampleLoss()] };
    assert.throws(
      () => store.commit(commit),
      (error) => error instanceof StorageError && error.retryable && /disk is full/.test(error.message),
    );
    assert.equal(store.position, 1);
    assert.deepEqual(store.cursor(), { epoch: "epoch", seq: 1 });
    assert.equal(store.incident("b"), undefined);
    assert.equal(store.losses({ limit: 1 }).samples, 0);
    assert.equal(store.incidents({ state: "all", limit: 10 }).length, 1, "reading goes on meanwhile");
    store.limitPages(10_000);
    assert.deepEqual(
      store.commit(commit).map(({ seq }) => seq),
      [2, 3],
    );
    store.close();
  });
});

test("what was committed survives a power cut, and a commit that said nothing owes no write", () => {
  inDirectory((directory) => {
    const store = openAt(join(directory, "store.db"));
    store.commit({ position: 8, incidents: [sampleIncident("a")], losses: [] });
    store.commit({ position: 9, incidents: [], losses: [] });
    // The files as the disk has them while the process still runs: what a machine finds after a power cut.
    for (const end of ["", "-wal"])
      cpSync(join(directory, `store.db${end}`), join(directory, `found.db${end}`));
    const after = openAt(join(directory, "found.db"));
    assert.equal(after.position, 8, "position 9 is replayed, and says nothing again");
    assert.equal(after.cursor().seq, 1);
    assert.equal(after.incident("a")?.id, "a");
    after.close();
    store.close();
  });
});

test("a snapshot whose bytes changed is refused and the one before it is used", () => {
  inDirectory((directory) => {
    const path = join(directory, "store.db");
    const store = openAt(path);
    store.saveSnapshot("detect", { position: 1, blob: Buffer.from("older") });
    store.saveSnapshot("detect", { position: 2, blob: Buffer.from("newer") });
    store.close();
    const db = new DatabaseSync(path);
    db.exec("UPDATE snapshots SET blob = CAST('never' AS BLOB) WHERE position = 2");
    db.close();
    const lines: string[] = [];
    const clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => ({ cancel() {} }) };
    const log = createLog({ clock, write: (line) => lines.push(line) });
    const again = openSqliteStore({ path, epoch: "e", limits, log });
    const loaded = again.loadSnapshot("detect");
    assert.equal(loaded?.position, 1);
    assert.equal(Buffer.from(loaded?.blob ?? []).toString(), "older");
    assert.match(lines.join(""), /"event":"snapshot refused","name":"detect","position":2/);
    again.close();
  });
});

test("incidents of before feedback was known have none, and say so", () => {
  inDirectory((directory) => {
    const path = join(directory, "store.db");
    const store = openAt(path);
    store.commit({ position: 1, incidents: [sampleIncident("a")], losses: [] });
    store.close();
    const db = new DatabaseSync(path);
    for (const table of ["incidents", "deltas"])
      db.exec(`UPDATE ${table} SET json = json_remove(json, '$.feedback')`);
    db.exec("PRAGMA user_version = 1");
    db.close();
    const again = openAt(path);
    assert.deepEqual(again.incident("a"), sampleIncident("a"));
    assert.deepEqual(again.deltasAfter(0)?.[0]?.incident, sampleIncident("a"));
    again.close();
  });
});

test("incidents of before they could merge, be like others or be told as a story are completed, and count their hosts", () => {
  inDirectory((directory) => {
    const path = join(directory, "store.db");
    const store = openAt(path);
    const whole = sampleIncident("a", { hosts: ["web-01", "web-02"], hostCount: 2 });
    store.commit({ position: 1, incidents: [whole], losses: [] });
    store.close();
    const db = new DatabaseSync(path);
    const added = [
      "mergedInto",
      "suppressedBy",
      "hostCount",
      "story",
      "changes",
      "similar",
      "confirmedCause",
    ];
    const paths = added.map((name) => `'$.${name}'`).join(", ");
    for (const table of ["incidents", "deltas"])
      db.exec(`UPDATE ${table} SET json = json_remove(json, ${paths})`);
    db.exec("PRAGMA user_version = 2");
    const [row] = db.prepare("SELECT json FROM incidents").all();
    // What a command in the journal may bring along is completed in the same way.
    assert.deepEqual(completed(JSON.parse(String(row?.["json"])) as Incident), whole);
    db.close();
    const again = openAt(path);
    assert.deepEqual(incidentSchema.parse(again.incident("a")), whole);
    assert.deepEqual(again.deltasAfter(0)?.[0]?.incident, whole);
    again.close();
  });
});

test("what was merged or has expired is not listed as open", () => {
  inDirectory((directory) => {
    const store = openAt(join(directory, "store.db"));
    const incidents = (["open", "updating", "flapping", "merged", "expired", "resolved"] as const).map(
      (state) => sampleIncident(state, { state }),
    );
    store.commit({ position: 1, incidents, losses: [] });
    assert.deepEqual(
      store
        .incidents({ state: "open", limit: 10 })
        .map(({ id }) => id)
        .sort(),
      ["flapping", "open", "updating"],
    );
    store.close();
  });
});

test("a file that is not ours, damaged, newer or in use is refused with what to do, and is not touched", () => {
  inDirectory((directory) => {
    const refuses = (path: string, message: RegExp, retryable = false) =>
      assert.throws(
        () => openAt(path),
        (error) =>
          error instanceof StorageError && message.test(error.message) && error.retryable === retryable,
      );

    const text = join(directory, "text.db");
    writeFileSync(text, "not a database at all, but long enough to look like one\n".repeat(40));
    refuses(text, /not a database: move it away/);

    const foreign = join(directory, "foreign.db");
    const other = new DatabaseSync(foreign);
    other.exec("CREATE TABLE t (a); PRAGMA user_version = 3");
    other.close();
    refuses(foreign, /another program/);
    const still = new DatabaseSync(foreign);
    assert.equal(still.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "delete");
    still.close();

    const path = join(directory, "store.db");
    const first = openAt(path);
    refuses(path, /another process has it open/, true);
    for (let n = 1; n <= 50; n += 1) {
      first.commit({ position: n, incidents: [sampleIncident(`incident-${n}`)], losses: [] });
    }
    first.close();

    const damaged = join(directory, "damaged.db");
    cpSync(path, damaged);
    const db = new DatabaseSync(damaged, { defensive: false });
    db.exec("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'incidents_newest'");
    db.close();
    refuses(damaged, /damaged/);

    const newer = new DatabaseSync(path);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    refuses(path, /schema is version 99/);

    refuses(join(directory, "no-such-directory", "store.db"), /directory is missing/);
  });
});
