import assert from "node:assert/strict";
import { test } from "node:test";
import { createHostFilesystem, type FilesystemStats } from "#agent/collect/host-filesystem.ts";
import { ProcReader } from "#agent/collect/proc-file.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { HostTree, Reading } from "./host-tree.ts";

const stats: FilesystemStats = { bsize: 4096, blocks: 1000, bfree: 300, bavail: 200, files: 100, ffree: 25 };
const id = (metric: string, mountpoint: string, device: string, type: string) =>
  `system.filesystem.${metric}{system.device="${device}",system.filesystem.mountpoint="${mountpoint}",system.filesystem.type="${type}"}`;
const root = (metric: string) => id(metric, "/", "/dev/vda", "ext4");
const files = (metric: string) => id(metric, "/data files", "/dev/vdb", "xfs");

test("a filesystem is as full as df says, which leaves out what is reserved for root", async (t) => {
  const host = new HostTree(t);
  const asked: string[] = [];
  const probe = createHostFilesystem({
    clock: new SimClock(),
    reader: new ProcReader(),
    procRoot: host.procRoot,
    fsRoot: "/host/root",
    patienceMs: 2_500,
    stat: (path) => {
      asked.push(path);
      return Promise.resolve(stats);
    },
  });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  assert.equal(reading.value(root("utilization")), 0.7778);
  assert.equal(reading.value(root("inodes.utilization")), 0.75);
  assert.equal(reading.value(root("limit")), 4_096_000);
  assert.equal(reading.value(id("read_only", "/boot", "/dev/vdc", "ext4")), 1);
  assert.equal(reading.value(root("read_only")), 0);
  assert.equal(reading.value("causeway.agent.filesystems.skipped"), 3);
  assert.deepEqual(
    asked,
    ["/dev/shm", "/", "/data files", "/boot"].map((path) => `/host/root${path}`),
  );
});

test("a filesystem that hangs costs the others nothing, is counted, and comes back", async (t) => {
  const host = new HostTree(t);
  const clock = new SimClock();
  let release = (): void => {};
  let calls = 0;
  const probe = createHostFilesystem({
    clock,
    reader: new ProcReader(),
    procRoot: host.procRoot,
    fsRoot: "/",
    patienceMs: 2_500,
    stat: (path) => {
      if (path !== "/data files") return Promise.resolve(stats);
      calls += 1;
      return new Promise((resolve) => (release = () => resolve(stats)));
    },
  });
  t.after(() => probe.close());
  const reading = new Reading();
  const tick = async () => {
    const waiting = reading.tick(probe);
    await clock.advance(2_500);
    await waiting;
  };
  await tick();
  await tick();
  assert.equal(reading.value(root("utilization")), 0.7778);
  assert.equal(reading.value(files("utilization")), undefined);
  assert.equal(reading.value("causeway.agent.filesystems.hung"), 2);
  assert.equal(calls, 1, "one that hangs is not asked again");
  release();
  await clock.advance(0);
  const waiting = reading.tick(probe);
  await clock.advance(0);
  release();
  await clock.advance(0);
  await waiting;
  assert.equal(reading.value(files("utilization")), 0.7778);
});

test("never more than two calls are on their way, so that names can still be resolved", async (t) => {
  const host = new HostTree(t);
  const clock = new SimClock();
  let calls = 0;
  const probe = createHostFilesystem({
    clock,
    reader: new ProcReader(),
    procRoot: host.procRoot,
    fsRoot: "/",
    patienceMs: 2_500,
    stat: () => {
      calls += 1;
      return new Promise(() => {});
    },
  });
  t.after(() => probe.close());
  const reading = new Reading();
  for (let tick = 0; tick < 3; tick += 1) {
    const waiting = reading.tick(probe);
    await clock.advance(2_500);
    await waiting;
  }
  assert.equal(calls, 2);
  assert.equal(reading.value("causeway.agent.filesystems.hung"), 12);
});

test("a filesystem that is mounted or unmounted between two ticks is found or left out", async (t) => {
  const host = new HostTree(t);
  const probe = createHostFilesystem({
    clock: new SimClock(),
    reader: new ProcReader(),
    procRoot: host.procRoot,
    fsRoot: "/",
    patienceMs: 2_500,
    stat: () => Promise.resolve(stats),
  });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  const lines = host
    .read("1/mountinfo")
    .split("\n")
    .filter((line) => !line.includes("/boot"));
  host.write("1/mountinfo", `${lines.join("\n")}99 27 254:48 / /new rw - ext4 /dev/vdd rw\n`);
  await reading.tick(probe);
  assert.equal(reading.value(id("read_only", "/boot", "/dev/vdc", "ext4")), undefined);
  assert.equal(reading.value(id("utilization", "/new", "/dev/vdd", "ext4")), 0.7778);
});

test("without the mounts of process 1 the agent's own are told", async (t) => {
  const host = new HostTree(t);
  host.write("self/mountinfo", host.read("1/mountinfo"));
  host.remove("1");
  const probe = createHostFilesystem({
    clock: new SimClock(),
    reader: new ProcReader(),
    procRoot: host.procRoot,
    fsRoot: "/",
    patienceMs: 2_500,
    stat: () => Promise.resolve(stats),
  });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  assert.equal(reading.value(root("utilization")), 0.7778);
});
