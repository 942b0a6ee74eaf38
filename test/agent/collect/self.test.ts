import assert from "node:assert/strict";
import { test } from "node:test";
import { createCollectStats, probeStats } from "#agent/collect/collect-stats.ts";
import { ProcReader } from "#agent/collect/proc-file.ts";
import { createProbes, usualProbes } from "#agent/collect/probes.ts";
import { createSelf, processCpuSeconds } from "#agent/collect/self.ts";
import { systemClock } from "#shared/clock.ts";
import { knownMetrics } from "#shared/semantics.ts";
import { readFileSync } from "node:fs";
import { HostTree, Reading } from "./host-tree.ts";

const agent = () => ({ bytesSent: 1000, framesSent: 10, spoolBytes: 4096, spoolFrames: 3 });

test("the agent tells what it costs, what it sent and what its probes could not do", async (t) => {
  const host = new HostTree(t);
  host.write("self/statm", "250000 12000 9000 100 0 5000 0\n");
  const collect = createCollectStats();
  collect.ticksMissed = 4;
  probeStats(collect, "slow").failures.late = 2;
  probeStats(collect, "slow").durationSeconds = 0.0123456;
  probeStats(collect, "fine").durationSeconds = 0.001;
  let cpu = 5;
  const kernel = { pageBytes: 4096, ticksPerSecond: 100 };
  const cpuSeconds = () => (cpu += 0.05);
  const probe = createSelf({
    reader: new ProcReader(),
    procRoot: host.procRoot,
    kernel,
    collect,
    agent,
    cpuSeconds,
  });
  t.after(() => probe.close());
  const reading = new Reading();
  await reading.tick(probe);
  await reading.tick(probe);
  assert.equal(reading.value("causeway.agent.cpu.utilization"), 0.005);
  assert.equal(reading.value("causeway.agent.memory.rss"), 12_000 * 4096);
  assert.equal(reading.value("causeway.agent.memory.anonymous"), 3_000 * 4096);
  assert.equal(reading.value("causeway.agent.sent"), 1000);
  assert.equal(reading.value("causeway.agent.spool.frames"), 3);
  assert.equal(reading.value("causeway.agent.ticks.missed"), 4);
  assert.equal(reading.value('causeway.agent.probe.duration{causeway.probe="slow"}'), 0.01235);
  assert.equal(reading.value('causeway.agent.probe.failures{causeway.probe="slow",reason="late"}'), 2);
  assert.deepEqual(reading.ids('causeway.agent.probe.failures{causeway.probe="fine"'), []);
  assert.equal(probe.cost().rssBytes, 12_000 * 4096);
});

test("every metric that the probes tell on this machine is known to detection and stands in the README", async (t) => {
  const stats = createCollectStats();
  const config = { ...usualProbes, intervalMs: 10_000, perCore: true };
  const { all } = createProbes({ clock: systemClock, config, stats, agent, cpuSeconds: processCpuSeconds });
  t.after(() => all.forEach((probe) => probe.close()));
  for (const probe of all) probeStats(stats, probe.name);
  const reading = new Reading();
  const metrics = new Set<string>();
  for (let tick = 0; tick < 3; tick += 1) {
    for (const probe of all) {
      await reading.tick(probe);
      for (const id of reading.ids()) metrics.add(id.split("{")[0] ?? id);
    }
  }
  assert.ok(metrics.has("system.cpu.utilization") && metrics.has("system.filesystem.utilization"));
  const readme = readFileSync(new URL("../../../agent/collect/README.md", import.meta.url), "utf8");
  for (const metric of metrics) {
    assert.ok(
      metric.startsWith("causeway.agent.") || knownMetrics.includes(metric),
      `${metric}: not in semantics.ts`,
    );
    assert.ok(readme.includes(`\`${metric}\``), `${metric}: not in agent/collect/README.md`);
  }
});

test("the order in which probes are given up is the one that the README tells", () => {
  const stats = createCollectStats();
  const config = { ...usualProbes, intervalMs: 10_000 };
  const { all } = createProbes({ clock: systemClock, config, stats, agent, cpuSeconds: () => 0 });
  const ranked = all.filter(({ shedRank }) => shedRank > 0).sort((a, b) => b.shedRank - a.shedRank);
  assert.deepEqual(
    ranked.map(({ name }) => name),
    ["edge-timings", "connections", "cgroups", "processes", "host-filesystem", "host-network"],
  );
  assert.equal(all.at(-1)?.name, "self");
});
