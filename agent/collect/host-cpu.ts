/**
 * CPU time and use of the whole host, from /proc/stat, /proc/loadavg and /proc/uptime (proc_stat(5)).
 *
 * Guest time is inside user time already and is not counted again. `iowait` may run backwards on the kernel's side;
 * our counters never do. Busy is what is neither idle nor waiting for a disk: waiting is told by the pressure probe,
 * and rightly. Cost: three reads; /proc/stat grows with the number of interrupts.
 */
import { counter, gauge, type Column } from "./column.ts";
import type { Cursor } from "./cursor.ts";
import type { HostFacts } from "./host-facts.ts";
import type { Kernel } from "./kernel.ts";
import type { Probe, Tick } from "./probe.ts";
import { ProcFile, type ProcReader } from "./proc-file.ts";
import type { Recorder } from "./recorder.ts";

/** In the order of the columns of /proc/stat; interrupt is two of them, hard and soft. */
const modes = ["user", "nice", "system", "idle", "iowait", "interrupt", "steal"] as const;
const idle = 3;
const iowait = 4;

const encoder = new TextEncoder();
const keys = {
  cpu: encoder.encode("cpu"),
  ctxt: encoder.encode("ctxt"),
  processes: encoder.encode("processes"),
};

/** CPU ticks by mode, of all cores together or of one. */
export type ModeTicks = Float64Array;

export interface CpuStat {
  readonly all: ModeTicks;
  /** By the order of the lines; a core that is offline has no line. Length is at least `count`. */
  readonly cores: ModeTicks[];
  /** The number in the core's name. */
  readonly coreNumbers: number[];
  count: number;
  contextSwitches: number;
  /** Processes and threads created since boot. */
  forks: number;
}

export function emptyCpuStat(): CpuStat {
  const all = new Float64Array(modes.length);
  return { all, cores: [], coreNumbers: [], count: 0, contextSwitches: Number.NaN, forks: Number.NaN };
}

/** Pure: fills `stat` from the bytes of /proc/stat. */
export function parseCpuStat(cursor: Cursor, stat: CpuStat): void {
  stat.count = 0;
  while (!cursor.done) {
    if (cursor.startsWith(keys.cpu)) parseCpuLine(cursor, stat);
    else if (cursor.startsWith(keys.ctxt)) stat.contextSwitches = valueOf(cursor);
    else if (cursor.startsWith(keys.processes)) stat.forks = valueOf(cursor);
    cursor.nextLine();
  }
}

function parseCpuLine(cursor: Cursor, stat: CpuStat): void {
  cursor.at += keys.cpu.length;
  if (cursor.peek() === 32) return parseModes(cursor, stat.all);
  stat.coreNumbers[stat.count] = cursor.number();
  const core = (stat.cores[stat.count] ??= new Float64Array(modes.length));
  stat.count += 1;
  parseModes(cursor, core);
}

function parseModes(cursor: Cursor, ticks: ModeTicks): void {
  // User, nice, system, idle, iowait, irq, softirq, steal; old kernels end earlier. Guest follows and is left out.
  for (let mode = 0; mode < 5; mode += 1) ticks[mode] = orZero(cursor.number());
  ticks[5] = orZero(cursor.number()) + orZero(cursor.number());
  ticks[6] = orZero(cursor.number());
}

function valueOf(cursor: Cursor): number {
  cursor.word();
  return cursor.number();
}

function orZero(value: number): number {
  return Number.isNaN(value) ? 0 : value;
}

/** Shares of the time since `before`, by mode, into `shares`; returns the busy share. NaN when no time has passed. */
export function cpuShares(now: ModeTicks, before: ModeTicks, shares: Float64Array): number {
  let total = 0;
  for (let mode = 0; mode < modes.length; mode += 1) {
    const ticks = Math.max(0, now[mode]! - before[mode]!);
    shares[mode] = ticks;
    total += ticks;
  }
  if (total === 0) return Number.NaN;
  for (let mode = 0; mode < modes.length; mode += 1) shares[mode]! /= total;
  return Math.max(0, 1 - shares[idle]! - shares[iowait]!);
}

