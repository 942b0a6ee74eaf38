import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { type Address, Peer } from "../../../deploy/demo/kit/client.ts";
import { KnobBoard, knobProblems, leakBytesMax } from "../../../deploy/demo/kit/knobs.ts";
import { done, refused, type Reply, type Txn } from "../../../deploy/demo/kit/message.ts";
import { createPool } from "../../../deploy/demo/kit/pool.ts";
import { createBankServer, type Handler } from "../../../deploy/demo/kit/server.ts";
import { createStrain } from "../../../deploy/demo/kit/strain.ts";
import { noTelemetry } from "../../../deploy/demo/kit/telemetry-parts.ts";
import { createLock } from "../../../deploy/demo/services/lock.ts";
import { systemClock } from "#shared/clock.ts";
import { settle, SimClock } from "#test/sim/sim-clock.ts";

const txn: Txn = {
  id: 1,
  channel: "web",
  product: "balance",
  region: "east",
  account: 5,
  other: 6,
  amount: 100,
  chance: 0.5,
};
const loopback = { address: "127.0.0.1", port: 0 };

async function served(
  routes: Record<string, Handler>,
  run: (at: Address, knobs: KnobBoard) => Promise<void>,
) {
  const knobs = new KnobBoard();
  const server = createBankServer({
    clock: systemClock,
    knobs,
    telemetry: noTelemetry,
    routes,
    spin: () => {},
  });
  const at = await server.listen(loopback);
  try {
    await run(at, knobs);
  } finally {
    await server.close();
  }
}

function peerOf(at: Address, timeoutMs = 2_000, knobs = new KnobBoard(), poolSize = 0): Peer {
  const parts = { clock: systemClock, knobs, telemetry: noTelemetry, from: "127.0.0.1" };
  return new Peer({ ...parts, name: "ledger", at, timeoutMs, poolSize });
}

test("an answer comes back as it was given, with HTTP's word for it", async () => {
  const routes = { "/a": () => done, "/b": () => refused("B51") };
  await served(routes, async (at) => {
    const peer = peerOf(at);
    assert.deepEqual(await peer.call("/a", txn), done);
    assert.deepEqual(await peer.call("/b", txn), { result: "biz_fail", code: "B51" });
    const plain = await fetch(`http://${at.address}:${at.port}/b`, {
      method: "POST",
      body: JSON.stringify(txn),
    });
    assert.equal(plain.status, 422);
    peer.close();
  });
});

test("a handler that throws is a system failure, not the end of the service", async () => {
  const routes = {
    "/broken": (): Reply => {
      throw new Error("no");
    },
    "/a": () => done,
  };
  await served(routes, async (at) => {
    const peer = peerOf(at);
    assert.deepEqual(await peer.call("/broken", txn), { result: "sys_fail", code: "S500" });
    assert.deepEqual(await peer.call("/a", txn), done);
    peer.close();
  });
});

test("what is no transaction, too large or nowhere to be found is refused", async () => {
  await served({ "/a": () => done }, async (at) => {
    const post = (path: string, body: string) =>
      fetch(`http://${at.address}:${at.port}${path}`, { method: "POST", body });
    assert.equal((await post("/a", "{")).status, 400);
    assert.equal((await post("/a", `"${"x".repeat(5_000)}"`)).status, 400);
    assert.equal((await post("/nowhere", "{}")).status, 404);
  });
});

test("a callee that does not answer is a timeout, one that is gone a refused connection", async () => {
  const routes = { "/never": () => new Promise<Reply>(() => {}) };
  let gone = loopback;
  await served(routes, async (at) => {
    gone = at;
    const peer = peerOf(at, 30);
    assert.deepEqual(await peer.call("/never", txn), { result: "timeout", code: "T504" });
    peer.close();
  });
  const peer = peerOf(gone);
  assert.deepEqual(await peer.call("/never", txn), { result: "sys_fail", code: "C503" });
  peer.close();
});

