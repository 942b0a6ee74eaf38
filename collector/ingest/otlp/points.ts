/**
 * One point of a metric, put where it belongs: what of it becomes series, and under which names.
 *
 * | OTLP | becomes |
 * | --- | --- |
 * | gauge; sum that may fall | a gauge |
 * | sum that only grows | a counter: of a delta its running total, of a cumulative one what `column.ts` makes of it |
 * | histogram, exponential histogram | counters `<name>.count` and `<name>.sum`, and gauges `<name>` {quantile 0.5, 0.95} of what was new in it |
 * | summary | the same counters, and its own quantiles |
 *
 * Not the buckets: fifteen series that move together would be judged as fifteen, while an operator asks how many there were and how
 * long they took. The count is what detection judges as requests, the 0.95 quantile is what customers feel. Times are in seconds,
 * whatever the unit was. A quantile of fewer than 5 (0.95: 20) is that of one or two: it is left out.
 */
import { limits } from "#shared/limits.ts";
import { canonicalLabels, type Labels, type Series } from "#shared/series.ts";
import type { LossReason } from "#shared/wire/wire.ts";
import type { Attributes, OtlpMetric, OtlpPoint } from "../decode/otlp.ts";
import { type Buckets, countOf, quantileOf, since } from "./buckets.ts";
import type { Column } from "./column.ts";
import type { Interval, KnownPoint, PushedSource } from "./source.ts";

const told = [
  { q: 0.5, countMin: 5 },
  { q: 0.95, countMin: 20 },
] as const;
const summaryQuantilesMax = 8;
/** An exponential histogram has 160 by default; of one with more than this only deltas have quantiles. */
const bucketsRememberedMax = 320;

/** Units of time to seconds. */
const toSeconds: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["ms", 1e-3],
  ["us", 1e-6],
  ["ns", 1e-9],
  ["min", 60],
  ["h", 3600],
]);

/** taken: also what was there already. Else why not. */
export type Verdict = "taken" | "repeated" | LossReason;

interface Place {
  readonly source: PushedSource;
  readonly known: KnownPoint;
  readonly interval: Interval;
  readonly nowMs: number;
  /** The point's time, corrected. */
  readonly timeMs: number;
  readonly startMs: number;
}

/** `labels` are the resource's. */
export function takePoint(
  source: PushedSource,
  labels: Labels,
  metric: OtlpMetric,
  point: OtlpPoint,
  nowMs: number,
): Verdict {
  const timeMs = point.timeMs - source.skewMs;
  const isAdded = metric.type !== "gauge" && metric.type !== "summary";
  if (isAdded && metric.temporality === "unspecified") return "invalid";
  const key = keyOf(metric, point.attributes);
  const known = source.known(key) ?? knownPoint(metric, point.attributes, labels);
  if (known === undefined) return "invalid";
  const interval = source.interval(timeMs, nowMs);
  if (typeof interval === "string") return interval;
  // Says that there is nothing: nothing is what an absent value says as well.
  if (point.isAbsent) return "taken";
  const startMs = point.startMs === 0 ? 0 : point.startMs - source.skewMs;
  const place: Place = { source, known, interval, nowMs, timeMs, startMs };
  const isNumber = metric.type === "gauge" || metric.type === "sum";
  const verdict = isNumber ? takeNumber(place, metric, point) : takeDistribution(place, metric, point);
  if (known.columns.size > 0) source.know(key, known);
  return verdict;
}

/** Texts with their lengths, in the order in which they came: what comes again is found without sorting and checking its labels. */
function keyOf({ type, name, unit }: OtlpMetric, attributes: Attributes): string {
  let key = `${type} ${name.length} ${name} ${unit.length} ${unit}`;
  for (const [label, value] of attributes) key += ` ${label.length} ${label} ${value.length} ${value}`;
  return key;
}

/** Undefined when its names cannot be names. */
function knownPoint(metric: OtlpMetric, attributes: Attributes, resource: Labels): KnownPoint | undefined {
  const labels = canonicalLabels([...attributes, ...resource]);
  return isNameable(metric, labels) ? { labels, columns: new Map() } : undefined;
}

function takeNumber(place: Place, metric: OtlpMetric, point: OtlpPoint): Verdict {
  const { value } = point;
  const { name, unit, type, isMonotonic, temporality } = metric;
  if (!Number.isFinite(value) || (isMonotonic && value < 0)) return "invalid";
  const isCounter = type === "sum" && isMonotonic;
  const column = columnOf(place, "", (labels) => ({
    metric: name,
    unit,
    instrument: isCounter ? "counter" : "gauge",
    decimals: Number.isInteger(value) ? 0 : 3,
    labels,
  }));
  if (column === undefined) return "too_many_series";
  if (type === "sum" && temporality === "delta") return add(place, column, value);
  return isCounter ? follow(place, column, value) : set(place, column, value);
}

