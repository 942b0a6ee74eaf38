/**
 * The queue worker: takes transfers off the customers' hands, settles them in small groups, and runs a short batch every two minutes.
 *
 * While the batch runs nothing is settled, as in many a bank. Nobody in front waits for it: when it does not come to an end, no
 * customer sees an error, and only what waits grows.
 */
import { every, type Timer } from "#shared/clock.ts";
import { done, failed, type Reply, type Txn } from "../kit/message.ts";
import type { Service, ServiceParts } from "../kit/service.ts";

const pollMs = 500;
const groupMax = 25;
/** Half an hour of transfers; beyond it the queue says no. */
const queueMax = 20_000;
const batchEveryMs = 120_000;
const batchSteps = 40;

interface Waiting {
  readonly txn: Txn;
  readonly sinceMs: number;
}

export function makeSettlement(parts: ServiceParts): Service {
  return new Settlement(parts);
}

class Settlement implements Service {
  readonly routes = { "/enqueue": (txn: Txn) => this.#enqueue(txn) };
  readonly #parts: ServiceParts;
  readonly #settled;
  readonly #waited;
  readonly #queue: Waiting[] = [];
  readonly #timer: Timer;
  #busy = false;
  #batchStartedMs: number | null = null;
  #batchDueMs: number;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    const { clock, telemetry } = parts;
    this.#batchDueMs = clock.monotonicMs() + batchEveryMs;
    this.#settled = telemetry.count(
      "bank_settlement_txn_total",
      "{transaction}",
      "Transfers settled, by how it ended",
    );
    this.#waited = telemetry.measure(
      "bank_settlement_duration_seconds",
      "s",
      "From the queue to the settlement",
    );
    telemetry.gauge(
      "bank_queue_depth",
      "{transaction}",
      "Transfers that wait for settlement",
      () => this.#queue.length,
    );
    telemetry.gauge("bank_queue_oldest_age_seconds", "s", "Age of the oldest of them", () => this.#ageS());
    telemetry.gauge("bank_batch_running_seconds", "s", "How long the batch has been running", () =>
      this.#batchStartedMs === null ? 0 : (clock.monotonicMs() - this.#batchStartedMs) / 1000,
    );
    this.#timer = every(clock, pollMs, () => void this.#work());
  }

  close(): void {
    this.#timer.cancel();
  }

  #enqueue(txn: Txn): Reply {
    if (this.#queue.length >= queueMax) return failed("Q503");
    this.#queue.push({ txn, sinceMs: this.#parts.clock.monotonicMs() });
    return done;
  }

  #ageS(): number {
    const oldest = this.#queue[0];
    return oldest === undefined ? 0 : (this.#parts.clock.monotonicMs() - oldest.sinceMs) / 1000;
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      if (this.#parts.clock.monotonicMs() >= this.#batchDueMs || this.#parts.knobs.now.batchEndless === true)
        await this.#batch();
      else await this.#settleGroup();
    } finally {
      this.#busy = false;
    }
  }

  async #settleGroup(): Promise<void> {
    const { call, clock } = this.#parts;
    for (const { txn, sinceMs } of this.#queue.splice(0, groupMax)) {
      const { result } = await call("ledger", "/settle", txn);
      this.#settled(1, { result });
      this.#waited((clock.monotonicMs() - sinceMs) / 1000, {});
    }
  }

  /** Adds up the books, account by account. */
  async #batch(): Promise<void> {
    const { call, clock, knobs } = this.#parts;
    this.#batchStartedMs = clock.monotonicMs();
    for (let step = 0; step < batchSteps || knobs.now.batchEndless === true; step += 1) {
      await call("database", "/sum", batchTxn(step));
      // A breath between two steps, as a batch that must not disturb the day's business takes.
      await new Promise<void>((resolve) => clock.after(20, resolve));
    }
    this.#batchStartedMs = null;
    this.#batchDueMs = clock.monotonicMs() + batchEveryMs;
  }
}

function batchTxn(step: number): Txn {
  return {
    id: step,
    channel: "branch",
    product: "statement",
    region: "north",
    account: step,
    other: step,
    amount: 0,
    chance: 0.5,
  };
}
