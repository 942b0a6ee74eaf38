import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { noTracer } from "#collector/self/tracer.ts";

interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number; readonly message?: string };
}
interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: unknown }[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

interface Received {
  readonly paths: Set<string>;
  readonly traces: OtlpTraces[];
  readonly output: unknown;
}

/** Runs a traced process against a receiver on a free port, and gives back what both saw. */
async function runTraced(status: number): Promise<Received> {
  const paths = new Set<string>();
  const traces: OtlpTraces[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      paths.add(request.url ?? "");
      traces.push(JSON.parse(Buffer.concat(chunks).toString()) as OtlpTraces);
      response.writeHead(status, { "Content-Type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const program = join(import.meta.dirname, "traced-process.ts");
  const env = {
    PATH: process.env["PATH"],
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    // What an operator may have set for other programs on the machine.
    OTEL_METRICS_EXPORTER: "prometheus",
    OTEL_LOGS_EXPORTER: "otlp",
  };
  const child = spawn(process.execPath, [program, `http://127.0.0.1:${port}`], { env });
  const chunks: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const code = await new Promise((resolve) => child.on("close", resolve));
  server.close();
  server.closeAllConnections();
  assert.equal(code, 0, Buffer.concat(errors).toString());
  return { paths, traces, output: JSON.parse(Buffer.concat(chunks).toString()) };
}

const output = {
  admitted: 7,
  appended: "durable",
  thrown: "Error: the disk is fullError: gone",
  listening: 0,
};

test("one batch arrives as one trace, its failed stages marked, and nothing but traces leaves", async () => {
  const received = await runTraced(200);
  assert.deepEqual(received.output, output);
  assert.deepEqual([...received.paths], ["/v1/traces"]);
  const [resource] = received.traces.flatMap(({ resourceSpans }) => resourceSpans);
  const keys = resource?.resource.attributes.map(({ key }) => key) ?? [];
  assert.ok(keys.includes("service.name"));
  assert.deepEqual(
    keys.filter((key) => /^(process|host|os)\./.test(key)),
    [],
    "the command line and the machine's id stay here",
  );
  const spans = resource?.scopeSpans.flatMap(({ spans }) => spans) ?? [];
  const root = spans.find(({ name }) => name === "batch");
  const stages = spans.filter(({ name }) => name !== "batch");
  assert.deepEqual(
    stages.map(({ name, status }) => [name, status.message ?? ""]),
    [
      ["admit", ""],
      ["append", ""],
      ["commit", "the disk is full"],
      ["push", "gone"],
    ],
  );
  for (const { traceId, parentSpanId } of stages) {
    assert.deepEqual([traceId, parentSpanId], [root?.traceId, root?.spanId]);
  }
});

test("a receiver that refuses costs nothing but the spans", async () => {
  assert.deepEqual((await runTraced(400)).output, output);
});

test("without a receiver the stages run all the same", async () => {
  const batch = noTracer.batch({ host: "web-01", samples: 1 });
  assert.equal(
    batch.stage("judge", () => 5),
    5,
  );
  assert.equal(await batch.stage("append", () => Promise.resolve(6)), 6);
  batch.end();
  await noTracer.close();
});
