// What is read: words in both languages, times with their zone, names, values.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { preferredLanguage, translate } from "#collector/console/i18n/i18n.ts";
import { metricName } from "#shared/text/metric-words.ts";
import { metricsEn } from "#shared/text/metrics-en.ts";
import { powerOfTen } from "#collector/console/view/power-of-ten.ts";
import { formatReading } from "#shared/text/reading.ts";
import { middleEllipsis, parseEntityId } from "#collector/console/view/series-name.ts";
import { labelsLine, parseSeriesId } from "#shared/text/series-words.ts";
import { formatAge, formatLag, formatMoment, formatTime, formatZone } from "#collector/console/view/time.ts";
import { entityId } from "#shared/entity.ts";
import { knownMetrics } from "#shared/semantics.ts";
import { seriesId } from "#shared/series.ts";

const hongKong = { language: "en", timeZone: "Asia/Hong_Kong" } as const;
const nightMs = Date.UTC(2026, 10, 22, 19, 12, 41);

test("words take their arguments, and one is not several", () => {
  assert.equal(translate("en", "incident.hosts", { n: 1 }), "1 host");
  assert.equal(translate("en", "incident.hosts", { n: 3 }), "3 hosts");
  assert.equal(translate("zh-CN", "incident.hosts", { n: 3 }), "3 台主机");
  assert.equal(translate("en", "incident.hosts"), "{n} {n#host|hosts}", "what is missing is seen");
});

test("a browser's first language that we have is the reader's", () => {
  assert.equal(preferredLanguage(["zh-HK", "en"]), "zh-CN");
  assert.equal(preferredLanguage(["de", "en-GB", "zh"]), "en");
  assert.equal(preferredLanguage([]), "en");
});

test("every metric that detection knows has a name", () => {
  assert.deepEqual(
    knownMetrics.filter((metric) => !Object.hasOwn(metricsEn, metric)),
    [],
  );
  assert.equal(metricName("zh-CN", "system.cpu.utilization"), "CPU 使用率");
  assert.equal(metricName("en", "node_load1"), "node_load1");
});

test("a moment is printed with its zone, and with its day when that is not today", () => {
  assert.equal(formatMoment(nightMs, nightMs + 60_000, hongKong), "03:12:41 GMT+8");
  assert.equal(formatMoment(nightMs, nightMs + 86_400_000, hongKong), "23 Nov 03:12:41 GMT+8");
  assert.equal(
    formatMoment(nightMs, nightMs + 86_400_000, { ...hongKong, language: "zh-CN" }),
    "11月23日 03:12:41 GMT+8",
  );
});

test("the zone is the one in force at the moment, not now's", () => {
  const london = { language: "en", timeZone: "Europe/London" } as const;
  assert.notEqual(formatZone(Date.UTC(2026, 0, 1), london), formatZone(Date.UTC(2026, 6, 1), london));
});

test("midnight is 00, not 24", () => {
  assert.equal(formatTime(Date.UTC(2026, 10, 22, 16, 0, 5), hongKong), "00:00:05");
});

test("ages have two units at most and never run backwards", () => {
  assert.equal(formatAge(42_900, "en"), "42 s");
  assert.equal(formatAge(6 * 60_000 + 59_000, "en"), "6 min");
  assert.equal(formatAge(3 * 3_600_000 + 5 * 60_000, "en"), "3 h 05 min");
  assert.equal(formatAge(52 * 3_600_000, "zh-CN"), "2 天 4 小时");
  assert.equal(formatAge(-5, "en"), "0 s");
  assert.equal(formatLag(420, "en"), "0.4 s");
  assert.equal(formatLag(12_000, "en"), "12 s");
});

test("values are said as people say them", () => {
  assert.equal(formatReading(6.1, "1", "process.cpu.utilization", "en"), "6.1 cores");
  assert.equal(formatReading(1, "s/s", "causeway.service.cpu.time", "en"), "1 core");
  assert.equal(formatReading(0.71, "s/s", "system.pressure.stall.time", "en"), "71 %");
  assert.equal(formatReading(19, "{thread}", "system.linux.load_1m", "en"), "19");
  assert.equal(formatReading(1200, "{packet}/s", "system.network.packet.count", "en"), "1.2k/s");
  assert.equal(formatReading(0.985, "1", "system.cpu.utilization", "zh-CN"), "98.5 %");
  assert.equal(formatReading(null, "By", "system.memory.usage", "en"), "–");
  assert.equal(powerOfTen(12.7), "10¹²");
});

test("a series id is taken apart as it was put together", () => {
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 8 });
  const name = fc.constantFrom("cpu.mode", "a", "service.name", "process.pid", "_x1");
  fc.assert(
    fc.property(
      name,
      fc.uniqueArray(fc.tuple(name, text), { selector: ([label]) => label }),
      (metric, labels) => {
        assert.deepEqual(parseSeriesId(seriesId({ metric, labels })), { metric, labels });
      },
    ),
  );
});

test("a series is told by the labels that say most, names first and numbers last", () => {
  const id = 'process.cpu.utilization{process.executable.name="java",process.pid="47",service.name="pay"}';
  assert.equal(labelsLine(id), "java 47");
  assert.equal(
    labelsLine('system.network.io{network.interface.name="eth0",network.io.direction="receive"}'),
    "eth0 receive",
  );
  assert.equal(labelsLine("system.linux.load_1m"), "");
  const mounted =
    'system.filesystem.utilization{system.device="/dev/vda",system.filesystem.mountpoint="/var",system.filesystem.type="ext4"}';
  assert.equal(labelsLine(mounted), "/var");
  const port =
    'causeway.listen.sockets{network.local.port="443",network.transport="tcp",service.name="nginx"}';
  assert.equal(labelsLine(port), "nginx tcp 443");
});

test("an edge is told by its service, its direction and the other end", () => {
  const id =
    'causeway.edge.rtt{causeway.edge.direction="out",causeway.network.namespace="4026532001",network.local.address="10.0.0.2",network.peer.address="10.0.0.9",network.peer.port="5432",service.name="shop"}';
  assert.equal(labelsLine(id), "shop out 10.0.0.9 5432");
});

test("an entity's id is taken apart as it was put together", () => {
  for (const entity of [
    { kind: "host", host: "web-01", name: "" },
    { kind: "process", host: "web-01", name: "4711/java" },
    { kind: "filesystem", host: "web-01", name: "/var/lib" },
  ] as const) {
    assert.deepEqual(parseEntityId(entityId(entity)), entity);
  }
  assert.equal(parseEntityId("nonsense"), null);
});

test("a long name keeps both its ends", () => {
  assert.equal(middleEllipsis("core-db-03", 10), "core-db-03");
  assert.equal(middleEllipsis("payments-core-db-03", 11), "payme…db-03");
});
