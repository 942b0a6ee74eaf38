/**
 * A host to probe: a copy of `test/fixtures/proc/host` (bytes that a Linux 6.18 kernel printed) in a directory of its
 * own, with processes that tests add, change and end; and a recorder whose last tick can be asked for a value by the
 * series' spelling.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Cursor } from "#agent/collect/cursor.ts";
import type { Probe, ProbeReport } from "#agent/collect/probe.ts";
import { Recorder } from "#agent/collect/recorder.ts";
import { seriesId, type Series } from "#shared/series.ts";

const fixtures = fileURLToPath(new URL("../../fixtures/proc/", import.meta.url));

export function fixture(name: string): string {
  return join(fixtures, name);
}

/** The bytes of a fixture, ready to be parsed. */
export function cursorOver(name: string): Cursor {
  return new Cursor(readFileSync(fixture(name)));
}

export function cursorOf(text: string): Cursor {
  return new Cursor(Buffer.from(text));
}

export interface ProcessOptions {
  readonly comm?: string;
  readonly cgroup?: string;
  readonly state?: string;
  readonly parent?: number;
  readonly userTicks?: number;
  readonly systemTicks?: number;
  readonly rssPages?: number;
  readonly startTicks?: number;
  readonly kernelThread?: boolean;
  readonly readBytes?: number;
  readonly writeBytes?: number;
  readonly sockets?: readonly number[];
}

export class HostTree {
  readonly procRoot: string;

  constructor(t: TestContext) {
    this.procRoot = mkdtempSync(join(tmpdir(), "causeway-proc-"));
    cpSync(fixture("host"), this.procRoot, { recursive: true });
    t.after(() => rmSync(this.procRoot, { recursive: true, force: true }));
  }

  /** Writes in place, as the kernel does: descriptors that are open see the new content. */
  write(path: string, content: string): void {
    writeFileSync(join(this.procRoot, path), content);
  }

  read(path: string): string {
    return readFileSync(join(this.procRoot, path), "utf8");
  }

  remove(path: string): void {
    rmSync(join(this.procRoot, path), { recursive: true, force: true });
  }

  /** Makes the process, or changes it. */
  process(pid: number, options: ProcessOptions = {}): void {
    const { comm = "app", cgroup = "0::/", state = "S", userTicks = 0, systemTicks = 0 } = options;
    const { rssPages = 100, startTicks = 1000 + pid, kernelThread = false, parent = 1 } = options;
    const directory = join(this.procRoot, String(pid));
    mkdirSync(join(directory, "fd"), { recursive: true });
    const flags = kernelThread ? 2_129_984 : 4_194_304;
    const end = "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0";
    writeFileSync(
      join(directory, "stat"),
      `${pid} (${comm}) ${state} ${parent} 1 1 0 -1 ${flags} 81 0 0 0 ${userTicks} ${systemTicks} 0 0 20 0 1 0 ${startTicks} 2449408 ${rssPages} ${end}\n`,
    );
    writeFileSync(join(directory, "cgroup"), `${cgroup}\n`);
    const { readBytes = 0, writeBytes = 0, sockets = [] } = options;
    writeFileSync(
      join(directory, "io"),
      `rchar: 6976\nwchar: 0\nsyscr: 10\nsyscw: 0\nread_bytes: ${readBytes}\nwrite_bytes: ${writeBytes}\ncancelled_write_bytes: 0\n`,
    );
    for (const [index, inode] of sockets.entries()) {
      rmSync(join(directory, "fd", String(index + 3)), { force: true });
      symlinkSync(`socket:[${inode}]`, join(directory, "fd", String(index + 3)));
    }
  }
}

/** Asks a probe tick by tick and keeps what it told. */
export class Reading {
  readonly recorder = new Recorder();
  report: ProbeReport | undefined;
  readonly #values = new Map<string, number>();
  #timeMs = 1_700_000_000_000;
  #first = true;

  /** One tick, `elapsedMs` after the last one. */
  async tick(probe: Probe, elapsedMs = 10_000): Promise<this> {
    this.#timeMs += elapsedMs;
    const answer = probe.read(
      { timeMs: this.#timeMs, elapsedMs: this.#first ? 0 : elapsedMs },
      this.recorder,
    );
    this.#first = false;
    this.report = answer instanceof Promise ? (await answer)() : answer;
    this.endTick();
    return this;
  }

  /** Takes over what was written, and clears it for the next tick. */
  endTick(): void {
    this.#values.clear();
    for (const { column, series } of this.recorder.definitions()) {
      const value = this.recorder.values[column] ?? Number.NaN;
      if (!Number.isNaN(value)) this.#values.set(seriesId(series), value);
    }
    this.recorder.endTick();
  }

  /** The value of the series at the last tick; undefined if it had none. */
  value(id: string): number | undefined {
    return this.#values.get(id);
  }

  /** The same, for the series itself. */
  valueOf(series: Series): number | undefined {
    return this.#values.get(seriesId(series));
  }

  /** The series that had a value at the last tick. */
  ids(prefix = ""): string[] {
    return [...this.#values.keys()].filter((id) => id.startsWith(prefix)).sort();
  }
}
