// A stretch of a host's past as the journal has it: rates, gaps, series that move to other columns, and where it ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readHistory } from "#collector/history.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { systemClock } from "#shared/clock.ts";
import { createLog } from "#shared/log.ts";
import { canonicalLabels, type Instrument, type Series, seriesId } from "#shared/series.ts";
import { FrameEncoder } from "#shared/wire/wire.ts";

const agentId = "aaaaaaaa-0000-0000-0000-000000000001";
const epoch = 1;
const log = createLog({ clock: systemClock, write() {}, level: "error" });

function series(metric: string, instrument: Instrument): Series {
  return { metric, unit: "1", instrument, decimals: 2, labels: canonicalLabels([]) };
}

const gauge = series("app.level", "gauge");
const counter = series("app.work", "counter");

interface Sent {
  readonly atMs: number;
  readonly values: readonly number[];
  /** A key frame that defines these columns. */
  readonly defines?: readonly Series[];
}

/** A journal with a frame a tick, and the position of each. */
async function journalOf(sent: readonly Sent[]) {
  const journal = openSqliteJournal({ path: ":memory:", clock: systemClock, log });
  const encoder = new FrameEncoder({ agentId, epoch, resource: canonicalLabels([["host.name", "web"]]) });
  const positions: number[] = [];
  for (const [sequence, { atMs, values, defines }] of sent.entries()) {
    const key = defines !== undefined;
    const bytes = encoder.encode({
      sequence,
      key,
      intervalMs: 10_000,
      definitions: (defines ?? []).map((one, column) => ({ column, series: one })),
      ticks: [{ timeMs: atMs, values: Float64Array.from(values), columns: values.length }],
      losses: [],
    });
    const place = { stream: agentId, epoch, sequence, key, skewMs: 0, firstMs: atMs, lastMs: atMs };
    const { length } = values;
    positions.push(
      (await journal.append({ kind: "frame", ...place, samples: length, series: length, bytes }))!,
    );
  }
  return { journal, positions };
}

const range = { host: "web", stream: agentId, fromMs: 20_000, toMs: 40_000 };
const all = (): boolean => true;

test("gauges come as they are and counters as rates, of the ticks in the range alone", async () => {
  const { journal } = await journalOf([
    { atMs: 10_000, values: [5, 100], defines: [gauge, counter] },
    { atMs: 20_000, values: [6, 150] },
    { atMs: 30_000, values: [Number.NaN, 130] },
    { atMs: 30_000, values: [Number.NaN, 140] },
    { atMs: 40_000, values: [8, 160] },
    { atMs: 50_000, values: [9, 500] },
  ]);
  const { timesMs, series: found } = await readHistory(journal, range, all);
  assert.deepEqual([...timesMs], [20_000, 30_000, 40_000]);
  assert.deepEqual(
    found.map(({ id }) => id),
    [gauge, counter].map(seriesId),
  );
  assert.deepEqual([...found[0]!.values], [6, Number.NaN, 8]);
  assert.deepEqual(
    [...found[1]!.values],
    [5, Number.NaN, 2],
    "a total that fell began anew, a tick told again counts as it was told last",
  );
  await journal.close();
});

test("a series is the same in whichever column a segment has it, and NaN where a segment lacks it", async () => {
  const { journal } = await journalOf([
    { atMs: 20_000, values: [6, 150], defines: [gauge, counter] },
    { atMs: 30_000, values: [160], defines: [counter] },
    { atMs: 40_000, values: [170, 8], defines: [counter, gauge] },
  ]);
  const { series: found } = await readHistory(journal, range, all);
  assert.deepEqual([...found[0]!.values], [6, Number.NaN, 8]);
  assert.deepEqual([...found[1]!.values], [Number.NaN, 1, 1]);
  const [only, ...others] = (await readHistory(journal, range, (id) => id === seriesId(counter))).series;
  assert.deepEqual([only!.id, others.length], [seriesId(counter), 0]);
  await journal.close();
});

test("what the journal got after a position does not count", async () => {
  const { journal, positions } = await journalOf([
    { atMs: 20_000, values: [6], defines: [gauge] },
    { atMs: 30_000, values: [7] },
    { atMs: 40_000, values: [8] },
  ]);
  const { series: found } = await readHistory(journal, { ...range, position: positions[1]! }, all);
  assert.deepEqual([...found[0]!.values], [6, 7]);
  await journal.close();
});
