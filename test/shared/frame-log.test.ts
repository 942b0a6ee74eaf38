import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { StorageError } from "#shared/errors.ts";
import { FrameLog, type LogEntry } from "#shared/frame-log.ts";
import { SimClock } from "#test/sim/sim-clock.ts";

const applicationId = 0x43570001;

function folder(t: TestContext): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "causeway-frame-log-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function open(file: string, clock = new SimClock()): FrameLog {
  return FrameLog.open({ path: file, clock, synchronous: "normal", cacheKiB: 256, applicationId });
}

function frame(sequence: number, more: Partial<LogEntry> = {}): LogEntry {
  return {
    kind: 0,
    stream: "a",
    epoch: 1,
    sequence,
    key: sequence % 4 === 0,
    firstMs: sequence * 1000,
    lastMs: sequence * 1000,
    samples: 10,
    series: 10,
    skewMs: 0,
    bytes: new Uint8Array(100).fill(sequence % 256),
    ...more,
  };
}

test("what was appended is read back, in order, byte for byte", () => {
  const log = open(":memory:");
  const entries = [frame(0), frame(1, { skewMs: -5 }), frame(2, { kind: 2, epoch: null, sequence: null })];
  const positions = log.append(entries);
  assert.deepEqual(
    log.after(0, 10),
    entries.map((entry, index) => ({ ...entry, position: positions[index] })),
  );
  assert.deepEqual(
    log.after(positions[0]!, 10).map((entry) => entry.position),
    positions.slice(1),
  );
  log.close();
});

test("a frame that is already there is refused, and the rest of its batch is not", () => {
  const log = open(":memory:");
  log.append([frame(0), frame(1)]);
  const positions = log.append([frame(1), frame(2)]);
  assert.equal(positions[0], null);
  assert.ok(positions[1]);
  assert.equal(log.after(0, 10).length, 3);
  log.close();
});

test("a range of time begins at the key frame that holds it", () => {
  const log = open(":memory:");
  for (let sequence = 0; sequence < 12; sequence += 1) {
    log.append([frame(sequence), frame(sequence, { stream: "b", firstMs: 0, key: sequence === 0 })]);
  }
  const segment = log.segmentAt("a", 6500);
  assert.equal(segment?.sequence, 4);
  assert.equal(log.segmentAfter(segment)?.sequence, 8);
  assert.equal(log.segmentAt("a", -1)?.sequence, 0);
  assert.equal(log.segmentAt("nobody", 0), undefined);
  assert.equal(log.segmentOf("a", 1, 11)?.sequence, 8);
  assert.deepEqual(
    log.framesFrom("a", 1, 4, 3).map((entry) => entry.sequence),
    [4, 5, 6],
  );
  log.close();
});

test("a full disk leaves nothing half written, and the log goes on when there is space again", () => {
  const log = open(":memory:");
  log.append([frame(0)]);
  log.limitBytes(log.usedBytes() + 8 * 4096);
  const big = Array.from({ length: 100 }, (_, index) => frame(index + 1, { bytes: new Uint8Array(3000) }));
  assert.throws(
    () => log.append(big, () => log.setNote("n", "1")),
    (error) => error instanceof StorageError && error.retryable,
  );
  assert.equal(log.after(0, 200).length, 1);
  assert.equal(log.note("n"), null);
  log.limitBytes(1 << 30);
  assert.equal(log.append(big).length, 100);
  assert.equal(log.after(0, 200).length, 101);
  log.close();
});

test("removing segments gives the space back", (t) => {
  const file = path.join(folder(t), "log.db");
  const log = open(file);
  for (let sequence = 0; sequence < 400; sequence += 1) {
    log.append([frame(sequence, { bytes: new Uint8Array(4000) })]);
  }
  const usedBefore = log.usedBytes();
  for (const segment of log.segments(0, 50)) {
    log.transaction("remove from", () => assert.equal(log.deleteSegment(segment), 4));
  }
  assert.ok(log.usedBytes() < usedBefore * 0.6, `${log.usedBytes()} of ${usedBefore} bytes are still used`);
  assert.equal(log.after(0, 1)[0]?.sequence, 200);
  log.reclaim(0);
  log.close();
  assert.ok(fs.statSync(file).size < usedBefore * 0.6);
});

