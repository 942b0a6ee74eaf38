/** The agents' door over real WebSockets on loopback: what it takes, what it refuses, and that nothing stops it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { WebSocket } from "ws";
import {
  createAgentSocket,
  createIngest,
  parsePresence,
  type AgentSocketOptions,
} from "#collector/ingest/ingest.ts";
import type { Journal, JournalRecord } from "#collector/journal/journal.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { limits } from "#shared/limits.ts";
import { silentLog } from "#shared/log.ts";
import type { Series } from "#shared/series.ts";
import { parseControl, type Ack, type Control, type Refuse, type Welcome } from "#shared/wire/control.ts";
import { agentSubprotocol, FrameEncoder, type FrameInput } from "#shared/wire/wire.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { Counted } from "./counters.ts";
import { FullDisk } from "../journal/full-disk.ts";

const agentId = "11111111-2222-3333-4444-555555555555";

class Rig {
  readonly clock = new SimClock();
  readonly counted = new Counted();
  readonly disk = new FullDisk();
  readonly journal: Journal;
  readonly #server: http.Server;
  readonly door;
  #pump: NodeJS.Timeout;

  static async start(t: TestContext, given: AgentSocketOptions["limits"] = {}): Promise<Rig> {
    const rig = new Rig(given);
    t.after(() => rig.stop());
    rig.#server.listen(0, "127.0.0.1");
    await once(rig.#server, "listening");
    return rig;
  }

  private constructor(given: AgentSocketOptions["limits"]) {
    const { clock, counted } = this;
    this.journal = this.disk.watch(() => openSqliteJournal({ path: ":memory:", clock, log: silentLog }));
    const parts = { clock, journal: this.journal, log: silentLog, counters: counted.counters };
    this.door = createAgentSocket({ ...parts, limits: given ?? {} });
    this.#server = http.createServer();
    this.#server.on("upgrade", (request, socket, head) => this.door.handleUpgrade(request, socket, head));
    // Real sockets, simulated time: it moves on while the test waits for messages.
    this.#pump = setInterval(() => void clock.advance(10), 5);
  }

  /** From now on only the test moves the clock. */
  freeze(): void {
    clearInterval(this.#pump);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await this.door.close();
    clearInterval(this.#pump);
    await this.journal.close();
    this.#server.close();
  }

  connect(): Promise<Client> {
    return Client.open(this.port);
  }

  async greeted(more: Partial<Parameters<Client["hello"]>[0]> = {}): Promise<Client> {
    const client = await this.connect();
    client.hello({ nowMs: this.clock.nowMs(), ...more });
    client.welcome = (await client.next()) as Welcome;
    assert.equal(client.welcome.t, "welcome");
    return client;
  }

  async records(): Promise<JournalRecord[]> {
    const records: JournalRecord[] = [];
    await this.journal.consume(0, (record) => void records.push(record)).caughtUp;
    return records;
  }

  async presences() {
    return (await this.records())
      .filter(({ kind }) => kind === "presence")
      .map(({ bytes }) => parsePresence(bytes))
      .map((presence) => (presence.t === "closed" ? `closed ${presence.how}` : presence.t));
  }
}

class Client {
  readonly socket: WebSocket;
  welcome: Welcome | null = null;
  readonly closed: Promise<number>;
  #messages: Control[] = [];
  #waiting: ((message: Control | null) => void)[] = [];
  #ended = false;

  static async open(port: number, protocol = agentSubprotocol): Promise<Client> {
    const client = new Client(new WebSocket(`ws://127.0.0.1:${port}/agent/v1`, protocol));
    await once(client.socket, "open");
    return client;
  }

  constructor(socket: WebSocket) {
    this.socket = socket;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.closed = promise;
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const message = parseControl((data as Buffer).toString());
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#messages.push(message);
      else waiting(message);
    });
    socket.on("close", (code) => {
      this.#ended = true;
      for (const waiting of this.#waiting.splice(0)) waiting(null);
      resolve(code);
    });
  }

  hello(more: { nowMs: number; agent?: string; host?: string; wire?: number[] }): void {
    const usual = { t: "hello", v: 1, wire: [1], agent: agentId, host: "web-01", version: "0.1.0" };
    this.socket.send(JSON.stringify({ ...usual, ...more }));
  }

  /** The next message; null when the connection ended without one. */
  next(): Promise<Control | null> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Waits for the acknowledgement of `sequence`. */
  async acked(sequence: number): Promise<Ack> {
    while (true) {
      const message = await this.next();
      assert.equal(message?.t, "ack", JSON.stringify(message));
      if (message.sequence >= sequence) return message;
    }
  }

  async refused(): Promise<Refuse> {
    while (true) {
      const message = await this.next();
      assert.ok(message, "the connection ended without a word");
      if (message.t === "refuse") return message;
    }
  }
}

