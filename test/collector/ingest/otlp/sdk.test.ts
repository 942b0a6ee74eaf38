// OpenTelemetry's own exporters against our receiver, over loopback: the bytes are theirs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { createIngest, createOtlpHttp, otlpPaths } from "#collector/ingest/ingest.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { systemClock } from "#shared/clock.ts";
import { createLog } from "#shared/log.ts";
import { seriesId } from "#shared/series.ts";
import { inRoom } from "../../push/room.ts";
import { Counted } from "../counters.ts";

/** What an application needs, and nothing else. */
async function runInstrumented(port: number, more: Readonly<Record<string, string>>): Promise<string> {
  const env = {
    PATH: process.env["PATH"],
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_SERVICE_NAME: "pay",
    OTEL_METRICS_EXPORTER: "otlp",
    OTEL_RESOURCE_ATTRIBUTES: "host.name=web-01,service.version=7.1",
    ...more,
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, "instrumented-process.ts")], { env });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(code, 0, Buffer.concat(errors).toString());
  return Buffer.concat(errors).toString();
}

/** The last value of every series, by the name of its source, after everything has come. */
async function received(more: Readonly<Record<string, string>>): Promise<Map<string, Map<string, number>>> {
  const log = createLog({ clock: systemClock, write() {} });
  const journal = openSqliteJournal({ path: ":memory:", clock: systemClock, log });
  const counted = new Counted();
  const door = createOtlpHttp({ clock: systemClock, journal, log, counters: counted.counters });
  const spoken = new Set<string>();
  const posts = [...otlpPaths.keys()].map((path) => {
    const answer = (request: IncomingMessage): ReturnType<typeof door.answer> => {
      spoken.add(`${request.headers["content-type"]} ${request.headers["content-encoding"]}`);
      return door.answer(path, request);
    };
    return [path, answer] as const;
  });
  await inRoom({ posts }, async ({ port }) => {
    await runInstrumented(port, more);
  });
  door.close();
  const type = more["OTEL_EXPORTER_OTLP_PROTOCOL"] === "http/json" ? "json" : "x-protobuf";
  assert.deepEqual([...spoken], [`application/${type} gzip`]);
  const ingest = createIngest({ journal });
  const reading = journal.consume(0, (record) => {
    if (record.kind === "frame") assert.ok(ingest.take(record));
  });
  await reading.caughtUp;
  reading.stop();
  await reading.done;
  const values = new Map<string, Map<string, number>>();
  for (const batch of ingest.due(systemClock.nowMs() + 120_000)) {
    const ofSource = values.get(batch.host) ?? new Map<string, number>();
    values.set(batch.host, ofSource);
    const series = ingest.hosts.series(batch.host);
    for (const [column, number] of batch.series.entries()) {
      const value = batch.values[column]!;
      if (!Number.isNaN(value)) ofSource.set(seriesId(series[number]!), value);
    }
  }
  assert.deepEqual(
    [...counted.counts].filter(([name]) => /refused|lost/.test(name)),
    [],
  );
  await journal.close();
  return values;
}

const at = 'host.name="web-01"';
const of = 'service.name="pay"';

for (const [protocol, temporality] of [
  ["http/protobuf", "cumulative"],
  ["http/json", "delta"],
] as const) {
  test(`an application with the official SDK is understood by ${protocol}, gzip, ${temporality} sums`, async () => {
    const all = await received({
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
    });
    assert.deepEqual([...all.keys()].sort(), ["pay:metrics@web-01", "pay@web-01"]);
    const values = new Map([...all.values()].flatMap((ofSource) => [...ofSource]));
    const read = (id: string): number | undefined => values.get(id);
    assert.equal(read(`payments{channel="web",${at},${of}}`), 20);
    assert.equal(read(`payments{channel="app",${at},${of}}`), 20);
    assert.equal(read(`held{${at},${of}}`), 40);
    assert.equal(read(`queue{${at},name="in",${of}}`), 7.5);
    assert.equal(read(`pay.duration.count{channel="web",${at},${of}}`), 40);
    assert.equal(read(`pay.duration.sum{channel="web",${at},${of}}`), 0.78);
    const calls = (outcome: string): number | undefined =>
      read(`causeway.service.calls{${at},outcome="${outcome}",${of}}`);
    assert.deepEqual([calls("success"), calls("failure"), calls("refused")], [32, 4, 4]);
    const edge = `callee="postgresql:core-db",callee.kind="database",caller="pay",${at}`;
    assert.equal(read(`causeway.edge.calls{${edge},outcome="success",${of}}`), 40);
    assert.ok(read(`causeway.service.latency{${at},quantile="0.95",${of}}`)! > 0);
    assert.ok(read(`causeway.edge.latency.mean{${edge},${of}}`)! > 0);
  });
}
