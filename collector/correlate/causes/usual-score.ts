/**
 * What the same entities score when nothing is known to be wrong: earlier stretches of a window's own past, ranked like the window.
 *
 * Some systems are noisier than others: the best score of a quiet window is 0.3 in one public system and 2 in another, where a
 * fault scores 3. A score says something only beside that. The least of a few stretches counts, as others may hold traces of
 * other faults. Cost: a ranking for each stretch; whoever ranks all day keeps the figure instead (`EvidenceWindow.usualScore`).
 */
import type { EvidenceWindow } from "./evidence.ts";

/** Where in the past the stretches begin, as shares of it: not earlier, so that each has a past of its own. */
export const stretches = [0.4, 0.55, 0.7, 0.85] as const;
/** Longer than the guard band: what the fault may already have done is no quiet past. */
const apartMs = 150_000;

/** The window as it was when `share` of its past had passed, as long as it is since its detection; null without a past. */
export function earlierWindow(window: EvidenceWindow, share: number): EvidenceWindow | null {
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  const clocks = new Map<Float64Array, Float64Array>();
  for (const { timesMs } of window.series) {
    if (clocks.has(timesMs)) continue;
    clocks.set(timesMs, timesMs);
    firstMs = Math.min(firstMs, timesMs[0] ?? firstMs);
    lastMs = Math.max(lastMs, timesMs.at(-1) ?? lastMs);
  }
  const endMs = window.detectedMs - apartMs;
  if (!(firstMs < endMs)) return null;
  const detectedMs = firstMs + share * (endMs - firstMs);
  const untilMs = Math.min(endMs, detectedMs + lastMs - window.detectedMs);
  for (const timesMs of clocks.keys()) clocks.set(timesMs, timesMs.subarray(0, firstAfter(timesMs, untilMs)));
  const series = window.series.map((one) => {
    const timesMs = clocks.get(one.timesMs)!;
    return { ...one, timesMs, values: one.values.subarray(0, timesMs.length) };
  });
  return { ...window, series, detectedMs };
}

function firstAfter(timesMs: Float64Array, timeMs: number): number {
  const place = timesMs.findIndex((one) => one > timeMs);
  return place < 0 ? timesMs.length : place;
}
