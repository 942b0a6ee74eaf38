import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { runFault } from "../../../deploy/demo/bank.ts";
import type { Fault } from "../../../deploy/demo/faults/fault.ts";
import { houseFaults } from "../../../deploy/demo/faults/faults.ts";
import { type InProcessBank, startInProcess } from "./in-process.ts";

let sim: InProcessBank;
before(async () => {
  sim = await startInProcess();
});
after(() => sim.close());

/** What is to be seen while a fault is on, and is not to be seen before and after it. */
const signs: Readonly<Record<string, () => Promise<boolean>>> = {
  async "cpu-hog"() {
    const spunMs = sim.spunMs();
    await sim.pass(500);
    return sim.spunMs() - spunMs > 300;
  },
  async "memory-leak"() {
    await sim.pass(600);
    return sim.service("accounts").heldBytes() > 1_000_000;
  },
  async "slow-disk"() {
    const { tookMs } = await sim.ask("transfer");
    return sim.wanted("database").workers.get("backup") === "write" && tookMs >= 120;
  },
  "slow-query": () => Promise.resolve(!hasIndex()),
  async "lock-contention"() {
    const tookMs = [];
    for (let ask = 0; ask < 3; ask += 1) tookMs.push((await sim.ask("transfer")).tookMs);
    return Math.max(...tookMs) >= 300;
  },
  "pool-exhaustion": async () => (await sim.ask("transfer")).reply.code === "P503",
  "dropped-dependency": async () => (await sim.ask("card")).reply.code === "C503",
  "edge-latency": async () => (await sim.ask("statement")).tookMs >= 400,
  async "error-burst"() {
    let failed = 0;
    for (let ask = 0; ask < 12; ask += 1)
      if ((await sim.ask("transfer", "mobile")).reply.result === "sys_fail") failed += 1;
    const other = await sim.ask("transfer", "web");
    assert.equal(other.reply.result, "ok", "another channel failed, too");
    return failed >= 6;
  },
  async "bad-release"() {
    const spunMs = sim.spunMs();
    const { tookMs } = await sim.ask("transfer");
    return sim.spunMs() - spunMs >= 30 && tookMs >= 30;
  },
  "process-crash": () => Promise.resolve(sim.wanted("login").down.has("login")),
  async "batch-overrun"() {
    // The usual one takes two seconds.
    await sim.pass(6_000);
    return sim.gauge("bank_batch_running_seconds") > 4;
  },
};

for (const fault of houseFaults) {
  test(`${fault.name} starts, and stops without a trace`, async () => {
    const sign = signs[fault.name];
    assert.ok(sign, `there is no sign of ${fault.name} to look for`);
    assert.equal(await sign(), false, "the sign was there before the fault");
    const cut = new AbortController();
    const over = runFault(fault, sim.bank, { clock: sim.clock, seconds: fault.seconds, cut: cut.signal });
    await sim.pass(50);
    assert.equal(await sign(), true, "the fault is on and nothing is to be seen of it");
    cut.abort();
    await over;
    await sim.pass(2_000);
    assert.equal(await sign(), false, "the fault has ended and is still to be seen");
    await isWell();
  });
}

test("a fault ends by itself when its time is over", async () => {
  const fault = houseFaults.find(({ name }) => name === "dropped-dependency")!;
  const over = runFault(fault, sim.bank, { clock: sim.clock, seconds: 1, cut: new AbortController().signal });
  await sim.pass(1_200);
  await over;
  assert.equal((await sim.ask("card")).reply.result, "ok");
});

test("what a fault did before it failed to start is undone", async () => {
  const broken: Pick<Fault, "start" | "stop"> = {
    async start(bank) {
      await bank.down("login");
      throw new Error("no more");
    },
    stop: (bank) => bank.restore(),
  };
  const options = { clock: sim.clock, seconds: 1, cut: new AbortController().signal };
  await assert.rejects(runFault(broken, sim.bank, options), /no more/);
  assert.equal(sim.wanted("login").down.size, 0);
});

test("a bad release has a harmless one beside it", async () => {
  const fault = houseFaults.find(({ name }) => name === "bad-release")!;
  const before = sim.notes.length;
  const cut = new AbortController();
  cut.abort();
  await runFault(fault, sim.bank, { clock: sim.clock, seconds: 1, cut: cut.signal });
  assert.deepEqual(
    sim.notes.slice(before).map(({ service }) => service),
    ["risk", "login"],
  );
});

async function isWell(): Promise<void> {
  for (const product of ["login", "balance", "statement", "transfer", "card"] as const)
    assert.equal((await sim.ask(product)).reply.result, "ok", `${product} does not work after the fault`);
}

function hasIndex(): boolean {
  const db = new DatabaseSync(join(sim.data, "bank.db"), { readOnly: true });
  const row = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'entries_account'").get();
  db.close();
  return row !== undefined;
}
