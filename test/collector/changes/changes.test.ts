/** The state of changes: known once, in order, bounded, the same after a restart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type Changes, createChanges } from "#collector/changes/changes.ts";
import type { Change } from "#shared/contract/change.ts";
import { limits } from "#shared/limits.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { startMs } from "#test/collector/anomalies.ts";

function change(id: string, atS = 0, title = "pay 4.2.0"): Change {
  const target = { of: "service", name: "pay" } as const;
  return { id, kind: "release", atMs: startMs + atS * 1000, title, target, by: "", link: "" };
}

function ofService(name: string): Series {
  const labels = canonicalLabels([["service.name", name]]);
  return { metric: "causeway.service.cpu.time", unit: "s", instrument: "counter", decimals: 2, labels };
}

const ids = (changes: Changes, fromS: number, toS: number): string[] =>
  changes.between(startMs + fromS * 1000, startMs + toS * 1000).map(({ id }) => id);

test("a change that is told again counts once, and stays as it was first told", () => {
  const changes = createChanges();
  assert.deepEqual(changes.add([change("a"), change("a")], startMs), [change("a")]);
  assert.deepEqual(changes.add([change("a", 5, "another"), change("b")], startMs), [change("b")]);
  assert.equal(changes.known("a")?.title, "pay 4.2.0");
});

test("changes of a time are found in order, both ends included, in whatever order they were told", () => {
  const changes = createChanges();
  changes.add([change("c", 30), change("a", 10), change("d", 40), change("b", 20)], startMs);
  assert.deepEqual(ids(changes, 10, 30), ["a", "b", "c"]);
  assert.deepEqual(ids(changes, 11, 19), []);
});

test("the newest are kept, and for a week", () => {
  const changes = createChanges();
  const many = Array.from({ length: limits.changesKeptMax + 5 }, (_, index) => change(`c${index}`, index));
  changes.add(many, startMs);
  assert.equal(ids(changes, 0, many.length).length, limits.changesKeptMax);
  assert.equal(changes.known("c0"), undefined);
  changes.add([change("late", 8 * 86_400)], startMs + limits.changesKeptMs + 86_400_000);
  assert.deepEqual(ids(changes, 0, 9 * 86_400), ["late"]);
});

test("a service runs where a series names it, by its unit's name too, until the host is gone", () => {
  const changes = createChanges();
  changes.define("pay-01", ofService("pay.service"));
  changes.define("pay-02", ofService("pay.service"));
  changes.define("web-01", { ...ofService("x"), labels: [] });
  assert.deepEqual(
    ["pay-01", "pay-02", "web-01"].map((host) => changes.runsOn("pay", host)),
    [true, true, false],
  );
  changes.forget("pay-01");
  assert.equal(changes.runsOn("pay", "pay-01"), false);
  assert.equal(changes.runsOn("pay.service", "pay-02"), true);
});

test("a restart between any two requests, and a repeat of each, change nothing", () => {
  const request = fc.array(fc.record({ id: fc.constantFrom("a", "b", "c", "d", "e"), atS: fc.nat(100) }), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 10 }), (requests) => {
      const whole = createChanges();
      let restarted = createChanges();
      for (const told of requests) {
        const list = told.map(({ id, atS }) => change(id, atS));
        whole.add(list, startMs);
        restarted.add(list, startMs);
        restarted = createChanges(JSON.parse(JSON.stringify(restarted.snapshot())));
        assert.deepEqual(restarted.add(list, startMs), []);
      }
      assert.deepEqual(restarted.snapshot(), whole.snapshot());
      const times = whole.between(0, Number.MAX_SAFE_INTEGER).map(({ atMs }) => atMs);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
    }),
    { seed: 5 },
  );
});
