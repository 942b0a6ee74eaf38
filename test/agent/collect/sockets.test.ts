/**
 * Sockets as a kernel printed them (`test/fixtures/proc/sockets`, Linux 6.18): one process, in a network namespace of its own, that
 * listens on and calls all sorts of addresses. Two of its connections to port 80 were never accepted, nobody answers at 10.0.9.9, and
 * what went to 10.0.0.3 was lost for a second (a queue that drops everything) and sent again. `test/fixtures/ss` is the same moment.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { addressText, emptyAddress, parseAddress } from "#agent/collect/ip-address.ts";
import { ProcessTree } from "#agent/collect/process-tree.ts";
import { limits } from "#shared/limits.ts";
import { fixture, HostTree, type ProcessOptions } from "./host-tree.ts";
import { Both, into, listen, out } from "./socket-host.ts";

const tcp = readFileSync(fixture("sockets/tcp"), "utf8");
const tcp6 = readFileSync(fixture("sockets/tcp6"), "utf8");
const unit = (name: string) => `0::/system.slice/${name}.service`;
const unreachable = "causeway.edge.unreachable";

/** Inodes of all sockets of the tables, but those that nobody has. */
function inodes(...texts: readonly string[]): number[] {
  return texts
    .flatMap((text) => text.split("\n").slice(1))
    .map((row) => Number(row.trim().split(/\s+/)[9]))
    .filter((inode) => inode > 0);
}

function address(text: string): ReturnType<typeof emptyAddress> {
  const made = emptyAddress();
  assert.ok(parseAddress(text, made), text);
  return made;
}

/** Puts a process into a network namespace; its own tables are given, or none. */
function inNamespace(host: HostTree, pid: number | "self", id: string, text?: string): void {
  const directory = join(host.procRoot, String(pid));
  mkdirSync(join(directory, "ns"), { recursive: true });
  rmSync(join(directory, "ns/net"), { force: true });
  symlinkSync(`net:[${id}]`, join(directory, "ns/net"));
  if (text === undefined) return;
  mkdirSync(join(directory, "net"), { recursive: true });
  writeFileSync(join(directory, "net/tcp"), text);
}

function start(t: TestContext, app: ProcessOptions = {}): { host: HostTree; both: Both } {
  const host = new HostTree(t);
  host.remove("1");
  host.write("net/tcp", tcp);
  host.write("net/tcp6", tcp6);
  inNamespace(host, "self", "1");
  host.process(100, { comm: "app", cgroup: unit("app"), sockets: inodes(tcp, tcp6), ...app });
  return { host, both: new Both(t, host.procRoot) };
}

test("both ends of each connection are told, in words that match each other", async (t) => {
  const { both } = start(t);
  const reading = await both.ticks(2);
  const edges = reading.ids("causeway.edge.connections");
  const service = "app.service";
  const v6 = "2001:db8::1";
  assert.deepEqual(
    new Map(edges.map((id) => [id, reading.value(id)])),
    new Map([
      [into(service, 5432, "10.0.0.2"), 2],
      [into(service, 5432, "10.0.0.2", { local: "10.0.0.3" }), 1],
      [into(service, 80, "10.0.0.2"), 5],
      [into(service, 8080, "127.0.0.11", { local: "127.0.0.11" }), 1],
      [into(service, 8443, "10.0.0.2"), 1],
      [into(service, 8443, v6, { local: v6 }), 1],
      [into(service, 9443, v6, { local: v6 }), 1],
      [out(service, "10.0.0.2", 5432), 2],
      [out(service, "10.0.0.2", 80), 5],
      [out(service, "10.0.0.2", 8443), 1],
      [out(service, "10.0.0.3", 5432), 1],
      [out(service, "10.0.9.9", 6379), 1],
      [out(service, "127.0.0.11", 8080, "127.0.0.11"), 1],
      [out(service, v6, 8443, v6), 1],
      [out(service, v6, 9443, v6), 1],
    ]),
  );
  assert.equal(reading.value(listen(service, 80)), 1, "at every address");
  assert.equal(reading.value(listen(service, 8443)), 1, "at every address of both families");
  assert.equal(reading.value(listen(service, 8080, "127.0.0.11")), 1);
});

