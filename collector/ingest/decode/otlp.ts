/**
 * OTLP as the receiver needs it: metrics and spans of a request, by resource, whatever their encoding was.
 *
 * Times are milliseconds since 1970; nanoseconds beyond that are dropped where only the interval matters, and kept exact in a span's
 * duration. Attribute values are text: a label is text. What we do not use (exemplars, events, links, trace state) is never read.
 * https://github.com/open-telemetry/opentelemetry-proto, version 1.5 and later; unknown fields are skipped, as it demands.
 */

/** In the order in which they came; a name may be repeated, and the last one counts. */
export type Attributes = readonly (readonly [name: string, value: string])[];

export interface ResourceOf<T> {
  readonly resource: Attributes;
  readonly items: readonly T[];
  /** Points or spans that were left out because they are not what the schema says (JSON only). */
  readonly malformed: number;
}

export type MetricType = "gauge" | "sum" | "histogram" | "exponential" | "summary";

export interface OtlpMetric {
  readonly name: string;
  readonly unit: string;
  readonly type: MetricType;
  readonly isMonotonic: boolean;
  readonly temporality: Temporality;
  readonly points: readonly OtlpPoint[];
}

export type Temporality = "delta" | "cumulative" | "unspecified";

export interface OtlpPoint {
  readonly attributes: Attributes;
  /** 0 when not given. */
  readonly startMs: number;
  readonly timeMs: number;
  /** Of a gauge or sum; NaN of the others. */
  readonly value: number;
  /** The point only says that there is nothing. */
  readonly isAbsent: boolean;
  /** Of the others. `sum` is NaN when not given. */
  readonly count: number;
  readonly sum: number;
  readonly buckets: ExplicitBuckets | ExponentialBuckets | null;
  readonly quantiles: readonly (readonly [quantile: number, value: number])[];
}

/** `counts[i]` of what is above `bounds[i - 1]` and not above `bounds[i]`. */
export interface ExplicitBuckets {
  readonly kind: "explicit";
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** `counts[i]` of what is above base^(offset + i), base = 2^(2^-scale). What is negative or zero is in `zeroCount`. */
export interface ExponentialBuckets {
  readonly kind: "exponential";
  readonly scale: number;
  readonly zeroCount: number;
  readonly offset: number;
  readonly counts: readonly number[];
}

export const spanKinds = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
export type SpanKind = (typeof spanKinds)[number];

export interface OtlpSpan {
  /** Hexadecimal, lower case; `parentId` is "" for a root. */
  readonly spanId: string;
  readonly parentId: string;
  readonly kind: SpanKind;
  readonly endMs: number;
  readonly durationMs: number;
  readonly isError: boolean;
  /** Those that were asked for. */
  readonly attributes: Attributes;
}

/** A histogram has 160 buckets by default, and 20 at most by explicit bounds; beyond this it is no histogram. */
export const bucketsMax = 4_096;
/** Points and spans of one request: 20 MiB hold some 200,000 of the smallest useful ones. */
export const itemsMax = 500_000;
/** Deeper values of attributes are shown as nothing. */
export const valueDepthMax = 4;

export function temporalityOf(value: number): Temporality {
  return value === 1 ? "delta" : value === 2 ? "cumulative" : "unspecified";
}

const two32 = 2 ** 32;

/** Nanoseconds in two halves of 32 bits, as milliseconds. */
export function msOfNs({ low, high }: { low: number; high: number }): number {
  return toMs(high * two32 + low);
}

/** Whole microseconds: a number of nanoseconds is only right to 256 of them, and a whole second must stay one. */
export function toMs(ns: number): number {
  return Math.round(ns / 1e3) / 1e3;
}

/** What the flag "no recorded value" is in `flags`. */
export function isNoValue(flags: number): boolean {
  return (flags & 1) === 1;
}
