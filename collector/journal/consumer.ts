/**
 * One reader of the journal: first what is stored, page by page, then what is committed, as it comes.
 *
 * The step from stored to live is one synchronous moment: an empty page means that nothing is stored beyond the cursor, and
 * no commit can come between seeing that and going live. Once live it stays so; a slow handler lets `waitingBytes` grow, and
 * the doors hold back by it.
 */
import type { Consumption, JournalRecord } from "./journal.ts";

/** Entries handed to a handler that never waits, before other work gets its turn. */
const turnEntries = 256;

export class Consumer implements Consumption {
  readonly caughtUp: Promise<void>;
  readonly done: Promise<void>;
  #position: number;
  #waitingBytes = 0;
  #live = false;
  #stopped = false;
  #queue: JournalRecord[] = [];
  #wake: (() => void) | null = null;
  readonly #caughtUp = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<void>();
  readonly #handler: (record: JournalRecord) => void | Promise<void>;
  readonly #page: (after: number) => JournalRecord[];
  readonly #ended: () => void;

  constructor(options: {
    position: number;
    handler: (record: JournalRecord) => void | Promise<void>;
    /** The next stored entries after a position; [] when there are none. */
    page: (after: number) => JournalRecord[];
    ended: () => void;
  }) {
    this.#position = options.position;
    this.#handler = options.handler;
    this.#page = options.page;
    this.#ended = options.ended;
    this.caughtUp = this.#caughtUp.promise;
    this.done = this.#done.promise;
    // Whoever waits for one of them hears it; the other must not end the process.
    this.caughtUp.catch(() => {});
    this.done.catch(() => {});
  }

  /** The last entry that the handler has returned for. */
  get position(): number {
    return this.#position;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  start(): void {
    this.#run().then(
      () => this.#end(),
      (error: unknown) => this.#end(error),
    );
  }

  /** A new entry is durable. Ignored while the stored ones are still being read: it will be among them. */
  offer(record: JournalRecord): void {
    if (!this.#live || this.#stopped) return;
    this.#queue.push(record);
    this.#waitingBytes += record.bytes.length;
    this.#wake?.();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const stored = this.#live ? [] : this.#page(this.#position);
      if (stored.length > 0) {
        await this.#handAll(stored);
        continue;
      }
      this.#live = true;
      this.#caughtUp.resolve();
      const queue = this.#queue;
      this.#queue = [];
      if (queue.length > 0) await this.#handAll(queue);
      else await this.#sleep();
    }
  }

  async #handAll(records: readonly JournalRecord[]): Promise<void> {
    for (const [index, record] of records.entries()) {
      if (this.#stopped) return;
      const handled = this.#handler(record);
      if (handled !== undefined) await handled;
      this.#position = record.position;
      if (this.#live) this.#waitingBytes -= record.bytes.length;
      if (index % turnEntries === turnEntries - 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }

  #end(error?: unknown): void {
    this.#stopped = true;
    this.#ended();
    const stoppedEarly = new Error("the journal's reader was stopped before it had caught up");
    this.#caughtUp.reject(error ?? stoppedEarly);
    if (error === undefined) this.#done.resolve();
    else this.#done.reject(error);
  }
}