test("connections that wait to be accepted belong to nobody yet, and to whoever listens", async (t) => {
  const { host, both } = start(t);
  const waiting = tcp.split("\n").filter((row) => row.includes(" 0200000A:0050 ") && / 01 .* 0 1 /.test(row));
  assert.ok(waiting.length >= 2 && waiting.every((row) => inodes(`\n${row}`).length === 0));
  const [head = ""] = tcp.split("\n");
  const listeners = tcp.split("\n").filter((row) => / 0A /.test(row));
  host.write("net/tcp", [head, ...listeners, ...waiting, ""].join("\n"));
  host.remove("net/tcp6");
  const reading = await both.ticks(2);
  assert.equal(reading.value(into("app.service", 80, "10.0.0.2")), waiting.length);
});

test("a peer that does not answer is told as unreachable, and as reachable when it answers again", async (t) => {
  const { host, both } = start(t);
  const reading = await both.ticks(2);
  const id = out("app.service", "10.0.9.9", 6379, "10.0.0.2", unreachable);
  assert.equal(reading.value(id), 1);
  assert.deepEqual(reading.ids(unreachable), [id], "of peers that answer nothing is told");
  host.write("net/tcp", tcp.replace(/ 02 (\S+) \S+ 00000002 /, " 02 $1 00:00000000 00000000 "));
  await both.ticks(1);
  assert.equal(reading.value(id), 0, "a first attempt that is under way");
});

test("a connection comes in only where its own address is listened on", async (t) => {
  const { host, both } = start(t);
  // Somebody calls port 5432 from port 8080 of another address than the one that port 8080 is listened on.
  const row = tcp.split("\n").find((line) => line.includes("0200000A:1538 01"))!;
  host.write("net/tcp", `${tcp}${row.replace(/ 0200000A:\w{4} /, " 0200000A:1F90 ")}\n`);
  const reading = await both.ticks(2);
  assert.equal(reading.value(out("app.service", "10.0.0.2", 5432)), 3);
});

test("a listener is remembered for an hour after it went", async (t) => {
  const { host, both } = start(t);
  const reading = await both.ticks(2);
  host.write(
    "net/tcp",
    tcp
      .split("\n")
      .filter((row) => !/ 0A /.test(row))
      .join("\n"),
  );
  const ticksPerHour = 3600 / 20;
  await both.ticks(ticksPerHour - 2);
  assert.equal(reading.value(into("app.service", 80, "10.0.0.2")), 5);
  await both.ticks(4);
  assert.equal(
    reading.value(into("app.service", 80, "10.0.0.2")),
    0,
    "which of the ends called, nobody knows any more",
  );
});

/** Port 80 alone, of sockets that are others. */
function webOf(text: string): string {
  const rows = text.split("\n").filter((row, index) => index === 0 || row.includes(":0050 "));
  return `${rows.join("\n").replaceAll(/ (\d{5}) (?=\d )/g, " 9$1 ")}\n`;
}

test("each network namespace is read once, and what listens there is told apart", async (t) => {
  const { host, both } = start(t);
  inNamespace(host, 100, "1");
  const pod = webOf(tcp);
  for (const pid of [300, 301]) {
    host.process(pid, { comm: "web", cgroup: unit("web"), sockets: inodes(pod) });
    inNamespace(host, pid, "4026532001", pod);
  }
  const reading = await both.ticks(3);
  const namespace = "4026532001";
  assert.equal(reading.value(listen("web.service", 80, undefined, namespace)), 1);
  assert.equal(
    reading.value(into("web.service", 80, "10.0.0.2", { namespace })),
    5,
    "not once for each process",
  );
  assert.equal(reading.value(into("app.service", 80, "10.0.0.2")), 5);
});

test("a namespace is read through another process when the first one has ended", async (t) => {
  const { host, both } = start(t);
  const text = webOf(tcp);
  for (const pid of [300, 301]) {
    host.process(pid, { comm: "web", cgroup: unit("web"), sockets: inodes(text) });
    inNamespace(host, pid, "7", text);
  }
  const reading = await both.ticks(3);
  host.remove("300/net");
  await both.ticks(1);
  assert.equal(reading.value(listen("web.service", 80, undefined, "7")), 1);
  host.remove("300");
  host.remove("301");
  await both.ticks(5);
  assert.equal(
    reading.value(listen("web.service", 80, undefined, "7")),
    undefined,
    "nobody lives there any more",
  );
});

