/**
 * Hosts with many metrics: `index.json`, per host `<id>.train.f32` and `<id>.test.f32` (row by row), `<id>.test_label.u8`, and
 * `<id>.interpretation.txt` with a line `start-end:metrics` (metrics counted from 1) for each event.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError, numberOf, readIndex, readLabels, readReals, readText } from "./read.ts";
import { type HostEvent, type LabelledHost, regularTimes } from "./series.ts";

/** The files have no times; midnight of a Monday stands for the first row. */
const firstMs = Date.UTC(2024, 0, 1);

export function loadHosts(folder: string): LabelledHost[] {
  const index = join(folder, "index.json");
  const { whole, series } = readIndex(index);
  const intervalMs = 1000 * numberOf(index, whole, "intervalSec", 0.001, false);
  return series.map((entry) => {
    const id = entry["id"] as string;
    const dims = numberOf(index, entry, "dim", 1);
    const trainRows = numberOf(index, entry, "nTrain", 0);
    const testRows = numberOf(index, entry, "nTest", 1);
    const rows = new Float32Array((trainRows + testRows) * dims);
    rows.set(readReals(join(folder, `${id}.train.f32`), trainRows * dims, "f32"));
    rows.set(readReals(join(folder, `${id}.test.f32`), testRows * dims, "f32"), trainRows * dims);
    const labels = readLabels(join(folder, `${id}.test_label.u8`), testRows);
    return {
      id,
      timesMs: regularTimes(firstMs, intervalMs, trainRows + testRows),
      intervalMs,
      dims,
      rows,
      trainRows,
      labels,
      events: loadEvents(join(folder, `${id}.interpretation.txt`), dims, labels),
    };
  });
}

/** Some sets count `end` in and some do not: an event's rows are those from start to end that are labelled. */
function loadEvents(path: string, dims: number, labels: Uint8Array): HostEvent[] {
  if (!existsSync(path)) return [];
  const events: HostEvent[] = [];
  for (const [number, line] of readText(path).split("\n").entries()) {
    if (line.trim() === "") continue;
    const [, from, to, list] = /^\s*(\d+)-(\d+):([\d,\s]+)$/.exec(line) ?? [];
    const metrics = (list ?? "").split(",").map((name) => Number(name.trim()) - 1);
    if (from === undefined || to === undefined || metrics.some((metric) => !(metric >= 0 && metric < dims))) {
      throw new DataError(
        `${path}: line ${number + 1}: want start-end:metrics with metrics from 1 to ${dims}, got ${JSON.stringify(line)}`,
      );
    }
    let [start, end] = [Number(from), Math.min(Number(to), labels.length - 1)];
    while (start <= end && labels[start] === 0) start += 1;
    while (end >= start && labels[end] === 0) end -= 1;
    if (start > end)
      throw new DataError(`${path}: line ${number + 1}: no row from ${from} to ${to} is labelled`);
    events.push({ start, end, metrics: [...new Set(metrics)] });
  }
  return events;
}
