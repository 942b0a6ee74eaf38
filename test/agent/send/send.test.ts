import assert from "node:assert/strict";
import { test } from "node:test";
import { Send, type Connection, type ConnectionEvents } from "#agent/send/send.ts";
import { Spool, type Frame } from "#agent/send/spool.ts";
import { silentLog } from "#shared/log.ts";
import type { Control } from "#shared/wire/control.ts";
import { FrameEncoder, readHeader } from "#shared/wire/wire.ts";
import { SimClock } from "#test/sim/sim-clock.ts";

const agentId = "11111111-2222-3333-4444-555555555555";

class Wire implements Connection {
  bufferedBytes = 0;
  readonly events: ConnectionEvents;
  readonly texts: Control[] = [];
  readonly sequences: number[] = [];
  pings = 0;
  end: "open" | "closed" | "terminated" = "open";

  constructor(events: ConnectionEvents) {
    this.events = events;
  }

  send(data: string | Uint8Array): void {
    if (typeof data === "string") this.texts.push(JSON.parse(data) as Control);
    else this.sequences.push(readHeader(data).sequence);
  }
  ping(): void {
    this.pings += 1;
  }
  close(): void {
    this.end = "closed";
  }
  terminate(): void {
    this.end = "terminated";
  }
  tell(message: Control): void {
    this.events.message(JSON.stringify(message));
  }
  welcome(durable: { epoch: number; sequence: number } | null = null): void {
    this.events.opened();
    this.tell({ t: "welcome", v: 1, nowMs: 0, durable, clockErrorMs: 0 });
  }
}

class Rig {
  readonly clock = new SimClock();
  readonly wires: Wire[] = [];
  readonly spool: Spool;
  readonly send: Send;
  readonly #encoder = new FrameEncoder({ agentId, epoch: 1, resource: [] });
  #sequence = 0;

  constructor(random = () => 0.5) {
    const { clock } = this;
    const limits = { spoolBytesMax: 1e9, spoolAgeMsMax: 1e13, unackedFramesMax: 8, heldBytesMax: 1e6 };
    this.spool = new Spool({ path: ":memory:", clock, log: silentLog, limits });
    this.spool.claim(agentId);
    this.send = new Send({
      clock,
      log: silentLog,
      spool: this.spool,
      agentId,
      host: "h",
      version: "1",
      unackedFramesMax: 8,
      random,
      connect: (events) => {
        const wire = new Wire(events);
        this.wires.push(wire);
        return wire;
      },
    });
    this.send.start();
  }

  get wire(): Wire {
    const wire = this.wires.at(-1);
    assert.ok(wire);
    return wire;
  }

  spoolFrames(count: number): void {
    for (let made = 0; made < count; made += 1) {
      const sequence = this.#sequence;
      this.#sequence += 1;
      const key = sequence % 5 === 0;
      const bytes = this.#encoder.encode({
        sequence,
        key,
        intervalMs: 1000,
        definitions: [],
        losses: [],
        ticks: [{ timeMs: sequence, values: new Float64Array(0), columns: 0 }],
      });
      const frame: Frame = {
        epoch: 1,
        sequence,
        key,
        firstMs: 0,
        lastMs: 0,
        samples: 0,
        series: 0,
        carries: 0,
        bytes,
      };
      const before = this.spool.lastPosition;
      this.send.spooled(this.spool.append(frame), before);
    }
  }
}

const upTo = (count: number, from = 0) => Array.from({ length: count - from }, (_, index) => from + index);

test("it says hello, and sends from the oldest when the collector knows nothing", () => {
  const rig = new Rig();
  rig.spoolFrames(3);
  rig.wire.welcome();
  assert.equal(rig.wire.texts[0]?.t, "hello");
  assert.deepEqual(rig.wire.sequences, [0, 1, 2]);
  rig.spoolFrames(1);
  assert.deepEqual(rig.wire.sequences, [0, 1, 2, 3]);
});

test("it goes on behind what is durable, and from the oldest when it does not know that frame", () => {
  const known = new Rig();
  known.spoolFrames(7);
  known.wire.welcome({ epoch: 1, sequence: 4 });
  assert.deepEqual(known.wire.sequences, [5, 6]);
  const unknown = new Rig();
  unknown.spoolFrames(7);
  unknown.wire.welcome({ epoch: 9, sequence: 9 });
  assert.deepEqual(unknown.wire.sequences, upTo(7));
});

test("no more than a window is under way, and an acknowledgement moves it", () => {
  const rig = new Rig();
  rig.wire.welcome();
  rig.spoolFrames(30);
  assert.deepEqual(rig.wire.sequences, upTo(8));
  rig.wire.tell({ t: "ack", epoch: 1, sequence: 5 });
  assert.deepEqual(rig.wire.sequences, upTo(14));
  assert.deepEqual(rig.spool.after(0, 1, 1e9)[0]?.sequence, 5);
});

