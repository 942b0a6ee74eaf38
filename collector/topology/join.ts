/**
 * Joins the ends that hosts tell: whose the other end of a connection is.
 *
 * The caller's peer address and port are the callee's listener: the host that has the address, and on it the service whose incoming
 * edge has that local end, else the service that listens there. An address is a host's when its agent says so, or when a connection
 * of the host has it as its own end. What several hosts have (a container bridge, a virtual address) is the caller's own if it is one of
 * them, else that host's whose incoming edge mirrors the caller's, if there is only one. What nobody has is an endpoint without an
 * agent; each address and port stays by itself, since ports of a load balancer are different services. An incoming edge adds a caller
 * only if that one did not tell of it. Loopback stays within its host and network namespace, but for addresses of 127.0.0.0/8 other
 * than 127.0.0.1 that an agent says are its host's: several such hosts may live on one machine. Behind address translation the
 * addresses differ, and the translator is the endpoint. Pure; nothing here depends on the order in which hosts were heard.
 */
import { type Entity, entityId } from "#shared/entity.ts";
import type { Series } from "#shared/series.ts";
import type { Aged } from "./ageing.ts";
import { Addresses, isLoopback, isNobodys } from "./addresses.ts";
import { type Change, type End, HostEnds, type HostEndsState, type Listener } from "./host-ends.ts";
import { IndexByHost } from "./index-by-host.ts";

/** One end, and who is at both. `end` is of the caller's host, or of the callee's when the caller's agent does not tell it. */
export interface Joined {
  readonly caller: Entity;
  readonly callee: Entity;
  readonly end: End;
  /** The other side's end of the same connections; undefined if it tells none. */
  readonly mirror: End | undefined;
}

/** What an agent calls a service whose process it may not look into (`agent/collect/edges.ts`): no service, but its host. */
const nameless = "unknown";
/** However long ago. */
const ever = Number.NEGATIVE_INFINITY;

interface Host {
  readonly ends: HostEnds;
  addresses: readonly string[];
}

export interface JoinState {
  readonly hosts: readonly (readonly [host: string, addresses: readonly string[], ends: HostEndsState])[];
}

/** Told which host's edges may have become others; null: everybody's. */
export type Touched = (host: string | null) => void;

export class Join {
  readonly #keptMs: number;
  readonly #touched: Touched;
  readonly #hosts = new Map<string, Host>();
  readonly #addresses = new Addresses();
  /** "in" or "out" and the peer's address -> hosts with a connection from it, or to it. */
  readonly #peers = new IndexByHost<End>();
  readonly #services = new IndexByHost<Aged>();

  constructor(keptMs: number, touched: Touched, state?: JoinState) {
    this.#keptMs = keptMs;
    this.#touched = touched;
    for (const [host, addresses, ends] of state?.hosts ?? []) {
      this.#add(host, ends);
      this.addresses(host, addresses);
    }
  }

