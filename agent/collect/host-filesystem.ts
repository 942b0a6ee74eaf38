/**
 * How full the filesystems are: which ones from mountinfo, how full from statfs(2).
 *
 * statfs waits for the filesystem, and one that hangs must hold up nothing: each call runs on Node's pool, the others
 * are told without it, and it is not asked again until it has come back. There are never more than two on their way:
 * Node's pool has four threads, and name resolution needs one. The mounts are those of process 1, since the agent's
 * own may be locked read-only by its unit. Use is what `df` shows: used / (used + available to users), so 100 % is
 * where services begin to fail.
 */
import { statfs, type StatsFs } from "node:fs";
import type { Clock } from "#shared/clock.ts";
import { counter, gauge, type Column, type LabelPairs } from "./column.ts";
import type { Cursor } from "./cursor.ts";
import { parseMounts, type Mount } from "./mounts.ts";
import type { Commit, Probe, ProbeReport, Tick } from "./probe.ts";
import { isForbidden, ProcFile, type ProcReader } from "./proc-file.ts";
import type { Recorder } from "./recorder.ts";

const lanesMax = 2;

/** What statfs(2) tells; `blocks` and the like in units of `bsize`. */
export type FilesystemStats = Pick<StatsFs, "bsize" | "blocks" | "bfree" | "bavail" | "files" | "ffree">;
export type StatFilesystem = (path: string) => Promise<FilesystemStats>;

export interface HostFilesystemParts {
  readonly clock: Clock;
  readonly reader: ProcReader;
  readonly procRoot: string;
  /** Where the host's root directory is seen: "/", or "/host/root" in a container. */
  readonly fsRoot: string;
  /** How long a reading waits for filesystems before it goes on without them. */
  readonly patienceMs: number;
  readonly stat?: StatFilesystem;
}

export function createHostFilesystem(parts: HostFilesystemParts): Probe {
  return new HostFilesystem(parts);
}

interface Filesystem {
  mount: Mount;
  readonly columns: FilesystemColumns;
  /** A call is on its way, perhaps since an earlier reading. */
  asking: boolean;
  /** What this reading brought. */
  answer: FilesystemStats | "waiting" | "failed";
}

class HostFilesystem implements Probe {
  readonly name = "host-filesystem";
  readonly shedRank = 20;
  readonly periodMs = 10_000;
  readonly #parts: HostFilesystemParts;
  readonly #stat: StatFilesystem;
  readonly #filesystems = new Map<string, Filesystem>();
  #mountFile: ProcFile;
  #lastMounts: Uint8Array | undefined;
  #skipped = 0;
  #hung = 0;
  /** Calls on their way. */
  #inFlight = 0;
  #notPermitted = new Set<string>();

  readonly #skippedColumn = gauge("causeway.agent.filesystems.skipped", "{filesystem}", 0);
  readonly #hungColumn = counter("causeway.agent.filesystems.hung", "{reading}", 0);

  constructor(parts: HostFilesystemParts) {
    this.#parts = parts;
    this.#stat = parts.stat ?? statFilesystem;
    this.#mountFile = new ProcFile(parts.reader, `${parts.procRoot}/1/mountinfo`);
  }

