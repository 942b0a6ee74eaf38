/**
 * Which network namespaces the host's processes live in, and a process of each through which its sockets can be read.
 *
 * /proc/<pid>/net shows the namespace of that process, so one reading for each distinct target of /proc/<pid>/ns/net
 * shows the sockets of every container on the host, once. Looking at a process costs one readlink, when it is new, at
 * the pass after (runtimes move a process into its namespace right after its start), and every 60 passes. Another
 * user's process shows its namespace only with CAP_SYS_PTRACE or to root; without, the agent's own is read alone.
 */
import { readlinkSync } from "node:fs";
import { isAbsent, isForbidden } from "./proc-file.ts";

/** Beside the agent's own; a host runs some dozens of containers. */
const namespacesMax = 64;
const lookAgainPasses = 60;

export interface Namespace {
  /** The kernel's number of it, as text; "" for the agent's own. */
  readonly id: string;
  /** Small, and never given to another one while it lives: 0 for the agent's own. */
  readonly number: number;
}

export const ownNamespace: Namespace = { id: "", number: 0 };

interface Inhabited {
  readonly namespace: Namespace;
  readonly pids: Set<number>;
}

interface Inhabitant {
  readonly home: Inhabited | undefined;
  readonly bornPass: number;
  seenPass: number;
}

export class Namespaces {
  /** True once a process' namespace could not be read for want of permission. */
  forbidden = false;
  /** Namespaces beyond the limit are there. */
  skipped = false;
  readonly #procRoot: string;
  readonly #own: string | undefined;
  readonly #byId = new Map<string, Inhabited>();
  readonly #byPid = new Map<number, Inhabitant>();
  #given = 0;
  #pass = 0;

  constructor(procRoot: string) {
    this.#procRoot = procRoot;
    try {
      this.#own = readlinkSync(`${procRoot}/self/ns/net`);
    } catch (error) {
      // A kernel without namespaces has one network.
      if (!isAbsent(error) && !isForbidden(error)) throw error;
    }
  }

  /** Looks at the processes that are new. `pids`: those of the last pass. */
  refresh(pids: Iterable<number>): void {
    if (this.#own === undefined) return;
    this.#pass += 1;
    for (const pid of pids) {
      const known = this.#byPid.get(pid);
      if (known !== undefined) known.seenPass = this.#pass;
      if (known === undefined || this.#isDue(pid, known)) this.#look(pid, known);
    }
    for (const [pid, { seenPass }] of this.#byPid) if (seenPass !== this.#pass) this.#forget(pid);
  }

  /** Those that are not the agent's own, each with its processes. */
  *others(): Generator<readonly [Namespace, Iterable<number>]> {
    for (const { namespace, pids } of this.#byId.values()) yield [namespace, pids];
  }

  #isDue(pid: number, { bornPass }: Inhabitant): boolean {
    return bornPass === this.#pass - 1 || (this.#pass + pid) % lookAgainPasses === 0;
  }

  #look(pid: number, known: Inhabitant | undefined): void {
    const home = this.#homeOf(pid);
    if (known !== undefined && known.home === home) return;
    if (known !== undefined) this.#forget(pid);
    home?.pids.add(pid);
    const bornPass = known?.bornPass ?? this.#pass;
    this.#byPid.set(pid, { home, bornPass, seenPass: this.#pass });
  }

  /** Undefined for the agent's own, and for one that cannot be told. */
  #homeOf(pid: number): Inhabited | undefined {
    let link: string;
    try {
      link = readlinkSync(`${this.#procRoot}/${pid}/ns/net`);
    } catch (error) {
      if (isForbidden(error)) this.forbidden = true;
      else if (!isAbsent(error)) throw error;
      return undefined;
    }
    if (link === this.#own) return undefined;
    const found = this.#byId.get(link);
    if (found !== undefined) return found;
    if (this.#byId.size >= namespacesMax) {
      this.skipped = true;
      return undefined;
    }
    this.#given += 1;
    const id = link.replace(/\D+/g, "");
    const home = { namespace: { id, number: this.#given }, pids: new Set<number>() };
    this.#byId.set(link, home);
    return home;
  }

  #forget(pid: number): void {
    const home = this.#byPid.get(pid)?.home;
    this.#byPid.delete(pid);
    home?.pids.delete(pid);
    if (home?.pids.size !== 0) return;
    for (const [link, other] of this.#byId) if (other === home) this.#byId.delete(link);
  }
}
