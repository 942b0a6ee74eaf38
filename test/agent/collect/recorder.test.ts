import assert from "node:assert/strict";
import { test } from "node:test";
import { counter, gauge } from "#agent/collect/column.ts";
import { Recorder } from "#agent/collect/recorder.ts";
import { limits } from "#shared/limits.ts";

test("a column that nothing was written into for long is used for another series", () => {
  const recorder = new Recorder();
  const old = gauge("old", "1", 0);
  old.set(recorder, 1);
  assert.equal(recorder.takeFresh().length, 1);
  recorder.endTick();
  for (let tick = 0; tick < 31; tick += 1) recorder.endTick();
  assert.equal(recorder.series, 0);
  const young = gauge("young", "1", 0);
  young.set(recorder, 2);
  assert.equal(recorder.columns, 1);
  old.set(recorder, 3);
  assert.deepEqual(
    recorder.takeFresh().map(({ column, series }) => [column, series.metric]),
    [
      [0, "young"],
      [1, "old"],
    ],
  );
  assert.deepEqual([...recorder.values.subarray(0, 2)], [2, 3]);
});

test("two handles on one series share its column", () => {
  const recorder = new Recorder();
  const [one, two] = [gauge("a", "1", 0, [["b", "c"]]), gauge("a", "1", 0, [["b", "c"]])];
  one.set(recorder, 1);
  two.set(recorder, 2);
  two.set(recorder, 3);
  assert.equal(recorder.series, 1);
  assert.equal(recorder.values[0], 3);
});

test("values carry no more places than their series declares, and NaN makes no series", () => {
  const recorder = new Recorder();
  counter("a", "s", 3).set(recorder, 1.23456);
  gauge("b", "1", 0).set(recorder, Number.NaN);
  assert.equal(recorder.values[0], 1.235);
  assert.equal(recorder.series, 1);
});

test("series beyond the limit are refused and counted, and the others stay", () => {
  const recorder = new Recorder();
  for (let index = 0; index < limits.seriesPerHostMax; index += 1) {
    gauge(`m${index}`, "1", 0).set(recorder, index);
  }
  const more = gauge("more", "1", 0);
  for (let tick = 0; tick < 10; tick += 1) more.set(recorder, 1);
  assert.equal(recorder.series, limits.seriesPerHostMax);
  assert.equal(recorder.refused, 1, "asked again only now and then");
  assert.equal(recorder.values[limits.seriesPerHostMax - 1], limits.seriesPerHostMax - 1);
});
