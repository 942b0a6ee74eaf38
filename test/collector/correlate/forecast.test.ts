// What will run out: the incident that it becomes, its sentence, its cause and how bad it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCorrelate } from "#collector/correlate/correlate.ts";
import { symptomText } from "#collector/correlate/explain.ts";
import { createIncidents } from "#collector/incident/incident.ts";
import { createTopology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Incident } from "#shared/contract/incident.ts";
import type { RunsOut } from "#shared/runs-out.ts";
import { languages, renderText } from "#shared/text/text.ts";
import { anomaly, endedAt, startMs } from "#test/collector/anomalies.ts";

const hourMs = 3_600_000;

/** Told at `atS`; in hours from then: likely, at the earliest, at the latest. */
function foretold(
  metric: string,
  atS: number,
  hours: [number, number, number],
  change: object = {},
): Anomaly {
  const lastMs = startMs + atS * 1000;
  const [likelyMs, earliestMs, latestMs] = hours.map((left) => lastMs + left * hourMs) as [
    number,
    number,
    number,
  ];
  const runsOut: RunsOut = { what: "full", likelyMs, earliestMs, latestMs };
  return anomaly("db-1", metric, atS, { detector: "forecast", role: "symptom", lastMs, runsOut, ...change });
}

const space = "system.filesystem.utilization";
const labels = [["system.filesystem.mountpoint", "/data"]] as const;

function incidentsOf(...anomalies: Anomaly[]): Incident[] {
  const correlate = createCorrelate({ topology: createTopology() });
  const incidents = createIncidents();
  return anomalies.flatMap((one) => incidents.apply(correlate.add([one], one.lastMs), one.lastMs));
}

test("the sentence says what, when, and between which times, in both languages", () => {
  const cases: readonly (readonly [Anomaly, string, RegExp])[] = [
    [
      foretold(space, 0, [4.1, 3.4, 5.3], { labels }),
      "Filesystem /data will be full in 4h (between 3h30m and 5h30m)",
      /^文件系统 \/data 预计 4 小时后写满（3 小时 30 分钟 至 5 小时 30 分钟之间）$/,
    ],
    [
      foretold("system.filesystem.inodes.utilization", 0, [1, 0.8, 1.3], { labels }),
      "Filesystem /data will have no inodes left in 1h (between 50m and 1h20m)",
      /inode 预计 1 小时后用尽/,
    ],
    [
      foretold("system.memory.utilization", 0, [30, 20, 50]),
      "Memory will be used up in 1d6h (between 20h and 2d2h)",
      /^内存预计 1 天 6 小时后耗尽/,
    ],
  ];
  for (const [told, en, zh] of cases) {
    assert.equal(renderText(symptomText(told), "en"), en);
    assert.match(renderText(symptomText(told), "zh-CN"), zh);
  }
});

test("a certificate is told by its end, and by its name", () => {
  const told = (days: number): Anomaly => {
    const atMs = startMs + days * 24 * hourMs;
    const runsOut: RunsOut = { what: "expiry", likelyMs: atMs, earliestMs: atMs, latestMs: atMs };
    const change = { runsOut, lastMs: startMs, labels: [["instance", "pay.example"]] as const };
    return foretold("probe_ssl_earliest_cert_expiry", 0, [0, 0, 0], change);
  };
  assert.equal(renderText(symptomText(told(9)), "en"), "Certificate pay.example expires in 9d");
  assert.equal(renderText(symptomText(told(-1)), "en"), "Certificate pay.example has expired");
  assert.match(renderText(symptomText(told(9)), "zh-CN"), /^证书 pay\.example 将在 9 天后过期$/);
  const [incident] = incidentsOf(told(0.5));
  assert.equal(incident!.severity, "major");
  assert.equal(incident!.causes[0]!.entity, "certificate:db-1/pay.example");
  assert.equal(renderText(incident!.causes[0]!.text, "en"), "certificate pay.example has not been renewed");
});

test("it is a warning while there is time, major when it is near, and one incident all the while", () => {
  const far = foretold(space, 0, [10, 8, 13], { labels });
  const near = {
    ...foretold(space, 8 * 3600, [1.9, 1.6, 2.3], { labels }),
    id: far.id,
    startedMs: far.startedMs,
  };
  const full = anomaly("db-1", space, 10 * 3600, { detector: "bound", role: "symptom", labels });
  const told = incidentsOf(far, near, full, endedAt(near, 10.5 * 3600), endedAt(full, 11 * 3600));
  assert.equal(new Set(told.map(({ id }) => id)).size, 1);
  assert.equal(told[0]!.severity, "warning");
  assert.ok(told.some(({ severity }) => severity === "major"));
  assert.equal(told[0]!.causes[0]!.kind, "exhaustion");
  assert.equal(told[0]!.causes[0]!.entity, "filesystem:db-1//data");
});

test("memory that runs out blames the process that fills it, however much later that is seen", () => {
  const memory = foretold("system.memory.utilization", 0, [5, 4, 7], { hostShare: 0.4 });
  const { runsOut: _, ...leak } = foretold("process.memory.usage", 3600, [1, 1, 1], {
    role: "evidence",
    hostShare: 0.38,
    unit: "By",
    value: 2 ** 34,
    labels: [
      ["process.pid", "4711"],
      ["process.executable.name", "ledger"],
    ],
  });
  const [last] = incidentsOf(memory, leak).slice(-1);
  const [cause] = last!.causes;
  assert.equal(cause!.entity, "process:db-1/4711/ledger");
  assert.ok(cause!.confidence > 0.5, `${cause!.confidence}`);
  for (const language of languages) assert.match(renderText(cause!.text, language), /ledger/);
});
