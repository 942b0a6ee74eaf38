/**
 * The product's detector as a judge: the only file of the evaluation that knows it.
 *
 * It is driven as the collector drives it, tick by tick, with an unknown gauge for each metric. The severity of a series' row is the
 * score that both tiers give it; the shipped threshold is the one from which the product tells an anomaly. That of a host's row is
 * its host score, and its metrics' are their shares in the blame.
 */
import { rulesOf, usualPolicy } from "#collector/detect/detect.ts";
import { HostDetector } from "#collector/detect/host-detector.ts";
import { HostScore, hostScoreMin } from "#collector/detect/host-score/host-score.ts";
import { severityOf, shippedScore } from "#collector/detect/severity.ts";
import type { HostInput, SeriesInput } from "./data/series.ts";
import type { HostSeverity, Judge } from "./judging.ts";

const host = "judged";
const gauge = { role: "evidence", entity: { kind: "host", host, name: "" } } as const;

export function judgeSeries({ timesMs, values, intervalMs }: SeriesInput): Float32Array {
  const detector = new HostDetector(host, rulesOf(usualPolicy));
  detector.define(0, { metric: "judged.value", unit: "1", instrument: "gauge", decimals: 9, labels: [] });
  const series = Uint32Array.of(0);
  const severity = new Float32Array(timesMs.length);
  for (let row = 0; row < timesMs.length; row += 1) {
    const late = detector.lateTicks;
    const value = values[row]!;
    detector.judge({ host, timeMs: timesMs[row]!, intervalMs, series, values: Float64Array.of(value) });
    if (detector.lateTicks === late && value === value) severity[row] = severityOf(detector, 0);
  }
  return severity;
}

export function judgeHost({ timesMs, dims, rows }: HostInput): HostSeverity {
  const score = new HostScore(host, () => undefined);
  for (let number = 0; number < dims; number += 1) score.define(number, gauge);
  const series = Uint32Array.from({ length: dims }, (_, number) => number);
  const values = new Float64Array(dims);
  const severity = new Float32Array(timesMs.length);
  const perMetric = new Float32Array(timesMs.length * dims);
  for (let row = 0; row < timesMs.length; row += 1) {
    for (let number = 0; number < dims; number += 1) values[number] = rows[row * dims + number]!;
    score.push(timesMs[row]!, { series, values, length: dims }, 1);
    score.take();
    severity[row] = score.reading()?.score ?? 0;
    for (let number = 0; number < dims; number += 1) perMetric[row * dims + number] = score.blame(number);
  }
  return { host: severity, perMetric };
}

export const product: Judge = {
  name: "Causeway",
  shipped: { series: shippedScore, host: hostScoreMin },
  shipsEvents: true,
  judgeSeries,
  judgeHost,
};
