import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "#shared/limits.ts";
import { attributes, gauge, metrics, ns, OtlpRoom, pay, payMetrics, payLabels, sum } from "./otlp-room.ts";

/** A moment on the grid, so that a test can say where in its interval something happened. */
function onGrid(room: OtlpRoom): number {
  return Math.ceil(room.nowMs / 10_000) * 10_000;
}

test("points of one interval, sent one by one, become one tick of their source when the interval can change no more", async () => {
  const room = new OtlpRoom();
  await room.pass(onGrid(room) - room.nowMs + 2_000);
  const endMs = onGrid(room);
  assert.equal((await room.post("/v1/metrics", metrics(pay, gauge("queue", room.nowMs, 3)))).status, 200);
  assert.equal(room.records.filter(({ kind }) => kind === "frame").length, 1);
  await room.pass(3_000);
  await room.post("/v1/metrics", metrics(pay, gauge("queue", room.nowMs, 5), gauge("pool", room.nowMs, 0.5)));
  // Late, and out of order: the later point counts.
  await room.post("/v1/metrics", metrics(pay, gauge("queue", room.nowMs - 2_000, 4)));
  assert.deepEqual(room.batches, []);
  await room.pass(limits.otlpLatenessMs + 10_000);
  assert.deepEqual(room.values(payMetrics, `queue{${payLabels}}`), [[endMs, 5]]);
  assert.deepEqual(room.values(payMetrics, `pool{${payLabels}}`), [[endMs, 0.5]]);
  assert.equal(room.batches.length, 1);
});

test("a point exactly at an interval's end is of that interval", async () => {
  const room = new OtlpRoom();
  const endMs = onGrid(room);
  await room.pass(endMs - room.nowMs);
  await room.post("/v1/metrics", metrics(pay, gauge("g", endMs, 1), gauge("h", endMs + 1, 2)));
  await room.pass(60_000);
  assert.deepEqual(room.values(payMetrics, `g{${payLabels}}`), [[endMs, 1]]);
  assert.deepEqual(room.values(payMetrics, `h{${payLabels}}`), [[endMs + 10_000, 2]]);
});

test("attributes become sorted labels, with the service and its host; a resource without a host is a source by its instance", async () => {
  const room = new OtlpRoom();
  await room.post("/v1/metrics", metrics(pay, gauge("g", room.nowMs, 1, { zone: "b", area: 7 })));
  const lone = { "service.name": "job", "service.instance.id": "worker-3" };
  await room.post("/v1/metrics", metrics(lone, gauge("g", room.nowMs, 1)));
  await room.post("/v1/metrics", metrics({ "host.name": "db-01" }, gauge("g", room.nowMs, 1)));
  assert.deepEqual(room.ids(payMetrics), [`g{area="7",${payLabels},zone="b"}`]);
  assert.deepEqual(room.ids("job:metrics@worker-3"), ['g{service.name="job"}']);
  assert.deepEqual(room.ids("otlp:metrics@db-01"), ['g{host.name="db-01"}']);
});

test("deltas add up to a counter, and one that is sent again under another body is not added twice", async () => {
  const room = new OtlpRoom();
  const startMs = room.nowMs;
  const point = { startMs, timeMs: startMs + 1_000, value: 7 };
  await room.post("/v1/metrics", metrics(pay, sum("jobs", "delta", point)));
  await room.post("/v1/metrics", metrics(pay, sum("jobs", "delta", point), gauge("g", startMs + 1_000, 1)));
  assert.equal(room.counted.of("repeatedPoints"), 1);
  await room.pass(20_000);
  await room.post(
    "/v1/metrics",
    metrics(pay, sum("jobs", "delta", { startMs, timeMs: room.nowMs, value: 5 })),
  );
  await room.pass(40_000);
  const values = room.values(payMetrics, `jobs{${payLabels}}`).map(([, value]) => value);
  assert.deepEqual(values, [7, 12]);
});

test("a cumulative counter goes on over a restart of its application, and does not leap when another process's takes its place", async () => {
  const room = new OtlpRoom();
  const startMs = room.nowMs - 3_600_000;
  const points = [
    { startMs, value: 100 },
    { startMs, value: 130 },
    // Began anew after the last point: all of it is new.
    { startMs: room.nowMs + 15_000, value: 20 },
    // Counts since long before, so it is not known how much of it is new.
    { startMs: startMs - 5_000, value: 90_000 },
    { startMs: startMs - 5_000, value: 90_010 },
    // Fell without saying why.
    { startMs: startMs - 5_000, value: 4 },
  ];
  for (const { startMs: begunMs, value } of points) {
    const point = { startMs: begunMs, timeMs: room.nowMs, value };
    await room.post("/v1/metrics", metrics(pay, sum("jobs", "cumulative", point)));
    await room.pass(10_000);
  }
  await room.pass(30_000);
  const values = room.values(payMetrics, `jobs{${payLabels}}`).map(([, value]) => value);
  assert.deepEqual(values, [100, 130, 150, 150, 160, 164]);
});

