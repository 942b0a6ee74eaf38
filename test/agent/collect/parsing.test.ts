import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { Cursor } from "#agent/collect/cursor.ts";
import { filesToKeepOpen, parseAuxv, readKernel } from "#agent/collect/kernel.ts";
import { addressText } from "#agent/collect/ip-address.ts";
import { KeyedLines, PairedLines } from "#agent/collect/keyed-lines.ts";
import { parseMounts } from "#agent/collect/mounts.ts";
import { emptyProcessStat, parseProcessStat } from "#agent/collect/process-stat.ts";
import { Rows } from "#agent/collect/rows.ts";
import { cgroupName, serviceOf } from "#agent/collect/service-name.ts";
import { emptySocket, parseTcpTable } from "#agent/collect/tcp-table.ts";
import { cursorOf, cursorOver, fixture } from "./host-tree.ts";

test("the cursor reads the numbers of a line as JavaScript reads them", () => {
  const numbers = fc.array(fc.nat(Number.MAX_SAFE_INTEGER), { minLength: 1 });
  fc.assert(
    fc.property(numbers, (expected) => {
      const cursor = cursorOf(`${expected.join("  ")}\n7`);
      assert.deepEqual(
        expected.map(() => cursor.number()),
        expected,
      );
      assert.ok(Number.isNaN(cursor.number()), "it must not run on into the next line");
      assert.ok(cursor.nextLine());
      assert.equal(cursor.number(), 7);
    }),
  );
});

test("the cursor reads hexadecimal words and decimals", () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(9999), (word, hundredths) => {
      assert.equal(cursorOf(word.toString(16)).hex(), word);
      assert.equal(cursorOf((hundredths / 100).toFixed(2)).decimal(), hundredths / 100);
    }),
  );
});

test("no bytes make a parser throw or run past the end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      parseProcessStat(new Cursor(bytes), emptyProcessStat());
      parseTcpTable(new Cursor(bytes), emptySocket(), () => {});
      new KeyedLines(["a", "MemFree"]).read(new Cursor(bytes));
      new PairedLines("Tcp:", ["a"]).read(new Cursor(bytes));
      parseMounts(Buffer.from(bytes).toString());
      parseAuxv(bytes.slice());
    }),
  );
});

test("keys are found again after the kernel's list of them has changed", () => {
  const lines = new KeyedLines(["b", "d"]);
  const read = (text: string) => [...lines.read(cursorOf(text))];
  assert.deepEqual(read("a 1\nb 2\nc 3\n"), [2, Number.NaN]);
  assert.deepEqual(read("a 1\nnew 9\nb: 4 kB\nc 3\nd 5\n"), [4, 5]);
  assert.deepEqual(read("b 6\n"), [6, Number.NaN]);
});

test("a row keeps its entry when rows before it come and go", () => {
  let made = 0;
  const rows = new Rows((name) => ({ name, number: (made += 1) }), 3);
  const find = (text: string) =>
    text.split(" ").map((word, index) => {
      const cursor = cursorOf(word);
      return rows.at(index, cursor, 0, cursor.end)?.number;
    });
  assert.deepEqual(find("sda sdb"), [1, 2]);
  assert.deepEqual(find("new sda sdb"), [3, 1, 2]);
  assert.deepEqual(find("sdb more"), [2, undefined], "there is room for three names");
  assert.equal(rows.refused, 1);
});

test("a process may be called anything, brackets and line ends included", () => {
  const cursor = cursorOver("comm_with_brackets_spaces_and_newline.stat");
  const stat = emptyProcessStat();
  assert.ok(parseProcessStat(cursor, stat));
  assert.equal(cursor.text(stat.commStart, stat.commEnd), "a) b (c\n) 7");
  assert.equal(String.fromCharCode(stat.state), "R");
  assert.equal(stat.cpuTicks, 200);
  assert.equal(stat.startTicks, 234_009);
  assert.equal(stat.rssPages, 8192);
});

test("page size and tick rate come from the auxiliary vector, and have the usual values without it", () => {
  assert.deepEqual(readKernel(fixture("host")), { pageBytes: 4096, ticksPerSecond: 100 });
  const words = BigUint64Array.of(3n, 77n, 6n, 65_536n, 17n, 250n, 0n, 0n, 6n, 1n);
  assert.deepEqual(parseAuxv(new Uint8Array(words.buffer)), { pageBytes: 65_536, ticksPerSecond: 250 });
  assert.deepEqual(readKernel("/nowhere"), { pageBytes: 4096, ticksPerSecond: 100 });
});

test("the agent keeps no more files open than half of what it may", () => {
  assert.equal(filesToKeepOpen("/nowhere"), 512);
  assert.ok(filesToKeepOpen("/proc") > 0 && filesToKeepOpen("/proc") <= 8192);
});

