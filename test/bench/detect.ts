/**
 * Judging a sample beside one Welford update (mean and variance, the least that any detector does): 100,000 series in order, the same
 * values for both. Measured is what a collector does all day: every series is past its warm-up and old enough for everything that is
 * learned of it by the hour, and the code is as the compiler leaves it after more than an hour of samples.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createDetect, type Detect } from "#collector/detect/detect.ts";
import { bytesPerSeries } from "#collector/detect/series-state.ts";
import { collectorFlags } from "../../deploy/collector-flags.ts";
import { createLoad, hostName, type Load } from "./load.ts";
import { type BenchOptions, type Figures, measure, row, type Side, shown } from "./report.ts";

const seriesPerHost = 1000;
const intervalMs = 10_000;
const startMs = 1_790_000_000_000;
/** `warmTicks`: past the warm-up of three minutes and 18 samples; a full run's past the first hour. Rounds are of whole minutes. */
const sizes = {
  full: { hosts: 100, warmTicks: 396, ticks: 30, rounds: 7 },
  quick: { hosts: 100, warmTicks: 24, ticks: 12, rounds: 5 },
  tiny: { hosts: 2, warmTicks: 24, ticks: 6, rounds: 2 },
} as const;

/** What is judged in one round, made beforehand: by tick, by host. */
type Ticks = Float64Array[][];

export function benchDetect({ size, print, million }: BenchOptions): Promise<Figures> {
  const { hosts, warmTicks, ticks, rounds } = sizes[size];
  const load = createLoad({ hosts, series: seriesPerHost, seed: 1 });
  const numbers = Uint32Array.from({ length: seriesPerHost }, (_, index) => index);
  const before = memory();
  const detect = defined(load);
  for (let tick = 0; tick < warmTicks; tick += 1) judgeTick(detect, tick, load.next(), numbers);
  const after = memory();
  const round: Ticks = [];
  const sides = [judging(detect, round, numbers, warmTicks), welford(round, hosts)];
  const [judged, updated] = measure(sides, rounds, print, () => {
    round.length = 0;
    for (let tick = 0; tick < ticks; tick += 1) round.push(load.next());
  });
  const ratio = judged!.nsPerOperation / updated!.nsPerOperation;
  const { ready } = detect.progress(hostName(0));
  const series = hosts * seriesPerHost;
  print(
    row("ratio", `${shown(ratio)} x`, `${ready} of ${seriesPerHost} series judged  node ${process.version}`),
  );
  const heapBytes = (after.heapBytes - before.heapBytes) / series;
  print(row("state", `${bytesPerSeries} B a series`, `and ${shown(heapBytes)} B of heap for what it is`));
  const figures = {
    "detect.ns_per_sample": judged!.nsPerOperation,
    "detect.welford_ns_per_sample": updated!.nsPerOperation,
    "detect.vs_welford": ratio,
    "detect.bytes_per_series": bytesPerSeries,
    "detect.heap_bytes_per_series": heapBytes,
  };
  return Promise.resolve(million ? { ...figures, ...inItsOwnProcess(print) } : figures);
}

/** A million series, measured where nothing else is: what the rounds above left in memory is not detection's. */
function inItsOwnProcess(print: (line: string) => void): Figures {
  const script = fileURLToPath(new URL("million.ts", import.meta.url));
  const told = execFileSync(process.execPath, [...collectorFlags, "--expose-gc", script], {
    encoding: "utf8",
  });
  const figures = JSON.parse(told) as Figures;
  const { "detect.million_rss_mb": rssMb, "detect.million_ns_per_sample": ns } = figures;
  print(row("a million series", `${shown(rssMb!)} MB RSS`, `${shown(ns!)} ns a sample, in ticks of 10 s`));
  return figures;
}

function defined(load: Load): Detect {
  const detect = createDetect();
  for (const [host, series] of load.series.entries()) {
    for (const [number, one] of series.entries()) detect.define(hostName(host), number, one);
  }
  return detect;
}

/** The anomalies found in one tick of all hosts. */
function judgeTick(
  detect: Detect,
  tick: number,
  values: readonly Float64Array[],
  series: Uint32Array,
): number {
  let found = 0;
  const timeMs = startMs + tick * intervalMs;
  for (const [host, column] of values.entries()) {
    found += detect.judge({ host: hostName(host), timeMs, intervalMs, series, values: column }).length;
  }
  return found;
}

function judging(detect: Detect, round: Ticks, numbers: Uint32Array, firstTick: number): Side {
  let tick = firstTick;
  return {
    name: "detect",
    run() {
      let hash = 0;
      let operations = 0;
      for (const values of round) {
        hash += judgeTick(detect, tick, values, numbers);
        operations += values.length * seriesPerHost;
        tick += 1;
      }
      return { operations, hash: hash + detect.progress(hostName(0)).ready };
    },
  };
}

function welford(round: Ticks, hosts: number): Side {
  const states = Array.from({ length: hosts }, () => ({
    count: new Float64Array(seriesPerHost),
    mean: new Float64Array(seriesPerHost),
    squares: new Float64Array(seriesPerHost),
  }));
  return {
    name: "welford",
    run() {
      let operations = 0;
      for (const values of round) {
        for (const [host, column] of values.entries()) {
          const { count, mean, squares } = states[host]!;
          for (let series = 0; series < seriesPerHost; series += 1) {
            const deviation = column[series]! - mean[series]!;
            count[series]! += 1;
            mean[series]! += deviation / count[series]!;
            squares[series]! += deviation * (column[series]! - mean[series]!);
          }
          operations += seriesPerHost;
        }
      }
      return { operations, hash: Math.floor(states.at(-1)!.squares[5]! % 1000) };
    },
  };
}

function memory(): { heapBytes: number; rssBytes: number } {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, rssBytes: rss };
}
