/**
 * A little space kept back on the disk. SQLite needs room even to delete, so a disk that is full to the last byte would keep
 * acknowledged segments for ever, and with them no room for new frames. Given up when the disk is full, held again later.
 */
import fs from "node:fs";

const chunkBytes = 64 * 1024;
const chunks = 16;

export class Reserve {
  readonly #path: string | null;
  #held = false;

  /** `path` is the spool's file. */
  constructor(path: string) {
    this.#path = path === ":memory:" ? null : `${path}.reserve`;
    this.#held = this.#path !== null && fs.existsSync(this.#path);
  }

  /** Does nothing when it is held already, or when the disk has no room for it. */
  hold(): void {
    if (this.#path === null || this.#held) return;
    const chunk = new Uint8Array(chunkBytes);
    try {
      fs.writeFileSync(this.#path, "");
      for (let written = 0; written < chunks; written += 1) fs.appendFileSync(this.#path, chunk);
      this.#held = true;
    } catch {
      this.release();
    }
  }

  release(): void {
    if (this.#path === null) return;
    this.#held = false;
    try {
      fs.rmSync(this.#path, { force: true });
    } catch {
      // A file system that does not even take this has worse troubles, and the spool tells them.
    }
  }
}
