import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { calleeOf, endingOf } from "#collector/ingest/otlp/outcome.ts";
import { limits } from "#shared/limits.ts";
import { type Attributes, type GivenSpan, OtlpRoom, pay, payAt, traces } from "./otlp-room.ts";

const at = 'host.name="web-01"';
const of = 'service.name="pay"';
const calls = (outcome: string): string => `causeway.service.calls{${at},outcome="${outcome}",${of}}`;
const latency = (quantile: string): string => `causeway.service.latency{${at},quantile="${quantile}",${of}}`;

function edge(callee: string, kind: string, outcome = "success", caller = "pay"): string {
  return `causeway.edge.calls{callee="${callee}",callee.kind="${kind}",caller="${caller}",${at},outcome="${outcome}",${of}}`;
}

const last = (room: OtlpRoom, id: string): number | undefined => room.values(payAt, id).at(-1)?.[1];

async function onGrid(): Promise<OtlpRoom> {
  const room = new OtlpRoom();
  await room.pass(Math.ceil(room.nowMs / 10_000) * 10_000 - room.nowMs);
  return room;
}

test("spans of servers, consumers and lone roots are calls answered, by how they ended; what lies inside is not", async () => {
  const room = await onGrid();
  const endMs = room.nowMs - 1_000;
  const inside = "00000000000000aa";
  await room.post(
    "/v1/traces",
    traces(
      pay,
      { kind: 2, endMs, attributes: { "http.response.status_code": 200 } },
      { kind: 5, endMs, attributes: { "messaging.system": "kafka", "messaging.destination.name": "orders" } },
      { kind: 1, endMs },
      { kind: 2, endMs, isError: true },
      { kind: 2, endMs, attributes: { "http.response.status_code": 404 } },
      { kind: 1, endMs, parentId: inside },
      { kind: 0, endMs, parentId: inside },
    ),
  );
  await room.pass(40_000);
  assert.deepEqual(
    ["success", "failure", "refused"].map((outcome) => last(room, calls(outcome))),
    [3, 1, 1],
  );
  assert.equal(
    last(
      room,
      `causeway.edge.calls{callee="pay",callee.kind="service",caller="kafka:orders",${at},outcome="success",${of}}`,
    ),
    1,
  );
});

test("a call's answer says more than its span's status: a refusal is no failure, and a system's return code is one", () => {
  const codes = { attributes: ["bank.rsp"], failures: ["SYS*", "9999"] };
  const ending = (attributes: Attributes, isError = false): string =>
    endingOf(
      {
        spanId: "",
        parentId: "",
        kind: "server",
        endMs: 1,
        durationMs: 1,
        isError,
        attributes: Object.entries(attributes).map(([name, value]) => [name, String(value)]),
      },
      codes,
    );
  assert.equal(ending({}), "success");
  assert.equal(ending({}, true), "failure");
  assert.equal(ending({ "http.response.status_code": 503 }), "failure");
  assert.equal(ending({ "http.response.status_code": 429 }), "failure");
  // A client marks 404 as an error, and gives the status as its type.
  assert.equal(ending({ "http.response.status_code": 404, "error.type": "404" }, true), "refusal");
  assert.equal(ending({ "rpc.grpc.status_code": 5 }, true), "refusal");
  assert.equal(ending({ "rpc.grpc.status_code": 14 }), "failure");
  assert.equal(ending({ "http.response.status_code": 200, "bank.rsp": "INSUFFICIENT" }), "refusal");
  assert.equal(ending({ "http.response.status_code": 200, "bank.rsp": "SYS004" }), "failure");
  assert.equal(ending({ "bank.rsp": "9999" }), "failure");
  assert.equal(ending({ "bank.rsp": "000000" }), "success");
  assert.equal(ending({ return_code: "E17" }, true), "refusal");
  assert.equal(ending({ "error.type": "java.net.ConnectException" }), "failure");
});

