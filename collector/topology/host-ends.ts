/**
 * What one host's agent tells of its edges: the host's end of each, and what listens.
 *
 * An agent sums connections up by service, direction, local and peer address and the listener's port (`agent/collect/edges.ts`), one
 * series each; here they become one record with a weight (`ageing.ts`) and what was measured. A record lives by the host's own times.
 * At most `limits.topologyEndsPerHostMax`; a new one takes the place of the smallest. Cost: one look into an array for a sample.
 */
import type { SampleBatch } from "#shared/batch.ts";
import { limits } from "#shared/limits.ts";
import { labelValue, type Series } from "#shared/series.ts";
import { type Aged, decay } from "./ageing.ts";

const metrics = {
  "causeway.edge.connections": "connections",
  "causeway.edge.rtt": "rtt",
  "causeway.edge.retransmits": "retransmits",
  "causeway.edge.unreachable": "unreachable",
  "causeway.listen.sockets": "listen",
} as const;
type What = (typeof metrics)[keyof typeof metrics];

/** The peer that an agent sums up what is beyond its limit. */
const crowd = "other";
const sweepMs = 60_000;

/** One host's end of an edge. The port is the listener's, whichever side that is. */
export interface EndName {
  readonly service: string;
  readonly direction: "in" | "out";
  /** "" for the host's own. */
  readonly namespace: string;
  readonly localAddress: string;
  readonly peerAddress: string;
  readonly port: string;
}

export interface End extends EndName, Aged {
  /** Mean of live connections as of `weightMs`. */
  weight: number;
  weightMs: number;
  rttSeconds: number;
  rttMs: number;
  resent: number;
  resentMs: number;
  resentPerSecond: number;
  unreachable: number;
  unreachableMs: number;
}

export interface Listener extends Aged {
  readonly service: string;
  readonly namespace: string;
  /** "" for every address. */
  readonly address: string;
  readonly port: string;
}

type Role =
  | { readonly what: Exclude<What, "listen">; readonly id: string; readonly end: End }
  | { readonly what: "listen"; readonly id: string; readonly listener: Listener };

/** A record comes to be kept, is no longer kept, or may have been too old to count and is seen again. */
export type Change = "kept" | "dropped" | "again";

export interface Changes {
  end(end: End, change: Change): void;
  listener(listener: Listener, change: Change): void;
}

/** In the order of `endOf` and `stateOf`: a hundred thousand of them are 13 MB, with the names of fields 30. */
type EndState = readonly [
  ...[
    service: string,
    direction: End["direction"],
    namespace: string,
    local: string,
    peer: string,
    port: string,
  ],
  ...[seenMs: number, weight: number, weightMs: number, rttSeconds: number, rttMs: number],
  ...[resent: number, resentMs: number, resentPerSecond: number, unreachable: number, unreachableMs: number],
];

export interface HostEndsState {
  readonly sweptMs: number;
  readonly ends: readonly EndState[];
  readonly listeners: readonly Listener[];
  /** Number of the series, what it says, and its record: index into `ends` or `listeners`. */
  readonly series: readonly (readonly [number: number, what: What, record: number])[];
}

export class HostEnds {
  /** Those that have been seen, by identity. */
  readonly ends = new Map<string, End>();
  readonly listeners = new Map<string, Listener>();
  readonly #keptMs: number;
  readonly #changes: Changes;
  readonly #roles: (Role | undefined)[] = [];
  /** Of what is kept. */
  readonly #byPlace = new Map<string, End[]>();
  readonly #byPort = new Map<string, Listener[]>();
  /** Records that a series speaks of, seen or not. */
  readonly #endsDefined = new Map<string, { readonly end: End; series: number }>();
  #sweptMs = 0;

  constructor(keptMs: number, changes: Changes, state?: HostEndsState) {
    this.#keptMs = keptMs;
    this.#changes = changes;
    if (state !== undefined) this.#restore(state);
  }

