import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { openSqliteJournal, type Commit } from "#collector/journal/sqlite.ts";
import { silentLog } from "#shared/log.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { frameEntry, journalContract, type JournalUnderTest } from "./contract.ts";
import { FullDisk } from "./full-disk.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "causeway-journal-"));
after(() => fs.rmSync(dir, { recursive: true, force: true }));
let files = 0;

type Given = { journalBytesMax?: number; journalAgeMsMax?: number };

async function open(given: Given = {}, file = path.join(dir, `${files++}.db`)): Promise<JournalUnderTest> {
  const clock = new SimClock();
  const disk = new FullDisk();
  const journal = disk.watch(() => openSqliteJournal({ path: file, clock, log: silentLog, limits: given }));
  return {
    journal,
    clock,
    setDisk: (full) => disk.set(full),
    reopen: async () => {
      // A copy of the files is what a sudden end leaves behind.
      const copy = path.join(dir, `${files++}.db`);
      for (const suffix of ["", "-wal"]) {
        if (fs.existsSync(file + suffix)) fs.copyFileSync(file + suffix, copy + suffix);
      }
      await journal.close();
      return open(given, copy);
    },
  };
}

journalContract("sqlite", open);

test("sqlite: company shares one commit", async () => {
  const clock = new SimClock();
  const commits: Commit[] = [];
  const journal = openSqliteJournal({
    path: ":memory:",
    clock,
    log: silentLog,
    observe: (commit) => commits.push(commit),
  });
  const appended = Array.from({ length: 50 }, (_, index) => journal.append(frameEntry(index)));
  await clock.advance(20);
  await Promise.all(appended);
  assert.deepEqual(
    commits.map(({ entries, error }) => ({ entries, error })),
    [{ entries: 50, error: null }],
  );
  await journal.close();
});

test("sqlite: a damaged journal is moved aside, and positions go on above the old ones", async () => {
  const file = path.join(dir, "damaged.db");
  const clock = new SimClock();
  const first = openSqliteJournal({ path: file, clock, log: silentLog });
  const appended = first.append(frameEntry(0));
  await clock.advance(20);
  const before = await appended;
  await first.close();
  fs.writeFileSync(file, "not a database");
  clock.wallMs += 60_000;
  const events: string[] = [];
  const log = { ...silentLog, error: (event: string) => void events.push(event) };
  const second = openSqliteJournal({ path: file, clock, log });
  assert.match(events.join(), /damaged and moved aside/);
  const again = second.append(frameEntry(0));
  await clock.advance(20);
  assert.ok((await again)! > before!);
  await second.close();
});
