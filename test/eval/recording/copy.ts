/**
 * A copy of a collector's journal, also while the collector writes it: its lock lets nobody read the file beside it.
 *
 * The file changes only when SQLite moves its write-ahead log into it, and the log then begins anew with another head. So file and
 * log belong together if neither was changed or begun anew while they were copied; frames at the log's end that are half
 * written are left out by their checksums.
 */
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { DataError } from "../data/read.ts";

const triesMax = 20;
/** Of a write-ahead log, with the salts that each beginning changes. */
const headBytes = 32;

/** Where the journal is: DIR as `npm start` leaves it, or the collector's own folder. Throws `DataError`. */
export function journalIn(folder: string): string {
  const paths = [join(folder, "collector", "journal.db"), join(folder, "journal.db")];
  const path = paths.find((one) => fs.existsSync(one));
  if (path === undefined) throw new DataError(`${folder}: no journal; want ${paths.join(" or ")}`);
  return path;
}

/** Copies the journal at `path`, hands the copy over and removes it. Throws `DataError` when it never stands still. */
export async function withCopy<T>(path: string, use: (copy: string) => Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(join(os.tmpdir(), "causeway-journal-"));
  try {
    const copy = join(folder, "journal.db");
    for (let tries = 0; !copied(path, copy); tries += 1) {
      if (tries === triesMax) throw new DataError(`${path}: changes faster than it can be copied; try again`);
    }
    return await use(copy);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function copied(path: string, copy: string): boolean {
  const before = stateOf(path);
  fs.copyFileSync(path, copy);
  if (fs.existsSync(`${path}-wal`)) fs.copyFileSync(`${path}-wal`, `${copy}-wal`);
  else fs.rmSync(`${copy}-wal`, { force: true });
  return stateOf(path) === before;
}

function stateOf(path: string): string {
  const { mtimeNs, size } = fs.statSync(path, { bigint: true });
  return `${mtimeNs} ${size} ${headOf(`${path}-wal`)}`;
}

function headOf(path: string): string {
  if (!fs.existsSync(path)) return "";
  const file = fs.openSync(path, "r");
  try {
    const head = Buffer.alloc(headBytes);
    fs.readSync(file, head, 0, headBytes, 0);
    return head.toString("hex");
  } finally {
    fs.closeSync(file);
  }
}
