/**
 * Turns an exceeding sample into an `Anomaly`: how far out it is, what was expected, and the reasons that raised and lowered
 * its score. Runs once an anomaly, not once a sample.
 */
import type { Anomaly, DetectorName, Reason } from "#shared/anomaly.ts";
import type { Meaning } from "#shared/semantics.ts";
import { factorAt } from "./feedback.ts";
import { floorOf, isBeyond, tailScore, zMin, zScore } from "./level.ts";
import { isUnprecedented } from "./record.ts";
import { flag, policyLength, policySlot, rowLength, type SeriesTable, slot } from "./series-state.ts";

/** Score of a sample at its kind's bound while the series has no history of its own. */
const provisionalScore = 2;
/** What being unprecedented, or at the bound, is worth in orders of magnitude. */
const unprecedentedScore = 1;
const boundScore = 1;
/** Below this share of samples present the verdict says so. */
const completeShare = 0.9;

/** Younger than this, what appeared is told as new: it has no history to be the largest of. */
const newMs = 120_000;

export interface ExceedingSample {
  readonly value: number;
  readonly startedMs: number;
  readonly timeMs: number;
  /** Judged by its own history. */
  readonly ready: boolean;
}

export interface HostFacts {
  readonly cores: number;
  readonly memoryBytes: number;
  readonly completeness: number;
}

export function describe(
  table: SeriesTable,
  number: number,
  sample: ExceedingSample,
  facts: HostFacts,
): Anomaly {
  const info = table.info[number]!;
  const { meaning } = info;
  const { value, ready } = sample;
  const row = table.rows.subarray(number * rowLength, (number + 1) * rowLength);
  const floor = floorOf(meaning.floor, meaning.floorShare, row[slot.slow]!, row[slot.low]!, row[slot.high]!);
  const deviation = value - row[slot.slow]!;
  const z = Math.min(
    zScore(deviation, row[slot.slowVariance]!, floor),
    zScore(value - row[slot.fast]!, row[slot.fastVariance]!, floor),
  );
  const boundBelow = meaning.badDirection === "down";
  const direction = ready ? (deviation >= 0 ? "up" : "down") : boundBelow ? "down" : "up";
  const record = row[direction === "up" ? slot.recordUp : slot.recordDown]!;
  const unprecedented = ready && isUnprecedented(Math.abs(deviation), record);
  const bound = meaning.bound ?? Number.NaN;
  const flagged = table.flags[number]!;
  const atBound = isBeyond(value, bound, flagged & flag.badUp);
  const factor = factorAt(table.feedback[number]!, value, bound, flagged);
  const detector: DetectorName = atBound ? "bound" : unprecedented ? "record" : "level";
  const raised = (unprecedented ? unprecedentedScore : 0) + (atBound ? boundScore : 0);
  const width = factor * table.policy[number * policyLength + policySlot.thresholdFactor]!;
  const [expectedLow, expectedHigh] = ready ? expectedBand(row, floor, width) : bandAtBound(meaning);
  return {
    id: `${table.host}|${info.id}|${sample.startedMs}`,
    host: table.host,
    entity: meaning.entity,
    series: info.id,
    metric: info.series.metric,
    kind: meaning.kind,
    resource: meaning.resource,
    role: meaning.role,
    unit: meaning.unit,
    detector,
    direction,
    startedMs: sample.startedMs,
    lastMs: sample.timeMs,
    ended: false,
    value,
    expectedLow,
    expectedHigh,
    score: Math.min(16, (ready ? tailScore(z) : provisionalScore) + raised),
    hostShare: hostShare(meaning, deviation, facts),
    provisional: !ready,
    completeness: facts.completeness,
    reasons: reasons({
      ...sample,
      atBound,
      unprecedented,
      z,
      factor,
      meaning,
      facts,
      sinceMs: row[slot.sinceMs]!,
    }),
  };
}

function bandAtBound({ bound = 0, badDirection, unit }: Meaning): [low: number, high: number] {
  return badDirection === "down" ? [bound, Math.max(bound, unit === "1" ? 1 : bound)] : [0, bound];
}

/**
 * Where a sample would not be anomalous: within floor + zMin sigma of either level, times what policy and feedback make of it. Never
 * narrower than the smallest deviation that matters; never below 0 if nothing ever was.
 */
function expectedBand(row: Float64Array, floor: number, factor: number): [low: number, high: number] {
  const width = (variance: number): number => Math.max(floor, factor * (floor + zMin * Math.sqrt(variance)));
  const slowWidth = width(row[slot.slowVariance]!);
  const fastWidth = width(row[slot.fastVariance]!);
  const low = Math.min(row[slot.slow]! - slowWidth, row[slot.fast]! - fastWidth);
  const high = Math.max(row[slot.slow]! + slowWidth, row[slot.fast]! + fastWidth);
  return [row[slot.low]! >= 0 ? Math.max(0, low) : low, high];
}

function hostShare(meaning: Meaning, deviation: number, facts: HostFacts): number | null {
  if (meaning.capacity === "cores") return facts.cores > 0 ? deviation / facts.cores : null;
  if (meaning.capacity === "memory") return facts.memoryBytes > 0 ? deviation / facts.memoryBytes : null;
  const isShareOfHost =
    meaning.kind === "utilisation" && meaning.unit === "1" && meaning.entity.kind === "host";
  return isShareOfHost ? deviation : null;
}

function reasons(of: {
  atBound: boolean;
  unprecedented: boolean;
  ready: boolean;
  z: number;
  factor: number;
  sinceMs: number;
  timeMs: number;
  meaning: Meaning;
  facts: HostFacts;
}): Reason[] {
  const all: Reason[] = [];
  if (of.atBound) {
    const args = { bound: of.meaning.bound ?? 0, unit: of.meaning.unit };
    all.push({ key: "reason.bound", effect: "raised", args });
  }
  if (of.ready)
    all.push({ key: "reason.level", effect: "raised", args: { times: of.z / (zMin * of.factor) } });
  else all.push({ key: "reason.provisional", effect: "lowered", args: {} });
  const known = of.timeMs - of.sinceMs;
  if (of.unprecedented && of.meaning.bornAtZero && known < newMs) {
    all.push({ key: "reason.new", effect: "raised", args: {} });
  } else if (of.unprecedented) {
    all.push({ key: "reason.record", effect: "raised", args: { known } });
  } else if (of.ready) {
    all.push({ key: "reason.seen", effect: "lowered", args: {} });
  }
  if (of.ready && of.factor !== 1) {
    const effect = of.factor > 1 ? "lowered" : "raised";
    all.push({ key: "reason.feedback", effect, args: { times: of.factor } });
  }
  if (of.facts.completeness < completeShare) {
    all.push({ key: "reason.incomplete", effect: "lowered", args: { share: of.facts.completeness } });
  }
  return all;
}
