/**
 * Who is near whom, as grouping asks it: by looking around a host rather than by measuring the way to every other.
 *
 * That makes the cost of placing an anomaly the number of its host's connections instead of the number of hosts in trouble. A host with
 * hundreds of connections (a proxy, a database that all use) is no bridge while it is silent: that two both use it says nothing.
 */
import type { Entity } from "#shared/entity.ts";
import type { Series } from "#shared/series.ts";
import type { ServiceGraph } from "#shared/suspicion.ts";

/** A host with more connections does not make strangers of each other acquainted. */
const bridgeConnectionsMax = 64;

export interface Neighbourhood extends ServiceGraph {
  /** Hosts that `host` calls or is called by. */
  neighbours(host: string): readonly string[];
  /** Services, hosts and endpoints that a service or a host calls; absent: nobody knows more than hosts. */
  callees?(caller: Entity): readonly { readonly callee: Entity }[];
  /** Who is at both ends of what a series of the host tells of a connection. */
  callOf?(host: string, series: Series): { readonly caller: Entity; readonly callee: Entity } | undefined;
  /** Where the host stands (a room, a data centre), where somebody has said so. */
  zoneOf?(host: string): string | null;
}

/** Hosts at exactly one call, or at up to two calls over a host that may be silent. */
export function* ringOf(graph: Neighbourhood, host: string, hops: 1 | 2): Generator<string> {
  for (const near of graph.neighbours(host)) {
    if (hops === 1) {
      yield near;
      continue;
    }
    const beyond = graph.neighbours(near);
    if (beyond.length <= bridgeConnectionsMax) yield* beyond;
  }
}
