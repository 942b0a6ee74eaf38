/**
 * TCP connections: how many in each state, which ports are listened on, who talks to whom.
 *
 * Read from /proc/net/tcp and tcp6, once for each network namespace that the host's processes live in
 * (`namespaces.ts`): no packet is captured, nothing is loaded into the kernel. No privilege is needed for the agent's
 * own namespace; naming other users' processes, and seeing their namespaces, needs one (CAP_SYS_PTRACE or root), and
 * without it their ports are named `port-<n>`. The direction follows from the listening ports: what goes to one came
 * in, everything else goes out. Cost: about 6 us a socket, interpreted as the agent is. Beyond 5,000 sockets passes are left out, so that the
 * cost stays where it is.
 */
import { readFileSync } from "node:fs";
import { gauge } from "./column.ts";
import { type Edge, Edges, unknownService } from "./edges.ts";
import { type Address, sameAddress } from "./ip-address.ts";
import { Listeners } from "./listeners.ts";
import { type Namespace, Namespaces, ownNamespace } from "./namespaces.ts";
import type { Probe, ProbeReport, Tick } from "./probe.ts";
import { isAbsent, ProcFile, type ProcReader } from "./proc-file.ts";
import type { Recorder } from "./recorder.ts";
import type { Services } from "./services.ts";
import { SocketOwners } from "./socket-owners.ts";
import { emptySocket, parseTcpTable, tcpState, tcpStates, type Socket } from "./tcp-table.ts";

const periodMs = 5_000;
const socketsPerPass = 5_000;
const passesLeftOutMax = 4;
const ownersEveryMs = 15_000;
const ownersEveryPasses = 3;
/** A caller that is guessed from an earlier connection to the same peer is looked up anew after this long. */
const verifyEveryMs = 300_000;
/** A line is 150 bytes, of IPv6 about 200. */
const oneRecordALine = { whole: true, recordBytesMax: 512 } as const;
const usualEphemeral: readonly [number, number] = [32_768, 60_999];
/** A file that stayed open would keep the network of a container alive that has ended. */
const readOnce = { ...oneRecordALine, keepOpen: false } as const;
const tables = ["tcp", "tcp6"] as const;

export interface ConnectionsParts {
  readonly reader: ProcReader;
  readonly procRoot: string;
  readonly services: Services;
  /**
   * Only sockets of the processes that are seen count, because others on this machine stand for other hosts; a socket
   * that no process has any more counts if it is at one of these addresses. Undefined: every socket of the host.
   */
  readonly only?: { readonly addresses: readonly Address[] } | undefined;
}

export interface ConnectionsProbe extends Probe {
  /** The edge that an established connection of the agent's own namespace is part of, if one is told. */
  edgeOf(socket: Socket): Edge | undefined;
  /** True while the edge has series of its own. */
  isTold(edge: Edge): boolean;
}

export function createConnections(parts: ConnectionsParts): ConnectionsProbe {
  return new Connections(parts);
}

