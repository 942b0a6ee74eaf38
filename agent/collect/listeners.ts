/**
 * Which ports are listened on, by which service, and that one is not any more.
 *
 * A port that nobody listens on any more is told as 0 for three passes: "stopped listening" is then a value that can
 * be judged, not only the absence of one. Listeners on ports of the ephemeral range are told only once they have been
 * there for 60 passes: many programs listen on a port of chance for a moment, and their end is no event. At most 500
 * ports.
 */
import { gauge, type Column } from "./column.ts";
import type { Recorder } from "./recorder.ts";
import type { SocketOwners } from "./socket-owners.ts";

const listenersMax = 500;
const stoppedPasses = 3;
const ephemeralPasses = 60;
/** Passes for which a port counts as listened on after its listener went: connections outlive it. */
const rememberedPasses = 360;

interface Listener {
  readonly port: number;
  service: string | undefined;
  column: Column | undefined;
  inode: number;
  seenPass: number;
  passes: number;
}

export class Listeners {
  /** Listening sockets beyond the limit, at the last pass. */
  refused = 0;
  readonly #owners: SocketOwners;
  readonly #byPort = new Map<number, Listener>();
  readonly #ephemeralFrom: number;
  readonly #ephemeralTo: number;
  #pass = 0;

  /** `ephemeral`: first and last port of /proc/sys/net/ipv4/ip_local_port_range. */
  constructor(owners: SocketOwners, ephemeral: readonly [from: number, to: number]) {
    this.#owners = owners;
    [this.#ephemeralFrom, this.#ephemeralTo] = ephemeral;
  }

  beginPass(): void {
    this.#pass += 1;
    this.refused = 0;
  }

  /** A socket in state LISTEN. */
  see(port: number, inode: number): void {
    let listener = this.#byPort.get(port);
    if (listener === undefined) {
      if (this.#byPort.size >= listenersMax) {
        this.refused += 1;
        return;
      }
      listener = { port, service: undefined, column: undefined, inode, seenPass: 0, passes: 0 };
      this.#byPort.set(port, listener);
    }
    const service = this.#owners.serviceOf(inode);
    // Several sockets may share a port (SO_REUSEPORT, one for each family): the first of the pass names the service.
    if (listener.seenPass === this.#pass) return;
    listener.seenPass = this.#pass;
    listener.inode = inode;
    listener.passes += 1;
    if (service !== undefined) this.#rename(listener, service === "" ? `port-${port}` : service);
  }

  /** True if connections to this local port come in. */
  has(port: number): boolean {
    return this.#byPort.has(port);
  }

  /** A port that the kernel gives out by chance. */
  isEphemeral(port: number): boolean {
    return port >= this.#ephemeralFrom && port <= this.#ephemeralTo;
  }

  /** The service behind `port`; undefined while that is not known. */
  serviceOf(port: number): string | undefined {
    return this.#byPort.get(port)?.service;
  }

  /** Ends the pass: tells every listener; returns the services that have one. */
  tell(recorder: Recorder): ReadonlySet<string> {
    const services = new Set<string>();
    for (const listener of this.#byPort.values()) {
      const absentPasses = this.#pass - listener.seenPass;
      if (absentPasses > rememberedPasses) this.#byPort.delete(listener.port);
      else if (listener.service !== undefined) {
        if (absentPasses === 0) services.add(listener.service);
        this.#tellOne(listener, absentPasses, recorder);
      }
    }
    return services;
  }

  #tellOne(listener: Listener, absentPasses: number, recorder: Recorder): void {
    if (absentPasses > stoppedPasses) {
      listener.passes = 0;
      listener.column = undefined;
      return;
    }
    const { port, service } = listener;
    if (service === undefined || (this.isEphemeral(port) && listener.passes < ephemeralPasses)) return;
    listener.column ??= gauge("causeway.listen.sockets", "{socket}", 0, [
      ["service.name", service],
      ["network.local.port", String(port)],
      ["network.transport", "tcp"],
    ]);
    listener.column.set(recorder, absentPasses === 0 ? 1 : 0);
  }

  #rename(listener: Listener, service: string): void {
    if (listener.service === service) return;
    listener.service = service;
    listener.column = undefined;
  }
}
