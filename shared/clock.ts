/**
 * Time as an argument. `systemClock` is the only reader of the machine's clock and timers in the product; tests pass a
 * simulated one and play hours in milliseconds.
 */
export interface Clock {
  /** Wall time, milliseconds since 1970 UTC. May jump. Use it to stamp data, never to measure a duration. */
  nowMs(): number;
  /** Monotonic time, milliseconds with fractions from an arbitrary start. Use it to measure durations and timeouts. */
  monotonicMs(): number;
  /** Calls `task` once, not before `delayMs` has passed. A timer does not keep the process alive unless `keepAlive`. */
  after(delayMs: number, task: () => void, options?: { keepAlive?: boolean }): Timer;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task, options) {
    const handle = setTimeout(task, delayMs);
    if (options?.keepAlive !== true) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Calls `task` every `intervalMs` until cancelled; the next call is set only after the last one has returned. */
export function every(clock: Clock, intervalMs: number, task: () => void): Timer {
  let timer = clock.after(intervalMs, run);
  let cancelled = false;
  function run(): void {
    task();
    if (!cancelled) timer = clock.after(intervalMs, run);
  }
  return {
    cancel() {
      cancelled = true;
      timer.cancel();
    },
  };
}

/** Resolves after `delayMs` of `clock`; keeps the process alive meanwhile. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve, { keepAlive: true }));
}
