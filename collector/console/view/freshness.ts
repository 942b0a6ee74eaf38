/**
 * How old what is on the screen is. A dead connection must never look like a calm system, so age is part of every view:
 * nothing heard for two and a half heartbeats and the page greys out; after a minute the banner turns red.
 */
import { type SystemState, staleMs } from "#shared/contract/live.ts";

export type FreshnessState = "connecting" | "live" | "stale" | "lost";

export interface Freshness {
  readonly state: FreshnessState;
  /** Since the last frame, or since the page began to wait for the first. */
  readonly ageMs: number;
}

const lostMs = 60_000;

/** All three on the same monotonic clock; `heardMs` null: nothing heard yet. */
export function freshness(heardMs: number | null, beganMs: number, nowMs: number): Freshness {
  const ageMs = Math.max(0, nowMs - (heardMs ?? beganMs));
  if (ageMs >= lostMs) return { state: "lost", ageMs };
  if (ageMs >= staleMs) return { state: "stale", ageMs };
  return { state: heardMs === null ? "connecting" : "live", ageMs };
}

/** Verdicts this far behind the collector's clock are worth a warning while any host reports. */
const behindMs = 90_000;

/** How far detection is behind, in milliseconds, when that is too far; else null. */
export function detectionBehindMs(system: SystemState | null): number | null {
  if (system === null || system.hostsUp === 0) return null;
  const ageMs = system.nowMs - system.watermarkMs;
  return ageMs > behindMs ? ageMs : null;
}