test("positions never come back, not even in a log begun anew", (t) => {
  const file = path.join(folder(t), "log.db");
  const clock = new SimClock();
  const log = open(file, clock);
  const [first] = log.append([frame(0)]);
  log.transaction("empty", () => log.deletePositions(0, first!));
  const [second] = log.append([frame(1)]);
  assert.ok(second! > first!);
  log.close();
  fs.rmSync(file);
  clock.wallMs += 1000;
  const anew = open(file, clock);
  assert.ok(anew.append([frame(0)])[0]! > second!);
  anew.close();
});

test("a second process is told that the log is in use, and the first one's death frees it", (t) => {
  const file = path.join(folder(t), "log.db");
  const script = `
    import { FrameLog } from "#shared/frame-log.ts";
    import { systemClock as clock } from "#shared/clock.ts";
    try {
      const log = FrameLog.open({ path: process.argv[1], clock, synchronous: "normal", cacheKiB: 256, applicationId: ${applicationId} });
      log.append([{ kind: 0, stream: "a", epoch: 1, sequence: 7, key: true, firstMs: 0, lastMs: 0, samples: 0, series: 0, skewMs: 0, bytes: new Uint8Array(1) }]);
      process.kill(process.pid, "SIGKILL");
    } catch (error) { console.log(error.name, error.retryable, error.message); }
  `;
  const child = () =>
    spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script, file], {
      encoding: "utf8",
      cwd: path.resolve(import.meta.dirname, "../.."),
    });
  const log = open(file);
  const refused = child();
  assert.match(refused.stdout, /StorageError false .*in use by another process/, refused.stderr);
  log.close();
  assert.equal(child().signal, "SIGKILL");
  const after = open(file);
  assert.equal(after.last("a")?.sequence, 7);
  after.close();
});

test("a damaged file is moved aside, a fresh log begins, and what could be read is told", (t) => {
  const file = path.join(folder(t), "log.db");
  const log = open(file);
  for (let sequence = 0; sequence < 50; sequence += 1) log.append([frame(sequence)]);
  log.close();
  const bytes = fs.readFileSync(file);
  // Page 4 is the index of frames; the table itself stays readable.
  bytes.fill(0xff, 3 * 4096, 3 * 4096 + 200);
  fs.writeFileSync(file, bytes);
  const anew = open(file);
  assert.ok(anew.replaced, "the damage was not seen");
  assert.ok(fs.existsSync(anew.replaced.movedTo));
  assert.equal(anew.after(0, 1).length, 0);
  anew.append([frame(0)]);
  anew.close();
  assert.equal(open(file).replaced, null);
});

test("a file that is no database at all is moved aside", (t) => {
  const file = path.join(folder(t), "log.db");
  fs.writeFileSync(file, "this was a text, once".repeat(1000));
  const log = open(file);
  assert.equal(log.replaced?.totals, null);
  assert.equal(log.append([frame(0)]).length, 1);
  log.close();
});

test("another program's database is left as it is", (t) => {
  const file = path.join(folder(t), "log.db");
  const theirs = FrameLog.open({
    path: file,
    clock: new SimClock(),
    synchronous: "normal",
    cacheKiB: 256,
    applicationId: 1,
  });
  theirs.close();
  assert.throws(() => open(file), /want application .* got 1 .*left as it is/);
  assert.ok(fs.existsSync(file));
});

test("any damage to the file: the log opens, and what it still holds is what was written", (t) => {
  const dir = folder(t);
  const pristine = path.join(dir, "pristine.db");
  const log = open(pristine);
  for (let sequence = 0; sequence < 60; sequence += 1) log.append([frame(sequence)]);
  log.close();
  const good = fs.readFileSync(pristine);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 }),
      fc.nat(good.length),
      (flips, cutAt) => {
        const file = path.join(dir, "damaged.db");
        for (const name of fs.readdirSync(dir)) {
          if (name.startsWith("damaged")) fs.rmSync(path.join(dir, name));
        }
        const bad = Uint8Array.from(good);
        for (const [at, value] of flips) bad[at] = value;
        fs.writeFileSync(file, cutAt % 3 === 0 ? bad.subarray(0, cutAt) : bad);
        let opened: FrameLog | undefined;
        try {
          opened = open(file);
          for (const entry of opened.after(0, 100)) assert.equal(typeof entry.position, "number");
        } catch (error) {
          // A changed mark makes it somebody else's file; damage that the check cannot see shows when it is read.
          assert.ok(error instanceof StorageError, String(error));
        } finally {
          opened?.close();
        }
      },
    ),
    { numRuns: 60 },
  );
});
