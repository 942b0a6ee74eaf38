/**
 * From many series of one kind to what a new one of that kind is expected to vary by: an amount plus a share of its level.
 *
 * The share is the median, over the half of the series with the higher levels, of deviation by level: a small series says little about
 * what grows with size. The amount is a quantile of what the share leaves of each deviation. Medians and quantiles over series, so that
 * no one series decides; few of them are not sure, so a prior is widened by one part in their number.
 */
import type { MetricKind, Resource } from "#shared/semantics.ts";
import { quantile, type Spread } from "./spread.ts";

const amountQuantile = 0.9;
const digits = 3;

export interface KindSpread extends Spread {
  readonly kind: MetricKind;
  readonly resource: Resource;
  readonly unit: string;
  readonly hours: number;
  readonly simulated: boolean;
}

export type Source = "recorded" | "simulated" | "both";

/** As it stands in `collector/detect/priors-data.ts`. */
export type PooledRow = readonly [
  kind: MetricKind,
  resource: Resource,
  unit: string,
  deviation: number,
  share: number,
  series: number,
  hours: number,
  source: Source,
];

/** One row for each kind, resource and unit, in their order. Kind "counter" is what nothing is known of, and has none. */
export function pooled(spreads: readonly KindSpread[]): PooledRow[] {
  const groups = Map.groupBy(spreads, ({ kind, resource, unit }) => `${kind} ${resource} ${unit}`);
  return [...groups.entries()]
    .filter(([, [first]]) => first!.kind !== "counter")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => {
      const { kind, resource, unit } = group[0]!;
      const middle = quantile(
        group.map(({ level }) => level),
        0.5,
      );
      const large = group.filter(({ level }) => level >= middle);
      const share = quantile(
        large.map(({ level, deviation }) => deviation / level),
        0.5,
      );
      const rests = group.map(({ level, deviation }) => Math.max(0, deviation - share * level));
      const widened = 1 + 1 / group.length;
      const hours = group.reduce((sum, one) => sum + one.hours, 0);
      return [
        kind,
        resource,
        unit,
        rounded(widened * quantile(rests, amountQuantile)),
        rounded(widened * share),
        group.length,
        rounded(hours),
        sourceOf(group),
      ];
    });
}

function rounded(value: number): number {
  return Number(value.toPrecision(digits));
}

function sourceOf(group: readonly KindSpread[]): Source {
  const simulated = group.filter((one) => one.simulated).length;
  if (simulated === 0) return "recorded";
  return simulated === group.length ? "simulated" : "both";
}
