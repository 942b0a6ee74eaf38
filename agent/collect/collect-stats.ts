/** What collecting costs and what went wrong with it: counted by `collect.ts`, told by the probe `self.ts`. */

/**
 * Why a probe gave nothing at a tick. `late`: it was not back by the deadline. `busy`: it still runs since an earlier
 * tick.
 */
export type ProbeFailure = "failed" | "late" | "busy";

export interface ProbeStats {
  /** Seconds that the last reading took; NaN before the first and after a reading that failed. */
  durationSeconds: number;
  readonly failures: Record<ProbeFailure, number>;
  shed: boolean;
}

export interface CollectStats {
  /** Ticks that did not happen: the machine was suspended, the process was stopped or too busy. */
  ticksMissed: number;
  readonly probes: Map<string, ProbeStats>;
}

export function createCollectStats(): CollectStats {
  return { ticksMissed: 0, probes: new Map() };
}

/** The entry of the probe called `name`, made now if need be. */
export function probeStats(stats: CollectStats, name: string): ProbeStats {
  let entry = stats.probes.get(name);
  if (entry === undefined) {
    entry = { durationSeconds: Number.NaN, failures: { failed: 0, late: 0, busy: 0 }, shed: false };
    stats.probes.set(name, entry);
  }
  return entry;
}