export interface HostCpuParts {
  readonly reader: ProcReader;
  readonly procRoot: string;
  readonly kernel: Kernel;
  /** One series of use per core as well. */
  readonly perCore: boolean;
  readonly facts: HostFacts;
}

export function createHostCpu(parts: HostCpuParts): Probe {
  return new HostCpu(parts);
}

class HostCpu implements Probe {
  readonly name = "host-cpu";
  readonly shedRank = 0;
  readonly #parts: HostCpuParts;
  readonly #files: Readonly<Record<"stat" | "loadavg" | "uptime", ProcFile>>;
  readonly #stat = emptyCpuStat();
  /** Highest ticks seen by mode, so that the counters never fall. */
  readonly #ticks = new Float64Array(modes.length);
  readonly #before = new Float64Array(modes.length).fill(Number.NaN);
  readonly #coresBefore: Float64Array[] = [];
  readonly #shares = new Float64Array(modes.length);

  readonly #time = modes.map((mode) => counter("system.cpu.time", "s", 2, [["cpu.mode", mode]]));
  readonly #share = modes.map((mode) => gauge("system.cpu.utilization", "1", 3, [["cpu.mode", mode]]));
  readonly #busy = gauge("system.cpu.utilization", "1", 3);
  readonly #coreBusy: Column[] = [];
  readonly #count = gauge("system.cpu.logical.count", "{cpu}", 0);
  readonly #load = gauge("system.linux.load_1m", "{thread}", 2);
  readonly #forks = counter("system.process.created", "{process}", 0);
  readonly #switches = counter("causeway.host.context_switches", "{switch}", 0);
  readonly #uptime = gauge("system.uptime", "s", 2);

  constructor(parts: HostCpuParts) {
    this.#parts = parts;
    const file = (name: string) => new ProcFile(parts.reader, `${parts.procRoot}/${name}`, { whole: false });
    this.#files = { stat: file("stat"), loadavg: file("loadavg"), uptime: file("uptime") };
  }

  read(_tick: Tick, recorder: Recorder): undefined {
    parseCpuStat(this.#files.stat.read(), this.#stat);
    this.#parts.facts.forks = this.#stat.forks;
    this.#tellTotals(recorder);
    if (this.#parts.perCore) this.#tellCores(recorder);
    this.#count.set(recorder, this.#stat.count);
    this.#forks.set(recorder, this.#stat.forks);
    this.#switches.set(recorder, this.#stat.contextSwitches);
    this.#load.set(recorder, this.#files.loadavg.read().decimal());
    this.#uptime.set(recorder, this.#files.uptime.read().decimal());
  }

  close(): void {
    for (const file of Object.values(this.#files)) file.close();
  }

  #tellTotals(recorder: Recorder): void {
    const { all } = this.#stat;
    const busy = cpuShares(all, this.#before, this.#shares);
    for (let mode = 0; mode < modes.length; mode += 1) {
      this.#ticks[mode] = Math.max(this.#ticks[mode]!, all[mode]!);
      this.#time[mode]!.set(recorder, this.#ticks[mode]! / this.#parts.kernel.ticksPerSecond);
      if (!Number.isNaN(busy)) this.#share[mode]!.set(recorder, this.#shares[mode]!);
    }
    this.#busy.set(recorder, busy);
    this.#before.set(all);
  }

  #tellCores(recorder: Recorder): void {
    for (let index = 0; index < this.#stat.count; index += 1) {
      const core = this.#stat.coreNumbers[index]!;
      const now = this.#stat.cores[index]!;
      const before = (this.#coresBefore[core] ??= new Float64Array(modes.length).fill(Number.NaN));
      const column = (this.#coreBusy[core] ??= gauge("system.cpu.utilization", "1", 3, [
        ["cpu.logical_number", String(core)],
      ]));
      column.set(recorder, cpuShares(now, before, this.#shares));
      before.set(now);
    }
  }
}
