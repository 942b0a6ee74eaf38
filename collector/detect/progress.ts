/** How far a host's series are in knowing themselves: shown to operators, who must know what is judged by what. */
import { watchedMs } from "./columns.ts";
import { scalesOf } from "./scales.ts";
import { flag, type SeriesTable, wide, wideLength } from "./series-state.ts";

/** Samples from which a series counts as provisional rather than collecting. */
const provisionalSamples = 3;

export interface HostProgress {
  readonly collecting: number;
  readonly provisional: number;
  readonly ready: number;
  readonly open: number;
  readonly readyAtMs: number | null;
}

export const noProgress: HostProgress = { collecting: 0, provisional: 0, ready: 0, open: 0, readyAtMs: null };

/** `paused`: judged again once a maintenance window is over. What has been silent for minutes does not count. */
export function progressOf(
  table: SeriesTable,
  paused: ReadonlySet<number>,
  lastMs: number,
  intervalMs: number,
): Omit<HostProgress, "open"> {
  const { flags, wide: wides, samples: numbers, series } = table;
  const { warmupSamples } = scalesOf(intervalMs);
  let collecting = 0;
  let provisional = 0;
  let ready = 0;
  let fewest = warmupSamples;
  for (let number = 0; number < series.length; number += 1) {
    const isPaused = paused.has(number);
    if ((flags[number]! & flag.judged) === 0 && !isPaused) continue;
    const samples = numbers[number]!;
    const silentMs = lastMs - wides[number * wideLength + wide.lastMs]!;
    if (!isPaused && samples > 0 && silentMs > watchedMs) continue;
    if (samples >= warmupSamples) ready += 1;
    else if (samples >= provisionalSamples) provisional += 1;
    else collecting += 1;
    if (samples > 0) fewest = Math.min(fewest, samples);
  }
  const readyAtMs = fewest < warmupSamples ? lastMs + (warmupSamples - fewest) * intervalMs : null;
  return { collecting, provisional, ready, readyAtMs };
}
