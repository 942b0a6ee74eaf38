/**
 * Control groups of units and containers: exact CPU time, throttling, memory against its limit, OOM kills.
 *
 * The kernel's own account per service (Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/): exact where the sum
 * over processes misses the short-lived. Memory is the working set, without the page cache that the kernel would give
 * up first (inactive_file), as Kubernetes counts it: with the cache, every container that reads files would seem
 * full. The list of groups is made anew every 30 s; files are kept open. Cost: seven small reads a group.
 */
import { findCgroupRoots, listCgroups, type CgroupRoots, type Controller } from "./cgroup-tree.ts";
import { counter, gauge, type Column } from "./column.ts";
import { KeyedLines } from "./keyed-lines.ts";
import type { Probe, ProbeReport, Tick } from "./probe.ts";
import { isAbsent, isForbidden, ProcFile, type ProcReader } from "./proc-file.ts";
import type { Recorder } from "./recorder.ts";

const listEveryMs = 30_000;
/** Version 1 writes "no limit" as the largest number that fits; no machine has so much. */
const unlimitedBytes = 2 ** 60;

export function createCgroups(parts: { reader: ProcReader; sysRoot: string }): Probe {
  return new Cgroups(parts.reader, parts.sysRoot);
}

class Cgroups implements Probe {
  readonly name = "cgroups";
  readonly shedRank = 50;
  readonly periodMs = 5_000;
  readonly #reader: ProcReader;
  readonly #sysRoot: string;
  readonly #groups = new Map<string, Cgroup>();
  readonly #skippedColumn = gauge("causeway.agent.cgroups.skipped", "{cgroup}", 0);
  #roots: CgroupRoots | undefined;
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #skipped = 0;

  constructor(reader: ProcReader, sysRoot: string) {
    this.#reader = reader;
    this.#sysRoot = sysRoot;
  }

