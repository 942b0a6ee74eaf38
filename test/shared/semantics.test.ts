import assert from "node:assert/strict";
import { test } from "node:test";
import { knownMetrics, meaningOf } from "#shared/semantics.ts";
import { canonicalLabels, type Instrument } from "#shared/series.ts";

function meaning(
  metric: string,
  labels: readonly (readonly [string, string])[] = [],
  instrument: Instrument = "gauge",
) {
  return meaningOf({ metric, unit: "1", instrument, decimals: 0, labels: canonicalLabels(labels) }, "web-01");
}

test("every metric that is judged says what the smallest change is that matters", () => {
  assert.ok(knownMetrics.length > 40);
  for (const metric of knownMetrics) {
    const { role, kind, floor, floorShare, bound } = meaning(metric);
    assert.match(metric, /^(?:system|process|causeway)(?:\.[a-z0-9_]+)+$/, metric);
    if (role === "context") continue;
    assert.ok(floor > 0, `${metric}: floor ${floor}`);
    assert.ok(floorShare > 0 && floorShare <= 1, `${metric}: floorShare ${floorShare}`);
    assert.notEqual(kind, "counter", `${metric}: judged, so it has a kind`);
    if (bound !== undefined) assert.ok(bound > floor, `${metric}: bound ${bound}, floor ${floor}`);
  }
});

test("latency and traffic never open an incident, but for what a service's customers wait for: they are what a cause does to others", () => {
  assert.equal(meaning("causeway.service.latency", [["service.name", "pay"]]).role, "symptom");
  for (const metric of knownMetrics) {
    const { role, kind } = meaning(metric);
    if (metric === "causeway.service.latency") continue;
    if (kind === "latency" || kind === "traffic") assert.notEqual(role, "symptom", metric);
  }
});

test("a CPU's mode decides what its utilisation means", () => {
  const utilization = (labels: readonly (readonly [string, string])[]) =>
    meaning("system.cpu.utilization", labels).role;
  assert.equal(utilization([]), "symptom");
  assert.equal(utilization([["cpu.mode", "user"]]), "evidence");
  assert.equal(utilization([["cpu.mode", "idle"]]), "context");
  assert.equal(utilization([["cpu.mode", "steal"]]), "symptom");
  assert.equal(utilization([["cpu.logical_number", "3"]]), "context");
});

test("pressure belongs to the resource that work waits for", () => {
  const stall = (resource: string, type: string) =>
    meaning(
      "system.pressure.stall.time",
      [
        ["causeway.pressure.resource", resource],
        ["causeway.pressure.type", type],
      ],
      "counter",
    );
  assert.equal(stall("memory", "some").resource, "memory");
  assert.equal(stall("io", "full").resource, "disk");
  assert.equal(stall("io", "full").role, "symptom");
  assert.equal(stall("cpu", "full").role, "context");
});

test("a counter is judged by its rate, a gauge as it is", () => {
  assert.deepEqual(
    [meaning("system.disk.io", [], "counter").unit, meaning("system.disk.io", [], "counter").rate],
    ["1/s", true],
  );
  assert.deepEqual([meaning("system.disk.io").unit, meaning("system.disk.io").rate], ["1", false]);
});

test("a series belongs to the part that its label names, and to its host when the label is missing", () => {
  assert.deepEqual(meaning("system.disk.io", [["system.device", "sda"]]).entity, {
    kind: "disk",
    host: "web-01",
    name: "sda",
  });
  assert.deepEqual(meaning("system.disk.io").entity, { kind: "host", host: "web-01", name: "" });
  const process = [
    ["process.pid", "4711"],
    ["process.executable.name", "java"],
  ] as const;
  assert.equal(meaning("process.cpu.utilization", process).entity.name, "4711/java");
});

test("a metric that nobody knows is evidence at most, and our own metrics are never judged", () => {
  const unknown = meaning("my.own.metric");
  assert.deepEqual([unknown.role, unknown.badDirection, unknown.entity.kind], ["evidence", "both", "host"]);
  assert.equal(meaning("causeway.agent.memory.rss").role, "context");
  assert.equal(meaning("__proto__").role, "evidence");
});

