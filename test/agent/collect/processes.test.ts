import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createHostFacts } from "#agent/collect/host-facts.ts";
import type { Probe } from "#agent/collect/probe.ts";
import { ProcReader } from "#agent/collect/proc-file.ts";
import { createProcesses } from "#agent/collect/processes.ts";
import { Services } from "#agent/collect/services.ts";
import { HostTree, Reading } from "./host-tree.ts";

const nginx = "0::/system.slice/nginx.service";
const facts = createHostFacts();

function start(t: TestContext): { host: HostTree; probe: Probe; services: Services; reading: Reading } {
  const host = new HostTree(t);
  host.remove("1");
  const services = new Services({ pageBytes: 4096, ticksPerSecond: 100 });
  const probe = createProcesses({
    reader: new ProcReader(),
    procRoot: host.procRoot,
    kernel: { pageBytes: 4096, ticksPerSecond: 100 },
    facts,
    services,
  });
  t.after(() => probe.close());
  return { host, probe, services, reading: new Reading() };
}

const cpu = (service: string, source = "systemd") =>
  `causeway.service.cpu.time{causeway.service.source="${source}",service.name="${service}"}`;
const count = (service: string) =>
  `causeway.service.process.count{causeway.service.source="systemd",service.name="${service}"}`;

test("a service's CPU time does not fall when one of its processes ends", async (t) => {
  const { host, probe, reading } = start(t);
  host.process(100, { comm: "nginx", cgroup: nginx, userTicks: 1000, rssPages: 5000 });
  host.process(101, { comm: "nginx", cgroup: nginx, userTicks: 5000 });
  await reading.tick(probe);
  const before = reading.value(cpu("nginx.service")) ?? Number.NaN;
  host.process(100, { comm: "nginx", cgroup: nginx, userTicks: 1100, rssPages: 5000 });
  host.remove("101");
  await reading.tick(probe);
  assert.equal(reading.value(cpu("nginx.service")), before + 1);
  assert.equal(reading.value(count("nginx.service")), 1);
});

test("a new process under an old number is another process", async (t) => {
  const { host, probe, reading } = start(t);
  host.process(100, { comm: "nginx", cgroup: nginx, userTicks: 9000, rssPages: 5000, startTicks: 1 });
  await reading.tick(probe);
  const before = reading.value(cpu("nginx.service")) ?? Number.NaN;
  host.process(100, {
    comm: "backup",
    cgroup: "0::/system.slice/backup.service",
    userTicks: 300,
    rssPages: 9000,
    startTicks: 2,
  });
  await reading.tick(probe);
  assert.equal(reading.value(cpu("nginx.service")), before);
  assert.equal(reading.value(count("nginx.service")), 0, "a service that stopped is told as 0 processes");
  assert.equal(reading.value(cpu("backup.service")), 3, "what a newborn used it used in this interval");
});

test("a program that another program became is told under its new name and service", async (t) => {
  const { host, probe, reading } = start(t);
  host.process(100, { comm: "sh", rssPages: 9000 });
  await reading.tick(probe);
  assert.equal(reading.ids("process.memory.usage").length, 1);
  host.process(100, { comm: "java", cgroup: nginx, rssPages: 9000 });
  await reading.tick(probe);
  assert.deepEqual(reading.ids("process.memory.usage"), [
    'process.memory.usage{process.executable.name="java",process.pid="100",service.name="nginx.service"}',
  ]);
});

test("Node.js programs, which all call themselves MainThread, are told by their file or as node", async (t) => {
  const { host, probe, reading } = start(t);
  host.process(100, { comm: "MainThread", rssPages: 9000 });
  await reading.tick(probe);
  assert.ok(reading.value(cpu("node", "executable")) !== undefined);
});

test("small services are told together and large ones by themselves", async (t) => {
  const { host, probe, reading } = start(t);
  for (let pid = 200; pid < 230; pid += 1) host.process(pid, { comm: `tiny-${pid}`, rssPages: 10 });
  host.process(100, { comm: "big", rssPages: 5000 });
  host.process(2, { comm: "kthreadd", kernelThread: true });
  await reading.tick(probe);
  assert.deepEqual(reading.ids("causeway.service.cpu.time"), [
    cpu("big", "executable"),
    cpu("kernel", "executable"),
    'causeway.service.cpu.time{service.name="other"}',
  ]);
  assert.equal(reading.value('causeway.service.process.count{service.name="other"}'), 30);
  host.process(200, { comm: "tiny-200", rssPages: 10, userTicks: 50 });
  await reading.tick(probe);
  assert.equal(reading.value(cpu("tiny-200", "executable")), 0.5, "it used 5 % of a core");
});

test("a small service that listens on a port is told by itself", async (t) => {
  const { host, probe, services, reading } = start(t);
  host.process(100, { comm: "sshd", cgroup: "0::/system.slice/ssh.service" });
  await reading.tick(probe);
  assert.equal(reading.value(count("ssh.service")), undefined);
  services.setListening(new Set(["ssh.service"]));
  await reading.tick(probe);
  assert.equal(reading.value(count("ssh.service")), 1);
});

