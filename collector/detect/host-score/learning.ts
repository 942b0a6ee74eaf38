/**
 * What a host's joint model learns of a row that was judged: levels, variances, ranges, the pattern of the day, mean cubes and the
 * covariance of what P is applied to. Everything is an exponential mean: plain while young, later with a half-life of three weeks;
 * deviations are winsorised at three; and what the score says is trouble weighs little (`acceptance.ts`).
 */
import { follow, type Lesson } from "./acceptance.ts";
import { channels, type ModelState, slotsPerDay } from "./model-state.ts";
import { invert } from "./precision.ts";
import { row } from "./scratch.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** 10 days: worse by 0.03; 40 days: no difference. */
const halfLifeMs = 21 * dayMs;
/** A metric is judged, and winsorised, after this much of it. A whole day: no difference. */
const warmupMs = dayMs / 2;
/** The matrix is fitted anew this often; once a day gave the same. */
const fitMs = 6 * hourMs;
/** Added to each variance of 1 before inverting: 0.1 to 1: no difference. */
const ridge = 0.3;
/** 2.5 and 4: no difference. */
const winsorAt = 3;
/** What the level moves to when a state is accepted: the mean of about the last day. */
const dayHalfLifeMs = dayMs / 2;
/** An accepted level is as sure as one of this age: still quick to move. */
const relevelledMs = 2 * dayMs;
/** "Some minutes" of abrupt changes. 8 to 30 minutes: worse by 0.015 at most. */
const fastMs = 15 * 60_000;
const fastRowsMin = 3;
/** How much of a slot an hour replaces: about a week's memory. 0.08 to 0.3: worse by 0.015 at most. */
const slotWeight = 0.15;
/** Ranges shrink towards the level at this share of the slow weight. */
const rangeShare = 0.25;

/** How long a mean of the last minutes stands for them. */
export function fastSpanMs(intervalMs: number): number {
  return Math.max(fastRowsMin * intervalMs, fastMs);
}

const lesson: Lesson = { weight: 1, hurry: 0, slotWeight: 0, relevel: false };

export function learn(state: ModelState, values: Float64Array, elapsedMs: number, hour: number): void {
  const { figures, size, ageMs, levelAgeMs, level, day } = state;
  follow(figures, elapsedMs, lesson);
  if (lesson.relevel) {
    level.set(day);
    for (let j = 0; j < size; j += 1) levelAgeMs[j] = Math.min(levelAgeMs[j]!, relevelledMs);
  }
  const slow = 1 - 2 ** (-elapsedMs / halfLifeMs);
  for (let j = 0; j < size; j += 1)
    row.weight[j] = Math.max(slow, elapsedMs / ageMs[j]!, lesson.hurry) * lesson.weight;
  learnCubes(state, elapsedMs, slow);
  learnMetrics(state, values, elapsedMs, slow, hour);
  learnCovariance(state);
  fitWhenDue(state, elapsedMs);
}

/** Not winsorised: a metric pays for its own tail. */
function learnCubes(state: ModelState, elapsedMs: number, slow: number): void {
  const { size, joinedMs, residualCubes, deviationCube } = state;
  for (let j = 0; j < size; j += 1) {
    if (!state.isJoined(j)) continue;
    joinedMs[j]! += elapsedMs;
    if (row.known[j] === 0) continue;
    const weight = Math.max(slow, elapsedMs / joinedMs[j]!, lesson.hurry) * lesson.weight;
    for (let channel = 0; channel < channels; channel += 1)
      learnCube(residualCubes[channel]!, j, row.residuals[channel]![j]!, weight);
    learnCube(deviationCube, j, Math.abs(row.deviation[j]!), weight);
  }
}

function learnCube(cubes: Float32Array, metric: number, value: number, weight: number): void {
  cubes[metric]! += weight * (value * value * value - cubes[metric]!);
}

