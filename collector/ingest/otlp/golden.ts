/**
 * The golden signals of one source, from its spans: how many calls, how they ended, how long they took; of the service as a whole and
 * of each edge to what it calls.
 *
 * | series | |
 * | --- | --- |
 * | `causeway.service.calls` {outcome} | counter of calls that the service answered: spans of servers, consumers, and roots without a caller |
 * | `causeway.service.latency` {quantile} | 0.5 and 0.95 of the calls of an interval, in seconds |
 * | `causeway.service.latency.mean` | |
 * | `causeway.edge.calls` {caller, callee, callee.kind, outcome} and `causeway.edge.latency` likewise | what it calls, as it sees it |
 * | `causeway.edge.transit` likewise | what of that the callee does not account for: the network, queues before both, a pool's connection |
 *
 * The outcome is success, failure (a system's) or refused (the business rules'). All three counters exist from the first call on, so
 * that their ratio is whole. A quantile of few calls is one call's: 0.5 is told from 5 calls on and 0.95 from 20, the mean always.
 * Cost: a logarithm and two map look-ups a span; 0.8 KB an edge and open interval.
 */
import type { Ending } from "#shared/counted.ts";
import { limits } from "#shared/limits.ts";
import { canonicalLabels, type Labels, type Series } from "#shared/series.ts";
import type { OtlpSpan } from "../decode/otlp.ts";
import type { Column } from "./column.ts";
import { LatencySketch } from "./latency-sketch.ts";
import { type Callee, calleeOf } from "./outcome.ts";
import type { Interval, PushedSource } from "./source.ts";

const callMetrics = new Set(["causeway.service.calls", "causeway.edge.calls"]);
const outcomes = { success: "success", failure: "failure", refusal: "refused" } as const;
const quantiles = [
  { q: 0.5, callsMin: 5 },
  { q: 0.95, callsMin: 20 },
] as const;
const microsecond = 1e6;

/** What lies beyond the limit of edges is counted together. */
const other = "other";

/** Whether a metric counts calls, so that it has a value in each tick. */
export function countsCalls(metric: string): boolean {
  return callMetrics.has(metric);
}

interface Durations {
  readonly quantiles: readonly (Column | undefined)[];
  readonly mean: Column | undefined;
  readonly sketches: Map<Interval, LatencySketch>;
}

interface Flow {
  readonly calls: Readonly<Record<Ending, Column>>;
  readonly latency: Durations;
  /** Of an edge whose other end tells spans too. */
  transit: Durations | null;
  readonly durationsOf: (metric: string) => Durations;
  seenMs: number;
}

export class GoldenSignals {
  readonly #source: PushedSource;
  readonly #service: string;
  readonly #labels: Labels;
  readonly #flows = new Map<string, Flow>();
  /** Services that were found behind what spans call an address. */
  readonly #learned = new Map<string, string>();

  constructor(source: PushedSource, service: string, labels: Labels) {
    this.#source = source;
    this.#service = service;
    this.#labels = labels;
  }

  /** A call that the service answered. False when there is no room for it. */
  answered(span: OtlpSpan, ending: Ending, interval: Interval, nowMs: number): boolean {
    return this.#count(this.#flow("service", "", [], nowMs), span, ending, interval, nowMs);
  }

  /** A call that it made. */
  called(span: OtlpSpan, ending: Ending, interval: Interval, nowMs: number): boolean {
    return this.edge(this.#service, this.#known(calleeOf(span.attributes)), span, ending, interval, nowMs);
  }

  /** Of a call that it made, the time that the callee does not account for. */
  onItsWay(callee: Callee, ms: number, interval: Interval, nowMs: number): void {
    const flow = this.#flows.get(edgeKey(this.#service, this.#known(callee)));
    if (flow === undefined) return;
    flow.transit ??= flow.durationsOf("causeway.edge.transit");
    add(flow.transit, ms, interval, nowMs);
    // The answer may be the last that is heard of the interval, and from another source.
    interval.isNew = true;
  }

  #known(callee: Callee): Callee {
    const service = this.#learned.get(callee.name);
    return service === undefined ? callee : { kind: "service", name: service };
  }