test("a sum that may fall is a state, of a delta its running total", async () => {
  const room = new OtlpRoom();
  const up = (value: number): object => sum("held", "delta", { timeMs: room.nowMs, value }, false);
  await room.post(
    "/v1/metrics",
    metrics(pay, up(5), sum("open", "cumulative", { timeMs: room.nowMs, value: 9 }, false)),
  );
  await room.pass(10_000);
  await room.post(
    "/v1/metrics",
    metrics(pay, up(-2), sum("open", "cumulative", { timeMs: room.nowMs, value: 3 }, false)),
  );
  await room.pass(40_000);
  const last = (name: string): number | undefined =>
    room.values(payMetrics, `${name}{${payLabels}}`).at(-1)?.[1];
  assert.deepEqual([last("held"), last("open")], [3, 3]);
  const series = room.ingest.hosts.series(payMetrics);
  assert.deepEqual(new Set(series.map((one) => one?.instrument)), new Set(["gauge"]));
});

function histogram(timeMs: number, temporality: number, bucketCounts: readonly number[]): object {
  const count = bucketCounts.reduce((all, one) => all + one, 0);
  const point = { startTimeUnixNano: ns(1_789_000_000_000), timeUnixNano: ns(timeMs), count: String(count) };
  const dataPoints = [{ ...point, sum: count * 50, bucketCounts, explicitBounds: [10, 100, 1000] }];
  return {
    name: "http.server.request.duration",
    unit: "ms",
    histogram: { aggregationTemporality: temporality, dataPoints },
  };
}

const duration = "http.server.request.duration";

test("a histogram becomes a count, a sum and two quantiles in seconds, of a cumulative one those of what is new", async () => {
  const room = new OtlpRoom();
  await room.post("/v1/metrics", metrics(pay, histogram(room.nowMs, 2, [1000, 0, 0, 0])));
  await room.pass(10_000);
  await room.post("/v1/metrics", metrics(pay, histogram(room.nowMs, 2, [1000, 100, 0, 0])));
  await room.pass(10_000);
  // Too few for the 0.95 quantile.
  await room.post("/v1/metrics", metrics(pay, histogram(room.nowMs, 2, [1000, 100, 10, 0])));
  await room.pass(40_000);
  const counts = room.values(payMetrics, `${duration}.count{${payLabels}}`).map(([, value]) => value);
  assert.deepEqual(counts, [1000, 1100, 1110]);
  assert.equal(room.values(payMetrics, `${duration}.sum{${payLabels}}`).at(-1)?.[1], 55.5);
  const quantile = (q: string): number[] =>
    room
      .values(payMetrics, `${duration}{host.name="web-01",quantile="${q}",service.name="pay"}`)
      .map(([, value]) => value);
  assert.deepEqual(quantile("0.95"), [0.0955]);
  assert.deepEqual(quantile("0.5"), [0.055, 0.55]);
});

test("an exponential histogram of deltas tells the same quantiles, and a summary its own", async () => {
  const room = new OtlpRoom();
  const timeUnixNano = ns(room.nowMs);
  // Forty between 2^-4 and 2^-3 seconds, in four buckets.
  const positive = { offset: -16, bucketCounts: ["10", "10", "10", "10"] };
  const dataPoints = [{ timeUnixNano, count: "40", sum: 4, scale: 2, zeroCount: "0", positive }];
  const exponential = {
    name: "calls",
    unit: "s",
    exponentialHistogram: { aggregationTemporality: 1, dataPoints },
  };
  const quantileValues = [{ quantile: 0.99, value: 250 }];
  const summary = {
    name: "old",
    unit: "ms",
    summary: { dataPoints: [{ timeUnixNano, count: "9", sum: 1, quantileValues }] },
  };
  await room.post("/v1/metrics", metrics(pay, exponential, summary));
  await room.pass(40_000);
  const of = (name: string, q: string): number | undefined =>
    room.values(payMetrics, `${name}{host.name="web-01",quantile="${q}",service.name="pay"}`)[0]?.[1];
  assert.ok(Math.abs(of("calls", "0.5")! - 2 ** -3.5) < 1e-6, String(of("calls", "0.5")));
  assert.ok(Math.abs(of("calls", "0.95")! - 2 ** -3.05) < 1e-6, String(of("calls", "0.95")));
  assert.equal(of("old", "0.99"), 0.25);
});