test("no more than 64 services are told by themselves, and none is lost from the sum", async (t) => {
  const { host, probe, reading } = start(t);
  for (let pid = 100; pid < 200; pid += 1) host.process(pid, { comm: `app-${pid}`, rssPages: 5000 });
  await reading.tick(probe);
  const counts = reading.ids("causeway.service.process.count");
  assert.equal(counts.length, 65);
  assert.equal(
    counts.reduce((sum, id) => sum + (reading.value(id) ?? 0), 0),
    100,
  );
});

test("the largest processes are told, and stay a while after they left the top", async (t) => {
  const { host, probe, reading } = start(t);
  const load = (pid: number, ticks: number) =>
    host.process(pid, { comm: "p", rssPages: 10, userTicks: ticks });
  for (let pid = 100; pid < 110; pid += 1) load(pid, 0);
  await reading.tick(probe);
  assert.deepEqual(reading.ids("process.cpu"), [], "an idle host has no largest process");
  for (let pid = 100; pid < 110; pid += 1) load(pid, pid);
  await reading.tick(probe);
  const id = (pid: number) =>
    `process.cpu.utilization{process.executable.name="p",process.pid="${pid}",service.name="p"}`;
  assert.deepEqual(reading.ids("process.cpu"), [105, 106, 107, 108, 109].map(id));
  assert.equal(reading.value(id(109)), 0.109);
  for (let tick = 1; tick < 6; tick += 1) await reading.tick(probe);
  assert.equal(reading.value(id(109)), 0);
  await reading.tick(probe);
  assert.deepEqual(reading.ids("process.cpu"), []);
});

test("disk I/O is told by process and by service", async (t) => {
  const { host, probe, reading } = start(t);
  host.process(100, { comm: "db", cgroup: nginx, rssPages: 5000, readBytes: 5_000_000 });
  await reading.tick(probe);
  const read = (owner: string) =>
    `causeway.service.disk.io{causeway.service.source="systemd",disk.io.direction="read",service.name="${owner}"}`;
  assert.equal(reading.value(read("nginx.service")), 0, "what was read before we looked may be days old");
  host.process(100, { comm: "db", cgroup: nginx, rssPages: 5000, userTicks: 10, readBytes: 9_000_000 });
  await reading.tick(probe);
  assert.equal(reading.value(read("nginx.service")), 4_000_000);
  const own =
    'process.disk.io{disk.io.direction="read",process.executable.name="db",process.pid="100",service.name="nginx.service"}';
  assert.equal(reading.value(own), 9_000_000);
});

test("processes are counted by their state", async (t) => {
  const { host, probe, reading } = start(t);
  for (const [index, state] of ["R", "S", "S", "D", "Z", "T", "I"].entries())
    host.process(100 + index, { state });
  await reading.tick(probe);
  const states = ["running", "sleeping", "blocked", "stopped", "defunct"].map((state) =>
    reading.value(`system.process.count{process.state="${state}"}`),
  );
  assert.deepEqual(states, [1, 3, 1, 1, 1]);
});

test("while nothing is born /proc is not listed, and the dead are still noticed", async (t) => {
  const { host, probe, reading } = start(t);
  facts.forks = 10;
  t.after(() => (facts.forks = Number.NaN));
  host.process(100, { comm: "old", rssPages: 5000 });
  await reading.tick(probe);
  host.process(101, { comm: "new", rssPages: 5000 });
  await reading.tick(probe);
  assert.equal(reading.value(cpu("new", "executable")), undefined);
  facts.forks = 11;
  await reading.tick(probe);
  assert.equal(reading.value(cpu("new", "executable")), 0);
});

test("a process with a broken stat file costs only itself", async (t) => {
  const { host, probe, reading } = start(t);
  host.process(100, { comm: "good", rssPages: 5000 });
  host.process(101, { comm: "bad", rssPages: 5000 });
  host.write("101/stat", "101 (bad");
  await reading.tick(probe);
  assert.equal(reading.value(cpu("good", "executable")), 0);
  assert.equal(reading.value(cpu("bad", "executable")), undefined);
});

test("with few descriptors to spare the same is told, and no more than those are kept open", async (t) => {
  const host = new HostTree(t);
  const kernel = { pageBytes: 4096, ticksPerSecond: 100 };
  const reader = new ProcReader(3);
  const services = new Services(kernel);
  const probe = createProcesses({ reader, procRoot: host.procRoot, kernel, facts, services });
  for (let pid = 100; pid < 110; pid += 1) host.process(pid, { comm: "app", rssPages: 1000 });
  const reading = await new Reading().tick(probe);
  await reading.tick(probe);
  assert.equal(
    reading.value('causeway.service.process.count{causeway.service.source="executable",service.name="app"}'),
    10,
  );
  assert.equal(reader.keptOpen, 3);
  host.remove("100");
  await reading.tick(probe);
  probe.close();
  assert.equal(reader.keptOpen, 0);
});

test("no file of the agent's probes names the command line or the environment of a process", () => {
  const folder = fileURLToPath(new URL("../../../agent/collect/", import.meta.url));
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".ts"))) {
    assert.doesNotMatch(readFileSync(folder + name, "utf8"), /cmdline|environ\b/, name);
  }
});