  define(number: number, series: Series): void {
    this.#undefine(number);
    const what = metrics[series.metric as keyof typeof metrics] as What | undefined;
    if (what === "listen") {
      const listener = listenerOf(series);
      if (listener !== undefined) this.#roles[number] = { what, id: idOfListener(listener), listener };
    } else if (what !== undefined) {
      const name = nameOf(series);
      if (name !== undefined) this.#giveRole(number, what, newEnd(name));
    }
  }

  observe({ timeMs, series, values }: SampleBatch): void {
    const roles = this.#roles;
    for (let column = 0; column < series.length; column += 1) {
      const role = roles[series[column]!];
      if (role === undefined) continue;
      const value = values[column]!;
      if (Number.isNaN(value)) continue;
      if (role.what === "listen") this.#seeListener(role.id, role.listener, value, timeMs);
      else this.#seeEnd(role.id, role.end, role.what, value, timeMs);
    }
    if (timeMs - this.#sweptMs >= sweepMs) this.#sweep(timeMs);
  }

  /** The end that a series tells of, if it is kept. */
  endOf(series: Series): End | undefined {
    const name = nameOf(series);
    return name === undefined ? undefined : this.ends.get(idOf(newEnd(name)));
  }

  /** Ends of connections to this listener: out of this host, or in, when it is the host's own. */
  endsAt(direction: End["direction"], address: string, port: string): Iterable<End> {
    return this.#byPlace.get(listenerPlace(direction, address, port)) ?? [];
  }

  /** Ends with this address as their own. */
  endsOf(namespace: string, address: string): Iterable<End> {
    return this.#byPlace.get(ownPlace(namespace, address)) ?? [];
  }

  listenersOn(port: string): Iterable<Listener> {
    return this.#byPort.get(port) ?? [];
  }

  /** Nothing is kept any more. */
  clear(): void {
    for (const [id, end] of this.ends) this.#dropEnd(id, end);
    for (const [id, listener] of this.listeners) this.#dropListener(id, listener);
  }

  snapshot(): HostEndsState {
    const ends = [
      ...new Set([...this.ends.values(), ...[...this.#endsDefined.values()].map(({ end }) => end)]),
    ];
    const defined = this.#roles.flatMap((role) => (role?.what === "listen" ? [role.listener] : []));
    const listeners = [...new Set([...this.listeners.values(), ...defined])];
    const placeOfEnd = new Map(ends.map((end, index) => [end, index]));
    const placeOfListener = new Map(listeners.map((listener, index) => [listener, index]));
    const series = this.#roles.flatMap((role, number) => {
      if (role === undefined) return [];
      const place = role.what === "listen" ? placeOfListener.get(role.listener) : placeOfEnd.get(role.end);
      return [[number, role.what, place!] as const];
    });
    return { sweptMs: this.#sweptMs, ends: ends.map(stateOf), listeners, series };
  }

  #restore({ sweptMs, ends, listeners, series }: HostEndsState): void {
    this.#sweptMs = sweptMs;
    const ownEnds = ends.map(endOf);
    const ownListeners = listeners.map((listener) => ({ ...listener }));
    for (const [number, what, place] of series) {
      if (what === "listen") {
        const listener = ownListeners[place]!;
        this.#roles[number] = { what, id: idOfListener(listener), listener };
      } else this.#giveRole(number, what, ownEnds[place]!);
    }
    for (const end of ownEnds) if (end.seenMs >= 0) this.#keepEnd(idOf(end), end);
    for (const listener of ownListeners) {
      if (listener.seenMs >= 0) this.#keepListener(idOfListener(listener), listener);
    }
  }

  #giveRole(number: number, what: Exclude<What, "listen">, fresh: End): void {
    const id = idOf(fresh);
    const known = this.#endsDefined.get(id) ?? { end: this.ends.get(id) ?? fresh, series: 0 };
    known.series += 1;
    this.#endsDefined.set(id, known);
    this.#roles[number] = { what, id, end: known.end };
  }

  #undefine(number: number): void {
    const role = this.#roles[number];
    this.#roles[number] = undefined;
    if (role === undefined || role.what === "listen") return;
    const known = this.#endsDefined.get(role.id);
    if (known === undefined) return;
    known.series -= 1;
    if (known.series === 0) this.#endsDefined.delete(role.id);
  }