const gauge = (metric: string, labels: Series["labels"] = []): Series => ({
  metric,
  unit: "1",
  instrument: "gauge",
  decimals: 1,
  labels,
});

/** Frames of one agent, one tick each. */
class Source {
  readonly #encoder: FrameEncoder;
  readonly #clock: SimClock;
  #sequence = 0;

  constructor(clock: SimClock, epoch = 1, agent = agentId) {
    this.#clock = clock;
    this.#encoder = new FrameEncoder({ agentId: agent, epoch, resource: [["host.name", "web-01"]] });
  }

  frame(more: Partial<FrameInput> & { timeMs?: number } = {}): Uint8Array {
    const key = this.#sequence === 0;
    const timeMs = more.timeMs ?? this.#clock.nowMs();
    const values = Float64Array.of(this.#sequence, 7);
    const definitions = key
      ? [gauge("a"), gauge("b", [["__proto__", "x"]])].map((series, column) => ({ column, series }))
      : [];
    const ticks = [{ timeMs, values, columns: 2 }];
    const usual = { sequence: this.#sequence, key, intervalMs: 10_000, ticks, definitions, losses: [] };
    const bytes = this.#encoder.encode({ ...usual, ...more });
    this.#sequence += 1;
    return bytes;
  }
}

test("frames are acknowledged when they are durable, and come out as samples", async (t) => {
  const rig = await Rig.start(t);
  const client = await rig.greeted();
  assert.equal(client.welcome?.durable, null);
  const source = new Source(rig.clock);
  for (let count = 0; count < 5; count += 1) client.socket.send(source.frame());
  assert.deepEqual(await client.acked(4), { t: "ack", epoch: 1, sequence: 4 });
  const ingest = createIngest({ journal: rig.journal });
  const values: number[][] = [];
  for (const record of await rig.records()) {
    if (record.kind !== "frame") continue;
    const taken = ingest.take(record);
    if (values.length === 0)
      assert.deepEqual(
        taken?.fresh.map(({ number }) => number),
        [0, 1],
      );
    for (const batch of taken?.batches ?? []) values.push([...batch.values]);
  }
  assert.deepEqual(
    values,
    [0, 1, 2, 3, 4].map((sequence) => [sequence, 7]),
  );
  assert.deepEqual(ingest.hosts.series("web-01")[1]?.labels, [["__proto__", "x"]]);
});

test("a repeated frame is acknowledged again, stored once and counted", async (t) => {
  const rig = await Rig.start(t);
  const source = new Source(rig.clock);
  const frames = [source.frame(), source.frame(), source.frame()];
  const first = await rig.greeted();
  for (const frame of frames) first.socket.send(frame);
  await first.acked(2);
  first.socket.terminate();
  const again = await rig.greeted();
  assert.deepEqual(again.welcome?.durable, { epoch: 1, sequence: 2 });
  for (const frame of frames) again.socket.send(frame);
  await again.acked(2);
  again.socket.send(source.frame());
  await again.acked(3);
  assert.equal(rig.counted.of("repeated"), 3);
  assert.equal((await rig.records()).filter(({ kind }) => kind === "frame").length, 4);
});

test("after a restart of the collector a delta is decoded with the journal's last segment", async (t) => {
  const rig = await Rig.start(t);
  const source = new Source(rig.clock);
  const first = await rig.greeted();
  first.socket.send(source.frame());
  first.socket.send(source.frame());
  await first.acked(1);
  // A second door on the same journal knows nothing but the journal.
  const parts = { clock: rig.clock, journal: rig.journal, log: silentLog, counters: rig.counted.counters };
  const door = createAgentSocket(parts);
  const server = http
    .createServer()
    .on("upgrade", (request, socket, head) => door.handleUpgrade(request, socket, head));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    await door.close();
    server.close();
  });
  const client = await Client.open((server.address() as AddressInfo).port);
  client.hello({ nowMs: rig.clock.nowMs() });
  assert.deepEqual(((await client.next()) as Welcome).durable, { epoch: 1, sequence: 1 });
  client.socket.send(source.frame());
  await client.acked(2);
});

