import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { DecodeError } from "#collector/ingest/decode/decode-error.ts";
import type { OtlpMetric, OtlpSpan, ResourceOf } from "#collector/ingest/decode/otlp.ts";
import { readMetricsJson, readTracesJson } from "#collector/ingest/decode/otlp-json.ts";
import { readMetricsProtobuf, readTracesProtobuf } from "#collector/ingest/decode/otlp-protobuf.ts";
import { double, fixed64, integer, join, message, type Part, text, varint } from "./proto-writer.ts";

const startNs = 1_767_571_200_000_000_000n;
const endNs = startNs + 1_234_567n;
const wanted = new Set(["http.response.status_code", "peer.service"]);

const attribute = (field: number, key: string, value: Part): Part =>
  message(field, text(1, key), message(2, value));
const resource = message(
  1,
  attribute(1, "service.name", text(1, "pay")),
  attribute(1, "process.pid", integer(3, 4711)),
);
const request = (...metrics: Part[]): Part =>
  message(
    1,
    resource,
    message(2, message(1, text(1, "scope")), ...metrics.map((metric) => message(2, metric))),
  );

const times = join(fixed64(2, startNs), fixed64(3, endNs));

/** One of each kind, with fields that nobody knows between them. */
const metricsBytes = request(
  join(text(1, "g"), text(2, "a description"), text(3, "By"), message(5, message(1, times, double(4, 1.5)))),
  join(
    text(1, "s"),
    message(
      7,
      message(1, times, fixed64(6, -5n), attribute(7, "k", text(1, "v")), message(5, text(1, "exemplar"))),
      integer(2, 1),
      integer(3, 1),
    ),
  ),
  join(
    text(1, "h"),
    text(3, "ms"),
    message(
      9,
      message(
        1,
        times,
        fixed64(4, 6n),
        double(5, 30),
        message(6, ...[1n, 2n, 3n].map((count) => fixed64(1, count).subarray(1))),
        message(7, ...[10, 20].map((bound) => double(1, bound).subarray(1))),
        attribute(9, "route", text(1, "/pay")),
      ),
      integer(2, 2),
    ),
  ),
  join(
    text(1, "e"),
    message(
      10,
      message(
        1,
        attribute(1, "k", integer(2, 1)),
        times,
        fixed64(4, 10n),
        integer(6, 5),
        fixed64(7, 1n),
        message(8, integer(1, 3), message(2, varint(4), varint(3))),
        message(9, integer(1, 0), message(2, varint(2))),
      ),
      integer(2, 2),
    ),
  ),
  join(
    text(1, "q"),
    message(11, message(1, times, fixed64(4, 7n), double(5, 3), message(6, double(1, 0.95), double(2, 0.7)))),
  ),
);

const ns = { startTimeUnixNano: String(startNs), timeUnixNano: String(endNs) };
const metricsJson = JSON.stringify({
  resourceMetrics: [
    {
      resource: {
        attributes: [
          { key: "service.name", value: { stringValue: "pay" } },
          { key: "process.pid", value: { intValue: "4711" } },
        ],
      },
      unknownField: { deep: [] },
      scopeMetrics: [
        {
          scope: { name: "scope" },
          metrics: [
            { name: "g", description: "d", unit: "By", gauge: { dataPoints: [{ ...ns, asDouble: 1.5 }] } },
            {
              name: "s",
              sum: {
                aggregationTemporality: 1,
                isMonotonic: true,
                dataPoints: [
                  {
                    ...ns,
                    asInt: "-5",
                    attributes: [{ key: "k", value: { stringValue: "v" } }],
                    exemplars: [1],
                  },
                ],
              },
            },
            {
              name: "h",
              unit: "ms",
              histogram: {
                aggregationTemporality: 2,
                dataPoints: [
                  {
                    ...ns,
                    count: "6",
                    sum: 30,
                    bucketCounts: ["1", "2", 3],
                    explicitBounds: [10, 20],
                    attributes: [{ key: "route", value: { stringValue: "/pay" } }],
                  },
                ],
              },
            },
            {
              name: "e",
              exponentialHistogram: {
                aggregationTemporality: 2,
                dataPoints: [
                  {
                    ...ns,
                    count: 10,
                    scale: -3,
                    zeroCount: "1",
                    positive: { offset: -2, bucketCounts: ["4", "3"] },
                    negative: { offset: 0, bucketCounts: ["2"] },
                    attributes: [{ key: "k", value: { boolValue: true } }],
                  },
                ],
              },
            },
            {
              name: "q",
              summary: {
                dataPoints: [{ ...ns, count: "7", sum: 3, quantileValues: [{ quantile: 0.95, value: 0.7 }] }],
              },
            },
          ],
        },
      ],
    },
  ],
});

test("metrics of every kind mean the same in protobuf and in JSON", () => {
  const fromBytes = readMetricsProtobuf(metricsBytes);
  assert.deepEqual(fromBytes, readMetricsJson(metricsJson));
  const [{ resource: attributes, items }] = fromBytes as [ResourceOf<OtlpMetric>];
  assert.deepEqual(attributes, [
    ["service.name", "pay"],
    ["process.pid", "4711"],
  ]);
  const [g, s, h, e, q] = items as [OtlpMetric, OtlpMetric, OtlpMetric, OtlpMetric, OtlpMetric];
  assert.deepEqual([g.type, g.points[0]?.value, g.points[0]?.timeMs], ["gauge", 1.5, 1_767_571_200_001.235]);
  assert.deepEqual([s.isMonotonic, s.temporality, s.points[0]?.value], [true, "delta", -5]);
  assert.deepEqual(h.points[0]?.buckets, { kind: "explicit", bounds: [10, 20], counts: [1, 2, 3] });
  const exponential = { kind: "exponential", scale: -3, zeroCount: 3, offset: -2, counts: [4, 3] };
  assert.deepEqual(e.points[0]?.buckets, exponential);
  assert.deepEqual(q.points[0]?.quantiles, [[0.95, 0.7]]);
});

