/**
 * A bounded pool of connections, as every database driver has one: who finds none free waits, and not for ever.
 *
 * Pure but for the clock; what a connection is, its user knows.
 */
import type { Clock } from "#shared/clock.ts";
import type { KnobBoard } from "./knobs.ts";
import type { Telemetry } from "./telemetry-parts.ts";

/** Longer than any query; shorter than what a caller waits. */
const waitMsMax = 1_000;

export interface Pool {
  readonly used: number;
  readonly waiting: number;
  /** Resolves with what gives the connection back, or with null when none was free in time. */
  take(): Promise<(() => void) | null>;
}

export interface PoolParts {
  readonly clock: Clock;
  readonly knobs: KnobBoard;
  readonly telemetry: Telemetry;
  readonly name: string;
  readonly size: number;
}

export function createPool(parts: PoolParts): Pool {
  return new ConnectionPool(parts);
}

class ConnectionPool implements Pool {
  readonly #clock: Clock;
  readonly #knobs: KnobBoard;
  readonly #size: number;
  readonly #queue: ((given: boolean) => void)[] = [];
  #lent = 0;

  constructor({ clock, knobs, telemetry, name, size }: PoolParts) {
    this.#clock = clock;
    this.#knobs = knobs;
    this.#size = size;
    knobs.onChange(() => this.#serve());
    const attributes = { "db.client.connection.pool.name": name };
    const state = (value: string) => ({ ...attributes, "db.client.connection.state": value });
    telemetry.gauge(
      "db.client.connection.count",
      "{connection}",
      "Connections in use",
      () => this.used,
      state("used"),
    );
    telemetry.gauge(
      "db.client.connection.max",
      "{connection}",
      "Connections that the pool may have",
      () => size,
      attributes,
    );
    telemetry.gauge(
      "db.client.connection.pending_requests",
      "{request}",
      "Requests that wait for a connection",
      () => this.waiting,
      attributes,
    );
  }

  get used(): number {
    return Math.min(this.#size, this.#lent + (this.#knobs.now.connectionsHeld ?? 0));
  }

  get waiting(): number {
    return this.#queue.length;
  }

  async take(): Promise<(() => void) | null> {
    if (this.used < this.#size) this.#lent += 1;
    else if (!(await this.#wait())) return null;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#lent -= 1;
      this.#serve();
    };
  }

  #wait(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (given: boolean): void => {
        timer.cancel();
        resolve(given);
      };
      const timer = this.#clock.after(waitMsMax, () => {
        this.#queue.splice(this.#queue.indexOf(settle), 1);
        resolve(false);
      });
      this.#queue.push(settle);
    });
  }

  #serve(): void {
    while (this.used < this.#size) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      // Counted here, not when the one who waited goes on: nobody may come in between.
      this.#lent += 1;
      next(true);
    }
  }
}
