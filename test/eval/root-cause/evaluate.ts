/**
 * One system's cases through one ranker, at every clock error: which rank the truth has, among entities and among metrics.
 *
 * A fault is visible when its case names metrics that show it; where no case of a system names any, nothing is known of that, and
 * all are counted together only. A metric is right when it is of the guilty entity (or of one end of an edge that is) and
 * named, or when it measures what is named: "latency".
 */
import { accuracyAt, averageAt5, bootstrap, placeOf } from "../figures/ranking.ts";
import type { Figures } from "../report.ts";
import type { Case, Truth } from "./cases.ts";
import type { RankedSeries, Ranker } from "./rankers.ts";
import { measureOf, wordsOf } from "./words.ts";

export const clockErrorsS = [-30, 0, 30, 60, 90, 120] as const;

/** What became of one case when the trouble was noticed as it began. */
export interface Outcome {
  readonly id: string;
  readonly fault: string;
  readonly truth: string;
  readonly place: number;
  readonly metricPlace: number;
  readonly visible: boolean;
  /** What was ranked first, and how sure that was; undefined when nothing was, or when the ranker does not say. */
  readonly first: string | undefined;
  readonly confidence: number | undefined;
}

export interface Evaluated {
  readonly figures: Figures;
  readonly outcomes: readonly Outcome[];
  /** Of every case, in order, at every clock error. */
  readonly durationsMs: readonly number[];
}

export function evaluateSystem(
  system: string,
  cases: readonly Case[],
  ranker: Ranker,
  nowMs: () => number,
): Evaluated {
  const figures: Figures = {};
  const durationsMs: number[] = [];
  let atOnce: readonly Outcome[] = [];
  for (const clockErrorS of clockErrorsS) {
    const outcomes = cases.map((one) => {
      const window = one.window(clockErrorS * 1000);
      const startedMs = nowMs();
      const ranked = ranker.rank(window);
      durationsMs.push(nowMs() - startedMs);
      return outcomeOf(one, ranked.entities, ranked.metrics, ranked.ranking?.causes[0]?.confidence);
    });
    if (clockErrorS === 0) {
      atOnce = outcomes;
      Object.assign(figures, wholeFigures(system, outcomes));
    } else {
      const end = `clock${clockErrorS > 0 ? "+" : ""}${clockErrorS}s`;
      for (const [key, places] of splits(system, outcomes)) {
        figures[`${key}.ac1.${end}`] = accuracyAt(1, places);
      }
    }
  }
  return { figures, outcomes: atOnce, durationsMs };
}

export function outcomeOf(
  { id, fault, truth }: Case,
  entities: readonly string[],
  metrics: readonly RankedSeries[],
  confidence: number | undefined,
): Outcome {
  return {
    id,
    fault,
    truth: truth.entity,
    place: placeOf(entities, (entity) => entity === truth.entity),
    metricPlace: placeOf(metrics, (metric) => isGuilty(metric, truth)),
    visible: truth.metrics.length > 0,
    first: entities[0],
    confidence: entities.length === 0 ? undefined : confidence,
  };
}

export function isGuilty(metric: RankedSeries, truth: Truth): boolean {
  if (metric.entity !== truth.entity && metric.caller !== truth.entity) return false;
  return truth.metrics.some((name) => metric.series === name || metric.kind === kindOfWord(name));
}

/** What a single word says that is meant of a metric's kind, not a metric's name: "latency". */
function kindOfWord(name: string): string | undefined {
  if (wordsOf(name).length !== 1) return undefined;
  const { kind } = measureOf({ name, isEdge: false, isEntry: false, largest: 0 });
  // Words for resources are names of metrics: every resource's metric is of the same kind.
  return kind === "latency" || kind === "errors" ? kind : undefined;
}

/** By key: the places to be counted together. */
function splits(system: string, outcomes: readonly Outcome[]): [string, number[]][] {
  const visible = outcomes.filter((outcome) => outcome.visible);
  const places = (some: readonly Outcome[]): number[] => some.map(({ place }) => place);
  return [
    [system, places(outcomes)],
    ...(visible.length === 0
      ? []
      : ([
          [`${system}.visible`, places(visible)],
          [`${system}.metric`, visible.map(({ metricPlace }) => metricPlace)],
        ] as [string, number[]][])),
  ];
}

function wholeFigures(system: string, outcomes: readonly Outcome[]): Figures {
  const figures: Figures = {};
  for (const [key, places] of splits(system, outcomes)) {
    const { low, high } = bootstrap(
      places.map((place) => Number(place === 1)),
      places.length,
    );
    figures[`${key}.cases`] = places.length;
    figures[`${key}.ac1`] = accuracyAt(1, places);
    figures[`${key}.ac1.low`] = low;
    figures[`${key}.ac1.high`] = high;
    figures[`${key}.ac3`] = accuracyAt(3, places);
    figures[`${key}.avg5`] = averageAt5(places);
  }
  return figures;
}