test("whom a span called is its database, its queue, the service it names, or an address", () => {
  const callee = (attributes: Readonly<Record<string, string>>): string => {
    const { kind, name } = calleeOf(Object.entries(attributes));
    return `${kind} ${name}`;
  };
  assert.equal(
    callee({ "db.system.name": "oracle.db", "server.address": "db-01" }),
    "database oracle.db:db-01",
  );
  assert.equal(callee({ "db.system": "redis" }), "database redis");
  assert.equal(
    callee({ "messaging.system": "kafka", "messaging.destination.name": "pay" }),
    "queue kafka:pay",
  );
  assert.equal(callee({ "peer.service": "core", "server.address": "10.0.0.1" }), "service core");
  assert.equal(callee({ "server.address": "10.0.0.1", "server.port": "8443" }), "address 10.0.0.1:8443");
  assert.equal(callee({ "net.peer.name": "old" }), "address old");
  assert.equal(callee({}), "address unknown");
});

test("latency is told as quantiles when there are enough calls, and as a mean always", async () => {
  const room = await onGrid();
  const endMs = room.nowMs;
  const many: GivenSpan[] = Array.from({ length: 100 }, (_, index) => ({
    kind: 2,
    endMs,
    durationMs: index + 1,
  }));
  await room.post("/v1/traces", traces(pay, ...many));
  await room.pass(10_000);
  await room.post(
    "/v1/traces",
    traces(pay, ...many.slice(0, 5).map((span) => ({ ...span, endMs: room.nowMs }))),
  );
  await room.pass(10_000);
  await room.post("/v1/traces", traces(pay, { kind: 2, endMs: room.nowMs, durationMs: 7_000 }));
  await room.pass(40_000);
  const within = (id: string, want: number, index: number): void => {
    const value = room.values(payAt, id)[index]?.[1] ?? Number.NaN;
    assert.ok(Math.abs(value / want - 1) < 0.09, `${id}: ${value}, want ${want}`);
  };
  within(latency("0.5"), 0.05, 0);
  within(latency("0.95"), 0.095, 0);
  within(latency("0.5"), 0.003, 1);
  assert.equal(room.values(payAt, latency("0.5")).length, 2);
  assert.equal(room.values(payAt, latency("0.95")).length, 1);
  const means = room.values(payAt, `causeway.service.latency.mean{${at},${of}}`).map(([, value]) => value);
  assert.deepEqual(means, [0.0505, 0.003, 7]);
});

test("a span that comes late is added to its interval while that is open, and is refused and counted after", async () => {
  const room = await onGrid();
  const first = room.nowMs;
  await room.post("/v1/traces", traces(pay, { kind: 2, endMs: first }));
  await room.pass(12_000);
  await room.post("/v1/traces", traces(pay, { kind: 2, endMs: room.nowMs }));
  await room.post(
    "/v1/traces",
    traces(pay, { kind: 2, endMs: first - 1 }, { kind: 2, endMs: first - 2, isError: true }),
  );
  await room.pass(8_000);
  const answer = await room.post(
    "/v1/traces",
    traces(pay, { kind: 2, endMs: first }, { kind: 2, endMs: room.nowMs }),
  );
  assert.deepEqual((answer.json["partialSuccess"] as { rejectedSpans: string }).rejectedSpans, "1");
  assert.deepEqual(
    room.losses.map(({ reason, samples, fromMs, host }) => [reason, samples, fromMs, host]),
    [["too_late", 1, first, payAt]],
  );
  await room.pass(40_000);
  const success = room.values(payAt, calls("success"));
  assert.deepEqual(success.slice(0, 3), [
    [first, 2],
    [first + 10_000, 2],
    [first + 20_000, 4],
  ]);
  assert.equal(room.values(payAt, calls("failure"))[0]?.[1], 1);
});

test("a span that ends before it begins, or never began or ended, is refused", async () => {
  const room = await onGrid();
  const answer = await room.post(
    "/v1/traces",
    traces(
      pay,
      { kind: 2, endMs: room.nowMs, durationMs: -1 },
      { kind: 2, endMs: room.nowMs, durationMs: room.nowMs },
      { kind: 2, endMs: 0, durationMs: 0 },
      { kind: 2, endMs: room.nowMs, durationMs: 0 },
    ),
  );
  assert.equal((answer.json["partialSuccess"] as { rejectedSpans: string }).rejectedSpans, "3");
  assert.equal(room.losses[0]?.samples, 3);
  await room.pass(30_000);
  assert.equal(last(room, calls("success")), 1);
});