test("of a body half of which is rubbish the other half is taken, the client is told how many, and the ledger which and when", async () => {
  const room = new OtlpRoom();
  const good = Array.from({ length: 50 }, (_, index) => gauge(`good.${index}`, room.nowMs, index));
  const bad = [
    ...Array.from({ length: 20 }, (_, index) => gauge(`bad.${index}`, room.nowMs, "rubbish")),
    ...Array.from({ length: 10 }, (_, index) => gauge("", room.nowMs, index)),
    ...Array.from({ length: 10 }, (_, index) => gauge(`endless.${index}`, room.nowMs, "Infinity")),
    ...Array.from({ length: 10 }, (_, index) => gauge(`timeless.${index}`, 0, index)),
  ];
  const answer = await room.post("/v1/metrics", metrics(pay, ...good, ...bad));
  assert.equal(answer.status, 200);
  const partial = answer.json["partialSuccess"] as { rejectedDataPoints: string; errorMessage: string };
  assert.equal(partial.rejectedDataPoints, "50");
  assert.match(partial.errorMessage, /^50 of pay:metrics@web-01: invalid/);
  assert.equal(room.ids(payMetrics).length, 50);
  const [loss] = room.losses;
  assert.deepEqual([loss?.host, loss?.reason, loss?.samples], [payMetrics, "invalid", 50]);
  assert.ok(loss!.series >= 21);
  assert.equal(room.counted.of("lost invalid"), 50);
});

test("ten thousand values of one attribute fill a source's places, and the rest is refused by name", async () => {
  const room = new OtlpRoom();
  const dataPoints = Array.from({ length: 10_000 }, (_, index) => ({
    timeUnixNano: ns(room.nowMs),
    asInt: "1",
    attributes: attributes({ customer: `c${index}` }),
  }));
  const answer = await room.post("/v1/metrics", metrics(pay, { name: "logins", gauge: { dataPoints } }));
  const partial = answer.json["partialSuccess"] as { rejectedDataPoints: string; errorMessage: string };
  assert.equal(partial.rejectedDataPoints, String(10_000 - limits.otlpSeriesPerSourceMax));
  assert.match(partial.errorMessage, /too_many_series/);
  const [loss] = room.losses;
  assert.deepEqual(
    [loss?.reason, loss?.series, loss?.samples, loss?.fromMs],
    ["too_many_series", 8_000, 8_000, room.nowMs],
  );
  // Another source has its own places.
  const other = { "service.name": "core", "host.name": "db-01" };
  assert.deepEqual((await room.post("/v1/metrics", metrics(other, gauge("g", room.nowMs, 1)))).json, {});
});

test("series that nobody measures any more give their places back within a segment of frames", async () => {
  const room = new OtlpRoom();
  const flood = (name: string): object =>
    metrics(
      pay,
      ...Array.from({ length: limits.otlpSeriesPerSourceMax }, (_, index) =>
        gauge(`${name}.${index}`, room.nowMs, 1),
      ),
    );
  assert.deepEqual((await room.post("/v1/metrics", flood("old"))).json, {});
  await room.clock.advance(limits.otlpIdleMs - 60_000);
  for (let frame = 0; frame < limits.segmentFramesMax; frame += 1) {
    await room.clock.advance(1_000);
    await room.post("/v1/metrics", metrics(pay, gauge("old.0", room.nowMs, frame)));
  }
  assert.deepEqual((await room.post("/v1/metrics", metrics(pay, gauge("new", room.nowMs, 1)))).json, {});
});

test("what comes later than an interval is kept open is refused and counted, and time that is far ahead of the rest as well", async () => {
  const room = new OtlpRoom();
  await room.pass(onGrid(room) - room.nowMs);
  const { nowMs } = room;
  const late = nowMs - 20_000;
  const answer = await room.post(
    "/v1/metrics",
    metrics(
      pay,
      gauge("late", late, 1),
      gauge("in.time", late + 1, 1),
      gauge("g", nowMs, 1),
      gauge("far", nowMs + 3_600_000, 1),
    ),
  );
  const { errorMessage } = answer.json["partialSuccess"] as { errorMessage: string };
  assert.match(errorMessage, /1 of pay:metrics@web-01: too_late.*1 of pay:metrics@web-01: clock/);
  assert.deepEqual(
    room.losses.map(({ reason, samples, fromMs }) => [reason, samples, fromMs]),
    [
      ["too_late", 1, late],
      ["clock", 1, nowMs + 3_600_000],
    ],
  );
  assert.deepEqual(room.ids(payMetrics), [`in.time{${payLabels}}`, `g{${payLabels}}`]);
});

