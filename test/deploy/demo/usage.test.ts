import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hostMemoryBytes, otlpOf, usageBelow, UsageMeter } from "../../../deploy/demo/hosts/usage.ts";

const mebibyte = 1024 * 1024;

/** A /proc of a few processes: number, parent, resident MiB, ticks used, ticks of ended children. */
function withProc(processes: readonly (readonly number[])[], run: (root: string) => void): void {
  const root = mkdtempSync(join(os.tmpdir(), "causeway-demo-test-"));
  try {
    for (const [pid = 0, parent = 0, residentMebibytes = 0, ticks = 0, endedTicks = 0] of processes) {
      mkdirSync(join(root, String(pid)));
      writeFileSync(
        join(root, String(pid), "status"),
        `Name:\tx\nPPid:\t${parent}\nVmRSS:\t    ${residentMebibytes * 1024} kB\n`,
      );
      const before = Array.from({ length: 9 }, () => "0").join(" ");
      writeFileSync(
        join(root, String(pid), "stat"),
        `${pid} (a) b) S ${parent} ${before} ${ticks} 0 ${endedTicks} 0 20 0`,
      );
    }
    mkdirSync(join(root, "net"));
    run(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("a host's use is that of its first process and all below it, in whatever order they are listed", () => {
  const processes = [
    [10, 1, 50, 100, 300],
    [9, 11, 30, 50, 999],
    [11, 10, 20, 200, 0],
    [12, 1, 500, 5_000, 0],
  ];
  withProc(processes, (root) => {
    assert.deepEqual(usageBelow(10, root), { cpuSeconds: 6.5, memoryBytes: 100 * mebibyte });
  });
});

test("CPU is the share of the time since the last report, and never below nothing or above all", () => {
  const meter = new UsageMeter();
  const usage = (cpuSeconds: number) => ({ cpuSeconds, memoryBytes: 1 });
  assert.equal(meter.report("a", usage(5), 0).cpuShare, null);
  assert.equal(meter.report("a", usage(7.5), 10_000).cpuShare, 0.25);
  assert.equal(meter.report("a", usage(7), 20_000).cpuShare, 0);
  assert.equal(meter.report("a", usage(70), 30_000).cpuShare, 1);
});

test("what is told is OTLP of that host, by OpenTelemetry's names", () => {
  const text = JSON.stringify(
    otlpOf({ host: "app-01", atMs: 1_700_000_000_123, cpuShare: 0.5, memoryBytes: hostMemoryBytes / 4 }),
  );
  assert.match(text, /"key":"host.name","value":{"stringValue":"app-01"}/);
  assert.match(
    text,
    /"system.cpu.utilization","unit":"1","gauge":{"dataPoints":\[{"timeUnixNano":"1700000000123000000","asDouble":0.5}/,
  );
  assert.match(text, /"system.memory.utilization".*"asDouble":0.25/);
});