test("a service without calls is told as one with none for an hour, every interval, and then as gone", async () => {
  const room = await onGrid();
  await room.post("/v1/traces", traces(pay, { kind: 2, endMs: room.nowMs }));
  await room.pass(limits.otlpIdleMs + 120_000);
  const values = room.values(payAt, calls("success"));
  assert.ok(Math.abs(values.length - 361) <= 1, String(values.length));
  assert.ok(
    values.every(([timeMs, value], index) => value === 1 && timeMs === values[0]![0] + index * 10_000),
  );
  assert.equal(room.presences.filter(({ t }) => t === "closed").length, 1);
  // It comes back, and counts on.
  await room.post("/v1/traces", traces(pay, { kind: 2, endMs: room.nowMs }));
  await room.pass(30_000);
  assert.equal(last(room, calls("success")), 2);
});

const web: Attributes = { "service.name": "web", "host.name": "web-02" };

test("an address that a service was found behind is told as that service, whichever side's span comes first", async () => {
  const toPay = { "server.address": "10.0.0.7", "server.port": 8080 };
  const edgeOf = (name: string, kind: string): string =>
    `causeway.edge.calls{callee="${name}",callee.kind="${kind}",caller="web",host.name="web-02",outcome="success",service.name="web"}`;
  for (const order of ["client first", "server first"]) {
    const room = await onGrid();
    const id = "00000000000000c1";
    const client = traces(web, { kind: 3, endMs: room.nowMs, spanId: id, attributes: toPay });
    const server = traces(pay, { kind: 2, endMs: room.nowMs, parentId: id });
    for (const body of order === "client first" ? [client, server] : [server, client])
      await room.post("/v1/traces", body);
    await room.post("/v1/traces", traces(web, { kind: 3, endMs: room.nowMs, attributes: toPay }));
    await room.pass(40_000);
    const lastOf = (given: string): number | undefined => room.values("web@web-02", given).at(-1)?.[1];
    assert.equal(lastOf(edgeOf("10.0.0.7:8080", "address")), 1, order);
    assert.equal(lastOf(edgeOf("pay", "service")), 1, order);
  }
});

test("of a call that both ends tell, the time between is that of the way, whichever side's span comes first", async () => {
  const way = `causeway.edge.transit.mean{callee="pay",callee.kind="service",caller="web",host.name="web-02",service.name="web"}`;
  for (const order of ["client first", "server first"]) {
    const room = await onGrid();
    for (const [id, clientMs, serverMs] of [
      ["00000000000000e1", 120, 20],
      ["00000000000000e2", 60, 30],
      // Clocks tick apart: what would be below zero is nothing.
      ["00000000000000e3", 10, 11],
    ] as const) {
      const toPay = { "peer.service": "pay" };
      const client = { kind: 3, endMs: room.nowMs, durationMs: clientMs, spanId: id } as const;
      const asked = traces(web, { ...client, attributes: toPay });
      const answered = traces(pay, { kind: 2, endMs: room.nowMs, durationMs: serverMs, parentId: id });
      for (const body of order === "client first" ? [asked, answered] : [answered, asked])
        await room.post("/v1/traces", body);
    }
    await room.pass(40_000);
    const told = room.values("web@web-02", way).map(([, value]) => value);
    assert.equal(told.at(-1)?.toFixed(4), "0.0433", order);
  }
});

test("a caller that makes no span of its call has its edge from the one who answered", async () => {
  const room = await onGrid();
  const id = "00000000000000d1";
  await room.post("/v1/traces", traces(web, { kind: 1, endMs: room.nowMs, spanId: id }));
  await room.post("/v1/traces", traces(pay, { kind: 2, endMs: room.nowMs, parentId: id, isError: true }));
  await room.pass(40_000);
  const id2 = `causeway.edge.calls{callee="pay",callee.kind="service",caller="web",host.name="web-02",outcome="failure",service.name="web"}`;
  assert.equal(room.values("web@web-02", id2).at(-1)?.[1], 1);
});

