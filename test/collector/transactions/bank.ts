/** A bank's gateway as counters: two channels, three products, two regions, on one or more hosts; with faults. */
import type { SampleBatch } from "#shared/batch.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import type { Transactions } from "#collector/transactions/transactions.ts";

export const channels = ["app", "counter"];
export const products = ["pay", "query", "transfer"];
export const regions = ["north", "south"];
const results = ["ok", "biz_fail", "sys_fail", "timeout"] as const;
export const startMs = Date.UTC(2026, 0, 5, 9);
export const intervalMs = 10_000;

export interface Leaf {
  readonly channel: string;
  readonly product: string;
  readonly region: string;
}

/** Of a hundred and odd attempts a tick: shares that end badly, and how much of the volume comes at all. */
export interface Behaviour {
  readonly business: number;
  readonly system: number;
  readonly volume: number;
}
export const usual: Behaviour = { business: 0.03, system: 0.01, volume: 1 };

export function counter(metric: string, labels: Readonly<Record<string, string>>): Series {
  return {
    metric,
    unit: "1",
    instrument: "counter",
    decimals: 0,
    labels: canonicalLabels(Object.entries(labels)),
  };
}

const leaves: readonly Leaf[] = channels.flatMap((channel) =>
  products.flatMap((product) => regions.map((region) => ({ channel, product, region }))),
);
const series = leaves.flatMap((leaf) => results.map((result) => ({ leaf, result })));

export function defineBank(transactions: Transactions, host: string): void {
  for (const [number, { leaf, result }] of series.entries())
    transactions.define(
      host,
      number,
      counter("bank_txn_total", { ...leaf, result, system: "gateway", code: result }),
    );
}

/** Ticks from `fromTick` to `toTick`; counters are what they would be had the bank begun at tick 0. */
export function* ticks(
  host: string,
  toTick: number,
  behaviourOf: (leaf: Leaf, tick: number) => Behaviour,
): Generator<SampleBatch> {
  const totals = new Float64Array(series.length);
  for (let tick = 0; tick <= toTick; tick += 1) {
    for (const [number, { leaf, result }] of series.entries()) {
      const place = Math.floor(number / results.length);
      const { business, system, volume } = behaviourOf(leaf, tick);
      const attempts = Math.round((100 + 7 * place + ((tick * 13 + place * 5) % 11)) * volume);
      const [refused, failed] = [Math.round(attempts * business), Math.round(attempts * system)];
      const timedOut = Math.floor(failed / 3);
      const counts = {
        ok: attempts - refused - failed,
        biz_fail: refused,
        sys_fail: failed - timedOut,
        timeout: timedOut,
      };
      totals[number]! += counts[result];
    }
    yield {
      host,
      timeMs: startMs + tick * intervalMs,
      intervalMs,
      series: Uint32Array.from(series.keys()),
      values: totals.slice(),
    };
  }
}
