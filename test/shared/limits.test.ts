import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { limits } from "#shared/limits.ts";
import { FrameDecoder, FrameEncoder, lossReasons } from "#shared/wire/wire.ts";

test("every limit is a whole number above zero, with its unit last in its name", () => {
  for (const [name, value] of Object.entries(limits)) {
    assert.ok(Number.isSafeInteger(value) && value > 0, `${name}: ${String(value)}`);
    assert.match(name, /(?:Max|Ms|Bytes)$/, name);
  }
});

test("every limit has its reason written above it, or above its group", () => {
  const source = readFileSync(new URL("../../shared/limits.ts", import.meta.url), "utf8");
  const lines = source.split("\n");
  for (const name of Object.keys(limits)) {
    let above = lines.findIndex((line) => line.startsWith(`  ${name}:`)) - 1;
    while (/^ {2}\w+:/.test(lines[above] ?? "")) above -= 1;
    assert.match(lines[above] ?? "", /\*\/$/, `${name}: no reason`);
  }
});

test("limits that depend on each other fit together", () => {
  const inOrder: readonly (readonly (keyof typeof limits)[])[] = [
    ["frameBytesMax", "segmentBytesMax", "spoolBytesMax", "journalBytesMax"],
    ["frameBytesMax", "ingestBytesInFlightMax"],
    ["labelNameBytesMax", "labelValueBytesMax"],
    ["spoolAgeMsMax", "journalAgeMsMax"],
    ["liveFrameBytesMax", "liveTooSlowBytes"],
    ["liveSlowBytes", "liveTooSlowBytes"],
    ["incidentsListedMax", "incidentsKeptMax"],
    ["lossesListedMax", "lossesKeptMax"],
  ];
  for (const names of inOrder) {
    const values = names.map((name) => limits[name]);
    assert.deepEqual(
      values.toSorted((a, b) => a - b),
      values,
      names.join(" <= "),
    );
  }
});

test("a key frame of as many series as a host may have, with usual labels, is a frame", () => {
  const encoder = new FrameEncoder({
    agentId: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    epoch: 1,
    resource: [],
  });
  const columns = limits.seriesPerHostMax;
  const values = Float64Array.from({ length: columns }, (_, column) => column + 0.123456789);
  const definitions = Array.from({ length: columns }, (_, column) => {
    const labels = [["process.pid", String(100_000 + column)]] as const;
    return {
      column,
      series: {
        metric: "process.memory.usage",
        unit: "By",
        instrument: "gauge",
        decimals: 0,
        labels,
      } as const,
    };
  });
  const losses = Array.from({ length: limits.lossesPerFrameMax }, (_, index) => {
    return { reason: lossReasons[0], fromMs: 1.7e12 + index, toMs: 1.8e12, series: columns, samples: 1e12 };
  });
  const ticks = [{ timeMs: 1.7e12, values, columns }];
  const bytes = encoder.encode({ sequence: 0, key: true, intervalMs: 1_000, ticks, definitions, losses });
  assert.ok(bytes.length <= limits.frameBytesMax, `${bytes.length} bytes`);
  assert.deepEqual(new FrameDecoder().decode(bytes).ticks[0]?.values, values);
});
