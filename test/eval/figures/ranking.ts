/**
 * How good rankings are: of all cases, in how many the truth stands among the first k (AC@k), the mean of AC@1 to AC@5 (Avg@5), and
 * how far chance could have moved a mean (bootstrap over cases, as the cases are few).
 */
import { mulberry32 } from "../../sim/random.ts";

/** The place of the truth, from 1; Infinity when it is not there. */
export function placeOf<T>(ranked: readonly T[], isTruth: (one: T) => boolean): number {
  const place = ranked.findIndex(isTruth);
  return place < 0 ? Number.POSITIVE_INFINITY : place + 1;
}

/** AC@k: the share of `places` that are at most `k`. */
export function accuracyAt(k: number, places: readonly number[]): number {
  return places.filter((place) => place <= k).length / places.length;
}

/** Avg@5. */
export function averageAt5(places: readonly number[]): number {
  return [1, 2, 3, 4, 5].reduce((sum, k) => sum + accuracyAt(k, places), 0) / 5;
}

/** The 95 % interval of a mean: the 2.5 % and 97.5 % quantiles of means of as many, drawn again and again with replacement. */
export function bootstrap(values: readonly number[], seed: number): { low: number; high: number } {
  const draws = 2000;
  const next = mulberry32(seed);
  const means = Float64Array.from({ length: draws }, () => {
    let sum = 0;
    for (let drawn = 0; drawn < values.length; drawn += 1) sum += values[Math.floor(next() * values.length)]!;
    return sum / values.length;
  }).sort();
  return { low: means[Math.floor(0.025 * draws)]!, high: means[Math.ceil(0.975 * draws) - 1]! };
}

/** How far stated probabilities are from what came true: the mean squared difference (Brier, 1950). */
export function brier(stated: readonly { readonly confidence: number; readonly right: boolean }[]): number {
  const sum = stated.reduce((total, { confidence, right }) => total + (confidence - Number(right)) ** 2, 0);
  return sum / stated.length;
}

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Means over the bin: what was stated and what came true. */
  readonly stated: number;
  readonly right: number;
}

/** Five bins of equal width; those without a case are left out. */
export function reliability(
  stated: readonly { readonly confidence: number; readonly right: boolean }[],
): Bin[] {
  return [0, 0.2, 0.4, 0.6, 0.8].flatMap((from): Bin[] => {
    const to = from + 0.2;
    const inside = stated.filter(({ confidence }) => confidence >= from && (confidence < to || from === 0.8));
    if (inside.length === 0) return [];
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    return [
      {
        from,
        to: Math.round(to * 10) / 10,
        count: inside.length,
        stated: mean(inside.map(({ confidence }) => confidence)),
        right: mean(inside.map(({ right }) => Number(right))),
      },
    ];
  });
}