  /** Sorted. */
  get hosts(): string[] {
    return [...this.#hosts.keys()].sort();
  }

  ends(host: string): HostEnds {
    return (this.#hosts.get(host) ?? this.#add(host)).ends;
  }

  addresses(host: string, addresses: readonly string[]): void {
    const own = this.#hosts.get(host) ?? this.#add(host);
    const told = addresses.filter((address) => !isNobodys(address)).sort();
    if (told.join() === own.addresses.join()) return;
    this.#addresses.say(host, own.addresses, told);
    own.addresses = told;
    this.#touched(null);
  }

  forget(host: string): void {
    const own = this.#hosts.get(host);
    if (own === undefined) return;
    this.#addresses.say(host, own.addresses, []);
    own.ends.clear();
    this.#hosts.delete(host);
    this.#touched(null);
  }

  /** Services of `host` that talk or listen, sorted. */
  servicesOf(host: string, nowMs: number): string[] {
    const own = this.#hosts.get(host)?.ends;
    if (own === undefined) return [];
    const alive = [...own.ends.values(), ...own.listeners.values()].filter((one) =>
      this.#isAlive(one, nowMs),
    );
    return [...new Set(alive.map(({ service }) => service))].filter((name) => name !== nameless).sort();
  }

  /** Hosts on which a service of this name talks or listens; `ledger` is also `ledger.service`. */
  hostsOfService(service: string, nowMs: number): string[] {
    return this.#services.hosts(plainName(service), nowMs - this.#keptMs);
  }

  /** How `host` spells the name of the service; undefined if it has none of this name. */
  spelling(host: string, service: string, nowMs: number): string | undefined {
    return this.servicesOf(host, nowMs).find((name) => plainName(name) === plainName(service));
  }

  /** What `host` told, joined; its incoming ends only where the caller did not tell. In an order that does not depend on others. */
  joined(host: string, nowMs: number): Joined[] {
    const own = this.#hosts.get(host)?.ends;
    if (own === undefined) return [];
    const alive = [...own.ends]
      .filter(([, end]) => this.#isAlive(end, nowMs))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return alive.flatMap(([, end]) => {
      const joined =
        end.direction === "out" ? this.#outward(host, end, nowMs) : this.#inward(host, end, nowMs);
      return joined === undefined || entityId(joined.caller) === entityId(joined.callee) ? [] : [joined];
    });
  }

  /** Who is at both ends of the edge out of `host` that `series` tells of. */
  endsOf(host: string, series: Series, nowMs: number): Pick<Joined, "caller" | "callee"> | undefined {
    const end = this.#hosts.get(host)?.ends.endOf(series);
    if (end === undefined || end.direction !== "out" || !this.#isAlive(end, nowMs)) return undefined;
    const joined = this.#outward(host, end, nowMs);
    return joined === undefined ? undefined : { caller: joined.caller, callee: joined.callee };
  }

  /** Hosts whose ends may have `host` at the other side. */
  around(host: string, nowMs: number): string[] {
    const own = this.#hosts.get(host);
    const sinceMs = nowMs - this.#keptMs;
    const peers = [...(own === undefined ? [] : addressesOf(own))].flatMap((address) => [
      ...this.#peers.hosts(`in ${address}`, sinceMs),
      ...this.#peers.hosts(`out ${address}`, sinceMs),
    ]);
    return [...new Set(peers)].sort();
  }

  snapshot(): JoinState {
    const hosts = this.hosts.map((host) => {
      const { addresses, ends } = this.#hosts.get(host)!;
      return [host, addresses, ends.snapshot()] as const;
    });
    return { hosts };
  }

  #add(host: string, state?: HostEndsState): Host {
    const ends = new HostEnds(
      this.#keptMs,
      {
        end: (end, what) => this.#endChanged(host, end, what),
        listener: (listener, what) => this.#listenerChanged(host, listener, what),
      },
      state,
    );
    const own: Host = { ends, addresses: [] };
    this.#hosts.set(host, own);
    return own;
  }

  /** Whoever is at the other side sees another edge now, and with an address that comes or goes all that are connected to it. */
  #endChanged(host: string, end: End, what: Change): void {
    const { direction, localAddress, peerAddress } = end;
    let moved = true;
    this.#serviceChanged(host, end, what);
    if (what === "kept") {
      this.#peers.add(`${direction} ${peerAddress}`, host, end);
      moved = this.#addresses.see(host, end);
    } else if (what === "dropped") {
      this.#peers.remove(`${direction} ${peerAddress}`, host, end);
      moved = this.#addresses.unsee(host, end);
    }
    this.#touched(host);
    for (const owner of this.#addresses.owners(peerAddress, ever)) this.#touched(owner);
    if (direction === "in" || moved) {
      for (const owner of this.#addresses.owners(localAddress, ever)) this.#touched(owner);
      for (const caller of this.#peers.hosts(`out ${localAddress}`, ever)) this.#touched(caller);
    }
    if (moved) for (const callee of this.#peers.hosts(`in ${localAddress}`, ever)) this.#touched(callee);
  }

  #listenerChanged(host: string, listener: Listener, what: Change): void {
    this.#serviceChanged(host, listener, what);
    this.#touched(host);
    const own = this.#hosts.get(host);
    const addresses = listener.address === "" && own !== undefined ? addressesOf(own) : [listener.address];
    for (const address of addresses) {
      for (const caller of this.#peers.hosts(`out ${address}`, ever)) this.#touched(caller);
    }
  }

  /** Calls may name a service without its host: one that comes to a host, or goes, may be the end of anybody's. */
  #serviceChanged(host: string, seen: Served, what: Change): void {
    const name = plainName(seen.service);
    const moved =
      what === "again" ||
      (what === "kept" ? this.#services.add(name, host, seen) : this.#services.remove(name, host, seen));
    if (moved) this.#touched(null);
  }

  #isAlive({ seenMs }: Aged, nowMs: number): boolean {
    return seenMs >= 0 && nowMs - seenMs <= this.#keptMs;
  }

  #outward(host: string, end: End, nowMs: number): Joined | undefined {
    const { service, peerAddress: address, port } = end;
    const caller = serviceOrHost(host, service);
    const at = this.#hostAt(address, host, end, nowMs);
    if (at === undefined)
      return { caller, callee: { kind: "peer", host: address, name: port }, end, mirror: undefined };
    const mirror = this.#mirrorOf(at, end, nowMs);
    const found = mirror?.service ?? this.#serviceAt(at, address, port, this.#within(end), nowMs);
    const callee = serviceOrHost(at, found);
    // Within a host an end that nobody can name says nothing.
    if (at === host && (caller.kind === "host" || callee.kind === "host")) return undefined;
    return { caller, callee, end, mirror };
  }

  /** Undefined when the caller told of it, and when it is a caller within the host. */
  #inward(host: string, end: End, nowMs: number): Joined | undefined {
    const { service, peerAddress } = end;
    const callee = serviceOrHost(host, service);
    const owners = this.#addresses.owners(peerAddress, nowMs - this.#keptMs);
    if ((owners.length === 0 && isLoopback(peerAddress)) || owners.includes(host)) return undefined;
    if (owners.some((owner) => this.#callsInto(owner, end, nowMs))) return undefined;
    const caller: Entity =
      owners.length === 1
        ? { kind: "host", host: owners[0]!, name: "" }
        : { kind: "peer", host: peerAddress, name: "" };
    return { caller, callee, end, mirror: undefined };
  }

  /** The host behind the address that `end` of `host` is connected to. */
  #hostAt(address: string, host: string, end: End, nowMs: number): string | undefined {
    const owners = this.#addresses.owners(address, nowMs - this.#keptMs);
    if (owners.length === 0) return isLoopback(address) ? host : undefined;
    if (owners.length === 1) return owners[0];
    if (owners.includes(host)) return host;
    const mirrors = owners.filter((owner) => this.#mirrorOf(owner, end, nowMs) !== undefined);
    return mirrors.length === 1 ? mirrors[0] : undefined;
  }

  /** The network namespace that the connections of `out` cannot leave; undefined if they can. */
  #within({ peerAddress, namespace }: End): string | undefined {
    return isLoopback(peerAddress) && !this.#addresses.isSaid(peerAddress) ? namespace : undefined;
  }

  /** The end at `host` of the connections that `out` goes out by: its tuple reversed. The one seen last, if the service was renamed. */
  #mirrorOf(host: string, out: End, nowMs: number): End | undefined {
    const within = this.#within(out);
    let best: End | undefined;
    for (const end of this.#hosts.get(host)?.ends.endsAt("in", out.peerAddress, out.port) ?? []) {
      const mirrors =
        end.peerAddress === out.localAddress && (within === undefined || end.namespace === within);
      if (mirrors && this.#isAlive(end, nowMs) && isLater(end, best)) best = end;
    }
    return best;
  }

  #callsInto(host: string, into: End, nowMs: number): boolean {
    for (const end of this.#hosts.get(host)?.ends.endsAt("out", into.localAddress, into.port) ?? [])
      if (this.#isAlive(end, nowMs)) return true;
    return false;
  }

  /** The service of `host` that listens at the address. `within`: only in this network namespace. */
  #serviceAt(
    host: string,
    address: string,
    port: string,
    within: string | undefined,
    nowMs: number,
  ): string | undefined {
    const own = this.#hosts.get(host);
    if (own === undefined) return undefined;
    let best: Served | undefined;
    for (const end of own.ends.endsAt("in", address, port)) {
      const fits = within === undefined || end.namespace === within;
      if (fits && this.#isAlive(end, nowMs) && isLater(end, best)) best = end;
    }
    for (const listener of own.ends.listenersOn(port)) {
      const here = this.#isAlive(listener, nowMs) && this.#listensAt(own, listener, address, within, nowMs);
      if (here && isLater(listener, best)) best = listener;
    }
    return best?.service;
  }

  /** A listener at every address is at those of its own network namespace only. */
  #listensAt(
    own: Host,
    listener: Listener,
    address: string,
    within: string | undefined,
    nowMs: number,
  ): boolean {
    const { namespace } = listener;
    if (within !== undefined && namespace !== within) return false;
    if (listener.address !== "") return listener.address === address;
    if (within !== undefined) return true;
    if (namespace === "") return own.addresses.includes(address) || this.#has(own, namespace, address, nowMs);
    return this.#has(own, namespace, address, nowMs);
  }

  #has({ ends }: Host, namespace: string, address: string, nowMs: number): boolean {
    for (const end of ends.endsOf(namespace, address)) if (this.#isAlive(end, nowMs)) return true;
    return false;
  }
}

function serviceOrHost(host: string, service: string | undefined): Entity {
  return service === undefined || service === nameless
    ? { kind: "host", host, name: "" }
    : { kind: "service", host, name: service };
}

type Served = Aged & { readonly service: string };

function isLater(one: Served, best: Served | undefined): boolean {
  return (
    best === undefined ||
    one.seenMs > best.seenMs ||
    (one.seenMs === best.seenMs && one.service < best.service)
  );
}

/** A unit's name without what systemd adds. */
export function plainName(service: string): string {
  return service.replace(/\.(?:service|scope)$/, "");
}

/** What may be at the other end of somebody's connection to the host, as it says or as its connections have it. */
function addressesOf({ ends, addresses }: Host): ReadonlySet<string> {
  const all = new Set(addresses);
  for (const { localAddress } of ends.ends.values()) if (!isLoopback(localAddress)) all.add(localAddress);
  return all;
}
