// The live connection against a server that the test holds by the hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  apply,
  emptyLiveState,
  type LiveState,
  skipUnreadable,
  subscribed,
} from "#collector/console/live/apply.ts";
import { createLive, type LiveParts, type SocketEvents } from "#collector/console/live/live.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { type ClientFrame, type Cursor, type ServerFrame, staleMs } from "#shared/contract/live.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { cpuIncident, system } from "./mock-data.ts";

const base = cpuIncident(1_790_000_000_000, 1_790_000_100_000);

function incident(id: string, revision: number): Incident {
  return { ...base, id, revision };
}

function snap(epoch: string, seq: number, items: Incident[], part = 1, of = 1): ServerFrame {
  return { t: "snap", ch: "incidents", epoch, seq, part, of, gap: false, items };
}

function put(seq: number, item: Incident): ServerFrame {
  return { t: "put", ch: "incidents", seq, item };
}

function play(frames: readonly ServerFrame[], from: LiveState = emptyLiveState): LiveState {
  return frames.reduce(apply, from);
}

function revisions(state: LiveState): Record<string, number> {
  return Object.fromEntries([...state.incidents].map(([id, { revision }]) => [id, revision]));
}

test("a snapshot and the deltas after it are the channel", () => {
  const state = play([snap("e", 7, [incident("a", 1)]), put(8, incident("b", 1)), put(9, incident("a", 2))]);
  assert.deepEqual(revisions(state), { a: 2, b: 1 });
  assert.deepEqual(state.cursor, { epoch: "e", seq: 9 });
  assert.equal(state.phase, "current");
});

test("a snapshot in parts counts only when it is whole", () => {
  const half = play([snap("e", 3, [incident("a", 1)], 1, 2)]);
  assert.equal(half.cursor, null);
  const whole = play([snap("e", 3, [incident("b", 1)], 2, 2)], half);
  assert.deepEqual(revisions(whole), { a: 1, b: 1 });
});

test("parts of two different snapshots are not mixed", () => {
  const state = play([
    snap("e", 3, [incident("old", 1)], 1, 2),
    snap("e", 5, [incident("a", 1)], 1, 2),
    snap("e", 5, [incident("b", 1)], 2, 2),
  ]);
  assert.deepEqual(revisions(state), { a: 1, b: 1 });
});

test("a repeated delta changes nothing, a skipped one is a gap", () => {
  const state = play([snap("e", 7, []), put(8, incident("a", 2)), put(8, incident("a", 1))]);
  assert.deepEqual(revisions(state), { a: 2 });
  const gap = play([put(10, incident("b", 1))], state);
  assert.equal(gap.phase, "gap");
  assert.deepEqual(gap.cursor, { epoch: "e", seq: 8 });
  assert.deepEqual(revisions(gap), { a: 2 });
});

test("a heartbeat that knows more than the page is a gap", () => {
  const hb: ServerFrame = { t: "hb", nowMs: 1, seq: { incidents: 8 } };
  assert.equal(play([snap("e", 8, []), hb]).phase, "current");
  assert.equal(play([snap("e", 7, []), hb]).phase, "gap");
});

test("a resumed channel is current once the missed deltas have come", () => {
  const cut = subscribed(play([snap("e", 7, [incident("a", 1)])]));
  const resumed: ServerFrame = { t: "resumed", ch: "incidents", epoch: "e", from: 7, to: 9 };
  const replaying = play([resumed, put(8, incident("a", 2))], cut);
  assert.equal(replaying.phase, "replaying");
  assert.equal(play([put(9, incident("a", 3))], replaying).phase, "current");
});

test("a resumption of something else is refused, and a snapshot is asked for", () => {
  const cut = subscribed(play([snap("e", 7, [])]));
  const state = play([{ t: "resumed", ch: "incidents", epoch: "other", from: 7, to: 7 }], cut);
  assert.equal(state.phase, "gap");
  assert.equal(state.cursor, null);
});

test("a new epoch replaces everything", () => {
  const cut = subscribed(play([snap("e1", 7, [incident("a", 1)])]));
  const state = play([snap("e2", 1, [incident("b", 1)])], cut);
  assert.deepEqual(revisions(state), { b: 1 });
  assert.deepEqual(state.cursor, { epoch: "e2", seq: 1 });
});

test("what arrives between asking and the answer belongs to the old subscription", () => {
  const cut = subscribed(play([snap("e", 7, [])]));
  assert.deepEqual(revisions(play([put(8, incident("a", 1))], cut)), {});
});

test("of a conflated channel the latest state counts", () => {
  const first = system("incident", 1000);
  const second = { ...first, weakSignals: 9, nowMs: 2000 };
  const state = play([
    { t: "state", ch: "system", body: first },
    { t: "state", ch: "system", body: second },
  ]);
  assert.equal(state.system?.weakSignals, 9);
  assert.equal(state.serverNowMs, 2000);
});

