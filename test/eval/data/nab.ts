/**
 * The Numenta Anomaly Benchmark's own layout: `data/<category>/<name>.csv` and `labels/combined_windows.json`; any subset of files.
 *
 * Times are taken as UTC. They repeat and jump in some files, as they did where they were recorded; nothing is mended here.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Span } from "../figures/order.ts";
import { DataError, isFields, readJson, readText } from "./read.ts";
import type { WindowedSeries } from "./series.ts";

export function loadNab(folder: string): WindowedSeries[] {
  const labelsPath = join(folder, "labels", "combined_windows.json");
  const labels = readJson(labelsPath);
  if (!isFields(labels)) throw new DataError(`${labelsPath}: want an object of windows by file`);
  return csvFiles(join(folder, "data")).map((id) => {
    const path = join(folder, "data", id);
    const { timesMs, values } = parse(path, readText(path));
    const windows = labels[id];
    if (!isPairs(windows)) {
      throw new DataError(
        `${labelsPath}: want "${id}" as an array of [first, last] times, got ${JSON.stringify(windows)}`,
      );
    }
    return {
      id,
      category: id.includes("/") ? id.slice(0, id.indexOf("/")) : "",
      timesMs,
      values,
      intervalMs: usualStep(timesMs),
      windows: windows
        .map(([first, last]) => spanOf(`${labelsPath}: ${id}`, timesMs, first, last))
        .sort((a, b) => a.start - b.start),
    };
  });
}

function csvFiles(folder: string): string[] {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    return names
      .map((name) => name.replaceAll("\\", "/"))
      .filter((name) => name.endsWith(".csv"))
      .sort();
  } catch (cause) {
    throw new DataError(`${folder}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function parse(path: string, text: string): { timesMs: Float64Array; values: Float64Array } {
  const lines = text.split("\n");
  while (lines.length > 0 && lines.at(-1)!.trim() === "") lines.pop();
  if (lines[0]?.trim() !== "timestamp,value") {
    throw new DataError(
      `${path}: want the first line "timestamp,value", got ${JSON.stringify(lines[0] ?? "")}`,
    );
  }
  const rows = lines.length - 1;
  if (rows === 0) throw new DataError(`${path}: want rows after the first line, got none`);
  const timesMs = new Float64Array(rows);
  const values = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const line = lines[row + 1]!.trim();
    const comma = line.indexOf(",");
    timesMs[row] = timeOf(line.slice(0, comma));
    const value = line.slice(comma + 1);
    values[row] = Number(value);
    const absent = /^nan$/i.test(value);
    if (
      comma < 0 ||
      value === "" ||
      !Number.isFinite(timesMs[row]!) ||
      (Number.isNaN(values[row]!) && !absent)
    ) {
      throw new DataError(
        `${path}: line ${row + 2}: want a UTC time and a number, got ${JSON.stringify(line)}`,
      );
    }
  }
  return { timesMs, values };
}

/** "2014-04-01 00:05:00" with or without a fraction; NaN for anything else. */
function timeOf(text: string): number {
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$/.test(text)
    ? Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`)
    : NaN;
}

/** The median of the steps forward; an hour when there is none. */
function usualStep(timesMs: Float64Array): number {
  const steps = timesMs.subarray(1).map((time, row) => time - timesMs[row]!);
  const forward = steps.filter((step) => step > 0).sort();
  return forward[forward.length >> 1] ?? 3_600_000;
}

/** Rows of a window: the first rows with just these times; in a series that was resampled, the rows between them. */
function spanOf(where: string, timesMs: Float64Array, first: string, last: string): Span {
  const [firstMs, lastMs] = [timeOf(first), timeOf(last)];
  const exact: Span = { start: timesMs.indexOf(firstMs), end: timesMs.indexOf(lastMs) };
  const span: Span = {
    start: exact.start >= 0 ? exact.start : timesMs.findIndex((time) => time >= firstMs),
    end: exact.end >= 0 ? exact.end : timesMs.findLastIndex((time) => time <= lastMs),
  };
  if (span.start >= 0 && span.start <= span.end) return span;
  throw new DataError(`${where}: no row lies in the window from ${first} to ${last}`);
}

function isPairs(value: unknown): value is [string, string][] {
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every((time) => typeof time === "string");
  return Array.isArray(value) && value.every(isPair);
}