test("an unreachable service cuts its connections, refuses new ones, and comes back on its port", async () => {
  await served({ "/a": () => done }, async (at, knobs) => {
    const idle = connect(at.port, at.address);
    await new Promise((resolve) => idle.once("connect", resolve));
    const cut = new Promise((resolve) => idle.once("close", resolve));
    idle.on("error", () => {});
    knobs.set({ unreachable: true });
    await cut;
    const peer = peerOf(at);
    assert.equal((await peer.call("/a", txn)).code, "C503");
    knobs.set({});
    await settle();
    assert.deepEqual(await peer.call("/a", txn), done);
    peer.close();
  });
});

test("a pool lends what it has, makes the next one wait, and gives up in time", async () => {
  const clock = new SimClock();
  const knobs = new KnobBoard();
  const pool = createPool({ clock, knobs, telemetry: noTelemetry, name: "database", size: 2 });
  const first = await pool.take();
  const second = await pool.take();
  const third = pool.take();
  await settle();
  assert.deepEqual([pool.used, pool.waiting], [2, 1]);
  first?.();
  first?.();
  const lent = await third;
  assert.equal(pool.used, 2, "a connection that is given back twice counts once");
  const fourth = pool.take();
  await clock.advance(1_000);
  assert.equal(await fourth, null);
  assert.equal(pool.waiting, 0);
  second?.();
  lent?.();
  assert.equal(pool.used, 0);
});

test("connections that a fault holds are free again when it lets go", async () => {
  const clock = new SimClock();
  const knobs = new KnobBoard();
  const pool = createPool({ clock, knobs, telemetry: noTelemetry, name: "database", size: 3 });
  knobs.set({ connectionsHeld: 3 });
  const waiting = [pool.take(), pool.take()];
  await settle();
  assert.equal(pool.waiting, 2);
  knobs.set({});
  assert.ok((await Promise.all(waiting)).every((lent) => lent !== null));
  assert.equal(pool.used, 2);
});

test("a lock is handed over in the order in which it was asked for", async () => {
  const clock = new SimClock();
  const lock = createLock(clock, noTelemetry);
  const order: number[] = [];
  const unlock = await lock.take();
  const others = [1, 2, 3].map(async (number) => {
    const give = await lock.take();
    order.push(number);
    give();
  });
  assert.equal(lock.waiting, 3);
  unlock();
  await Promise.all(others);
  assert.deepEqual(order, [1, 2, 3]);
});

test("a leak stops at its bound and is gone when the knob is turned back", async () => {
  const clock = new SimClock();
  const knobs = new KnobBoard();
  const strain = createStrain(clock, knobs, () => {});
  knobs.set({ leakBytesPerSecond: 64 * 1024 * 1024 });
  await clock.advance(1_000);
  assert.ok(strain.heldBytes() >= 64 * 1024 * 1024);
  await clock.advance(10_000);
  assert.ok(strain.heldBytes() <= leakBytesMax);
  knobs.set({});
  assert.equal(strain.heldBytes(), 0);
  strain.stop();
  assert.equal(clock.timers, 0);
});

test("burning takes its share of the time, and nothing when it is off", async () => {
  const clock = new SimClock();
  const knobs = new KnobBoard();
  let spunMs = 0;
  // Spinning takes time: the clock goes on by as much.
  const strain = createStrain(clock, knobs, (ms) => {
    spunMs += ms;
    clock.wallMs += ms;
  });
  knobs.set({ burnShare: 0.5 });
  await clock.advance(1_000);
  assert.ok(spunMs >= 900 && spunMs <= 1_100, `spun ${spunMs} ms beside 1000 ms`);
  knobs.set({});
  const before = spunMs;
  await clock.advance(1_000);
  assert.equal(spunMs, before);
  strain.stop();
});

test("knobs that do not exist or go too far are named", () => {
  assert.deepEqual(knobProblems({ burnShare: 0.5, unreachable: true }), []);
  assert.match(knobProblems({ burnShare: 2 }).join(), /burnShare: want a number from 0 to 0.95, got 2/);
  assert.match(knobProblems({ burn: 1 }).join(), /burn: no such knob/);
  assert.match(knobProblems({ failing: { share: "all" } }).join(), /failing.share: want a number/);
});
