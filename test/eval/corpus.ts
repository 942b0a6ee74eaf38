/**
 * A small corpus made by code from a seed, so that the whole evaluation runs where no data is: 20 series and two hosts.
 *
 * The series have what operators' series have: a day's pattern, noise, a level. Into their second and, where a training half
 * is wanted, also first half are put spikes, shifts of level, a day's pattern that stays away, wider noise and flat lines; some
 * series stay clean. It is made to be told apart by any honest detector, not to compare good ones.
 */
import { mulberry32 } from "../sim/random.ts";
import {
  type Corpus,
  type LabelledHost,
  type LabelledSeries,
  regularTimes,
  type WindowedSeries,
} from "./data/series.ts";
import { type Span, spansOf } from "./figures/order.ts";

const rows = 3000;
const intervalMs = 300_000;
const dayRows = 288;
const firstMs = Date.UTC(2024, 0, 1);

export type Fault = "spike" | "shift" | "missing-pattern" | "noise" | "flat" | "none";
const faults: readonly Fault[] = ["spike", "shift", "missing-pattern", "noise", "flat", "none"];
const durations: Readonly<Record<Fault, number>> = {
  spike: 4,
  shift: 40,
  "missing-pattern": dayRows / 2,
  noise: 60,
  flat: 90,
  none: 0,
};

/** Normally distributed numbers, mean 0 and deviation 1 (Box and Muller). */
function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

interface Made {
  readonly values: Float64Array;
  readonly labels: Uint8Array;
}

function madeSeries(next: () => number, fault: Fault): Made {
  const level = 50 + 200 * next();
  const swing = level * (0.1 + 0.2 * next());
  const noise = level * 0.02;
  const starts = [800, 1150, 1900, 2400].map((row) => row + Math.floor(next() * 150));
  const labels = new Uint8Array(rows);
  const values = new Float64Array(rows);
  for (const start of fault === "none" ? [] : starts) labels.fill(1, start, start + durations[fault]);
  let held = 0;
  for (let row = 0; row < rows; row += 1) {
    const usual = swing * Math.sin((2 * Math.PI * row) / dayRows);
    const shaken = noise * normal(next);
    const value = level + usual + shaken;
    if (labels[row] === 0) held = value;
    const bad: Readonly<Record<Fault, number>> = {
      spike: value + 1.2 * level,
      shift: value + level,
      "missing-pattern": level + shaken,
      noise: level + usual + 12 * shaken,
      flat: held,
      none: value,
    };
    values[row] = labels[row] === 0 ? value : bad[fault];
  }
  return { values, labels };
}

function labelled(next: () => number, id: string, fault: Fault): LabelledSeries {
  return {
    id,
    ...madeSeries(next, fault),
    timesMs: regularTimes(firstMs, intervalMs, rows),
    intervalMs,
    trainRows: rows / 2,
  };
}

/** A window as NAB's are, wide enough for a hand that draws it: from before its event until well after it has begun. */
function windowed(next: () => number, fault: Fault, number: number): WindowedSeries {
  const { values, labels } = madeSeries(next, fault);
  const windows = spansOf(labels).map(({ start }): Span => ({ start: start - 20, end: start + 79 }));
  const category = fault === "none" ? "clean" : "faulty";
  const timesMs = regularTimes(firstMs, intervalMs, rows);
  return { id: `${category}/${fault}_${number}.csv`, category, timesMs, values, intervalMs, windows };
}

/** Metrics that follow one load, each in its way; in an event some of them leave it. */
function host(next: () => number, id: string, dims: number): LabelledHost {
  const values = new Float32Array(rows * dims);
  const trainRows = rows / 2;
  const events = [300, 700, 1100].map((start) => {
    const metrics = Array.from({ length: dims }, (_, metric) => metric).filter(() => next() < 0.4);
    return { start, end: start + 39, metrics: metrics.length > 0 ? metrics : [0] };
  });
  const labels = new Uint8Array(rows - trainRows);
  for (const { start, end } of events) labels.fill(1, start, end + 1);
  const follows = Array.from({ length: dims }, () => 0.1 + 0.3 * next());
  for (let row = 0; row < rows; row += 1) {
    const load = 1 + 0.3 * Math.sin((2 * Math.PI * row) / dayRows) + 0.05 * normal(next);
    for (let metric = 0; metric < dims; metric += 1) {
      values[row * dims + metric] = follows[metric]! * load + 0.005 * normal(next);
    }
  }
  for (const { start, end, metrics } of events) {
    for (let row = trainRows + start; row <= trainRows + end; row += 1) {
      for (const metric of metrics) values[row * dims + metric]! += 0.4;
    }
  }
  return {
    id,
    timesMs: regularTimes(firstMs, intervalMs, rows),
    intervalMs,
    dims,
    rows: values,
    trainRows,
    labels,
    events,
  };
}

/** The same seed gives the same corpus. */
export function makeCorpus(seed: number): Corpus {
  const next = mulberry32(seed);
  return {
    nab: faults.map((fault, number) => windowed(next, fault, number)),
    kpi2018: [...faults, "spike" as const, "shift" as const].map((fault, number) =>
      labelled(next, `kpi-${number}-${fault}`, fault),
    ),
    wsd: faults.map((fault, number) => labelled(next, `web-${number}-${fault}`, fault)),
    smd: [host(next, "machine-1", 8)],
    asd: [host(next, "server-1", 5)],
  };
}
