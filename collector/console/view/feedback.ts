/**
 * What operators' answers changed, grouped by how much, in an order that can be read: first what holds for all hosts, then what
 * moved most.
 */
import type { FeedbackList } from "#shared/contract/api.ts";

export interface Changed {
  readonly metric: string;
  /** Null: the metric on all hosts. */
  readonly host: string | null;
  /** Canonical series id; "" for the metric on all hosts. */
  readonly series: string;
}

export interface Effects {
  readonly groups: readonly { readonly factor: number; readonly changed: readonly Changed[] }[];
  /** How many more there are than are shown. */
  readonly more: number;
}

/** At most `shownMax` series and kinds over all groups. */
export function effectsOf({ series, kinds }: FeedbackList, shownMax: number): Effects {
  const all = [
    ...kinds.map(({ metric, factor }) => ({ metric, host: null, series: "", factor })),
    ...series.map(({ metric, host, series: id, factor }) => ({ metric, host, series: id, factor })),
  ];
  const groups: { factor: number; changed: Changed[] }[] = [];
  for (const { factor, ...one } of all.slice(0, shownMax)) {
    const last = groups.at(-1);
    if (last?.factor === factor && (last.changed[0]?.host === null) === (one.host === null))
      last.changed.push(one);
    else groups.push({ factor, changed: [one] });
  }
  return { groups, more: Math.max(0, all.length - shownMax) };
}
