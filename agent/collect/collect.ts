/**
 * The agent's ticks: at every multiple of the interval each probe is asked, then `onTick` gets the finished column of
 * values.
 *
 * Ticks are aligned to the wall clock, so that all hosts measure at the same moments. One that did not happen (a
 * suspended machine, a busy process) is counted and never made up: two readings in one moment would invent a rate. A
 * probe that waits for the system (statfs) has half the interval; later it is skipped and counted, and the rest of
 * the tick goes on without it.
 */
import type { Clock, Timer } from "#shared/clock.ts";
import { errorText } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import { createBudget, type AgentCost, type Budget, type BudgetLimits } from "./budget.ts";
import { probeStats, type CollectStats } from "./collect-stats.ts";
import type { Commit, Probe, ProbeReport } from "./probe.ts";
import type { Recorder } from "./recorder.ts";

/** Distinct messages remembered, so that each is told once; after that many the next ones are only counted. */
const toldMax = 500;

export interface CollectConfig {
  /** 1,000 to 60,000, and a divisor of a minute so that ticks fall on whole minutes. */
  readonly intervalMs: number;
  readonly budget: BudgetLimits;
}

export interface CollectParts {
  readonly clock: Clock;
  readonly config: CollectConfig;
  readonly recorder: Recorder;
  /** Asked in this order at every tick. */
  readonly probes: readonly Probe[];
  /** Shared with the probe `self`, which tells it. */
  readonly stats: CollectStats;
  /** What the agent has used so far; see `self.ts`. */
  readonly cost: () => AgentCost;
  readonly log: Log;
  /** Encodes `recorder.values` and then calls `recorder.endTick()`. */
  readonly onTick: (timeMs: number) => void;
}

export interface Collect {
  /** Begins at the next multiple of the interval. */
  start(): void;
  /** No tick comes after this; closes the probes. */
  stop(): void;
}

interface Seat {
  readonly probe: Probe;
  /** Asked at ticks whose number leaves `turn` when divided by `every`. */
  readonly every: number;
  readonly turn: number;
  askedAtMs: number;
  busy: boolean;
}

export function createCollect(parts: CollectParts): Collect {
  return new Collecting(parts);
}

class Collecting implements Collect {
  readonly #parts: CollectParts;
  readonly #seats: readonly Seat[];
  readonly #budget: Budget;
  readonly #told = new Set<string>();
  #timer: Timer | undefined;
  #dueMs = 0;
  #lastMs = -1;
  #stopped = false;
  /** Counts ticks, so that what a probe hands in late is known to belong to another one. */
  #round = 0;

  constructor(parts: CollectParts) {
    this.#parts = parts;
    this.#seats = parts.probes.map((probe, index) => seat(probe, index, parts.config.intervalMs));
    this.#budget = createBudget(parts.config.budget, parts.probes);
    for (const probe of parts.probes) probeStats(parts.stats, probe.name);
  }

  start(): void {
    const { intervalMs } = this.#parts.config;
    this.#dueMs = (Math.floor(this.#parts.clock.nowMs() / intervalMs) + 1) * intervalMs;
    this.#wait();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const { probe } of this.#seats) probe.close();
  }

