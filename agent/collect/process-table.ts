/**
 * Every process of the host: one pass over /proc/<pid>/stat, and /proc/<pid>/io where it is permitted.
 *
 * The files of a process are kept open. That is cheaper, and it is safer: an open file belongs to that very process
 * and fails (ESRCH) once it is gone, so a process number that is used again can never be mistaken; where the files
 * are opened anew, the start time tells. /proc is listed only when something was born since the last pass (the host's
 * count of forks), and every half minute. The command line and the environment are never opened: they hold passwords.
 * Cost: about 4 us a process and pass; a process that used no CPU is not asked for its I/O, but every sixth pass.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { Cursor } from "./cursor.ts";
import { isAbsent, isForbidden, type ProcReader } from "./proc-file.ts";
import { KeyedLines } from "./keyed-lines.ts";
import { emptyProcessStat, parseProcessStat } from "./process-stat.ts";
import type { ProcessTree } from "./process-tree.ts";

/** Processes looked at; a host with more is told of the first ones, and the rest is counted in `unseen`. */
const processesMax = 20_000;
const listEveryMs = 30_000;
/**
 * Passes between two looks at the control group of a process: units and containers move processes right after their
 * start.
 */
const cgroupPasses = 30;
const ioPasses = 6;
const kernelThreadFlag = 0x00200000;

export interface Process {
  readonly pid: number;
  /** Ticks since boot: with the number, the identity of the process. */
  readonly startTicks: number;
  readonly kernelThread: boolean;
  comm: Uint8Array;
  executable: string;
  /** The text of its cgroup file, "" if it has none. */
  cgroup: string;
  /** True at the pass in which the name or the control group was read anew. */
  renamed: boolean;
  state: number;
  cpuTicks: number;
  /** CPU ticks since the last pass; of a new process all that it ever used. */
  cpuTicksDelta: number;
  rssPages: number;
  /** Bytes from and to disks; NaN where it is not permitted. */
  readBytes: number;
  writeBytes: number;
  readDelta: number;
  writeDelta: number;
  /** The pass in which it was seen first and last. */
  bornPass: number;
  seenPass: number;
  statFd: number;
  ioFd: number;
}

const notPermittedFd = -2;

export class ProcessTable {
  readonly byPid = new Map<number, Process>();
  /** Processes that there was no room for, at the last pass. */
  unseen = 0;
  /** True once a process' I/O could not be read for want of permission. */
  ioForbidden = false;
  pass = 0;
  readonly #reader: ProcReader;
  readonly #procRoot: string;
  readonly #stat = emptyProcessStat();
  readonly #io = new KeyedLines(["read_bytes", "write_bytes"]);
  readonly #onExit: (process: Process) => void;
  readonly #tree: ProcessTree | undefined;
  #forks = Number.NaN;
  #listedAtMs = Number.NEGATIVE_INFINITY;

  /** `tree`: no other process is looked at. */
  constructor(reader: ProcReader, procRoot: string, onExit: (process: Process) => void, tree?: ProcessTree) {
    this.#reader = reader;
    this.#procRoot = procRoot;
    this.#onExit = onExit;
    this.#tree = tree;
  }

  /** One pass. `forks`: the host's count of births, NaN if not known. */
  scan(timeMs: number, forks: number): void {
    this.pass += 1;
    const list = forks !== this.#forks || Math.abs(timeMs - this.#listedAtMs) >= listEveryMs;
    if (!list) {
      for (const process of this.byPid.values()) this.#refresh(process);
      return;
    }
    this.#forks = forks;
    this.#listedAtMs = timeMs;
    this.#list();
  }

  close(): void {
    for (const process of this.byPid.values()) this.#closeFiles(process);
    this.byPid.clear();
  }

  #list(): void {
    this.unseen = 0;
    for (const pid of this.#pids()) {
      const known = this.byPid.get(pid);
      // Gone and born again under the same number: the new one is found in the same pass.
      if (known !== undefined && this.#refresh(known)) continue;
      if (this.byPid.size < processesMax) this.#discover(pid);
      else this.unseen += 1;
    }
    for (const process of this.byPid.values()) if (process.seenPass !== this.pass) this.#forget(process);
  }

  #pids(): number[] {
    const pids: number[] = [];
    for (const name of readdirSync(this.#procRoot)) {
      const first = name.charCodeAt(0);
      if (first >= 49 && first <= 57) pids.push(Number(name));
    }
    const tree = this.#tree;
    if (tree === undefined) return pids;
    tree.refresh(pids);
    return pids.filter((pid) => tree.has(pid));
  }

  /** False if the process is gone. */
  #refresh(process: Process): boolean {
    try {
      if (this.#readStat(process)) return true;
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
    this.#forget(process);
    return false;
  }

  #readStat(process: Process): boolean {
    const stat = this.#stat;
    const cursor = this.#readFile(process, "stat");
    if (!parseProcessStat(cursor, stat) || stat.startTicks !== process.startTicks) return false;
    process.seenPass = this.pass;
    process.state = stat.state;
    process.cpuTicksDelta = Math.max(0, stat.cpuTicks - process.cpuTicks);
    process.cpuTicks = stat.cpuTicks;
    process.rssPages = stat.rssPages;
    process.renamed = false;
    if (process.kernelThread) return true;
    if (!cursor.equals(process.comm, stat.commStart, stat.commEnd)) this.#rename(process, cursor);
    else if ((this.pass + process.pid) % cgroupPasses === 0 || process.bornPass === this.pass - 1) {
      this.#readCgroup(process);
    }
    this.#readIo(process);
    return true;
  }

