import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createTransactions, type Drilled, type Transactions } from "#collector/transactions/transactions.ts";
import type { SampleBatch } from "#shared/batch.ts";
import { limits } from "#shared/limits.ts";
import { renderText } from "#shared/text/text.ts";
import { type Behaviour, counter, defineBank, intervalMs, type Leaf, startMs, ticks, usual } from "./bank.ts";

/** The fault begins after twenty minutes. */
const faultTick = 120;

function watched(
  behaviourOf: (leaf: Leaf, tick: number) => Behaviour,
  lastTick: number,
  hosts = ["gw-1"],
): Transactions {
  const transactions = createTransactions();
  for (const host of hosts) {
    defineBank(transactions, host);
    for (const batch of ticks(host, lastTick, behaviourOf)) transactions.observe(batch);
  }
  return transactions;
}

const atTick = (tick: number): number => startMs + tick * intervalMs;

function placesOf(drilled: Drilled | null): string[] {
  return drilled!.causes.map(({ where }) => where.map((pair) => pair.join("=")).join(" "));
}

test("transfers that fail on one channel are named, with their share, two minutes after they began to", () => {
  const transactions = watched(
    ({ channel, product }, tick) =>
      tick > faultTick && channel === "app" && product === "transfer" ? { ...usual, system: 0.4 } : usual,
    faultTick + 12,
  );
  const drilled = transactions.drill("bank_txn", atTick(faultTick + 12), "failure");
  assert.deepEqual(placesOf(drilled), ["channel=app product=transfer"]);
  assert.ok(drilled!.causes[0]!.share > 0.9, `${drilled!.causes[0]!.share}`);
  assert.match(
    renderText(drilled!.sentences[0]!, "en"),
    /^channel=app, product=transfer explains (9\d|100) % of the failures beyond what is usual \(\d+ of \d+; about \d+ would be usual\)/,
  );
});

test("refusals are drilled into apart from failures", () => {
  const transactions = watched(
    ({ region }, tick) => (tick > faultTick && region === "south" ? { ...usual, business: 0.25 } : usual),
    faultTick + 6,
  );
  assert.deepEqual(placesOf(transactions.drill("bank_txn", atTick(faultTick + 6), "refusal")), [
    "region=south",
  ]);
  assert.ok(transactions.drill("bank_txn", atTick(faultTick + 6), "failure")!.excess < 30);
});

test("a volume that stops coming is named", () => {
  const transactions = watched(
    ({ product }, tick) => (tick > faultTick && product === "pay" ? { ...usual, volume: 0.1 } : usual),
    faultTick + 13,
  );
  const drilled = transactions.drill("bank_txn", atTick(faultTick + 13), "volume");
  assert.deepEqual(placesOf(drilled), ["product=pay"]);
  assert.equal(drilled!.sentences[0]!.key.startsWith("drill.missing"), true);
});

test("the one of many hosts that fails is named as the node", () => {
  const hosts = ["gw-1", "gw-2", "gw-3"];
  const transactions = createTransactions();
  for (const host of hosts) {
    defineBank(transactions, host);
    const sick = (_: Leaf, tick: number): Behaviour =>
      host === "gw-2" && tick > faultTick ? { ...usual, system: 0.3 } : usual;
    for (const batch of ticks(host, faultTick + 6, sick)) transactions.observe(batch);
  }
  assert.deepEqual(placesOf(transactions.drill("bank_txn", atTick(faultTick + 6), "failure")), ["node=gw-2"]);
});

test("what has failed for an hour is still not usual", () => {
  const failing = ({ channel }: Leaf, tick: number): Behaviour =>
    tick > faultTick && channel === "counter" ? { ...usual, system: 0.3 } : usual;
  const last = faultTick + 6 * 60;
  const drilled = watched(failing, last).drill("bank_txn", atTick(last), "failure");
  assert.deepEqual(placesOf(drilled), ["channel=counter"]);
  const [{ actual, expected }] = [drilled!.causes[0]!];
  assert.ok(actual > 10 * expected, `${actual}, expected ${expected}`);
});

