/**
 * Judging a sample beside one Welford update (mean and variance, the least that any detector does): 100,000 series in order,
 * every series past its warm-up, the same values for both.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createDetect, type Detect } from "#collector/detect/detect.ts";
import { bytesPerSeries } from "#collector/detect/series-state.ts";
import { createLoad, hostName, type Load } from "./load.ts";
import { type BenchOptions, type Figures, measure, row, type Side, shown } from "./report.ts";

const seriesPerHost = 1000;
const intervalMs = 10_000;
const startMs = 1_790_000_000_000;
/** Past the warm-up of three minutes and 18 samples. */
const warmTicks = 20;
const sizes = {
  full: { hosts: 100, ticks: 10, rounds: 5 },
  quick: { hosts: 100, ticks: 4, rounds: 3 },
  tiny: { hosts: 2, ticks: 2, rounds: 2 },
} as const;

/** Everything that is judged is made beforehand: by tick, by host. */
type Ticks = readonly (readonly Float64Array[])[];

export function benchDetect({ size, print, million }: BenchOptions): Promise<Figures> {
  const { hosts, ticks, rounds } = sizes[size];
  const load = createLoad({ hosts, series: seriesPerHost, seed: 1 });
  const values: Ticks = Array.from({ length: warmTicks + (rounds + 1) * ticks }, () => load.next());
  const numbers = Uint32Array.from({ length: seriesPerHost }, (_, index) => index);
  const before = memory();
  const detect = defined(load);
  for (let tick = 0; tick < warmTicks; tick += 1) judgeTick(detect, tick, values, numbers);
  const after = memory();
  const sides = [judging(detect, values, numbers, ticks), welford(values, ticks)];
  const [judged, updated] = measure(sides, rounds, print);
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
  const told = execFileSync(process.execPath, ["--expose-gc", script], { encoding: "utf8" });
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
function judgeTick(detect: Detect, tick: number, values: Ticks, series: Uint32Array): number {
  let found = 0;
  const timeMs = startMs + tick * intervalMs;
  for (const [host, column] of values[tick]!.entries()) {
    found += detect.judge({ host: hostName(host), timeMs, intervalMs, series, values: column }).length;
  }
  return found;
}

function judging(detect: Detect, values: Ticks, numbers: Uint32Array, ticks: number): Side {
  let tick = warmTicks;
  return {
    name: "detect",
    run() {
      let hash = 0;
      let operations = 0;
      for (let done = 0; done < ticks; done += 1, tick += 1) {
        hash += judgeTick(detect, tick, values, numbers);
        operations += values[tick]!.length * seriesPerHost;
      }
      return { operations, hash: hash + detect.progress(hostName(0)).ready };
    },
  };
}

function welford(values: Ticks, ticks: number): Side {
  const hosts = values[0]!.map(() => ({
    count: new Float64Array(seriesPerHost),
    mean: new Float64Array(seriesPerHost),
    squares: new Float64Array(seriesPerHost),
  }));
  let tick = warmTicks;
  return {
    name: "welford",
    run() {
      let operations = 0;
      for (let done = 0; done < ticks; done += 1, tick += 1) {
        for (const [host, column] of values[tick]!.entries()) {
          const { count, mean, squares } = hosts[host]!;
          for (let series = 0; series < seriesPerHost; series += 1) {
            const deviation = column[series]! - mean[series]!;
            count[series]! += 1;
            mean[series]! += deviation / count[series]!;
            squares[series]! += deviation * (column[series]! - mean[series]!);
          }
          operations += seriesPerHost;
        }
      }
      return { operations, hash: Math.floor(hosts.at(-1)!.squares[5]! % 1000) };
    },
  };
}

function memory(): { heapBytes: number; rssBytes: number } {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, rssBytes: rss };
}
