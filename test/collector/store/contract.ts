/** What every store must do, whatever it stands on. An adapter's test file calls `storeContract` with its way to open one. */
import assert from "node:assert/strict";
import test from "node:test";
import * as fc from "fast-check";
import type { Delta, Store } from "#collector/store/store.ts";
import type { Limits } from "#shared/limits.ts";
import { sampleHost, sampleIncident, sampleLoss, startMs } from "./samples.ts";

export interface StoreRoom {
  /** Opens the store; opening again finds what the last one held. */
  readonly open: (options?: { epoch?: string; limits?: Partial<Limits> }) => Store;
  readonly end: () => void;
}

const nothing = { incidents: [], losses: [] };

/** `keeps` is false for a store that forgets when it closes. */
export function storeContract(name: string, keeps: boolean, room: () => StoreRoom): void {
  /** Runs `body` in a room of its own. */
  function check(sentence: string, body: (room: StoreRoom) => void): void {
    test(`${name}: ${sentence}`, () => {
      const own = room();
      try {
        body(own);
      } finally {
        own.end();
      }
    });
  }

  check("deltas are numbered without a hole and can be read again from any point of the ring", ({ open }) => {
    const store = open({ epoch: "e1" });
    assert.deepEqual(store.cursor(), { epoch: "e1", seq: 0 });
    const a = sampleIncident("a");
    const b = sampleIncident("b", { revision: 2 });
    assert.deepEqual(store.commit({ ...nothing, position: 5, incidents: [a, b] }), [
      { seq: 1, incident: a },
      { seq: 2, incident: b },
    ]);
    const more = store.commit({ ...nothing, position: 9, incidents: [a] });
    assert.deepEqual(store.cursor(), { epoch: "e1", seq: 3 });
    assert.deepEqual(store.deltasAfter(2), more);
    assert.deepEqual(store.deltasAfter(3), []);
    assert.deepEqual(
      store.deltasAfter(0, 2)?.map(({ seq }) => seq),
      [1, 2],
    );
    assert.deepEqual(
      store.deltasAfter(0)?.map(({ seq }) => seq),
      [1, 2, 3],
    );
    assert.equal(store.deltasAfter(4), undefined, "a sequence that was never given out cannot be resumed");
    assert.equal(store.deltasAfter(-1), undefined);
  });

  check("a position that was committed before changes nothing and says nothing", ({ open }) => {
    const store = open();
    store.commit({ position: 7, incidents: [sampleIncident("a")], losses: [sampleLoss()] });
    const repeat = { position: 7, incidents: [sampleIncident("b")], losses: [sampleLoss()] };
    assert.deepEqual(store.commit(repeat), []);
    assert.deepEqual(store.commit({ ...repeat, position: 6 }), []);
    assert.equal(store.incident("b"), undefined);
    assert.equal(store.cursor().seq, 1);
    assert.equal(store.position, 7);
    assert.equal(store.losses({ limit: 10 }).losses.length, 1);
  });

  check("a commit that cannot be stored leaves nothing behind, and the next one is taken", ({ open }) => {
    const store = open();
    const broken = sampleIncident("b", { startedMs: Number.NaN });
    const commit = { position: 1, incidents: [sampleIncident("a"), broken], losses: [sampleLoss()] };
    assert.throws(() => store.commit(commit));
    assert.equal(store.incident("a"), undefined);
    assert.deepEqual([store.position, store.cursor().seq, store.losses({ limit: 1 }).samples], [0, 0, 0]);
    assert.equal(store.commit({ ...commit, incidents: [sampleIncident("a")] }).length, 1);
  });

  check("the ring forgets its oldest deltas and says so instead of leaving a hole", ({ open }) => {
    const store = open({ limits: { liveRingMax: 3 } });
    for (let position = 1; position <= 5; position += 1) {
      store.commit({ ...nothing, position, incidents: [sampleIncident("a", { revision: position })] });
    }
    assert.equal(store.deltasAfter(1), undefined);
    assert.deepEqual(
      store.deltasAfter(2)?.map(({ seq }) => seq),
      [3, 4, 5],
    );
  });

  check("incidents are listed newest first, and the last revision is the one that is kept", ({ open }) => {
    const store = open();
    const incidents = [
      sampleIncident("old", { startedMs: startMs }),
      sampleIncident("new", { startedMs: startMs + 2 }),
      sampleIncident("done", { startedMs: startMs + 1 }),
      sampleIncident("done", {
        startedMs: startMs + 1,
        revision: 2,
        state: "resolved",
        resolvedMs: startMs + 9,
      }),
      sampleIncident("calmer", { startedMs: startMs + 1, state: "recovering" }),
    ];
    store.commit({ ...nothing, position: 1, incidents });
    const ids = (state: "open" | "all", limit: number) =>
      store.incidents({ state, limit }).map(({ id }) => id);
    assert.deepEqual(ids("all", 10), ["new", "calmer", "done", "old"]);
    assert.deepEqual(ids("open", 10), ["new", "calmer", "old"]);
    assert.deepEqual(ids("all", 1), ["new"]);
    assert.deepEqual(store.incident("done"), incidents[3]);
    assert.deepEqual(
      store.channelIncidents().map(({ id }) => id),
      ["new", "calmer", "old", "done"],
    );
  });

  check("old resolved incidents are forgotten at the limit, an unresolved one never", ({ open }) => {
    const store = open({ limits: { incidentsKeptMax: 2, incidentsListedMax: 2 } });
    const resolved = ["a", "b", "c"].map((id, index) =>
      sampleIncident(id, { state: "resolved", startedMs: startMs + index }),
    );
    const open_ = ["x", "y", "z"].map((id) => sampleIncident(id, { startedMs: startMs - 5 }));
    store.commit({ ...nothing, position: 1, incidents: [...open_, ...resolved] });
    const ids = store.incidents({ state: "all", limit: 10 }).map(({ id }) => id);
    assert.deepEqual(ids, ["c", "b", "x", "y", "z"]);
    assert.deepEqual(
      store.channelIncidents().map(({ id }) => id),
      ["x", "y", "z"],
    );
  });

  check("the ledger is asked by host and time, and its sum counts what the list leaves out", ({ open }) => {
    const store = open();
    const first = sampleLoss({ samples: 10 });
    const later = sampleLoss({ samples: 20, fromMs: startMs + 3_600_000, toMs: startMs + 3_660_000 });
    const other = sampleLoss({ host: "db-01", samples: 40 });
    store.commit({ ...nothing, position: 1, losses: [first, later, other] });
    assert.deepEqual(store.losses({ host: "web-01", limit: 10 }), { samples: 30, losses: [later, first] });
    assert.deepEqual(store.losses({ host: "web-01", fromMs: startMs + 60_001, limit: 10 }).losses, [later]);
    assert.deepEqual(store.losses({ toMs: startMs, limit: 10 }).samples, 50);
    assert.deepEqual(store.losses({ limit: 1 }).losses.length, 1);
    assert.deepEqual(store.losses({ limit: 1 }).samples, 70);
    assert.deepEqual(store.losses({ host: "' OR 1=1 --", limit: 1 }), { samples: 0, losses: [] });
  });

  check("the ledger drops its oldest rows at the limit", ({ open }) => {
    const store = open({ limits: { lossesKeptMax: 2 } });
    for (let position = 1; position <= 4; position += 1) {
      store.commit({ ...nothing, position, losses: [sampleLoss({ samples: position })] });
    }
    assert.equal(store.losses({ limit: 10 }).samples, 7);
  });

  check("a command's first answer is remembered for a day and no longer", ({ open }) => {
    const store = open({ limits: { commandsKeptMs: 1_000 } });
    const first = { key: "k1", request: "acknowledge a", answer: "done", atMs: startMs };
    store.commit({ ...nothing, position: 1, commands: [first] });
    store.commit({ ...nothing, position: 2, commands: [{ ...first, answer: "again" }] });
    assert.deepEqual(store.command("k1"), first);
    assert.equal(store.command("k2"), undefined);
    store.commit({ ...nothing, position: 3, commands: [{ ...first, key: "k2", atMs: startMs + 1_001 }] });
    assert.equal(store.command("k1"), undefined);
  });

  check("of snapshots the newest two of each name are kept", ({ open }) => {
    const store = open();
    assert.equal(store.loadSnapshot("detect"), undefined);
    for (const position of [1, 2, 3]) {
      store.saveSnapshot("detect", { position, blob: Uint8Array.of(position) });
    }
    store.saveSnapshot("correlate", { position: 2, blob: new Uint8Array(0) });
    const loaded = store.loadSnapshot("detect");
    assert.equal(loaded?.position, 3);
    assert.deepEqual([...(loaded?.blob ?? [])], [3]);
    assert.equal(store.loadSnapshot("correlate")?.blob.length, 0);
  });

  check("hosts are replaced as a whole", ({ open }) => {
    const store = open();
    store.saveHosts([sampleHost("b"), sampleHost("__proto__")]);
    assert.deepEqual(
      store.hosts().map(({ host }) => host),
      ["__proto__", "b"],
    );
    store.saveHosts([sampleHost("c")]);
    assert.deepEqual(store.hosts(), [sampleHost("c")]);
  });

  function restart(): void {
    check("a restart keeps the epoch, the sequence and everything that was said", ({ open }) => {
      const store = open({ epoch: "first" });
      store.commit({ position: 3, incidents: [sampleIncident("a")], losses: [sampleLoss()] });
      store.saveHosts([sampleHost("web-01")]);
      store.commit({ ...nothing, position: 4 });
      store.close();
      const again = open({ epoch: "second" });
      assert.deepEqual(again.cursor(), { epoch: "first", seq: 1 });
      assert.equal(again.position, 4);
      assert.deepEqual(again.deltasAfter(0), [{ seq: 1, incident: sampleIncident("a") }]);
      assert.equal(again.losses({ limit: 1 }).samples, 3600);
      assert.equal(again.hosts().length, 1);
      assert.deepEqual(again.commit({ ...nothing, position: 4, incidents: [sampleIncident("b")] }), []);
    });
  }
  if (keeps) restart();

  check("any replay of a journal says every delta once, in one order", ({ open }) => {
    // Each run takes positions from a stream of its own in one store: a batch is (position, ids), replays go back at will.
    const store = open();
    let base = 0;
    const step = fc.record({
      back: fc.nat(5),
      ids: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const said: Delta[] = [];
        const journal = new Map<number, readonly string[]>();
        const before = store.cursor().seq;
        let next = 1;
        for (const { back, ids } of steps) {
          // A restart: the journal is replayed from some earlier position, then goes on with a new batch.
          journal.set(next, ids);
          for (let at = Math.max(1, next - back); at <= next; at += 1) {
            const incidents = (journal.get(at) ?? []).map((id) => sampleIncident(id, { revision: at }));
            said.push(...store.commit({ ...nothing, position: base + at, incidents }));
          }
          next += 1;
        }
        const wanted = [...journal].flatMap(([at, ids]) => ids.map((id) => `${id}@${at}`));
        assert.deepEqual(
          said.map(({ incident }) => `${incident.id}@${incident.revision}`),
          wanted,
        );
        assert.deepEqual(
          said.map(({ seq }) => seq),
          said.map((_, index) => before + index + 1),
        );
        assert.deepEqual(store.deltasAfter(before), said);
        base += next;
      }),
      { numRuns: 40 },
    );
  });
}
