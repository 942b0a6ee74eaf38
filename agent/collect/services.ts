/**
 * What each service of the host uses: the sum over its processes, kept so that a counter never falls when one of them
 * ends.
 *
 * A service is a systemd unit, a container or a program (`service-name.ts`); kernel threads are one service,
 * `kernel`. Differences are added up process by process: the sum of what the living ever used would fall with every
 * exit. Small services are told together as `other`: below 1 % of a core and 16 MB, without a listening port. One
 * that is small again stays by itself for 30 passes. At most 64 are told by themselves. What a process used between
 * the last pass and its end is not seen; control groups (`cgroups.ts`) have the exact figures.
 */
import { counter, gauge, type Column } from "./column.ts";
import type { Kernel } from "./kernel.ts";
import type { Process } from "./process-table.ts";
import type { Recorder } from "./recorder.ts";
import { serviceOf, type ServiceIdentity } from "./service-name.ts";

const toldMax = 64;
const smallCpuShare = 0.01;
const smallBytes = 16 * 1024 * 1024;
const smallPasses = 30;
/** Passes for which a service without a process is told with 0 processes: "stopped" is a value, not only an absence. */
const emptyPasses = 30;

const kernelService: ServiceIdentity = { name: "kernel", source: "executable" };

interface Service {
  readonly identity: ServiceIdentity;
  /** Of this pass. */
  cpuTicks: number;
  rssPages: number;
  readBytes: number;
  writeBytes: number;
  /** The disk I/O of at least one of its processes may be read. */
  ioKnown: boolean;
  processes: number;
  told: Told | undefined;
  smallPasses: number;
  emptyPasses: number;
}

export class Services {
  readonly #kernel: Kernel;
  readonly #byName = new Map<string, Service>();
  readonly #byPid = new Map<number, Service>();
  readonly #other = new Told("other", "");
  #listening: ReadonlySet<string> = new Set();
  #told = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** The name of the service that process `pid` belongs to, if it was seen at the last pass. */
  nameOf(pid: number): string | undefined {
    return this.#byPid.get(pid)?.identity.name;
  }

  /** Every process seen at the last pass, kernel threads left out. */
  *pids(): Generator<number> {
    for (const [pid, { identity }] of this.#byPid) if (identity !== kernelService) yield pid;
  }

  /** Services with a listening port are never small. */
  setListening(names: ReadonlySet<string>): void {
    this.#listening = names;
  }

  forget(pid: number): void {
    this.#byPid.delete(pid);
  }

  /** Sums up one pass and tells it. `elapsedMs`: since the last pass, 0 at the first. */
  add(processes: Iterable<Process>, elapsedMs: number, recorder: Recorder): void {
    for (const service of this.#byName.values()) clear(service);
    for (const process of processes) this.#addProcess(process);
    this.#other.beginPass();
    for (const service of this.#byName.values()) this.#tell(service, elapsedMs, recorder);
    this.#other.tell(recorder, this.#kernel);
  }

  #addProcess(process: Process): void {
    let service = this.#byPid.get(process.pid);
    if (service === undefined || process.renamed) {
      service = this.#serviceOf(process);
      this.#byPid.set(process.pid, service);
    }
    service.cpuTicks += process.cpuTicksDelta;
    service.rssPages += process.rssPages;
    service.readBytes += process.readDelta;
    service.writeBytes += process.writeDelta;
    if (!Number.isNaN(process.readBytes)) service.ioKnown = true;
    service.processes += 1;
  }

  #serviceOf(process: Process): Service {
    const identity = process.kernelThread ? kernelService : serviceOf(process.cgroup, process.executable);
    let service = this.#byName.get(identity.name);
    if (service === undefined) {
      service = newService(identity);
      this.#byName.set(identity.name, service);
    }
    return service;
  }

  #tell(service: Service, elapsedMs: number, recorder: Recorder): void {
    service.emptyPasses = service.processes === 0 ? service.emptyPasses + 1 : 0;
    this.#decide(service, elapsedMs);
    const told = service.told ?? this.#other;
    if (service.told !== undefined) told.beginPass();
    told.add(service);
    if (service.told !== undefined) told.tell(recorder, this.#kernel);
    if (service.emptyPasses >= emptyPasses) this.#drop(service);
  }

  #decide(service: Service, elapsedMs: number): void {
    const { ticksPerSecond, pageBytes } = this.#kernel;
    const cores = elapsedMs > 0 ? (service.cpuTicks / ticksPerSecond / elapsedMs) * 1000 : 0;
    const large =
      cores >= smallCpuShare ||
      service.rssPages * pageBytes >= smallBytes ||
      service.identity === kernelService ||
      this.#listening.has(service.identity.name);
    service.smallPasses = large ? 0 : service.smallPasses + 1;
    if (large && service.told === undefined && this.#makeRoom()) {
      service.told = new Told(service.identity.name, service.identity.source);
      this.#told += 1;
    } else if (service.smallPasses >= smallPasses && service.emptyPasses === 0) this.#fold(service);
  }

