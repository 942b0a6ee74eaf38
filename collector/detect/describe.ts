/**
 * Turns a finding into an `Anomaly`: how far out it is, what was expected, and the reasons that raised and lowered its score.
 * Runs once an anomaly, not once a sample.
 */
import type { Anomaly, DetectorName, Reason } from "#shared/anomaly.ts";
import type { Meaning } from "#shared/semantics.ts";
import { factorAt } from "./feedback.ts";
import { type Standstill, standstill } from "./flat.ts";
import { expectedDeviation, isBeyond } from "./level.ts";
import type { SeriesPolicy } from "./policy.ts";
import { channels, type RecordAlarm } from "./record.ts";
import {
  channelCount,
  counts,
  countsLength,
  flag,
  past,
  pastLength,
  type SeriesTable,
  slow,
  slowLength,
} from "./series-state.ts";
import type { Scales } from "./scales.ts";
import { flatScore, recordScore, unusualScore } from "./severity.ts";

/** Score of a sample at its kind's bound while the series has no history of its own. */
const provisionalScore = 2;
/** What being farther out than ever, or at the bound, is worth in orders of magnitude. */
const unprecedentedScore = 1;
const boundScore = 1;
/** Farther out than ever by this much. */
const recordMargin = 1.05;
/** Channels from here on say nothing about where a value should be. */
const jumpChannel = channels.indexOf("jump");
/** Of a deviation that nothing was ever like: a constant that moved. */
const timesMax = 1000;
/** Below this share of samples present the verdict says so. */
const completeShare = 0.9;
/** Younger than this, what appeared is told as new: it has no history to be the largest of. */
const newMs = 120_000;

/** What a sample was judged by: the series' own history, or while that is short its kind's usual deviation, or its bound. */
export type Basis = "own" | "kind" | "bound";

export interface Finding {
  readonly value: number;
  readonly expected: number;
  /** Standard deviations that it is off by. */
  readonly z: number;
  readonly basis: Basis;
  /** What the records said, if they found it. */
  readonly alarm: RecordAlarm | null;
  /** It is told because it stands still, not for its value. */
  readonly still?: Standstill;
}

export interface HostFacts {
  readonly cores: number;
  readonly memoryBytes: number;
  readonly completeness: number;
}

/** When it is, and with what moments it was compared. */
export interface Compared {
  readonly startedMs: number;
  readonly timeMs: number;
  readonly dayClass: string;
  readonly hour: number;
  readonly scales: Scales;
  /** Over how long the level of the last samples is. */
  readonly levelMs: number;
  /** When it was as far off before; null: never, or nobody remembers. */
  readonly similar: Reason | null;
  /** Standard deviations from which a sample exceeds. */
  readonly zMin: number;
}

export function describe(
  table: SeriesTable,
  number: number,
  finding: Finding,
  compared: Compared,
  facts: HostFacts,
): Anomaly {
  const { series, id, meaning } = table.info(number)!;
  const { value, expected, basis, alarm } = finding;
  const policy = table.policyOf(number);
  const flagged = table.flags[number]!;
  const deviation = value - expected;
  const boundBelow = meaning.badDirection === "down";
  const isFlat = finding.still !== undefined;
  const towards = basis === "bound" ? (boundBelow ? "down" : "up") : deviation >= 0 ? "up" : "down";
  const direction = isFlat ? "down" : towards;
  const knownMs = table.counts[number * countsLength + counts.steps]! * compared.scales.stepMs;
  const isNew = meaning.bornAtZero && knownMs < newMs;
  const unprecedented =
    basis === "own" && !isFlat && (alarm !== null || isNew || isFarthest(table, number, value));
  const atBound = isBeyond(value, policy.bound, flagged & flag.badUp);
  const factor = factorAt(table.feedbackOf(number), value, policy.bound, flagged);
  const detector: DetectorName = isFlat ? "flat" : atBound ? "bound" : unprecedented ? "record" : "level";
  const stands = (flagged & flag.flat) !== 0;
  const width =
    factor * policy.thresholdFactor * compared.zMin * expectedDeviation(table, number, compared.scales);
  const band = basis === "bound" ? bandAtBound(meaning) : expectedBand(table, number, finding, policy, width);
  return {
    id: `${table.host}|${id}|${compared.startedMs}`,
    host: table.host,
    entity: meaning.entity,
    series: id,
    metric: series.metric,
    kind: meaning.kind,
    resource: meaning.resource,
    // That it stands still says where to look; by itself it is no trouble.
    role: isFlat ? "evidence" : meaning.role,
    unit: meaning.unit,
    detector,
    direction,
    startedMs: compared.startedMs,
    lastMs: compared.timeMs,
    ended: false,
    value,
    expectedLow: band[0],
    expectedHigh: band[1],
    score: scoreOf(finding, detector),
    hostShare: capacityShare(meaning, deviation, facts),
    provisional: basis !== "own",
    completeness: facts.completeness,
    reasons: reasons({
      ...finding,
      ...compared,
      atBound,
      unprecedented,
      isFlat,
      slowLevelMs: compared.scales.stepMs / compared.scales.slowLevel,
      still: stands ? standstill(table, number, compared.scales.stepMs) : null,
      isNew,
      knownMs,
      times: Math.abs(deviation) / width,
      factor,
      seasonal: (flagged & flag.seasonal) !== 0,
      meaning,
      facts,
    }),
  };
}

