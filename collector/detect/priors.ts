/**
 * How much a series of a kind usually varies: what a series that is seconds old is judged by.
 *
 * While a series has no history of its own, its variance is taken to be (n0 usual + n own) / (n0 + n): its kind's counts as n0 samples
 * (Bayes with a conjugate prior). What is learned is its own alone, so nothing of the prior is left once it is ready.
 * `priors-data.ts` has the numbers, as rows that a script made of recordings and of a simulation; `README.md` says how. What is
 * not known (no kind, or no row) has no prior, and is judged once it has a history.
 */
import type { Meaning } from "#shared/semantics.ts";
import { priorRows } from "./priors-data.ts";

export interface Prior {
  /** Standard deviation of a sample around its level: this much, and this share of the level. */
  readonly deviation: number;
  readonly share: number;
}

export const noPrior: Prior = { deviation: Number.NaN, share: 0 };

const priors: ReadonlyMap<string, Prior> = new Map(
  priorRows.map(([kind, resource, unit, deviation, share]) => [
    `${kind} ${resource} ${unit}`,
    { deviation, share },
  ]),
);

export function priorOf({ kind, resource, unit }: Pick<Meaning, "kind" | "resource" | "unit">): Prior {
  return priors.get(`${kind} ${resource} ${unit}`) ?? noPrior;
}
