/**
 * Which service a socket belongs to: from the socket's inode to the process that holds it open, through /proc/<pid>/fd.
 *
 * Reading every link of every process is the dearest thing that the agent can do (7 us a link), so it is done only
 * for inodes that are not known, at most every 15 s or three ticks, at most `linksMax` links at a time, processes
 * that own sockets already first. What is not reached goes on at the next time. An inode that a whole round did not
 * find belongs to a process that we may not look into.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { isAbsent, isForbidden } from "./proc-file.ts";
import type { Services } from "./services.ts";

const linksMax = 4_000;
const prefix = "socket:[";

interface Owner {
  /** Undefined while it is being looked for, "" when nobody that we can see has it. */
  service: string | undefined;
  /** The round at which it was first asked for. */
  readonly round: number;
  seenPass: number;
}

export class SocketOwners {
  /** True once a process' files could not be listed for want of permission. */
  forbidden = false;
  readonly #procRoot: string;
  readonly #services: Services;
  readonly #byInode = new Map<number, Owner>();
  readonly #withSockets = new Set<number>();
  #queue: number[] = [];
  #wanted = 0;
  #round = 0;
  #pass = 0;

  constructor(procRoot: string, services: Services) {
    this.#procRoot = procRoot;
    this.#services = services;
  }

  beginPass(): void {
    this.#pass += 1;
  }

  /**
   * The service of the socket `inode`: undefined while that is not known yet, "" if it cannot be known. Asking for an
   * unknown one wants it to be looked for.
   */
  serviceOf(inode: number): string | undefined {
    const owner = this.#byInode.get(inode);
    if (owner === undefined) {
      this.#byInode.set(inode, { service: undefined, round: this.#round, seenPass: this.#pass });
      this.#wanted += 1;
      return undefined;
    }
    owner.seenPass = this.#pass;
    return owner.service;
  }

  /** The service of the socket, if it was found; asking does not want it to be looked for. */
  known(inode: number): string | undefined {
    const service = this.#byInode.get(inode)?.service;
    return service === "" ? undefined : service;
  }

  /** True if this socket was asked for before. */
  knows(inode: number): boolean {
    return this.#byInode.has(inode);
  }

  /** Sockets whose owner is looked for. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Forgets sockets that no table showed at this pass. */
  endPass(): void {
    for (const [inode, owner] of this.#byInode) {
      if (owner.seenPass === this.#pass) continue;
      if (owner.service === undefined) this.#wanted -= 1;
      this.#byInode.delete(inode);
    }
  }

  /** Looks for the wanted ones. Nothing is lost to a process that ends meanwhile or that may not be looked into. */
  scan(): void {
    if (this.#queue.length === 0) this.#beginRound();
    let links = 0;
    while (this.#wanted > 0 && links < linksMax) {
      const pid = this.#queue.pop();
      if (pid === undefined) return this.#endRound();
      links += this.#scanProcess(pid);
    }
  }

  #beginRound(): void {
    this.#round += 1;
    const others: number[] = [];
    const owners: number[] = [];
    for (const pid of this.#services.pids()) (this.#withSockets.has(pid) ? owners : others).push(pid);
    this.#withSockets.clear();
    for (const pid of owners) this.#withSockets.add(pid);
    // Taken from the end.
    this.#queue = [...others, ...owners];
  }

  #endRound(): void {
    for (const owner of this.#byInode.values()) {
      if (owner.service !== undefined || owner.round >= this.#round) continue;
      owner.service = "";
      this.#wanted -= 1;
    }
  }

  /** Returns how many links were read. */
  #scanProcess(pid: number): number {
    const service = this.#services.nameOf(pid);
    if (service === undefined) return 0;
    const directory = `${this.#procRoot}/${pid}/fd`;
    try {
      const names = readdirSync(directory);
      for (const name of names) this.#takeLink(pid, service, `${directory}/${name}`);
      return names.length;
    } catch (error) {
      if (isForbidden(error)) this.forbidden = true;
      else if (!isAbsent(error)) throw error;
      return 1;
    }
  }

  #takeLink(pid: number, service: string, path: string): void {
    try {
      this.#take(pid, service, readlinkSync(path));
    } catch (error) {
      // Closed since the directory was listed: the others are still there.
      if (!isAbsent(error)) throw error;
    }
  }

  #take(pid: number, service: string, link: string): void {
    if (!link.startsWith(prefix)) return;
    const owner = this.#byInode.get(Number(link.slice(prefix.length, -1)));
    if (owner === undefined) return;
    this.#withSockets.add(pid);
    // A socket that a parent and its child both hold belongs to the one found first.
    if (owner.service !== undefined && owner.service !== "") return;
    if (owner.service === undefined) this.#wanted -= 1;
    owner.service = service;
  }
}
