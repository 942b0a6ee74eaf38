/**
 * Pressure stall information: how long tasks waited for CPU, memory or disk, from /proc/pressure (Linux 4.20, PSI).
 *
 * The best single sign of saturation that Linux has: it counts waiting, not use. `some` is time in which at least one
 * task waited, `full` time in which all did. Totals are microseconds; milliseconds are told, to keep the wire small.
 * Kernels without it (older, or booted with psi=0) are told once and are no error.
 */
import { counter, type Column } from "./column.ts";
import type { Cursor } from "./cursor.ts";
import type { Probe, ProbeReport, Tick } from "./probe.ts";
import { errorCode, isAbsent, ProcFile, type ProcReader } from "./proc-file.ts";
import type { Recorder } from "./recorder.ts";

const resources = ["cpu", "memory", "io"] as const;
const encoder = new TextEncoder();
const some = encoder.encode("some");
const full = encoder.encode("full");
const total = encoder.encode("total=");

/** Microseconds; NaN for a line that is absent (the CPU's `full` came with Linux 5.13). */
export interface Stall {
  some: number;
  full: number;
}

/** Pure. */
export function parsePressure(cursor: Cursor, stall: Stall): void {
  stall.some = Number.NaN;
  stall.full = Number.NaN;
  for (; !cursor.done; cursor.nextLine()) {
    if (cursor.startsWith(some)) stall.some = totalOf(cursor);
    else if (cursor.startsWith(full)) stall.full = totalOf(cursor);
  }
}

function totalOf(cursor: Cursor): number {
  while (cursor.word()) {
    if (!cursor.equals(total, cursor.wordStart, cursor.wordStart + total.length)) continue;
    cursor.at = cursor.wordStart + total.length;
    return cursor.number();
  }
  return Number.NaN;
}

export function createPressure(parts: { reader: ProcReader; procRoot: string }): Probe {
  return new Pressure(parts.reader, parts.procRoot);
}

interface Source {
  readonly file: ProcFile;
  readonly some: Column;
  readonly full: Column;
}

class Pressure implements Probe {
  readonly name = "pressure";
  readonly shedRank = 0;
  readonly #stall: Stall = { some: Number.NaN, full: Number.NaN };
  #sources: readonly Source[];

  constructor(reader: ProcReader, procRoot: string) {
    this.#sources = resources.map((resource) => ({
      file: new ProcFile(reader, `${procRoot}/pressure/${resource}`, { whole: false }),
      some: stallTime(resource, "some"),
      full: stallTime(resource, "full"),
    }));
  }

  read(_tick: Tick, recorder: Recorder): ProbeReport | undefined {
    try {
      for (const source of this.#sources) this.#tell(source, recorder);
      return undefined;
    } catch (error) {
      // EOPNOTSUPP: the kernel has it, and it was switched off at boot.
      if (!isAbsent(error) && errorCode(error) !== "EOPNOTSUPP") throw error;
      this.#sources = [];
      return { absent: ["pressure stall information (/proc/pressure)"] };
    }
  }

  close(): void {
    for (const { file } of this.#sources) file.close();
  }

  #tell(source: Source, recorder: Recorder): void {
    parsePressure(source.file.read(), this.#stall);
    // Whole milliseconds, rounded down as every counter is.
    source.some.set(recorder, Math.floor(this.#stall.some / 1000) / 1000);
    source.full.set(recorder, Math.floor(this.#stall.full / 1000) / 1000);
  }
}

const stallTime = (resource: string, type: string) =>
  counter("system.pressure.stall.time", "s", 3, [
    ["causeway.pressure.resource", resource],
    ["causeway.pressure.type", type],
  ]);
