/** Round-trip times and retransmits by edge, from what three versions of iproute2 printed of the sockets in `test/fixtures/proc/sockets`. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { addressText } from "#agent/collect/ip-address.ts";
import { createEdgeTimings } from "#agent/collect/edge-timings.ts";
import type { Probe } from "#agent/collect/probe.ts";
import { type RunSs, socketStatistics, type SsEnd } from "#agent/collect/socket-statistics.ts";
import { SocketTable } from "#agent/collect/socket-table.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { fixture, HostTree } from "./host-tree.ts";
import { Both, out } from "./socket-host.ts";

const ss = (name: string) => readFileSync(fixture(`../ss/${name}`), "latin1");
const versions = [
  "established_by_iproute2_5_10",
  "established_by_iproute2_6_1",
  "established_by_iproute2_6_15",
];
const rtt = (address: string, port: number, local?: string) =>
  out("app.service", address, port, local, "causeway.edge.rtt");
const retransmits = (address: string, port: number) =>
  out("app.service", address, port, undefined, "causeway.edge.retransmits");

/** What `text` says, line by line, whatever the pieces it comes in. */
function said(text: string, pieceLength = text.length): string[] {
  const lines: string[] = [];
  const table = new SocketTable(({ socket, rttSeconds, lastAckMs, retransmits: resent }) => {
    const { local, localPort, peer, peerPort, inode } = socket;
    lines.push(
      `${addressText(local)} ${localPort} ${addressText(peer)} ${peerPort} ${inode} ${rttSeconds} ${lastAckMs} ${resent}`,
    );
  });
  for (let at = 0; at < text.length; at += pieceLength) table.add(text.slice(at, at + pieceLength));
  return lines;
}

/** The probe on a host with the sockets of the fixture; `list` is what ss prints at the next look. */
class Looks {
  list = "";
  end: SsEnd = { cut: false };
  runs = 0;
  readonly clock = new SimClock();
  readonly host: HostTree;
  readonly both: Both;
  readonly probe: Probe;

  constructor(t: TestContext) {
    const host = new HostTree(t);
    host.remove("1");
    const tables = ["tcp", "tcp6"].map((name) => readFileSync(fixture(`sockets/${name}`), "utf8"));
    host.write("net/tcp", tables[0]!);
    host.write("net/tcp6", tables[1]!);
    const rows = tables.flatMap((table) => table.trim().split("\n").slice(1));
    const sockets = rows.map((row) => Number(row.trim().split(/\s+/)[9])).filter((inode) => inode > 0);
    host.process(100, { comm: "app", cgroup: "0::/system.slice/app.service", sockets });
    this.host = host;
    this.both = new Both(t, host.procRoot);
    const run: RunSs = (onText) => {
      this.runs += 1;
      onText(this.list);
      return Promise.resolve({ ended: Promise.resolve(this.end), kill: () => {} });
    };
    this.probe = createEdgeTimings({
      clock: this.clock,
      connections: this.both.connections,
      run,
      patienceMs: 2_500,
    });
  }

  async look(list: string) {
    this.list = list;
    await this.clock.advance(30_000);
    return this.both.reading.tick(this.probe, 30_000);
  }
}

for (const version of versions) {
  test(`every connection of ${version} is read`, () => {
    const lines = said(ss(version));
    assert.equal(
      lines.length,
      ss(version)
        .split("\n")
        .filter((line) => /^\d/.test(line)).length,
    );
    const lossy = lines.find((line) => line.startsWith("10.0.0.2 33753 10.0.0.3 5432 "))!;
    assert.match(lossy, /^10.0.0.2 33753 10.0.0.3 5432 26008 0.000384 \d+ 4$/);
    assert.ok(
      lines.some((line) => line.startsWith("2001:db8::1 9443 2001:db8::1 ")),
      "IPv6",
    );
    assert.ok(
      lines.some((line) => line.startsWith("10.0.0.2 8443 10.0.0.2 ")),
      "IPv4 on an IPv6 socket",
    );
    assert.ok(
      lines.some((line) => /^10.0.0.2 80 10.0.0.2 \d+ 0 [\de.-]+ /.test(line)),
      "not accepted yet",
    );
  });
}

test("the pieces that ss prints in do not matter, and nothing that it prints is fatal", () => {
  const text = ss(versions[1]!);
  const whole = said(text);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), (length) => assert.deepEqual(said(text, length), whole)),
  );
  fc.assert(fc.property(fc.array(fc.string()), (lines) => void said(lines.join("\n"))));
});

