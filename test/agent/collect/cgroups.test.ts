import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createCgroups } from "#agent/collect/cgroups.ts";
import { ProcReader } from "#agent/collect/proc-file.ts";
import { fixture, Reading } from "./host-tree.ts";

const of = (metric: string, group: string) => `causeway.cgroup.${metric}{causeway.cgroup="${group}"}`;

test("units and containers are told from version 2's tree, what a user runs as the user's slice", async (t) => {
  const probe = createCgroups({ reader: new ProcReader(), sysRoot: fixture("cgroup-v2") });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  assert.deepEqual(reading.ids("causeway.cgroup.cpu.time"), [
    of("cpu.time", "4f1c9a0b2d3e"),
    of("cpu.time", "nginx.service"),
    of("cpu.time", "user-1000.slice"),
  ]);
  assert.equal(reading.value(of("cpu.time", "nginx.service")), 12.346);
  assert.equal(reading.value(of("cpu.throttled.time", "nginx.service")), 2.5);
  assert.equal(
    reading.value(of("memory.usage", "nginx.service")),
    100_000_000,
    "without the inactive page cache",
  );
  assert.equal(reading.value(of("memory.limit", "nginx.service")), undefined);
  assert.equal(reading.value(of("memory.utilization", "4f1c9a0b2d3e")), 0.9);
  assert.equal(reading.value(of("oom_kills", "4f1c9a0b2d3e")), 2);
  assert.equal(reading.value(of("process.count", "4f1c9a0b2d3e")), 12);
});

test("version 1 tells the same from a tree for each controller", async (t) => {
  const probe = createCgroups({ reader: new ProcReader(), sysRoot: fixture("cgroup-v1") });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  const values = [
    "cpu.time",
    "cpu.throttled.time",
    "memory.usage",
    "memory.limit",
    "oom_kills",
    "process.count",
  ].map((metric) => reading.value(of(metric, "nginx.service")));
  assert.deepEqual(values, [12.346, 2.5, 100_000_000, undefined, 2, 3]);
});

test("a group that was removed is told no more, a new one is found within half a minute", async (t) => {
  const sysRoot = mkdtempSync(join(tmpdir(), "causeway-sys-"));
  t.after(() => rmSync(sysRoot, { recursive: true, force: true }));
  cpSync(fixture("cgroup-v2"), sysRoot, { recursive: true });
  const probe = createCgroups({ reader: new ProcReader(), sysRoot });
  t.after(() => probe.close());
  const slice = join(sysRoot, "fs/cgroup/system.slice");
  const reading = await new Reading().tick(probe);
  cpSync(join(slice, "nginx.service"), join(slice, "sshd.service"), { recursive: true });
  rmSync(join(slice, "nginx.service"), { recursive: true });
  await reading.tick(probe);
  assert.equal(reading.value(of("cpu.time", "sshd.service")), undefined);
  await reading.tick(probe, 30_000);
  assert.equal(reading.value(of("cpu.time", "sshd.service")), 12.346);
  assert.equal(reading.value(of("cpu.time", "nginx.service")), undefined);
});

test("more than 200 groups are counted, not told", async (t) => {
  const sysRoot = mkdtempSync(join(tmpdir(), "causeway-sys-"));
  t.after(() => rmSync(sysRoot, { recursive: true, force: true }));
  const base = join(sysRoot, "fs/cgroup");
  cpSync(join(fixture("cgroup-v2"), "fs/cgroup/cgroup.controllers"), join(base, "cgroup.controllers"));
  for (let index = 0; index < 210; index += 1) {
    cpSync(
      fixture("cgroup-v2/fs/cgroup/user.slice/user-1000.slice/session-3.scope"),
      join(base, `a${index}.service`),
      {
        recursive: true,
      },
    );
  }
  const probe = createCgroups({ reader: new ProcReader(), sysRoot });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  assert.equal(reading.ids("causeway.cgroup.cpu.time").length, 200);
  assert.equal(reading.value("causeway.agent.cgroups.skipped"), 10);
});

test("a machine without control groups is told of once, as not available", async (t) => {
  const probe = createCgroups({ reader: new ProcReader(), sysRoot: "/nowhere" });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  assert.deepEqual(reading.report, { absent: ["control groups (/sys/fs/cgroup)"] });
});

test("a group whose memory cannot be read is still told its CPU", async (t) => {
  const sysRoot = mkdtempSync(join(tmpdir(), "causeway-sys-"));
  t.after(() => rmSync(sysRoot, { recursive: true, force: true }));
  cpSync(fixture("cgroup-v2"), sysRoot, { recursive: true });
  const group = join(sysRoot, "fs/cgroup/system.slice/nginx.service");
  rmSync(join(group, "memory.current"));
  writeFileSync(join(group, "memory.events"), "");
  const probe = createCgroups({ reader: new ProcReader(), sysRoot });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  assert.equal(reading.value(of("cpu.time", "nginx.service")), 12.346);
  assert.equal(reading.value(of("memory.usage", "nginx.service")), undefined);
});
