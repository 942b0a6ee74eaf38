/**
 * A journal, judged again by the product as it is now: the collector's own `Follower`, from the first record to the last, on a
 * store in memory, with nothing learned before.
 */
import { usualPolicy } from "#collector/detect/detect.ts";
import { Follower } from "#collector/follow.ts";
import type { JournalRecord } from "#collector/journal/journal.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { createMetrics } from "#collector/self/metrics.ts";
import { noTracer } from "#collector/self/tracer.ts";
import { openSqliteStore } from "#collector/store/sqlite.ts";
import { systemClock } from "#shared/clock.ts";
import { limits } from "#shared/limits.ts";
import { createLog } from "#shared/log.ts";
import { DataError } from "../data/read.ts";

/**
 * `path` is a copy: opening it writes to it. `begin` is given the follower before the first record, and returns what is to hear each
 * record before it is followed. Throws `DataError` when it cannot be read.
 */
export async function judgeAgain(
  path: string,
  begin: (follower: Follower) => (record: JournalRecord) => void,
): Promise<void> {
  const complaints: string[] = [];
  const log = createLog({ clock: systemClock, write: (line) => void complaints.push(line), level: "error" });
  const journal = openSqliteJournal({ path, clock: systemClock, log });
  const store = openSqliteStore({ path: ":memory:", epoch: "replay", limits, log });
  const metrics = createMetrics({ version: "replay", processMetrics: false });
  const parts = { clock: systemClock, journal, store, metrics, tracer: noTracer, log };
  try {
    const follower = new Follower({ ...parts, policy: usualPolicy, tell() {} });
    const hear = begin(follower);
    const consumption = journal.consume(follower.from, (record) => {
      hear(record);
      return follower.follow(record);
    });
    await consumption.caughtUp;
  } finally {
    await journal.close();
    store.close();
  }
  if (complaints.length > 0) throw new DataError(`${path}: ${complaints[0]!.trim()}`);
}
