import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createIngest, type HostsState } from "#collector/ingest/ingest.ts";
import { ProtobufReader } from "#collector/ingest/decode/protobuf.ts";
import { limits } from "#shared/limits.ts";
import {
  gauge,
  metrics,
  OtlpRoom,
  pay,
  payAt,
  payLabels,
  payMetrics,
  spanJson,
  sum,
  traces,
} from "./otlp-room.ts";

const json = { "content-type": "application/json" };
const gzip = { ...json, "content-encoding": "gzip" };
const protobuf = { "content-type": "application/x-protobuf" };

function frames(room: OtlpRoom): number {
  return room.records.filter(({ kind }) => kind === "frame").length;
}

/** google.rpc.Status in protobuf. */
function status(body: Buffer): { code: number; message: string } {
  const read = { code: 0, message: "" };
  const reader = new ProtobufReader(body);
  while (reader.next()) {
    if (reader.field === 1) read.code = reader.int64();
    else if (reader.field === 2) read.message = reader.string();
    else reader.skip();
  }
  return read;
}

test("what is answered with 200 is in the journal; an answer without fault is empty in both encodings", async () => {
  const room = new OtlpRoom();
  const answer = await room.post("/v1/metrics", metrics(pay, gauge("g", room.nowMs, 1)));
  assert.deepEqual(
    [answer.status, answer.json, answer.headers.get("Content-Type")],
    [200, {}, "application/json"],
  );
  assert.equal(room.journal.last(room.records.find(({ kind }) => kind === "frame")!.stream)?.sequence, 0);
  const empty = await room.post("/v1/metrics", new Uint8Array(), protobuf);
  assert.deepEqual([empty.status, empty.body.length, frames(room)], [200, 0, 1]);
  assert.equal(empty.headers.get("Content-Type"), "application/x-protobuf");
});

test("the same body twice is stored once and answered twice, also while the first is still on its way to the disk", async () => {
  const room = new OtlpRoom();
  await room.pass(1_000);
  const body = Buffer.from(JSON.stringify(traces(pay, { kind: 2, endMs: room.nowMs })));
  const [first, second] = await Promise.all([room.post("/v1/traces", body), room.post("/v1/traces", body)]);
  const third = await room.post("/v1/traces", gzipSync(body), gzip);
  assert.deepEqual([first.status, second.status, third.status], [200, 200, 200]);
  assert.deepEqual([frames(room), room.counted.of("repeated")], [1, 2]);
  await room.pass(40_000);
  const calls = `causeway.service.calls{host.name="web-01",outcome="success",service.name="pay"}`;
  assert.equal(room.values(payAt, calls).at(-1)?.[1], 1);
});

test("a refused part is told again to whoever sends the body again", async () => {
  const room = new OtlpRoom();
  const body = metrics(pay, gauge("g", room.nowMs, "rubbish"));
  const first = await room.post("/v1/metrics", body);
  assert.deepEqual((await room.post("/v1/metrics", body)).json, first.json);
  assert.equal(room.losses.length, 1);
});

test("gzip is read to the limit and no further: a bomb is answered with 413 in its sender's encoding", async () => {
  const room = new OtlpRoom({ limits: { otlpBodyBytesMax: 1024 * 1024 } });
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  assert.ok(bomb.length < 70_000);
  const answer = await room.post("/v1/metrics", bomb, { ...protobuf, "content-encoding": "gzip" });
  assert.equal(answer.status, 413);
  const { code, message } = status(answer.body);
  assert.equal(code, 8);
  assert.match(message, /1048576 bytes \(limits\.otlpBodyBytesMax\)/);
  assert.equal((await room.post("/v1/metrics", new Uint8Array(1024 * 1024 + 1), protobuf)).status, 413);
  const declared = { ...protobuf, "content-length": String(2 ** 40) };
  assert.equal((await room.post("/v1/metrics", new Uint8Array(1), declared)).status, 413);
  assert.deepEqual([frames(room), room.counted.of("refusedRequest too_large")], [0, 3]);
});

