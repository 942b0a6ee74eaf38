/**
 * Files of /proc and /sys, kept open and read again at offset 0 into one buffer that all probes share.
 *
 * Opening costs as much as reading, and a new buffer per read costs a garbage collection now and then: together they
 * are three quarters of a naive agent's CPU. The kernel makes the content anew at every read from offset 0. Limits: a
 * file is read to its end up to `fileBytesMax`; beyond it the read fails, so that half a table is never taken for
 * all.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { Cursor } from "./cursor.ts";

/** 100,000 TCP sockets are 15 MB of text; a longer file is not read half. */
const fileBytesMax = 16 * 1024 * 1024;

/** The kernel hands long files over in pieces of a page, as many whole records as fit. Pages are 4 KiB or larger. */
const pieceBytes = 4096;

export interface ReadOptions {
  /** False for files that the kernel hands over in one piece (all of /proc/<pid>/*, /proc/stat): one call is enough. */
  readonly whole: boolean;
  /**
   * No record (line) is longer. A piece with room for another record is then the last one, and the call that only
   * says "end" is saved: for /proc/net/tcp that call costs as much as all others together, since the kernel walks the
   * whole table again for it.
   */
  readonly recordBytesMax?: number;
  /** False for a file whose being open holds something else: a network namespace lives as long as a file of it is open. */
  readonly keepOpen?: boolean;
}

/** The shared buffer. What one read returned is valid until the next read through the same reader. */
export class ProcReader {
  /** Files that are kept open, over all probes. */
  keptOpen = 0;
  readonly #keptOpenMax: number;
  readonly #cursor = new Cursor(Buffer.allocUnsafeSlow(32 * 1024), 0);

  /**
   * `keptOpenMax`: beyond it files are opened and closed at each reading, so that the agent's own sockets find a
   * descriptor.
   */
  constructor(keptOpenMax = 4096) {
    this.#keptOpenMax = keptOpenMax;
  }

  get mayKeepOpen(): boolean {
    return this.keptOpen < this.#keptOpenMax;
  }

  /** All of what `fd` holds, from its start. Throws what `fs.readSync` throws. */
  read(fd: number, { whole, recordBytesMax }: ReadOptions): Cursor {
    const lastBelow = recordBytesMax === undefined ? 1 : pieceBytes - recordBytesMax;
    let bytes = this.#cursor.bytes;
    let length = 0;
    for (;;) {
      const count = readSync(fd, bytes, length, bytes.length - length, length);
      length += count;
      if (length === bytes.length) bytes = this.#grow(length);
      else if (!whole || count < lastBelow) return this.#cursor.load(bytes, length);
    }
  }

  #grow(length: number): Uint8Array {
    if (length >= fileBytesMax) throw new Error(`file is longer than ${fileBytesMax} bytes: not read`);
    const bytes = Buffer.allocUnsafeSlow(length * 2);
    bytes.set(this.#cursor.bytes);
    this.#cursor.load(bytes, 0);
    return bytes;
  }
}

/** One file, opened at its first read and kept open until it fails or is closed. */
export class ProcFile {
  readonly path: string;
  readonly #reader: ProcReader;
  readonly #options: ReadOptions;
  #fd = -1;
  #kept = false;

  constructor(reader: ProcReader, path: string, options: ReadOptions = { whole: true }) {
    this.#reader = reader;
    this.path = path;
    this.#options = options;
  }

  /** Throws an Error that names the path, its `cause` the system's error; the next read opens the file again. */
  read(): Cursor {
    try {
      if (this.#fd < 0) this.#open();
      const cursor = this.#reader.read(this.#fd, this.#options);
      if (!this.#kept) this.close();
      return cursor;
    } catch (cause) {
      this.close();
      throw new Error(`cannot read ${this.path}`, { cause });
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    if (this.#kept) this.#reader.keptOpen -= 1;
    this.#fd = -1;
    this.#kept = false;
  }

  #open(): void {
    this.#fd = openSync(this.path, "r");
    this.#kept = this.#options.keepOpen !== false && this.#reader.mayKeepOpen;
    if (this.#kept) this.#reader.keptOpen += 1;
  }
}

/** The system's word for what went wrong ("ENOENT", "EACCES"), of the error or of its cause; "" if there is none. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const code = (error as NodeJS.ErrnoException).code;
  return code ?? (error.cause === undefined ? "" : errorCode(error.cause));
}

/** The file, process or device is not there, or not any more. */
export function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ESRCH" || code === "ENODEV" || code === "ENOTDIR";
}

export function isForbidden(error: unknown): boolean {
  const code = errorCode(error);
  return code === "EACCES" || code === "EPERM";
}