test("the four golden signals stand by service", () => {
  const transactions = watched(() => usual, faultTick);
  const durations = { channel: "app", system: "gateway" };
  transactions.define("gw-1", 900, counter("bank_txn_duration_seconds_sum", durations));
  transactions.define("gw-1", 901, counter("bank_txn_duration_seconds_count", durations));
  const series = Uint32Array.of(900, 901);
  for (let tick = faultTick - 60; tick <= faultTick; tick += 1) {
    const values = Float64Array.of(50 + tick * 2.5, 100 + tick * 10);
    transactions.observe({ host: "gw-1", timeMs: atTick(tick), intervalMs, series, values });
  }
  const [gateway, ...others] = transactions.signals("bank_txn", atTick(faultTick));
  assert.equal(others.length, 0);
  assert.equal(gateway!.service, "gateway");
  assert.ok(Math.abs(gateway!.systemSuccess! - 0.99) < 0.003, `${gateway!.systemSuccess}`);
  assert.ok(Math.abs(gateway!.businessSuccess! - 0.96) < 0.004, `${gateway!.businessSuccess}`);
  assert.ok(Math.abs(gateway!.latencySeconds! - 0.25) < 1e-9);
  assert.ok(Math.abs(gateway!.attemptsPerMinute / gateway!.usualPerMinute - 1) < 0.1);
});

test("the first failures of a counter that appears while it is watched are counted, a restart is not", () => {
  const transactions = createTransactions();
  const observe = (tick: number, number: number, value: number): void =>
    transactions.observe({
      host: "gw-1",
      timeMs: atTick(tick),
      intervalMs,
      series: Uint32Array.of(number),
      values: Float64Array.of(value),
    });
  transactions.define("gw-1", 0, counter("bank_txn_total", { system: "s", result: "ok" }));
  for (let tick = 0; tick <= 60; tick += 1) observe(tick, 0, 5_000 + 20 * tick);
  transactions.define("gw-1", 1, counter("bank_txn_total", { system: "s", result: "sys_fail" }));
  observe(61, 1, 15);
  observe(62, 1, 3);
  observe(63, 1, 4);
  const drilled = transactions.drill("bank_txn", atTick(63), "failure");
  assert.ok(Math.abs(drilled!.excess - 16) < 0.5, `${drilled!.excess}`);
});

test("beyond the leaves that are kept everything is still counted", () => {
  const transactions = createTransactions();
  const count = limits.transactionLeavesPerFamilyMax + 50;
  for (let number = 0; number < count; number += 1)
    transactions.define("gw-1", number, counter("bank_txn_total", { account: `a${number}`, result: "ok" }));
  assert.equal(transactions.families()[0]!.leaves, limits.transactionLeavesPerFamilyMax - 1);
  const series = Uint32Array.from({ length: count }, (_, number) => number);
  for (let tick = 0; tick <= 60; tick += 1)
    transactions.observe({
      host: "gw-1",
      timeMs: atTick(tick),
      intervalMs,
      series,
      values: new Float64Array(count).fill(tick),
    });
  const [all] = transactions.signals("bank_txn", atTick(60));
  assert.equal(all!.attemptsPerMinute, 6 * count);
});

test("there are so many families and leaves in all, and no more", () => {
  const transactions = createTransactions();
  for (let family = 0; family <= limits.transactionFamiliesMax; family += 1)
    transactions.define("gw-1", family, counter(`bank${family}_txn_total`, { result: "ok" }));
  assert.equal(transactions.families().length, limits.transactionFamiliesMax);
  const perFamily = limits.transactionLeavesPerFamilyMax;
  for (let number = 0; number < limits.transactionLeavesMax + 100; number += 1)
    transactions.define(
      "gw-2",
      number,
      counter(`bank${Math.floor(number / perFamily)}_txn_total`, { account: `a${number}`, result: "ok" }),
    );
  const leaves = transactions.families().reduce((sum, family) => sum + family.leaves, 0);
  assert.ok(
    leaves <= limits.transactionLeavesMax && leaves > 0.99 * limits.transactionLeavesMax,
    `${leaves}`,
  );
});

