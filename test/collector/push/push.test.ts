import assert from "node:assert/strict";
import test from "node:test";
import { heartbeatMs } from "#shared/contract/live.ts";
import { sampleHost, sampleIncident, sampleSystem } from "../store/samples.ts";
import { inRoom, Reader } from "./room.ts";

const system = sampleSystem();

test("a reader gets the whole channel, then every change in order", () =>
  inRoom({}, async ({ port, commit, push }) => {
    commit(sampleIncident("a"));
    const reader = await Reader.greeted(port);
    reader.say({ t: "sub", ch: "incidents" });
    const snap = await reader.next("snap");
    assert.deepEqual(
      { seq: snap.seq, part: snap.part, of: snap.of, gap: snap.gap, ids: snap.items.map(({ id }) => id) },
      { seq: 1, part: 1, of: 1, gap: false, ids: ["a"] },
    );
    commit(sampleIncident("b"), sampleIncident("a", { revision: 2 }));
    commit(sampleIncident("c"));
    const puts = [await reader.next("put"), await reader.next("put"), await reader.next("put")];
    assert.deepEqual(
      puts.map(({ seq, item }) => [seq, item.id, item.revision]),
      [
        [2, "b", 1],
        [3, "a", 2],
        [4, "c", 1],
      ],
    );
    assert.equal(push.clients, 1);
  }));

test("an empty channel is told as an empty snapshot, and a snapshot never exceeds the frame limit", () =>
  inRoom({ limits: { liveFrameBytesMax: 4096 } }, async ({ port, commit }) => {
    const early = await Reader.greeted(port);
    early.say({ t: "sub", ch: "incidents" });
    assert.deepEqual((await early.next("snap")).items, []);
    for (let n = 0; n < 20; n += 1) commit(sampleIncident(`incident-${n}`));
    const sizes: number[] = [];
    const late = await Reader.greeted(port);
    late.socket.on("message", (data: Buffer) => sizes.push(data.length));
    late.say({ t: "sub", ch: "incidents" });
    const first = await late.next("snap");
    const parts = [first];
    while (parts.length < first.of) parts.push(await late.next("snap"));
    assert.ok(first.of > 2, `${first.of} parts`);
    assert.ok(Math.max(...sizes) <= 4096, `frames of ${sizes.join()} bytes`);
    assert.deepEqual(
      parts.map(({ part, seq }) => [part, seq]),
      parts.map((_, index) => [index + 1, 20]),
    );
    assert.equal(new Set(parts.flatMap(({ items }) => items.map(({ id }) => id))).size, 20);
  }));

test("a reader that comes back gets what it missed, and only that", () =>
  inRoom({}, async ({ port, commit }) => {
    for (let n = 1; n <= 200; n += 1) commit(sampleIncident("a", { revision: n }));
    const reader = await Reader.greeted(port);
    reader.say({ t: "sub", ch: "incidents", resume: { epoch: "epoch", seq: 50 } });
    const { from, to } = await reader.next("resumed");
    assert.deepEqual([from, to], [50, 200]);
    commit(sampleIncident("a", { revision: 201 }));
    for (let seq = 51; seq <= 201; seq += 1) assert.equal((await reader.next("put")).seq, seq);
  }));

test("a cursor of another epoch, or from before the ring, gets a snapshot that says there was a gap", () =>
  inRoom({ limits: { liveRingMax: 2 } }, async ({ port, commit }) => {
    for (let n = 1; n <= 5; n += 1) commit(sampleIncident("a", { revision: n }));
    for (const resume of [
      { epoch: "other", seq: 5 },
      { epoch: "epoch", seq: 2 },
      { epoch: "epoch", seq: 6 },
      { epoch: "epoch", seq: -1 },
    ]) {
      const reader = await Reader.greeted(port);
      reader.say({ t: "sub", ch: "incidents", resume });
      const snap = await reader.next("snap");
      assert.deepEqual([snap.gap, snap.epoch, snap.seq], [true, "epoch", 5], JSON.stringify(resume));
      reader.socket.terminate();
    }
    const reader = await Reader.greeted(port);
    reader.say({ t: "sub", ch: "incidents", resume: { epoch: "epoch", seq: 3 } });
    assert.equal((await reader.next("resumed")).from, 3);
  }));

test("deltas that were committed but not handed over are read from the store", () =>
  inRoom({}, async ({ port, commit, store }) => {
    const reader = await Reader.greeted(port);
    reader.say({ t: "sub", ch: "incidents" });
    await reader.next("snap");
    store.commit({ position: 1, incidents: [sampleIncident("forgotten")], losses: [] });
    commit(sampleIncident("b"));
    assert.deepEqual((await reader.next("put")).item.id, "forgotten");
    assert.deepEqual((await reader.next("put")).seq, 2);
  }));

