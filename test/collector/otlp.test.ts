// What applications push, through the whole of the collector behind its door: judged, joined with its host, shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { usualPolicy } from "#collector/detect/detect.ts";
import { Follower } from "#collector/follow.ts";
import { createMetrics } from "#collector/self/metrics.ts";
import { noTracer } from "#collector/self/tracer.ts";
import { openSqliteStore } from "#collector/store/sqlite.ts";
import { createView } from "#collector/view.ts";
import { hostListSchema } from "#shared/contract/api.ts";
import { limits } from "#shared/limits.ts";
import { createLog } from "#shared/log.ts";
import { Feed } from "#test/e2e/feed.ts";
import { mulberry32 } from "#test/sim/random.ts";
import {
  gauge,
  type GivenSpan,
  metrics,
  OtlpRoom,
  pay,
  payAt,
  payMetrics,
  payLabels,
  traces,
} from "./ingest/otlp/otlp-room.ts";

/** The stages behind the journal of a room. */
async function stagesBehind(room: OtlpRoom) {
  const log = createLog({ clock: room.clock, write() {} });
  const store = openSqliteStore({ path: ":memory:", epoch: "e", limits, log });
  const follower = new Follower({
    clock: room.clock,
    journal: room.journal,
    store,
    metrics: createMetrics({ version: "0" }),
    tracer: noTracer,
    log,
    policy: usualPolicy,
    tell() {},
  });
  const consumption = room.journal.consume(follower.from, (record) => follower.follow(record));
  await consumption.caughtUp;
  return { follower, store, view: createView({ follower, journal: room.journal, store }) };
}

test("a service whose calls begin to fail is one incident that names it on its host; nothing is told while they do not", async () => {
  const room = new OtlpRoom();
  const { store, follower, view } = await stagesBehind(room);
  const random = mulberry32(11);
  const send = async (failing: number): Promise<void> => {
    const count = 40 + Math.floor(random() * 20);
    const spans: GivenSpan[] = Array.from({ length: count }, () => ({
      kind: 2,
      endMs: room.nowMs - random() * 4_000,
      durationMs: 20 + random() * 30,
      isError: random() < failing,
    }));
    await room.post("/v1/traces", traces(pay, ...spans));
    await room.pass(5_000);
  };
  for (let round = 0; round < 720; round += 1) await send(0.002);
  assert.deepEqual(store.incidents({ state: "all", limit: 10 }), []);
  const faultMs = room.nowMs;
  for (let round = 0; round < 24; round += 1) await send(0.4);
  const incidents = store.incidents({ state: "all", limit: 10 });
  assert.equal(incidents.length, 1);
  const [incident] = incidents;
  assert.ok(incident!.detectedMs - faultMs <= 60_000, `${incident!.detectedMs - faultMs} ms`);
  assert.ok(JSON.stringify(incident).includes("service:web-01/pay"), JSON.stringify(incident));
  assert.ok(follower.chain.topology.hops(payAt, "web-01", 1) === 1);
  assert.deepEqual(
    view.hosts().map(({ state }) => state),
    ["up"],
  );
});

test("a service that becomes slow is one incident within half a minute, by what half of its calls wait for", async () => {
  const room = new OtlpRoom();
  const { store } = await stagesBehind(room);
  const random = mulberry32(3);
  const round = async (slower: number): Promise<void> => {
    const spans: GivenSpan[] = Array.from({ length: 25 + Math.floor(random() * 10) }, () => ({
      kind: 2,
      endMs: room.nowMs - random() * 9_000,
      // Most take 20 ms, some far longer.
      durationMs: slower * 20 * Math.exp(-Math.log(1 - random())),
    }));
    await room.post("/v1/traces", traces(pay, ...spans));
    await room.pass(10_000);
  };
  for (let count = 0; count < 360; count += 1) await round(1);
  assert.deepEqual(store.incidents({ state: "all", limit: 10 }), []);
  const faultMs = room.nowMs;
  for (let count = 0; count < 12; count += 1) await round(5);
  const [incident, ...others] = store.incidents({ state: "all", limit: 10 });
  assert.deepEqual(others, []);
  assert.ok(incident!.detectedMs - faultMs <= 30_000, `${incident!.detectedMs - faultMs} ms`);
  assert.deepEqual(incident!.symptoms.map(({ metric, entity }) => [metric, entity]).slice(0, 1), [
    ["causeway.service.latency", "service:web-01/pay"],
  ]);
});

