/**
 * Which ports are listened on, by which service, and that one is not any more.
 *
 * A connection came in if its own end is listened on: in the same network namespace, at the same address or at every
 * address. A port that nobody listens on any more is told as 0 for three passes: "stopped listening" is then a value
 * that can be judged, not only the absence of one; and it is remembered for an hour, since connections outlive their
 * listener. Listeners on ports of the ephemeral range are told only once they have been there for 60 passes: many
 * programs listen on a port of chance for a moment, and their end is no event. At most 500.
 */
import { gauge, type Column } from "./column.ts";
import { type Address, addressText, copyOf, isAnyAddress, sameAddress } from "./ip-address.ts";
import type { Namespace } from "./namespaces.ts";
import type { Recorder } from "./recorder.ts";
import type { SocketOwners } from "./socket-owners.ts";
import type { Socket } from "./tcp-table.ts";

const listenersMax = 500;
const stoppedPasses = 3;
const ephemeralPasses = 60;
const rememberedMs = 3_600_000;

export interface Listener {
  readonly namespace: Namespace;
  readonly port: number;
  /** Undefined: every address. */
  readonly address: Address | undefined;
  /** Undefined while it is being looked for, or when it is not one of those that the agent is restricted to. */
  service: string | undefined;
  column: Column | undefined;
  inode: number;
  seenPass: number;
  seenMs: number;
  passes: number;
}

export interface ListenersParts {
  readonly owners: SocketOwners;
  /** First and last port of /proc/sys/net/ipv4/ip_local_port_range. */
  readonly ephemeral: readonly [from: number, to: number];
  /** Listeners of processes that cannot be looked into are others', not ours by the name of their port. */
  readonly knownOnly: boolean;
}

export class Listeners {
  /** Listening sockets beyond the limit, at the last pass. */
  refused = 0;
  readonly #parts: ListenersParts;
  /** By namespace and port: one for each address. */
  readonly #byPort = new Map<number, Listener[]>();
  #count = 0;
  #pass = 0;
  #timeMs = 0;

  constructor(parts: ListenersParts) {
    this.#parts = parts;
  }

  beginPass(timeMs: number): void {
    this.#pass += 1;
    this.#timeMs = timeMs;
    this.refused = 0;
  }

  /** A socket in state LISTEN; true if it is one of ours. */
  see(socket: Socket, namespace: Namespace): boolean {
    const listener = this.#at(socket, namespace) ?? this.#add(socket, namespace);
    if (listener === undefined) return true;
    const service = this.#parts.owners.serviceOf(socket.inode);
    // Several sockets may share a port (SO_REUSEPORT, one for each family): the first of the pass names the service.
    if (listener.seenPass === this.#pass) return listener.service !== undefined;
    listener.seenPass = this.#pass;
    listener.seenMs = this.#timeMs;
    listener.inode = socket.inode;
    listener.passes += 1;
    if (service === "")
      this.#rename(listener, this.#parts.knownOnly ? undefined : `port-${socket.localPort}`);
    else if (service !== undefined) this.#rename(listener, service);
    return listener.service !== undefined;
  }

  /** The listener that the connection of `socket` came in by; undefined if it goes out. */
  of(socket: Socket, namespace: Namespace): Listener | undefined {
    const listeners = this.#byPort.get(keyOf(socket, namespace));
    if (listeners === undefined) return undefined;
    for (const listener of listeners) {
      if (listener.address === undefined || sameAddress(listener.address, socket.local)) return listener;
    }
    return undefined;
  }

  /** A port that the kernel gives out by chance. */
  isEphemeral(port: number): boolean {
    const [from, to] = this.#parts.ephemeral;
    return port >= from && port <= to;
  }

  /** Ends the pass: tells every listener; returns the services that have one. */
  tell(recorder: Recorder): ReadonlySet<string> {
    const services = new Set<string>();
    for (const [key, listeners] of this.#byPort) {
      for (const listener of listeners) this.#tell(listener, services, recorder);
      const kept = listeners.filter(({ seenMs }) => Math.abs(this.#timeMs - seenMs) <= rememberedMs);
      this.#count -= listeners.length - kept.length;
      if (kept.length === 0) this.#byPort.delete(key);
      else if (kept.length < listeners.length) this.#byPort.set(key, kept);
    }
    return services;
  }

  #tell(listener: Listener, services: Set<string>, recorder: Recorder): void {
    const absentPasses = this.#pass - listener.seenPass;
    const { service, port } = listener;
    if (service !== undefined && absentPasses === 0) services.add(service);
    if (absentPasses > stoppedPasses) {
      listener.passes = 0;
      listener.column = undefined;
      return;
    }
    if (service === undefined || (this.isEphemeral(port) && listener.passes < ephemeralPasses)) return;
    listener.column ??= columnOf(listener, service);
    listener.column.set(recorder, absentPasses === 0 ? 1 : 0);
  }

  #at(socket: Socket, namespace: Namespace): Listener | undefined {
    const any = isAnyAddress(socket.local);
    for (const listener of this.#byPort.get(keyOf(socket, namespace)) ?? []) {
      const { address } = listener;
      if (address === undefined ? any : !any && sameAddress(address, socket.local)) return listener;
    }
    return undefined;
  }

  #add(socket: Socket, namespace: Namespace): Listener | undefined {
    if (this.#count >= listenersMax) {
      this.refused += 1;
      return undefined;
    }
    this.#count += 1;
    const { localPort: port, local, inode } = socket;
    const address = isAnyAddress(local) ? undefined : copyOf(local);
    const at = { namespace, port, address, service: undefined, column: undefined };
    const listener: Listener = { ...at, inode, seenPass: 0, seenMs: this.#timeMs, passes: 0 };
    const key = keyOf(socket, namespace);
    const others = this.#byPort.get(key);
    // The more exact address first: it is the one that the kernel would choose.
    if (others === undefined) this.#byPort.set(key, [listener]);
    else if (address === undefined) others.push(listener);
    else others.unshift(listener);
    return listener;
  }

  #rename(listener: Listener, service: string | undefined): void {
    if (listener.service === service) return;
    listener.service = service;
    listener.column = undefined;
  }
}

function keyOf({ localPort }: Socket, { number }: Namespace): number {
  return number * 65_536 + localPort;
}

/** At every address of the agent's own namespace, the usual case, neither address nor namespace is told. */
function columnOf({ port, address, namespace }: Listener, service: string): Column {
  return gauge("causeway.listen.sockets", "{socket}", 0, [
    ["service.name", service],
    ["network.local.address", address === undefined ? "" : addressText(address)],
    ["network.local.port", String(port)],
    ["network.transport", "tcp"],
    ["causeway.network.namespace", namespace.id],
  ]);
}
