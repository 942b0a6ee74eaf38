/** A clock that stands still until a test moves it. Timers run in the order of their time; work they start is let finish. */
import type { Clock, Timer } from "#shared/clock.ts";

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly task: () => void;
}

export class SimClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  #due: Due[] = [];
  /** What `nowMs` is ahead of the time that has passed: change it to make the wall clock jump. */
  wallMs: number;

  constructor(startMs = 1_790_000_000_000) {
    this.wallMs = startMs;
  }

  nowMs(): number {
    return Math.floor(this.wallMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, task: () => void): Timer {
    const due = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, task };
    this.#due.push(due);
    return { cancel: () => void (this.#due = this.#due.filter((other) => other !== due)) };
  }

  /** Lets `byMs` pass. After each timer, promises and immediates get their turn. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#elapsedMs + byMs;
    await settle();
    while (true) {
      const next = this.#due
        .filter(({ atMs }) => atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((due) => due !== next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      next.task();
      await settle();
    }
    this.#elapsedMs = untilMs;
    await settle();
  }

  get timers(): number {
    return this.#due.length;
  }
}

/** Lets promises and immediates that are due run, and those that they make due. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