function learnMetrics(
  state: ModelState,
  values: Float64Array,
  elapsedMs: number,
  slow: number,
  hour: number,
): void {
  const { size, level, variance, low, high, day, fast, ageMs, levelAgeMs, slots, slotRows } = state;
  const { known, scale, deviation, rest, complete, weight } = row;
  const dayWeight = 1 - 2 ** (-elapsedMs / dayHalfLifeMs);
  const fastWeight = 2 / (Math.max(fastRowsMin, fastMs / elapsedMs) + 1);
  const hourWeight = weightInHour(slotRows[hour]!, elapsedMs);
  slotRows[hour]! += 1;
  for (let j = 0; j < size; j += 1) {
    if (known[j] === 0) continue;
    const value = values[j]!;
    const off = value - level[j]!;
    const step = ageMs[j]! > warmupMs ? winsorised(off, winsorAt / scale[j]!) : off;
    const levelWeight = Math.max(weight[j]!, (elapsedMs / levelAgeMs[j]!) * lesson.weight);
    level[j]! += levelWeight * step;
    variance[j]! += weight[j]! * (step * step - variance[j]!);
    day[j]! += Math.max(dayWeight, elapsedMs / ageMs[j]!) * (value - day[j]!);
    fast[j]! += fastWeight * (value - fast[j]!);
    low[j]! += slow * rangeShare * (level[j]! - low[j]!);
    high[j]! += slow * rangeShare * (level[j]! - high[j]!);
    const at = hour * size + j;
    slots[at]! += hourWeight * (winsorised(deviation[j]!, winsorAt) - slots[at]!);
    // What has not joined yet was left out of the judgement; it is learned all the same.
    complete[j] = winsorised(state.isJoined(j) ? complete[j]! : rest[j]!, winsorAt);
  }
}

/** Plain mean in the first hour that is seen, then a share of each further one. */
function weightInHour(rowsBefore: number, elapsedMs: number): number {
  const rowsInHour = dayMs / slotsPerDay / elapsedMs;
  if (rowsBefore < rowsInHour) return 1 / (1 + rowsBefore);
  return Math.min(1, ((lesson.slotWeight || slotWeight) / rowsInHour) * lesson.weight);
}

/** Of the very vector that P is applied to. The younger of two metrics says how fast they learn of each other. */
function learnCovariance({ size, covariance }: ModelState): void {
  const { known, complete, weight } = row;
  for (let i = 0, at = 0; i < size; i += 1) {
    if (known[i] === 0) {
      at += i + 1;
      continue;
    }
    const own = complete[i]!;
    const ownWeight = weight[i]!;
    for (let j = 0; j <= i; j += 1, at += 1) {
      if (known[j] === 0) continue;
      const both = weight[j]! > ownWeight ? weight[j]! : ownWeight;
      covariance[at]! += both * (own * complete[j]! - covariance[at]!);
    }
  }
}

function fitWhenDue(state: ModelState, elapsedMs: number): void {
  const { figures, size, ageMs } = state;
  figures.sinceFitMs += elapsedMs;
  if (figures.fitted && figures.sinceFitMs < fitMs) return;
  let warm = figures.fitted;
  for (let j = 0; j < size && !warm; j += 1) warm = ageMs[j]! > warmupMs;
  if (!warm) return;
  figures.sinceFitMs = 0;
  figures.fitted = true;
  fit(state);
}

/** Fits the matrix to what is known now; metrics that are past their warm-up join it. */
export function fit(state: ModelState): void {
  const { size, ageMs, joinedMs, covariance, precision } = state;
  for (let j = 0; j < size; j += 1) {
    if (!state.isJoined(j) && ageMs[j]! > warmupMs) joinedMs[j] = 0;
  }
  invert(covariance, size, ridge, (metric) => state.isJoined(metric), precision);
}

function winsorised(value: number, most: number): number {
  return value > most ? most : value < -most ? -most : value;
}
