/**
 * TCP connections: how many in each state, which ports are listened on, who talks to whom.
 *
 * Read from /proc/net/tcp and tcp6 of the agent's own network namespace: no packet is captured, nothing is loaded
 * into the kernel, no privilege is needed. Only naming other users' processes needs one (CAP_SYS_PTRACE or root);
 * without it their ports are named `port-<n>`. The direction follows from the listening ports: what goes to one came
 * in, everything else goes out. Cost: about 1.5 us a socket. Beyond 5,000 sockets passes are left out, so that the
 * cost stays where it is.
 */
import { readFileSync } from "node:fs";
import { gauge } from "./column.ts";
import { Edges, unknownService } from "./edges.ts";
import { Listeners } from "./listeners.ts";
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

export interface ConnectionsParts {
  readonly reader: ProcReader;
  readonly procRoot: string;
  readonly services: Services;
}

export function createConnections(parts: ConnectionsParts): Probe {
  return new Connections(parts);
}

class Connections implements Probe {
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
  #files: ProcFile[];
  #passesToLeaveOut = 0;
  #passesSinceOwners = ownersEveryPasses;
  #ownersAtMs = Number.NEGATIVE_INFINITY;
  #verifiedAtMs = Number.NEGATIVE_INFINITY;
  #malformed = 0;
  readonly #visit = (socket: Socket) => this.#see(socket);
  /** This pass looks for the owner of every socket, not only of those whose peer nobody is known to call. */
  #verify = false;

  constructor({ reader, procRoot, services }: ConnectionsParts) {
    this.#services = services;
    this.#owners = new SocketOwners(procRoot, services);
    this.#listeners = new Listeners(this.#owners, ephemeralPorts(procRoot));
    this.#files = ["tcp", "tcp6"].map(
      (name) => new ProcFile(reader, `${procRoot}/net/${name}`, oneRecordALine),
    );
  }

  read({ timeMs }: Tick, recorder: Recorder): ProbeReport | undefined {
    if (this.#passesToLeaveOut > 0) {
      this.#passesToLeaveOut -= 1;
      return undefined;
    }
    this.#beginPass(timeMs);
    this.#files = this.#files.filter((file) => this.#readTable(file));
    this.#owners.endPass();
    this.#findOwners(timeMs);
    this.#services.setListening(this.#listeners.tell(recorder));
    this.#edges.tell(recorder);
    this.#tellStates(recorder);
    return this.#report();
  }

  close(): void {
    for (const file of this.#files) file.close();
  }

  #beginPass(timeMs: number): void {
    this.#verify = Math.abs(timeMs - this.#verifiedAtMs) >= verifyEveryMs;
    if (this.#verify) this.#verifiedAtMs = timeMs;
    this.#counts.fill(0);
    this.#malformed = 0;
    this.#owners.beginPass();
    this.#listeners.beginPass();
  }

  /** False if there is no such table: IPv6 is switched off. */
  #readTable(file: ProcFile): boolean {
    try {
      this.#malformed += parseTcpTable(file.read(), this.#socket, this.#visit);
      return true;
    } catch (error) {
      if (isAbsent(error) && file.path.endsWith("6")) return false;
      throw error;
    }
  }

  #see(socket: Socket): void {
    const { state, localPort } = socket;
    if (state < this.#counts.length) this.#counts[state]! += 1;
    if (state === tcpState.listen) return this.#listeners.see(localPort, socket.inode);
    const waiting = state === tcpState.timeWait;
    if (this.#listeners.has(localPort)) {
      const service = this.#listeners.serviceOf(localPort);
      if (service !== undefined) this.#edges.addIn(socket, service, waiting);
      return;
    }
    const caller = this.#callerOf(socket);
    if (caller !== undefined) this.#edges.addOut(socket, caller, waiting);
  }

  /** Undefined while it is being looked for. */
  #callerOf(socket: Socket): string | undefined {
    const known = this.#edges.callerOf(socket);
    if (socket.inode === 0) return known ?? this.#guess(socket);
    if (known !== undefined && !this.#verify && !this.#owners.knows(socket.inode)) return known;
    const owner = this.#owners.serviceOf(socket.inode);
    if (owner === undefined) return known;
    return owner === "" ? (known ?? unknownService) : owner;
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
    if (!this.#owners.forbidden) return undefined;
    return { notPermitted: ["which of other users' processes owns a socket (/proc/<pid>/fd)"] };
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