/** The score of what was found by `detector`. */
export function scoreOf({ z, basis, alarm }: Finding, detector: DetectorName): number {
  if (detector === "flat") return flatScore;
  if (alarm !== null) return recordScore(alarm.doublings);
  const raised = detector === "record" ? unprecedentedScore : detector === "bound" ? boundScore : 0;
  return basis === "bound" ? provisionalScore + raised : unusualScore(z, raised);
}

/** Farther from the level of the last hours than any step so far. */
function isFarthest(table: SeriesTable, number: number, value: number): boolean {
  const off = value - table.slow[number * slowLength + slow.level]!;
  const at = number * pastLength + past.record1 + (off < 0 ? 1 : 0);
  const { past: n } = table;
  return Math.abs(off) > recordMargin * Math.max(n[at]!, n[at + 2 * channelCount]!);
}

function bandAtBound({ bound = 0, badDirection, unit }: Meaning): [low: number, high: number] {
  return badDirection === "down" ? [bound, Math.max(bound, unit === "1" ? 1 : bound)] : [0, bound];
}

/**
 * Where a sample would not be anomalous: within the threshold, never narrower than the smallest deviation that matters, and for
 * an alarm of the records than what was seen before; within what is possible at all.
 */
function expectedBand(
  table: SeriesTable,
  number: number,
  { expected, alarm }: Finding,
  { floor, floorShare, rangeLow, rangeHigh }: SeriesPolicy,
  width: number,
): [low: number, high: number] {
  const isLevel = alarm !== null && alarm.channel < jumpChannel;
  const seen = !isLevel ? 0 : table.past[number * pastLength + past.record1 + alarm.channel]!;
  const most = Math.max(width, floor, floorShare * Math.abs(expected), seen);
  return [Math.max(rangeLow, expected - most), Math.min(rangeHigh, expected + most)];
}

/** `deviation` as a share of what the whole host has; null when that has no meaning. */
export function capacityShare(meaning: Meaning, deviation: number, facts: HostFacts): number | null {
  if (meaning.capacity === "cores") return facts.cores > 0 ? deviation / facts.cores : null;
  if (meaning.capacity === "memory") return facts.memoryBytes > 0 ? deviation / facts.memoryBytes : null;
  const isShareOfHost =
    meaning.kind === "utilisation" && meaning.unit === "1" && meaning.entity.kind === "host";
  return isShareOfHost ? deviation : null;
}

function reasons(of: {
  readonly alarm: RecordAlarm | null;
  readonly basis: Basis;
  readonly atBound: boolean;
  readonly isFlat: boolean;
  readonly still: Standstill | null;
  readonly unprecedented: boolean;
  readonly isNew: boolean;
  readonly knownMs: number;
  readonly times: number;
  readonly factor: number;
  readonly seasonal: boolean;
  readonly dayClass: string;
  readonly hour: number;
  readonly levelMs: number;
  readonly slowLevelMs: number;
  readonly similar: Reason | null;
  readonly meaning: Meaning;
  readonly facts: HostFacts;
}): Reason[] {
  const all: Reason[] = [];
  const isOwn = of.basis === "own";
  const raised = (key: string, args: Reason["args"]) => all.push({ key, effect: "raised", args });
  const lowered = (key: string, args: Reason["args"]) => all.push({ key, effect: "lowered", args });
  const channel = of.alarm === null ? null : channels[of.alarm.channel]!;
  if (of.isFlat && of.still !== null) raised("reason.flat", { ...of.still, known: of.knownMs });
  else if (channel === "hour" || (channel === null && isOwn && of.seasonal))
    raised("reason.hour", { day: of.dayClass, hour: of.hour });
  else if (isOwn && !of.isNew && (channel === null || channel === "level" || channel === "mean"))
    raised("reason.lately", { span: channel === null ? of.levelMs : of.slowLevelMs });
  if (of.still !== null && !of.isFlat) raised("reason.flat", { ...of.still, known: of.knownMs });
  if (of.atBound) raised("reason.bound", { bound: of.meaning.bound ?? 0, unit: of.meaning.unit });
  if (of.basis === "bound") lowered("reason.provisional", {});
  else if (channel === null && !of.isFlat) {
    if (of.times < timesMax) raised("reason.level", { times: of.times });
    else raised("reason.far", {});
  }
  if (of.basis === "kind") lowered("reason.prior", {});
  if (channel === "mean") raised("reason.mean", {});
  if (channel === "jump") raised("reason.jump", {});
  if (channel === "restless") raised("reason.restless", {});
  if (of.unprecedented && of.isNew) raised("reason.new", {});
  else if (of.unprecedented) raised("reason.record", { known: of.knownMs });
  else if (isOwn && !of.isFlat) all.push(of.similar ?? { key: "reason.seen", effect: "lowered", args: {} });
  if (of.basis !== "bound" && of.factor !== 1)
    all.push({
      key: "reason.feedback",
      effect: of.factor > 1 ? "lowered" : "raised",
      args: { times: of.factor },
    });
  if (of.facts.completeness < completeShare) lowered("reason.incomplete", { share: of.facts.completeness });
  return all;
}
