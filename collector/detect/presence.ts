/** What is known of a host that reports: how often, when it was last heard, and how its connection ended. */
import type { Anomaly } from "#shared/anomaly.ts";

export type ConnectionEnd = "bye" | "closed" | "timeout";

export interface HostPresence {
  intervalMs: number;
  /** On the journal's time line: when the last frame of this host was appended. */
  lastArrivalMs: number;
  /** How long the collector had listened in all by then. */
  listenedMs: number;
  /** The newest tick's own time. */
  lastDataMs: number;
  end: ConnectionEnd | null;
  silent: Anomaly | null;
}

/** A host is silent after this many intervals, but not before `silentMsMin`. */
const silentIntervals = 2.5;
const silentMsMin = 15_000;
/** A host is late after this share of that: reason enough to wait for it when others fell silent. */
const lateShare = 0.6;

export function arrived(intervalMs: number): HostPresence {
  return { intervalMs, lastArrivalMs: 0, listenedMs: 0, lastDataMs: 0, end: null, silent: null };
}

export function silentLimitMs({ intervalMs }: HostPresence): number {
  return Math.max(silentMsMin, silentIntervals * intervalMs);
}

/** Nothing has come from it for so long that it would be silent. */
export function isQuiet(presence: HostPresence, nowMs: number): boolean {
  return nowMs - presence.lastArrivalMs > silentLimitMs(presence);
}

export function isLate(presence: HostPresence, nowMs: number): boolean {
  return nowMs - presence.lastArrivalMs > lateShare * silentLimitMs(presence);
}
