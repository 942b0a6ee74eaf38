import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { takeIdentity } from "#agent/send/identity.ts";
import { Spool, type Frame, type SpoolLimits } from "#agent/send/spool.ts";
import { silentLog } from "#shared/log.ts";
import { FrameDecoder, FrameEncoder, type LossRecord } from "#shared/wire/wire.ts";
import { FullDisk } from "#test/collector/journal/full-disk.ts";
import { SimClock } from "#test/sim/sim-clock.ts";

const agentId = "11111111-2222-3333-4444-555555555555";
const usual: SpoolLimits = {
  spoolBytesMax: 1 << 30,
  spoolAgeMsMax: 1e13,
  unackedFramesMax: 4,
  heldBytesMax: 10_000,
};

function folder(t: TestContext): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "causeway-spool-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function open(file: string, limits: Partial<SpoolLimits> = {}, clock = new SimClock()): Spool {
  const spool = new Spool({ path: file, clock, log: silentLog, limits: { ...usual, ...limits } });
  spool.claim(agentId);
  return spool;
}

/** Frames of 5 to a segment, a second apart. */
class Maker {
  readonly #encoder: FrameEncoder;
  readonly #epoch: number;
  #sequence = 0;

  constructor(epoch = 1) {
    this.#epoch = epoch;
    this.#encoder = new FrameEncoder({ agentId, epoch, resource: [["host.name", "h"]] });
  }

  frame(losses: readonly LossRecord[] = [], timeMs = this.#sequence * 1000): Frame {
    const sequence = this.#sequence;
    this.#sequence += 1;
    const key = sequence % 5 === 0;
    const series = { metric: "m", unit: "1", instrument: "gauge" as const, decimals: 0, labels: [] };
    const ticks = [{ timeMs, values: Float64Array.of(sequence), columns: 1 }];
    const definitions = key ? [{ column: 0, series }] : [];
    const bytes = this.#encoder.encode({ sequence, key, intervalMs: 1000, ticks, definitions, losses });
    return {
      epoch: this.#epoch,
      sequence,
      key,
      firstMs: timeMs,
      lastMs: timeMs,
      samples: 1,
      series: 1,
      carries: losses.length,
      bytes,
    };
  }
}

function fill(spool: Spool, maker: Maker, count: number): number[] {
  return Array.from(
    { length: count },
    () => spool.append(maker.frame(spool.takeLosses()))[0]?.position ?? -1,
  );
}

const sequences = (spool: Spool) => spool.after(0, 1000, 1e9).map(({ sequence }) => sequence);

test("finished segments go when they are acknowledged; the current one stays", () => {
  const spool = open(":memory:");
  const positions = fill(spool, new Maker(), 12);
  spool.acknowledge(positions[7]!);
  assert.deepEqual(sequences(spool), [5, 6, 7, 8, 9, 10, 11]);
  spool.acknowledge(positions[11]!);
  assert.deepEqual(sequences(spool), [10, 11]);
  assert.equal(spool.frameCount, 2);
  assert.equal(spool.segmentStart(positions[11]!), positions[10]);
});

test("a new run finds the last tick of the one before, and whether that was stopped", (t) => {
  const file = path.join(folder(t), "spool.db");
  const first = open(file);
  assert.equal(first.lastTick, null);
  fill(first, new Maker(7), 3);
  first.close();
  const second = open(file);
  assert.deepEqual(second.lastTick, { timeMs: 2000, intervalMs: 1000, series: 1, epoch: 7 });
  assert.equal(second.takeStopped(), null);
  second.noteStopped(5000);
  second.close();
  const third = open(file);
  assert.equal(third.takeStopped(), 5000);
  assert.equal(third.takeStopped(), null);
  third.close();
});

test("too old and unsent segments go, and are counted; what may be on its way stays", () => {
  const clock = new SimClock(0);
  const spool = open(":memory:", { spoolAgeMsMax: 1000 }, clock);
  const maker = new Maker();
  fill(spool, maker, 20);
  clock.wallMs = 1e9;
  fill(spool, maker, 1);
  // The oldest segment and the window of 4 frames behind it may be with the collector; the newest is growing.
  assert.deepEqual(sequences(spool), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20]);
  assert.deepEqual(spool.takeLosses(), [
    { reason: "spool_expired", fromMs: 10_000, toMs: 19_000, series: 1, samples: 10 },
  ]);
});

test("a loss that no frame could carry into the spool is known again after a sudden end", (t) => {
  const file = path.join(folder(t), "spool.db");
  const clock = new SimClock(0);
  const spool = open(file, { spoolAgeMsMax: 1000 }, clock);
  const maker = new Maker();
  fill(spool, maker, 15);
  clock.wallMs = 1e9;
  fill(spool, maker, 1);
  const copy = `${file}.copy`;
  for (const suffix of ["", "-wal"]) fs.copyFileSync(file + suffix, copy + suffix);
  spool.close();
  const again = open(copy, {}, clock);
  assert.deepEqual(
    again.takeLosses().map(({ reason, samples }) => ({ reason, samples })),
    [{ reason: "spool_expired", samples: 5 }],
  );
  again.close();
});

