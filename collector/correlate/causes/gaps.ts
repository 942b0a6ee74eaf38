/**
 * What lies between the ends of an edge: where a call's latency is measured both by the caller and by the callee, the difference is
 * the network's. Slow work shows at both ends, a slow network at the caller's only; of the two public systems that have both, this
 * is what finds delayed packets.
 */
import type { EvidenceSeries } from "./evidence.ts";

/** `series`, and for each edge that has both ends on one clock and in one unit, and no gap of its own, a gap. */
export function withGaps(series: readonly EvidenceSeries[]): readonly EvidenceSeries[] {
  const callees = new Map<string, EvidenceSeries>();
  const known = new Set<string>();
  for (const one of series) {
    const { at, kind } = one.measure;
    if (one.caller === undefined || kind !== "latency") continue;
    if (at === "gap") known.add(edgeOf(one));
    if (at === "callee") callees.set(edgeOf(one), one);
  }
  if (callees.size === 0) return series;
  const gaps: EvidenceSeries[] = [];
  for (const one of series) {
    if (one.measure.at !== "caller" || one.measure.kind !== "latency") continue;
    const edge = edgeOf(one);
    const callee = callees.get(edge);
    if (callee === undefined || known.has(edge) || !sameAxis(one, callee)) continue;
    known.add(edge);
    const values = new Float64Array(one.values.length);
    for (let place = 0; place < values.length; place += 1) {
      values[place] = one.values[place]! - callee.values[place]!;
    }
    gaps.push({
      id: one.id,
      entity: one.entity,
      ...(one.caller === undefined ? {} : { caller: one.caller }),
      measure: { ...one.measure, at: "gap" },
      timesMs: one.timesMs,
      values,
    });
  }
  return gaps.length === 0 ? series : [...series, ...gaps];
}

function edgeOf({ caller, entity }: EvidenceSeries): string {
  return `${caller}\u0000${entity}`;
}

function sameAxis(a: EvidenceSeries, b: EvidenceSeries): boolean {
  return a.measure.unit === b.measure.unit && a.timesMs === b.timesMs;
}
