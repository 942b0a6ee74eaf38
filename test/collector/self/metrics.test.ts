import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { httpRoutes } from "#collector/self/http-labels.ts";
import { createMetrics, labelOr, metricTable } from "#collector/self/metrics.ts";
import { debianProgram } from "#test/setup/debian.ts";

test("every metric is named after its part, its unit and its type", () => {
  const names = new Set<string>();
  for (const { name, type, unit, help, labels } of Object.values(metricTable)) {
    assert.match(name, /^causeway_(ingest|journal|detect|incident|store|push|http)_[a-z_]+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    if (unit !== "") assert.match(name, new RegExp(`_${unit}(_total)?$`), name);
    assert.match(help, /^[A-Z0-9].*\.$/, name);
    for (const [label, values] of Object.entries<readonly string[]>(labels)) {
      assert.match(label, /^[a-z]+$/, name);
      assert.equal(new Set(values).size, values.length, `${name} ${label}`);
    }
    assert.ok(!names.has(name), `${name} is there twice`);
    names.add(name);
  }
});

test("what is counted is shown, and what never happened is shown as 0", async () => {
  const metrics = createMetrics({ version: "1.2.3" });
  metrics.ingestFrames.inc();
  metrics.ingestFrames.inc(4);
  metrics.ingestRefusals.inc({ reason: "corrupted" }, 2);
  metrics.detectLag.set(0.25);
  metrics.incidentsOpen.set({ severity: "major" }, 3);
  metrics.journalCommit.observe(0.004);
  metrics.httpSeconds.observe({ route: "hosts" }, 0.01);
  const text = await metrics.text();
  for (const line of [
    "causeway_ingest_frames_total 5",
    'causeway_ingest_refused_frames_total{reason="corrupted"} 2',
    'causeway_ingest_refused_frames_total{reason="clock"} 0',
    "causeway_detect_lag_seconds 0.25",
    'causeway_incident_open{severity="major"} 3',
    'causeway_incident_open{severity="critical"} 0',
    'causeway_journal_commit_seconds_bucket{le="0.002"} 0',
    'causeway_journal_commit_seconds_bucket{le="0.005"} 1',
    'causeway_http_request_seconds_count{route="hosts"} 1',
    'causeway_build_info{version="1.2.3"} 1',
  ]) {
    assert.ok(text.split("\n").includes(line), line);
  }
});

test("two collectors in one process do not share their metrics", async () => {
  const one = createMetrics({ version: "x" });
  const other = createMetrics({ version: "x" });
  one.ingestFrames.inc(7);
  assert.match(await other.text(), /^causeway_ingest_frames_total 0$/m);
});

test("a word from outside becomes a label only if the table has it", () => {
  const { reason } = metricTable.ingestLost.labels;
  assert.equal(labelOr(reason, "spool_full", "other"), "spool_full");
  assert.equal(labelOr(reason, "__proto__", "other"), "other");
  assert.equal(labelOr(httpRoutes, "/etc/passwd", "none"), "none");
});

test("promtool finds nothing to say, about Node's own metrics either", async (context) => {
  const text = await createMetrics({ version: "x", processMetrics: true }).text();
  assert.match(text, /^process_cpu_seconds_total /m);
  assert.match(text, /^nodejs_eventloop_lag_seconds /m);
  assert.doesNotMatch(text, /^# TYPE \S+_total gauge$/m);
  const promtool = await debianProgram("promtool");
  if (typeof promtool !== "string") return context.skip(promtool.missing);
  const result = spawnSync(promtool, ["check", "metrics"], { input: text, encoding: "utf8" });
  assert.deepEqual({ status: result.status, said: result.stdout + result.stderr }, { status: 0, said: "" });
});