  #seeEnd(id: string, end: End, what: Exclude<What, "listen">, value: number, timeMs: number): void {
    switch (what) {
      case "connections":
        return this.#seeConnections(id, end, value, timeMs);
      case "rtt":
        end.rttSeconds = value;
        end.rttMs = timeMs;
        return;
      case "retransmits":
        // A counter that falls has begun anew.
        if (end.resentMs >= 0 && timeMs > end.resentMs && value >= end.resent)
          end.resentPerSecond = ((value - end.resent) * 1000) / (timeMs - end.resentMs);
        end.resent = value;
        end.resentMs = timeMs;
        return;
      case "unreachable":
        end.unreachable = value;
        end.unreachableMs = timeMs;
    }
  }

  #seeConnections(id: string, end: End, value: number, timeMs: number): void {
    const kept = this.ends.has(id);
    if (!kept && value <= 0) return;
    const sinceMs = timeMs - end.weightMs;
    // After so long nobody knows any more what it was.
    const before = kept && sinceMs <= this.#keptMs ? end.weight : value;
    end.weight = value + (before - value) * decay(sinceMs);
    end.weightMs = timeMs;
    if (value > 0) {
      const wasOldMs = end.seenMs;
      end.seenMs = timeMs;
      if (!kept) this.#admitEnd(id, end);
      else if (timeMs - wasOldMs > sweepMs) this.#changes.end(end, "again");
    }
  }

  #admitEnd(id: string, end: End): void {
    if (this.ends.size >= limits.topologyEndsPerHostMax) {
      let least: [string, End] | undefined;
      for (const entry of this.ends)
        if (least === undefined || isLess(entry, least, end.weightMs)) least = entry;
      if (least !== undefined && isLess([id, end], least, end.weightMs)) {
        end.seenMs = -1;
        return;
      }
      if (least !== undefined) this.#dropEnd(...least);
    }
    this.#keepEnd(id, end);
  }

  #keepEnd(id: string, end: End): void {
    this.ends.set(id, end);
    for (const place of placesOf(end)) put(this.#byPlace, place, end);
    this.#changes.end(end, "kept");
  }

  #dropEnd(id: string, end: End): void {
    this.ends.delete(id);
    for (const place of placesOf(end)) take(this.#byPlace, place, end);
    this.#changes.end(end, "dropped");
    end.seenMs = -1;
  }

  #seeListener(id: string, listener: Listener, value: number, timeMs: number): void {
    if (value <= 0) return;
    const wasOldMs = listener.seenMs;
    listener.seenMs = timeMs;
    if (this.listeners.get(id) === listener) {
      if (timeMs - wasOldMs > sweepMs) this.#changes.listener(listener, "again");
      return;
    }
    const other = this.listeners.get(id);
    if (other !== undefined) this.#dropListener(id, other);
    if (this.listeners.size < limits.topologyListenersPerHostMax) this.#keepListener(id, listener);
    else listener.seenMs = -1;
  }

  #keepListener(id: string, listener: Listener): void {
    this.listeners.set(id, listener);
    put(this.#byPort, listener.port, listener);
    this.#changes.listener(listener, "kept");
  }

  #dropListener(id: string, listener: Listener): void {
    this.listeners.delete(id);
    take(this.#byPort, listener.port, listener);
    this.#changes.listener(listener, "dropped");
    listener.seenMs = -1;
  }

  #sweep(timeMs: number): void {
    this.#sweptMs = timeMs;
    for (const [id, end] of this.ends) if (timeMs - end.seenMs > this.#keptMs) this.#dropEnd(id, end);
    for (const [id, listener] of this.listeners) {
      if (timeMs - listener.seenMs > this.#keptMs) this.#dropListener(id, listener);
    }
  }
}

