/**
 * The promise, with real processes: whatever dies when, every tick that the agent read is in the journal exactly once, or in
 * a range of the loss ledger. kill -9 at 20 random moments, agent and collector in turn; CAUSEWAY_SEED repeats a run.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { createIngest } from "#collector/ingest/ingest.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { sleep, systemClock } from "#shared/clock.ts";
import { silentLog } from "#shared/log.ts";
import { mulberry32 } from "#test/sim/random.ts";

const kills = 20;
const intervalMs = 20;
const series = 50;

interface Found {
  readonly ticks: Map<string, { times: number; count: number; sum: number }>;
  readonly ledger: { reason: string; fromMs: number; toMs: number; samples: number }[];
}

test("kill -9 of agent and collector loses nothing and repeats nothing", async (t) => {
  const seed = Number(process.env["CAUSEWAY_SEED"] ?? Math.floor(systemClock.nowMs() % 1e6));
  t.diagnostic(`seed ${seed} (CAUSEWAY_SEED=${seed} repeats the moments)`);
  const random = mulberry32(seed);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "causeway-kill-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const port = await freePort();
  const [oracle, journalFile] = [path.join(dir, "oracle"), path.join(dir, "journal.db")];
  const agentArguments = [`ws://127.0.0.1:${port}`, dir, oracle, String(intervalMs), String(series)];
  const startCollector = () => start(t, "collector-door.ts", [String(port), journalFile]);
  const startAgent = () => start(t, "agent-under-load.ts", agentArguments);

  let collector = startCollector();
  let agent = startAgent();
  await until(() => fs.existsSync(oracle) && fs.statSync(oracle).size > 1000, "the agent's first ticks");
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(systemClock, 60 + random() * 700);
    if (kill % 2 === 0) {
      await murder(collector);
      // Some outages are longer than the agent's life.
      if (random() < 0.3) {
        await sleep(systemClock, random() * 400);
        await murder(agent);
        agent = startAgent();
      }
      collector = startCollector();
    } else {
      await murder(agent);
      agent = startAgent();
    }
  }
  await sleep(systemClock, 1500);
  await stop(agent, "agent");
  await stop(collector, "collector");

  const read = readOracle(oracle);
  const found = await readJournal(journalFile);
  let inLedger = 0;
  for (const [id, { timeMs, count, sum }] of read) {
    const stored = found.ticks.get(id);
    const lost = found.ledger.some(({ fromMs, toMs }) => fromMs <= timeMs && timeMs <= toMs);
    if (stored === undefined) {
      assert.ok(lost, `tick ${id} was read, is not in the journal and not in the ledger`);
      inLedger += 1;
      continue;
    }
    assert.equal(stored.times, 1, `tick ${id} is in the journal ${stored.times} times`);
    assert.equal(lost, false, `tick ${id} is in the journal and in the ledger`);
    assert.equal(stored.count, count, `tick ${id}`);
    assert.ok(Math.abs(stored.sum - sum) < 1e-6, `tick ${id} has changed`);
  }
  for (const id of found.ticks.keys()) assert.ok(read.has(id), `tick ${id} was never read`);
  t.diagnostic(
    `${read.size} ticks read, ${read.size - inLedger} in the journal, ${inLedger} only in the ledger (${found.ledger.map(({ reason }) => reason).join(", ")})`,
  );
  assert.ok(read.size > 200, `only ${read.size} ticks were read`);
  assert.ok(inLedger <= kills * 2, `${inLedger} ticks were lost to ${kills} kills`);
});

function start(t: TestContext, file: string, args: string[]): ChildProcess {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, file), ...args], {
    stdio: ["ignore", "ignore", process.env["CAUSEWAY_VERBOSE"] === undefined ? "ignore" : "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

async function murder(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    assert.fail(`a process ended by itself: code ${child.exitCode}, signal ${child.signalCode}`);
  }
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

async function stop(child: ChildProcess, name: string): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const [code, signal] = (await exited) as [number | null, string | null];
  assert.equal(code, 0, `${name} ended with code ${code}, signal ${signal}`);
}

function readOracle(file: string): Map<string, { timeMs: number; count: number; sum: number }> {
  const lines = fs.readFileSync(file, "utf8").trim().split("\n");
  return new Map(
    lines.map((line) => {
      const [epoch, timeMs, count, sum] = line.split(" ").map(Number);
      return [`${epoch}/${timeMs}`, { timeMs: timeMs ?? 0, count: count ?? 0, sum: sum ?? 0 }];
    }),
  );
}

async function readJournal(file: string): Promise<Found> {
  const journal = openSqliteJournal({ path: file, clock: systemClock, log: silentLog });
  const ingest = createIngest({ journal });
  const found: Found = { ticks: new Map(), ledger: [] };
  await journal.consume(0, (record) => {
    if (record.kind !== "frame") return;
    const taken = ingest.take(record);
    assert.ok(taken, `entry ${record.position} cannot be decoded`);
    found.ledger.push(...taken.losses);
    for (const { timeMs, values } of taken.batches) {
      const present = values.filter((value) => !Number.isNaN(value));
      const id = `${record.epoch}/${timeMs}`;
      const times = (found.ticks.get(id)?.times ?? 0) + 1;
      found.ticks.set(id, {
        times,
        count: present.length,
        sum: present.reduce((total, value) => total + value, 0),
      });
    }
  }).caughtUp;
  await journal.close();
  return found;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (condition()) return;
    await sleep(systemClock, 50);
  }
  assert.fail(`waited in vain for ${what}`);
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