test("a socket that does not drain gets no more, and sampling goes on", () => {
  const rig = new Rig();
  rig.wire.welcome();
  rig.wire.bufferedBytes = 2 ** 21;
  rig.spoolFrames(3);
  assert.deepEqual(rig.wire.sequences, []);
  assert.equal(rig.spool.frameCount, 3);
});

test("a dead peer is noticed within 45 s, a living one is left alone", async () => {
  const rig = new Rig(() => 0);
  rig.wire.welcome();
  const { wire } = rig;
  for (let passed = 0; passed < 300; passed += 5) {
    await rig.clock.advance(5_000);
    if (wire.pings > 0) wire.events.alive();
  }
  assert.equal(wire.end, "open");
  assert.ok(wire.pings >= 25, `${wire.pings} pings in 300 s`);
  await rig.clock.advance(45_000);
  assert.equal(wire.end, "terminated");
  assert.ok(rig.wires.length > 1, "it did not dial again");
});

test("a collector that never answers hello is left, and tried again", async () => {
  const rig = new Rig(() => 0);
  rig.wire.events.opened();
  await rig.clock.advance(20_000);
  assert.ok(rig.wires.length > 1);
});

test("waits between attempts grow up to 30 s and are spread; an acknowledgement resets them", async () => {
  const rig = new Rig(() => 0.999);
  const waits: number[] = [];
  for (let attempt = 0; attempt < 9; attempt += 1) {
    rig.wire.events.closed("refused");
    const before = rig.wires.length;
    const startMs = rig.clock.monotonicMs();
    while (rig.wires.length === before) await rig.clock.advance(100);
    waits.push(rig.clock.monotonicMs() - startMs);
  }
  assert.ok(waits[0]! <= 600 && waits[3]! > 3_000, waits.join());
  assert.ok(Math.max(...waits) <= 30_100, waits.join());
  rig.spoolFrames(1);
  rig.wire.welcome();
  rig.wire.tell({ t: "ack", epoch: 1, sequence: 0 });
  rig.wire.events.closed("again");
  const before = rig.wires.length;
  await rig.clock.advance(600);
  assert.equal(rig.wires.length, before + 1);
});

test("a refusal is obeyed: not before the time that the collector says", async () => {
  const rig = new Rig(() => 0);
  rig.wire.events.opened();
  rig.wire.tell({ t: "refuse", reason: "version", message: "update", retryInMs: 60_000 });
  assert.equal(rig.wire.end, "terminated");
  await rig.clock.advance(59_000);
  assert.equal(rig.wires.length, 1);
  await rig.clock.advance(2_000);
  assert.equal(rig.wires.length, 2);
});

test("told that its key frame is missing, it begins again at the key frame", async () => {
  const rig = new Rig(() => 0);
  rig.spoolFrames(8);
  rig.wire.welcome({ epoch: 1, sequence: 6 });
  assert.deepEqual(rig.wire.sequences, [7]);
  const at = { epoch: 1, sequence: 7 };
  rig.wire.tell({ t: "refuse", reason: "no_key_frame", message: "?", retryInMs: 0, at });
  await rig.clock.advance(10);
  rig.wire.welcome({ epoch: 1, sequence: 6 });
  assert.deepEqual(rig.wire.sequences, [5, 6, 7]);
});

test("what is not understood ends the connection and nothing else", async () => {
  const rig = new Rig(() => 0);
  for (const text of ["{", "[]", '{"t":"hello"}', '{"t":"ack","epoch":1,"sequence":1}', "x".repeat(20_000)]) {
    const { wire } = rig;
    wire.events.opened();
    wire.events.message(text);
    assert.equal(wire.end, "terminated", text.slice(0, 30));
    await rig.clock.advance(10);
    assert.notEqual(rig.wire, wire);
  }
});

test("a stop waits for what is under way, says goodbye, and does not wait for ever", async () => {
  const prompt = new Rig();
  prompt.wire.welcome();
  prompt.spoolFrames(1);
  const stopped = prompt.send.stop(2_000);
  prompt.wire.tell({ t: "ack", epoch: 1, sequence: 0 });
  await stopped;
  assert.equal(prompt.wire.texts.at(-1)?.t, "bye");
  const late = new Rig();
  late.wire.welcome();
  late.spoolFrames(1);
  const gaveUp = late.send.stop(2_000);
  await late.clock.advance(2_000);
  await gaveUp;
  assert.equal(late.wire.end, "closed");
});
