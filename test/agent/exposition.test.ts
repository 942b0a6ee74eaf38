import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Recorder } from "#agent/collect/recorder.ts";
import {
  exposition,
  LastTick,
  prometheusLabels,
  prometheusName,
  serveExposition,
} from "#agent/exposition.ts";
import { ConfigError } from "#shared/errors.ts";
import type { Series } from "#shared/series.ts";

const series = (
  metric: string,
  unit: string,
  instrument: Series["instrument"],
  labels: Series["labels"] = [],
): Series => ({
  metric,
  unit,
  instrument,
  labels,
  decimals: 0,
});

test("names follow OpenTelemetry's rules for Prometheus", () => {
  const names: [string, string, Series["instrument"], string][] = [
    ["system.cpu.time", "s", "counter", "system_cpu_time_seconds_total"],
    ["system.cpu.utilization", "1", "gauge", "system_cpu_utilization_ratio"],
    ["system.memory.usage", "By", "gauge", "system_memory_usage_bytes"],
    ["system.process.created", "{process}", "counter", "system_process_created_total"],
    ["system.process.count", "{process}", "gauge", "system_processes"],
    ["causeway.agent.spool.bytes", "By", "gauge", "causeway_agent_spool_bytes"],
    ["1st", "1", "counter", "_1st_total"],
  ];
  for (const [metric, unit, instrument, name] of names) {
    assert.equal(prometheusName({ metric, unit, instrument }), name);
  }
});

test("labels are translated and escaped, and one named __proto__ is a label", () => {
  const labels = prometheusLabels([
    ["__proto__", "a"],
    ["cpu.mode", 'q"\\\n'],
    ["1x", "y"],
  ]);
  assert.equal(labels, '{__proto__="a",cpu_mode="q\\"\\\\\\n",_1x="y"}');
});

test("a family has one HELP and one TYPE, and series without a value are left out", () => {
  const text = exposition([
    { series: series("a.b", "s", "counter", [["x", "1"]]), value: 1.5 },
    { series: series("a.b", "s", "counter", [["x", "2"]]), value: 2 },
    { series: series("c", "1", "gauge"), value: Number.NaN },
  ]);
  assert.equal(
    text,
    '# HELP a_b_seconds_total OpenTelemetry a.b, unit s.\n# TYPE a_b_seconds_total counter\na_b_seconds_total{x="1"} 1.5\na_b_seconds_total{x="2"} 2\n',
  );
});

async function get(port: number, path: string, host = "localhost", method = "GET") {
  const request = http.request({ host: "127.0.0.1", port, path, method, headers: { host } }).end();
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body };
}

test("the last tick is served on loopback, and only to those who mean it", async (t) => {
  const last = new LastTick();
  const server = await serveExposition("127.0.0.1:0", last);
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  assert.equal((await get(port, "/-/ready")).status, 503);
  const recorder = new Recorder();
  recorder.set(recorder.column(series("up", "1", "gauge")), 1);
  last.take(recorder);
  recorder.endTick();
  assert.equal((await get(port, "/-/ready")).status, 200);
  assert.equal((await get(port, "/-/healthy")).status, 200);
  assert.match((await get(port, "/metrics")).body, /^up_ratio 1$/m);
  assert.equal((await get(port, "/metrics", "evil.example")).status, 421);
  assert.equal((await get(port, "/metrics", "localhost", "POST")).status, 405);
  assert.equal((await get(port, "/etc/passwd")).status, 404);
  await assert.rejects(serveExposition(`127.0.0.1:${port}`, last), ConfigError);
});