test("a change that a snapshot already holds is not sent after it", () =>
  inRoom({}, async ({ port, push, store, commit }) => {
    // Committed, and a reader subscribes before the change is handed over.
    const deltas = store.commit({ position: 1, incidents: [sampleIncident("a")], losses: [] });
    const reader = await Reader.greeted(port);
    reader.say({ t: "sub", ch: "incidents" });
    assert.equal((await reader.next("snap")).seq, 1);
    push.send(deltas);
    push.send(deltas);
    commit(sampleIncident("b"));
    assert.equal((await reader.next("put")).seq, 2);
  }));

test("after unsub no more changes come, and sub begins anew", () =>
  inRoom({}, async ({ port, commit, clock }) => {
    const reader = await Reader.greeted(port);
    reader.say({ t: "sub", ch: "incidents" });
    await reader.next("snap");
    reader.say({ t: "unsub", ch: "incidents" });
    reader.say({ t: "sub", ch: "incidents", resume: { epoch: "epoch", seq: 0 } });
    await reader.next("resumed");
    reader.say({ t: "unsub", ch: "incidents" });
    reader.say({ t: "sub", ch: "hosts" });
    reader.socket.ping();
    await new Promise((resolve) => reader.socket.once("pong", resolve));
    commit(sampleIncident("a"));
    await clock.advance(heartbeatMs);
    assert.equal((await reader.next("hb")).seq["incidents"], 1);
  }));

test("conflated channels give the latest state at once, then at most one a second", () =>
  inRoom({}, async ({ port, push, clock }) => {
    push.setState("hosts", [sampleHost("one")]);
    const reader = await Reader.greeted(port);
    reader.say({ t: "sub", ch: "hosts" });
    const first = await reader.next("state");
    assert.ok(first.ch === "hosts" && first.body[0]?.host === "one");
    reader.say({ t: "sub", ch: "system" });
    reader.socket.ping();
    await new Promise((resolve) => reader.socket.once("pong", resolve));
    for (const host of ["two", "three", "four"]) push.setState("hosts", [sampleHost(host)]);
    push.setState("system", system);
    await clock.advance(1_000);
    const second = await reader.next("state");
    assert.ok(second.ch === "hosts" && second.body[0]?.host === "four", "the latest state wins");
    assert.deepEqual((await reader.next("state")).body, system);
    await clock.advance(heartbeatMs - 1_000);
    await reader.next("hb");
  }));

test("a heartbeat comes every ten seconds and names the sequence", () =>
  inRoom({}, async ({ port, clock, commit }) => {
    const reader = await Reader.greeted(port);
    commit(sampleIncident("a"));
    await clock.advance(heartbeatMs);
    const { seq, nowMs } = await reader.next("hb");
    assert.deepEqual(seq, { incidents: 1 });
    assert.equal(nowMs, clock.nowMs());
    await clock.advance(heartbeatMs);
    await reader.next("hb");
  }));

test("a reader that does not answer pings is cut after 45 s, one that does stays", () =>
  inRoom({}, async ({ port, clock, push }) => {
    const mute = await Reader.greeted(port);
    const well = await Reader.greeted(port);
    // Deaf to pings: nothing of what arrives is read any more.
    mute.socket.pause();
    for (let s = 0; s < 50; s += 5) {
      const heard = new Promise((resolve) => well.socket.once("pong", resolve));
      well.socket.ping();
      await heard;
      well.say({ t: "unsub", ch: "hosts" });
      await clock.advance(5_000);
    }
    mute.socket.resume();
    // It learns why if the goodbye still reaches it.
    assert.ok([1006, 4508].includes(await mute.closing()));
    assert.equal(well.closed, undefined);
    assert.equal(push.clients, 1);
  }));

test("a reader that reads too slowly is closed with 4508, and others do not notice", () =>
  inRoom({ limits: { liveSlowBytes: 1 << 16, liveTooSlowBytes: 1 << 18 } }, async (room) => {
    const { port, commit, clock, push, metrics } = room;
    const slow = await Reader.greeted(port);
    const quick = await Reader.greeted(port);
    for (const reader of [slow, quick]) {
      reader.say({ t: "sub", ch: "incidents" });
      await reader.next("snap");
      reader.say({ t: "sub", ch: "hosts" });
      reader.socket.ping();
      await new Promise((resolve) => reader.socket.once("pong", resolve));
    }
    slow.socket.pause();
    const comment = "x".repeat(100_000);
    const large = sampleIncident("a", { acknowledgements: [{ by: "ops", atMs: 1, comment }] });
    // The kernel's buffers take several megabytes before the socket is felt to be slow.
    for (let n = 0; n < 250; n += 1) {
      commit(large);
      assert.equal((await quick.next("put")).seq, n + 1);
    }
    push.setState("hosts", [sampleHost("one")]);
    await clock.advance(1_000);
    await quick.next("state");
    assert.equal(push.clients, 2, "it has five seconds");
    await clock.advance(5_000);
    slow.socket.resume();
    assert.equal(await slow.closing(), 4508);
    assert.equal(push.clients, 1);
    const text = await metrics.text();
    assert.match(text, /causeway_push_closed_total\{reason="slow"\} 1/);
    assert.doesNotMatch(text, /causeway_push_skipped_states_total 0/, "it was spared the state before");
  }));

