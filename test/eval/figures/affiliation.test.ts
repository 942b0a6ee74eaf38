/** Affiliation: the example of its paper, and its ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { affiliationOf, affiliationSums } from "./affiliation.ts";

function rows(length: number, spans: readonly (readonly [number, number])[]): Uint8Array {
  const array = new Uint8Array(length);
  for (const [from, to] of spans) array.fill(1, from, to);
  return array;
}

function near(actual: number | undefined, wanted: number): void {
  assert.ok(Math.abs(actual! - wanted) < 1e-9, `got ${actual}, want ${wanted}`);
}

test("the example of the paper has its figures: 0.672 and 0.944 for the second event", () => {
  const labels = rows(180, [
    [0, 10],
    [50, 70],
    [170, 175],
  ]);
  const predicted = rows(180, [
    [5, 6],
    [7, 10],
    [11, 12],
    [40, 60],
    [115, 130],
    [135, 140],
    [165, 170],
  ]);
  const { precisions, recalls } = affiliationSums(predicted, labels);
  near(precisions[1], 0.6722222222222222);
  near(recalls[1], 0.9444444444444444);
});

test("the labels themselves are perfect, nothing is nothing", () => {
  const labels = rows(100, [
    [20, 30],
    [70, 71],
  ]);
  assert.deepEqual(affiliationOf([affiliationSums(labels, labels)]), { precision: 1, recall: 1, f1: 1 });
  const silent = affiliationOf([affiliationSums(new Uint8Array(100), labels)]);
  assert.deepEqual([silent.precision, silent.recall, silent.f1], [NaN, 0, 0]);
});

test("exact integrals are what many small steps give", () => {
  const labels = rows(60, [
    [10, 17],
    [30, 33],
  ]);
  const predicted = rows(60, [
    [2, 4],
    [12, 13],
    [20, 26],
    [50, 55],
  ]);
  const got = affiliationSums(predicted, labels);
  const zones = [
    { zone: [0, 23.5], event: [10, 17] },
    { zone: [23.5, 60], event: [30, 33] },
  ] as const;
  const isIn = (x: number, [from, to]: readonly [number, number]): boolean => x >= from && x < to;
  const steps = 2000;
  for (const [index, { zone, event }] of zones.entries()) {
    const moments = Array.from({ length: 60 * steps }, (_, at) => (at + 0.5) / steps).filter((x) =>
      isIn(x, zone),
    );
    const alarms = moments.filter((x) => predicted[Math.floor(x)] === 1);
    const distance = (x: number): number => Math.max(0, event[0] - x, x - event[1]);
    const whole = zone[1] - zone[0];
    const farther = (d: number): number =>
      d === 0 ? 1 : (Math.max(0, event[0] - zone[0] - d) + Math.max(0, zone[1] - event[1] - d)) / whole;
    const precision = alarms.reduce((sum, x) => sum + farther(distance(x)), 0) / alarms.length;
    assert.ok(Math.abs(precision - got.precisions[index]!) < 1e-3, `precision ${index}`);
    const inside = moments.filter((x) => isIn(x, event)).filter((_, at) => at % 20 === 0);
    const covered = inside.map((y) => {
      const d = alarms.reduce((least, x) => Math.min(least, Math.abs(x - y)), Infinity);
      return 1 - (Math.min(zone[1], y + d) - Math.max(zone[0], y - d)) / whole;
    });
    const recall = covered.reduce((sum, one) => sum + one, 0) / inside.length;
    assert.ok(
      Math.abs(recall - got.recalls[index]!) < 1e-2,
      `recall ${index}: ${recall} ${got.recalls[index]}`,
    );
  }
});