test("a full disk: frames wait in memory, then it says that it can take no more, then all is written", () => {
  const disk = new FullDisk();
  const spool = disk.watch(() => open(":memory:", { heldBytesMax: 3_000 }));
  const maker = new Maker();
  fill(spool, maker, 1);
  disk.set(true);
  let waiting = 0;
  while (spool.ready() && waiting < 1000) {
    if (spool.append(maker.frame()).length === 0) waiting += 1;
  }
  assert.ok(waiting > 10, `${waiting} frames waited`);
  disk.set(false);
  assert.equal(spool.ready(), true);
  const stored = sequences(spool);
  assert.deepEqual(
    stored,
    Array.from({ length: stored.length }, (_, index) => index),
  );
  assert.ok(stored.length > waiting);
});

test("a full disk gets back the space that was kept for it, and later it is kept again", (t) => {
  const file = path.join(folder(t), "spool.db");
  const disk = new FullDisk();
  const spool = disk.watch(() => open(file));
  const maker = new Maker();
  fill(spool, maker, 1);
  assert.equal(fs.statSync(`${file}.reserve`).size, 1024 * 1024);
  disk.set(true);
  for (let count = 0; count < 60; count += 1) spool.append(maker.frame());
  assert.equal(fs.existsSync(`${file}.reserve`), false);
  disk.set(false);
  while (!fs.existsSync(`${file}.reserve`)) spool.append(maker.frame());
  assert.deepEqual(
    sequences(spool),
    Array.from({ length: spool.frameCount }, (_, index) => index),
  );
  spool.close();
});

test("a damaged spool is moved aside and counted as far as it can be read, and the agent starts", (t) => {
  const dir = folder(t);
  const file = path.join(dir, "spool.db");
  const first = open(file);
  fill(first, new Maker(), 50);
  first.close();
  const bytes = fs.readFileSync(file);
  // The second page is a table's; the damage is in an index, so the frames themselves can be counted.
  bytes.fill(0xee, 3 * 4096, 4 * 4096);
  fs.writeFileSync(file, bytes);
  const spool = open(file);
  const [loss] = spool.takeLosses();
  assert.equal(loss?.reason, "spool_corrupt");
  assert.ok(fs.readdirSync(dir).some((name) => name.includes("corrupt")));
  assert.equal(fill(spool, new Maker(2), 3).length, 3);
  spool.close();
});

test("damage while the agent runs: it begins anew with a key frame and says what it lost", (t) => {
  const file = path.join(folder(t), "spool.db");
  const spool = open(file);
  const maker = new Maker();
  // More than the page cache holds, so that pages are read again from the file.
  for (let count = 0; count < 400; count += 1) {
    const frame = maker.frame();
    spool.append({ ...frame, bytes: new Uint8Array(4000) });
  }
  const damage = fs.openSync(file, "r+");
  const size = fs.statSync(file).size;
  fs.writeSync(damage, new Uint8Array(size - 4096).fill(0xee), 0, size - 4096, 4096);
  fs.closeSync(damage);
  for (let from = 0; from < 400; from += 50) spool.after(0, 400, 1e9);
  assert.equal(spool.keyWanted, true);
  assert.ok(spool.takeLosses().some(({ reason }) => reason === "spool_corrupt"));
  const fresh = new Maker(2);
  assert.equal(spool.append(fresh.frame()).length, 1);
  assert.equal(spool.keyWanted, false);
  spool.close();
});

test("a frame that is given up takes with it what builds on it, and the losses that it carried live on", () => {
  const spool = open(":memory:");
  const maker = new Maker();
  const lost: LossRecord = { reason: "tick_missed", fromMs: 1, toMs: 2, series: 3, samples: 4 };
  const positions = fill(spool, maker, 7);
  spool.addLoss(lost);
  fill(spool, maker, 2);
  assert.equal(spool.discardFrom(positions[6]!), true);
  assert.deepEqual(sequences(spool), [0, 1, 2, 3, 4, 5]);
  assert.equal(spool.keyWanted, true);
  const losses = spool.takeLosses();
  assert.deepEqual(losses, [
    lost,
    { reason: "spool_corrupt", fromMs: 6000, toMs: 8000, series: 1, samples: 3 },
  ]);
});

test("what is in the spool can be decoded from each of its key frames", () => {
  const spool = open(":memory:");
  fill(spool, new Maker(), 10);
  const decoder = new FrameDecoder();
  for (const { bytes } of spool.after(0, 100, 1e9)) assert.equal(decoder.decode(bytes).ticks.length, 1);
});

test("the epoch grows with every start, also when the clock was set back, and the id stays", (t) => {
  const dataDir = folder(t);
  const clock = new SimClock();
  const take = (spooled: { agentId: string; epoch: number } | null = null) =>
    takeIdentity({ dataDir, clock, log: silentLog, newUuid: () => agentId, spooled });
  const first = take();
  clock.wallMs -= 1e9;
  const second = take();
  assert.deepEqual(second, { agentId, epoch: first.epoch + 1 });
  fs.rmSync(path.join(dataDir, "agent.json"));
  const other = { agentId: "99999999-2222-3333-4444-555555555555", epoch: second.epoch };
  assert.deepEqual(take(other), { agentId: other.agentId, epoch: second.epoch + 1 });
  fs.writeFileSync(path.join(dataDir, "agent.json"), '{"agentId": 7}');
  assert.equal(take().agentId, agentId);
  assert.ok(fs.existsSync(path.join(dataDir, "agent.json.corrupt")));
});