  async read(_tick: Tick, recorder: Recorder): Promise<Commit> {
    this.#readMounts();
    for (const filesystem of this.#filesystems.values()) filesystem.answer = "waiting";
    const queue = [...this.#filesystems.values()].filter(({ asking }) => !asking);
    const lanes = Array.from({ length: lanesMax - this.#inFlight }, () => this.#drain(queue));
    await this.#patiently(lanes);
    queue.length = 0;
    return () => this.#tell(recorder);
  }

  close(): void {
    this.#mountFile.close();
  }

  #readMounts(): void {
    const cursor = this.#openMounts();
    if (this.#lastMounts !== undefined && cursor.equals(this.#lastMounts, 0, cursor.end)) return;
    this.#lastMounts = cursor.copy(0, cursor.end);
    const { kept, skipped } = parseMounts(cursor.text(0, cursor.end));
    this.#skipped = skipped;
    const paths = new Set(kept.map(({ mountpoint }) => mountpoint));
    for (const path of this.#filesystems.keys()) if (!paths.has(path)) this.#filesystems.delete(path);
    for (const mount of kept) {
      const known = this.#filesystems.get(mount.mountpoint);
      if (known?.mount.device === mount.device && known.mount.type === mount.type) known.mount = mount;
      else this.#filesystems.set(mount.mountpoint, newFilesystem(mount));
    }
  }

  #openMounts(): Cursor {
    try {
      return this.#mountFile.read();
    } catch (error) {
      const own = `${this.#parts.procRoot}/self/mountinfo`;
      if (this.#mountFile.path === own) throw error;
      if (isForbidden(error))
        this.#notPermitted.add(`${this.#mountFile.path} (the agent's own mounts are told)`);
      this.#mountFile = new ProcFile(this.#parts.reader, own);
      return this.#mountFile.read();
    }
  }

  /** One lane: asks one filesystem after the other. A lane that hangs is lost until the call comes back. */
  async #drain(queue: Filesystem[]): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.#ask(next);
  }

  async #ask(filesystem: Filesystem): Promise<void> {
    const { fsRoot } = this.#parts;
    const { mountpoint } = filesystem.mount;
    filesystem.asking = true;
    this.#inFlight += 1;
    try {
      filesystem.answer = await this.#stat(fsRoot === "/" ? mountpoint : fsRoot + mountpoint);
    } catch (error) {
      // Unmounted a moment ago, or not ours to see: this one has no value, the others have theirs.
      filesystem.answer = "failed";
      if (isForbidden(error)) this.#notPermitted.add(`how full ${mountpoint} is (statfs)`);
    } finally {
      filesystem.asking = false;
      this.#inFlight -= 1;
    }
  }

  async #patiently(waits: readonly Promise<void>[]): Promise<void> {
    const enough = Promise.withResolvers<void>();
    const timer = this.#parts.clock.after(this.#parts.patienceMs, enough.resolve, { keepAlive: true });
    await Promise.race([Promise.all(waits), enough.promise]);
    timer.cancel();
  }

  #tell(recorder: Recorder): ProbeReport | undefined {
    for (const { answer, mount, columns } of this.#filesystems.values()) {
      columns.readOnly.set(recorder, mount.readOnly ? 1 : 0);
      if (answer === "waiting") this.#hung += 1;
      else if (answer !== "failed") tellStats(columns, answer, recorder);
    }
    this.#skippedColumn.set(recorder, this.#skipped);
    this.#hungColumn.set(recorder, this.#hung);
    if (this.#notPermitted.size === 0) return undefined;
    const notPermitted = [...this.#notPermitted];
    this.#notPermitted.clear();
    return { notPermitted };
  }
}

function statFilesystem(path: string): Promise<FilesystemStats> {
  return new Promise((resolve, reject) => {
    statfs(path, (error, stats) => (error === null ? resolve(stats) : reject(error)));
  });
}

function newFilesystem(mount: Mount): Filesystem {
  return { mount, columns: filesystemColumns(mount), asking: false, answer: "waiting" };
}

interface FilesystemColumns {
  readonly used: Column;
  readonly free: Column;
  readonly reserved: Column;
  readonly limit: Column;
  readonly utilization: Column;
  readonly inodes: Column;
  readonly readOnly: Column;
}

function filesystemColumns({ mountpoint, device, type }: Mount): FilesystemColumns {
  const labels: LabelPairs = [
    ["system.filesystem.mountpoint", mountpoint],
    ["system.device", device],
    ["system.filesystem.type", type],
  ];
  const usage = (state: string) =>
    gauge("system.filesystem.usage", "By", 0, [...labels, ["system.filesystem.state", state]]);
  return {
    used: usage("used"),
    free: usage("free"),
    reserved: usage("reserved"),
    limit: gauge("system.filesystem.limit", "By", 0, labels),
    utilization: gauge("system.filesystem.utilization", "1", 4, labels),
    inodes: gauge("system.filesystem.inodes.utilization", "1", 4, labels),
    readOnly: gauge("system.filesystem.read_only", "1", 0, labels),
  };
}

function tellStats(columns: FilesystemColumns, stats: FilesystemStats, recorder: Recorder): void {
  const { bsize, blocks, bfree, bavail, files, ffree } = stats;
  const used = blocks - bfree;
  columns.used.set(recorder, used * bsize);
  columns.free.set(recorder, bavail * bsize);
  columns.reserved.set(recorder, (bfree - bavail) * bsize);
  columns.limit.set(recorder, blocks * bsize);
  if (used + bavail > 0) columns.utilization.set(recorder, used / (used + bavail));
  // Filesystems that make inodes as they go (btrfs) tell 0 of them.
  if (files > 0) columns.inodes.set(recorder, 1 - ffree / files);
}