function takeDistribution(place: Place, metric: OtlpMetric, point: OtlpPoint): Verdict {
  const { name, unit, type, temporality } = metric;
  const { count, sum, buckets } = point;
  if (!Number.isInteger(count) || count < 0) return "invalid";
  if (buckets !== null && !isSound(buckets)) return "invalid";
  const factor = toSeconds.get(unit) ?? 1;
  const shownUnit = toSeconds.has(unit) ? "s" : unit;
  const counter = (suffix: string, counterUnit: string, decimals: number): Column | undefined =>
    columnOf(place, suffix, (labels) => {
      const metricName = `${name}.${suffix}`;
      return { metric: metricName, unit: counterUnit, instrument: "counter", decimals, labels };
    });
  const counts = counter("count", "1", 0);
  if (counts === undefined) return "too_many_series";
  const isDelta = type !== "summary" && temporality === "delta";
  const verdict = isDelta ? add(place, counts, count) : follow(place, counts, count);
  if (verdict !== "taken") return verdict;
  if (Number.isFinite(sum) && sum >= 0) {
    const sums = counter("sum", shownUnit, 6);
    if (sums !== undefined) (isDelta ? add : follow)(place, sums, sum * factor);
  }
  const quantile = (q: number, value: number): void => {
    if (!Number.isFinite(value)) return;
    const column = columnOf(place, String(q), (labels) => {
      const withQuantile = canonicalLabels([...labels, ["quantile", String(q)]]);
      return { metric: name, unit: shownUnit, instrument: "gauge", decimals: 6, labels: withQuantile };
    });
    if (column !== undefined) set(place, column, Math.round(value * factor * 1e6) / 1e6);
  };
  for (const [q, value] of point.quantiles.slice(0, summaryQuantilesMax))
    if (q >= 0 && q <= 1) quantile(q, value);
  const fresh = buckets === null || isDelta ? buckets : sinceLast(counts, buckets);
  if (fresh === null) return "taken";
  const freshCount = countOf(fresh);
  for (const { q, countMin } of told) if (freshCount >= countMin) quantile(q, quantileOf(fresh, q));
  return "taken";
}

/** What a cumulative histogram counted since its last point; null when that is not known. */
function sinceLast(column: Column, buckets: Buckets): Buckets | null {
  const before = column.buckets;
  column.buckets = buckets.counts.length <= bucketsRememberedMax ? buckets : null;
  return before === null ? null : since(buckets, before);
}

function isSound(buckets: Buckets): boolean {
  if (buckets.counts.some((count) => !(count >= 0))) return false;
  if (buckets.kind === "exponential") {
    // Indexes are shifted as 32-bit integers when the scale changes.
    const { scale, offset, zeroCount } = buckets;
    return Math.abs(scale) <= 30 && Math.abs(offset) <= 2 ** 30 && zeroCount >= 0;
  }
  const { bounds, counts } = buckets;
  return (
    counts.length === bounds.length + 1 &&
    bounds.every((bound, index) => index === 0 || bound > bounds[index - 1]!)
  );
}

function add({ source, interval, timeMs }: Place, column: Column, value: number): Verdict {
  if (timeMs <= column.addedMs) return "repeated";
  column.addedMs = timeMs;
  source.add(interval, column, value);
  return "taken";
}

function follow({ source, interval, timeMs, startMs }: Place, column: Column, value: number): Verdict {
  const shown = column.follow({ startMs, timeMs, value, from: source.instance });
  if (shown === undefined) return "repeated";
  source.set(interval, column, timeMs, shown);
  return "taken";
}

function set({ source, interval, timeMs }: Place, column: Column, value: number): Verdict {
  source.set(interval, column, timeMs, value);
  return "taken";
}

/** The column of a part of the point: "" of a number, else `count`, `sum` or a quantile. */
function columnOf(
  { source, known, nowMs }: Place,
  part: string,
  seriesOf: (labels: Labels) => Series,
): Column | undefined {
  const before = known.columns.get(part);
  if (before !== undefined) {
    before.seenMs = nowMs;
    return before;
  }
  const column = source.column(seriesOf(known.labels), nowMs);
  if (column !== undefined) known.columns.set(part, column);
  return column;
}

const utf8 = new TextEncoder();

/** Whether a frame can hold its names; what is longer is no name. */
function isNameable({ name, unit }: OtlpMetric, labels: Labels): boolean {
  // `.count` or `.sum` may follow, and one label of ours.
  if (name === "" || isLonger(name, limits.metricNameBytesMax - ".count".length)) return false;
  if (isLonger(unit, limits.labelNameBytesMax) || labels.length >= limits.labelsPerSeriesMax) return false;
  return labels.every(
    ([label, value]) =>
      label !== "" &&
      !isLonger(label, limits.labelNameBytesMax) &&
      !isLonger(value, limits.labelValueBytesMax),
  );
}

function isLonger(text: string, bytesMax: number): boolean {
  return text.length * 3 > bytesMax && utf8.encode(text).length > bytesMax;
}
