import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { expectedDeviation, floorOf, tailScore, zMin } from "#collector/detect/level.ts";
import { Policies } from "#collector/detect/policy.ts";
import { scalesOf } from "#collector/detect/scales.ts";
import { near, SeriesTable, wide } from "#collector/detect/series-state.ts";
import { Sweep } from "#collector/detect/sweep.ts";
import { Tick } from "#collector/detect/tick.ts";

test("the tail of Student's t with 4 degrees of freedom is that of the tables", () => {
  // Two-sided 5 % and 1 % points: 2.776 and 4.604.
  assert.ok(Math.abs(tailScore(2.7764) - -Math.log10(0.05)) < 1e-3);
  assert.ok(Math.abs(tailScore(4.6041) - -Math.log10(0.01)) < 1e-3);
  assert.equal(tailScore(0), 0);
  assert.equal(tailScore(1e9), 16);
  assert.equal(tailScore(Number.POSITIVE_INFINITY), 16);
});

test("a larger deviation never scores less", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e8, noNaN: true }),
      fc.double({ min: 0, max: 1e8, noNaN: true }),
      (a, b) => {
        assert.ok(tailScore(Math.max(a, b)) >= tailScore(Math.min(a, b)));
      },
    ),
    { seed: 2 },
  );
});

function tableWith(metric: string, level: number): SeriesTable {
  const table = new SeriesTable("h", new Policies([]), 3);
  table.define(0, { metric, unit: "1", instrument: "gauge", decimals: 3, labels: [] });
  table.wide[wide.level] = level;
  return table;
}

test("the floor is the largest of the kind's, the level's share and the range's noise", () => {
  // A CPU matters from 15 points on: that is zMin of the smallest deviation that is believed.
  assert.ok(Math.abs(zMin * floorOf(tableWith("system.cpu.utilization", 0.2), 0, 0) - 0.15) < 1e-6);
  const latency = tableWith("http_request_duration_seconds", 4);
  assert.ok(Math.abs(zMin * floorOf(latency, 0, 0) - 0.4) < 1e-6, "a tenth of the level");
  assert.ok(Math.abs(floorOf(tableWith("custom.thing", 5), 0, 1000) - 7) < 1e-6, "noise of the range");
});

test("a sample exceeds exactly where it deviates by zMin of the expected deviation", () => {
  const table = tableWith("custom.thing", 10);
  table.near[near.variance] = 4;
  table.near[near.shortVariance] = 4;
  table.samples[0] = 60_000;
  const tick = new Tick();
  const sweep = new Sweep(table);
  const moment = { dayClass: 0, hour: 0, from: 0, to: 0, share: 0 };
  const judged = (value: number): number => {
    const batch = { host: "h", timeMs: 1, intervalMs: 60_000, series: Uint32Array.of(0) };
    sweep.pass(
      { ...batch, values: Float64Array.of(value) },
      tick,
      1,
      scalesOf(batch.intervalMs),
      moment,
      moment,
    );
    return Math.sqrt(tick.unusual[0]!);
  };
  const deviation = zMin * expectedDeviation(table, 0, scalesOf(60_000));
  assert.ok(judged(10 + deviation * 1.01) >= zMin);
  assert.ok(judged(10 - deviation * 0.99) < zMin);
});