test("each frame that is wrong is refused by name, counted, and closes only its own connection", async (t) => {
  const rig = await Rig.start(t);
  const good = await rig.greeted({ agent: "99999999-2222-3333-4444-555555555555" });
  const goodSource = new Source(rig.clock, 1, "99999999-2222-3333-4444-555555555555");
  const flip = (bytes: Uint8Array, at: number) => bytes.with(at, (bytes[at] ?? 0) ^ 0xff);
  const key = () => new Source(rig.clock).frame();
  const delta = () => {
    const source = new Source(rig.clock);
    source.frame();
    return source.frame();
  };
  const wrong: [string, Uint8Array][] = [
    ["truncated", key().subarray(0, 6)],
    ["corrupted", flip(key(), 30)],
    ["corrupted", key().subarray(0, 40)],
    ["malformed", flip(key(), 0)],
    ["unknown_version", key().with(2, 9)],
    ["oversized", new Uint8Array(limits.frameBytesMax + 1)],
    ["no_key_frame", delta()],
    ["malformed", new Source(rig.clock, 1, "99999999-2222-3333-4444-555555555556").frame()],
    ["clock", new Source(rig.clock).frame({ timeMs: rig.clock.nowMs() + 3_600_000 })],
  ];
  for (const [reason, bytes] of wrong) {
    const before = rig.counted.of(`refusedFrame ${reason}`);
    const client = await rig.greeted();
    client.socket.send(bytes);
    const refuse = await client.refused();
    assert.equal(refuse.reason, reason, refuse.message);
    assert.ok(refuse.message.length > 10);
    await client.closed;
    assert.equal(rig.counted.of(`refusedFrame ${reason}`), before + 1);
  }
  good.socket.send(goodSource.frame());
  await good.acked(0);
});

test("a gap within a segment is refused, and the agent may begin again at the key frame", async (t) => {
  const rig = await Rig.start(t);
  const source = new Source(rig.clock);
  const frames = [source.frame(), source.frame(), source.frame()];
  const first = await rig.greeted();
  first.socket.send(frames[0]!);
  first.socket.send(frames[2]!);
  const refuse = await first.refused();
  assert.equal(refuse.reason, "out_of_order");
  assert.deepEqual(refuse.at, { epoch: 1, sequence: 2 });
  const again = await rig.greeted();
  for (const frame of frames) again.socket.send(frame);
  await again.acked(2);
});

test("a key frame that leaves a gap is taken and the gap counted: its agent has dropped segments", async (t) => {
  const rig = await Rig.start(t);
  const client = await rig.greeted();
  const source = new Source(rig.clock);
  client.socket.send(source.frame());
  source.frame();
  const definitions = [gauge("a"), gauge("b")].map((series, column) => ({ column, series }));
  const losses = [{ reason: "spool_full" as const, fromMs: 1, toMs: 2, series: 2, samples: 40 }];
  client.socket.send(source.frame({ key: true, definitions, losses }));
  await client.acked(2);
  assert.equal(rig.counted.of("gap"), 1);
  assert.equal(rig.counted.of("lost spool_full"), 40);
});

