// What the follower forgets, and how it goes on with an agent that comes back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { usualPolicy } from "#collector/detect/detect.ts";
import { Follower } from "#collector/follow.ts";
import { jsonEntry, type JournalEntry } from "#collector/journal/journal.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { createMetrics } from "#collector/self/metrics.ts";
import { noTracer } from "#collector/self/tracer.ts";
import { openSqliteStore } from "#collector/store/sqlite.ts";
import { createView } from "#collector/view.ts";
import { systemClock } from "#shared/clock.ts";
import { limits } from "#shared/limits.ts";
import { createLog } from "#shared/log.ts";
import { Feed, gauge } from "#test/e2e/feed.ts";

const agentId = "aaaaaaaa-0000-0000-0000-000000000001";
const startMs = Date.UTC(2026, 0, 5);
const hourMs = 3_600_000;
const intervalMs = 10_000;
const log = createLog({ clock: systemClock, write() {}, level: "error" });

/** An agent's frames and the collector's ticks, as the journal has them. */
function recorder() {
  const feed = new Feed({
    agentId,
    epoch: startMs,
    host: "web",
    intervalMs,
    series: [gauge("a"), gauge("b")],
  });
  const entries: JournalEntry[] = [
    jsonEntry("presence", "", startMs, { t: "started", atMs: startMs, version: "0" }),
  ];
  return {
    entries,
    frame(atMs: number, values: readonly number[] = [1, 2]): void {
      const sequence = feed.frames.length;
      const bytes = feed.add(atMs, values);
      const place = { stream: agentId, epoch: startMs, sequence, key: sequence === 0, skewMs: 0 };
      entries.push({ kind: "frame", ...place, firstMs: atMs, lastMs: atMs, samples: 2, series: 2, bytes });
    },
    ticks(fromMs: number, toMs: number): void {
      for (let nowMs = fromMs; nowMs < toMs; nowMs += intervalMs)
        entries.push(jsonEntry("tick", "", nowMs, {}));
    },
  };
}

/** Follows all of `entries` from the first on. */
async function followed(entries: readonly JournalEntry[]) {
  const store = openSqliteStore({ path: ":memory:", epoch: "e", limits, log });
  const journal = openSqliteJournal({ path: ":memory:", clock: systemClock, log });
  await Promise.all(entries.map((entry) => journal.append(entry)));
  const policy = { ...usualPolicy, hostGoneMs: hourMs };
  const metrics = createMetrics({ version: "0", processMetrics: false });
  const follower = new Follower({
    clock: systemClock,
    journal,
    store,
    metrics,
    tracer: noTracer,
    log,
    policy,
    tell() {},
  });
  const consumption = journal.consume(follower.from, (record) => follower.follow(record));
  await consumption.caughtUp;
  consumption.stop();
  await consumption.done;
  return {
    follower,
    metrics,
    hosts: createView({ follower, journal, store }).hosts(),
    close: () => journal.close(),
  };
}

test("a change counts once however often it is told, and a replay of the journal knows the same", async () => {
  const record = recorder();
  const target = { of: "host", name: "web" } as const;
  const first = {
    id: "r-1",
    kind: "release",
    atMs: startMs,
    title: "web 2",
    target,
    by: "li",
    link: "",
  } as const;
  for (const [index, changes] of [
    [first],
    [first, { ...first, id: "r-2" }],
    [{ ...first, title: "web 3" }],
  ].entries()) {
    const atMs = startMs + index * 1_000;
    record.entries.push(jsonEntry("change", "", atMs, { key: String(index), atMs, changes }));
  }
  const once = await followed(record.entries);
  const known = once.follower.chain.changes.between(0, Number.MAX_SAFE_INTEGER);
  assert.deepEqual(known, [first, { ...first, id: "r-2" }]);
  assert.match(await once.metrics.text(), /^causeway_ingest_changes_total 2$/m);
  const again = await followed(record.entries);
  assert.deepEqual(again.follower.chain.snapshot(), once.follower.chain.snapshot());
  await once.close();
  await again.close();
});

test("a host that is gone is listed without series, and its agent goes on in the middle of its segment as if it were new", async () => {
  const record = recorder();
  record.frame(startMs);
  record.ticks(startMs, startMs + 2 * hourMs);
  const gone = await followed(record.entries);
  assert.deepEqual(
    gone.hosts.map(({ host, state, series, lastSeenMs, warmup }) => [
      host,
      state,
      series,
      lastSeenMs,
      warmup.collecting,
    ]),
    [["web", "gone", 0, startMs, 0]],
  );
  assert.equal(gone.follower.ingest.hosts.hostOf(agentId), undefined);
  await gone.close();

  const backMs = startMs + 2 * hourMs;
  record.frame(backMs);
  record.frame(backMs + intervalMs);
  const back = await followed(record.entries);
  assert.deepEqual(
    back.hosts.map(({ state, series, lastSeenMs, warmup }) => [state, series, lastSeenMs, warmup.collecting]),
    [["up", 2, backMs + intervalMs, 2]],
  );
  await back.close();
});

test("an anomaly counts once, when it begins, however often it is told; a host's silence counts too", async () => {
  const record = recorder();
  let atMs = startMs;
  const play = (count: number, valueOf: (tick: number) => number): void => {
    for (let tick = 0; tick < count; tick += 1, atMs += intervalMs) {
      record.frame(atMs, [valueOf(tick), 2]);
      record.ticks(atMs, atMs + 1);
    }
  };
  play(60, (tick) => 10 + (tick % 3));
  // It grows with each sample, so that it is told again and again; then it is over.
  play(12, (tick) => 100 * (tick + 1));
  play(12, (tick) => 10 + (tick % 3));
  const closed = { t: "closed", atMs, agent: agentId, how: "closed" };
  record.entries.push(jsonEntry("presence", "", atMs, closed));
  record.ticks(atMs, atMs + 600_000);
  const { metrics, close } = await followed(record.entries);
  await close();
  const text = await metrics.text();
  const begun = [...text.matchAll(/^causeway_detect_anomalies_total\{detector="(\w+)"\} (\d+)$/gm)]
    .map(([, detector, count]) => [detector, Number(count)] as const)
    .filter(([, count]) => count > 0);
  assert.deepEqual(Object.fromEntries(begun), { record: 1, absence: 1 });
});
