/**
 * Spans and metrics of one service: by OpenTelemetry's SDK over OTLP/HTTP, to where `OTEL_EXPORTER_OTLP_ENDPOINT` says.
 *
 * The only file of the demonstration that knows OpenTelemetry. Names, units and attributes are those of its semantic conventions
 * (HTTP, database client); a bank's own begin with `bank_`. All else is configured by the SDK's `OTEL_*` variables, as an operator
 * would. Cost: 27 MB and about 0.2 s at the start of a process; some 30 us a span.
 */
import {
  type Attributes,
  context,
  metrics,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { type Reply, statusOf } from "./message.ts";
import type { Count, Headers, Measure, Telemetry } from "./telemetry-parts.ts";

/** Seconds; from a query in memory to the longest wait of any caller. */
const secondsBoundaries = [0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.25, 2.5, 5];

export function startTelemetry(): Telemetry {
  const sdk = new NodeSDK({ instrumentations: [], logRecordProcessors: [] });
  sdk.start();
  return new OtelTelemetry(sdk);
}

class OtelTelemetry implements Telemetry {
  readonly #sdk: NodeSDK;
  readonly #tracer = trace.getTracer("causeway-demo-bank");
  readonly #meter = metrics.getMeter("causeway-demo-bank");
  readonly #served: Measure;
  readonly #called: Measure;

  constructor(sdk: NodeSDK) {
    this.#sdk = sdk;
    this.#served = this.measure("http.server.request.duration", "s", "Duration of requests served");
    this.#called = this.measure("http.client.request.duration", "s", "Duration of requests made");
  }

  serve(route: string, headers: Headers, run: () => Promise<Reply>): Promise<Reply> {
    const attributes = { "http.request.method": "POST", "http.route": route };
    const parent = propagation.extract(context.active(), headers);
    const span = this.#tracer.startSpan(`POST ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
    return this.#follow(span, context.with(trace.setSpan(parent, span), run), this.#served, attributes);
  }

  call(
    peer: string,
    route: string,
    headers: Record<string, string>,
    run: () => Promise<Reply>,
  ): Promise<Reply> {
    const attributes = { "http.request.method": "POST", "server.address": peer, "url.template": route };
    const span = this.#tracer.startSpan(`POST ${route}`, {
      kind: SpanKind.CLIENT,
      attributes: { ...attributes, "peer.service": peer },
    });
    const inside = trace.setSpan(context.active(), span);
    propagation.inject(inside, headers);
    return this.#follow(span, context.with(inside, run), this.#called, attributes);
  }

  count(name: string, unit: string, description: string): Count {
    const counter = this.#meter.createCounter(name, { unit, description });
    return (value, attributes) => counter.add(value, attributes);
  }

  measure(name: string, unit: string, description: string): Measure {
    const advice = { explicitBucketBoundaries: secondsBoundaries };
    const histogram = this.#meter.createHistogram(name, { unit, description, advice });
    return (value, attributes) => histogram.record(value, attributes);
  }

  gauge(name: string, unit: string, description: string, read: () => number, attributes?: Attributes): void {
    const gauge = this.#meter.createObservableGauge(name, { unit, description });
    gauge.addCallback((result) => result.observe(read(), attributes));
  }

  close(): Promise<void> {
    return this.#sdk.shutdown();
  }

  async #follow(
    span: Span,
    reply: Promise<Reply>,
    measure: Measure,
    attributes: Record<string, string>,
  ): Promise<Reply> {
    const startedMs = performance.now();
    const end = await reply;
    const status = statusOf(end);
    span.setAttribute("http.response.status_code", status);
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR, message: end.code });
    span.end();
    const error = status >= 500 ? { "error.type": String(status) } : {};
    measure((performance.now() - startedMs) / 1000, {
      ...attributes,
      "http.response.status_code": status,
      ...error,
    });
    return end;
  }
}