test("a delta that cannot be read moves the sequence, so that the page does not ask for it for ever", () => {
  const state = skipUnreadable(play([snap("e", 7, [incident("a", 1)])]), 8);
  assert.deepEqual(state.cursor, { epoch: "e", seq: 8 });
  assert.deepEqual(revisions(play([put(9, incident("a", 3))], state)), { a: 3 });
  assert.equal(skipUnreadable(state, 12), state);
});

/** The server's end of one connection. */
class Wire {
  readonly clock = new SimClock();
  readonly sent: ClientFrame[] = [];
  readonly seen: LiveState[] = [];
  readonly connection: boolean[] = [];
  readonly unreadable: string[] = [];
  sockets = 0;
  events: SocketEvents | null = null;
  closedByPage = 0;
  readonly live;

  constructor(options: Partial<LiveParts> = {}) {
    this.live = createLive({
      clock: this.clock,
      random: () => 0.5,
      connect: (events) => this.#accept(events),
      heard: (state) => this.seen.push(state),
      connectionChanged: (connected) => this.connection.push(connected),
      unreadable: (problem) => this.unreadable.push(problem),
      ...options,
    });
  }

  #accept(events: SocketEvents) {
    this.sockets += 1;
    this.events = events;
    return {
      send: (text: string) => void this.sent.push(JSON.parse(text) as ClientFrame),
      close: () => void (this.closedByPage += 1),
    };
  }

  say(frame: ServerFrame): void {
    this.events?.message(JSON.stringify(frame));
  }

  welcome(): void {
    this.events?.opened();
    this.say({ t: "welcome", v: 1, nowMs: 5, hbMs: 10_000, build: "b1" });
  }

  get subscriptions(): ClientFrame[] {
    return this.sent.filter(({ t }) => t === "sub");
  }
}

test("the page says hello, then subscribes to every channel once welcomed", () => {
  const wire = new Wire();
  wire.events?.opened();
  assert.deepEqual(wire.sent, [{ t: "hello", v: 1, client: "console" }]);
  wire.say({ t: "welcome", v: 1, nowMs: 5, hbMs: 10_000, build: "b1" });
  assert.deepEqual(wire.subscriptions, [
    { t: "sub", ch: "incidents" },
    { t: "sub", ch: "hosts" },
    { t: "sub", ch: "system" },
  ]);
});

test("a lost connection comes back after the backoff and resumes where it was", async () => {
  const wire = new Wire();
  wire.welcome();
  wire.say(snap("e", 7, [incident("a", 1)]));
  wire.events?.closed(1006);
  assert.equal(wire.connection.at(-1), false);
  await wire.clock.advance(249);
  assert.equal(wire.sockets, 1);
  await wire.clock.advance(1);
  assert.equal(wire.sockets, 2);
  wire.welcome();
  assert.deepEqual(wire.subscriptions.at(-3), { t: "sub", ch: "incidents", resume: { epoch: "e", seq: 7 } });
});

test("what a new connection says before the incidents are asked for again does not make them current", async () => {
  const wire = new Wire();
  wire.welcome();
  wire.say(snap("e", 7, []));
  assert.equal(wire.seen.at(-1)?.phase, "current");
  wire.events?.closed(1006);
  await wire.clock.advance(250);
  wire.say({ t: "state", ch: "system", body: system("calm", 5) });
  assert.equal(wire.seen.at(-1)?.phase, "waiting");
  wire.welcome();
  wire.say(snap("e", 8, [incident("a", 1)]));
  assert.equal(wire.seen.at(-1)?.phase, "current");
});

test("a page whose network is back does not wait for the backoff", () => {
  const wire = new Wire();
  wire.events?.closed(1006);
  wire.live.nudge();
  assert.equal(wire.sockets, 2);
  wire.live.nudge();
  assert.equal(wire.sockets, 2, "a connection under way is left alone");
});

test("a collector that says nothing for two and a half heartbeats is given up for a new connection", async () => {
  const wire = new Wire();
  wire.welcome();
  await wire.clock.advance(staleMs - 1);
  wire.say({ t: "hb", nowMs: 6, seq: {} });
  await wire.clock.advance(staleMs - 1);
  assert.equal(wire.closedByPage, 0);
  await wire.clock.advance(1);
  assert.equal(wire.closedByPage, 1);
  await wire.clock.advance(500);
  assert.equal(wire.sockets, 2);
});

test("what a given-up socket still says is not heard", async () => {
  const wire = new Wire();
  wire.welcome();
  wire.say(snap("e", 7, []));
  const old = wire.events;
  await wire.clock.advance(staleMs + 500);
  assert.equal(wire.sockets, 2);
  const heard = wire.seen.length;
  old?.message(JSON.stringify(put(8, incident("a", 1))));
  old?.closed(1006);
  assert.equal(wire.seen.length, heard);
  assert.equal(wire.sockets, 2);
});

