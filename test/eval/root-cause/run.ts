/**
 * All systems through all rankers: the product, and two published methods beside it, on the same windows in one run.
 */
import { causeConfidenceMin } from "#shared/contract/incident.ts";
import { brier } from "../figures/ranking.ts";
import { type Figures, finite } from "../report.ts";
import type { Case } from "./cases.ts";
import { evaluateSystem, type Outcome } from "./evaluate.ts";
import { product, type Ranker, rivals } from "./rankers.ts";

export interface SystemReport {
  readonly cases: number;
  /** By ranker, the product first; keys begin with the system's name. */
  readonly figures: ReadonlyMap<string, Figures>;
  readonly outcomes: readonly Outcome[];
  /** How sure the product was of each first cause in windows in which nothing was wrong. */
  readonly quiet: readonly number[];
}

export interface RootCauseRun {
  readonly systems: ReadonlyMap<string, SystemReport>;
  readonly figures: Figures;
}

export function runRootCause(
  load: ReadonlyMap<string, () => readonly Case[]>,
  nowMs: () => number,
): RootCauseRun {
  const systems = new Map<string, SystemReport>();
  const durationsMs: number[] = [];
  const rankers: readonly Ranker[] = [product, ...rivals];
  for (const [system, read] of load) {
    const cases = read();
    const figures = new Map<string, Figures>();
    let outcomes: readonly Outcome[] = [];
    for (const ranker of rankers) {
      const evaluated = evaluateSystem(system, cases, ranker, nowMs);
      figures.set(ranker.name, evaluated.figures);
      if (ranker !== product) continue;
      outcomes = evaluated.outcomes;
      durationsMs.push(...evaluated.durationsMs);
    }
    const quiet = cases.map((one) => product.rank(one.quietWindow()).ranking?.causes[0]?.confidence ?? 0);
    systems.set(system, { cases: cases.length, figures, outcomes, quiet });
  }
  return { systems, figures: { ...flat(systems), ...speed(durationsMs) } };
}

/** The product's figures under their keys, the others' under `baselines.<name>.`. */
function flat(systems: ReadonlyMap<string, SystemReport>): Figures {
  const all: Figures = {};
  for (const [system, { figures, outcomes, quiet }] of systems) {
    for (const [ranker, found] of figures) {
      const start = ranker === product.name ? "" : `baselines.${ranker.toLowerCase()}.`;
      for (const [key, value] of Object.entries(found)) all[`${start}${key}`] = value;
    }
    const stated = statedOf(outcomes);
    const named = stated.filter(({ confidence }) => confidence >= causeConfidenceMin);
    all[`${system}.confidence.brier`] = brier(stated);
    all[`${system}.named`] = named.length / outcomes.length;
    all[`${system}.named.right`] = named.filter(({ right }) => right).length / named.length;
    all[`${system}.quiet.named`] = quiet.filter((sure) => sure >= causeConfidenceMin).length / quiet.length;
  }
  return finite(all);
}

export function statedOf(outcomes: readonly Outcome[]): { confidence: number; right: boolean }[] {
  return outcomes.map(({ confidence = 0, place }) => ({ confidence, right: place === 1 }));
}

function speed(durationsMs: readonly number[]): Figures {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const mean = sorted.reduce((sum, one) => sum + one, 0) / sorted.length;
  return {
    "rank.mean_ms": mean,
    "rank.p99_ms": sorted[Math.min(sorted.length - 1, Math.floor(0.99 * sorted.length))] ?? Number.NaN,
  };
}
