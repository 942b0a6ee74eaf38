/** Writes a corpus as the folders that the loaders read: what is made by code can be judged as files are. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Corpus, LabelledHost, LabelledSeries, WindowedSeries } from "./series.ts";

export function writeCorpus(folder: string, corpus: Corpus): void {
  writeNab(join(folder, "nab"), corpus.nab);
  writeUnivariate(join(folder, "kpi2018"), corpus.kpi2018);
  writeUnivariate(join(folder, "wsd"), corpus.wsd);
  writeHosts(join(folder, "smd"), corpus.smd);
  writeHosts(join(folder, "asd"), corpus.asd);
}

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function writeNab(folder: string, files: readonly WindowedSeries[]): void {
  const windows = files.map(({ id, timesMs, windows: all }) => [
    id,
    all.map(({ start, end }) => [`${timeText(timesMs[start]!)}.000000`, `${timeText(timesMs[end]!)}.000000`]),
  ]);
  write(join(folder, "labels", "combined_windows.json"), JSON.stringify(Object.fromEntries(windows)));
  for (const { id, timesMs, values } of files) {
    const lines = [...values].map((value, row) => `${timeText(timesMs[row]!)},${value}`);
    write(join(folder, "data", id), `timestamp,value\n${lines.join("\n")}\n`);
  }
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace("T", " ");
}

function writeUnivariate(folder: string, series: readonly LabelledSeries[]): void {
  const index = series.map(({ id, values, trainRows, timesMs, intervalMs }) => ({
    id,
    n: values.length,
    nTrain: trainRows,
    t0: timesMs[0]! / 1000,
    intervalSec: intervalMs / 1000,
  }));
  write(join(folder, "index.json"), JSON.stringify({ series: index }));
  for (const { id, values, labels } of series) {
    write(join(folder, `${id}.val.f64`), bytesOf(values));
    write(join(folder, `${id}.lab.u8`), labels);
  }
}

function writeHosts(folder: string, hosts: readonly LabelledHost[]): void {
  const index = hosts.map(({ id, dims, trainRows, labels }) => ({
    id,
    dim: dims,
    nTrain: trainRows,
    nTest: labels.length,
  }));
  const intervalSec = (hosts[0]?.intervalMs ?? 0) / 1000;
  write(join(folder, "index.json"), JSON.stringify({ intervalSec, series: index }));
  for (const { id, dims, rows, trainRows, labels, events } of hosts) {
    write(join(folder, `${id}.train.f32`), bytesOf(rows.subarray(0, trainRows * dims)));
    write(join(folder, `${id}.test.f32`), bytesOf(rows.subarray(trainRows * dims)));
    write(join(folder, `${id}.test_label.u8`), labels);
    const lines = events.map(
      ({ start, end, metrics }) => `${start}-${end}:${metrics.map((one) => one + 1).join(",")}`,
    );
    write(join(folder, `${id}.interpretation.txt`), `${lines.join("\n")}\n`);
  }
}

function bytesOf(numbers: Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