const spanId = "00f067aa0ba902b7";
const spanBytes = join(
  message(1, new Uint8Array(16).fill(1)),
  message(2, Uint8Array.from(Buffer.from(spanId, "hex"))),
  message(4, new Uint8Array(8)),
  text(5, "GET /pay"),
  integer(6, 3),
  fixed64(7, startNs),
  fixed64(8, endNs),
  attribute(9, "http.response.status_code", integer(3, 503)),
  attribute(9, "customer.name", text(1, "nobody needs it")),
  message(11, text(2, "an event")),
  message(15, text(2, "broken"), integer(3, 2)),
);
const tracesBytes = message(1, resource, message(2, message(2, spanBytes)));

test("spans mean the same in protobuf and in JSON, and only the attributes that are wanted are read", () => {
  const fromBytes = readTracesProtobuf(tracesBytes, wanted);
  const json = JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: "service.name", value: { stringValue: "pay" } },
            { key: "process.pid", value: { intValue: 4711 } },
          ],
        },
        scopeSpans: [
          {
            spans: [
              {
                traceId: "01".repeat(16),
                spanId: spanId.toUpperCase(),
                parentSpanId: "",
                name: "GET /pay",
                kind: 3,
                startTimeUnixNano: String(startNs),
                endTimeUnixNano: String(endNs),
                attributes: [
                  { key: "http.response.status_code", value: { intValue: "503" } },
                  { key: "customer.name", value: { stringValue: "nobody needs it" } },
                ],
                status: { code: 2, message: "broken" },
              },
            ],
          },
        ],
      },
    ],
  });
  assert.deepEqual(fromBytes, readTracesJson(json, wanted));
  const span = fromBytes[0]?.items[0];
  assert.deepEqual(span, {
    spanId,
    parentId: "",
    kind: "client",
    endMs: 1_767_571_200_001.235,
    durationMs: 1.234567,
    isError: true,
    attributes: [["http.response.status_code", "503"]],
  } satisfies OtlpSpan);
});

test("one point of JSON that is rubbish costs itself, and is counted", () => {
  const body = JSON.parse(metricsJson) as {
    resourceMetrics: { scopeMetrics: { metrics: { gauge?: { dataPoints: unknown[] } }[] }[] }[];
  };
  body.resourceMetrics[0]!.scopeMetrics[0]!.metrics[0]!.gauge!.dataPoints.push(
    { ...ns, asDouble: "many" },
    { ...ns, asDouble: 2 },
    { ...ns, asInt: {}, attributes: "none" },
  );
  const [read] = readMetricsJson(JSON.stringify(body));
  assert.equal(read?.malformed, 2);
  assert.deepEqual(
    read.items[0]?.points.map(({ value }) => value),
    [1.5, 2],
  );
});

const reads: readonly ((bytes: Uint8Array) => unknown)[] = [
  readMetricsProtobuf,
  (bytes) => readTracesProtobuf(bytes, wanted),
  (bytes) => readMetricsJson(Buffer.from(bytes).toString("utf8")),
  (bytes) => readTracesJson(Buffer.from(bytes).toString("utf8"), wanted),
];

/** Reads or refuses: anything else fails. */
function survives(bytes: Uint8Array): void {
  for (const read of reads) {
    try {
      read(bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
}

test("no bytes are read as anything but a request or a typed error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(bytes)),
    { numRuns: 500 },
  );
});

test("a real request that was cut or changed anywhere is read, or refused by kind", () => {
  for (const bytes of [metricsBytes, tracesBytes, new TextEncoder().encode(metricsJson)]) {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (place, byte, cut) => {
        const changed = cut ? bytes.slice(0, place) : bytes.slice();
        if (!cut) changed[place] = byte;
        survives(changed);
      }),
      { numRuns: 500 },
    );
  }
});

test("a request whose structure is broken is refused as a whole", () => {
  const refused = (run: () => unknown): string | undefined => {
    try {
      run();
      return undefined;
    } catch (error) {
      return error instanceof DecodeError ? error.reason : String(error);
    }
  };
  assert.equal(
    refused(() => readMetricsJson("{")),
    "malformed",
  );
  assert.equal(
    refused(() => readMetricsJson("[]")),
    "malformed",
  );
  assert.equal(
    refused(() => readMetricsJson('{"resourceMetrics":{}}')),
    "malformed",
  );
  assert.equal(
    refused(() => readTracesJson('{"resourceSpans":[{"scopeSpans":[7]}]}', wanted)),
    "malformed",
  );
  assert.equal(
    refused(() => readMetricsProtobuf(metricsBytes.subarray(0, 40))),
    "truncated",
  );
  assert.equal(
    refused(() => readMetricsJson("[".repeat(100_000))),
    "malformed",
  );
});

test("a label that is called like a part of every object is a label like any other", () => {
  const json = `{"resourceSpans":[{"resource":{"attributes":[{"key":"__proto__","value":{"stringValue":"x"}},
    {"key":"constructor","value":{"__proto__":{"stringValue":"y"}}}]},"scopeSpans":[]}]}`;
  assert.deepEqual(readTracesJson(json, wanted)[0]?.resource, [
    ["__proto__", "x"],
    ["constructor", ""],
  ]);
});