test("mounts: once per filesystem, without pseudo ones and images, network ones counted", () => {
  const { kept, skipped } = parseMounts(readFileSync(fixture("host/1/mountinfo"), "utf8"));
  assert.deepEqual(
    kept.map(({ mountpoint, type, readOnly }) => [mountpoint, type, readOnly]),
    [
      ["/dev/shm", "tmpfs", false],
      ["/", "ext4", false],
      ["/data files", "xfs", false],
      ["/boot", "ext4", true],
    ],
  );
  assert.equal(skipped, 3, "nfs, cifs and fuse");
});

test("what is mounted over another filesystem hides it", () => {
  const { kept } = parseMounts(
    "1 0 8:1 / /data rw - ext4 /dev/sda1 rw\n2 0 8:2 / /data rw - xfs /dev/sdb1 rw\n",
  );
  assert.deepEqual(
    kept.map(({ device }) => device),
    ["/dev/sdb1"],
  );
});

const id = "4f1c9a0b2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c";
const identities: readonly (readonly [what: string, cgroup: string, name: string, source: string])[] = [
  ["a unit, version 2", "0::/system.slice/nginx.service\n", "nginx.service", "systemd"],
  [
    "a unit of a nested slice",
    "0::/system.slice/system-getty.slice/getty@tty1.service",
    "getty@tty1.service",
    "systemd",
  ],
  [
    "a unit, version 1 and hybrid",
    "4:memory:/system.slice/x\n1:name=systemd:/system.slice/sshd.service\n0::/\n",
    "sshd.service",
    "systemd",
  ],
  ["a unit with an escaped name", "0::/system.slice/a\\x2db.service", "a-b.service", "systemd"],
  ["what a unit made below itself", "0::/system.slice/db.service/worker/3", "db.service", "systemd"],
  ["docker with systemd", `0::/system.slice/docker-${id}.scope`, "4f1c9a0b2d3e", "container"],
  ["docker without", `9:cpu:/docker/${id}\n`, "4f1c9a0b2d3e", "container"],
  [
    "kubernetes, containerd",
    `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope`,
    "4f1c9a0b2d3e",
    "container",
  ],
  ["kubernetes, crio", `0::/kubepods/besteffort/pod1/crio-${id}`, "4f1c9a0b2d3e", "container"],
  ["podman", `0::/machine.slice/libpod-${id}.scope/container`, "4f1c9a0b2d3e", "container"],
  ["a session of a user", "0::/user.slice/user-1000.slice/session-3.scope", "java", "executable"],
  [
    "a unit inside a user's session",
    "0::/user.slice/user-1.slice/user@1.service/app.slice/a.service",
    "java",
    "executable",
  ],
  ["no control group at all", "0::/\n", "java", "executable"],
  ["one that cannot be read", "", "java", "executable"],
];
for (const [what, cgroup, name, source] of identities) {
  test(`a process belongs to the service of its control group: ${what}`, () => {
    assert.deepEqual(serviceOf(cgroup, "java"), { name, source });
  });
}

test("a control group's directory is told by its unit or its container's short id", () => {
  assert.equal(cgroupName(`cri-containerd-${id}.scope`), "4f1c9a0b2d3e");
  assert.equal(cgroupName("nginx.service"), "nginx.service");
  assert.equal(cgroupName("kubepods.slice"), undefined);
  assert.equal(cgroupName(`${id}0`), undefined, "65 digits are no container");
});

test("sockets of both families are read, and an IPv4 peer of an IPv6 socket is told as IPv4", () => {
  const seen: string[] = [];
  const socket = emptySocket();
  for (const name of ["host/net/tcp", "host/net/tcp6"]) {
    const malformed = parseTcpTable(cursorOver(name), socket, (one) => {
      seen.push(`${one.localPort} ${one.state} ${addressText(one.peer)}:${one.peerPort} ${one.inode}`);
    });
    assert.equal(malformed, 0);
  }
  assert.deepEqual(seen, [
    "80 10 0.0.0.0:0 5001",
    "45678 10 0.0.0.0:0 5009",
    "80 1 10.0.0.7:49153 5101",
    "80 1 10.0.0.7:49154 5102",
    "80 6 10.0.0.8:49155 0",
    "40000 1 10.0.0.9:5432 5201",
    "40001 1 10.0.0.9:5432 5202",
    "40002 6 10.0.0.9:5432 0",
    "40003 2 10.0.0.11:6379 5203",
    "54321 6 127.0.0.1:54322 0",
    "8080 10 :::0 5002",
    "8080 1 10.0.0.7:49168 5301",
    "40016 1 2001:db8::2:443 5302",
  ]);
});

test("a line of the socket table that is cut costs only itself", () => {
  const text = readFileSync(fixture("host/net/tcp"), "utf8").split("\n");
  text[2] = "   1: 0100007F:B2";
  let sockets = 0;
  assert.equal(
    parseTcpTable(cursorOf(text.join("\n")), emptySocket(), () => void (sockets += 1)),
    1,
  );
  assert.equal(sockets, 9);
});
