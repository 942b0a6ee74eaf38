/**
 * What Node does not tell of the running kernel: the page size, the ticks per second of /proc's CPU times, how many
 * files may be open.
 *
 * The first two stand in the auxiliary vector that the kernel gives every process: pairs of 64-bit words, type and
 * value, ended by type 0 (getauxval(3)). Pages are 4 KiB on x86-64, up to 64 KiB on arm64: a wrong guess would be
 * wrong by 16 times.
 */
import { readFileSync } from "node:fs";

export interface Kernel {
  readonly pageBytes: number;
  readonly ticksPerSecond: number;
}

const pageSizeType = 6n;
const clockTicksType = 17n;

/** Pure. What is absent keeps the usual value: 4,096 bytes, 100 ticks a second. */
export function parseAuxv(bytes: Uint8Array): Kernel {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let pageBytes = 4096;
  let ticksPerSecond = 100;
  for (let at = 0; at + 16 <= bytes.byteLength; at += 16) {
    const type = words.getBigUint64(at, true);
    const value = Number(words.getBigUint64(at + 8, true));
    if (type === 0n) break;
    if (type === pageSizeType) pageBytes = value;
    if (type === clockTicksType) ticksPerSecond = value;
  }
  return { pageBytes, ticksPerSecond };
}

/** Never throws: where the vector cannot be read, the usual values hold. */
export function readKernel(procRoot: string): Kernel {
  try {
    return parseAuxv(readFileSync(`${procRoot}/self/auxv`));
  } catch {
    return parseAuxv(new Uint8Array());
  }
}

/** Half of the files that this process may have open: 512 where nobody raised the limit, and unknown counts as that. */
export function filesToKeepOpen(procRoot: string): number {
  try {
    const limits = readFileSync(`${procRoot}/self/limits`, "utf8");
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? 512 : Math.min(8192, Math.floor(Number(soft) / 2));
  } catch {
    return 512;
  }
}