  #wait(): void {
    if (this.#stopped) return;
    const { clock, config } = this.#parts;
    // A wall clock that was set back must not make us wait for hours: never longer than one interval.
    const delayMs = Math.min(config.intervalMs, Math.max(0, this.#dueMs - clock.nowMs()));
    this.#timer = clock.after(delayMs, () => this.#wake(), { keepAlive: true });
  }

  #wake(): void {
    const { clock, config, stats } = this.#parts;
    const { intervalMs } = config;
    const nowMs = clock.nowMs();
    const timeMs = Math.floor(nowMs / intervalMs) * intervalMs;
    // Timers may come a millisecond early, and a clock may be set back within the tick that was just measured.
    if (timeMs < this.#dueMs && (this.#lastMs < 0 || Math.abs(timeMs - this.#lastMs) < intervalMs)) {
      this.#dueMs = timeMs + intervalMs;
      return this.#wait();
    }
    if (timeMs < this.#dueMs) this.#tell("clock", "clock set back", { fromMs: this.#dueMs, toMs: timeMs });
    stats.ticksMissed += Math.max(0, (timeMs - this.#dueMs) / intervalMs);
    this.#lastMs = timeMs;
    this.#dueMs = timeMs + intervalMs;
    this.#tick(timeMs);
  }

  #tick(timeMs: number): void {
    this.#round += 1;
    const number = timeMs / this.#parts.config.intervalMs;
    const waits: Promise<void>[] = [];
    for (const place of this.#seats) {
      if (number % place.every !== place.turn || this.#budget.isShed(place.probe.name)) continue;
      const wait = this.#ask(place, timeMs);
      if (wait !== undefined) waits.push(wait);
    }
    if (waits.length === 0) return this.#finish(timeMs);
    void this.#waitFor(waits, timeMs);
  }

  /** Ends the tick when all are back, or at the deadline without those that are not. */
  async #waitFor(waits: readonly Promise<void>[], timeMs: number): Promise<void> {
    const { clock, config } = this.#parts;
    let deadline: Timer | undefined;
    const tooLate = new Promise<void>((resolve) => {
      deadline = clock.after(config.intervalMs / 2, resolve, { keepAlive: true });
    });
    await Promise.race([Promise.all(waits), tooLate]);
    deadline?.cancel();
    for (const { probe, busy } of this.#seats) {
      if (busy) probeStats(this.#parts.stats, probe.name).failures.late += 1;
    }
    if (!this.#stopped) this.#finish(timeMs);
  }

  #finish(timeMs: number): void {
    // Whoever comes in from here on is late.
    this.#round += 1;
    this.#parts.onTick(timeMs);
    this.#applyBudget();
    this.#wait();
  }

  /** Undefined when the probe is done, else a promise that never rejects. */
  #ask(place: Seat, timeMs: number): Promise<void> | undefined {
    const { clock, recorder, stats } = this.#parts;
    const own = probeStats(stats, place.probe.name);
    if (place.busy) {
      own.failures.busy += 1;
      return undefined;
    }
    const startMs = clock.monotonicMs();
    const elapsedMs = Number.isNaN(place.askedAtMs) ? 0 : startMs - place.askedAtMs;
    place.askedAtMs = startMs;
    try {
      const answer = place.probe.read({ timeMs, elapsedMs }, recorder);
      if (answer instanceof Promise) return this.#settle(place, answer, startMs);
      this.#report(place.probe, answer);
      own.durationSeconds = (clock.monotonicMs() - startMs) / 1000;
    } catch (error) {
      this.#fail(place.probe, error);
    }
    return undefined;
  }

  async #settle(place: Seat, answer: Promise<Commit>, startMs: number): Promise<void> {
    const round = this.#round;
    place.busy = true;
    try {
      const commit = await answer;
      place.busy = false;
      if (round !== this.#round || this.#stopped) return;
      this.#report(place.probe, commit());
      const { clock, stats } = this.#parts;
      probeStats(stats, place.probe.name).durationSeconds = (clock.monotonicMs() - startMs) / 1000;
    } catch (error) {
      place.busy = false;
      this.#fail(place.probe, error);
    }
  }

  #fail(probe: Probe, error: unknown): void {
    const own = probeStats(this.#parts.stats, probe.name);
    own.failures.failed += 1;
    own.durationSeconds = Number.NaN;
    this.#tell(probe.name, "probe failed", { probe: probe.name, reason: errorText(error) });
  }

  #report(probe: Probe, report: ProbeReport | undefined): void {
    if (report === undefined) return;
    for (const what of report.notPermitted ?? []) {
      this.#tell(probe.name, "not permitted", { probe: probe.name, what });
    }
    for (const what of report.absent ?? []) {
      this.#tell(probe.name, "not available", { probe: probe.name, what });
    }
  }

  /** Once per distinct message. */
  #tell(who: string, event: string, fields: Readonly<Record<string, string | number>>): void {
    const key = `${who} ${event} ${Object.values(fields).join(" ")}`;
    if (this.#told.has(key) || this.#told.size >= toldMax) return;
    this.#told.add(key);
    this.#parts.log.warn(event, fields);
  }

  #applyBudget(): void {
    const { clock, cost, log, stats } = this.#parts;
    const change = this.#budget.judge(cost(), clock.monotonicMs());
    if (change === undefined) return;
    const { probe, shed, reason, cpuShare, rssBytes } = change;
    probeStats(stats, probe).shed = shed;
    log.warn(shed ? "probe shed" : "probe given back", { probe, reason, cpuShare, rssBytes });
    const place = this.#seats.find((candidate) => candidate.probe.name === probe);
    if (place !== undefined && !shed) place.askedAtMs = Number.NaN;
  }
}

/** Dear probes take turns: with an interval of 1 s and a period of 5 s each has a second of its own. */
function seat(probe: Probe, index: number, intervalMs: number): Seat {
  const every = Math.max(1, Math.ceil((probe.periodMs ?? 0) / intervalMs));
  return { probe, every, turn: index % every, askedAtMs: Number.NaN, busy: false };
}
