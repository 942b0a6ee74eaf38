/**
 * The product's detector as a judge: the only file of the evaluation that knows it.
 *
 * It is driven as the collector drives it, tick by tick, with an unknown gauge for each metric. The severity of a series' row is the
 * score of the anomaly that is open after it, 0 when none is; so any severity is an alarm that the product would have told. That
 * of a host's row is its host score, and its metrics' are their shares in the blame.
 */
import { createDetect } from "#collector/detect/detect.ts";
import { HostScore, hostScoreMin } from "#collector/detect/host-score/host-score.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { seriesId } from "#shared/series.ts";
import type { HostInput, SeriesInput } from "./data/series.ts";
import type { HostSeverity, Judge } from "./judging.ts";

const host = "judged";
const gauge = { role: "evidence", entity: { kind: "host", host, name: "" } } as const;

export function judgeSeries({ timesMs, values, intervalMs }: SeriesInput): Float32Array {
  return judgeRows({ timesMs, intervalMs, dims: 1, rows: values });
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
  shipped: { series: 1e-6, host: hostScoreMin },
  judgeSeries,
  judgeHost,
};

function judgeRows(input: {
  readonly timesMs: Float64Array;
  readonly intervalMs: number;
  readonly dims: number;
  readonly rows: ArrayLike<number>;
}): Float32Array {
  const { timesMs, intervalMs, dims, rows } = input;
  const detect = createDetect();
  const numbers = new Map<string, number>();
  for (let number = 0; number < dims; number += 1) {
    const labels = [["metric", `${number}`]] as const;
    const series = { metric: "judged.value", unit: "1", instrument: "gauge", decimals: 9, labels } as const;
    detect.define(host, number, series);
    numbers.set(seriesId(series), number);
  }
  const columns = Uint32Array.from({ length: dims }, (_, number) => number);
  const values = new Float64Array(dims);
  const open = new Float32Array(dims);
  const severity = new Float32Array(timesMs.length * dims);
  for (let row = 0; row < timesMs.length; row += 1) {
    for (let number = 0; number < dims; number += 1) values[number] = rows[row * dims + number]!;
    const told = detect.judge({ host, timeMs: timesMs[row]!, intervalMs, series: columns, values });
    for (const anomaly of told) note(open, numbers, anomaly);
    severity.set(open, row * dims);
  }
  return severity;
}

function note(open: Float32Array, numbers: ReadonlyMap<string, number>, anomaly: Anomaly): void {
  const number = numbers.get(anomaly.series);
  if (number !== undefined) open[number] = anomaly.ended ? 0 : anomaly.score;
}