test("each edge has the round-trip time of its connections, and counts what they send again", async (t) => {
  const looks = new Looks(t);
  await looks.both.ticks(2);
  const text = ss(versions[1]!);
  let reading = await looks.look(text);
  assert.equal(reading.value(rtt("10.0.0.3", 5432)), 0.000384);
  assert.ok(reading.value(rtt("127.0.0.11", 8080, "127.0.0.11"))! > 0);
  assert.equal(
    reading.value(retransmits("10.0.0.3", 5432)),
    0,
    "what was before the first look is not counted",
  );
  reading = await looks.look(text.replace("retrans:0/4", "retrans:1/11"));
  assert.equal(reading.value(retransmits("10.0.0.3", 5432)), 7);
  reading = await looks.look(text.replace(/^.*10\.0\.0\.3:5432.*\n.*\n/gm, ""));
  assert.equal(
    reading.value(retransmits("10.0.0.3", 5432)),
    7,
    "a connection that closed takes nothing back",
  );
  assert.equal(reading.value(rtt("10.0.0.3", 5432)), undefined);
  reading = await looks.look(text);
  assert.equal(
    reading.value(retransmits("10.0.0.3", 5432)),
    11,
    "a new one sent all of it since the last look",
  );
});

test("a connection that has heard nothing since the last look has no round-trip time to tell", async (t) => {
  const looks = new Looks(t);
  await looks.both.ticks(2);
  await looks.look(ss(versions[1]!));
  const reading = await looks.look(ss(versions[1]!).replaceAll(/lastack:\d+/g, "lastack:45000"));
  assert.deepEqual(reading.ids("causeway.edge.rtt"), []);
});

test("an ss that tells no inodes is told apart by who is known to call", async (t) => {
  const looks = new Looks(t);
  await looks.both.ticks(2);
  const reading = await looks.look(ss("established_without_inodes_by_iproute2_6_1"));
  assert.equal(reading.value(rtt("10.0.0.3", 5432)), 0.000384);
});

test("an ss that fails is asked three times, told once, and never run again", async (t) => {
  const looks = new Looks(t);
  await looks.both.ticks(2);
  looks.end = { problem: "/bin/ss ended with 255", cut: false };
  const told: string[] = [];
  for (let look = 0; look < 10; look += 1) told.push(...((await looks.look("")).report?.absent ?? []));
  assert.deepEqual(told, ["round-trip times and retransmits of connections: /bin/ss ended with 255"]);
  assert.equal(looks.runs, 3);
});

test("an ss that the kernel refuses to answer lists connections without times, which is told", async (t) => {
  const looks = new Looks(t);
  await looks.both.ticks(2);
  let report;
  for (let look = 0; look < 3; look += 1)
    report = (await looks.look(ss("established_without_netlink_by_iproute2_6_1"))).report;
  assert.match(report?.absent?.[0] ?? "", /ss prints no round-trip times/);
});

test("an ss that hangs is killed", async (t) => {
  const looks = new Looks(t);
  let kills = 0;
  const ended = Promise.withResolvers<SsEnd>();
  const probe = createEdgeTimings({
    clock: looks.clock,
    connections: looks.both.connections,
    run: () =>
      Promise.resolve({
        ended: ended.promise,
        kill: () => {
          kills += 1;
          ended.resolve({ problem: "killed", cut: false });
        },
      }),
    patienceMs: 2_500,
  });
  const answer = probe.read({ timeMs: 0, elapsedMs: 0 }, looks.both.reading.recorder);
  await looks.clock.advance(2_600);
  assert.equal((await (answer as Promise<() => unknown>))(), undefined);
  assert.equal(kills, 1);
});

test("a host without ss says so", (t) => {
  const looks = new Looks(t);
  const { clock, both } = looks;
  const run = socketStatistics(["/nowhere/ss"]);
  const probe = createEdgeTimings({ clock, connections: both.connections, run, patienceMs: 2_500 });
  const report = probe.read({ timeMs: 0, elapsedMs: 0 }, both.reading.recorder);
  assert.ok(report !== undefined && "absent" in report);
  assert.match(report.absent?.[0] ?? "", /there is no ss/);
});

test("what is run is run without input and environment, and cut at four mebibytes", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "causeway-ss-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const program = (name: string, script: string): string => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
    return join(folder, name);
  };
  const run = async (path: string): Promise<SsEnd & { readonly text: string }> => {
    let text = "";
    const started = await socketStatistics([path])!((part) => (text += part));
    return { ...(await started.ended), text };
  };
  const echo = await run(program("echo", 'read line; echo "$* $line$HOME"'));
  assert.equal(echo.text, "-Htine state established \n");
  assert.deepEqual([echo.problem, echo.cut], [undefined, false]);
  assert.match((await run(program("fails", "exit 3"))).problem ?? "", /ended with 3$/);
  const endless = await run(program("endless", "exec yes 0123456789abcdef"));
  assert.equal(endless.cut, true);
  assert.ok(endless.text.length < 5 * 1024 * 1024, `${endless.text.length} bytes`);
});