  read({ timeMs }: Tick, recorder: Recorder): ProbeReport | undefined {
    if (Math.abs(timeMs - this.#listedAtMs) >= listEveryMs) {
      this.#listedAtMs = timeMs;
      this.#roots = findCgroupRoots(this.#sysRoot);
      if (this.#roots !== undefined) this.#list(this.#roots);
    }
    if (this.#roots === undefined) return { absent: ["control groups (/sys/fs/cgroup)"] };
    for (const [name, group] of this.#groups) if (!group.tell(recorder)) this.#drop(name, group);
    this.#skippedColumn.set(recorder, this.#skipped);
    return undefined;
  }

  close(): void {
    for (const group of this.#groups.values()) group.close();
  }

  #list(roots: CgroupRoots): void {
    const root = roots.of.memory ?? roots.of.cpu ?? roots.of.cpuacct ?? roots.of.pids;
    const { paths, skipped } = listCgroups(root ?? "");
    this.#skipped = skipped;
    for (const [name, group] of this.#groups) if (paths.get(name) !== group.path) this.#drop(name, group);
    for (const [name, path] of paths) {
      if (!this.#groups.has(name)) this.#groups.set(name, new Cgroup(this.#reader, roots, name, path));
    }
  }

  #drop(name: string, group: Cgroup): void {
    group.close();
    this.#groups.delete(name);
  }
}

class Cgroup {
  readonly path: string;
  readonly #sources: CgroupSources;
  readonly #columns: CgroupColumns;

  constructor(reader: ProcReader, roots: CgroupRoots, name: string, path: string) {
    this.path = path;
    this.#columns = cgroupColumns(name);
    this.#sources = openSources(reader, roots, path);
  }

  /** False when nothing of the group can be read any more: it is gone. */
  tell(recorder: Recorder): boolean {
    const { cpu, throttled, cpuDivisor, oomKills, processes } = this.#sources;
    const columns = this.#columns;
    columns.cpu.set(recorder, cpu.read() / cpuDivisor);
    columns.throttled.set(recorder, throttled.read() / cpuDivisor);
    columns.oomKills.set(recorder, oomKills.read());
    columns.processes.set(recorder, processes.read());
    this.#tellMemory(recorder);
    return cpu.alive || processes.alive || this.#sources.memory.alive;
  }

  close(): void {
    const { cpu, throttled, memory, inactive, limit, oomKills, processes } = this.#sources;
    for (const source of [cpu, throttled, memory, inactive, limit, oomKills, processes]) source.close();
  }

  #tellMemory(recorder: Recorder): void {
    const { memory, inactive, limit } = this.#sources;
    const inactiveBytes = inactive.read();
    const usedBytes = Math.max(0, memory.read() - (Number.isNaN(inactiveBytes) ? 0 : inactiveBytes));
    const limitBytes = limit.read();
    this.#columns.memory.set(recorder, usedBytes);
    if (!(limitBytes > 0 && limitBytes < unlimitedBytes)) return;
    this.#columns.limit.set(recorder, limitBytes);
    this.#columns.utilization.set(recorder, usedBytes / limitBytes);
  }
}

interface CgroupSources {
  readonly cpu: NumberSource;
  readonly throttled: NumberSource;
  /** The CPU times' units in a second. */
  readonly cpuDivisor: number;
  readonly memory: NumberSource;
  readonly inactive: NumberSource;
  readonly limit: NumberSource;
  readonly oomKills: NumberSource;
  readonly processes: NumberSource;
}

function openSources(reader: ProcReader, { version, of }: CgroupRoots, path: string): CgroupSources {
  const open = (controller: Controller, file: string, key?: string): NumberSource => {
    const root = of[controller];
    return new NumberSource(reader, root === undefined ? undefined : `${root}${path}/${file}`, key);
  };
  const processes = open("pids", "pids.current");
  if (version === 2) {
    return {
      cpu: open("cpu", "cpu.stat", "usage_usec"),
      throttled: open("cpu", "cpu.stat", "throttled_usec"),
      cpuDivisor: 1e6,
      memory: open("memory", "memory.current"),
      inactive: open("memory", "memory.stat", "inactive_file"),
      limit: open("memory", "memory.max"),
      oomKills: open("memory", "memory.events", "oom_kill"),
      processes,
    };
  }
  return {
    cpu: open("cpuacct", "cpuacct.usage"),
    throttled: open("cpu", "cpu.stat", "throttled_time"),
    cpuDivisor: 1e9,
    memory: open("memory", "memory.usage_in_bytes"),
    inactive: open("memory", "memory.stat", "total_inactive_file"),
    limit: open("memory", "memory.limit_in_bytes"),
    oomKills: open("memory", "memory.oom_control", "oom_kill"),
    processes,
  };
}

/**
 * One number out of one file: the file's only one, or the one behind a key. NaN for good once the file is not there.
 */
class NumberSource {
  #file: ProcFile | undefined;
  readonly #lines: KeyedLines | undefined;

  constructor(reader: ProcReader, path: string | undefined, key: string | undefined) {
    this.#file = path === undefined ? undefined : new ProcFile(reader, path, { whole: false });
    this.#lines = key === undefined ? undefined : new KeyedLines([key]);
  }

  get alive(): boolean {
    return this.#file !== undefined;
  }

  read(): number {
    if (this.#file === undefined) return Number.NaN;
    try {
      const cursor = this.#file.read();
      return this.#lines === undefined ? cursor.number() : this.#lines.read(cursor)[0]!;
    } catch (error) {
      if (!isAbsent(error) && !isForbidden(error)) throw error;
      this.#file = undefined;
      return Number.NaN;
    }
  }

  close(): void {
    this.#file?.close();
  }
}

interface CgroupColumns {
  readonly cpu: Column;
  readonly throttled: Column;
  readonly memory: Column;
  readonly limit: Column;
  readonly utilization: Column;
  readonly oomKills: Column;
  readonly processes: Column;
}

function cgroupColumns(name: string): CgroupColumns {
  const labels = [["causeway.cgroup", name]] as const;
  return {
    cpu: counter("causeway.cgroup.cpu.time", "s", 3, labels),
    throttled: counter("causeway.cgroup.cpu.throttled.time", "s", 3, labels),
    memory: gauge("causeway.cgroup.memory.usage", "By", 0, labels),
    limit: gauge("causeway.cgroup.memory.limit", "By", 0, labels),
    utilization: gauge("causeway.cgroup.memory.utilization", "1", 4, labels),
    oomKills: counter("causeway.cgroup.oom_kills", "{kill}", 0, labels),
    processes: gauge("causeway.cgroup.process.count", "{process}", 0, labels),
  };
}
