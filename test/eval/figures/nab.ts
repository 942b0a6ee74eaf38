/**
 * The score of the Numenta Anomaly Benchmark: a detection counts more the earlier it falls in an event's window.
 *
 * After Lavin and Ahmad 2015 and NAB's own sweeper: inside a window of w rows the reward falls from 1 at its first row to about 0
 * at its last, only the best detection of a window counts; outside, a detection costs up to 1, less just after a window. The
 * threshold is the best one over all rows of all files, per profile: an oracle, the benchmark's own rule. Rows of the first
 * 15 % (at most 750) count for nothing. 100 is perfect, 0 is a detector that never speaks.
 * Cost: one sort of all rows, then one pass for all profiles.
 */
import { concatenated, highestFirst, noAlarm, type Span } from "./order.ts";

export interface NabProfile {
  readonly name: "standard" | "low_fp" | "low_fn";
  readonly hit: number;
  readonly miss: number;
  readonly falseAlarm: number;
}

export const nabProfiles: readonly NabProfile[] = [
  { name: "standard", hit: 1, miss: 1, falseAlarm: 0.11 },
  { name: "low_fp", hit: 1, miss: 1, falseAlarm: 0.22 },
  { name: "low_fn", hit: 1, miss: 2, falseAlarm: 0.11 },
];

/** One file: a score per row and the windows of its events, in order of time. */
export interface NabScored {
  readonly scores: Float32Array;
  readonly windows: readonly Span[];
}

export interface NabFigure {
  /** At most 100. */
  readonly score: number;
  /** Rows with this score or a higher one are detections. */
  readonly threshold: number;
}

/** Rows at the beginning that count for nothing. */
export function nabProbation(rows: number): number {
  return Math.min(Math.floor(0.15 * rows), 750);
}

const steepness = 5;
const sigmoid = (x: number): number => 2 / (1 + Math.exp(steepness * x)) - 1;
const fullReward = sigmoid(-1);
/** Further from the last window than this many of its widths, a detection is plainly wrong. */
const nearWidths = 3;

/** What each row is worth if detected: reward in its window (`window` >= 0), or cost outside (`window` -1, negative). */
export interface NabWorth {
  readonly worth: Float64Array;
  readonly window: Int32Array;
}

export function nabWorth(rows: number, windows: readonly Span[]): NabWorth {
  const worth = new Float64Array(rows).fill(-1);
  const window = new Int32Array(rows).fill(-1);
  for (const [number, { start, end }] of windows.entries()) {
    const width = end - start + 1;
    for (let row = start; row <= end && row < rows; row += 1) {
      window[row] = number;
      worth[row] = sigmoid(-(end - row + 1) / width) / fullReward;
    }
    const next = windows[number + 1]?.start ?? rows;
    for (let row = end + 1; row < next; row += 1) {
      const away = (row - end) / Math.max(1, width - 1);
      worth[row] = away > nearWidths ? -1 : sigmoid(away);
    }
  }
  return { worth, window };
}

/** The best score of each profile, its threshold swept over every row of every file; equal scores are detected together. */
export function nabSweep(files: readonly NabScored[]): Record<NabProfile["name"], NabFigure> {
  const scores = concatenated(files.map((file) => file.scores));
  const worth = new Float64Array(scores.length);
  const window = new Int32Array(scores.length).fill(-1);
  const probation = new Uint8Array(scores.length);
  let windows = 0;
  let offset = 0;
  for (const file of files) {
    const rows = file.scores.length;
    const own = nabWorth(rows, file.windows);
    worth.set(own.worth, offset);
    for (let row = 0; row < rows; row += 1) {
      if (own.window[row]! >= 0) window[offset + row] = own.window[row]! + windows;
    }
    probation.fill(1, offset, offset + nabProbation(rows));
    windows += file.windows.length;
    offset += rows;
  }
  const order = highestFirst(scores);
  const best = nabProfiles.map(({ miss }) => ({ total: -miss * windows, threshold: noAlarm }));
  const reward = new Float64Array(windows);
  let rewards = 0;
  let hits = 0;
  let cost = 0;
  for (let place = 0; place < order.length; place += 1) {
    const row = order[place]!;
    if (probation[row] === 0) {
      const number = window[row]!;
      if (number < 0) cost += worth[row]!;
      else if (worth[row]! > reward[number]!) {
        if (reward[number] === 0) hits += 1;
        rewards += worth[row]! - reward[number]!;
        reward[number] = worth[row]!;
      }
    }
    const next = order[place + 1];
    if (next !== undefined && scores[next] === scores[row]) continue;
    for (const [index, { hit, miss, falseAlarm }] of nabProfiles.entries()) {
      const total = hit * rewards - miss * (windows - hits) + falseAlarm * cost;
      if (total > best[index]!.total) best[index] = { total, threshold: scores[row]! };
    }
  }
  const figure = (index: number): NabFigure => ({
    score: normalised(best[index]!.total, windows, nabProfiles[index]!),
    threshold: best[index]!.threshold,
  });
  return { standard: figure(0), low_fp: figure(1), low_fn: figure(2) };
}

function normalised(total: number, windows: number, { hit, miss }: NabProfile): number {
  const silent = -miss * windows;
  return windows === 0 ? 0 : (100 * (total - silent)) / (hit * windows - silent);
}

/** What one file has at a threshold. */
export interface NabCounts {
  /** Per window: the first row that detected it, -1 when missed. */
  readonly detectedAt: readonly number[];
  readonly reward: number;
  /** Negative: the cost of all detected rows outside windows, before the profile's weight. */
  readonly cost: number;
  readonly falseRows: number;
}

export function nabCounts({ scores, windows }: NabScored, threshold: number): NabCounts {
  const { worth, window } = nabWorth(scores.length, windows);
  const detectedAt = windows.map(() => -1);
  let reward = 0;
  let cost = 0;
  let falseRows = 0;
  for (let row = nabProbation(scores.length); row < scores.length; row += 1) {
    if (!(scores[row]! >= threshold)) continue;
    const number = window[row]!;
    if (number < 0) {
      falseRows += 1;
      cost += worth[row]!;
    } else if (detectedAt[number] === -1) {
      // Rewards fall within a window: the first detected row is the best one.
      detectedAt[number] = row;
      reward += worth[row]!;
    }
  }
  return { detectedAt, reward, cost, falseRows };
}

/** The score of one profile at a threshold that was fixed elsewhere. */
export function nabAt(files: readonly NabScored[], profile: NabProfile["name"], threshold: number): number {
  const weights = nabProfiles.find(({ name }) => name === profile)!;
  let total = 0;
  let windows = 0;
  for (const file of files) {
    const { detectedAt, reward, cost } = nabCounts(file, threshold);
    const missed = detectedAt.filter((row) => row < 0).length;
    total += weights.hit * reward - weights.miss * missed + weights.falseAlarm * cost;
    windows += detectedAt.length;
  }
  return normalised(total, windows, weights);
}
