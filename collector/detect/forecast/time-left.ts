/**
 * How long a trend takes to its limit, and between which times.
 *
 * The time left is a ratio, distance by slope, and so its interval is Fieller's (1954): where the line, give or take its error
 * and the straying of the walk until then, meets the limit. Eight times of ten it is within. A trend that bends may go on
 * bending or cease to: both are within.
 */
import { resolution } from "./history.ts";
import { type Trend, within80 } from "./trend.ts";

/** No forecast is surer than this share of its slope: what drives a trend may change. */
export const errorShareMin = 0.05;

/** Milliseconds from now. */
export interface TimeLeft {
  readonly leftMs: number;
  readonly earlyMs: number;
  readonly lateMs: number;
}

/**
 * `habitMs`: the trend is of peaks that come so far apart. Undefined when it is full already, does not rise, bends away before
 * the limit, or when the interval has no end.
 */
export function timeLeftOf(trend: Trend, limit: number, habitMs: number): TimeLeft | undefined {
  const distance = limit - trend.level;
  const { slope, bend, spanMs } = trend;
  if (!(distance > resolution) || !(slope > 0)) return undefined;
  const straightMs = distance / slope;
  const leftMs = bend === 0 ? straightMs : bentMs(distance, slope, bend);
  if (Number.isNaN(leftMs)) return undefined;
  // Where (mean h - distance)^2 = within80^2 (straying h + error^2 h^2).
  const mean = distance / leftMs;
  const error = Math.max(trend.error * (bend === 0 ? 1 : 1 + leftMs / spanMs), errorShareMin * mean);
  const straying = Math.max(trend.straying, (resolution * resolution) / spanMs);
  const square = within80 * within80;
  const a = mean * mean - square * error * error;
  if (a <= 0) return undefined;
  const b = 2 * distance * mean + square * straying;
  const root = Math.sqrt(Math.max(0, b * b - 4 * a * distance * distance));
  const earlyMs = Math.min((b - root) / (2 * a), straightMs) - habitMs / 2;
  const lateMs = Math.max((b + root) / (2 * a), straightMs) + habitMs / 2;
  return { leftMs, earlyMs: Math.max(0, earlyMs), lateMs };
}

/** The first root h of bend / 2 h^2 + slope h = distance; NaN when it never comes so far. */
function bentMs(distance: number, slope: number, bend: number): number {
  return (2 * distance) / (slope + Math.sqrt(slope * slope + 2 * bend * distance));
}