test("what cannot be read is refused as a whole with a status that says why, and nothing of it is kept", async () => {
  const room = new OtlpRoom();
  const answer = await room.post("/v1/traces", Buffer.from("not json"), json);
  assert.equal(answer.status, 400);
  assert.deepEqual(answer.json, { code: 3, message: "the body is not JSON" });
  const cut = await room.post("/v1/metrics", Uint8Array.of(10, 200), protobuf);
  assert.equal(cut.status, 400);
  assert.equal(status(cut.body).code, 3);
  const torn = gzipSync(JSON.stringify(metrics(pay, gauge("g", room.nowMs, 1)))).subarray(0, 60);
  assert.equal((await room.post("/v1/metrics", torn, gzip)).status, 400);
  assert.equal((await room.post("/v1/metrics", Buffer.from("{}"), gzip)).status, 400);
  assert.equal((await room.post("/v1/metrics", {}, { "content-type": "text/plain" })).status, 415);
  assert.equal((await room.post("/v1/metrics", {}, {})).status, 415);
  assert.equal((await room.post("/v1/metrics", {}, { ...json, "content-encoding": "zstd" })).status, 415);
  assert.equal(room.records.length, 0);
  const counts = ["malformed", "truncated", "corrupted", "media_type", "encoding"];
  assert.deepEqual(
    counts.map((reason) => room.counted.of(`refusedRequest ${reason}`)),
    [1, 1, 2, 2, 1],
  );
});

test("a content type may name a charset, and gzip may be written in capitals", async () => {
  const room = new OtlpRoom();
  const headers = { "content-type": "application/json; charset=utf-8", "content-encoding": "GZIP" };
  const body = gzipSync(JSON.stringify(metrics(pay, gauge("g", room.nowMs, 1))));
  assert.equal((await room.post("/v1/metrics", body, headers)).status, 200);
});

test("while more waits than the limit a client is told to come again, and what it holds is not touched", async () => {
  const room = new OtlpRoom({ limits: { ingestBytesInFlightMax: 1_000 } });
  const many = Array.from({ length: 50 }, (_, index) => gauge(`g.${index}`, room.nowMs, 1));
  const answer = await room.post("/v1/metrics", metrics(pay, ...many));
  assert.deepEqual([answer.status, answer.headers.get("Retry-After")], [429, "5"]);
  // Small enough packed, and too large unpacked.
  assert.equal((await room.post("/v1/metrics", metrics(pay, ...many), gzip)).status, 429);
  assert.equal((await room.post("/v1/metrics", metrics(pay, gauge("g", room.nowMs, 1)))).status, 200);
  assert.deepEqual([room.counted.of("refusedRequest overloaded"), frames(room)], [2, 1]);
});

test("a collector that stops sends its clients away, and a body that it could not journal may come again", async () => {
  const room = new OtlpRoom();
  const body = traces(pay, { kind: 2, endMs: room.nowMs });
  await room.post("/v1/traces", traces(pay, { kind: 2, endMs: room.nowMs }));
  room.isFailing = true;
  const failed = await room.post("/v1/traces", body);
  assert.deepEqual([failed.status, failed.headers.get("Retry-After")], [503, "5"]);
  room.isFailing = false;
  assert.equal((await room.post("/v1/traces", body)).status, 200);
  await room.pass(40_000);
  const calls = `causeway.service.calls{host.name="web-01",outcome="success",service.name="pay"}`;
  assert.equal(room.values(payAt, calls).at(-1)?.[1], 2);
  room.door.close();
  assert.match(String((await room.post("/v1/traces", body)).json["message"]), /stopping/);
});

test("after a restart counters go on where the journal has them, an open interval keeps what it had, and time's order holds", async () => {
  const before = new OtlpRoom();
  await before.pass(3_000);
  const startMs = before.nowMs - 1_000_000;
  const cumulative = (room: OtlpRoom, value: number): object =>
    sum("cumulative", "cumulative", { startMs, timeMs: room.nowMs, value });
  const delta = (room: OtlpRoom): object => sum("delta", "delta", { timeMs: room.nowMs, value: 10 });
  await before.post(
    "/v1/metrics",
    metrics(pay, cumulative(before, 500), delta(before), gauge("g", before.nowMs, 1)),
  );
  await before.post(
    "/v1/traces",
    traces(pay, { kind: 2, endMs: before.nowMs }, { kind: 2, endMs: before.nowMs }),
  );
  before.door.close();

  const room = new OtlpRoom({ after: before });
  await room.clock.advance(1_000);
  await room.post("/v1/metrics", metrics(pay, cumulative(room, 520), delta(room)));
  await room.post("/v1/traces", traces(pay, { kind: 2, endMs: room.nowMs, isError: true }));
  await room.pass(10_000);
  await room.post("/v1/metrics", metrics(pay, cumulative(room, 530), delta(room)));
  await room.pass(60_000);
  const last = (host: string, id: string): number | undefined => room.values(host, id).at(-1)?.[1];
  const cumulatives = room.values(payMetrics, `cumulative{${payLabels}}`).map(([, value]) => value);
  // How much of the first point after the restart is new is not known; from then on it is.
  assert.deepEqual([cumulatives[0], cumulatives.at(-1)], [500, 510]);
  assert.equal(last(payMetrics, `delta{${payLabels}}`), 30);
  const calls = (outcome: string): string =>
    `causeway.service.calls{host.name="web-01",outcome="${outcome}",service.name="pay"}`;
  assert.deepEqual([last(payAt, calls("success")), last(payAt, calls("failure"))], [2, 1]);
  assert.equal(room.values(payMetrics, `g{${payLabels}}`).length, 1);
  for (const host of [payAt, payMetrics]) {
    const times = room.batches.flatMap((batch) => (batch.host === host ? [batch.timeMs] : []));
    assert.deepEqual(
      times,
      [...new Set(times)].sort((a, b) => a - b),
    );
  }
});

