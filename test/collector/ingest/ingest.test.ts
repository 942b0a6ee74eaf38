import assert from "node:assert/strict";
import { test } from "node:test";
import { createIngest, type HostsState } from "#collector/ingest/ingest.ts";
import type { Journal, JournalRecord } from "#collector/journal/journal.ts";
import { Feed, gauge } from "#test/e2e/feed.ts";

const agentId = "aaaaaaaa-0000-0000-0000-000000000001";
const epoch = 1_767_571_200_000;
const intervalMs = 10_000;

/** Twelve frames of two series in segments of six, as the journal has them: on replay, not decoded. */
function recordsOf(): JournalRecord[] {
  const series = [gauge("a"), gauge("b")];
  const feed = new Feed({ agentId, epoch, host: "web", intervalMs, series, segmentFrames: 6 });
  return Array.from({ length: 12 }, (_, sequence) => {
    const firstMs = epoch + sequence * intervalMs;
    const bytes = feed.add(firstMs, [sequence, -sequence]);
    const place = { position: sequence + 1, stream: agentId, epoch, sequence, key: sequence % 6 === 0 };
    const counts = { firstMs, lastMs: firstMs, samples: 2, series: 2, skewMs: 0 };
    return { kind: "frame", ...place, ...counts, bytes, decoded: null };
  });
}

function journalOf(records: readonly JournalRecord[]): Pick<Journal, "segmentUpTo"> {
  return {
    segmentUpTo(_stream, { sequence }) {
      const start = records.findLastIndex((record) => record.key && record.sequence! <= sequence);
      return start < 0
        ? []
        : records.slice(start, records.findIndex((record) => record.sequence === sequence) + 1);
    },
  };
}

test("an agent that comes back in the middle of a segment, after its host was gone, is understood from the journal", () => {
  const records = recordsOf();
  const ingest = createIngest({ journal: journalOf(records) });
  for (const record of records.slice(0, 8)) assert.equal(ingest.take(record)?.batches.length, 1);
  ingest.retire("web");
  const back = ingest.take(records[8]!);
  assert.deepEqual(
    back?.fresh.map(({ host, number, series }) => [host, number, series.metric]),
    [
      ["web", 0, "a"],
      ["web", 1, "b"],
    ],
  );
  assert.ok(back.resource?.some(([name, value]) => name === "host.name" && value === "web"));
  assert.deepEqual(
    back.batches.map(({ timeMs, values }) => [timeMs, ...values]),
    [[epoch + 80_000, 8, -8]],
  );
  const next = ingest.take(records[9]!);
  assert.deepEqual([next?.fresh, next?.resource], [[], null]);
});

test("when the journal no longer has the segment's beginning, its frames are skipped until the next key frame", () => {
  const records = recordsOf();
  const ingest = createIngest({ journal: journalOf(records.slice(3)) });
  assert.equal(ingest.take(records[3]!), null);
  assert.equal(ingest.take(records[4]!), null);
  assert.equal(ingest.take(records[6]!)?.fresh.length, 2);
});

test("an ingest that begins at a snapshot takes the next frame as if it had taken all before it", () => {
  const records = recordsOf();
  const whole = createIngest({ journal: journalOf(records) });
  for (const record of records.slice(0, 9)) whole.take(record);
  const state = JSON.parse(JSON.stringify(whole.snapshot())) as HostsState;
  const resumed = createIngest({ journal: journalOf(records), state });
  assert.deepEqual(resumed.take(records[9]!), whole.take(records[9]!));
  assert.deepEqual(resumed.snapshot(), whole.snapshot());
});
