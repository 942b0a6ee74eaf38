// What comes and goes does not make the collector grow: processes within a host, and hosts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Chain, createChain } from "#collector/chain.ts";
import { usualPolicy } from "#collector/detect/detect.ts";
import { Hosts } from "#collector/ingest/ingest.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import type { DecodedFrame } from "#shared/wire/wire.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

const startMs = Date.UTC(2026, 0, 5);
const dayMs = 86_400_000;
const agentId = "aaaaaaaa-0000-0000-0000-000000000001";

const cpu: Series = {
  metric: "system.cpu.utilization",
  unit: "1",
  instrument: "gauge",
  decimals: 3,
  labels: [],
};

function processCpu(pid: number): Series {
  const labels = canonicalLabels([
    ["process.pid", `${pid}`],
    ["process.executable.name", "job"],
  ]);
  return { ...cpu, metric: "process.cpu.utilization", labels };
}

interface Tick {
  readonly agent?: string;
  readonly host: string;
  readonly timeMs: number;
  readonly intervalMs: number;
  readonly key: boolean;
  readonly definitions: readonly { column: number; series: Series }[];
  readonly values: readonly number[];
}

/** One frame of an agent goes its way from the columns to the verdict, as the collector does it. */
function say(hosts: Hosts, chain: Chain, tick: Tick): void {
  const { agent = agentId, host, timeMs, intervalMs, key, definitions, values } = tick;
  const frame: DecodedFrame = {
    header: { version: 1, key, agentId: agent, epoch: 1, sequence: 0, baseTimeMs: timeMs, intervalMs },
    resource: key ? [["host.name", host]] : null,
    definitions: [...definitions],
    ticks: [{ timeMs, values: Float64Array.from(values) }],
    losses: [],
  };
  const arrival = hosts.arrive(agent, 0, frame)!;
  for (const fresh of arrival.fresh) chain.apply({ kind: "define", ...fresh });
  for (const batch of arrival.batches) chain.apply({ kind: "batch", batch });
}

/** The journal's ticks from one moment to another; hosts that are gone are forgotten where the follower forgets them. */
function pass(hosts: Hosts, chain: Chain, fromMs: number, toMs: number): void {
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 20_000) {
    for (const { host, what } of chain.apply({ kind: "tick", nowMs }).departures) {
      if (what === "gone") hosts.retire(host);
      else hosts.forget(host);
    }
  }
}

test("100,000 processes that come and go in a week leave a host as large as the first day did", () => {
  const intervalMs = 600_000;
  const perTick = 100;
  const hosts = new Hosts();
  const chain = createChain();
  const random = mulberry32(3);
  const sizes: { numbers: number; bytes: number }[] = [];
  let pid = 0;
  for (let timeMs = startMs; timeMs < startMs + 7 * dayMs; timeMs += intervalMs) {
    const jobs = Array.from({ length: perTick }, (_, index) => ({
      column: 1 + index,
      series: processCpu((pid += 1)),
    }));
    const key = (timeMs - startMs) % 3_600_000 === 0;
    const definitions = key ? [{ column: 0, series: cpu }, ...jobs] : jobs;
    const values = [0.1 + 0.02 * random(), ...jobs.map(() => random())];
    say(hosts, chain, { host: "web", timeMs, intervalMs, key, definitions, values });
    chain.apply({ kind: "tick", nowMs: timeMs });
    if ((timeMs + intervalMs - startMs) % dayMs === 0)
      sizes.push({ numbers: hosts.series("web").length, bytes: chain.snapshot().length });
  }
  assert.equal(pid, 100_800);
  assert.equal(hosts.refused, 0);
  const [first, last] = [sizes[0]!, sizes.at(-1)!];
  // What is kept of the dead, and one segment's worth that is not swept yet.
  assert.ok(last.numbers <= 1 + 4_000 + 7 * perTick, `${last.numbers} numbers`);
  assert.equal(last.numbers, first.numbers);
  assert.ok(last.bytes <= first.bytes * 1.05, `${first.bytes} bytes after a day, ${last.bytes} after a week`);
});

test("a thousand hosts that come for an hour and never again leave nothing behind", () => {
  const policy = { ...usualPolicy, hostGoneMs: 2 * 3_600_000 };
  const hosts = new Hosts();
  const chain = createChain({ policy });
  const sizeOf = (): number => chain.snapshot().length + JSON.stringify(hosts.snapshot()).length;
  const empty = sizeOf();
  const intervalMs = 1_800_000;
  const definitions = [cpu, processCpu(1), processCpu(2)].map((series, column) => ({ column, series }));
  let nowMs = startMs;
  let largest = 0;
  for (let batch = 0; batch < 50; batch += 1) {
    for (let tick = 0; tick < 2; tick += 1) {
      for (let index = 0; index < 20; index += 1) {
        const host = `vm-${batch}-${index}`;
        const agent = `${host}-agent`;
        chain.apply({ kind: "addresses", host, addresses: [`10.1.${batch}.${index}`] });
        const values = [0.1, 0.2, 0.3];
        say(hosts, chain, { agent, host, timeMs: nowMs, intervalMs, key: tick === 0, definitions, values });
      }
      pass(hosts, chain, nowMs, nowMs + intervalMs);
      nowMs += intervalMs;
    }
    largest = Math.max(largest, hosts.facts().filter(({ series }) => series > 0).length);
  }
  assert.ok(largest <= 80, `${largest} hosts at once`);
  assert.equal(chain.detect.state("vm-0-0"), "gone");
  pass(hosts, chain, nowMs, nowMs + 3 * 3_600_000);
  // An hour later incidents are forgotten too, and after a week the names.
  pass(hosts, chain, nowMs + 3 * 3_600_000, nowMs + 8 * dayMs);
  assert.deepEqual([hosts.facts(), chain.detect.open(), chain.openIncidents()], [[], [], []]);
  assert.equal(chain.detect.state("vm-0-0"), "up");
  // What stays is how the one incident of it all was, for the next one like it.
  assert.ok(sizeOf() - empty < 1_000, `${sizeOf() - empty} bytes left`);
});
