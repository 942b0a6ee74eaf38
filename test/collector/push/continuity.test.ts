/**
 * The promise of the live protocol, under everything that can happen to it: a reader that follows the rules of
 * `shared/contract/live.ts` ends with the collector's incidents, and whatever it did not see change, it was told.
 */
import assert from "node:assert/strict";
import test from "node:test";
import * as fc from "fast-check";
import { openSqliteStore } from "#collector/store/sqlite.ts";
import type { SqliteStore } from "#collector/store/sqlite.ts";
import type { Incident } from "#shared/contract/incident.ts";
import type { Cursor, ServerFrame } from "#shared/contract/live.ts";
import { limits as usual } from "#shared/limits.ts";
import { silentLog } from "#shared/log.ts";
import { sampleIncident } from "../store/samples.ts";
import { openRoom, Reader } from "./room.ts";
import type { Room } from "./room.ts";

const limits = { ...usual, liveRingMax: 6, liveFrameBytesMax: 2_000, liveClientFramesPerMinuteMax: 1_000 };

/** What a console keeps, and its rules. */
class Console {
  readonly incidents = new Map<string, number>();
  cursor: Cursor | undefined;
  gapsTold = 0;
  #reader: Reader | undefined;
  #parts: Incident[] = [];

  async connect(port: number): Promise<void> {
    this.#reader = await Reader.greeted(port);
    const resume = this.cursor;
    this.#reader.say({ t: "sub", ch: "incidents", ...(resume === undefined ? {} : { resume }) });
    const first = await this.#reader.take();
    assert.ok(first?.t === "resumed" || first?.t === "snap", `began with ${JSON.stringify(first)}`);
    this.#hear(first);
  }

  /** Takes everything that was sent up to now. */
  async catchUp(): Promise<void> {
    const reader = this.#reader;
    if (reader === undefined) return;
    // Frames and pongs leave in one order, so the pong comes behind everything.
    const pong = new Promise((resolve) => reader.socket.once("pong", resolve));
    reader.socket.ping();
    await Promise.race([pong, reader.closing()]);
    assert.equal(reader.closed, undefined, "closed without need");
    for (const frame of reader.taken()) this.#hear(frame);
  }

  drop(): void {
    this.#reader?.socket.terminate();
    this.#reader = undefined;
  }

  #hear(frame: ServerFrame): void {
    if (frame.t === "resumed") {
      assert.deepEqual({ epoch: frame.epoch, seq: frame.from }, this.cursor, "resumed from another place");
    } else if (frame.t === "snap") {
      this.#hearSnapshot(frame);
    } else if (frame.t === "put") {
      assert.ok(this.cursor !== undefined, "a change before the beginning");
      assert.equal(frame.seq, this.cursor.seq + 1, "a hole that nobody told");
      this.cursor = { ...this.cursor, seq: frame.seq };
      this.incidents.set(frame.item.id, frame.item.revision);
    }
  }

  #hearSnapshot({ epoch, seq, part, of, gap, items }: Extract<ServerFrame, { t: "snap" }>): void {
    this.#parts = part === 1 ? [...items] : [...this.#parts, ...items];
    if (part < of) return;
    assert.equal(gap, this.cursor !== undefined, "a snapshot in place of a resumption says so");
    if (gap) this.gapsTold += 1;
    this.cursor = { epoch, seq };
    this.incidents.clear();
    for (const { id, revision } of this.#parts) this.incidents.set(id, revision);
  }
}

class World {
  readonly console = new Console();
  store: SqliteStore;
  #room: Room | undefined;
  #epochs = 0;
  #revision = 0;

  constructor() {
    this.store = this.#newStore();
  }

  #newStore(): SqliteStore {
    this.#epochs += 1;
    return openSqliteStore({ path: ":memory:", epoch: `epoch-${this.#epochs}`, limits, log: silentLog });
  }

  async start(): Promise<void> {
    this.#room = await openRoom({ store: this.store, limits });
  }

  async stop(): Promise<void> {
    this.console.drop();
    await this.#room?.end();
  }

  connect(): Promise<void> {
    assert.ok(this.#room);
    return this.console.connect(this.#room.port);
  }

  commit(ids: readonly number[]): void {
    this.#room?.commit(
      ...ids.map((id) => {
        this.#revision += 1;
        const state = this.#revision % 3 === 0 ? "resolved" : "open";
        return sampleIncident(`incident-${id}`, { revision: this.#revision, state });
      }),
    );
  }

  /** The database was lost: a new one, another epoch. */
  async loseHistory(): Promise<void> {
    await this.stop();
    this.store.close();
    this.store = this.#newStore();
    await this.start();
  }
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("commit" as const), ids: fc.array(fc.nat(4), { maxLength: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("reconnect" as const), missed: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("catch up" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose history" as const) }) },
);

test("whatever happens, a reader that follows the rules ends with the same incidents and no silent hole", async () => {
  let gapsTold = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      const world = new World();
      try {
        await world.start();
        await world.connect();
        for (const one of steps) {
          if (one.do === "commit") {
            world.commit(one.ids);
          } else if (one.do === "reconnect") {
            world.console.drop();
            for (let n = 0; n < one.missed; n += 1) world.commit([n % 5]);
            await world.connect();
          } else if (one.do === "catch up") {
            await world.console.catchUp();
          } else {
            if (one.do === "lose history") {
              await world.loseHistory();
            } else {
              await world.stop();
              await world.start();
            }
            await world.connect();
          }
        }
        await world.console.catchUp();
        const there = world.store.channelIncidents().map(({ id, revision }) => [id, revision] as const);
        assert.deepEqual(new Map(world.console.incidents), new Map(there));
        assert.deepEqual(world.console.cursor, world.store.cursor());
        gapsTold += world.console.gapsTold;
      } finally {
        await world.stop();
        world.store.close();
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(gapsTold > 0, "the runs never met a gap: they prove nothing about it");
});
