/**
 * What a series is, on both sides of the wire: a metric name, a unit, an instrument and sorted labels.
 *
 * Names, units and attributes follow OpenTelemetry's semantic conventions v1.44; a label here is what OpenTelemetry calls
 * an attribute. Labels are an array of pairs, never a plain object, so a label named `__proto__` is a label like any other.
 */

/** Pairs of name and value, sorted by name, each name once. Values are never empty: an empty value means "no label". */
export type Labels = readonly (readonly [name: string, value: string])[];

/**
 * `gauge`: the value is the state now. `counter`: the value is a running total that only grows, and falls only when its
 * source restarts. Detection takes a counter's rate; storage keeps what was read.
 */
export type Instrument = "gauge" | "counter";

export interface Series {
  readonly metric: string;
  /** UCUM, as OpenTelemetry writes it: `s`, `By`, `1`, `{process}`. */
  readonly unit: string;
  readonly instrument: Instrument;
  /**
   * Decimal places that the values carry, 0 to 9: 2 for jiffies shown in seconds, 0 for bytes. The wire sends such values
   * as integers; a value that needs more places still arrives exactly, in more bytes.
   */
  readonly decimals: number;
  readonly labels: Labels;
}

/** Sorts labels by name, drops empty values; of a repeated name the last one stays. */
export function canonicalLabels(pairs: Iterable<readonly [string, string]>): Labels {
  const byName = new Map<string, string>();
  for (const [name, value] of pairs) byName.set(name, value);
  return [...byName].filter(([, value]) => value !== "").sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * The one spelling of a series within a host: `metric{name="value",...}`, labels sorted, `\`, `"` and newline escaped. A name
 * that is not of the usual characters is quoted as a value is, so that no two series share a spelling.
 */
export function seriesId(series: Pick<Series, "metric" | "labels">): string {
  const metric = spelledName(series.metric);
  if (series.labels.length === 0) return metric;
  const labels = series.labels.map(([name, value]) => `${spelledName(name)}="${escapeLabelValue(value)}"`);
  return `${metric}{${labels.join(",")}}`;
}

function spelledName(name: string): string {
  return /^[\w.:/-]+$/.test(name) ? name : `"${escapeLabelValue(name)}"`;
}

/** Escapes a label value as Prometheus' exposition format does. */
export function escapeLabelValue(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
}

/** The value of the label `name`, or undefined. */
export function labelValue(labels: Labels, name: string): string | undefined {
  for (const [key, value] of labels) if (key === name) return value;
  return undefined;
}
