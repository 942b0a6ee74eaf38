/**
 * OTLP requests in JSON: lowerCamelCase, integers of 64 bits as text or number, ids in hexadecimal, enumerations as numbers.
 *
 * What is not JSON, or not a request, is a `DecodeError`; one point or span that is not what the schema says is left out and counted,
 * and the others are taken. Unknown fields are not looked at. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import { DecodeError } from "./decode-error.ts";
import {
  type Attributes,
  bucketsMax,
  type ExplicitBuckets,
  type ExponentialBuckets,
  isNoValue,
  itemsMax,
  type MetricType,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpSpan,
  type ResourceOf,
  spanKinds,
  temporalityOf,
  toMs,
  valueDepthMax,
} from "./otlp.ts";

type Json = Readonly<Record<string, unknown>>;

/** One point or span that is not what the schema says. */
class Malformed extends Error {}

/** Throws `DecodeError`. */
export function readMetricsJson(text: string): ResourceOf<OtlpMetric>[] {
  return readResources(text, "resourceMetrics", "scopeMetrics", "metrics", readMetric);
}

/** Of the attributes of spans only those that `wanted` names are read. Throws `DecodeError`. */
export function readTracesJson(text: string, wanted: ReadonlySet<string>): ResourceOf<OtlpSpan>[] {
  return readResources(text, "resourceSpans", "scopeSpans", "spans", (span, tally) => {
    tally.take(1);
    return tally.attempt(() => readSpan(span, wanted));
  });
}

/** Counts what was read and what could not be. */
class Tally {
  malformed = 0;
  #items = 0;

  take(count: number): void {
    this.#items += count;
    if (this.#items > itemsMax) throw new DecodeError("too_many", `more than ${itemsMax} in one request`);
  }

  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.malformed += 1;
      return undefined;
    }
  }
}

function readResources<T>(
  text: string,
  resourcesKey: string,
  scopesKey: string,
  itemsKey: string,
  read: (item: Json, tally: Tally) => T | undefined,
): ResourceOf<T>[] {
  const request = parsed(text);
  const tally = new Tally();
  return structure(request[resourcesKey], resourcesKey).map((part) => {
    tally.malformed = 0;
    const items: T[] = [];
    for (const scope of structure(part[scopesKey], scopesKey)) {
      for (const item of structure(scope[itemsKey], itemsKey)) {
        const one = read(item, tally);
        if (one !== undefined) items.push(one);
      }
    }
    const { resource = {} } = part;
    const attributes = tally.attempt(() => readAttributes(isObject(resource) ? resource["attributes"] : []));
    return { resource: attributes ?? [], items, malformed: tally.malformed };
  });
}

function parsed(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DecodeError("malformed", "the body is not JSON", { cause });
  }
  if (!isObject(value)) throw new DecodeError("malformed", "the body is no JSON object");
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What holds points or spans must be a list of objects: else nobody can say what was lost. */
function structure(value: unknown, key: string): Json[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw new DecodeError("malformed", `${key} is no list of objects`);
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Malformed();
  return value;
}

function object(value: unknown): Json {
  if (!isObject(value)) throw new Malformed();
  return value;
}

function string(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw new Malformed();
  return value;
}

/** A number, or a text that is one: 64-bit integers are texts, and so are NaN and the infinities. */
function number(value: unknown, missing: number): number {
  if (value === undefined || value === null) return missing;
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^(-?\d+(\.\d+)?([eE][+-]?\d+)?|NaN|-?Infinity)$/.test(value))
    throw new Malformed();
  return Number(value);
}

/** Nanoseconds as text, in milliseconds. */
function ms(value: unknown): number {
  return toMs(number(value, 0));
}

/** The nanoseconds from `start` to `end`, exact, as milliseconds. */
function durationMs(start: unknown, end: unknown): number {
  const [from, to] = [start, end].map((time) =>
    typeof time === "string" && /^\d{1,20}$/.test(time) ? BigInt(time) : null,
  );
  if (from === null || to === null || from === undefined || to === undefined) return ms(end) - ms(start);
  return Number(to - from) / 1e6;
}

function numbers(value: unknown): number[] {
  const all = list(value);
  if (all.length > bucketsMax) throw new Malformed();
  return all.map((one) => number(one, 0));
}

function readAttributes(value: unknown, wanted?: ReadonlySet<string>): Attributes {
  const attributes: [string, string][] = [];
  for (const item of list(value)) {
    const { key, value: given } = object(item);
    const name = string(key);
    if (wanted === undefined || wanted.has(name)) attributes.push([name, readValue(given, 0)]);
  }
  return attributes;
}

