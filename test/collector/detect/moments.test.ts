import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createDetect } from "#collector/detect/detect.ts";
import { Moments } from "#collector/detect/moments.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { limits } from "#shared/limits.ts";
import type { Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

const startMs = Date.UTC(2026, 0, 5);
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;

function after(...moments: [atMs: number, deviation: number][]): Moments {
  const all = new Moments();
  for (const [atMs, deviation] of moments) all.add(3, startMs + atMs, deviation);
  return all;
}

test("the first time is the first time, also beside other series and other directions", () => {
  assert.equal(new Moments().reason(3, startMs, 5), null);
  const seen = after([0, -5], [hourMs, 20]);
  assert.equal(seen.reason(3, startMs + dayMs, 5), null, "neither down nor four times as far");
  assert.equal(seen.reason(4, startMs + dayMs, -5), null);
});

test("how often, since when and when last", () => {
  const seen = after([0, 5], [hourMs, 4], [3 * hourMs, 50], [5 * hourMs, 6]);
  assert.deepEqual(seen.reason(3, startMs + 7 * hourMs, 5), {
    key: "reason.similar",
    effect: "lowered",
    args: { count: 3, span: 7 * hourMs, last: 2 * hourMs },
  });
  assert.equal(after([0, 5]).reason(3, startMs + hourMs, 5)?.key, "reason.similar_once");
});

test("what comes at the same time of each day is told so, and twice is not each day", () => {
  const at = (day: number, minutes: number): [number, number] => [day * dayMs + minutes * minuteMs, 5];
  const key = (moments: Moments) => moments.reason(3, startMs + 5 * dayMs, 5)?.key;
  assert.equal(key(after(at(1, -20), at(2, 10), at(4, 25))), "reason.similar_daily");
  assert.equal(key(after(at(1, 0), at(2, 50), at(4, 0))), "reason.similar");
  assert.equal(key(after(at(2, 0), at(4, 0))), "reason.similar");
  assert.equal(
    key(after(at(5, -3), at(5, -2), at(5, -1))),
    "reason.similar",
    "three in a row are no three days",
  );
});

test("what nobody can look up any more is forgotten, and so are the series that were calm for longest", () => {
  assert.equal(after([0, 5]).reason(3, startMs + limits.momentKeptMs + 1, 5), null);
  const all = new Moments();
  for (let number = 0; number <= limits.momentSeriesPerHostMax; number += 1) {
    all.add(number, startMs, 5);
    all.add(0, startMs, 5);
  }
  assert.equal(all.reason(1, startMs + hourMs, 5), null);
  assert.notEqual(all.reason(0, startMs + hourMs, 5), null);
  all.forget(0);
  assert.equal(all.reason(0, startMs + hourMs, 5), null);
});

test("however much happens, what is kept is bounded, and a restart keeps all of it", () => {
  const happening = fc.tuple(fc.nat(300), fc.integer({ min: -9, max: 9 }));
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 2000 }), (happenings) => {
      const all = new Moments();
      for (const [index, [number, deviation]] of happenings.entries())
        all.add(number, startMs + index * minuteMs, deviation);
      const state = all.state();
      assert.ok(state.length <= limits.momentSeriesPerHostMax);
      for (const [, moments] of state) assert.ok(moments.length <= 2 * limits.momentsPerSeriesMax);
      const again = new Moments(state);
      for (const [number, deviation] of happenings)
        assert.deepEqual(
          again.reason(number, startMs + dayMs, deviation),
          all.reason(number, startMs + dayMs, deviation),
        );
    }),
    { numRuns: 30 },
  );
});

test("the third burst of a size says when the first two were", () => {
  const detect = createDetect();
  const cpu: Series = {
    metric: "system.cpu.utilization",
    unit: "1",
    instrument: "gauge",
    decimals: 3,
    labels: [],
  };
  detect.define("h", 0, cpu);
  const random = mulberry32(4);
  const told: Anomaly[] = [];
  for (let tick = 0; tick < 1000; tick += 1) {
    const burst = [400, 600, 900].some((from) => tick >= from && tick < from + 8);
    const values = Float64Array.of((burst ? 0.8 : 0.1) + 0.02 * random());
    const timeMs = startMs + tick * minuteMs;
    told.push(
      ...detect.judge({ host: "h", timeMs, intervalMs: minuteMs, series: Uint32Array.of(0), values }),
    );
  }
  const began = told.filter(({ ended, startedMs, lastMs }) => !ended && startedMs === lastMs);
  const similar = began.map(({ reasons }) => reasons.find(({ key }) => key.startsWith("reason.similar")));
  assert.deepEqual(
    similar.map((reason) => reason?.args),
    [
      undefined,
      { count: 1, span: 200 * minuteMs, last: 200 * minuteMs },
      { count: 2, span: 500 * minuteMs, last: 300 * minuteMs },
    ],
  );
});