const refusals: readonly (readonly [string, number, (reader: Reader) => void])[] = [
  ["a frame that is not JSON", 4400, ({ socket }) => socket.send("{")],
  ["an empty frame", 4400, ({ socket }) => socket.send("")],
  ["a binary frame", 4400, ({ socket }) => socket.send(Buffer.from('{"t":"hello","v":1,"client":"x"}'))],
  ["an unknown frame", 4400, ({ socket }) => socket.send('{"t":"__proto__"}')],
  ["another version", 4400, ({ socket }) => socket.send('{"t":"hello","v":2,"client":"x"}')],
  ["sub before hello", 4400, (reader) => reader.say({ t: "sub", ch: "hosts" })],
  ["a second hello", 4400, (reader) => [1, 2].forEach(() => reader.say({ t: "hello", v: 1, client: "x" }))],
  [
    "the same subscription twice",
    4409,
    (reader) => {
      reader.say({ t: "hello", v: 1, client: "x" });
      reader.say({ t: "sub", ch: "hosts" });
      reader.say({ t: "sub", ch: "hosts" });
    },
  ],
  [
    "more frames than a console ever says",
    4429,
    (reader) => {
      reader.say({ t: "hello", v: 1, client: "x" });
      for (let n = 0; n < 200; n += 1) reader.say({ t: "unsub", ch: "hosts" });
    },
  ],
  ["an oversized frame", 1009, ({ socket }) => socket.send("x".repeat(17 * 1024))],
  [
    "a frame in a hundred fragments",
    1008,
    ({ socket }) => {
      for (let n = 0; n < 100; n += 1) socket.send(" ", { fin: n === 99 });
    },
  ],
];

for (const [what, code, speak] of refusals) {
  test(`${what} closes the socket with ${code} and leaves others alone`, () =>
    inRoom({}, async ({ port, push }) => {
      const other = await Reader.greeted(port);
      const reader = new Reader(port);
      await reader.opened();
      speak(reader);
      assert.equal(await reader.closing(), code);
      assert.equal(other.closed, undefined);
      assert.equal(push.clients, 1);
    }));
}

test("a socket that never says hello is closed with 4408", () =>
  inRoom({}, async ({ port, clock }) => {
    const reader = new Reader(port);
    await reader.opened();
    await clock.advance(5_000);
    assert.equal(await reader.closing(), 4408);
  }));

test("the subprotocol is mandatory", () =>
  inRoom({}, async ({ port }) => {
    const silent = new Reader(port, { protocol: null });
    assert.equal(await silent.closing(), 4406);
    const other = new Reader(port, { protocol: "causeway.agent.v1" });
    await other.closing();
    assert.match(other.error?.message ?? "", /400/);
  }));

test("one reader too many is told so", () =>
  inRoom({ limits: { liveClientsMax: 2 } }, async ({ port }) => {
    await Reader.greeted(port);
    await Reader.greeted(port);
    const third = new Reader(port);
    assert.equal(await third.closing(), 4429);
  }));

test("a page of another site cannot open a socket, the console's own page and a program can", () =>
  inRoom({}, async ({ port }) => {
    const headers = (origin: string) => ({ headers: { Origin: origin } });
    for (const origin of [
      "http://evil.example",
      "null",
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port + 1}`,
      `http://127.0.0.1:${port}.evil.example`,
    ]) {
      const reader = new Reader(port, headers(origin));
      await reader.closing();
      assert.match(reader.error?.message ?? "", /403/, origin);
    }
    const own = new Reader(port, headers(`http://127.0.0.1:${port}`));
    await own.opened();
    assert.equal(own.closed, undefined);
  }));

for (const code of [1012, 4503] as const) {
  test(`at the end every reader hears goodbye, when to come back, and ${code}`, () =>
    inRoom({}, async ({ port, push }) => {
      const reader = await Reader.greeted(port);
      const closed = push.close(code);
      assert.deepEqual(await reader.next("bye"), { t: "bye", code, reconnectInMs: 2500 });
      assert.equal(await reader.closing(), code);
      await closed;
      const late = new Reader(port);
      await late.closing();
      assert.match(late.error?.message ?? "", /503/);
    }));
}