function listenerPlace(direction: string, address: string, port: string): string {
  return `${direction} ${address} ${port}`;
}

function ownPlace(namespace: string, address: string): string {
  return `own ${namespace} ${address}`;
}

function placesOf({ direction, namespace, localAddress, peerAddress, port }: End): string[] {
  const listening = direction === "in" ? localAddress : peerAddress;
  return [listenerPlace(direction, listening, port), ownPlace(namespace, localAddress)];
}

function put<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

function take<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values === undefined) return;
  const place = values.indexOf(value);
  const last = values.pop()!;
  if (last !== value) values[place] = last;
  if (values.length === 0) map.delete(key);
}

/** Undefined for a series that is no edge's: it has no peer, or its peers are a crowd. */
function nameOf({ labels }: Series): EndName | undefined {
  const service = labelValue(labels, "service.name");
  const direction = labelValue(labels, "causeway.edge.direction");
  const peerAddress = labelValue(labels, "network.peer.address");
  if (direction !== "in" && direction !== "out") return undefined;
  const port = labelValue(labels, direction === "in" ? "network.local.port" : "network.peer.port");
  if (service === undefined || peerAddress === undefined || peerAddress === crowd || port === undefined)
    return undefined;
  const namespace = labelValue(labels, "causeway.network.namespace") ?? "";
  const localAddress = labelValue(labels, "network.local.address") ?? "";
  return { service, direction, namespace, localAddress, peerAddress, port };
}

function listenerOf({ labels }: Series): Listener | undefined {
  const service = labelValue(labels, "service.name");
  const port = labelValue(labels, "network.local.port");
  if (service === undefined || port === undefined) return undefined;
  const namespace = labelValue(labels, "causeway.network.namespace") ?? "";
  const address = labelValue(labels, "network.local.address") ?? "";
  return { service, namespace, address, port, seenMs: -1 };
}

function newEnd(name: EndName): End {
  const never = -1;
  return {
    ...name,
    seenMs: never,
    weight: 0,
    weightMs: 0,
    rttSeconds: 0,
    rttMs: never,
    resent: 0,
    resentMs: never,
    resentPerSecond: 0,
    unreachable: 0,
    unreachableMs: never,
  };
}

function stateOf(end: End): EndState {
  return [
    ...([end.service, end.direction, end.namespace, end.localAddress, end.peerAddress, end.port] as const),
    ...([end.seenMs, end.weight, end.weightMs, end.rttSeconds, end.rttMs] as const),
    ...([end.resent, end.resentMs, end.resentPerSecond, end.unreachable, end.unreachableMs] as const),
  ];
}

function endOf(state: EndState): End {
  const [service, direction, namespace, localAddress, peerAddress, port, ...figures] = state;
  const [seenMs, weight, weightMs, rttSeconds, rttMs, ...trouble] = figures;
  const [resent, resentMs, resentPerSecond, unreachable, unreachableMs] = trouble;
  const ends = { service, direction, namespace, localAddress, peerAddress, port };
  const measured = { seenMs, weight, weightMs, rttSeconds, rttMs };
  return { ...ends, ...measured, resent, resentMs, resentPerSecond, unreachable, unreachableMs };
}

/** No label holds a line end that a program chose: the separator cannot be forged but by a service's name, which stands last. */
export function idOf({ service, direction, namespace, localAddress, peerAddress, port }: EndName): string {
  return [direction, namespace, localAddress, peerAddress, port, service].join("\n");
}

function idOfListener({ service, namespace, address, port }: Listener): string {
  return [namespace, address, port, service].join("\n");
}

function isLess([idA, a]: readonly [string, End], [idB, b]: readonly [string, End], nowMs: number): boolean {
  const [weightA, weightB] = [a, b].map(({ weight, weightMs }) => weight * decay(nowMs - weightMs));
  return weightA !== weightB ? weightA! < weightB! : a.seenMs !== b.seenMs ? a.seenMs < b.seenMs : idA < idB;
}
