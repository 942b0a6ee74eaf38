/**
 * Spans to an OpenTelemetry collector, by OTLP over HTTP. Import this file lazily, only when an endpoint is configured: the
 * SDK costs 27 MB and 120 to 260 ms. All `OTEL_*` variables of the specification for traces are honoured.
 *
 * Traces only. No metric reader and no log exporter is made, whatever the environment says: the SDK's Prometheus exporter
 * would listen on all addresses, and our metrics and logs have their own ways out. What is sent about this process is its
 * name, version and instance; the SDK's usual detectors would add the command line and the machine's id.
 */
import { ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { Clock } from "#shared/clock.ts";
import { errorText } from "#shared/errors.ts";
import type { BatchTrace, Stage, Tracer } from "./tracer.ts";

const closeWaitMs = 2_000;

/** `endpoint` such as `http://127.0.0.1:4318`; undefined leaves it to `OTEL_EXPORTER_OTLP_ENDPOINT`. */
export function startTracing(options: { endpoint?: string; version: string; clock: Clock }): Tracer {
  // The SDK takes these from the environment only.
  if (options.endpoint !== undefined) process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = options.endpoint;
  process.env["OTEL_NODE_RESOURCE_DETECTORS"] ??= "env,serviceinstance";
  const sdk = new NodeSDK({
    serviceName: "causeway-collector",
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
    textMapPropagator: null,
  });
  sdk.start();
  const tracer = trace.getTracer("causeway", options.version);
  return {
    batch({ host, samples }) {
      const attributes = { "causeway.host": host, "causeway.samples": samples };
      const root = tracer.startSpan("batch", { attributes }, ROOT_CONTEXT);
      const parent = trace.setSpan(ROOT_CONTEXT, root);
      return new RecordedBatch(root, (stage) => tracer.startSpan(stage, {}, parent));
    },
    close: () => shutDown(sdk, options.clock),
  };
}

/** A receiver that is away would keep the collector from ending for the 10 s of the SDK's own timeout. */
async function shutDown(sdk: NodeSDK, clock: Clock): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = clock.after(closeWaitMs, limit.resolve, { keepAlive: true });
  await Promise.race([sdk.shutdown().catch(() => {}), limit.promise]);
  timer.cancel();
}

class RecordedBatch implements BatchTrace {
  readonly #root: Span;
  readonly #start: (stage: Stage) => Span;

  constructor(root: Span, start: (stage: Stage) => Span) {
    this.#root = root;
    this.#start = start;
  }

  stage<T>(stage: Stage, run: () => T): T {
    const span = this.#start(stage);
    let result: T;
    try {
      result = run();
    } catch (error) {
      fail(span, error);
      throw error;
    }
    if (!(result instanceof Promise)) {
      span.end();
      return result;
    }
    return result.then(
      (value: unknown) => {
        span.end();
        return value;
      },
      (error: unknown) => {
        fail(span, error);
        throw error;
      },
    ) as T;
  }

  end(): void {
    this.#root.end();
  }
}

function fail(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: errorText(error) });
  span.end();
}
