/**
 * What the joint model of one host keeps: columns by metric, two packed matrices and a few numbers, in two typed arrays.
 *
 * With d metrics: 10 d + 24 doubles and 29 d + d (d + 1) floats. 13 KB for 38 metrics, 29 KB for 64, which is the most there is.
 * What is in a metric's own unit is kept in doubles (a float has 7 digits: bytes of memory would lose their changes), what is in
 * units of its deviation in floats (measured: the same accuracy as with doubles).
 */
import { packedLength } from "./precision.ts";

/** Judged together at most: a tick costs about d^2 and the matrices d^2 bytes; beyond that little is gained and cost grows. */
export const metricsMax = 64;
export const slotsPerDay = 24;
/** Ways in which a metric can be unlike itself (`joint-model.ts`). */
export const channels = 3;

const widePerMetric = 10;
const floatsPerMetric = 2 + channels + slotsPerDay;

/** What survives a restart beside the arrays; plain JSON. */
export interface ModelFigures {
  /** 1 is the ordinary day. 0 until the model is fitted. */
  score: number;
  /** Metrics that are unusual now, as a share of those that are judged. */
  share: number;
  fitted: boolean;
  /** A metric has been judged: the score says something. */
  judging: boolean;
  sinceFitMs: number;
  lastMs: number;
  /** Usual distance of rows, 0 before it is known. */
  intervalMs: number;
  /** How long the score has been above its gate, and how far its acceptance is (`acceptance.ts`). */
  elevatedMs: number;
  accepting: 0 | 1 | 2;
}

const unfitted: ModelFigures = {
  score: 0,
  share: 0,
  fitted: false,
  judging: false,
  sinceFitMs: 0,
  lastMs: 0,
  intervalMs: 0,
  elevatedMs: 0,
  accepting: 0,
};

export class ModelState {
  readonly size: number;
  readonly figures: ModelFigures;
  readonly wide: Float64Array;
  readonly floats: Float32Array;
  /** Level and variance, learned slowly; the range seen, which shrinks as slowly. */
  readonly level: Float64Array;
  readonly variance: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Mean of the last day and of the last minutes, neither of them winsorised. */
  readonly day: Float64Array;
  readonly fast: Float64Array;
  /** Time of the last value. */
  readonly knownMs: Float64Array;
  /** Milliseconds since the first value (0 before it), since the level began, and since it joined the matrix (-1 before). */
  readonly ageMs: Float64Array;
  readonly levelAgeMs: Float64Array;
  readonly joinedMs: Float64Array;
  /** Rows seen in each hour of the day. */
  readonly slotRows: Float64Array;
  /** Mean of the cubed absolute deviation, and of each channel's residual. */
  readonly deviationCube: Float32Array;
  readonly residualCubes: readonly Float32Array[];
  /** Smoothed share in the score. */
  readonly blame: Float32Array;
  /** By hour, then by metric. */
  readonly slots: Float32Array;
  readonly covariance: Float32Array;
  readonly precision: Float32Array;

  constructor(size: number, saved?: { figures: ModelFigures; wide: Float64Array; floats: Float32Array }) {
    this.size = size;
    this.figures = { ...(saved?.figures ?? unfitted) };
    this.wide = saved?.wide.slice() ?? new Float64Array(widePerMetric * size + slotsPerDay);
    this.floats = saved?.floats.slice() ?? new Float32Array(floatsPerMetric * size + 2 * packedLength(size));
    let at = 0;
    const wide = (length: number): Float64Array => this.wide.subarray(at, (at += length));
    this.level = wide(size);
    this.variance = wide(size);
    this.low = wide(size);
    this.high = wide(size);
    this.day = wide(size);
    this.fast = wide(size);
    this.knownMs = wide(size);
    this.ageMs = wide(size);
    this.levelAgeMs = wide(size);
    this.joinedMs = wide(size);
    this.slotRows = wide(slotsPerDay);
    at = 0;
    const floats = (length: number): Float32Array => this.floats.subarray(at, (at += length));
    this.deviationCube = floats(size);
    this.residualCubes = Array.from({ length: channels }, () => floats(size));
    this.blame = floats(size);
    this.slots = floats(slotsPerDay * size);
    this.covariance = floats(packedLength(size));
    this.precision = floats(packedLength(size));
    if (saved === undefined) this.joinedMs.fill(-1);
  }

  isJoined(metric: number): boolean {
    return this.joinedMs[metric]! >= 0;
  }

  /**
   * The state for other metrics: `before[metric]` is which metric of this state it was, -1 for one that is new. What was learned of
   * those that stay, and of how they belong together, is kept. The caller fits the matrix anew.
   */
  chosenAnew(before: readonly number[]): ModelState {
    const next = new ModelState(before.length);
    Object.assign(next.figures, this.figures);
    next.slotRows.set(this.slotRows);
    for (const [metric, old] of before.entries()) {
      if (old < 0) continue;
      for (let column = 0; column < widePerMetric; column += 1)
        next.wide[column * next.size + metric] = this.wide[column * this.size + old]!;
      for (let column = 0; column < floatsPerMetric; column += 1)
        next.floats[column * next.size + metric] = this.floats[column * this.size + old]!;
      for (let other = 0; other <= metric; other += 1) {
        if (before[other]! >= 0)
          next.covariance[packedLength(metric) + other] = this.#covarianceOf(old, before[other]!);
      }
    }
    return next;
  }

  #covarianceOf(a: number, b: number): number {
    return this.covariance[packedLength(Math.max(a, b)) + Math.min(a, b)]!;
  }
}