class Connections implements ConnectionsProbe {
  readonly name = "connections";
  readonly shedRank = 60;
  readonly periodMs = periodMs;
  readonly #services: Services;
  readonly #owners: SocketOwners;
  readonly #listeners: Listeners;
  readonly #edges = new Edges();
  readonly #socket = emptySocket();
  readonly #counts = new Float64Array(tcpStates.length);
  readonly #states = [...new Set(tcpStates)].filter((state) => state !== "");
  readonly #stateColumns = this.#states.map((state) =>
    gauge("system.network.connection.count", "{connection}", 0, [
      ["network.connection.state", state],
      ["network.transport", "tcp"],
    ]),
  );
  readonly #procRoot: string;
  readonly #reader: ProcReader;
  readonly #only: ConnectionsParts["only"];
  readonly #namespaces: Namespaces;
  #files: ProcFile[];
  /** Whose table is being read. */
  #namespace = ownNamespace;
  #passesToLeaveOut = 0;
  #passesSinceOwners = ownersEveryPasses;
  #ownersAtMs = Number.NEGATIVE_INFINITY;
  #verifiedAtMs = Number.NEGATIVE_INFINITY;
  #malformed = 0;
  readonly #visit = (socket: Socket) => {
    if (this.#see(socket) && socket.state < this.#counts.length) this.#counts[socket.state]! += 1;
  };
  /** This pass looks for the owner of every socket, not only of those whose peer nobody is known to call. */
  #verify = false;

  constructor({ reader, procRoot, services, only }: ConnectionsParts) {
    this.#reader = reader;
    this.#procRoot = procRoot;
    this.#services = services;
    this.#only = only;
    this.#namespaces = new Namespaces(procRoot);
    const owners = new SocketOwners(procRoot, services);
    this.#owners = owners;
    const knownOnly = only !== undefined;
    this.#listeners = new Listeners({ owners, ephemeral: ephemeralPorts(procRoot), knownOnly });
    this.#files = tables.map((name) => new ProcFile(reader, `${procRoot}/net/${name}`, oneRecordALine));
  }

  read({ timeMs }: Tick, recorder: Recorder): ProbeReport | undefined {
    if (this.#passesToLeaveOut > 0) {
      this.#passesToLeaveOut -= 1;
      return undefined;
    }
    this.#beginPass(timeMs);
    this.#files = this.#files.filter((file) => this.#readTable(file));
    this.#readOthers();
    this.#owners.endPass();
    this.#findOwners(timeMs);
    this.#services.setListening(this.#listeners.tell(recorder));
    this.#edges.tell(recorder);
    this.#tellStates(recorder);
    return this.#report();
  }

  edgeOf(socket: Socket): Edge | undefined {
    const listener = this.#listeners.of(socket, ownNamespace);
    let edge: Edge | undefined;
    if (listener === undefined) {
      const owner = this.#owners.known(socket.inode);
      if (this.#only !== undefined && owner === undefined) return undefined;
      edge =
        this.#edges.findOut(socket, ownNamespace, owner) ??
        this.#edges.findOut(socket, ownNamespace, unknownService);
    } else if (listener.service !== undefined) {
      edge = this.#edges.findIn(socket, ownNamespace, listener.service);
    }
    return edge !== undefined && this.#edges.isTold(edge) ? edge : undefined;
  }

  isTold(edge: Edge): boolean {
    return this.#edges.isTold(edge);
  }

  close(): void {
    for (const file of this.#files) file.close();
  }

  #beginPass(timeMs: number): void {
    const due = Math.abs(timeMs - this.#verifiedAtMs) >= verifyEveryMs;
    if (due) this.#verifiedAtMs = timeMs;
    // Among several agents on one machine the same peer is called by others' processes too.
    this.#verify = due || this.#only !== undefined;
    this.#counts.fill(0);
    this.#malformed = 0;
    this.#owners.beginPass();
    this.#listeners.beginPass(timeMs);
    this.#namespaces.refresh(this.#services.pids());
  }

  /** False if there is no such table: IPv6 is switched off. */
  #readTable(file: ProcFile): boolean {
    this.#namespace = ownNamespace;
    try {
      this.#malformed += parseTcpTable(file.read(), this.#socket, this.#visit);
      return true;
    } catch (error) {
      if (isAbsent(error) && file.path.endsWith("6")) return false;
      throw error;
    }
  }

  /** The other namespaces, each through the first of its processes that is still there. */
  #readOthers(): void {
    for (const [namespace, pids] of this.#namespaces.others()) {
      for (const pid of pids) if (this.#readThrough(pid, namespace)) break;
    }
  }

  /** False if the process has ended. */
  #readThrough(pid: number, namespace: Namespace): boolean {
    this.#namespace = namespace;
    for (const name of tables) {
      try {
        const file = new ProcFile(this.#reader, `${this.#procRoot}/${pid}/net/${name}`, readOnce);
        this.#malformed += parseTcpTable(file.read(), this.#socket, this.#visit);
      } catch (error) {
        if (!isAbsent(error)) throw error;
        // Without IPv6 there is no second table.
        if (name === "tcp") return false;
      }
    }
    return true;
  }

  /** False for a socket of a process that the agent does not look at. */
  #see(socket: Socket): boolean {
    const namespace = this.#namespace;
    if (socket.state === tcpState.listen) {
      const ours = this.#listeners.see(socket, namespace);
      return ours || this.#only === undefined;
    }
    const listener = this.#listeners.of(socket, namespace);
    if (listener !== undefined) {
      // Not accepted yet, or closed already: it belongs to nobody, and to whoever listens.
      if (listener.service === undefined) return this.#only === undefined;
      this.#edges.addIn(socket, namespace, listener.service);
      return true;
    }
    const caller =
      this.#only === undefined ? this.#callerOf(socket) : this.#ownCallerOf(socket, this.#only.addresses);
    if (caller !== undefined) this.#edges.addOut(socket, namespace, caller);
    return caller !== undefined || this.#only === undefined;
  }

  /** Undefined while it is being looked for. */
  #callerOf(socket: Socket): string | undefined {
    const known = this.#edges.findOut(socket, this.#namespace, undefined)?.service;
    if (socket.inode === 0) return known ?? this.#guess(socket);
    if (known !== undefined && !this.#verify && !this.#owners.knows(socket.inode)) return known;
    const owner = this.#owners.serviceOf(socket.inode);
    if (owner === undefined) return known;
    return owner === "" ? (known ?? unknownService) : owner;
  }

  /** The same where other processes of the machine are none of ours. */
  #ownCallerOf(socket: Socket, addresses: readonly Address[]): string | undefined {
    if (socket.inode !== 0) {
      const owner = this.#owners.serviceOf(socket.inode);
      return owner === "" ? undefined : owner;
    }
    if (!addresses.some((address) => sameAddress(address, socket.local))) return undefined;
    return this.#edges.findOut(socket, this.#namespace, undefined)?.service ?? this.#guess(socket);
  }

  /**
   * The caller of a closed connection that nobody owns any more, to a peer that nobody is known to call. Between two
   * ports of chance there is not even a direction, and while owners are looked for one of them may turn out to be the
   * caller.
   */
  #guess(socket: Socket): string | undefined {
    return this.#owners.wanted > 0 || this.#listeners.isEphemeral(socket.peerPort)
      ? undefined
      : unknownService;
  }

  #findOwners(timeMs: number): void {
    this.#passesSinceOwners += 1;
    const early =
      this.#passesSinceOwners < ownersEveryPasses || Math.abs(timeMs - this.#ownersAtMs) < ownersEveryMs;
    // Without a pass over the processes there is nobody to ask yet.
    if (early || this.#owners.wanted === 0 || this.#services.pids().next().done === true) return;
    this.#ownersAtMs = timeMs;
    this.#passesSinceOwners = 0;
    this.#owners.scan();
  }

  #tellStates(recorder: Recorder): void {
    let sockets = 0;
    for (const [index, state] of this.#states.entries()) {
      let count = 0;
      for (let number = 1; number < tcpStates.length; number += 1) {
        if (tcpStates[number] === state) count += this.#counts[number]!;
      }
      this.#stateColumns[index]!.set(recorder, count);
      sockets += count;
    }
    this.#passesToLeaveOut = Math.min(passesLeftOutMax, Math.floor(sockets / socketsPerPass));
  }

  #report(): ProbeReport | undefined {
    if (this.#malformed > 0)
      throw new Error("/proc/net/tcp has lines of an unknown form: those were left out");
    const { forbidden: hidden, skipped } = this.#namespaces;
    if (!this.#owners.forbidden && !hidden && !skipped) return undefined;
    return {
      notPermitted: [
        ...(this.#owners.forbidden ? ["which of other users' processes owns a socket (/proc/<pid>/fd)"] : []),
        ...(hidden ? ["network namespaces of other users' processes (/proc/<pid>/ns/net)"] : []),
      ],
      absent: skipped ? ["sockets of network namespaces beyond the first 64"] : [],
    };
  }
}

function ephemeralPorts(procRoot: string): readonly [number, number] {
  try {
    const text = readFileSync(`${procRoot}/sys/net/ipv4/ip_local_port_range`, "utf8");
    const [from, to] = text.trim().split(/\s+/).map(Number);
    return from !== undefined && to !== undefined ? [from, to] : usualEphemeral;
  } catch {
    return usualEphemeral;
  }
}