  /** A call from `caller` to `callee`, one of which is this service. */
  edge(
    caller: string,
    callee: Callee,
    span: OtlpSpan,
    ending: Ending,
    interval: Interval,
    nowMs: number,
  ): boolean {
    let [from, to] = [caller, callee];
    const isFull = this.#flows.size >= limits.otlpEdgesPerSourceMax && !this.#flows.has(edgeKey(from, to));
    if (isFull && from === this.#service) to = { kind: "address", name: other };
    else if (isFull) from = other;
    const labels = [
      ["caller", from],
      ["callee", to.name],
      ["callee.kind", to.kind],
    ] as const;
    return this.#count(this.#flow("edge", edgeKey(from, to), labels, nowMs), span, ending, interval, nowMs);
  }

  /** What this service calls by `address` is the service `name`. */
  learn(address: string, name: string): void {
    if (this.#learned.size < limits.otlpEdgesPerSourceMax) this.#learned.set(address, name);
  }

  /** Puts the latencies of the intervals that have changed into their columns. */
  settle(): void {
    for (const { latency, transit } of this.#flows.values())
      for (const durations of transit === null ? [latency] : [latency, transit]) this.#settle(durations);
  }

  #settle({ sketches, quantiles: columns, mean }: Durations): void {
    for (const [interval, sketch] of sketches) {
      if (!interval.isNew) continue;
      for (const [index, { q, callsMin }] of quantiles.entries()) {
        if (sketch.count >= callsMin) this.#show(interval, columns[index], sketch.quantile(q));
      }
      this.#show(interval, mean, sketch.meanSeconds);
    }
  }

  /** Forgets the intervals that can change no more, and whom nobody has called for long. */
  forget(nowMs: number): void {
    for (const [key, flow] of this.#flows) {
      for (const { sketches } of [flow.latency, ...(flow.transit === null ? [] : [flow.transit])])
        for (const interval of sketches.keys())
          if (interval.endMs + limits.otlpLatenessMs <= nowMs) sketches.delete(interval);
      if (nowMs - flow.seenMs > limits.otlpIdleMs) this.#flows.delete(key);
    }
  }

  #show(interval: Interval, column: Column | undefined, seconds: number): void {
    if (column === undefined) return;
    this.#source.set(interval, column, interval.endMs, Math.round(seconds * microsecond) / microsecond);
  }

  #flow(
    what: "service" | "edge",
    key: string,
    labels: readonly (readonly [string, string])[],
    nowMs: number,
  ): Flow | undefined {
    const known = this.#flows.get(key);
    if (known !== undefined && nowMs - known.seenMs <= limits.otlpIdleMs) return known;
    const all = [...labels, ...this.#labels];
    const column = (series: Series): Column | undefined => this.#source.column(series, nowMs);
    const success = column(callSeries(what, all, "success"));
    const failure = column(callSeries(what, all, "failure"));
    const refusal = column(callSeries(what, all, "refusal"));
    if (success === undefined || failure === undefined || refusal === undefined) return undefined;
    for (const counter of [success, failure, refusal]) counter.isTotal = true;
    const gauge = (metric: string, more: readonly (readonly [string, string])[]): Column | undefined =>
      column({
        metric,
        unit: "s",
        instrument: "gauge",
        decimals: 6,
        labels: canonicalLabels([...all, ...more]),
      });
    const durationsOf = (metric: string): Durations => ({
      quantiles: quantiles.map(({ q }) => gauge(metric, [["quantile", String(q)]])),
      mean: gauge(`${metric}.mean`, []),
      sketches: new Map(),
    });
    const flow: Flow = {
      calls: { success, failure, refusal },
      latency: durationsOf(`causeway.${what}.latency`),
      transit: null,
      durationsOf,
      seenMs: nowMs,
    };
    this.#flows.set(key, flow);
    return flow;
  }

  #count(
    flow: Flow | undefined,
    { durationMs }: OtlpSpan,
    ending: Ending,
    interval: Interval,
    nowMs: number,
  ): boolean {
    if (flow === undefined) return false;
    flow.seenMs = nowMs;
    for (const column of Object.values(flow.calls)) column.seenMs = nowMs;
    this.#source.add(interval, flow.calls[ending], 1);
    add(flow.latency, durationMs, interval, nowMs);
    return true;
  }
}

function add(
  { quantiles: columns, mean, sketches }: Durations,
  ms: number,
  interval: Interval,
  nowMs: number,
): void {
  for (const column of [...columns, mean]) if (column !== undefined) column.seenMs = nowMs;
  let sketch = sketches.get(interval);
  if (sketch === undefined) sketches.set(interval, (sketch = new LatencySketch()));
  sketch.add(ms / 1000);
}

function edgeKey(caller: string, { kind, name }: Callee): string {
  return `${caller}\n${kind}\n${name}`;
}

function callSeries(
  what: "service" | "edge",
  labels: readonly (readonly [string, string])[],
  ending: Ending,
): Series {
  return {
    metric: `causeway.${what}.calls`,
    unit: "{call}",
    instrument: "counter",
    decimals: 0,
    labels: canonicalLabels([...labels, ["outcome", outcomes[ending]]]),
  };
}
