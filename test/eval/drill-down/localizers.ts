/**
 * Who names combinations: the product, and two published methods on the same leaves.
 *
 * Adtributor (Bhagwan et al., NSDI 2014) with the constants that its re-implementations use: of each attribute the elements that
 * explain a tenth each, by their surprise, until a tenth is explained; attributes by the surprise of theirs, three at most. It and
 * RiskLoc are asked about failures beside expected failures: a measure that adds up, which is what they are made for.
 */
import {
  drillRatio,
  drillVolume,
  type DrillDown,
  type VolumeLeaves,
} from "#collector/correlate/drilldown/drilldown.ts";
import { type DrillCase, spelled } from "./cases.ts";

/** Combinations as `spelled` writes them, best first. */
export type Localize<Input> = (input: Input) => readonly string[];

export const ratioLocalizers: ReadonlyMap<string, Localize<DrillCase>> = new Map<string, Localize<DrillCase>>(
  [
    ["Causeway", (input) => namesOf(drillRatio(input))],
    ["Adtributor", (input) => adtributor(failuresOf(input))],
    ["RiskLoc", (input) => namesOf(drillVolume(failuresOf(input)))],
  ],
);

export const volumeLocalizers: ReadonlyMap<string, Localize<VolumeLeaves>> = new Map<
  string,
  Localize<VolumeLeaves>
>([
  ["Causeway (RiskLoc)", (input) => namesOf(drillVolume(input))],
  ["Adtributor", adtributor],
]);

function namesOf({ causes }: DrillDown): string[] {
  return causes.map(({ where }) => spelled(where));
}

/** Failures and what would be usual of them, each leaf by its own usual share. */
function failuresOf({ leaves, attempts, failures, usualAttempts, usualFailures }: DrillCase): VolumeLeaves {
  const sum = (column: Float64Array): number => column.reduce((total, one) => total + one, 0);
  const all = sum(usualFailures) / Math.max(1, sum(usualAttempts));
  const expected = attempts.map((tried, leaf) =>
    usualAttempts[leaf] === 0 ? tried * all : (tried * usualFailures[leaf]!) / usualAttempts[leaf]!,
  );
  return { leaves, actual: failures, expected };
}

const explainedMin = 0.1;
const attributesMax = 3;

function adtributor({ leaves, actual, expected }: VolumeLeaves): string[] {
  const sum = (column: Float64Array): number => column.reduce((total, one) => total + one, 0);
  const [v, f] = [sum(actual), sum(expected)];
  const found = leaves.attributes.map((attribute, place) => {
    const sums = leaves.values[place]!.map((value) => ({ value, v: 0, f: 0 }));
    for (let leaf = 0; leaf < leaves.size; leaf += 1) {
      const element = sums[leaves.codes[place]![leaf]!]!;
      element.v += actual[leaf]!;
      element.f += expected[leaf]!;
    }
    const elements = sums
      .map((element) => ({
        value: element.value,
        power: (element.v - element.f) / (v - f),
        surprise: surpriseOf(element.f / f, element.v / v),
      }))
      .filter(({ power }) => power > explainedMin)
      .sort((a, b) => b.surprise - a.surprise);
    const chosen = elements.slice(
      0,
      1 + elements.findIndex((_, index) => powerOf(elements, index) > explainedMin),
    );
    return { attribute, chosen, surprise: chosen.reduce((total, { surprise }) => total + surprise, 0) };
  });
  return found
    .filter(({ chosen }) => chosen.length > 0)
    .sort((a, b) => b.surprise - a.surprise)
    .slice(0, attributesMax)
    .flatMap(({ attribute, chosen }) => chosen.map(({ value }) => spelled([[attribute, value]])));
}

function powerOf(elements: readonly { readonly power: number }[], last: number): number {
  return elements.slice(0, last + 1).reduce((total, { power }) => total + power, 0);
}

/** Half of a Jensen-Shannon divergence's terms. */
function surpriseOf(p: number, q: number): number {
  const term = (a: number): number => (a > 0 ? a * Math.log((2 * a) / (p + q)) : 0);
  return 0.5 * (term(p) + term(q));
}
