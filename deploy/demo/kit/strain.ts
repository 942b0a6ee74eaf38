/** What a bad program does to its own process: burns its thread, keeps memory. Follows the knobs. */
import type { Clock, Timer } from "#shared/clock.ts";
import { type KnobBoard, leakBytesMax } from "./knobs.ts";

/** Short enough that a request waits for one slice, not for a second. */
const burnPeriodMs = 100;
const leakPeriodMs = 250;

export interface Strain {
  /** Bytes kept now. */
  readonly heldBytes: () => number;
  stop(): void;
}

/** `spin` keeps the thread busy for so many milliseconds; a test passes another one. */
export function createStrain(clock: Clock, knobs: KnobBoard, spin = spinner(clock)): Strain {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let burning: Timer | null = null;
  let leaking: Timer | null = null;

  const burn = (): void => {
    const share = knobs.now.burnShare ?? 0;
    burning = share === 0 ? null : clock.after(burnPeriodMs * (1 - share), burn);
    if (share > 0) spin(burnPeriodMs * share);
  };
  const leak = (): void => {
    const bytes = Math.round(((knobs.now.leakBytesPerSecond ?? 0) * leakPeriodMs) / 1000);
    leaking = bytes === 0 ? null : clock.after(leakPeriodMs, leak);
    if (bytes > 0 && heldBytes + bytes <= leakBytesMax) {
      // Filled, or the kernel would not give the memory at all.
      held.push(Buffer.alloc(bytes, 1));
      heldBytes += bytes;
    }
    if (bytes === 0) {
      held = [];
      heldBytes = 0;
    }
  };
  knobs.onChange(() => {
    if (burning === null) burn();
    if (leaking === null || knobs.now.leakBytesPerSecond === undefined) {
      leaking?.cancel();
      leak();
    }
  });
  return {
    heldBytes: () => heldBytes,
    stop() {
      burning?.cancel();
      leaking?.cancel();
      held = [];
    },
  };
}

export function spinner(clock: Clock): (ms: number) => void {
  return (ms) => {
    const untilMs = clock.monotonicMs() + ms;
    while (clock.monotonicMs() < untilMs);
  };
}
