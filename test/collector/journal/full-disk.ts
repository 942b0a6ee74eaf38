/** A disk that is full at will: SQLite's own limit on the file's size, which gives the error that a full disk gives. */
import { FrameLog } from "#shared/frame-log.ts";

export class FullDisk {
  #log: FrameLog | null = null;

  /** Runs `open` and remembers the log that it opens. */
  watch<T>(open: () => T): T {
    const original = FrameLog.open.bind(FrameLog);
    FrameLog.open = (options) => {
      this.#log = original(options);
      return this.#log;
    };
    try {
      return open();
    } finally {
      FrameLog.open = original;
    }
  }

  set(full: boolean): void {
    this.#log?.limitBytes(full ? this.#log.usedBytes() : 2 ** 40);
  }
}
