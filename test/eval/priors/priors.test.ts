/** The priors that are shipped: made by the script, and what the script makes of what it is given. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hash, priorRows } from "#collector/detect/priors-data.ts";
import { priorOf } from "#collector/detect/priors.ts";
import { metricKinds } from "#collector/detect/policy.ts";
import { fileOf, hashOf, simulatedSpreads } from "./make-priors.ts";
import { type KindSpread, pooled, type PooledRow } from "./pool.ts";
import { quantile, spreadOf } from "./spread.ts";
import { mulberry32 } from "#test/sim/random.ts";

test("the file is as the script wrote it, and names no metric that nothing is known of", () => {
  assert.equal(hash, hashOf(priorRows));
  assert.ok(fileOf(priorRows).includes(`export const hash = "${hash}";`));
  for (const [kind, , , deviation, share, series, hours] of priorRows) {
    assert.ok(metricKinds.includes(kind) && kind !== "counter");
    assert.ok(deviation >= 0 && share >= 0 && deviation + share > 0 && Number.isFinite(deviation + share));
    assert.ok(series >= 1 && hours > 0);
  }
});

test("what is simulated comes out as it is shipped, to the byte", () => {
  const simulated = priorRows.filter((row) => row[7] === "simulated");
  assert.ok(simulated.length >= 4);
  const again = pooled(simulatedSpreads()).filter(([kind, resource, unit]) =>
    simulated.some((row) => row[0] === kind && row[1] === resource && row[2] === unit),
  );
  assert.deepEqual(again, simulated);
});

test("what a script cannot know has no prior", () => {
  const { deviation } = priorOf({ kind: "counter", resource: "none", unit: "1" });
  assert.ok(Number.isNaN(deviation));
  assert.ok(priorOf({ kind: "utilisation", resource: "cpu", unit: "1" }).deviation > 0);
});

test("a series' spread is that around its level, whatever its drift and one fault in it", () => {
  const random = mulberry32(3);
  const calm = Array.from({ length: 2000 }, (_, index) => 5 + index / 1000 + (random() - 0.5));
  const spread = spreadOf(calm)!;
  // Uniform noise of width 1 has 0.29; around a level that follows 20 samples a little more.
  assert.ok(spread.deviation > 0.28 && spread.deviation < 0.31, `${spread.deviation}`);
  assert.ok(Math.abs(spread.level - 6) < 0.1);
  const faulty = spreadOf([...calm.slice(0, 1000), 15, 15, 15, ...calm.slice(1000)])!;
  assert.ok(faulty.deviation < 3 * spread.deviation, `${faulty.deviation}`);
  assert.equal(spreadOf(calm.slice(0, 50)), null, "too short");
  assert.equal(spreadOf(calm.map(() => 7)), null, "it never moved");
});

function ofLevel(level: number, deviation: number, simulated = false): KindSpread {
  return {
    kind: "latency",
    resource: "none",
    unit: "s",
    level,
    deviation,
    samples: 500,
    hours: 1,
    simulated,
  };
}

test("share and amount are those of the series, and few series are not sure", () => {
  const many = Array.from({ length: 100 }, (_, index) => ofLevel(1 + index, 0.05 * (1 + index)));
  const row = (rows: readonly KindSpread[]): PooledRow => pooled(rows)[0]!;
  assert.deepEqual(row(many).slice(3), [0, 0.0505, 100, 100, "recorded"]);
  assert.deepEqual(row([ofLevel(10, 0.5, true)]).slice(3), [0, 0.1, 1, 1, "simulated"]);
  assert.equal(row([ofLevel(10, 0.5, true), ofLevel(10, 0.5)])[7], "both");
  assert.deepEqual(pooled([{ ...ofLevel(1, 1), kind: "counter" }]), []);
});

test("a quantile lies between the two nearest", () => {
  assert.deepEqual([quantile([3, 1, 2], 0.5), quantile([1, 2], 0.25), quantile([4], 1)], [2, 1.25, 4]);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});