  /** True if one more may be told by itself, perhaps in the place of one that has become small. */
  #makeRoom(): boolean {
    if (this.#told < toldMax) return true;
    let smallest: Service | undefined;
    for (const service of this.#byName.values()) {
      if (service.told === undefined || service.smallPasses === 0) continue;
      if (smallest === undefined || service.smallPasses > smallest.smallPasses) smallest = service;
    }
    if (smallest !== undefined) this.#fold(smallest);
    return smallest !== undefined;
  }

  #fold(service: Service): void {
    if (service.told !== undefined) this.#told -= 1;
    service.told = undefined;
  }

  #drop(service: Service): void {
    this.#fold(service);
    this.#byName.delete(service.identity.name);
  }
}

function newService(identity: ServiceIdentity): Service {
  return {
    identity,
    cpuTicks: 0,
    rssPages: 0,
    readBytes: 0,
    writeBytes: 0,
    ioKnown: false,
    processes: 0,
    told: undefined,
    smallPasses: 0,
    emptyPasses: 0,
  };
}

function clear(service: Service): void {
  service.cpuTicks = 0;
  service.rssPages = 0;
  service.readBytes = 0;
  service.writeBytes = 0;
  service.processes = 0;
}

/** The series of one service, or of all small ones together. Counters begin at 0 and only grow. */
class Told {
  #cpuTicks = 0;
  #readBytes = 0;
  #writeBytes = 0;
  #rssPages = 0;
  #ioKnown = false;
  #processes = 0;
  readonly #cpu: Column;
  readonly #memory: Column;
  readonly #read: Column;
  readonly #write: Column;
  readonly #count: Column;

  constructor(name: string, source: string) {
    const labels = [
      ["service.name", name],
      ["causeway.service.source", source],
    ] as const;
    const io = (direction: string) =>
      counter("causeway.service.disk.io", "By", 0, [...labels, ["disk.io.direction", direction]]);
    this.#cpu = counter("causeway.service.cpu.time", "s", 2, labels);
    this.#memory = gauge("causeway.service.memory.usage", "By", 0, labels);
    this.#read = io("read");
    this.#write = io("write");
    this.#count = gauge("causeway.service.process.count", "{process}", 0, labels);
  }

  /** What is a state, not a total, begins anew. */
  beginPass(): void {
    this.#rssPages = 0;
    this.#processes = 0;
  }

  add(service: Service): void {
    this.#cpuTicks += service.cpuTicks;
    this.#readBytes += service.readBytes;
    this.#writeBytes += service.writeBytes;
    this.#ioKnown ||= service.ioKnown;
    this.#rssPages += service.rssPages;
    this.#processes += service.processes;
  }

  tell(recorder: Recorder, kernel: Kernel): void {
    this.#cpu.set(recorder, this.#cpuTicks / kernel.ticksPerSecond);
    this.#memory.set(recorder, this.#rssPages * kernel.pageBytes);
    this.#count.set(recorder, this.#processes);
    // A 0 would be a lie where nothing could be read.
    if (!this.#ioKnown) return;
    this.#read.set(recorder, this.#readBytes);
    this.#write.set(recorder, this.#writeBytes);
  }
}
