/**
 * A database server in small: SQLite behind named statements, one transaction at a time on the ledger, commits that wait for the disk.
 *
 * Statements come by name, never as SQL. What writes takes the ledger's lock first (`Lock`), as sessions of a real server queue for a
 * hot row. The file keeps its rows between starts; the oldest entries go when there are a tenth more than it began with.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sleep } from "#shared/clock.ts";
import { done, type Reply, type Txn } from "../kit/message.ts";
import type { Service, ServiceParts } from "../kit/service.ts";
import { accountsCount } from "../load/generator.ts";
import { createLock } from "./lock.ts";

const indexed = "CREATE INDEX IF NOT EXISTS entries_account ON entries(account, id)";
const unindexed = "DROP INDEX IF EXISTS entries_account";
const historyLength = 10;
/** Between two that a blocking session lets in. */
const lockPauseMs = 30;
const pruneEvery = 500;

export function makeDatabase({ clock, knobs, telemetry, data, entries }: ServiceParts): Service {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const file = join(data, "bank.db");
  const fresh = !existsSync(file);
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000");
  db.exec(
    "CREATE TABLE IF NOT EXISTS accounts(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL) STRICT;" +
      "CREATE TABLE IF NOT EXISTS entries(id INTEGER PRIMARY KEY, account INTEGER NOT NULL, amount INTEGER NOT NULL, settled INTEGER NOT NULL) STRICT",
  );
  if (fresh) fill(db, entries);
  db.exec(indexed);

  const account = db.prepare("SELECT balance FROM accounts WHERE id = ?");
  const book = db.prepare("INSERT INTO entries(account, amount, settled) VALUES (?, ?, 0)");
  const settle = db.prepare(
    "UPDATE entries SET settled = 1 WHERE id = (SELECT MAX(id) FROM entries WHERE id > (SELECT MAX(id) FROM entries) - 1000 AND amount = ?)",
  );
  const prune = db.prepare("DELETE FROM entries WHERE id <= (SELECT MAX(id) FROM entries) - ?");
  // Each entry with its running number in the account, as a statement shows it: 0.3 ms with the index, 100 ms without.
  const history = () =>
    db.prepare(
      "SELECT amount, (SELECT COUNT(*) FROM entries AS earlier WHERE earlier.account = entries.account AND earlier.id <= entries.id) AS number " +
        "FROM entries WHERE account = ? ORDER BY id DESC LIMIT ?",
    );
  const sum = () => db.prepare("SELECT SUM(amount) AS total FROM entries WHERE account = ?");
  // Prepared anew when the index comes or goes, as a plan is.
  let reads = { history: history(), sum: sum() };
  let hasIndex = true;
  let booked = 0;
  const lock = createLock(clock, telemetry);
  const blocker = createBlocker();

  knobs.onChange(() => {
    const wanted = knobs.now.indexDropped !== true;
    if (wanted !== hasIndex) {
      db.exec(wanted ? indexed : unindexed);
      hasIndex = wanted;
      reads = { history: history(), sum: sum() };
    }
    blocker.follow();
  });

  async function write(run: () => void): Promise<Reply> {
    const unlock = await lock.take();
    try {
      run();
      const { commitMs } = knobs.now;
      if (commitMs !== undefined) await sleep(clock, commitMs);
      return done;
    } finally {
      unlock();
    }
  }

  /** The session of the knob `lockHeldMs`: takes the lock like everybody, and sits on it. */
  function createBlocker() {
    let running = false;
    const run = async (): Promise<void> => {
      for (let heldMs = knobs.now.lockHeldMs; heldMs !== undefined; heldMs = knobs.now.lockHeldMs) {
        const unlock = await lock.take();
        await sleep(clock, heldMs);
        unlock();
        await sleep(clock, lockPauseMs);
      }
      running = false;
    };
    return {
      follow() {
        if (running || knobs.now.lockHeldMs === undefined) return;
        running = true;
        void run();
      },
    };
  }

  return {
    routes: {
      "/account": (txn) => ({ ...done, value: Number(account.get(txn.account)?.["balance"] ?? 0) }),
      "/history": (txn) => ({ ...done, value: reads.history.all(txn.account, historyLength).length }),
      "/sum": (txn) => ({ ...done, value: Number(reads.sum.get(txn.account)?.["total"] ?? 0) }),
      "/book": (txn: Txn) =>
        write(() => {
          book.run(txn.account, -txn.amount);
          booked += 1;
          if (booked % pruneEvery === 0) prune.run(Math.ceil(entries * 1.1));
        }),
      "/settle": (txn: Txn) => write(() => void settle.run(-txn.amount)),
    },
    close() {
      db.close();
    },
  };
}

function fill(db: DatabaseSync, entries: number): void {
  db.exec("BEGIN");
  db.exec(
    `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${accountsCount - 1}) INSERT INTO accounts SELECT i, 100000 + i * 37 FROM n`,
  );
  // A multiplier that is prime to the count spreads the entries over the accounts without chance.
  db.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${entries}) ` +
      `INSERT INTO entries SELECT i, (i * 7919) % ${accountsCount}, -((i * 104729) % 20000), 1 FROM n`,
  );
  db.exec("COMMIT");
}
