/**
 * The promise of delivery as a property: whatever is cut, killed or filled, and when, every tick that was read is in the
 * journal exactly once or in a range of the loss ledger, never both.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { createAgent, type Agent } from "#agent/agent.ts";
import type { Probe } from "#agent/collect/probe.ts";
import { createIngest } from "#collector/ingest/ingest.ts";
import type { Journal } from "#collector/journal/journal.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { silentLog } from "#shared/log.ts";
import type { Labels } from "#shared/series.ts";
import type { LossRecord } from "#shared/wire/wire.ts";
import { FullDisk } from "#test/collector/journal/full-disk.ts";
import { mulberry32 } from "#test/sim/random.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { SimCollector } from "./sim-network.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "causeway-delivery-"));
after(() => fs.rmSync(root, { recursive: true, force: true }));
const intervalMs = 1_000;
const uuid = "0b0e7a1e-93c5-4c7e-8a55-000000000001";

/** An agent and a collector whose processes can die at any moment: a copy of their files is what the death leaves. */
class World {
  readonly clock = new SimClock();
  readonly random: () => number;
  readonly read: { timeMs: number; count: number }[] = [];
  readonly collector: SimCollector;
  readonly spoolDisk = new FullDisk();
  readonly journalDisk = new FullDisk();
  spoolBytesMax = 1 << 30;
  agent: Agent;
  journal: Journal;
  #dir: string;
  #alive = { agent: 0 };

