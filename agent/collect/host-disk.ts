/**
 * Disks from /proc/diskstats (Documentation/admin-guide/iostats.rst): bytes, operations, time.
 *
 * Whole disks only: a partition's work is its disk's work, and counting both would count twice. What has an entry in
 * /sys/block is whole. loop, ram and zram devices are left out until they have done something. Sectors are 512 bytes
 * here, whatever the disk's own sector is. At most 64 disks.
 */
import { existsSync } from "node:fs";
import { counter, type Column, type LabelPairs } from "./column.ts";
import type { Cursor } from "./cursor.ts";
import type { Probe, Tick } from "./probe.ts";
import { ProcFile, type ProcReader } from "./proc-file.ts";
import type { Recorder } from "./recorder.ts";
import { Rows } from "./rows.ts";

const sectorBytes = 512;
/** Devices looked at, partitions included; 64 disks with 16 partitions each. */
const devicesMax = 1024;
const disksMax = 64;
const quietUntilUsed = /^(loop|ram|zram)\d+$/;

/** What stands behind the name, in the order of the file; times in milliseconds. */
const field = {
  reads: 0,
  readsMerged: 1,
  readSectors: 2,
  readMs: 3,
  writes: 4,
  writesMerged: 5,
  writtenSectors: 6,
  writeMs: 7,
  ioMs: 9,
} as const;

export function createHostDisk(parts: { reader: ProcReader; procRoot: string; sysRoot: string }): Probe {
  return new HostDisk(parts);
}

interface Disk {
  readonly whole: boolean;
  readonly quietUntilUsed: boolean;
  readonly name: string;
  /** Made when it is told for the first time. */
  columns: DiskColumns | undefined;
}

class HostDisk implements Probe {
  readonly name = "host-disk";
  readonly shedRank = 0;
  readonly #file: ProcFile;
  readonly #devices: Rows<Disk>;
  readonly #fields = new Float64Array(11);
  #disks = 0;

  constructor({ reader, procRoot, sysRoot }: { reader: ProcReader; procRoot: string; sysRoot: string }) {
    this.#file = new ProcFile(reader, `${procRoot}/diskstats`, { whole: true, recordBytesMax: 512 });
    this.#devices = new Rows((name) => {
      // In /sys a slash of the name is written "!": cciss/c0d0 is cciss!c0d0.
      const whole = existsSync(`${sysRoot}/block/${name.replaceAll("/", "!")}`);
      return { whole, quietUntilUsed: quietUntilUsed.test(name), name, columns: undefined };
    }, devicesMax);
  }

  read(_tick: Tick, recorder: Recorder): undefined {
    const cursor = this.#file.read();
    for (let index = 0; !cursor.done; index += 1, cursor.nextLine()) {
      cursor.skipWords(2);
      if (!cursor.word()) continue;
      const disk = this.#devices.at(index, cursor, cursor.wordStart, cursor.wordEnd);
      if (disk === undefined || !disk.whole) continue;
      parseFields(cursor, this.#fields);
      const used = this.#fields[field.reads]! + this.#fields[field.writes]! > 0;
      if (disk.columns === undefined && ((disk.quietUntilUsed && !used) || this.#disks >= disksMax)) continue;
      if (disk.columns === undefined) this.#disks += 1;
      disk.columns ??= diskColumns(disk.name);
      tell(disk.columns, this.#fields, recorder);
    }
  }

  close(): void {
    this.#file.close();
  }
}

/** Pure: the numbers of one line behind the device's name. */
export function parseFields(cursor: Cursor, fields: Float64Array): void {
  for (let index = 0; index < fields.length; index += 1) fields[index] = cursor.number();
}

interface Direction {
  readonly io: Column;
  readonly operations: Column;
  readonly operationTime: Column;
  readonly merged: Column;
}

interface DiskColumns {
  readonly read: Direction;
  readonly write: Direction;
  readonly ioTime: Column;
}

function diskColumns(name: string): DiskColumns {
  const device = ["system.device", name] as const;
  const direction = (word: string): Direction => {
    const labels: LabelPairs = [device, ["disk.io.direction", word]];
    return {
      io: counter("system.disk.io", "By", 0, labels),
      operations: counter("system.disk.operations", "{operation}", 0, labels),
      operationTime: counter("system.disk.operation_time", "s", 3, labels),
      merged: counter("system.disk.merged", "{operation}", 0, labels),
    };
  };
  return {
    read: direction("read"),
    write: direction("write"),
    ioTime: counter("system.disk.io_time", "s", 3, [device]),
  };
}

function tell({ read, write, ioTime }: DiskColumns, fields: Float64Array, recorder: Recorder): void {
  read.operations.set(recorder, fields[field.reads]!);
  read.merged.set(recorder, fields[field.readsMerged]!);
  read.io.set(recorder, fields[field.readSectors]! * sectorBytes);
  read.operationTime.set(recorder, fields[field.readMs]! / 1000);
  write.operations.set(recorder, fields[field.writes]!);
  write.merged.set(recorder, fields[field.writesMerged]!);
  write.io.set(recorder, fields[field.writtenSectors]! * sectorBytes);
  write.operationTime.set(recorder, fields[field.writeMs]! / 1000);
  ioTime.set(recorder, fields[field.ioMs]! / 1000);
}