function readValue(given: unknown, depth: number): string {
  if (given === undefined || given === null) return "";
  const { stringValue, boolValue, intValue, doubleValue, arrayValue } = object(given);
  if (typeof stringValue === "string") return stringValue;
  if (typeof boolValue === "boolean") return String(boolValue);
  const number = intValue ?? doubleValue;
  if (typeof number === "number" || typeof number === "string") return String(number);
  if (arrayValue === undefined || depth >= valueDepthMax) return "";
  return list(object(arrayValue)["values"])
    .map((one) => readValue(one, depth + 1))
    .join(",");
}

const metricKeys: readonly (readonly [string, MetricType])[] = [
  ["gauge", "gauge"],
  ["sum", "sum"],
  ["histogram", "histogram"],
  ["exponentialHistogram", "exponential"],
  ["summary", "summary"],
];

function readMetric(metric: Json, tally: Tally): OtlpMetric | undefined {
  const [key, type] = metricKeys.find(([name]) => isObject(metric[name])) ?? [];
  if (key === undefined || type === undefined) return undefined;
  const data = object(metric[key]);
  const given = structure(data["dataPoints"], "dataPoints");
  tally.take(given.length);
  const head = tally.attempt(() => ({
    name: string(metric["name"]),
    unit: string(metric["unit"]),
    isMonotonic: data["isMonotonic"] === true,
    temporality: temporalityOf(number(data["aggregationTemporality"], 0)),
  }));
  if (head === undefined) {
    tally.malformed += given.length - 1;
    return undefined;
  }
  const points = given.flatMap((point) => tally.attempt(() => readPoint(point, type)) ?? []);
  return { ...head, type, points };
}

function readPoint(point: Json, type: MetricType): OtlpPoint {
  const { asDouble, asInt } = point;
  return {
    attributes: readAttributes(point["attributes"]),
    startMs: ms(point["startTimeUnixNano"]),
    timeMs: ms(point["timeUnixNano"]),
    value: type === "gauge" || type === "sum" ? number(asDouble ?? asInt, Number.NaN) : Number.NaN,
    isAbsent: isNoValue(number(point["flags"], 0)),
    count: number(point["count"], 0),
    sum: number(point["sum"], Number.NaN),
    buckets:
      type === "histogram" ? readExplicit(point) : type === "exponential" ? readExponential(point) : null,
    quantiles: type === "summary" ? list(point["quantileValues"]).map(readQuantile) : [],
  };
}

function readQuantile(item: unknown): [number, number] {
  const { quantile, value } = object(item);
  return [number(quantile, 0), number(value, 0)];
}

function readExplicit(point: Json): ExplicitBuckets | null {
  const counts = numbers(point["bucketCounts"]);
  return counts.length === 0 ? null : { kind: "explicit", bounds: numbers(point["explicitBounds"]), counts };
}

function readExponential(point: Json): ExponentialBuckets {
  const positive = isObject(point["positive"]) ? point["positive"] : {};
  const negative = isObject(point["negative"]) ? point["negative"] : {};
  // What is below zero is no duration and no size: it counts as the smallest.
  const below = numbers(negative["bucketCounts"]).reduce((sum, count) => sum + count, 0);
  return {
    kind: "exponential",
    scale: number(point["scale"], 0),
    zeroCount: number(point["zeroCount"], 0) + below,
    offset: number(positive["offset"], 0),
    counts: numbers(positive["bucketCounts"]),
  };
}

function readSpan(span: Json, wanted: ReadonlySet<string>): OtlpSpan {
  const { startTimeUnixNano, endTimeUnixNano, status } = span;
  return {
    spanId: idOf(span["spanId"]),
    parentId: idOf(span["parentSpanId"]),
    kind: spanKinds[number(span["kind"], 0)] ?? "unspecified",
    endMs: ms(endTimeUnixNano),
    durationMs: durationMs(startTimeUnixNano, endTimeUnixNano),
    isError: isObject(status) && number(status["code"], 0) === 2,
    attributes: readAttributes(span["attributes"], wanted),
  };
}

/** An id that is not sixteen hexadecimal digits is none. */
function idOf(value: unknown): string {
  const id = string(value).toLowerCase();
  return /^[0-9a-f]{16}$/.test(id) && id !== "0000000000000000" ? id : "";
}