test("leaves of a host that is gone make room, after a day", () => {
  const transactions = watched(() => usual, 30);
  assert.equal(transactions.families()[0]!.leaves, 12);
  transactions.forget("gw-1");
  transactions.define("gw-9", 0, counter("bank_txn_total", { channel: "new", result: "ok" }));
  const dayMs = 86_400_000;
  for (const afterMs of [dayMs, dayMs + 60_000, dayMs + 120_000])
    transactions.observe({
      host: "gw-9",
      timeMs: startMs + 3_600_000 + afterMs,
      intervalMs: 60_000,
      series: Uint32Array.of(0),
      values: Float64Array.of(afterMs),
    });
  transactions.define("gw-9", 1, counter("bank_txn_total", { channel: "newer", result: "ok" }));
  // Twelve are over, one of them is taken again.
  assert.equal(transactions.families()[0]!.leaves, 13);
});

test("there is nothing to say of what is not kept, nor of what never was", () => {
  const transactions = watched(() => usual, 12);
  assert.equal(transactions.drill("bank_txn", atTick(12) + 600_000, "failure"), null);
  assert.equal(transactions.drill("bank_txn", atTick(0) - 3_600_000, "failure"), null);
  assert.equal(transactions.drill("other", atTick(12), "failure"), null);
  assert.deepEqual(transactions.signals("other", atTick(12)), []);
  assert.equal(transactions.familyOf("bank_txn_total"), "bank_txn");
  assert.equal(transactions.familyOf("system.cpu.time"), undefined);
});

/** Any way to cut a tick into batches, and any order of the hosts within it. */
const cuts = fc.infiniteStream(
  fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }), swap: fc.boolean() }),
);

function cut(batch: SampleBatch, share: number): SampleBatch[] {
  const at = Math.floor(share * batch.series.length);
  return [
    { ...batch, series: batch.series.slice(0, at), values: batch.values.slice(0, at) },
    { ...batch, series: batch.series.slice(at), values: batch.values.slice(at) },
  ];
}

test("however ticks are split, and whichever host comes first, the answer is the same; also through a snapshot", () => {
  const failing = ({ channel }: Leaf, tick: number): Behaviour =>
    tick > faultTick && channel === "app" ? { ...usual, system: 0.2 } : usual;
  const byHost = ["gw-1", "gw-2"].map((host) => [...ticks(host, faultTick + 9, failing)]);
  const begin = (): Transactions => {
    const transactions = createTransactions();
    defineBank(transactions, "gw-1");
    defineBank(transactions, "gw-2");
    return transactions;
  };
  const answersOf = (transactions: Transactions): unknown =>
    (["failure", "refusal", "volume"] as const).map((ending) => [
      transactions.drill("bank_txn", atTick(faultTick + 9), ending),
      transactions.signals("bank_txn", atTick(faultTick + 9)),
    ]);
  const plain = begin();
  for (let tick = 0; tick < byHost[0]!.length; tick += 1)
    for (const batches of byHost) plain.observe(batches[tick]!);
  const wanted = answersOf(plain);
  fc.assert(
    fc.property(cuts, fc.integer({ min: 0, max: faultTick }), (how, snapshotTick) => {
      let split = begin();
      for (let tick = 0; tick < byHost[0]!.length; tick += 1) {
        const { share, swap } = how.next().value;
        const pieces = byHost.flatMap((batches) => cut(batches[tick]!, share));
        for (const piece of swap ? pieces.toReversed() : pieces) split.observe(piece);
        if (tick === snapshotTick) split = createTransactions({ snapshot: split.snapshot() });
      }
      assert.deepEqual(answersOf(split), wanted);
    }),
    { numRuns: 15 },
  );
});