test("what can run out is known: filesystems, memory, and certificates under the names that exporters give them", () => {
  assert.equal(meaning("system.filesystem.inodes.utilization").runsOut, "share");
  assert.equal(meaning("process.memory.usage").runsOut, "memory");
  assert.equal(meaning("system.cpu.utilization").runsOut, undefined);
  const certificates = [
    "probe_ssl_earliest_cert_expiry",
    "x509_cert_not_after",
    "x509_cert_expires_in_seconds",
    "certmanager_certificate_expiration_timestamp_seconds",
    "nginx_ingress_controller_ssl_expire_time_seconds",
    "kubelet_certificate_manager_client_ttl_seconds",
    "x509_cert_expiry",
  ];
  for (const metric of certificates) {
    const { runsOut, entity } = meaning(metric, [["instance", "pay.example:443"]]);
    assert.deepEqual(
      [runsOut, entity.kind, entity.name],
      ["expiry", "certificate", "pay.example:443"],
      metric,
    );
  }
  for (const metric of ["cache_entry_expiry", "session_expires_total", "certificates_signed_total"])
    assert.equal(meaning(metric).runsOut, undefined, metric);
});

test("the way to a peer is evidence about that peer; from a client, and on loopback, it is context", () => {
  const edge = (direction: string, address: string) =>
    [
      ["causeway.edge.direction", direction],
      ["network.peer.address", address],
      ...(direction === "out" ? [["network.peer.port", "5432"] as const] : []),
    ] as const;
  for (const metric of ["causeway.edge.rtt", "causeway.edge.retransmits"]) {
    const { role, resource, entity } = meaning(metric, edge("out", "10.0.0.9"));
    assert.deepEqual(
      [role, resource, entity.kind, entity.name],
      ["evidence", "network", "peer", "10.0.0.9/5432"],
    );
    assert.equal(meaning(metric, edge("in", "198.51.100.7")).role, "context");
    assert.equal(meaning(metric, edge("out", "127.0.0.1")).role, "context");
    assert.equal(
      meaning(metric, edge("out", "127.0.0.12")).role,
      "evidence",
      "a host's own, on one machine with others",
    );
  }
  const { role, kind, bornAtZero } = meaning("causeway.edge.unreachable", edge("out", "10.0.0.9"));
  assert.deepEqual([role, kind, bornAtZero], ["evidence", "errors", true]);
});

test("what names its host and its service is that host's service, whoever reports it", () => {
  const labels = [
    ["host.name", "web-01"],
    ["service.name", "pay"],
  ] as const;
  const entity = (metric: string, more: readonly (readonly [string, string])[] = []) =>
    meaningOf(
      { metric, unit: "1", instrument: "gauge", decimals: 0, labels: canonicalLabels([...labels, ...more]) },
      "pay@web-01",
    ).entity;
  const service = { kind: "service", host: "web-01", name: "pay" };
  assert.deepEqual(entity("causeway.service.latency"), service);
  assert.deepEqual(entity("queue.length"), service);
  // Of a process that it does not name.
  assert.deepEqual(entity("process.cpu.utilization"), service);
  assert.deepEqual(entity("system.memory.utilization"), { kind: "host", host: "web-01", name: "" });
});

test("of the quantiles of a duration what nearly all wait for opens an incident, and its sum is context", () => {
  const of = (metric: string, quantile: string, unit = "s") =>
    meaningOf(
      { metric, unit, instrument: "gauge", decimals: 6, labels: canonicalLabels([["quantile", quantile]]) },
      "h",
    );
  assert.deepEqual(
    [of("http.server.request.duration", "0.95").role, of("http.server.request.duration", "0.95").kind],
    ["symptom", "latency"],
  );
  assert.equal(of("http.server.request.duration", "0.5").role, "evidence");
  assert.notEqual(of("batch.size", "0.95", "By").kind, "latency");
  const sum = { metric: "x.sum", unit: "s", instrument: "counter", decimals: 0, labels: [] } as const;
  assert.equal(meaningOf(sum, "h").role, "context");
});

test("what waits in a queue is felt, whatever the queue is called; what a queue counts or a job takes is not", () => {
  const waits = [
    "bank_queue_depth",
    "queue.length",
    "orders_backlog",
    "bank_queue_oldest_age_seconds",
    "kafka_consumergroup_lag",
    "replication_lag_seconds",
  ];
  for (const metric of waits) {
    const { kind, role } = meaning(metric);
    assert.deepEqual([kind, role], ["saturation", "symptom"], metric);
  }
  const others = ["queue_consumers", "queue_age_limit", "lag_filter_taps", "bank_batch_running_seconds"];
  for (const metric of others) assert.equal(meaning(metric).role, "evidence", metric);
  assert.notEqual(meaning("queue_messages", [], "counter").kind, "saturation");
});

test("connections that are open or just over are demand; those that nobody closes or accepts are a state", () => {
  const of = (state: string) => {
    const { kind, resource } = meaning("system.network.connection.count", [
      ["network.connection.state", state],
    ]);
    return `${kind} ${resource}`;
  };
  assert.equal(of("time_wait"), "traffic none");
  assert.equal(of("established"), "traffic none");
  assert.equal(of("close_wait"), "state network");
});