test("a gap is answered by subscribing again with the cursor, and not as a second subscription", () => {
  const wire = new Wire();
  wire.welcome();
  wire.say(snap("e", 7, []));
  wire.say(put(9, incident("a", 1)));
  assert.deepEqual(wire.sent.slice(-2), [
    { t: "unsub", ch: "incidents" },
    { t: "sub", ch: "incidents", resume: { epoch: "e", seq: 7 } },
  ]);
  const asked = wire.sent.length;
  wire.say(put(10, incident("a", 2)));
  assert.equal(wire.sent.length, asked, "asks once");
});

test("a draining collector says when to come back", async () => {
  const wire = new Wire();
  wire.welcome();
  wire.say({ t: "bye", code: 1012, reconnectInMs: 4000 });
  wire.events?.closed(1012);
  await wire.clock.advance(3999);
  assert.equal(wire.sockets, 1);
  await wire.clock.advance(1);
  assert.equal(wire.sockets, 2);
});

test("a frame from the future is counted and skipped", () => {
  const wire = new Wire();
  wire.welcome();
  wire.say(snap("e", 7, []));
  wire.events?.message('{"t":"fireworks"}');
  wire.events?.message("not json");
  wire.events?.message('{"t":"put","ch":"incidents","seq":8,"item":{"id":"a","newField":true}}');
  assert.equal(wire.unreadable.length, 3);
  wire.say(put(9, incident("b", 1)));
  assert.deepEqual(revisions(wire.seen.at(-1)!), { b: 1 });
});

test("a closed page stays closed and leaves no timer", async () => {
  const wire = new Wire();
  wire.welcome();
  wire.live.close();
  await wire.clock.advance(120_000);
  assert.equal(wire.sockets, 1);
  assert.equal(wire.clock.timers, 0);
});

/** A collector of three incidents that keeps `ring` deltas. */
class Channel {
  epoch = 1;
  seq = 0;
  readonly items = new Map<string, Incident>();
  #deltas: { seq: number; item: Incident }[] = [];
  readonly #ring: number;

  constructor(ring: number) {
    this.#ring = ring;
  }

  change(id: string): ServerFrame {
    this.seq += 1;
    const item = incident(id, (this.items.get(id)?.revision ?? 0) + 1);
    this.items.set(id, item);
    this.#deltas = [...this.#deltas, { seq: this.seq, item }].slice(-this.#ring);
    return put(this.seq, item);
  }

  restore(): void {
    this.epoch += 1;
    this.#deltas = [];
  }

  answer(resume: Cursor | undefined): ServerFrame[] {
    const oldest = this.#deltas[0]?.seq ?? this.seq + 1;
    if (resume?.epoch === String(this.epoch) && resume.seq + 1 >= oldest && resume.seq <= this.seq) {
      const missed = this.#deltas
        .filter(({ seq }) => seq > resume.seq)
        .map(({ seq, item }) => put(seq, item));
      return [
        { t: "resumed", ch: "incidents", epoch: resume.epoch, from: resume.seq, to: this.seq },
        ...missed,
      ];
    }
    return [snap(String(this.epoch), this.seq, [...this.items.values()])];
  }
}

test("whatever is lost, cut or restored, the page ends with the collector's incidents", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("change" as const), id: fc.constantFrom("a", "b", "c"), lost: fc.boolean() }),
    fc.record({ do: fc.constant("cut" as const) }),
    fc.record({ do: fc.constant("restore" as const) }),
    fc.record({ do: fc.constant("heartbeat" as const) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 6 }),
      async (steps, ring) => {
        const wire = new Wire();
        const channel = new Channel(ring);
        let answered = 0;
        const serve = (): void => {
          for (; answered < wire.sent.length; answered += 1) {
            const frame = wire.sent[answered];
            if (frame?.t === "sub" && frame.ch === "incidents")
              channel.answer(frame.resume).forEach((f) => wire.say(f));
          }
        };
        const reconnect = async (): Promise<void> => {
          wire.events?.closed(1006);
          await wire.clock.advance(15_000);
          wire.welcome();
        };
        const beat = (): void => wire.say({ t: "hb", nowMs: 1, seq: { incidents: channel.seq } });
        wire.welcome();
        serve();
        for (const one of steps) {
          if (one.do === "change") {
            const delta = channel.change(one.id);
            if (!one.lost) wire.say(delta);
          } else if (one.do === "heartbeat") beat();
          else {
            if (one.do === "restore") channel.restore();
            await reconnect();
          }
          serve();
        }
        beat();
        serve();
        const end = wire.seen.at(-1)!;
        assert.equal(end.phase, "current");
        assert.deepEqual(end.cursor, { epoch: String(channel.epoch), seq: channel.seq });
        assert.deepEqual(end.incidents, channel.items);
        wire.live.close();
      },
    ),
    { numRuns: 60 },
  );
});
