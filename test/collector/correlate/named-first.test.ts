// What goes first of what was told as abnormal, when nobody has looked at the past.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCorrelate } from "#collector/correlate/correlate.ts";
import { createTopology } from "#collector/topology/topology.ts";
import { anomaly, cpuBusy, processCpu, silent, startMs } from "#test/collector/anomalies.ts";

const labelled = (host: string, metric: string, labels: [string, string][], change = {}) =>
  anomaly(host, metric, 0, {
    labels,
    role: "symptom",
    kind: "errors",
    resource: "none",
    score: 16,
    ...change,
  });

test("a port that closed is named before a service that only fails, however badly that does", () => {
  const topology = createTopology();
  topology.declare("pay", "cards");
  const correlate = createCorrelate({ topology });
  const failing = labelled("pay", "http_requests_failed_total", [["service.name", "payments"]]);
  const closed = anomaly("cards", "causeway.listen.sockets", 0, {
    labels: [
      ["service.name", "cards"],
      ["network.local.port", "7449"],
    ],
    direction: "down",
  });
  const [told] = correlate.add([failing, closed], startMs + 10_000);
  assert.equal(told?.causes[0]?.entity, "port:cards/cards/7449");
});

test("what a client saw of those that it calls blames nobody", () => {
  const topology = createTopology();
  topology.declare("web", "pay");
  const correlate = createCorrelate({ topology });
  const served = labelled("web", "http_requests_failed_total", [["service.name", "web"]]);
  const asked = labelled("pay", "http.client.request.duration.count", [["service.name", "pay"]]);
  const [told] = correlate.add([served, asked], startMs + 10_000);
  assert.deepEqual(told?.causes, []);
  const own = labelled("pay", "http_requests_failed_total", [["service.name", "pay"]]);
  const [again] = correlate.add([own], startMs + 20_000);
  assert.equal(again?.causes[0]?.entity, "service:pay/pay");
});

test("a host that falls silent is silent for its own reason, whatever was busy on it just before", () => {
  const correlate = createCorrelate({ topology: createTopology() });
  const busy = [cpuBusy("pay", 0), processCpu("pay", "report", 0, 0.5)];
  const [before] = correlate.add(busy, startMs + 10_000);
  assert.equal(before?.causes[0]?.entity, "process:pay/7/report");
  const [after] = correlate.add([silent("pay", 30)], startMs + 45_000);
  assert.equal(after?.causes[0]?.entity, "host:pay");
});
