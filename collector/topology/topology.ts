/**
 * Who talks to whom, learned from the agents' sockets; pure.
 *
 * An agent reports its host's addresses and, as series, the peers that its services are connected to. A peer whose address
 * belongs to another agent is an edge between two hosts. Addresses that no agent owns stay outside. An edge lives for a day
 * after it was last seen, so that a batch that runs at night keeps its place.
 * Cost: who calls a host is kept by its addresses, so looking around a host takes as long as it has connections, once until any
 * connection comes or goes.
 */
import type { SampleBatch } from "#shared/batch.ts";
import { labelValue, type Series } from "#shared/series.ts";
import type { ServiceGraph } from "#shared/suspicion.ts";

const edgeMetric = "causeway.edge.connections";
const edgeLifeMs = 86_400_000;

export interface TopologyState {
  readonly addresses: readonly (readonly [string, string])[];
  readonly peers: readonly (readonly [string, readonly (readonly [string, number])[]])[];
  readonly edgeSeries: readonly (readonly [string, readonly (readonly [number, string])[]])[];
  readonly declared: readonly (readonly [string, string])[];
}

export interface Topology extends ServiceGraph {
  /** `addresses`: the host's own IP addresses, as its agent reports them. */
  addresses(host: string, addresses: readonly string[]): void;
  define(host: string, number: number, series: Series): void;
  observe(batch: SampleBatch): void;
  /** The host is gone: its addresses may be another's, and nobody is connected to it. */
  forget(host: string): void;
  /** An edge that is known without having been seen. */
  declare(caller: string, callee: string): void;
  /** Hosts that `host` has had a connection with, sorted. */
  neighbours(host: string): readonly string[];
  snapshot(): TopologyState;
}

export function createTopology(state?: TopologyState): Topology {
  const hostByAddress = new Map(state?.addresses);
  /** The reverse of it, and of `peers` and `declared`: made from them, and kept with them. */
  const addressesOf = new Map<string, Set<string>>();
  const seenBy = new Map<string, Set<string>>();
  const declaredBy = new Map<string, Set<string>>();
  /** What was looked up since the last connection came or went. */
  const lookedUp = new Map<string, readonly string[]>();
  /** host -> peer address -> last seen. */
  const peers = new Map((state?.peers ?? []).map(([host, seen]) => [host, new Map(seen)]));
  /** host -> series number -> peer address: which columns of a batch are edges. */
  const edgeSeries = new Map((state?.edgeSeries ?? []).map(([host, series]) => [host, new Map(series)]));

  const declared = new Map<string, Set<string>>();
  const declare = (caller: string, callee: string): void => {
    lookedUp.clear();
    put(declared, caller, callee);
    put(declaredBy, callee, caller);
  };
  for (const [caller, callee] of state?.declared ?? []) declare(caller, callee);
  for (const [address, host] of hostByAddress) put(addressesOf, host, address);
  for (const [host, seen] of peers) for (const address of seen.keys()) put(seenBy, address, host);

  const callees = (host: string): Set<string> => {
    const found = new Set(declared.get(host));
    for (const address of peers.get(host)?.keys() ?? []) {
      const callee = hostByAddress.get(address);
      if (callee !== undefined) found.add(callee);
    }
    found.delete(host);
    return found;
  };
  const neighbours = (host: string): readonly string[] => {
    const known = lookedUp.get(host);
    if (known !== undefined) return known;
    const found = callees(host);
    for (const caller of declaredBy.get(host) ?? []) found.add(caller);
    for (const address of addressesOf.get(host) ?? [])
      for (const caller of seenBy.get(address) ?? []) found.add(caller);
    found.delete(host);
    const sorted = [...found].sort();
    lookedUp.set(host, sorted);
    return sorted;
  };

  return {
    addresses(host, addresses) {
      for (const address of addresses) {
        if (isLoopback(address) || hostByAddress.get(address) === host) continue;
        lookedUp.clear();
        const before = hostByAddress.get(address);
        if (before !== undefined) addressesOf.get(before)?.delete(address);
        hostByAddress.set(address, host);
        put(addressesOf, host, address);
      }
    },
    define(host, number, series) {
      const own = edgeSeries.get(host) ?? new Map<number, string>();
      edgeSeries.set(host, own);
      own.delete(number);
      const outward =
        series.metric === edgeMetric && labelValue(series.labels, "causeway.edge.direction") === "out";
      const address = outward ? labelValue(series.labels, "network.peer.address") : undefined;
      if (address !== undefined && !isLoopback(address)) own.set(number, address);
    },
    observe({ host, timeMs, series, values }) {
      const own = edgeSeries.get(host);
      if (own === undefined || own.size === 0) return;
      const seen = peers.get(host) ?? new Map<string, number>();
      peers.set(host, seen);
      for (let column = 0; column < series.length; column += 1) {
        const address = own.get(series[column]!);
        if (address === undefined || !(values[column]! > 0)) continue;
        if (!seen.has(address)) {
          lookedUp.clear();
          put(seenBy, address, host);
        }
        seen.set(address, timeMs);
      }
      for (const [address, lastMs] of seen) {
        if (timeMs - lastMs <= edgeLifeMs) continue;
        lookedUp.clear();
        seen.delete(address);
        remove(seenBy, address, host);
      }
    },
    forget(host) {
      lookedUp.clear();
      for (const address of addressesOf.get(host) ?? []) hostByAddress.delete(address);
      addressesOf.delete(host);
      for (const address of peers.get(host)?.keys() ?? []) remove(seenBy, address, host);
      peers.delete(host);
      edgeSeries.delete(host);
    },
    declare,
    neighbours,
    calls: (caller, callee) => callees(caller).has(callee),
    hops(hostA, hostB, max) {
      if (hostA === hostB) return 0;
      let ring = new Set([hostA]);
      const reached = new Set(ring);
      for (let hops = 1; hops <= max; hops += 1) {
        ring = new Set([...ring].flatMap(neighbours).filter((host) => !reached.has(host)));
        if (ring.has(hostB)) return hops;
        for (const host of ring) reached.add(host);
      }
      return Number.POSITIVE_INFINITY;
    },
    snapshot: () => ({
      addresses: [...hostByAddress],
      peers: [...peers].map(([host, seen]) => [host, [...seen]]),
      edgeSeries: [...edgeSeries].map(([host, series]) => [host, [...series]]),
      declared: [...declared].flatMap(([caller, set]) => [...set].map((callee) => [caller, callee] as const)),
    }),
  };
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

function put(index: Map<string, Set<string>>, key: string, value: string): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, new Set([value]));
  else known.add(value);
}

function remove(index: Map<string, Set<string>>, key: string, value: string): void {
  const known = index.get(key);
  if (known?.delete(value) === true && known.size === 0) index.delete(key);
}