test("an agent whose clock is an hour ahead is corrected, and its host flagged", async (t) => {
  const rig = await Rig.start(t);
  const aheadMs = 3_600_000;
  const client = await rig.greeted({ nowMs: rig.clock.nowMs() + aheadMs });
  assert.ok(Math.abs((client.welcome?.clockErrorMs ?? 0) - aheadMs) < 5_000);
  client.socket.send(new Source(rig.clock).frame({ timeMs: rig.clock.nowMs() + aheadMs }));
  await client.acked(0);
  const records = await rig.records();
  const frame = records.find(({ kind }) => kind === "frame");
  assert.ok(frame);
  assert.ok(
    Math.abs(frame.lastMs - rig.clock.nowMs()) < 10_000,
    `${frame.lastMs - rig.clock.nowMs()} ms off`,
  );
  const batch = createIngest({ journal: rig.journal }).take(frame)?.batches[0];
  assert.equal(batch?.timeMs, frame.lastMs);
  const connected = records.map(({ kind, bytes }) => (kind === "presence" ? parsePresence(bytes) : null))[0];
  assert.ok(connected?.t === "connected" && connected.corrected);
});

test("who does not say hello, says it wrongly or speaks another version is refused by name", async (t) => {
  const rig = await Rig.start(t);
  const hello = { t: "hello", v: 1, wire: [1], agent: agentId, host: "h", version: "1", nowMs: 1 };
  const wrong: [string, string | Uint8Array | null][] = [
    ["hello", "{"],
    ["hello", JSON.stringify({ ...hello, agent: "not a uuid" })],
    ["hello", JSON.stringify({ ...hello, host: "" })],
    ["hello", JSON.stringify({ t: "bye", reason: "x" })],
    ["hello", "x".repeat(limits.controlBytesMax + 1)],
    ["hello", '{"__proto__":{"t":"hello"}}'],
    ["hello", new Source(rig.clock).frame()],
    ["version", JSON.stringify({ ...hello, wire: [7, 8] })],
    ["hello_timeout", null],
  ];
  for (const [reason, message] of wrong) {
    const client = await rig.connect();
    if (message === null) await rig.clock.advance(7_000);
    else client.socket.send(message);
    assert.equal((await client.refused()).reason, reason);
    await client.closed;
    assert.ok(rig.counted.of(`refusedConnection ${reason}`) >= 1);
  }
  assert.equal((await rig.records()).length, 0);
});

test("without the subprotocol there is no upgrade", async (t) => {
  const rig = await Rig.start(t);
  await assert.rejects(Client.open(rig.port, "something.else"), /400/);
  assert.equal(rig.counted.of("refusedConnection subprotocol"), 1);
});

test("agents that come all at once are admitted at a bounded rate", async (t) => {
  const rig = await Rig.start(t, { agentHellosPerSecondMax: 3 });
  rig.freeze();
  const answers: string[] = [];
  const clients = await Promise.all(Array.from({ length: 12 }, () => rig.connect()));
  for (const [index, client] of clients.entries()) {
    client.hello({
      nowMs: rig.clock.nowMs(),
      agent: `11111111-2222-3333-4444-5555555555${String(index + 10)}`,
    });
  }
  for (const client of clients) answers.push((await client.next())?.t ?? "closed");
  assert.deepEqual([...answers].sort(), [
    ...Array<string>(9).fill("refuse"),
    ...Array<string>(3).fill("welcome"),
  ]);
});

test("the same agent on a second connection replaces the first, and is never taken for gone", async (t) => {
  const rig = await Rig.start(t);
  const first = await rig.greeted();
  const second = await rig.greeted();
  assert.equal((await first.refused()).reason, "replaced");
  await first.closed;
  second.socket.send(new Source(rig.clock).frame());
  await second.acked(0);
  assert.deepEqual(await rig.presences(), ["connected", "connected"]);
});