  constructor(seed: number) {
    this.random = mulberry32(seed);
    this.#dir = fs.mkdtempSync(path.join(root, "world-"));
    fs.mkdirSync(this.#agentDir());
    this.journal = this.#openJournal();
    this.collector = new SimCollector(this.clock, this.journal);
    this.agent = this.#startAgent();
  }

  #generation = { agent: 0, journal: 0 };
  #agentDir = () => path.join(this.#dir, `agent-${this.#generation.agent}`);
  #journalFile = () => path.join(this.#dir, `journal-${this.#generation.journal}.db`);

  #openJournal(): Journal {
    const { clock } = this;
    return this.journalDisk.watch(() =>
      openSqliteJournal({ path: this.#journalFile(), clock, log: silentLog }),
    );
  }

  #startAgent(): Agent {
    const life = (this.#alive = { agent: this.#alive.agent + 1 });
    const { clock, random } = this;
    const agent = this.spoolDisk.watch(() =>
      createAgent({
        clock,
        log: silentLog,
        dataDir: this.#agentDir(),
        intervalMs,
        host: "sim",
        version: "test",
        resource: [["host.name", "sim"]],
        budget: { maxCpuShare: 1, maxRssBytes: 1e12 },
        spoolLimits: { segmentFramesMax: 5, spoolBytesMax: this.spoolBytesMax, heldBytesMax: 6_000 },
        connect: (events) => this.collector.connect(events),
        probes: () => ({ probes: [this.#probe()], cost: () => ({ cpuSeconds: 0, rssBytes: 0 }) }),
        random,
        newUuid: () => uuid,
        onTick: (timeMs, recorder) => {
          // The dead do not read: their timers are still in the simulated clock.
          if (life !== this.#alive) return;
          const present = recorder.values
            .subarray(0, recorder.columns)
            .filter((value) => !Number.isNaN(value));
          this.read.push({ timeMs, count: present.length });
          if (this.#dieInTick) this.#deathInTick();
        },
      }),
    );
    agent.start();
    return agent;
  }

  #probe(): Probe {
    const life = this.#alive;
    return {
      name: "random",
      shedRank: 0,
      read: (_, recorder) => {
        if (life !== this.#alive) throw new Error("dead");
        // Values that need all their bytes: a page of the database holds few such frames, so a full disk is soon full.
        for (let index = 0; index < 120; index += 1) {
          const labels: Labels = [["index", String(index + Math.floor(this.random() * 3))]];
          const series = { metric: "sim", unit: "1", instrument: "gauge" as const, decimals: 1, labels };
          if (this.random() < 0.8) recorder.set(recorder.column(series), this.random());
        }
        return undefined;
      },
      close: () => {},
    };
  }

  /** The agent will die when it has read its next tick and not yet spooled it. */
  async killAgentInTick(): Promise<void> {
    this.#dieInTick = true;
    await this.clock.advance(intervalMs);
    this.#dieInTick = false;
    this.#bury(this.agent);
    this.collector.deaf = false;
    this.agent = this.#startAgent();
  }

  #dieInTick = false;

  #deathInTick(): void {
    const from = this.#agentDir();
    this.#generation.agent += 1;
    fs.cpSync(from, this.#agentDir(), { recursive: true });
    this.collector.cut();
    this.collector.deaf = true;
    this.#alive = { agent: this.#alive.agent };
  }

  killAgent(): void {
    const from = this.#agentDir();
    this.#generation.agent += 1;
    fs.cpSync(from, this.#agentDir(), { recursive: true });
    this.collector.cut();
    this.#alive = { agent: this.#alive.agent };
    this.#bury(this.agent);
    this.agent = this.#startAgent();
  }

  /** Stops the timers of a dead agent, whose files nobody reads any more. */
  #bury(agent: Agent): void {
    void agent.stop().catch(() => {});
  }

  killCollector(): void {
    const from = this.#journalFile();
    this.#generation.journal += 1;
    for (const suffix of ["", "-wal"]) {
      if (fs.existsSync(from + suffix)) fs.copyFileSync(from + suffix, this.#journalFile() + suffix);
    }
    this.collector.die();
    void this.journal.close();
  }

  startCollector(): void {
    this.journal = this.#openJournal();
    this.collector.rise(this.journal);
  }

  /** Lets everything recover and drain, then compares what was read with what is known of it. */
  async settleAndCheck(): Promise<{ stored: number; lost: number; losses: LossRecord[] }> {
    this.spoolDisk.set(false);
    this.journalDisk.set(false);
    await this.clock.advance(120_000);
    const stored = new Map<number, { times: number; count: number }>();
    const losses: LossRecord[] = [];
    const ingest = createIngest({ journal: this.journal });
    await this.journal.consume(0, (record) => {
      if (record.kind !== "frame") return;
      const taken = ingest.take(record);
      assert.ok(taken, "an entry cannot be decoded");
      losses.push(...taken.losses);
      for (const { timeMs, values } of taken.batches) {
        const times = (stored.get(timeMs)?.times ?? 0) + 1;
        stored.set(timeMs, { times, count: values.filter((value) => !Number.isNaN(value)).length });
      }
    }).caughtUp;
    let lost = 0;
    // The last moments may still be under way.
    const untilMs = this.clock.nowMs() - 5_000;
    for (const { timeMs, count } of this.read.filter((tick) => tick.timeMs < untilMs)) {
      const found = stored.get(timeMs);
      const inLedger = losses.some(({ fromMs, toMs }) => fromMs <= timeMs && timeMs <= toMs);
      if (found === undefined) {
        assert.ok(inLedger, `tick ${timeMs} is neither in the journal nor in the ledger`);
        lost += 1;
      } else {
        assert.equal(found.times, 1, `tick ${timeMs} is in the journal ${found.times} times`);
        assert.equal(found.count, count, `tick ${timeMs} has changed`);
        assert.equal(inLedger, false, `tick ${timeMs} is in the journal and in the ledger`);
      }
    }
    return { stored: stored.size, lost, losses };
  }

  async end(): Promise<void> {
    const stopped = this.agent.stop();
    await this.clock.advance(5_000);
    await stopped;
    await this.journal.close();
    fs.rmSync(this.#dir, { recursive: true, force: true });
  }
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 12_000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cut" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("kill agent" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("kill agent in tick" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("kill collector" as const),
      ms: fc.integer({ min: 1, max: 20_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("spool disk" as const), ms: fc.integer({ min: 1, max: 15_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("journal disk" as const),
      ms: fc.integer({ min: 1, max: 15_000 }),
    }),
  },
);

test("any cuts, kills and full disks: nothing is lost without account, nothing is repeated", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1e9), fc.array(step, { maxLength: 14 }), async (seed, steps) => {
      const world = new World(seed);
      try {
        await world.clock.advance(2_500);
        for (const one of steps) {
          if (one.do === "wait") await world.clock.advance(one.ms);
          else if (one.do === "cut") world.collector.cut();
          else if (one.do === "kill agent") world.killAgent();
          else if (one.do === "kill agent in tick") await world.killAgentInTick();
          else if (one.do === "kill collector") {
            world.killCollector();
            await world.clock.advance(one.ms);
            world.startCollector();
          } else {
            const disk = one.do === "spool disk" ? world.spoolDisk : world.journalDisk;
            disk.set(true);
            await world.clock.advance(one.ms);
            disk.set(false);
          }
        }
        await world.settleAndCheck();
      } finally {
        await world.end();
      }
    }),
    { numRuns: Number(process.env["CAUSEWAY_RUNS"] ?? 20) },
  );
});

test("a spool that is full while the collector is away drops its oldest and says exactly what", async () => {
  const world = new World(1);
  world.spoolBytesMax = 400_000;
  world.killAgent();
  await world.clock.advance(20_000);
  world.killCollector();
  await world.clock.advance(1_500_000);
  world.startCollector();
  const { stored, lost, losses } = await world.settleAndCheck();
  const full = losses.filter(({ reason }) => reason === "spool_full");
  assert.ok(lost > 100, `only ${lost} ticks were dropped`);
  assert.ok(stored > 100, `only ${stored} ticks were kept`);
  const readSamples = world.read
    .filter(({ timeMs }) => full.some(({ fromMs, toMs }) => fromMs <= timeMs && timeMs <= toMs))
    .reduce((sum, { count }) => sum + count, 0);
  assert.equal(
    full.reduce((sum, { samples }) => sum + samples, 0),
    readSamples,
  );
  await world.end();
});

test("a frame that the collector never takes is given up, and those behind it arrive", async () => {
  const world = new World(2);
  await world.clock.advance(20_500);
  world.collector.refuseFrame = (sequence) => (sequence === 22 ? "malformed" : null);
  await world.clock.advance(30_000);
  const { lost, losses } = await world.settleAndCheck();
  assert.deepEqual([...new Set(losses.map(({ reason }) => reason))], ["spool_corrupt"]);
  assert.ok(lost >= 1 && lost <= 60, `${lost} ticks were given up`);
  await world.end();
});
