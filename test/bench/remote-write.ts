/**
 * Prometheus remote-write 1.0 requests, made here: protobuf by hand (prompb.WriteRequest) and snappy, in the block format that the
 * protocol asks for. One sample a series and request, as a server forwards its scrapes.
 */
import { compress } from "snappyjs";
import type { Series } from "#shared/series.ts";
import { ByteWriter } from "#shared/wire/bytes.ts";

/** Field number and wire type, as protobuf writes them. */
const tag = {
  timeseries: 0x0a,
  label: 0x0a,
  sample: 0x12,
  name: 0x0a,
  value: 0x12,
  double: 0x09,
  timestamp: 0x10,
} as const;

/** One series' labels, encoded once. */
export function labelBytes(series: Series, instance: string): Uint8Array {
  const labels: (readonly [string, string])[] = [
    ["__name__", prometheusName(series.metric)],
    ["instance", instance],
    ["job", "bench"],
    ...series.labels.map(([name, value]) => [prometheusName(name), value] as const),
  ];
  const out = new ByteWriter();
  for (const [name, value] of labels.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const label = new ByteWriter();
    label.byte(tag.name);
    label.string(name);
    label.byte(tag.value);
    label.string(value);
    out.byte(tag.label);
    out.varint(label.length);
    out.raw(label.bytes.subarray(0, label.length));
  }
  return out.bytes.slice(0, out.length);
}

function prometheusName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, "_");
}

export interface Rows {
  readonly labels: readonly Uint8Array[];
  readonly values: Float64Array;
}

/** The compressed body for one sample of each of these series. */
export function writeRequest(parts: readonly Rows[], timeMs: number): Uint8Array {
  const out = new ByteWriter();
  const sample = new ByteWriter();
  for (const { labels, values } of parts) {
    for (const [index, label] of labels.entries()) {
      sample.length = 0;
      sample.byte(tag.double);
      sample.float64(values[index]!);
      sample.byte(tag.timestamp);
      sample.varint(timeMs);
      out.byte(tag.timeseries);
      out.varint(label.length + 2 + sample.length);
      out.raw(label);
      out.byte(tag.sample);
      out.varint(sample.length);
      out.raw(sample.bytes.subarray(0, sample.length));
    }
  }
  return compress(out.bytes.subarray(0, out.length));
}
