/**
 * The account at the end: what an agent read (the file that `agent-under-load.ts` keeps) against what a stopped collector's
 * journal holds. Every tick must be there once, with its values, or in a range of the ledger, and never both.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { createIngest } from "#collector/ingest/ingest.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { systemClock } from "#shared/clock.ts";
import { silentLog } from "#shared/log.ts";

interface Tick {
  readonly timeMs: number;
  readonly count: number;
  readonly sum: number;
}

/** By `epoch/time`. */
export function readOracle(file: string): Map<string, Tick> {
  const lines = fs.readFileSync(file, "utf8").trim().split("\n");
  return new Map(
    lines.map((line) => {
      const [epoch, timeMs = 0, count = 0, sum = 0] = line.split(" ").map(Number);
      return [`${epoch}/${timeMs}`, { timeMs, count, sum }];
    }),
  );
}

/** How many ticks were read, and how many of them are in the ledger only. Fails on the first that is wrong. */
export async function settle(
  oracleFile: string,
  journalFile: string,
): Promise<{ read: number; lost: number }> {
  const read = readOracle(oracleFile);
  const { ticks, losses } = await readJournal(journalFile);
  let lost = 0;
  for (const [id, { timeMs, count, sum }] of read) {
    const stored = ticks.get(id) ?? [];
    const inLedger = losses.some(({ fromMs, toMs }) => fromMs <= timeMs && timeMs <= toMs);
    assert.equal(
      stored.length + Number(inLedger),
      1,
      `tick ${id}: ${stored.length} times, in ledger: ${inLedger}`,
    );
    if (inLedger) lost += 1;
    else assert.equal(stored[0]!.count, count, `values of tick ${id}`);
    assert.ok(inLedger || Math.abs(stored[0]!.sum - sum) < 1e-6, `tick ${id} has changed`);
  }
  for (const id of ticks.keys()) assert.ok(read.has(id), `tick ${id} was never read`);
  return { read: read.size, lost };
}

async function readJournal(path: string) {
  const journal = openSqliteJournal({ path, clock: systemClock, log: silentLog });
  const ingest = createIngest({ journal });
  const ticks = new Map<string, Tick[]>();
  const losses: { fromMs: number; toMs: number }[] = [];
  await journal.consume(0, (record) => {
    if (record.kind !== "frame") return;
    const taken = ingest.take(record);
    assert.ok(taken, `entry ${record.position} cannot be decoded`);
    losses.push(...taken.losses);
    for (const { timeMs, values } of taken.batches) {
      const present = values.filter((value) => !Number.isNaN(value));
      const sum = present.reduce((total, value) => total + value, 0);
      const id = `${record.epoch}/${timeMs}`;
      ticks.set(id, [...(ticks.get(id) ?? []), { timeMs, count: present.length, sum }]);
    }
  }).caughtUp;
  await journal.close();
  return { ticks, losses };
}
