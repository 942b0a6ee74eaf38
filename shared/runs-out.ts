/** When something runs out: a filesystem or memory is full, a certificate is no longer valid. */
import { roundDuration } from "./duration.ts";

/** Milliseconds since 1970 UTC. */
export interface RunsOut {
  readonly what: "full" | "expiry";
  readonly likelyMs: number;
  /** Eight times of ten it is within these; for a certificate all three are the same. */
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** What is left at `nowMs`, rounded as people say it; 0 when it is over. Arguments of sentences (`shared/text/`). */
export function timesLeft(
  { likelyMs, earliestMs, latestMs }: Omit<RunsOut, "what">,
  nowMs: number,
): { readonly left: number; readonly early: number; readonly late: number } {
  const left = (atMs: number): number => roundDuration(Math.max(0, atMs - nowMs));
  return { left: left(likelyMs), early: left(earliestMs), late: left(latestMs) };
}
