import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { cpuShares, createHostCpu, emptyCpuStat, parseCpuStat } from "#agent/collect/host-cpu.ts";
import { createHostDisk } from "#agent/collect/host-disk.ts";
import { createHostFacts } from "#agent/collect/host-facts.ts";
import { createHostMemory, createMemoryParser } from "#agent/collect/host-memory.ts";
import { createHostNetwork } from "#agent/collect/host-network.ts";
import { createPressure, parsePressure } from "#agent/collect/pressure.ts";
import { ProcReader } from "#agent/collect/proc-file.ts";
import { cursorOf, cursorOver, HostTree, Reading } from "./host-tree.ts";

const kernel = { pageBytes: 4096, ticksPerSecond: 100 };

test("guest time is inside user time and is counted once", () => {
  const stat = emptyCpuStat();
  parseCpuStat(cursorOver("stat_with_guest_time"), stat);
  assert.deepEqual([...stat.all], [1000, 200, 300, 4000, 50, 10, 40]);
  assert.equal(stat.contextSwitches, 1057175);
  assert.equal(stat.forks, 3904);
});

test("a core that is offline leaves the numbers of the others as they are", () => {
  const stat = emptyCpuStat();
  parseCpuStat(cursorOver("stat_with_guest_time"), stat);
  assert.equal(stat.count, 2);
  assert.deepEqual(stat.coreNumbers, [0, 2]);
});

test("busy is what is neither idle nor waiting for a disk", () => {
  const before = Float64Array.of(0, 0, 0, 0, 0, 0, 0);
  const now = Float64Array.of(30, 0, 20, 40, 5, 5, 0);
  const shares = new Float64Array(7);
  assert.ok(Math.abs(cpuShares(now, before, shares) - 0.55) < 1e-12);
  assert.equal(shares[4], 0.05);
});

test("a host is told its CPU use from the second tick on, and its times never fall", async (t) => {
  const host = new HostTree(t);
  const facts = createHostFacts();
  const probe = createHostCpu({
    reader: new ProcReader(),
    procRoot: host.procRoot,
    kernel,
    perCore: true,
    facts,
  });
  t.after(() => probe.close());
  host.write(
    "stat",
    "cpu  1000 0 0 9000 50 0 0 0 0 0\ncpu0 1000 0 0 9000 50 0 0 0 0 0\nctxt 7\nprocesses 3\n",
  );
  const reading = await new Reading().tick(probe);
  assert.equal(reading.value("system.cpu.utilization"), undefined);
  assert.equal(reading.value('system.cpu.time{cpu.mode="user"}'), 10);
  assert.equal(reading.value("system.cpu.logical.count"), 1);
  host.write(
    "stat",
    "cpu  1250 0 0 9750 40 0 0 0 0 0\ncpu0 1250 0 0 9750 40 0 0 0 0 0\nctxt 7\nprocesses 5\n",
  );
  await reading.tick(probe);
  assert.equal(reading.value("system.cpu.utilization"), 0.25);
  assert.equal(reading.value('system.cpu.utilization{cpu.logical_number="0"}'), 0.25);
  assert.equal(reading.value('system.cpu.utilization{cpu.mode="idle"}'), 0.75);
  assert.equal(
    reading.value('system.cpu.time{cpu.mode="iowait"}'),
    0.5,
    "iowait ran backwards in the kernel",
  );
  assert.equal(facts.forks, 5);
});

test("the used share of memory is what the kernel says is not available", async (t) => {
  const host = new HostTree(t);
  const probe = createHostMemory({ reader: new ProcReader(), procRoot: host.procRoot });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  const kib = (key: string) =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(host.read("meminfo"))?.[1]);
  assert.equal(reading.value("system.memory.limit"), kib("MemTotal") * 1024);
  assert.equal(
    reading.value("system.memory.utilization"),
    Math.round((1 - kib("MemAvailable") / kib("MemTotal")) * 1e4) / 1e4,
  );
  const states = ["used", "free", "buffers", "cached"].map((state) =>
    reading.value(`system.memory.usage{system.memory.state="${state}"}`),
  );
  assert.equal(
    states.reduce((sum: number, value) => sum + (value ?? Number.NaN), 0),
    kib("MemTotal") * 1024,
  );
  assert.equal(reading.value("system.memory.oom_kills"), 0);
  assert.deepEqual(reading.ids("system.paging.usage"), [], "a host without swap has no swap in use");
});

test("on a kernel without MemAvailable free memory and page cache stand in", () => {
  const memory = createMemoryParser()(cursorOver("meminfo_of_linux_2_6_32_without_available"));
  assert.equal(memory.available, (912_328 + 204_800 + 3_072_000 - 72_000) * 1024);
  assert.equal(memory.swapTotal - memory.swapFree, 1_048_576 * 1024);
});

test("stalls are told in whole milliseconds, rounded down, and a missing line has no value", () => {
  const stall = { some: 0, full: 0 };
  parsePressure(cursorOver("pressure_cpu_without_full"), stall);
  assert.equal(stall.some, 12_664_999);
  assert.ok(Number.isNaN(stall.full));
});

test("a kernel without pressure stall information is told once and is no failure", async (t) => {
  const host = new HostTree(t);
  const probe = createPressure({ reader: new ProcReader(), procRoot: host.procRoot });
  t.after(() => probe.close());
  host.write("pressure/cpu", "some avg10=0.57 avg60=0.50 avg300=0.83 total=12664999\n");
  const reading = await new Reading().tick(probe);
  const cpu = 'system.pressure.stall.time{causeway.pressure.resource="cpu",causeway.pressure.type="some"}';
  assert.equal(reading.value(cpu), 12.664);
  host.remove("pressure");
  const without = createPressure({ reader: new ProcReader(), procRoot: host.procRoot });
  await reading.tick(without);
  assert.deepEqual(reading.report, { absent: ["pressure stall information (/proc/pressure)"] });
  await reading.tick(without);
  assert.equal(reading.report, undefined);
});

