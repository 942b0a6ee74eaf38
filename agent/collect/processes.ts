/**
 * Processes: the few that use most, one by one, and all of them summed up by service.
 *
 * An incident on a host wants a name: which process, of which service. The largest five by CPU, by memory and by disk
 * are told, and stay for six passes after they left, so that their series do not come and go. Everything else about
 * them is in `process-table.ts` (what is read) and `services.ts` (how it is summed). Never the command line, never
 * the environment.
 */
import { gauge, counter, type Column, type LabelPairs } from "./column.ts";
import type { HostFacts } from "./host-facts.ts";
import type { Kernel } from "./kernel.ts";
import type { Probe, ProbeReport, Tick } from "./probe.ts";
import { ProcessTable, type Process } from "./process-table.ts";
import type { ProcessTree } from "./process-tree.ts";
import type { ProcReader } from "./proc-file.ts";
import type { Recorder } from "./recorder.ts";
import type { Services } from "./services.ts";
import { Sticky, Top } from "./top.ts";

const largest = 5;
const passesOutside = 6;
/** Three times the largest five, and as many that are on their way out. */
const membersMax = 30;
/** Below these nobody is among the largest: an idle host has no largest process. */
const cpuShareMin = 0.01;
const rssBytesMin = 16 * 1024 * 1024;
const ioBytesPerSecondMin = 64 * 1024;

const states = ["running", "sleeping", "blocked", "stopped", "defunct"] as const;
type StateCounts = Record<(typeof states)[number], number>;

export interface ProcessesParts {
  readonly reader: ProcReader;
  readonly procRoot: string;
  readonly kernel: Kernel;
  readonly facts: HostFacts;
  readonly services: Services;
  /** No other process is looked at. */
  readonly tree?: ProcessTree | undefined;
}

export function createProcesses(parts: ProcessesParts): Probe {
  return new Processes(parts);
}

class Processes implements Probe {
  readonly name = "processes";
  readonly shedRank = 40;
  readonly periodMs = 5_000;
  readonly #parts: ProcessesParts;
  readonly #table: ProcessTable;
  readonly #byCpu = new Top<Process>(largest);
  readonly #byMemory = new Top<Process>(largest);
  readonly #byIo = new Top<Process>(largest);
  readonly #told: Sticky<Process, ProcessColumns>;
  readonly #counts: StateCounts = { running: 0, sleeping: 0, blocked: 0, stopped: 0, defunct: 0 };
  readonly #countColumns = states.map((state) =>
    gauge("system.process.count", "{process}", 0, [["process.state", state]]),
  );

  constructor(parts: ProcessesParts) {
    this.#parts = parts;
    this.#told = new Sticky({ passesOutside, membersMax, make: (process) => this.#columnsOf(process) });
    const onExit = (process: Process): void => {
      this.#told.drop(process);
      parts.services.forget(process.pid);
    };
    this.#table = new ProcessTable(parts.reader, parts.procRoot, onExit, parts.tree);
  }

  read({ timeMs, elapsedMs }: Tick, recorder: Recorder): ProbeReport | undefined {
    this.#table.scan(timeMs, this.#parts.facts.forks);
    const processes = this.#table.byPid;
    const { services } = this.#parts;
    services.add(processes.values(), elapsedMs, recorder);
    this.#tellCounts(recorder);
    this.#choose(elapsedMs);
    for (const [process, columns] of this.#told.members) this.#tell(process, columns, elapsedMs, recorder);
    return this.#report();
  }

  close(): void {
    this.#table.close();
  }

  #choose(elapsedMs: number): void {
    const seconds = elapsedMs > 0 ? elapsedMs / 1000 : Number.POSITIVE_INFINITY;
    const cpuTicksMin = cpuShareMin * seconds * this.#parts.kernel.ticksPerSecond;
    const rssPagesMin = rssBytesMin / this.#parts.kernel.pageBytes;
    this.#byCpu.clear();
    this.#byMemory.clear();
    this.#byIo.clear();
    for (const process of this.#table.byPid.values()) {
      if (process.cpuTicksDelta >= cpuTicksMin) this.#byCpu.offer(process, process.cpuTicksDelta);
      if (process.rssPages >= rssPagesMin) this.#byMemory.offer(process, process.rssPages);
      const ioBytes = process.readDelta + process.writeDelta;
      if (ioBytes >= ioBytesPerSecondMin * seconds) this.#byIo.offer(process, ioBytes);
    }
    for (const top of [this.#byCpu, this.#byMemory, this.#byIo]) {
      for (const process of top.items) this.#told.keep(process);
    }
    this.#told.endPass();
  }

  #tell(process: Process, columns: ProcessColumns, elapsedMs: number, recorder: Recorder): void {
    const { ticksPerSecond, pageBytes } = this.#parts.kernel;
    // The first reading of a process is its whole life; only from its second on is it a share of the time between.
    if (elapsedMs > 0) {
      columns.cpu.set(recorder, ((process.cpuTicksDelta / ticksPerSecond) * 1000) / elapsedMs);
    }
    columns.memory.set(recorder, process.rssPages * pageBytes);
    columns.read.set(recorder, process.readBytes);
    columns.write.set(recorder, process.writeBytes);
  }

  /** A program that calls exec has another name: its process is told under the new one. */
  #columnsOf(process: Process): ProcessColumns {
    const labels: LabelPairs = [
      ["process.pid", String(process.pid)],
      ["process.executable.name", process.executable],
      ["service.name", this.#parts.services.nameOf(process.pid) ?? ""],
    ];
    const io = (direction: string) =>
      counter("process.disk.io", "By", 0, [...labels, ["disk.io.direction", direction]]);
    return {
      cpu: gauge("process.cpu.utilization", "1", 3, labels),
      memory: gauge("process.memory.usage", "By", 0, labels),
      read: io("read"),
      write: io("write"),
    };
  }

  #tellCounts(recorder: Recorder): void {
    for (const state of states) this.#counts[state] = 0;
    for (const process of this.#table.byPid.values()) {
      this.#counts[stateName(process.state)] += 1;
      if (process.renamed) this.#told.drop(process);
    }
    for (const [index, state] of states.entries()) {
      this.#countColumns[index]!.set(recorder, this.#counts[state]);
    }
  }

  #report(): ProbeReport | undefined {
    const { ioForbidden, unseen, byPid } = this.#table;
    const nobody = this.#parts.tree !== undefined && byPid.size === 0;
    if (!ioForbidden && unseen === 0 && !nobody) return undefined;
    return {
      notPermitted: ioForbidden ? ["disk I/O of other users' processes (/proc/<pid>/io)"] : [],
      absent: [
        ...(unseen > 0 ? ["processes beyond the first 20,000"] : []),
        ...(nobody ? ["the processes that this agent is restricted to (processesOf)"] : []),
      ],
    };
  }
}

interface ProcessColumns {
  readonly cpu: Column;
  readonly memory: Column;
  readonly read: Column;
  readonly write: Column;
}

function stateName(letter: number): keyof StateCounts {
  switch (String.fromCharCode(letter)) {
    case "R":
      return "running";
    case "D":
      return "blocked";
    case "T":
    case "t":
      return "stopped";
    case "Z":
    case "X":
      return "defunct";
    default:
      return "sleeping";
  }
}
