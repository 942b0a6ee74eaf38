/**
 * An application with OpenTelemetry's own SDK, for `sdk.test.ts`. It knows nothing of the receiver but what the environment says:
 * a bank's `pay`, which answers forty requests, calls `core-db` for each, and counts what it does.
 */
import { context, metrics, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({ instrumentations: [] });
sdk.start();

const meter = metrics.getMeter("pay");
const payments = meter.createCounter("payments", { unit: "{payment}" });
const held = meter.createUpDownCounter("held", { unit: "{payment}" });
const amounts = meter.createHistogram("pay.duration", { unit: "ms" });
meter.createObservableGauge("queue").addCallback((result) => result.observe(7.5, { name: "in" }));
const tracer = trace.getTracer("pay");

const requests = 40;
for (let request = 0; request < requests; request += 1) {
  const server = tracer.startSpan("POST /pay", {
    kind: SpanKind.SERVER,
    attributes: {
      "http.response.status_code": request % 10 === 0 ? 500 : 200,
      return_code: request % 10 === 1 ? "E1" : "0000",
    },
  });
  if (request % 10 === 0) server.setStatus({ code: SpanStatusCode.ERROR, message: "broken" });
  const client = tracer.startSpan(
    "SELECT",
    { kind: SpanKind.CLIENT, attributes: { "db.system.name": "postgresql", "server.address": "core-db" } },
    trace.setSpan(context.active(), server),
  );
  client.end();
  server.end();
  payments.add(1, { channel: request % 2 === 0 ? "web" : "app" });
  held.add(request % 2 === 0 ? 3 : -1);
  amounts.record(request, { channel: "web" });
}
await sdk.shutdown();
