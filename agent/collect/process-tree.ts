/**
 * The processes that an agent is restricted to: some first ones and all that they started, and so on down.
 *
 * For several agents on one machine, each of which stands for a host of its own. A process that was once seen in the
 * tree stays in it when its parent ends and another one takes it over. Cost: one reading of every process' stat when
 * something was born; only an agent that is restricted pays it.
 */
import { readFileSync } from "node:fs";
import { Cursor } from "./cursor.ts";
import { isAbsent, isForbidden } from "./proc-file.ts";
import { emptyProcessStat, parseProcessStat } from "./process-stat.ts";

export class ProcessTree {
  readonly #procRoot: string;
  readonly #roots: ReadonlySet<number>;
  readonly #stat = emptyProcessStat();
  #members = new Set<number>();

  constructor(procRoot: string, roots: readonly number[]) {
    this.#procRoot = procRoot;
    this.#roots = new Set(roots);
  }

  /** `pids`: every process that there is now. */
  refresh(pids: readonly number[]): void {
    const parents = new Map<number, number>();
    for (const pid of pids) parents.set(pid, this.#parentOf(pid));
    const members = new Set<number>();
    const outside = new Set<number>();
    for (const pid of pids) this.#place(pid, parents, members, outside);
    this.#members = members;
  }

  has(pid: number): boolean {
    return this.#members.has(pid);
  }

  /** Walks up until somebody's place is known; then all on the way have the same. */
  #place(
    pid: number,
    parents: ReadonlyMap<number, number>,
    members: Set<number>,
    outside: Set<number>,
  ): void {
    const way: number[] = [];
    let at = pid;
    while (parents.has(at) && !members.has(at) && !outside.has(at) && !this.#isIn(at) && !way.includes(at)) {
      way.push(at);
      at = parents.get(at)!;
    }
    if (parents.has(at) && this.#isIn(at)) members.add(at);
    const place = members.has(at) ? members : outside;
    for (const one of way) place.add(one);
  }

  #isIn(pid: number): boolean {
    return this.#roots.has(pid) || this.#members.has(pid);
  }

  /** 0 if there is none, or none that we may see. */
  #parentOf(pid: number): number {
    try {
      const cursor = new Cursor(readFileSync(`${this.#procRoot}/${pid}/stat`));
      return parseProcessStat(cursor, this.#stat) ? this.#stat.parent : 0;
    } catch (error) {
      if (!isAbsent(error) && !isForbidden(error)) throw error;
      return 0;
    }
  }
}
