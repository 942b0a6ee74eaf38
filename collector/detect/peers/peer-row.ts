/**
 * What one host says of one step to its siblings: of each metric, how far it is from its own level, and what stands out.
 *
 * z is the mean of the step's samples minus the level before them, in units of such a mean's expected deviation (`level.ts`), with its sign. The
 * level would follow what lasts; so from the step on in which a metric stands out, it is measured against the level as it was then, until it
 * is back or has lasted so long that this is how it is. All of it is a function of the host's own data: siblings come later.
 */
import { factorAt } from "../feedback.ts";
import type { HostDetector } from "../host-detector.ts";
import { deviationOf } from "../level.ts";
import { acceptMs } from "../open-anomalies.ts";
import * as state from "../series-state.ts";
import { capacityShare } from "../describe.ts";

const { flag, near, wide, wideLength } = state;

/** A metric stands out from this many of its own expected deviations on. */
const ownMin = 3;
/** And is back below half of that. */
const backShare = 0.5;
/** Before this many samples a level is a guess. */
const samplesMin = 18;

/** One metric of the host that stands out. */
export interface Strong {
  readonly number: number;
  readonly z: number;
  readonly value: number;
  readonly expected: number;
  readonly sigma: number;
  /** Multiplies thresholds: the operator's sensitivity and feedback. */
  readonly factor: number;
  /** The deviation as a share of what the host has. */
  readonly hostShare: number | null;
  readonly completeness: number;
  /** The anomaly that its own history has opened, or null. */
  readonly own: string | null;
}

export interface Row {
  step: number;
  timeMs: number;
  /** By index of the compared metric; NaN is "no value". */
  z: Float32Array;
  strong: readonly Strong[];
}

/** Against what a metric that stands out is measured, and since when. */
export interface Watch {
  readonly expected: number;
  readonly sigma: number;
  readonly sinceMs: number;
}

/** Number to index of a compared metric. */
export const notCompared = 65_535;

/** What a host remembers of its compared metrics from step to step. */
export interface Memory {
  /** By number: the metric's index, or `notCompared`. */
  indexes: Uint16Array;
  /** By index: the level at the end of the last step; NaN when there was none. */
  levels: Float64Array;
  readonly watches: Map<number, Watch>;
}

/** Reads the step that has just ended on `of` into `z`, and returns what stands out. */
export function readStep(of: HostDetector, { indexes, levels, watches }: Memory, z: Float32Array): Strong[] {
  const { table, tick } = of;
  const { series, values, length } = tick.step;
  const { wide: wides, samples } = table;
  const { scales } = of;
  const strong: Strong[] = [];
  z.fill(Number.NaN);
  const variance = of.hasLongSteps ? near.shortVariance : near.variance;
  const stale = watches.size === 0 ? null : new Set(watches.keys());
  for (let column = 0; column < length; column += 1) {
    const number = series[column]!;
    const index = indexes[number] ?? notCompared;
    if (index === notCompared) continue;
    const before = levels[index]!;
    levels[index] = wides[number * wideLength + wide.level]!;
    if (samples[number]! < samplesMin) continue;
    const watch = stale === null ? undefined : watches.get(number);
    const sigma = watch?.sigma ?? deviationOf(table, number, variance, scales);
    const expected = watch?.expected ?? before;
    const value = values[column]!;
    const own = (value - expected) / sigma;
    z[index] = own;
    if (!(own >= ownMin * backShare || own <= -ownMin * backShare)) continue;
    const sinceMs = watch?.sinceMs ?? tick.timeMs;
    const found = standsOut(of, { number, z: own, value, expected, sigma }, watch !== undefined);
    if (found === null || tick.timeMs - sinceMs >= acceptMs(table.policyOf(number))) continue;
    strong.push(found);
    stale?.delete(number);
    if (watch === undefined) watches.set(number, { expected, sigma, sinceMs });
  }
  if (stale !== null) for (const number of stale) watches.delete(number);
  return strong;
}

/** Null: it is within what it may be, or off in the good direction, or by too little to matter. */
function standsOut(
  of: HostDetector,
  reading: Pick<Strong, "number" | "z" | "value" | "expected" | "sigma">,
  watched: boolean,
): Strong | null {
  const { table, facts } = of;
  const { number, z, value, expected } = reading;
  const flagged = table.flags[number]!;
  if ((flagged & (z > 0 ? flag.badUp : flag.badDown)) === 0) return null;
  const policy = table.policyOf(number);
  const factor = policy.thresholdFactor * factorAt(table.feedbackOf(number), value, policy.bound, flagged);
  const share = watched ? backShare : 1;
  if (Math.abs(z) < ownMin * factor * share) return null;
  const smallest = Math.max(policy.floor, policy.floorShare * Math.abs(expected));
  if (Math.abs(value - expected) <= smallest * share) return null;
  const { meaning } = table.policies.resolve(table.series[number]!, table.host);
  return {
    ...reading,
    factor,
    hostShare: capacityShare(meaning, value - expected, facts),
    completeness: facts.completeness,
    own: of.openOf(number)?.id ?? null,
  };
}
