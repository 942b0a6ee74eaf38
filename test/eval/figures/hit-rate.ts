/**
 * HitRate@P%: of the metrics that are to blame for an event, how many stand among the first P % as many of the ranking.
 *
 * After Su et al. 2019 (OmniAnomaly) and Li et al. 2021 (InterFusion). The ranking is the mean severity of each metric over the
 * event's rows. Metrics that tie share the places they tie for, so a judge that says nothing gets what chance gives.
 */
import type { HostEvent } from "../data/series.ts";

/** 0 to 1. `share`: 1 for HitRate@100 %, 1.5 for HitRate@150 %. */
export function hitRate(severity: readonly number[], toBlame: readonly number[], share: number): number {
  const places = Math.min(severity.length, Math.floor(share * toBlame.length));
  const last = [...severity].sort((a, b) => b - a)[places - 1]!;
  const above = severity.filter((one) => one > last).length;
  const tied = severity.filter((one) => one === last).length;
  let hits = 0;
  for (const metric of toBlame) {
    if (severity[metric]! > last) hits += 1;
    else if (severity[metric] === last) hits += (places - above) / tied;
  }
  return hits / toBlame.length;
}

/** Mean severity of each metric over an event's rows; `perMetric` has `dims` numbers a row. */
export function severityOver(perMetric: Float32Array, dims: number, event: HostEvent): number[] {
  const rows = event.end - event.start + 1;
  return Array.from({ length: dims }, (_, metric) => {
    let sum = 0;
    for (let row = event.start; row <= event.end; row += 1) sum += perMetric[row * dims + metric]!;
    return sum / rows;
  });
}
