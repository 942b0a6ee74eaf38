import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createBudget, type BudgetChange } from "#agent/collect/budget.ts";

const limits = { maxCpuShare: 0.05, maxRssBytes: 100 };
const probes = [
  { name: "host-cpu", shedRank: 0 },
  { name: "network", shedRank: 10 },
  { name: "processes", shedRank: 40 },
  { name: "connections", shedRank: 60 },
];

/** Plays ticks of 10 s; `share` and `rss` are asked at each. Returns what changed, with the time in seconds. */
function play(
  seconds: number,
  share: (second: number, shed: ReadonlySet<string>) => number,
  rss: (second: number, shed: ReadonlySet<string>) => number = () => 0,
): (BudgetChange & { second: number })[] {
  const budget = createBudget(limits, probes);
  const changes: (BudgetChange & { second: number })[] = [];
  let cpuSeconds = 0;
  for (let second = 0; second <= seconds; second += 10) {
    const shed = new Set(probes.map(({ name }) => name).filter((name) => budget.isShed(name)));
    cpuSeconds += share(second, shed) * 10;
    const change = budget.judge({ cpuSeconds, rssBytes: rss(second, shed) }, second * 1000);
    if (change !== undefined) changes.push({ ...change, second });
  }
  return changes;
}

test("within its budget the agent keeps all its probes", () => {
  assert.deepEqual(
    play(
      3600,
      () => 0.049,
      () => 100,
    ),
    [],
  );
});

test("one dear tick in a minute is no reason to give up a probe", () => {
  assert.deepEqual(
    play(3600, (second) => (second % 60 === 0 ? 0.25 : 0)),
    [],
  );
});

test("probes are given up dearest first, a minute apart, and the first ones never", () => {
  const changes = play(600, () => 0.2);
  assert.deepEqual(
    changes.map(({ probe, shed, reason, second }) => [probe, shed, reason, second]),
    [
      ["connections", true, "cpu", 60],
      ["processes", true, "cpu", 130],
      ["network", true, "cpu", 200],
    ],
  );
});

test("memory over its limit counts as CPU does", () => {
  const [change] = play(
    100,
    () => 0,
    () => 101,
  );
  assert.deepEqual([change?.probe, change?.reason], ["connections", "memory"]);
});

test("a probe comes back five minutes after use has fallen well below the limit, the cheapest first", () => {
  const changes = play(3600, (second) => (second < 200 ? 0.2 : 0.01));
  const back = changes.filter(({ shed }) => !shed);
  assert.deepEqual(
    back.map(({ probe }) => probe),
    ["network", "processes", "connections"].slice(-back.length),
  );
  const lastShed = changes.findLast(({ shed }) => shed)?.second ?? 0;
  assert.ok((back[0]?.second ?? 0) >= lastShed + 300);
});

test("just below the limit nothing comes back", () => {
  const changes = play(7200, (second) => (second < 100 ? 0.2 : 0.045));
  assert.deepEqual(
    changes.filter(({ shed }) => !shed),
    [],
  );
});

test("a probe that does not fit is tried ever more seldom", () => {
  const changes = play(24 * 3600, (_, shed) => (shed.has("connections") ? 0.01 : 0.2));
  const tries = changes.filter(({ shed }) => !shed).length;
  assert.ok(tries >= 5 && tries <= 30, `${tries} tries in a day`);
});

test("whatever the agent costs, rank 0 is kept and every probe that comes back was given up before", () => {
  const shares = fc.array(fc.double({ min: 0, max: 0.2, noNaN: true }), { minLength: 10, maxLength: 300 });
  fc.assert(
    fc.property(shares, (list) => {
      const shed = new Set<string>();
      for (const change of play(list.length * 10, (second) => list[(second / 10) % list.length] ?? 0)) {
        assert.notEqual(change.probe, "host-cpu");
        assert.equal(shed.has(change.probe), !change.shed);
        if (change.shed) shed.add(change.probe);
        else shed.delete(change.probe);
      }
    }),
    { numRuns: 50 },
  );
});
