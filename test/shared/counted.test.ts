import assert from "node:assert/strict";
import { test } from "node:test";
import { type Counted, countedLeafOf, countedOf } from "#shared/counted.ts";
import { knownMetrics, meaningOf } from "#shared/semantics.ts";
import { canonicalLabels, type Instrument } from "#shared/series.ts";

function counted(
  metric: string,
  labels: Readonly<Record<string, string>> = {},
  instrument: Instrument = "counter",
  unit = "",
): Counted | undefined {
  return countedOf({
    metric,
    unit,
    instrument,
    decimals: 0,
    labels: canonicalLabels(Object.entries(labels)),
  });
}

const partOf = (metric: string, labels: Readonly<Record<string, string>> = {}): string | undefined =>
  counted(metric, labels)?.part;

test("a name says what is counted, and how it ended", () => {
  assert.equal(partOf("http_requests_total"), "total");
  assert.equal(partOf("pay_transaction_count"), "total");
  assert.equal(partOf("orders_failed_total"), "failure");
  assert.equal(partOf("payment_errors_total"), "failure");
  assert.equal(partOf("payment_success_total"), "success");
  assert.equal(partOf("transfer_declined_total"), "refusal");
  assert.equal(partOf("transfer_business_failed_total"), "refusal");
  assert.equal(partOf("transfer_system_failed_total"), "failure");
  assert.equal(partOf("grpc_server_handling_seconds_count"), "total");
  assert.equal(partOf("http.server.request.duration.count"), "total");
  assert.equal(counted("pay_transactions_total")?.what, "transactions");
  assert.equal(counted("pay_requests_total")?.what, "requests");
});

test("a label says how it ended: the server failed, or it answered as the rules demand", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["code", "200", "success"],
    ["code", "2xx", "success"],
    ["status", "404", "refusal"],
    ["status", "429", "failure"],
    ["http.response.status_code", "503", "failure"],
    ["grpc_code", "DeadlineExceeded", "failure"],
    ["rpc.grpc.status_code", "5", "refusal"],
    ["rpc.grpc.status_code", "14", "failure"],
    ["result", "biz_fail", "refusal"],
    ["outcome", "SUCCESS", "success"],
    ["return_code", "0000", "success"],
    ["return_code", "E5102", "refusal"],
    ["error.type", "timeout", "failure"],
    ["status", "shipped", "total"],
  ];
  for (const [label, value, part] of cases)
    assert.equal(partOf("pay_requests_total", { [label]: value }), part, `${label}=${value}`);
});

test("what belongs together has the same flow, and what does not has another", () => {
  const flow = (metric: string, labels: Readonly<Record<string, string>> = {}): string | undefined =>
    counted(metric, labels)?.of;
  assert.equal(flow("pay_requests_total"), flow("pay_errors_total"));
  assert.equal(flow("pay_requests_total"), flow("pay_success_total"));
  assert.equal(
    flow("http_requests_total", { route: "/a", code: "200" }),
    flow("http_requests_total", { route: "/a", code: "500", reason: "timeout" }),
  );
  assert.notEqual(
    flow("http_requests_total", { route: "/a", code: "200" }),
    flow("http_requests_total", { route: "/b", code: "200" }),
  );
  assert.notEqual(flow("pay_requests_total"), flow("login_requests_total"));
});

test("gauges of a share and of a volume are counts too, when it is known of how much and of what time", () => {
  const gauge = (metric: string, unit = ""): Counted | undefined => counted(metric, {}, "gauge", unit);
  assert.deepEqual(
    [gauge("pay_success_ratio")?.share, gauge("pay_success_ratio")?.part, gauge("pay_success_ratio")?.per],
    ["of the rest", "failure", 1],
  );
  assert.equal(gauge("pay_business_success_rate", "%")?.part, "refusal");
  assert.equal(gauge("pay_error_percent")?.per, 100);
  assert.equal(gauge("pay_error_percent")?.share, "of part");
  assert.equal(gauge("pay_tps")?.per, 1);
  assert.equal(gauge("pay_transactions_per_minute")?.per, 60);
  assert.equal(gauge("pay_transactions", "{transaction}/s")?.per, 1);
  assert.equal(gauge("pay_transactions"), undefined, "of how long?");
  assert.equal(gauge("cache_hit_ratio"), undefined);
});

test("what counts nothing that can fail is no count, and what the agent measures is known by name", () => {
  for (const metric of ["node_cpu_seconds_total", "bytes_total", "queue_length", "pay_latency_seconds_sum"])
    assert.equal(counted(metric), undefined, metric);
  for (const metric of knownMetrics) {
    const series = { metric, unit: "1", instrument: "counter", decimals: 0, labels: [] } as const;
    assert.equal(meaningOf(series, "web-01").counts, undefined, metric);
  }
});

test("of a transaction the result says how it ended, whatever its code looks like", () => {
  const cases = [
    [{ result: "ok", code: "404" }, "success"],
    [{ result: "biz_fail", code: "500" }, "refusal"],
    [{ result: "sys_fail", code: "200" }, "failure"],
    [{ result: "timeout", code: "" }, "failure"],
    [{ result: "other", code: "503" }, "failure"],
  ] as const;
  for (const [labels, part] of cases)
    assert.equal(partOf("bank_txn_total", labels), part, JSON.stringify(labels));
  assert.equal(partOf("http_server_requests_total", { outcome: "CLIENT_ERROR", status: "429" }), "failure");
});

test("a counter's leaf has a family, dimensions without what tells the ending, and a place in the total", () => {
  const leafOf = (metric: string, labels: Readonly<Record<string, string>> = {}) =>
    countedLeafOf({
      metric,
      unit: "1",
      instrument: "counter",
      decimals: 0,
      labels: canonicalLabels(Object.entries(labels)),
    });
  assert.deepEqual(leafOf("bank_txn_total", { channel: "app", result: "sys_fail", code: "S01" }), {
    family: "bank_txn",
    dimensions: [["channel", "app"]],
    part: "failure",
    isOfTotal: true,
    seconds: 1,
  });
  assert.equal(leafOf("orders_failed_total")?.isOfTotal, false);
  assert.equal(leafOf("orders_failed_total")?.family, leafOf("orders_total")?.family);
  assert.equal(leafOf("bank_txn_duration_seconds_count")?.family, "bank_txn_duration");
  assert.equal(leafOf("bank_txn_duration_milliseconds_sum")?.seconds, 0.001);
  assert.equal(leafOf("bank_txn_duration_seconds_sum")?.part, "seconds");
  assert.equal(leafOf("bank_txn_amount_sum"), undefined);
  assert.equal(leafOf("node_cpu_seconds_total"), undefined);
});

test("calls that spans tell are requests by their outcome, and are named by whose they are", () => {
  const labels = { "service.name": "pay", "host.name": "web-01" };
  const failed = counted("causeway.service.calls", { ...labels, outcome: "failure" });
  const all = ["success", "failure", "refused"].map((outcome) =>
    counted("causeway.service.calls", { ...labels, outcome }),
  );
  assert.deepEqual(
    all.map((one) => [one?.part, one?.what, one?.of === failed?.of]),
    [
      ["success", "requests", true],
      ["failure", "requests", true],
      ["refusal", "requests", true],
    ],
  );
  assert.equal(failed?.name, "pay");
  const edge = { ...labels, caller: "pay", callee: "core", "callee.kind": "service", outcome: "failure" };
  assert.equal(counted("causeway.edge.calls", edge)?.name, "pay → core");
});
