import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createBank, leaseMs } from "../../../deploy/demo/bank.ts";
import { effectProblems } from "../../../deploy/demo/effects.ts";
import { controlPath, type Put, putEffects, serveControl } from "../../../deploy/demo/hosts/control.ts";
import { Holds } from "../../../deploy/demo/hosts/holds.ts";
import { startRelay } from "../../../deploy/demo/hosts/relay.ts";
import { SimClock } from "#test/sim/sim-clock.ts";

test("effects end by themselves when nobody renews them", () => {
  const holds = new Holds();
  holds.put("a", [{ kind: "down", service: "login" }], 10_000, 0);
  assert.equal(holds.expire(9_999), false);
  assert.ok(holds.wanted().down.has("login"));
  assert.equal(holds.expire(10_000), true);
  assert.equal(holds.wanted().down.size, 0);
});

test("two faults at once do not undo each other", () => {
  const holds = new Holds();
  holds.put("a", [{ kind: "knobs", service: "login", knobs: { burnShare: 0.5 } }], 10_000, 0);
  holds.put("b", [{ kind: "knobs", service: "login", knobs: { slowerMs: 10 } }], 10_000, 0);
  assert.deepEqual(holds.wanted().knobs.get("login"), { burnShare: 0.5, slowerMs: 10 });
  holds.put("b", [], 10_000, 0);
  assert.deepEqual(holds.wanted().knobs.get("login"), { burnShare: 0.5 });
});

test("nobody holds for longer than the longest lease, and not too many at once", () => {
  const holds = new Holds();
  holds.put("a", [{ kind: "down", service: "login" }], 1e9, 0);
  assert.equal(holds.expire(30_000), true);
  for (let holder = 0; holder < 16; holder += 1)
    holds.put(String(holder), [{ kind: "down", service: "login" }], 1_000, 0);
  assert.throws(() => holds.put("x", [{ kind: "down", service: "login" }], 1_000, 0), /16 faults hold/);
  holds.put("x", [{ kind: "down", service: "login" }], 1_000, 2_000);
});

test("a bank renews what it wants until it restores it", async () => {
  const clock = new SimClock();
  const puts: { host: string; put: Put }[] = [];
  const bank = createBank({
    clock,
    holder: "h",
    put(host, put) {
      puts.push({ host, put });
      return Promise.resolve();
    },
    note: () => Promise.resolve(),
    onLost: (error) => assert.fail(String(error)),
  });
  await bank.turn("risk", { burnShare: 0.2 });
  await bank.turn("risk", { burnShare: 0.4 });
  await bank.down("login");
  const before = puts.length;
  await clock.advance(leaseMs);
  const renewed = puts.slice(before).filter(({ host }) => host === "app-02");
  assert.ok(renewed.length >= 2, "the lease runs out between two renewals");
  assert.deepEqual(renewed[0]?.put.effects, [{ kind: "knobs", service: "risk", knobs: { burnShare: 0.4 } }]);
  await bank.restore();
  assert.deepEqual(
    puts.slice(-2).map(({ host, put }) => [host, put.effects.length]),
    [
      ["app-02", 0],
      ["app-01", 0],
    ],
  );
  assert.equal(clock.timers, 0);
});

test("effects that are not for this host, or make no sense, are named", () => {
  assert.deepEqual(effectProblems([{ kind: "down", service: "login" }], "app-01"), []);
  assert.match(
    effectProblems([{ kind: "down", service: "login" }], "db-01").join(),
    /want a service of db-01/,
  );
  assert.match(effectProblems([{ kind: "shout" }], "db-01").join(), /effects\[0\].kind/);
  assert.match(
    effectProblems([{ kind: "worker", worker: "dig", name: "a b" }], "db-01").join(),
    /worker: want one of.*name: want/,
  );
  assert.match(effectProblems("all", "db-01").join(), /want a list/);
});

test("a host hears its effects through its socket file, and says what it does not take", async () => {
  const data = mkdtempSync(join(os.tmpdir(), "causeway-demo-test-"));
  const got: Put[] = [];
  const server = await serveControl(controlPath(data, "db-01"), (put) => {
    if (put.holder === "bad") throw new Error("no room");
    got.push(put);
  });
  try {
    const put: Put = { holder: "a", effects: [{ kind: "down", service: "database" }], leaseMs: 5 };
    await putEffects(data, "db-01", put);
    assert.deepEqual(got, [put]);
    await assert.rejects(putEffects(data, "db-01", { ...put, holder: "bad" }), /db-01 refused: no room/);
    await assert.rejects(putEffects(data, "app-01", put), /is the bank running\?/);
  } finally {
    server.close();
    rmSync(data, { recursive: true });
  }
});

test("a path too long for a socket is refused in words", () => {
  assert.throws(() => controlPath(`/tmp/${"x".repeat(120)}`, "db-01"), /give a shorter --data/);
});

test("a relay carries both ways between a file and a port", async () => {
  const data = mkdtempSync(join(os.tmpdir(), "causeway-demo-test-"));
  const path = join(data, "relay.sock");
  const { createServer } = await import("node:http");
  const target = createServer((_, response) => response.end("well"));
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  const { port } = target.address() as { port: number };
  const outer = await startRelay({ path }, { host: "127.0.0.1", port });
  const inner = await startRelay({ host: "127.0.0.1", port: 0 }, { path });
  const at = inner.address() as { port: number };
  const answer = await fetch(`http://127.0.0.1:${at.port}/`, { headers: { connection: "close" } });
  assert.equal(await answer.text(), "well");
  for (const server of [inner, outer, target]) server.close();
  rmSync(data, { recursive: true });
});
