/**
 * What a probe is. `collect.ts` asks each probe at every tick, times it, and counts its failures; a probe that takes
 * too long is skipped until it has come back, and never delays the others.
 */
import type { Recorder } from "./recorder.ts";

/** What a probe found out about itself at one reading. */
export interface ProbeReport {
  /** Paths or facts that this user may not read; told once, as "not permitted". */
  readonly notPermitted?: readonly string[];
  /** What this kernel or host does not have; told once. Not an error. */
  readonly absent?: readonly string[];
}

export interface Tick {
  /** The aligned time of this tick, milliseconds since 1970 UTC. */
  readonly timeMs: number;
  /** Milliseconds since the last tick that this probe was asked at; 0 at the first. */
  readonly elapsedMs: number;
}

/**
 * What a probe that waits hands back: it writes into the recorder what was read. `collect.ts` calls it only if it
 * came in time for its tick, so values that are late are dropped, never written into another tick.
 */
export type Commit = () => ProbeReport | undefined;

export interface Probe {
  readonly name: string;
  /** Shedding order under a budget: the highest goes first; 0 is never shed. */
  readonly shedRank: number;
  /** Asked no oftener than this, at ticks of its own; absent: at every tick. For probes that are dear at 1 s. */
  readonly periodMs?: number;
  /** Reads and writes into the recorder's columns. Throws, or rejects, when the source cannot be read. */
  read(tick: Tick, recorder: Recorder): ProbeReport | undefined | Promise<Commit>;
  /** Closes what is held open. */
  close(): void;
}