test("whole disks are told, partitions and quiet loop devices are not", async (t) => {
  const host = new HostTree(t);
  // Only what stands in /sys/block is a whole disk.
  const sysRoot = makeSys(host, ["loop0", "loop1", "vda", "zram0", "cciss!c0d0"]);
  writeFileSync(
    `${host.procRoot}/diskstats`,
    cursorOver("diskstats_with_partitions_and_quiet_devices").bytes,
  );
  const probe = createHostDisk({ reader: new ProcReader(), procRoot: host.procRoot, sysRoot });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  assert.deepEqual(reading.ids("system.disk.io_time"), [
    'system.disk.io_time{system.device="cciss/c0d0"}',
    'system.disk.io_time{system.device="loop1"}',
    'system.disk.io_time{system.device="vda"}',
  ]);
  assert.equal(reading.value('system.disk.io_time{system.device="vda"}'), 3.904);
  assert.equal(
    reading.value('system.disk.io{disk.io.direction="write",system.device="vda"}'),
    2_981_840 * 512,
  );
  assert.equal(
    reading.value('system.disk.operation_time{disk.io.direction="read",system.device="vda"}'),
    5.749,
  );
});

test("a disk that appears between two ticks is found, and the others keep their series", async (t) => {
  const host = new HostTree(t);
  const sysRoot = makeSys(host, ["vda", "sda"]);
  const line = (name: string, reads: number) => `   8       0 ${name} ${reads} 0 8 1 1 0 8 1 0 1 1\n`;
  host.write("diskstats", line("vda", 10));
  const probe = createHostDisk({ reader: new ProcReader(), procRoot: host.procRoot, sysRoot });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  host.write("diskstats", line("sda", 5) + line("vda", 11));
  await reading.tick(probe);
  const reads = (name: string) => `system.disk.operations{disk.io.direction="read",system.device="${name}"}`;
  assert.equal(reading.value(reads("sda")), 5);
  assert.equal(reading.value(reads("vda")), 11);
  assert.equal(reading.recorder.series, 18);
});

test("interfaces are told in both directions, lo and the ends of container pairs are not", async (t) => {
  const host = new HostTree(t);
  const head = host.read("net/dev").split("\n").slice(0, 2).join("\n");
  const rows = [
    "    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0",
    "veth12ab: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0",
    "  eth0:497045640   12248    3    4    0     0          0         0   811557    7338    5    6    0     0       0          0",
  ];
  host.write("net/dev", `${head}\n${rows.join("\n")}\n`);
  const probe = createHostNetwork({ reader: new ProcReader(), procRoot: host.procRoot });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  const of = (metric: string, direction: string) =>
    reading.value(
      `system.network.${metric}{network.interface.name="eth0",network.io.direction="${direction}"}`,
    );
  assert.equal(reading.ids("system.network.io").length, 2);
  assert.equal(of("io", "receive"), 497_045_640);
  assert.equal(of("packet.count", "transmit"), 7338);
  assert.equal(of("errors", "receive"), 3);
  assert.equal(of("packet.dropped", "transmit"), 6);
});

test("TCP's troubles are found by the names above the numbers, wherever those stand", async (t) => {
  const host = new HostTree(t);
  host.write("net/snmp", "Ip: Forwarding\nIp: 2\nTcp: OutRsts RetransSegs EstabResets\nTcp: 108 7 9\n");
  host.write("net/netstat", "TcpExt: TW ListenOverflows\nTcpExt: 9 4\nIpExt: InOctets\nIpExt: 1\n");
  const probe = createHostNetwork({ reader: new ProcReader(), procRoot: host.procRoot });
  t.after(() => probe.close());
  const reading = await new Reading().tick(probe);
  assert.equal(reading.value("system.network.tcp.retransmits"), 7);
  assert.equal(reading.value('system.network.tcp.resets{causeway.tcp.reset="established"}'), 9);
  assert.equal(reading.value('system.network.tcp.resets{causeway.tcp.reset="sent"}'), 108);
  assert.equal(reading.value("system.network.tcp.listen.overflows"), 4);
});

test("a probe of a host that has the file no more fails by name and works again when it is back", async (t) => {
  const host = new HostTree(t);
  const probe = createHostMemory({ reader: new ProcReader(), procRoot: host.procRoot });
  t.after(() => probe.close());
  const bytes = host.read("meminfo");
  host.remove("meminfo");
  const reading = new Reading();
  await assert.rejects(reading.tick(probe), { message: `cannot read ${host.procRoot}/meminfo` });
  host.write("meminfo", bytes);
  await reading.tick(probe);
  assert.ok((reading.value("system.memory.limit") ?? 0) > 0);
});

test("bytes that are not what a kernel prints give no numbers and no exception", () => {
  for (const text of ["", "\n\n", "cpu", "cpu \ncpu0", "some total=", "MemTotal", "garbage: x\n"]) {
    parseCpuStat(cursorOf(text), emptyCpuStat());
    parsePressure(cursorOf(text), { some: 0, full: 0 });
    assert.equal(createMemoryParser()(cursorOf(text)).total, 0);
  }
});

/** A /sys with these whole disks, inside the host's own directory. */
function makeSys(host: HostTree, disks: readonly string[]): string {
  for (const disk of disks) mkdirSync(`${host.procRoot}/sysfs/block/${disk}`, { recursive: true });
  return `${host.procRoot}/sysfs`;
}
