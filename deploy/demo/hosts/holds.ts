/**
 * Who wants which effects on this host, and until when: leases, so that no fault outlives who made it.
 *
 * Whoever makes a fault says again and again what it wants (Gray and Cheriton 1989). When it is killed it says nothing any more, and
 * the effects end by themselves after the lease. Pure: time comes in.
 */
import type { Effect, WorkerKind } from "../effects.ts";
import type { Knobs } from "../kit/knobs.ts";
import type { ServiceName } from "../layout.ts";

/** Nobody holds anything for longer without saying so again. */
export const leaseMsMax = 30_000;
const holdersMax = 16;

export interface Wanted {
  readonly knobs: ReadonlyMap<ServiceName, Knobs>;
  /** By the name of the process. */
  readonly workers: ReadonlyMap<string, WorkerKind>;
  readonly down: ReadonlySet<ServiceName>;
}

export class Holds {
  readonly #holders = new Map<string, { readonly effects: readonly Effect[]; readonly untilMs: number }>();

  /** Replaces what `holder` wants; an empty list lets go. Throws when too many hold at once. */
  put(holder: string, effects: readonly Effect[], leaseMs: number, nowMs: number): void {
    this.expire(nowMs);
    if (effects.length === 0) {
      this.#holders.delete(holder);
      return;
    }
    if (!this.#holders.has(holder) && this.#holders.size >= holdersMax) {
      throw new Error(
        `cannot hold effects for ${holder}: ${holdersMax} faults hold some already; wait until one has ended`,
      );
    }
    this.#holders.set(holder, { effects, untilMs: nowMs + Math.min(leaseMs, leaseMsMax) });
  }

  /** True if somebody's lease has run out. */
  expire(nowMs: number): boolean {
    const before = this.#holders.size;
    for (const [holder, { untilMs }] of this.#holders) if (untilMs <= nowMs) this.#holders.delete(holder);
    return this.#holders.size < before;
  }

  /** All together; where two turn the same knob, the later holder's counts. */
  wanted(): Wanted {
    const knobs = new Map<ServiceName, Knobs>();
    const workers = new Map<string, WorkerKind>();
    const down = new Set<ServiceName>();
    for (const { effects } of this.#holders.values()) {
      for (const effect of effects) {
        if (effect.kind === "knobs")
          knobs.set(effect.service, { ...knobs.get(effect.service), ...effect.knobs });
        else if (effect.kind === "worker") workers.set(effect.name, effect.worker);
        else down.add(effect.service);
      }
    }
    return { knobs, workers, down };
  }
}
