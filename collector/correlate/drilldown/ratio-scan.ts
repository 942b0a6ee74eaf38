/**
 * Which combination of attribute values explains failures: a subset scan with a likelihood ratio that knows that leaves differ.
 *
 * Each leaf has an expectation, its attempts times its own usual share, which leans on the usual share of all by `priorAttempts`. A
 * combination is scored by how much more probable it makes its own leaves' failures, when all of their expectations are multiplied
 * by one factor (actual / expected of the whole), than they are without it. The best is a cause; its leaves are taken out, and what is left is
 * asked again. This is the scan of Kulldorff (1997) and Neill (2012) over the combinations of attributes, with counts that are negative
 * binomial instead of Poisson: the factor of one fault differs between leaves by a third or so (`sameness`). With Poisson counts
 * and a hundred thousand attempts every difference is significant, and the answer is a part of the cause, or, summed over children
 * instead of leaves, a parent that hides healthy ones. With this the right level of detail needs no penalty: a combination too wide pays for
 * each healthy leaf, one too narrow leaves failures unexplained. Penalties for length were tried and lost 7 of 68 public cases at 3 %.
 *
 * Cost: a logarithm for each leaf and set of attributes whose combination may matter; 2,000 leaves of 5 attributes 2 ms.
 */
import {
  assertBounded,
  type Groups,
  groupsOf,
  inCommon,
  type Leaves,
  leavesLike,
  subsetsOf,
  tellingAttributes,
  whereOf,
} from "./leaves.ts";
import {
  attributesPerCombinationMax,
  causesMax,
  type Combination,
  type DrillDown,
  nextOf,
  nextShareMin,
  shareOf,
} from "./answer.ts";

export interface RatioLeaves {
  readonly leaves: Leaves;
  /** What was tried and what of it failed, by leaf, in the moments that are asked about. */
  readonly attempts: Float64Array;
  readonly failures: Float64Array;
  /** The same in calm times before. */
  readonly usualAttempts: Float64Array;
  readonly usualFailures: Float64Array;
}

/** A leaf's own usual share counts as much as that of all once it has this many attempts. */
const priorAttempts = 50;
/** The size of the negative binomial: its relative standard deviation is 1 / sqrt(10), about a third. */
const sameness = 10;
/** A further cause explains this much of all excess, and scores this much of what the first does. */
const furtherShareMin = 0.25;
const furtherScoreMin = 0.2;
/** Less than this of what is left to explain is not worth a look. */
const excessShareMin = 0.05;
/** Where nothing ever failed, one failure in this many attempts is still possible. */
const usualShareMin = 1e-6;
const expectedMin = 1e-6;
/** Scores are sums in some order: what differs by less is the same. */
const equalScores = 1e-9;

/** What explains the failures beyond what is usual, best first; nothing when there are none beyond it. */
export function drillRatio(input: RatioLeaves): DrillDown {
  assertBounded(input.leaves);
  const scan = new Scan(input);
  const causes: Combination[] = [];
  let [excess, firstScore] = [scan.excess(), 0];
  for (let turn = 0; turn <= causesMax; turn += 1) {
    // What could not even be next best need not be scored.
    const best = scan.best(nextShareMin * Math.max(0, excess));
    if (best === null) break;
    if (turn === 0) {
      firstScore = best.score;
      excess = Math.max(excess, best.excess);
    } else if (
      turn === causesMax ||
      best.excess < furtherShareMin * excess ||
      best.score < furtherScoreMin * firstScore
    )
      return { causes, next: nextOf(scan.told(best, excess)), excess };
    causes.push(scan.told(best, excess));
    scan.remove(best);
  }
  return { causes, next: null, excess: Math.max(0, excess) };
}

interface Candidate {
  readonly attributes: readonly number[];
  readonly leaf: number;
  readonly score: number;
  readonly excess: number;
}

class Scan {
  readonly #input: RatioLeaves;
  readonly #leaves: Leaves;
  readonly #telling: number[];
  readonly #groups: readonly Groups[];
  readonly #expected: Float64Array;
  /** By leaf: what it adds to a score whatever the factor. */
  readonly #base: Float64Array;
  readonly #isLeft: Uint8Array;
  /** By combination: scratch. */
  readonly #failed: Float64Array;
  readonly #usual: Float64Array;
  readonly #factor: Float64Array;
  readonly #score: Float64Array;