test("a clock that is ahead is corrected, told with the source, and forgotten when it is right again", async () => {
  const room = new OtlpRoom();
  await room.pass(onGrid(room) - room.nowMs);
  const aheadMs = 300_000;
  await room.post("/v1/metrics", metrics(pay, gauge("g", room.nowMs + aheadMs, 1)));
  const endMs = room.nowMs;
  await room.pass(20_000);
  await room.post("/v1/metrics", metrics(pay, gauge("g", room.nowMs + aheadMs + 200, 2)));
  await room.pass(20_000);
  await room.post("/v1/metrics", metrics(pay, gauge("g", room.nowMs, 3)));
  await room.pass(40_000);
  assert.deepEqual(room.values(payMetrics, `g{${payLabels}}`), [
    [endMs, 1],
    [endMs + 30_000, 2],
    [endMs + 40_000, 3],
  ]);
  const told = room.presences.flatMap((one) =>
    one.t === "connected" ? [[one.corrected, one.clockErrorMs]] : [],
  );
  assert.deepEqual(told, [
    [true, aheadMs],
    [false, 0],
  ]);
});

test("workers of one service on one host are told apart, and one that restarts keeps its place", async () => {
  const room = new OtlpRoom();
  const worker = (id: string): Record<string, string> => ({
    ...pay,
    "service.instance.id": `${id}4f6a10c-1111-4222-8333-444455556666`,
  });
  const report = async (id: string, value: number): Promise<void> => {
    const point = { startMs: 1, timeMs: room.nowMs, value };
    await room.post("/v1/metrics", metrics(worker(id), sum("jobs", "cumulative", point)));
  };
  for (let round = 0; round < 4; round += 1) {
    await report("a", 100 + round);
    await report("b", 9_000 + round);
    await room.pass(10_000);
  }
  assert.deepEqual(
    room.ingest.hosts
      .facts()
      .map(({ host }) => host)
      .sort(),
    [payMetrics, "pay:metrics~2@web-01"],
  );
  // The one that was heard longest ago is replaced.
  await report("b", 9_004);
  await report("c", 1);
  await room.pass(40_000);
  assert.equal(room.ingest.hosts.facts().length, 2);
  for (const host of [payMetrics, "pay:metrics~2@web-01"]) {
    const values = room.values(host, `jobs{${payLabels}}`).map(([, value]) => value);
    const steps = values.slice(1).map((value, index) => value - values[index]!);
    assert.ok(
      steps.every((step) => step >= 0 && step <= 2),
      `${host}: ${values.join()}`,
    );
  }
});

test("a source with as much in its names as it may have still fits into a frame", async () => {
  const room = new OtlpRoom();
  const dataPoints = Array.from({ length: 3_000 }, (_, index) => ({
    timeUnixNano: ns(room.nowMs),
    asDouble: index / 7,
    attributes: attributes({ long: `${index}${"\u4e2d".repeat(300)}`, other: `${index}` }),
  }));
  const answer = await room.post("/v1/metrics", metrics(pay, { name: "g", gauge: { dataPoints } }));
  const { rejectedDataPoints } = answer.json["partialSuccess"] as { rejectedDataPoints: string };
  assert.equal(room.ids(payMetrics).length, 3_000 - Number(rejectedDataPoints));
  assert.ok(room.ids(payMetrics).length > 300);
  const [frame] = room.records.filter(({ kind }) => kind === "frame");
  assert.ok(frame!.bytes.length < limits.frameBytesMax / 2, String(frame!.bytes.length));
});

test("pods of one deployment are one source, whatever their names, and its places are theirs in turn", async () => {
  const room = new OtlpRoom();
  const pod = (name: string): Record<string, string> => ({
    "service.name": "pay",
    "k8s.deployment.name": "pay",
    "k8s.pod.name": name,
    "host.name": name,
    "k8s.pod.uid": `0f0f0f0f-${name}`,
  });
  for (const round of ["1", "2", "3"]) {
    for (const name of ["pay-7d4b9-x", "pay-7d4b9-y"])
      await room.post("/v1/metrics", metrics(pod(name), gauge("g", room.nowMs, 1, { round })));
    await room.pass(10_000);
  }
  await room.post("/v1/metrics", metrics(pod("pay-8c111-z"), gauge("g", room.nowMs, 1, { round: "4" })));
  assert.deepEqual(
    room.ingest.hosts
      .facts()
      .map(({ host }) => host)
      .sort(),
    ["pay:metrics@pay", "pay:metrics~2@pay"],
  );
  assert.equal(new Set(room.ids("pay:metrics@pay").concat(room.ids("pay:metrics~2@pay"))).size, 4);
});

test("a source that reports once a minute has ticks once a minute, though some come in the interval beside", async () => {
  const room = new OtlpRoom();
  for (const afterMs of [60_000, 59_000, 62_000, 59_500, 60_500]) {
    await room.pass(afterMs);
    await room.post("/v1/metrics", metrics(pay, gauge("g", room.nowMs, 1)));
  }
  await room.pass(40_000);
  assert.equal(room.batches.length, 5);
  assert.equal(room.batches.at(-1)?.intervalMs, 60_000);
});
