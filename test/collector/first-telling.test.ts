/** When an incident is told for the first time: after a look at the past, if there is one to look at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Chain, createChain } from "#collector/chain.ts";
import { canonicalLabels } from "#shared/series.ts";

const startMs = Date.UTC(2026, 0, 5);
const intervalMs = 10_000;
const usual = 60;
const idle = (tick: number): number => 0.1 + 0.01 * (tick % 3);

/** Hosts with one CPU each that were idle for ten minutes; the first calls the second, and so on. */
function idleHosts(...hosts: readonly string[]) {
  const chain = createChain();
  const labels = canonicalLabels([]);
  const series = {
    metric: "system.cpu.utilization",
    unit: "1",
    instrument: "gauge",
    decimals: 3,
    labels,
  } as const;
  for (const [index, host] of hosts.entries()) {
    chain.apply({ kind: "define", host, number: 0, series });
    if (index > 0) chain.topology.declare(hosts[index - 1]!, host);
  }
  const tell = (host: string, tick: number, value: number): readonly { id: string }[] => {
    const timeMs = startMs + tick * intervalMs;
    const batch = { host, timeMs, intervalMs, series: Uint32Array.of(0), values: Float64Array.of(value) };
    return chain.apply({ kind: "batch", batch }).incidents;
  };
  const pass = (tick: number): readonly { id: string; revision: number }[] =>
    chain.apply({ kind: "tick", nowMs: startMs + tick * intervalMs + 1_000 }).incidents;
  for (let tick = 0; tick < usual; tick += 1) {
    for (const host of hosts) tell(host, tick, idle(tick));
    pass(tick);
  }
  return { chain, tell, pass };
}

/** Busy until an incident is due; what the batches told. */
function busy({ chain, tell }: ReturnType<typeof idleHosts>): { id: string }[] {
  const told: { id: string }[] = [];
  for (let tick = usual; chain.wanted().length === 0 && tick < usual + 6; tick += 1)
    told.push(...tell("a", tick, 0.95));
  return told;
}

const revisionsOf = (incidents: readonly { id: string; revision: number }[]) =>
  incidents.map(({ id, revision }) => [id, revision]);

test("an incident waits for the look at its past, and is told with what that found", () => {
  const hosts = idleHosts("a");
  assert.deepEqual(busy(hosts), []);
  const look = (chain: Chain) =>
    chain.apply({ kind: "history", id: chain.wanted()[0]!.id, histories: [] }).incidents;
  assert.deepEqual(revisionsOf(look(hosts.chain)), [["INC-1", 1]]);
});

test("if nobody has the past, the next tick tells it, also after a restart", () => {
  const { chain, ...rest } = idleHosts("a");
  busy({ chain, ...rest });
  const again = createChain({ snapshot: chain.snapshot() });
  for (const one of [chain, again]) {
    const { incidents } = one.apply({ kind: "tick", nowMs: startMs + (usual + 6) * intervalMs });
    assert.deepEqual(revisionsOf(incidents), [["INC-1", 1]]);
  }
});

test("what became part of another trouble while it waited is never told", () => {
  const { tell, pass } = idleHosts("web", "pay", "db");
  const told: string[] = [];
  for (let tick = usual; tick < usual + 20; tick += 1) {
    // Two calls away and more than a minute apart; but what lies between suffers as well, and is heard last.
    const later = tick >= usual + 8 ? 0.95 : idle(tick);
    tell("web", tick, 0.95);
    tell("db", tick, later);
    tell("pay", tick, later);
    told.push(...pass(tick).map(({ id }) => id));
  }
  assert.deepEqual([...new Set(told)], ["INC-1"]);
});
