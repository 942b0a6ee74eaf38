/** The lock that whoever writes to the ledger takes: first come, first served; how many wait and how long is told. */
import type { Clock } from "#shared/clock.ts";
import type { Telemetry } from "../kit/telemetry-parts.ts";

export interface Lock {
  readonly waiting: number;
  /** Resolves with what gives it back. */
  take(): Promise<() => void>;
}

export function createLock(clock: Clock, telemetry: Telemetry): Lock {
  const queue: (() => void)[] = [];
  let held = false;
  const waited = telemetry.measure("bank_database_lock_wait_seconds", "s", "Wait for the ledger's lock");
  const lock: Lock = {
    get waiting() {
      return queue.length;
    },
    async take() {
      const sinceMs = clock.monotonicMs();
      if (held) await new Promise<void>((resolve) => queue.push(resolve));
      held = true;
      waited((clock.monotonicMs() - sinceMs) / 1000, {});
      return () => {
        const next = queue.shift();
        // Handed over, not freed: nobody may come in between.
        if (next === undefined) held = false;
        else next();
      };
    },
  };
  telemetry.gauge(
    "bank_database_lock_waiting",
    "{session}",
    "Sessions that wait for the ledger's lock",
    () => lock.waiting,
  );
  return lock;
}