test("how a connection ended is journaled: bye, broken, silent", async (t) => {
  const rig = await Rig.start(t);
  const byes = await rig.greeted();
  byes.socket.send(JSON.stringify({ t: "bye", reason: "stopped" }));
  await byes.closed;
  const broken = await rig.greeted();
  broken.socket.terminate();
  await broken.closed;
  const silent = await rig.greeted();
  silent.socket.pause();
  const closed = silent.closed;
  await rig.clock.advance(70_000);
  silent.socket.resume();
  await closed;
  await rig.clock.advance(2_000);
  const ends = (await rig.presences()).filter((presence) => presence !== "connected");
  assert.deepEqual(ends, ["closed bye", "closed closed", "closed timeout"]);
});

test("while the journal's disk is full nothing is acknowledged or read, and then everything is", async (t) => {
  const rig = await Rig.start(t);
  const client = await rig.greeted();
  const source = new Source(rig.clock);
  client.socket.send(source.frame());
  await client.acked(0);
  rig.disk.set(true);
  const labels: [string, string][] = [["text", "x".repeat(1000)]];
  const definitions = Array.from({ length: 100 }, (_, index) => ({
    column: index + 2,
    series: gauge(`wide${index}`, [...labels, ["index", `${index}${"y".repeat(900)}`]]),
  }));
  client.socket.send(source.frame({ definitions }));
  const ack = client.acked(2);
  await rig.clock.advance(5_000);
  assert.equal(rig.journal.stats().state, "full");
  client.socket.send(source.frame());
  await rig.clock.advance(5_000);
  assert.equal(rig.counted.of("admitted"), 2, "the third frame was read while the disk was full");
  rig.disk.set(false);
  await rig.clock.advance(5_000);
  assert.equal((await ack).sequence, 2);
});

test("any bytes and texts in any order: the door stands, and others are served", async (t) => {
  const rig = await Rig.start(t);
  const source = new Source(rig.clock);
  const valid = [source.frame(), source.frame(), source.frame()];
  const bent = fc
    .tuple(
      fc.constantFrom(...valid),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
      fc.nat(250),
    )
    .map(([bytes, flips, cut]) => {
      const copy = bytes.slice(0, cut < 20 ? cut : bytes.length);
      for (const [at, value] of flips) if (at < copy.length) copy[at] = value;
      return copy;
    });
  const helloLike = fc.record(
    {
      t: fc.constantFrom("hello", "bye", "ack", "welcome", "__proto__"),
      v: fc.oneof(fc.constant(1), fc.anything()),
      wire: fc.oneof(fc.constant([1]), fc.anything()),
      agent: fc.oneof(fc.constant(agentId), fc.string()),
      host: fc.oneof(fc.constant("h"), fc.anything()),
      version: fc.string(),
      nowMs: fc.oneof(fc.constant(rig.clock.nowMs()), fc.double(), fc.maxSafeInteger()),
    },
    { requiredKeys: [] },
  );
  const message = fc.oneof(
    bent,
    fc.uint8Array({ maxLength: 300 }),
    fc.string(),
    fc.json(),
    helloLike.map(
      (value) => JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? 0 : inner)) ?? "",
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(message, { maxLength: 8 }), async (greets, messages) => {
      const client = greets ? await rig.greeted() : await rig.connect();
      for (const one of messages) client.socket.send(one);
      client.socket.close();
      await client.closed;
    }),
    { numRuns: 80 },
  );
  const other = "99999999-2222-3333-4444-555555555555";
  const client = await rig.greeted({ agent: other });
  client.socket.send(new Source(rig.clock, 1, other).frame());
  await client.acked(0);
  // Whatever got in can be decoded from the journal alone.
  const ingest = createIngest({ journal: rig.journal });
  for (const record of await rig.records()) if (record.kind === "frame") assert.ok(ingest.take(record));
});
