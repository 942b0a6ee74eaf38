import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type Arrival, createGenerator, offered, shareAt } from "../../../deploy/demo/load/generator.ts";
import { createRandom, shuffled } from "../../../deploy/demo/load/random.ts";

const day = 86_400_000;

function arrivals(count: number, seed = 1, startMs = 0, dayMs = day): Arrival[] {
  const generator = createGenerator({ seed, perSecondMax: 10, dayMs, startMs });
  return Array.from({ length: count }, () => generator.next());
}

test("the same seed gives the same transactions, another one others", () => {
  assert.deepEqual(arrivals(500), arrivals(500));
  assert.notDeepEqual(arrivals(5), arrivals(5, 2));
});

test("time goes on, and every draw is within its range, whatever the seed", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(day), (seed, startMs) => {
      let lastMs = startMs;
      for (const { atMs, txn } of arrivals(50, seed, startMs)) {
        assert.ok(atMs > lastMs);
        lastMs = atMs;
        assert.ok(txn.chance >= 0 && txn.chance < 1 && Number.isInteger(txn.amount) && txn.amount >= 0);
        assert.ok(offered.some(({ channel, product }) => channel === txn.channel && product === txn.product));
      }
    }),
    { numRuns: 40 },
  );
});

test("the busiest hour has three times the transactions of the night", () => {
  const inHour = (hour: number): number => {
    const startMs = hour * 3_600_000;
    return arrivals(40_000, 3, startMs).findIndex(({ atMs }) => atMs >= startMs + 3_600_000);
  };
  const ratio = inHour(10) / inHour(2);
  assert.ok(ratio > 2.8 && ratio < 3.9, `the ratio is ${ratio}`);
});

test("a shorter day has the same curve in less time", () => {
  assert.equal(shareAt((0.5 * day) / day), shareAt((0.5 * 3_600_000) / 3_600_000));
  const compressed = arrivals(2_000, 4, 0, 60_000);
  const byHalf = [0, 0];
  for (const { atMs } of compressed) if (atMs < 180_000) byHalf[Math.floor((atMs % 60_000) / 30_000)]! += 1;
  assert.ok(
    byHalf[1]! > byHalf[0]!,
    "the second half of a day is busier than the first, which has the night",
  );
});

test("the mix is as its weights say, within what chance allows", () => {
  const all = arrivals(20_000);
  const share = (of: (arrival: Arrival) => boolean): number => all.filter(of).length / all.length;
  assert.ok(Math.abs(share(({ txn }) => txn.region === "north") - 0.5) < 0.02);
  assert.ok(Math.abs(share(({ txn }) => txn.channel === "mobile") - 0.58) < 0.02);
  const large = share(({ txn }) => txn.amount > 150_000);
  assert.ok(large > 0.01 && large < 0.03, `${large} of the amounts exceed an account`);
});

test("a shuffle keeps everything, and is the same for the same seed", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.nat(), (things, seed) => {
      const order = shuffled(things, createRandom(seed));
      assert.deepEqual(order, shuffled(things, createRandom(seed)));
      const bySize = (a: number, b: number): number => a - b;
      assert.deepEqual([...order].sort(bySize), [...things].sort(bySize));
    }),
  );
});
