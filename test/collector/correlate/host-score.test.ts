// A host that is unlike itself as a whole: what correlation makes of that beside other evidence.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCorrelate, rerankMs } from "#collector/correlate/correlate.ts";
import { symptomText } from "#collector/correlate/explain.ts";
import { describeHost } from "#collector/detect/host-score/host-anomaly.ts";
import { createTopology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Suspicion } from "#shared/suspicion.ts";
import { languages, renderText } from "#shared/text/text.ts";
import { anomaly, cpuBusy, processCpu, startMs } from "#test/collector/anomalies.ts";

const guilty = ["system.cpu.utilization system", "system.disk.io write sda"];

function unlikeItself(host: string, atS: number, score = 5): Anomaly {
  const finding = { score, share: 0.3, guilty, hostScoreMin: 1.6 };
  const startedMs = startMs + atS * 1000;
  return describeHost(host, finding, { startedMs, timeMs: startedMs + 60_000, completeness: 1 });
}

function add(...anomalies: Anomaly[]): Suspicion[] {
  const topology = createTopology();
  topology.declare("web", "db");
  const correlate = createCorrelate({ topology });
  const told = anomalies.flatMap((one) => correlate.add([one], one.lastMs));
  return [...told, ...correlate.add([], Math.max(...anomalies.map((one) => one.lastMs)) + rerankMs)];
}

test("it opens nothing by itself, and joins what opens near it", () => {
  assert.deepEqual(add(unlikeItself("a", 0)), []);
  const [suspicion] = add(unlikeItself("a", 0), cpuBusy("a", 20));
  assert.deepEqual(
    suspicion!.evidence.map(({ detector }) => detector),
    ["host"],
  );
});

test("it changes nothing about which cause is named, nor how sure that is", () => {
  const busy = [processCpu("a", "job", 0, 0.48), cpuBusy("a", 10)];
  const slow = ["web", "db"].map((host) => anomaly(host, "http_request_duration_seconds", 10));
  for (const others of [busy, slow]) {
    const host = others[0]!.host;
    const without = add(...others).at(-1)!.causes[0]!;
    const beside = add(unlikeItself(host, 5), ...others, unlikeItself("db", 15)).at(-1)!.causes[0]!;
    assert.equal(beside.entity, without.entity);
    assert.equal(beside.confidence, without.confidence);
    assert.deepEqual(beside.text, without.text);
  }
});

test("where nothing else is known it says where to look, below the line at which a cause is named", () => {
  const latency = anomaly("web", "http_request_duration_seconds", 0);
  const cause = add(latency, unlikeItself("db", 10)).at(-1)!.causes[0]!;
  assert.equal(cause.entity, "host:db");
  assert.ok(cause.confidence < 0.4);
  const [en, zh] = languages.map((language) => renderText(cause.text, language));
  assert.equal(
    en,
    "db as a whole behaves unlike itself; most unlike: system.cpu.utilization system, system.disk.io write sda",
  );
  assert.match(zh!, /^db 整体表现与平时不同/);
});

test("it reads as a symptom too, in every language", () => {
  const text = symptomText(unlikeItself("db", 0));
  for (const language of languages) {
    const title = { key: "incident.unknown", args: { ...text.args, symptom: text.key, host: "db" } };
    assert.match(renderText(title, language), /system\.cpu\.utilization system, system\.disk\.io write sda/);
    assert.doesNotMatch(renderText(title, language), /[{}]/);
  }
});
