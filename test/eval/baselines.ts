/** What the product is compared with in the same run: chance, the simplest detector there is, and the one that is installed most. */
import { mulberry32 } from "../sim/random.ts";
import { ewma } from "./baselines/ewma.ts";
import { kMeans } from "./baselines/k-means.ts";
import type { Judge } from "./judging.ts";

/** A number for every row, whatever its value: what any figure gives to somebody who knows nothing. */
export const random: Judge = {
  name: "random",
  shipped: { series: 0.999, host: 0.999 },
  judgeSeries: ({ timesMs, values }) => numbers(seedOf(timesMs[0], values[0]), values.length),
  judgeHost({ timesMs, rows }) {
    const seed = seedOf(timesMs[0], rows[0]);
    return { host: numbers(seed, timesMs.length), perMetric: numbers(seed + 1, rows.length) };
  },
};

export const baselines: readonly Judge[] = [random, ewma, kMeans];

function numbers(seed: number, count: number): Float32Array {
  const next = mulberry32(seed);
  return Float32Array.from({ length: count }, () => next());
}

/** Another sequence for another series, the same for the same. */
function seedOf(timeMs = 0, value = 0): number {
  return (Math.trunc(timeMs / 1000) * 31 + Math.trunc(value * 1009)) >>> 0;
}