  #discover(pid: number): void {
    const process = newProcess(pid);
    try {
      const cursor = this.#readFile(process, "stat");
      if (!parseProcessStat(cursor, this.#stat)) return this.#closeFiles(process);
      const { startTicks, flags, state, cpuTicks, rssPages } = this.#stat;
      const born: Process = {
        ...process,
        startTicks,
        kernelThread: (flags & kernelThreadFlag) !== 0,
        state,
        cpuTicks,
        cpuTicksDelta: cpuTicks,
        rssPages,
        bornPass: this.pass,
        seenPass: this.pass,
      };
      this.byPid.set(pid, born);
      this.#rename(born, cursor);
      if (!born.kernelThread) this.#readIo(born);
    } catch (error) {
      this.#closeFiles(process);
      // Came and went, or hidden from us (hidepid): not a process of ours to tell.
      if (!isAbsent(error) && !isForbidden(error)) throw error;
    }
  }

  #rename(process: Process, cursor: Cursor): void {
    const { commStart, commEnd } = this.#stat;
    process.comm = cursor.copy(commStart, commEnd);
    process.executable = this.#executable(process.pid, cursor.text(commStart, commEnd));
    process.renamed = true;
    if (!process.kernelThread) this.#readCgroup(process);
  }

  /**
   * Node.js (since 22) names its main thread, and with it the process, "MainThread": there the program's file says
   * more.
   */
  #executable(pid: number, comm: string): string {
    if (comm !== "MainThread") return comm;
    try {
      return basename(readlinkSync(`${this.#procRoot}/${pid}/exe`).replace(/ \(deleted\)$/, ""));
    } catch (error) {
      if (!isAbsent(error) && !isForbidden(error)) throw error;
      return "node";
    }
  }

  #readCgroup(process: Process): void {
    let cgroup = "";
    try {
      cgroup = readFileSync(`${this.#procRoot}/${process.pid}/cgroup`, "utf8");
    } catch (error) {
      if (!isAbsent(error) && !isForbidden(error)) throw error;
    }
    if (cgroup === process.cgroup) return;
    process.cgroup = cgroup;
    process.renamed = true;
  }

  #readIo(process: Process): void {
    process.readDelta = 0;
    process.writeDelta = 0;
    if (process.ioFd === notPermittedFd) return;
    const known = !Number.isNaN(process.readBytes);
    if (known && process.cpuTicksDelta === 0 && (this.pass + process.pid) % ioPasses !== 0) return;
    try {
      const values = this.#io.read(this.#readFile(process, "io"));
      const [readBytes = Number.NaN, writeBytes = Number.NaN] = values;
      // What a process read before we knew it may be days old, unless it was born under our eyes.
      const born = process.bornPass > 1 ? 0 : Number.NaN;
      process.readDelta = delta(readBytes, process.readBytes, born);
      process.writeDelta = delta(writeBytes, process.writeBytes, born);
      process.readBytes = readBytes;
      process.writeBytes = writeBytes;
    } catch (error) {
      if (!isForbidden(error) && !isAbsent(error)) throw error;
      if (process.ioFd >= 0) this.#closeFd(process.ioFd);
      process.ioFd = notPermittedFd;
      // A process that has ended and waits for its parent has no I/O to show either.
      if (isForbidden(error)) this.ioForbidden = true;
    }
  }

  #readFile(process: Process, name: "stat" | "io"): Cursor {
    const kept = name === "stat" ? process.statFd : process.ioFd;
    if (kept >= 0) return this.#reader.read(kept, onePiece);
    const fd = openSync(`${this.#procRoot}/${process.pid}/${name}`, "r");
    if (!this.#reader.mayKeepOpen) {
      try {
        return this.#reader.read(fd, onePiece);
      } finally {
        closeSync(fd);
      }
    }
    this.#reader.keptOpen += 1;
    if (name === "stat") process.statFd = fd;
    else process.ioFd = fd;
    return this.#reader.read(fd, onePiece);
  }

  #forget(process: Process): void {
    this.#closeFiles(process);
    if (this.byPid.get(process.pid) !== process) return;
    this.byPid.delete(process.pid);
    this.#onExit(process);
  }

  #closeFiles(process: Process): void {
    if (process.statFd >= 0) this.#closeFd(process.statFd);
    if (process.ioFd >= 0) this.#closeFd(process.ioFd);
    process.statFd = -1;
    process.ioFd = -1;
  }

  #closeFd(fd: number): void {
    closeSync(fd);
    this.#reader.keptOpen -= 1;
  }
}

const onePiece = { whole: false } as const;

/** 0 while there is nothing to compare with. `first` stands in for a value before the first one. */
function delta(now: number, before: number, first: number): number {
  const from = Number.isNaN(before) ? first : before;
  return Number.isNaN(from) ? 0 : Math.max(0, now - from);
}

function newProcess(pid: number): Process {
  return {
    pid,
    startTicks: 0,
    kernelThread: false,
    comm: new Uint8Array(),
    executable: "",
    cgroup: "",
    renamed: false,
    state: 0,
    cpuTicks: 0,
    cpuTicksDelta: 0,
    rssPages: 0,
    readBytes: Number.NaN,
    writeBytes: Number.NaN,
    readDelta: 0,
    writeDelta: 0,
    bornPass: 0,
    seenPass: 0,
    statFd: -1,
    ioFd: -1,
  };
}
