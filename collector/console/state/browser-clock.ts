/** The browser's clock and timers, as the `Clock` that everything in the console is given. */
import type { Clock } from "#shared/clock.ts";

export const browserClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    const handle = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