test("a source that does not come back after a restart is said goodbye to, and one with spans goes on with no calls", async () => {
  const before = new OtlpRoom();
  await before.post(
    "/v1/metrics",
    metrics({ "service.name": "gone", "host.name": "h" }, gauge("g", before.nowMs, 1)),
  );
  await before.post("/v1/traces", traces(pay, { kind: 2, endMs: before.nowMs }));
  before.door.close();
  const room = new OtlpRoom({ after: before });
  await room.pass(1_000);
  room.door.resume(room.ingest.hosts.facts().map(({ resource }) => resource));
  await room.pass(120_000);
  const left = room.presences.flatMap((one) =>
    one.t === "closed" ? [room.ingest.hosts.hostOf(one.agent)] : [],
  );
  assert.deepEqual(left, ["gone:metrics@h"]);
  const calls = `causeway.service.calls{host.name="web-01",outcome="success",service.name="pay"}`;
  const values = room.values(payAt, calls);
  assert.ok(values.length >= 9, String(values.length));
  assert.ok(values.every(([, value]) => value === 1));
});

test("the journal alone gives the same ticks again, and so does a snapshot in the middle", async () => {
  const room = new OtlpRoom();
  for (let second = 0; second < 60; second += 3) {
    await room.post(
      "/v1/metrics",
      metrics(pay, gauge("g", room.nowMs - 4_000, second, { zone: second % 9 })),
    );
    await room.post(
      "/v1/traces",
      traces(pay, { kind: 2, endMs: room.nowMs - 6_000, durationMs: second * 10 }),
    );
    await room.pass(3_000);
  }
  await room.pass(40_000);
  let ingest = createIngest({ journal: room.journal });
  const batches = [];
  for (const [index, record] of room.records.entries()) {
    if (index % 7 === 0) {
      const state = JSON.parse(JSON.stringify(ingest.snapshot())) as HostsState;
      ingest = createIngest({ journal: room.journal, state });
    }
    if (record.kind === "frame") assert.deepEqual(ingest.take({ ...record, decoded: null })?.batches, []);
    if (record.kind === "tick") batches.push(...ingest.due(record.firstMs));
  }
  assert.ok(batches.length >= 9);
  assert.deepEqual(batches, room.batches);
});

test("a thousand sources are taken, and the next one is told that there are too many", async () => {
  const room = new OtlpRoom();
  const resource = (index: number): object =>
    (metrics({ "service.name": `s${index}` }, gauge("g", room.nowMs, 1)) as { resourceMetrics: object[] })
      .resourceMetrics[0]!;
  const resourceMetrics = Array.from({ length: limits.otlpSourcesMax + 1 }, (_, index) => resource(index));
  const answer = await room.post("/v1/metrics", { resourceMetrics });
  const partial = answer.json["partialSuccess"] as { rejectedDataPoints: string; errorMessage: string };
  assert.equal(partial.rejectedDataPoints, "1");
  assert.match(partial.errorMessage, /1 of s1000@unknown: too_many_sources/);
  const spans = {
    resourceSpans: [{ resource: {}, scopeSpans: [{ spans: [spanJson({ kind: 2, endMs: room.nowMs })] }] }],
  };
  const refused = (await room.post("/v1/traces", spans)).json["partialSuccess"] as { rejectedSpans: string };
  assert.equal(refused.rejectedSpans, "1");
});
