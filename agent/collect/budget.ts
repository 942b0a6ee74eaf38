/**
 * The agent's own budget: over it, probes are given up one by one, the dearest first; under it again, they come back.
 *
 * An agent on a bank's server must never be the incident. CPU is a share of one core averaged over a minute, so that
 * one dear tick is no reason; after each change a full minute has to pass before it is judged again. A probe comes
 * back only when use is below `giveBackShare` of both limits for five minutes, and if that was too early, the wait
 * doubles, up to an hour. Pure: cost and time come in as arguments.
 */
import { assert } from "#shared/errors.ts";

const windowMs = 60_000;
const giveBackShare = 0.7;
const giveBackAfterMs = 5 * 60_000;
const giveBackAfterMsMax = 60 * 60_000;

export interface BudgetLimits {
  /** Share of one core, averaged over a minute: 0.01 is 10 ms per second. */
  readonly maxCpuShare: number;
  readonly maxRssBytes: number;
}

/** What the agent has used since it started, and what it holds now. */
export interface AgentCost {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

export interface BudgetChange {
  readonly probe: string;
  readonly shed: boolean;
  /** What was over its limit; `spare` when a probe comes back. */
  readonly reason: "cpu" | "memory" | "spare";
  readonly cpuShare: number;
  readonly rssBytes: number;
}

export interface Budget {
  /** Called once a tick with the agent's cost. Undefined: nothing changes. `nowMs` is monotonic. */
  judge(cost: AgentCost, nowMs: number): BudgetChange | undefined;
  isShed(probe: string): boolean;
}

interface Ranked {
  readonly name: string;
  readonly shedRank: number;
}

export function createBudget(limits: BudgetLimits, probes: readonly Ranked[]): Budget {
  // The highest rank first; of equal ranks the later one, since the earlier ones are the more important.
  const order = probes
    .filter(({ shedRank }) => shedRank > 0)
    .toReversed()
    .toSorted((a, b) => b.shedRank - a.shedRank)
    .map(({ name }) => name);
  const shed = new Set<string>();
  const window = new CpuWindow();
  let changedAtMs = Number.NEGATIVE_INFINITY;
  let calmSinceMs = Number.NaN;
  let giveBackMs = giveBackAfterMs;
  let gaveBack = false;

  function change(
    probe: string,
    isShed: boolean,
    reason: BudgetChange["reason"],
    rssBytes: number,
    nowMs: number,
  ) {
    const cpuShare = window.share();
    if (isShed) shed.add(probe);
    else shed.delete(probe);
    changedAtMs = nowMs;
    calmSinceMs = Number.NaN;
    gaveBack = !isShed;
    window.clear();
    return { probe, shed: isShed, reason, cpuShare, rssBytes };
  }

  return {
    isShed: (probe) => shed.has(probe),
    judge({ cpuSeconds, rssBytes }, nowMs) {
      window.add(cpuSeconds, nowMs);
      if (!window.full() || nowMs - changedAtMs < windowMs) return undefined;
      const cpuShare = window.share();
      const over =
        cpuShare > limits.maxCpuShare ? "cpu" : rssBytes > limits.maxRssBytes ? "memory" : undefined;
      if (over !== undefined) {
        calmSinceMs = Number.NaN;
        if (gaveBack) giveBackMs = Math.min(giveBackMs * 2, giveBackAfterMsMax);
        gaveBack = false;
        const next = order.find((name) => !shed.has(name));
        return next === undefined ? undefined : change(next, true, over, rssBytes, nowMs);
      }
      const calm =
        cpuShare < limits.maxCpuShare * giveBackShare && rssBytes < limits.maxRssBytes * giveBackShare;
      if (!calm) calmSinceMs = Number.NaN;
      else if (Number.isNaN(calmSinceMs)) calmSinceMs = nowMs;
      if (shed.size === 0 || !calm || nowMs - calmSinceMs < giveBackMs) return undefined;
      const back = order.findLast((name) => shed.has(name));
      assert(back !== undefined, "a probe is shed that has no rank");
      return change(back, false, "spare", rssBytes, nowMs);
    },
  };
}

/** CPU seconds at the ticks of the last minute. */
class CpuWindow {
  readonly #seconds: number[] = [];
  readonly #timesMs: number[] = [];

  add(cpuSeconds: number, nowMs: number): void {
    this.#seconds.push(cpuSeconds);
    this.#timesMs.push(nowMs);
    // One sample older than the window stays: it is where the window begins.
    while (this.#timesMs.length > 2 && nowMs - this.#timesMs[1]! >= windowMs) {
      this.#seconds.shift();
      this.#timesMs.shift();
    }
  }

  full(): boolean {
    return this.#spanMs() >= windowMs;
  }

  /** Share of one core over the window; 0 while it is empty. */
  share(): number {
    const spanMs = this.#spanMs();
    return spanMs > 0 ? ((this.#seconds.at(-1)! - this.#seconds[0]!) * 1000) / spanMs : 0;
  }

  clear(): void {
    this.#seconds.length = 0;
    this.#timesMs.length = 0;
  }

  #spanMs(): number {
    return this.#timesMs.length < 2 ? 0 : this.#timesMs.at(-1)! - this.#timesMs[0]!;
  }
}
