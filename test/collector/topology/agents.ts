/** Agents that tell a topology of their edges, in the words of `agent/collect/edges.ts`. */
import type { Topology } from "#collector/topology/topology.ts";
import { canonicalLabels, seriesId, type Series } from "#shared/series.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
/** Any time; of no meaning. */
export const startMs = 1_700_000_040_000;

export interface EdgeOptions {
  readonly local?: string;
  readonly namespace?: string;
  readonly metric?: string;
}

/** Out of `service`, to "address:port". */
export function out(service: string, peer: string, options: EdgeOptions = {}): Series {
  const [address, port] = parts(peer);
  return edge("out", service, options, [
    ["network.local.address", options.local ?? ""],
    ["network.peer.address", address],
    ["network.peer.port", port],
  ]);
}

/** Into `service` at "address:port", from `peer`. */
export function into(service: string, local: string, peer: string, options: EdgeOptions = {}): Series {
  const [address, port] = parts(local);
  return edge("in", service, options, [
    ["network.local.address", address],
    ["network.local.port", port],
    ["network.peer.address", peer],
  ]);
}

/** `at`: "address:port", or ":port" for every address. */
export function listens(service: string, at: string, namespace = ""): Series {
  const [address, port] = parts(at);
  return series("causeway.listen.sockets", [
    ["service.name", service],
    ["network.local.address", address],
    ["network.local.port", port],
    ["network.transport", "tcp"],
    ["causeway.network.namespace", namespace],
  ]);
}

/** The same edge's other series. */
export function measured(
  of: Series,
  metric: "causeway.edge.rtt" | "causeway.edge.retransmits" | "causeway.edge.unreachable",
): Series {
  return { ...of, metric, instrument: metric === "causeway.edge.retransmits" ? "counter" : "gauge" };
}

function edge(
  direction: "in" | "out",
  service: string,
  { namespace = "" }: EdgeOptions,
  ends: readonly (readonly [string, string])[],
): Series {
  return series("causeway.edge.connections", [
    ["service.name", service],
    ["causeway.edge.direction", direction],
    ["causeway.network.namespace", namespace],
    ...ends,
  ]);
}

function series(metric: string, labels: readonly (readonly [string, string])[]): Series {
  return { metric, unit: "{connection}", instrument: "gauge", decimals: 0, labels: canonicalLabels(labels) };
}

function parts(text: string): [address: string, port: string] {
  const colon = text.lastIndexOf(":");
  return [text.slice(0, colon), text.slice(colon + 1)];
}

/** One host's agent: numbers its series as they come and sends batches. */
export class Agent {
  readonly host: string;
  #topology: Topology;
  readonly #numbers = new Map<string, number>();

  constructor(topology: Topology, host: string, addresses: readonly string[], zone?: string) {
    this.#topology = topology;
    this.host = host;
    topology.addresses(host, addresses, zone);
  }

  /** Goes on with another topology, such as a restored one: it knows the series already. */
  moveTo(topology: Topology): void {
    this.#topology = topology;
  }

  tell(timeMs: number, ...values: readonly (readonly [Series, number])[]): this {
    const numbers = values.map(([one]) => {
      const id = seriesId(one);
      const known = this.#numbers.get(id);
      if (known !== undefined) return known;
      const number = this.#numbers.size;
      this.#numbers.set(id, number);
      this.#topology.define(this.host, number, one);
      return number;
    });
    this.#topology.observe({
      host: this.host,
      timeMs,
      intervalMs: 10_000,
      series: Uint32Array.from(numbers),
      values: Float64Array.from(values, ([, value]) => value),
    });
    return this;
  }
}