test("what a service calls beyond the limit is counted together, and no call is lost", async () => {
  const room = await onGrid();
  const many: GivenSpan[] = Array.from({ length: 500 }, (_, index) => ({
    kind: 3,
    endMs: room.nowMs,
    attributes: { "peer.service": `s${index}` },
  }));
  assert.deepEqual((await room.post("/v1/traces", traces(pay, ...many))).json, {});
  await room.pass(40_000);
  const told = room.ids(payAt).filter((id) => id.startsWith("causeway.edge.calls") && id.includes("success"));
  assert.equal(told.length, limits.otlpEdgesPerSourceMax + 1);
  const sum = told.reduce((all, id) => all + (last(room, id) ?? 0), 0);
  assert.equal(sum, 500);
  assert.equal(last(room, edge("other", "address")), 500 - limits.otlpEdgesPerSourceMax);
});

test("however the spans of an interval are split into requests and ordered, the ticks are the same", async () => {
  const span = fc.record({
    kind: fc.constantFrom(2, 3),
    agoMs: fc.integer({ min: 0, max: 9_000 }),
    durationMs: fc.integer({ min: 1, max: 5_000 }),
    isError: fc.boolean(),
    peer: fc.constantFrom("a", "b"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(span, { minLength: 1, maxLength: 30 }),
      fc.infiniteStream(fc.nat(5)),
      async (all, cuts) => {
        const rooms = [await onGrid(), await onGrid()] as const;
        const given = all.map(({ agoMs, peer, ...rest }) => ({
          ...rest,
          endMs: rooms[0].nowMs - agoMs,
          attributes: { "peer.service": peer },
        }));
        // So that both define the same columns in the same order.
        const columns: GivenSpan[] = [
          { kind: 2, endMs: rooms[0].nowMs },
          ...["a", "b"].map((peer) => ({
            kind: 3 as const,
            endMs: rooms[0].nowMs,
            attributes: { "peer.service": peer },
          })),
        ];
        for (const room of rooms) await room.post("/v1/traces", traces(pay, ...columns));
        await rooms[0].post("/v1/traces", traces(pay, ...given));
        const rest = given.toReversed();
        while (rest.length > 0)
          await rooms[1].post("/v1/traces", traces(pay, ...rest.splice(0, cuts.next().value + 1)));
        for (const room of rooms) await room.pass(30_000);
        assert.deepEqual(rooms[1].batches, rooms[0].batches);
      },
    ),
    { numRuns: 20 },
  );
});

test("whatever comes when, and however often the collector is killed, what was taken is counted once and no counter falls", async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        t: fc.constant("send"),
        agoMs: fc.nat(30_000),
        count: fc.integer({ min: 1, max: 5 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ t: fc.constant("pass"), agoMs: fc.nat(15_000), count: fc.constant(0) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ t: fc.constant("kill"), agoMs: fc.constant(0), count: fc.constant(0) }),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      let room = new OtlpRoom();
      let taken = 0;
      let refused = 0;
      for (const { t, agoMs, count } of steps) {
        if (t === "kill") {
          room.door.close();
          room = new OtlpRoom({ after: room });
          await room.clock.advance(1);
        } else if (t === "pass") {
          await room.pass(agoMs);
        } else {
          const spans = Array.from(
            { length: count },
            () => ({ kind: 2, endMs: room.nowMs - agoMs }) as const,
          );
          const { json } = await room.post("/v1/traces", traces(pay, ...spans));
          const partial = json["partialSuccess"] as { rejectedSpans: string } | undefined;
          refused += Number(partial?.rejectedSpans ?? 0);
          taken += count - Number(partial?.rejectedSpans ?? 0);
        }
      }
      await room.pass(60_000);
      const counted = room.values(payAt, calls("success")).map(([, value]) => value);
      assert.equal(counted.at(-1) ?? 0, taken);
      assert.ok(
        counted.every((value, index) => index === 0 || value >= counted[index - 1]!),
        counted.join(),
      );
      const lost = room.losses.reduce((all, { samples }) => all + samples, 0);
      assert.equal(lost, refused);
    }),
    { numRuns: 40 },
  );
});