  constructor(input: RatioLeaves) {
    this.#input = input;
    this.#leaves = input.leaves;
    this.#telling = tellingAttributes(input.leaves);
    this.#groups = subsetsOf(this.#telling, attributesPerCombinationMax).map((set) =>
      groupsOf(input.leaves, set),
    );
    this.#expected = expectedFailures(input);
    const { size } = input.leaves;
    this.#base = this.#expected.map(
      (usual, leaf) => (input.failures[leaf]! + sameness) * Math.log(usual + sameness),
    );
    this.#isLeft = new Uint8Array(size).fill(1);
    this.#failed = new Float64Array(size);
    this.#usual = new Float64Array(size);
    this.#factor = new Float64Array(size);
    this.#score = new Float64Array(size);
  }

  /** Failures beyond what is usual, of the leaves that are left. */
  excess(): number {
    let sum = 0;
    for (let leaf = 0; leaf < this.#leaves.size; leaf += 1)
      if (this.#isLeft[leaf] === 1) sum += this.#input.failures[leaf]! - this.#expected[leaf]!;
    return sum;
  }

  /** The combination with the highest score above zero; of equals one of the fewest attributes, whatever their order. */
  best(wantedMin: number): Candidate | null {
    const excessMin = Math.max(wantedMin, excessShareMin * this.excess());
    let best: Candidate | null = null;
    for (const { attributes, groupOf, first } of this.#groups) {
      this.#sum(groupOf, first.length, excessMin);
      for (let group = 0; group < first.length; group += 1) {
        const score = this.#score[group]!;
        if (this.#factor[group] === 0 || !(score > (best === null ? 0 : best.score * (1 - equalScores))))
          continue;
        const excess = this.#failed[group]! - this.#usual[group]!;
        const found: Candidate = { attributes, leaf: first[group]!, score, excess };
        const isEqual: boolean = best !== null && score <= best.score * (1 + equalScores);
        if (!isEqual || this.#isBefore(found, best!)) best = found;
      }
    }
    return best;
  }

  /** Of two that score the same: fewer attributes, then fewer events, then by name. */
  #isBefore(one: Candidate, other: Candidate): boolean {
    if (one.attributes.length !== other.attributes.length)
      return one.attributes.length < other.attributes.length;
    const [events, others] = [this.#events(one), this.#events(other)];
    return events === others ? this.#nameOf(one) < this.#nameOf(other) : events < others;
  }

  #events({ attributes, leaf }: Candidate): number {
    return sumOf(this.#input.attempts, leavesLike(this.#leaves, attributes, leaf));
  }

  #nameOf({ attributes, leaf }: Candidate): string {
    return whereOf(this.#leaves, attributes, leaf)
      .map((pair) => pair.join("="))
      .join();
  }

  /** Scores the combinations of one set of attributes; those that explain less than `excessMin` have no factor and no score. */
  #sum(groupOf: Int32Array, groups: number, excessMin: number): void {
    const { failures } = this.#input;
    const [failed, usual, factor, score] = [this.#failed, this.#usual, this.#factor, this.#score];
    const [expected, base, isLeft] = [this.#expected, this.#base, this.#isLeft];
    failed.fill(0, 0, groups);
    usual.fill(0, 0, groups);
    const { size } = this.#leaves;
    for (let leaf = 0; leaf < size; leaf += 1) {
      const group = groupOf[leaf]!;
      if (group === -1 || isLeft[leaf] === 0) continue;
      failed[group]! += failures[leaf]!;
      usual[group]! += expected[leaf]!;
    }
    for (let group = 0; group < groups; group += 1) {
      const excess = failed[group]! - usual[group]!;
      const matters = excess > 0 && excess >= excessMin;
      factor[group] = matters ? failed[group]! / usual[group]! : 0;
      score[group] = matters ? failed[group]! * Math.log(factor[group]!) : 0;
    }
    for (let leaf = 0; leaf < size; leaf += 1) {
      const group = groupOf[leaf]!;
      if (group === -1 || isLeft[leaf] === 0 || factor[group] === 0) continue;
      const told = factor[group]! * expected[leaf]! + sameness;
      score[group]! += base[leaf]! - (failures[leaf]! + sameness) * Math.log(told);
    }
  }

  remove({ attributes, leaf }: Candidate): void {
    for (const member of leavesLike(this.#leaves, attributes, leaf)) this.#isLeft[member] = 0;
  }

  told({ attributes, leaf, score, excess }: Candidate, of: number): Combination {
    const members = leavesLike(this.#leaves, attributes, leaf);
    const { attempts, failures } = this.#input;
    const named = inCommon(this.#leaves, this.#telling, members, attributes, attributesPerCombinationMax);
    return {
      where: whereOf(this.#leaves, named, leaf),
      share: shareOf(excess, of),
      excess,
      actual: sumOf(failures, members),
      expected: sumOf(this.#expected, members),
      events: sumOf(attempts, members),
      score,
    };
  }
}

function sumOf(column: Float64Array, leaves: readonly number[]): number {
  let sum = 0;
  for (const leaf of leaves) sum += column[leaf]!;
  return sum;
}

function expectedFailures({ attempts, usualAttempts, usualFailures }: RatioLeaves): Float64Array {
  let [tried, failed] = [0, 0];
  for (let leaf = 0; leaf < attempts.length; leaf += 1) {
    tried += usualAttempts[leaf]!;
    failed += usualFailures[leaf]!;
  }
  const all = Math.max(usualShareMin, tried === 0 ? 0 : failed / tried);
  return attempts.map((now, leaf) =>
    Math.max(
      expectedMin,
      (now * (usualFailures[leaf]! + priorAttempts * all)) / (usualAttempts[leaf]! + priorAttempts),
    ),
  );
}
