/** When something runs out: a filesystem or memory is full, a certificate is no longer valid. */
import type { Text } from "./contract/incident.ts";
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

/** When `thing` runs out, as seen at `nowMs`; `kind` is its entity's. */
export function runsOutText(
  { kind, name, metric }: { readonly kind: string; readonly name: string; readonly metric: string },
  runsOut: RunsOut,
  nowMs: number,
): Text {
  const times = timesLeft(runsOut, nowMs);
  if (runsOut.what === "expiry") {
    if (times.left > 0) return { key: "symptom.expiry", args: { name, left: times.left } };
    return { key: "symptom.expired", args: { name } };
  }
  const args = { name, ...times };
  if (metric.includes("inodes")) return { key: "symptom.inodes_forecast", args };
  if (kind === "filesystem") return { key: "symptom.space_forecast", args };
  if (kind === "host") return { key: "symptom.memory_forecast", args };
  // A share has a limit of its own; bytes grow until the host has no more.
  return {
    key: metric.endsWith("utilization") ? "symptom.part_memory_forecast" : "symptom.part_forecast",
    args,
  };
}
