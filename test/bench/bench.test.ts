/** Every benchmark still runs: tiny, without rivals, its figures looked at for being figures at all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { benches } from "./bench.ts";
import { labelBytes, writeRequest } from "./remote-write.ts";
import { median } from "./report.ts";

const wanted = new Map([
  ["detect", ["detect.ns_per_sample", "detect.vs_welford", "detect.bytes_per_series"]],
  ["wire", ["wire.bytes_per_sample", "wire.encode_ns", "wire.decode_ns"]],
  ["ingest", ["ingest.samples_per_cpu_second"]],
  ["rank", ["rank.p50_ms", "rank.p99_ms", "rank.samples.p99_ms"]],
  ["agent", ["agent.rss_mb", "agent.pss_mb", "agent.anonymous_mb"]],
  // What the page gives is left out where there is no browser.
  ["console", ["console.anomalies", "console.incidents", "console.collector_rss_mb"]],
]);

for (const [name, bench] of benches) {
  test(`the benchmark ${name} runs and gives its figures`, async () => {
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    const figures = await bench({ size: "tiny", print, minutes: 1, million: false, rivals: false });
    for (const key of wanted.get(name) ?? []) assert.ok(figures[key]! > 0, `${key} is ${figures[key]}`);
    assert.ok(lines.length > 0);
  });
}

test("a remote-write request is the protocol's bytes", () => {
  const series = {
    metric: "a.b",
    unit: "1",
    instrument: "gauge",
    decimals: 0,
    labels: [["c", "d"]],
  } as const;
  const label = Buffer.from(labelBytes(series, "h"));
  const pair = (name: string, value: string): string =>
    `\n${String.fromCharCode(name.length + value.length + 4)}\n${String.fromCharCode(name.length)}${name}\x12${String.fromCharCode(value.length)}${value}`;
  const labels = pair("__name__", "a_b") + pair("c", "d") + pair("instance", "h") + pair("job", "bench");
  assert.equal(label.toString("latin1"), labels);
  const body = Buffer.from(writeRequest([{ labels: [label], values: Float64Array.of(2) }], 300));
  // One literal of snappy: length of the whole, tag, bytes. In them: timeseries, labels, sample with its double and time.
  const raw = Buffer.concat([
    Buffer.of(0x0a, label.length + 14),
    label,
    Buffer.of(0x12, 12, 0x09, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x10, 0xac, 0x02),
  ]);
  assert.equal(body[0], raw.length);
  assert.ok(body.subarray(-raw.length).equals(raw), body.toString("hex"));
});

test("a median is the middle one, or the mean of the middle two", () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 3, 2])], [2, 2.5]);
});
