/**
 * CPU seconds of the agent's children that have ended: the only program that it runs is `ss` (`socket-statistics.ts`).
 *
 * getrusage as Node has it leaves children out, and a budget that does not see them is none. Cost: one small read.
 */
import { readFileSync } from "node:fs";
import { Cursor } from "./cursor.ts";
import type { Kernel } from "./kernel.ts";
import { isAbsent, isForbidden } from "./proc-file.ts";
import { emptyProcessStat, parseProcessStat } from "./process-stat.ts";

export class ChildCpu {
  readonly #path: string;
  readonly #kernel: Kernel;
  readonly #stat = emptyProcessStat();

  constructor(procRoot: string, kernel: Kernel) {
    this.#path = `${procRoot}/self/stat`;
    this.#kernel = kernel;
  }

  /** As of now; 0 where it cannot be told. */
  seconds(): number {
    try {
      const cursor = new Cursor(readFileSync(this.#path));
      return parseProcessStat(cursor, this.#stat)
        ? this.#stat.childCpuTicks / this.#kernel.ticksPerSecond
        : 0;
    } catch (error) {
      if (isAbsent(error) || isForbidden(error)) return 0;
      throw error;
    }
  }
}