test("what is wrong with a service and with the host that it runs on is one incident, though its agent reports the one and it the other", async () => {
  const room = new OtlpRoom();
  const { store } = await stagesBehind(room);
  const random = mulberry32(5);
  const agentId = "aaaaaaaa-0000-0000-0000-000000000001";
  const cpu = {
    metric: "system.cpu.utilization",
    unit: "1",
    instrument: "gauge",
    decimals: 3,
    labels: [],
  } as const;
  const feed = new Feed({ agentId, epoch: 1, host: "web-01", intervalMs: 10_000, series: [cpu] });
  const round = async (busy: number, failing: number): Promise<void> => {
    const spans: GivenSpan[] = Array.from({ length: 80 }, () => ({
      kind: 2,
      endMs: room.nowMs - random() * 4_000,
      isError: random() < failing,
    }));
    await room.post("/v1/traces", traces(pay, ...spans));
    const sequence = feed.frames.length;
    const bytes = feed.add(room.nowMs, [busy + random() * 0.05]);
    const place = { stream: agentId, epoch: 1, sequence, key: sequence % 360 === 0, skewMs: 0 };
    const times = { firstMs: room.nowMs, lastMs: room.nowMs, samples: 1, series: 1 };
    void room.journal.append({ kind: "frame", ...place, ...times, bytes });
    await room.pass(10_000);
  };
  for (let count = 0; count < 240; count += 1) await round(0.2, 0.002);
  assert.deepEqual(store.incidents({ state: "all", limit: 10 }), []);
  for (let count = 0; count < 12; count += 1) await round(0.95, 0.4);
  const incidents = store.incidents({ state: "all", limit: 10 });
  assert.deepEqual(
    incidents.map(({ hosts }) => hosts.toSorted()),
    [["web-01"]],
  );
});

test("a service that only pushes is listed and charted, what came late in its place, and is stopped when it stops", async () => {
  const room = new OtlpRoom();
  const { view, follower } = await stagesBehind(room);
  const startMs = Math.ceil(room.nowMs / 10_000) * 10_000;
  await room.pass(startMs - room.nowMs);
  for (let round = 0; round < 6; round += 1) {
    await room.post(
      "/v1/metrics",
      metrics({ ...pay, "service.version": "7.1" }, gauge("queue", room.nowMs, round)),
    );
    // A later point of the same interval, from before.
    await room.pass(6_000);
    await room.post(
      "/v1/metrics",
      metrics({ ...pay, "service.version": "7.1" }, gauge("queue", room.nowMs - 7_000, 100)),
    );
    await room.post(
      "/v1/metrics",
      metrics({ ...pay, "service.version": "7.1" }, gauge("pool", room.nowMs - 7_000, round)),
    );
    await room.pass(4_000);
  }
  await room.pass(40_000);
  const { hosts } = hostListSchema.parse({ hosts: view.hosts() });
  assert.deepEqual(
    hosts.map(({ host, agentVersion, state, series, intervalMs }) => [
      host,
      agentVersion,
      state,
      series,
      intervalMs,
    ]),
    [[payMetrics, "7.1", "stopped", 2, 10_000]],
  );
  assert.deepEqual(
    view.hostSeries(payMetrics)?.series.map(({ id, entity }) => [id, entity]),
    [
      [`queue{${payLabels}}`, "service:web-01/pay"],
      [`pool{${payLabels}}`, "service:web-01/pay"],
    ],
  );
  const range = { host: payMetrics, fromMs: startMs, toMs: startMs + 50_000 };
  const queue = await view.seriesRange({ ...range, series: `queue{${payLabels}}` });
  assert.deepEqual(queue?.values, [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(
    queue.timesMs,
    [0, 1, 2, 3, 4, 5].map((round) => startMs + round * 10_000),
  );
  const pool = await view.seriesRange({ ...range, series: `pool{${payLabels}}` });
  assert.deepEqual(pool?.values, [0, 1, 2, 3, 4, 5]);
  assert.equal(view.ledger({ host: payMetrics }).stored, 12);
  assert.deepEqual(follower.chain.openIncidents(), []);
});

test("a source of which nothing can be taken is listed without series, and its refusals are in the ledger", async () => {
  const room = new OtlpRoom();
  const { view, follower } = await stagesBehind(room);
  for (let round = 0; round < 4; round += 1) {
    await room.post("/v1/metrics", metrics(pay, gauge("g", room.nowMs, "rubbish")));
    await room.pass(10_000);
  }
  await room.pass(30_000);
  assert.deepEqual(
    view.hosts().map(({ host, series, state }) => [host, series, state]),
    [[payMetrics, 0, "stopped"]],
  );
  const ledger = view.ledger({ host: payMetrics });
  assert.deepEqual([ledger.stored, ledger.lost, ledger.losses[0]?.reason], [0, 4, "invalid"]);
  assert.deepEqual(follower.chain.openIncidents(), []);
  follower.saveSnapshot();
});
