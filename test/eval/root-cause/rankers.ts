/**
 * Who ranks: the product, and the two simplest methods that others are measured against, as their authors have them.
 *
 * NSigma: a series' score is the largest (x - mean) / standard deviation since the fault. RobustScorer (BARO, FSE 2024): the largest
 * (x - median) / interquartile range; series that are constant before or since are left out. Both are one-sided, end what is
 * usual at the detection, know no kinds and no calls, and name the entity of the best series first.
 */
import { rankCauses, usualScoreOf } from "#collector/correlate/causes/causes.ts";
import type { EvidenceSeries, EvidenceWindow, Ranking } from "#collector/correlate/causes/evidence.ts";
import type { MetricKind } from "#shared/semantics.ts";

export interface RankedSeries {
  readonly entity: string;
  readonly caller?: string | undefined;
  readonly series: string;
  readonly kind: MetricKind;
}

export interface Ranked {
  /** Best first. */
  readonly entities: readonly string[];
  readonly metrics: readonly RankedSeries[];
  /** Of those that say how sure they are. */
  readonly ranking?: Ranking;
}

export interface Ranker {
  readonly name: string;
  rank(window: EvidenceWindow): Ranked;
}

export const product: Ranker = {
  name: "Causeway",
  rank(window) {
    const usualScore = usualScoreOf(window);
    const ranking = rankCauses(usualScore === undefined ? window : { ...window, usualScore });
    return { entities: ranking.causes.map(({ entity }) => entity), metrics: ranking.metrics, ranking };
  },
};

type Score = (before: Float64Array, since: Float64Array) => number;

function bySeries(name: string, score: Score): Ranker {
  return {
    name,
    rank({ series, detectedMs }) {
      const scored = series.map((one) => ({ one, score: scoreOf(one, detectedMs, score) }));
      const order = scored.filter((each) => each.score > 0).sort((a, b) => b.score - a.score);
      return {
        entities: [...new Set(order.map(({ one }) => one.entity))],
        metrics: order.map(({ one }) => ({
          entity: one.entity,
          caller: one.caller,
          series: one.id,
          kind: one.measure.kind,
        })),
      };
    },
  };
}

function scoreOf({ timesMs, values, measure }: EvidenceSeries, detectedMs: number, score: Score): number {
  // Their authors give them memory in megabytes: a spread of 0 counts as 1, and that is no byte.
  const isBytes = measure.resource === "memory" && measure.unit === "";
  const at = timesMs.findIndex((timeMs) => timeMs >= detectedMs);
  const split = at < 0 ? values.length : at;
  const before = values.subarray(0, split).filter((value) => !Number.isNaN(value));
  const since = values.subarray(split).filter((value) => !Number.isNaN(value));
  if (isBytes) for (const part of [before, since]) part.forEach((value, at) => (part[at] = value / 2 ** 20));
  return before.length === 0 || since.length === 0 ? 0 : score(before, since);
}

/** numpy's: linear between the two nearest. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low]! + (place - low) * (sorted[high]! - sorted[low]!);
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}

export const nsigma = bySeries("NSigma", (before, since) => {
  const mean = before.reduce((sum, value) => sum + value, 0) / before.length;
  const variance = before.reduce((sum, value) => sum + (value - mean) ** 2, 0) / before.length;
  return (largest(since) - mean) / (Math.sqrt(variance) || 1);
});

export const robustScorer = bySeries("RobustScorer", (before, since) => {
  if (isConstant(before) || isConstant(since)) return 0;
  const sorted = before.toSorted();
  const spread = quantile(sorted, 0.75) - quantile(sorted, 0.25);
  return (largest(since) - quantile(sorted, 0.5)) / (spread || 1);
});

function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}

export const rivals: readonly Ranker[] = [nsigma, robustScorer];
