/**
 * Memory of the host from /proc/meminfo, and paging and OOM kills from /proc/vmstat (proc_meminfo(5)).
 *
 * "kB" in /proc/meminfo is 1,024 bytes. The used share is 1 - MemAvailable / MemTotal: the kernel's own estimate of
 * what can still be had without swapping. Kernels before 3.14 do not give it; there free memory, buffers and page
 * cache without shared memory stand in.
 */
import { counter, gauge } from "./column.ts";
import { KeyedLines } from "./keyed-lines.ts";
import type { Probe, Tick } from "./probe.ts";
import { ProcFile, type ProcReader } from "./proc-file.ts";
import type { Recorder } from "./recorder.ts";

const memoryKeys = [
  "MemTotal",
  "MemFree",
  "MemAvailable",
  "Buffers",
  "Cached",
  "Shmem",
  "SReclaimable",
  "SUnreclaim",
  "SwapTotal",
  "SwapFree",
] as const;
const pagingKeys = ["pswpin", "pswpout", "pgfault", "pgmajfault", "oom_kill"] as const;

const kibibyte = 1024;

/** Bytes. What the kernel does not tell counts as 0, but for `available`, see above. */
export interface Memory {
  total: number;
  free: number;
  available: number;
  buffers: number;
  /** Page cache and reclaimable slab, as `free` shows it. */
  cached: number;
  used: number;
  slabReclaimable: number;
  slabUnreclaimable: number;
  swapTotal: number;
  swapFree: number;
}

export function emptyMemory(): Memory {
  return {
    total: 0,
    free: 0,
    available: 0,
    buffers: 0,
    cached: 0,
    used: 0,
    slabReclaimable: 0,
    slabUnreclaimable: 0,
    swapTotal: 0,
    swapFree: 0,
  };
}

/** Pure: `values` in the order of `memoryKeys`, in KiB. */
function fillMemory(values: Float64Array, memory: Memory): void {
  const bytes = (index: number) => (Number.isNaN(values[index]!) ? 0 : values[index]! * kibibyte);
  memory.total = bytes(0);
  memory.free = bytes(1);
  memory.buffers = bytes(3);
  memory.slabReclaimable = bytes(6);
  memory.slabUnreclaimable = bytes(7);
  memory.cached = bytes(4) + memory.slabReclaimable;
  memory.available = Number.isNaN(values[2]!)
    ? memory.free + memory.buffers + Math.max(0, bytes(4) - bytes(5))
    : bytes(2);
  memory.used = Math.max(0, memory.total - memory.free - memory.buffers - memory.cached);
  memory.swapTotal = bytes(8);
  memory.swapFree = bytes(9);
}

/** Reads /proc/meminfo again and again into one object. */
export function createMemoryParser(): (cursor: Parameters<KeyedLines["read"]>[0]) => Memory {
  const lines = new KeyedLines(memoryKeys);
  const memory = emptyMemory();
  return (cursor) => {
    fillMemory(lines.read(cursor), memory);
    return memory;
  };
}

export function createHostMemory(parts: { reader: ProcReader; procRoot: string }): Probe {
  return new HostMemory(parts.reader, parts.procRoot);
}

class HostMemory implements Probe {
  readonly name = "host-memory";
  readonly shedRank = 0;
  readonly #meminfo: ProcFile;
  readonly #vmstat: ProcFile;
  readonly #parse = createMemoryParser();
  readonly #paging = new KeyedLines(pagingKeys);

  readonly #used = usage("used");
  readonly #free = usage("free");
  readonly #buffers = usage("buffers");
  readonly #cached = usage("cached");
  readonly #limit = gauge("system.memory.limit", "By", 0);
  readonly #utilization = gauge("system.memory.utilization", "1", 4);
  readonly #available = gauge("system.memory.linux.available", "By", 0);
  readonly #slabReclaimable = slab("reclaimable");
  readonly #slabUnreclaimable = slab("unreclaimable");
  readonly #swapUsed = gauge("system.paging.usage", "By", 0, [["system.paging.state", "used"]]);
  readonly #swapFree = gauge("system.paging.usage", "By", 0, [["system.paging.state", "free"]]);
  readonly #swapIn = operations("in");
  readonly #swapOut = operations("out");
  readonly #minorFaults = faults("minor");
  readonly #majorFaults = faults("major");
  readonly #oomKills = counter("system.memory.oom_kills", "{kill}", 0);

  constructor(reader: ProcReader, procRoot: string) {
    this.#meminfo = new ProcFile(reader, `${procRoot}/meminfo`, { whole: false });
    this.#vmstat = new ProcFile(reader, `${procRoot}/vmstat`, { whole: true, recordBytesMax: 512 });
  }

  read(_tick: Tick, recorder: Recorder): undefined {
    this.#tellMemory(this.#parse(this.#meminfo.read()), recorder);
    this.#tellPaging(this.#paging.read(this.#vmstat.read()), recorder);
  }

  close(): void {
    this.#meminfo.close();
    this.#vmstat.close();
  }

  #tellMemory(memory: Memory, recorder: Recorder): void {
    this.#used.set(recorder, memory.used);
    this.#free.set(recorder, memory.free);
    this.#buffers.set(recorder, memory.buffers);
    this.#cached.set(recorder, memory.cached);
    this.#limit.set(recorder, memory.total);
    this.#available.set(recorder, memory.available);
    if (memory.total > 0) this.#utilization.set(recorder, 1 - memory.available / memory.total);
    this.#slabReclaimable.set(recorder, memory.slabReclaimable);
    this.#slabUnreclaimable.set(recorder, memory.slabUnreclaimable);
    if (memory.swapTotal === 0) return;
    this.#swapUsed.set(recorder, memory.swapTotal - memory.swapFree);
    this.#swapFree.set(recorder, memory.swapFree);
  }

  #tellPaging(values: Float64Array, recorder: Recorder): void {
    this.#swapIn.set(recorder, values[0]!);
    this.#swapOut.set(recorder, values[1]!);
    this.#minorFaults.set(recorder, values[2]! - values[3]!);
    this.#majorFaults.set(recorder, values[3]!);
    this.#oomKills.set(recorder, values[4]!);
  }
}

const usage = (state: string) => gauge("system.memory.usage", "By", 0, [["system.memory.state", state]]);
const slab = (state: string) =>
  gauge("system.memory.linux.slab.usage", "By", 0, [["system.memory.linux.slab.state", state]]);
const operations = (direction: string) =>
  counter("system.paging.operations", "{operation}", 0, [["system.paging.direction", direction]]);
const faults = (type: string) =>
  counter("system.paging.faults", "{fault}", 0, [["system.paging.fault.type", type]]);
