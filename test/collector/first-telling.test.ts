/** When an incident is told for the first time: after a look at the past, if there is one to look at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Chain, createChain } from "#collector/chain.ts";
import { canonicalLabels } from "#shared/series.ts";

const startMs = Date.UTC(2026, 0, 5);
const intervalMs = 10_000;
const usual = 60;

/** A host whose CPU was idle for ten minutes. */
function idleHost(): { chain: Chain; tell: (tick: number, value: number) => readonly { id: string }[] } {
  const chain = createChain();
  const labels = canonicalLabels([]);
  const series = {
    metric: "system.cpu.utilization",
    unit: "1",
    instrument: "gauge",
    decimals: 3,
    labels,
  } as const;
  chain.apply({ kind: "define", host: "a", number: 0, series });
  const tell = (tick: number, value: number): readonly { id: string }[] => {
    const timeMs = startMs + tick * intervalMs;
    const batch = {
      host: "a",
      timeMs,
      intervalMs,
      series: Uint32Array.of(0),
      values: Float64Array.of(value),
    };
    return chain.apply({ kind: "batch", batch }).incidents;
  };
  for (let tick = 0; tick < usual; tick += 1) {
    tell(tick, 0.1 + 0.01 * (tick % 3));
    chain.apply({ kind: "tick", nowMs: startMs + tick * intervalMs + 1_000 });
  }
  return { chain, tell };
}

/** Busy until an incident is due; what the batches told. */
function busy(
  chain: Chain,
  tell: (tick: number, value: number) => readonly { id: string }[],
): { id: string }[] {
  const told: { id: string }[] = [];
  for (let tick = usual; chain.wanted().length === 0 && tick < usual + 6; tick += 1)
    told.push(...tell(tick, 0.95));
  return told;
}

test("an incident waits for the look at its past, and is told with what that found", () => {
  const { chain, tell } = idleHost();
  assert.deepEqual(busy(chain, tell), []);
  const [request] = chain.wanted();
  const { incidents } = chain.apply({ kind: "history", id: request!.id, histories: [] });
  assert.deepEqual(
    incidents.map(({ id, revision }) => [id, revision]),
    [["INC-1", 1]],
  );
});

test("if nobody has the past, the next tick tells it, also after a restart", () => {
  const { chain, tell } = idleHost();
  busy(chain, tell);
  const again = createChain({ snapshot: chain.snapshot() });
  for (const one of [chain, again]) {
    const { incidents } = one.apply({ kind: "tick", nowMs: startMs + (usual + 6) * intervalMs });
    assert.deepEqual(
      incidents.map(({ id, revision }) => [id, revision]),
      [["INC-1", 1]],
    );
  }
});