test("the largest edges are told though they came last, and the rest is counted", async (t) => {
  const { host, both } = start(t);
  const [head = ""] = tcp.split("\n");
  const row = tcp.split("\n").find((line) => line.includes("0200000A:1538 01"))!;
  const to = (peer: number) =>
    row.replace("0200000A:1538", `${peer.toString(16).padStart(8, "0").toUpperCase()}:1538`);
  const small = Array.from({ length: limits.edgesPerDirectionMax + 20 }, (_, index) =>
    to(0x0100000a + index * 256),
  );
  const large = Array.from({ length: 5 }, () => to(0x63010a0a));
  host.write("net/tcp", [head, ...small, ...large, ""].join("\n"));
  host.remove("net/tcp6");
  const reading = await both.ticks(2);
  assert.equal(reading.value(out("app.service", "10.10.1.99", 5432)), 5);
  assert.equal(reading.ids("causeway.edge.connections").length, limits.edgesPerDirectionMax + 1);
  assert.equal(reading.value("causeway.agent.edges.skipped"), 21);
});

test("of two agents on one machine each sees its own processes and their connections", async (t) => {
  const { host } = start(t);
  host.remove("100");
  const caller = inodes(tcp).filter(
    (inode) => rowOf(inode).includes("0B00007F:1F90 01") && !rowOf(inode).includes(": 0B00007F:1F90"),
  );
  const callee = inodes(tcp).filter((inode) => rowOf(inode).includes(": 0B00007F:1F90"));
  assert.deepEqual([caller.length, callee.length], [1, 2]);
  host.process(200, { comm: "sh", parent: 1 });
  host.process(201, { comm: "pay", parent: 200, sockets: caller });
  host.process(300, { comm: "sh", parent: 1 });
  host.process(301, { comm: "ledger", parent: 300, sockets: callee });
  const agent = (pid: number, own: string) =>
    new Both(t, host.procRoot, {
      tree: new ProcessTree(host.procRoot, [pid]),
      only: { addresses: [address(own)] },
    });
  const pay = await agent(200, "127.0.0.12").ticks(3);
  const ledger = await agent(300, "127.0.0.11").ticks(3);
  assert.deepEqual(pay.ids("causeway.edge.connections"), [out("pay", "127.0.0.11", 8080, "127.0.0.11")]);
  assert.deepEqual(pay.ids("causeway.listen"), []);
  assert.deepEqual(ledger.ids("causeway.edge.connections"), [
    into("ledger", 8080, "127.0.0.11", { local: "127.0.0.11" }),
  ]);
  assert.deepEqual(ledger.ids("causeway.listen"), [listen("ledger", 8080, "127.0.0.11")]);
  const established =
    'system.network.connection.count{network.connection.state="established",network.transport="tcp"}';
  assert.deepEqual([pay.value(established), ledger.value(established)], [1, 1]);
});

test("an agent whose processes have all ended says so", async (t) => {
  const host = new HostTree(t);
  host.remove("1");
  const both = new Both(t, host.procRoot, {
    tree: new ProcessTree(host.procRoot, [4711]),
    only: { addresses: [] },
  });
  assert.deepEqual((await both.processes()).report?.absent, [
    "the processes that this agent is restricted to (processesOf)",
  ]);
});

function rowOf(inode: number): string {
  return tcp.split("\n").find((row) => row.includes(` ${inode} `)) ?? "";
}

test("a process stays in its tree when its parent ends, and its children come in", (t) => {
  const host = new HostTree(t);
  host.process(200, { parent: 1 });
  host.process(201, { parent: 200 });
  host.process(150, { parent: 201 });
  host.process(300, { parent: 1 });
  const tree = new ProcessTree(host.procRoot, [200]);
  tree.refresh([1, 150, 200, 201, 300]);
  assert.deepEqual(
    [1, 150, 200, 201, 300].filter((pid) => tree.has(pid)),
    [150, 200, 201],
  );
  host.process(150, { parent: 1 });
  host.process(400, { parent: 150 });
  tree.refresh([1, 150, 300, 400]);
  assert.deepEqual(
    [1, 150, 300, 400].filter((pid) => tree.has(pid)),
    [150, 400],
  );
});

test("an address is written as it is read, and in one way", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const once = addressText(address(text));
      assert.equal(addressText(address(once)), once);
    }),
  );
  assert.equal(addressText(address("::ffff:10.0.0.2")), "10.0.0.2");
  assert.equal(addressText(address("2001:DB8:0:0:1:0:0:1")), "2001:db8::1:0:0:1");
  for (const bad of ["", "10.0.0", "10.0.0.256", "1:2:3", ":::", "1::2::3", "g::1", "1:2:3:4:5:6:7:8:9"])
    assert.equal(parseAddress(bad, emptyAddress()), false, bad);
});
