/**
 * The last tick in Prometheus' text format, for whoever wants to scrape the agent; off unless `metricsListen` is set.
 *
 * Names are translated by OpenTelemetry's rules for Prometheus: dots to underscores, the unit in words at the end, `_total`
 * for counters. One departure: a gauge named `x.count` becomes `xs`, because `_count` belongs to histograms there and
 * promtool says so. Loopback only, GET only. Cost: a copy of the values at each tick, text only when asked.
 */
import type { Server } from "node:http";
import { ConfigError, errorText } from "#shared/errors.ts";
import { escapeLabelValue, type Labels, type Series } from "#shared/series.ts";
import type { Recorder } from "./collect/recorder.ts";

const unitWords: ReadonlyMap<string, string> = new Map([
  ["s", "seconds"],
  ["By", "bytes"],
  ["Hz", "hertz"],
  ["Cel", "celsius"],
]);

/** The name that Prometheus knows a series by. */
export function prometheusName({
  metric,
  unit,
  instrument,
}: Pick<Series, "metric" | "unit" | "instrument">): string {
  const counter = instrument === "counter";
  const plain = metric
    .replaceAll(/[^a-zA-Z0-9_:]/g, "_")
    .replaceAll(/_{2,}/g, "_")
    .replace(/^(?=\d)/, "_");
  const base = counter
    ? plain.replace(/_total$/, "")
    : plain.replace(/(s?)_count$/, (_, s) => (s === "" ? "s" : "ses"));
  const word = unitWords.get(unit) ?? (unit === "1" && !counter ? "ratio" : "");
  const withUnit = word === "" || base.endsWith(`_${word}`) ? base : `${base}_${word}`;
  return counter ? `${withUnit}_total` : withUnit;
}

/** `{a_b="c"}`; of two labels that become one name the last one stays. */
export function prometheusLabels(labels: Labels): string {
  if (labels.length === 0) return "";
  const named = new Map<string, string>();
  for (const [name, value] of labels) {
    named.set(name.replaceAll(/[^a-zA-Z0-9_]/g, "_").replace(/^(?=\d)/, "_"), value);
  }
  return `{${[...named].map(([name, value]) => `${name}="${escapeLabelValue(value)}"`).join(",")}}`;
}

/** The text format, version 0.0.4. Series without a value are left out. */
export function exposition(samples: Iterable<{ readonly series: Series; readonly value: number }>): string {
  const families = new Map<string, { series: Series; lines: Map<string, number> }>();
  for (const { series, value } of samples) {
    if (Number.isNaN(value)) continue;
    const name = prometheusName(series);
    const family = families.get(name) ?? { series, lines: new Map<string, number>() };
    families.set(name, family);
    if (family.series.instrument === series.instrument)
      family.lines.set(prometheusLabels(series.labels), value);
  }
  return [...families].map(([name, { series, lines }]) => familyText(name, series, lines)).join("");
}

function familyText(name: string, { metric, unit, instrument }: Series, lines: Map<string, number>): string {
  const help = `OpenTelemetry ${metric}, unit ${unit}.`.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  const values = [...lines].map(([labels, value]) => `${name}${labels} ${value}\n`).join("");
  return `# HELP ${name} ${help}\n# TYPE ${name} ${instrument}\n${values}`;
}

/** Keeps the last tick, because the recorder clears it. */
export class LastTick {
  #recorder: Recorder | null = null;
  #values = new Float64Array(0);

  /** False before the first tick. */
  get ready(): boolean {
    return this.#recorder !== null;
  }

  take(recorder: Recorder): void {
    this.#recorder = recorder;
    if (this.#values.length < recorder.columns) this.#values = new Float64Array(recorder.values.length);
    this.#values.fill(Number.NaN);
    this.#values.set(recorder.values.subarray(0, recorder.columns));
  }

  text(): string {
    const definitions = this.#recorder?.definitions() ?? [];
    return exposition(
      definitions.map(({ column, series }) => ({ series, value: this.#values[column] ?? Number.NaN })),
    );
  }
}

const textType = "text/plain; version=0.0.4; charset=utf-8";

/** Serves /metrics, /-/healthy and /-/ready on `listen`, a loopback address with port. Throws `ConfigError` when it is taken. */
export async function serveExposition(listen: string, last: LastTick): Promise<Server> {
  const http = await import("node:http");
  const { hostname, port } = new URL(`http://${listen}`);
  const server = http.createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    const { status, body } = answer(
      request.method ?? "",
      request.url ?? "",
      request.headers.host ?? "",
      last,
    );
    response.writeHead(status, { "content-type": textType, "x-content-type-options": "nosniff" });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  server.maxConnections = 16;
  server.unref();
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error) =>
      reject(
        new ConfigError([
          `metricsListen: cannot listen on ${listen}: ${errorText(error)}; choose another port`,
        ]),
      );
    server.once("error", refuse);
    server.listen(Number(port), hostname.replaceAll(/[[\]]/g, ""), () => {
      server.off("error", refuse);
      server.on("error", () => {});
      resolve();
    });
  });
  return server;
}

function answer(method: string, url: string, host: string, last: LastTick): { status: number; body: string } {
  // A web page that rebinds its own name to 127.0.0.1 still sends its name.
  if (!/^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)(:\d+)?$/.test(host))
    return { status: 421, body: "loopback only\n" };
  if (method !== "GET" && method !== "HEAD") return { status: 405, body: "GET only\n" };
  switch (url.split("?")[0]) {
    case "/metrics":
      return { status: 200, body: last.text() };
    case "/-/healthy":
      return { status: 200, body: "healthy\n" };
    case "/-/ready":
      return last.ready ? { status: 200, body: "ready\n" } : { status: 503, body: "no tick yet\n" };
    default:
      return { status: 404, body: "try /metrics\n" };
  }
}
