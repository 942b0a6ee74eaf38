/** How far a host is from being judged by its own history. */
import { watchedMs } from "./sweep.ts";
import { provisionalSamples } from "./level.ts";
import { scalesOf } from "./scales.ts";
import { restday, workday } from "./season.ts";
import { flag, type SeriesTable, wide, wideLength } from "./series-state.ts";

export interface WarmUp {
  readonly collecting: number;
  readonly provisional: number;
  readonly ready: number;
  readonly readyAtMs: number | null;
  /** Series whose time of day is known on working days, on days of rest. */
  readonly workdays: number;
  readonly restdays: number;
}

export const noWarmUp: WarmUp = {
  collecting: 0,
  provisional: 0,
  ready: 0,
  readyAtMs: null,
  workdays: 0,
  restdays: 0,
};

/** Counts the series that are judged, or paused by a maintenance window, and that the host still had at `lastMs`. */
export function warmUpOf(
  table: SeriesTable,
  isPaused: ReadonlySet<number>,
  lastMs: number,
  intervalMs: number,
): WarmUp {
  const { flags, wide: wides, samples: numbers, series, season } = table;
  const { warmupSamples } = scalesOf(intervalMs || 10_000);
  let collecting = 0;
  let provisional = 0;
  let ready = 0;
  let workdays = 0;
  let restdays = 0;
  let waitMs = 0;
  for (let number = 0; number < series.length; number += 1) {
    const paused = isPaused.has(number);
    if ((flags[number]! & flag.judged) === 0 && !paused) continue;
    const samples = numbers[number]!;
    const silentMs = lastMs - wides[number * wideLength + wide.lastMs]!;
    const usualMs = table.intervalOf(number, intervalMs);
    if (!paused && silentMs > Math.max(watchedMs, 2 * usualMs)) continue;
    if (season.isKnown(number, workday)) workdays += 1;
    if (season.isKnown(number, restday)) restdays += 1;
    if (samples >= warmupSamples) ready += 1;
    else if (samples >= provisionalSamples && table.isKnownKind(number)) provisional += 1;
    else collecting += 1;
    if (samples > 0) waitMs = Math.max(waitMs, (warmupSamples - samples) * usualMs);
  }
  const readyAtMs = waitMs > 0 ? lastMs + waitMs : null;
  return { collecting, provisional, ready, readyAtMs, workdays, restdays };
}
