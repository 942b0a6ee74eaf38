/**
 * How well combinations were named: the first one exactly (top 1), and all of them (F1 over the cases together), with the 95 % interval
 * of a bootstrap over cases.
 *
 * Exactly: the combination with one attribute more or less is wrong.
 */
import type { Figures } from "../report.ts";

export interface Answer {
  readonly id: string;
  readonly guilty: readonly string[];
  readonly named: readonly string[];
  readonly durationMs: number;
}

export interface Scored {
  readonly top1: number;
  readonly f1: number;
}

export function scored(answers: readonly Answer[]): Scored {
  let [first, right, wrong, missed] = [0, 0, 0, 0];
  for (const { guilty, named } of answers) {
    const hits = named.filter((name) => guilty.includes(name)).length;
    if (named.length > 0 && guilty.includes(named[0]!)) first += 1;
    right += hits;
    wrong += named.length - hits;
    missed += guilty.length - hits;
  }
  const all = 2 * right + wrong + missed;
  return { top1: answers.length === 0 ? 0 : first / answers.length, f1: all === 0 ? 0 : (2 * right) / all };
}

const resamples = 2_000;

/** Top 1, F1 and their intervals under `prefix`. */
export function figuresOf(prefix: string, answers: readonly Answer[]): Figures {
  const own = scored(answers);
  const random = randomFrom(1);
  const again = Array.from({ length: resamples }, () =>
    scored(answers.map(() => answers[Math.floor(random() * answers.length)]!)),
  );
  const figures: Figures = { [`${prefix}.top1`]: own.top1, [`${prefix}.f1`]: own.f1 };
  for (const what of ["top1", "f1"] as const) {
    const sorted = again.map((one) => one[what]).sort((a, b) => a - b);
    figures[`${prefix}.${what}_low`] = quantileOf(sorted, 0.025);
    figures[`${prefix}.${what}_high`] = quantileOf(sorted, 0.975);
  }
  return figures;
}

/** Milliseconds a case; not part of the page, which is the same on every machine. */
export function durationsOf(prefix: string, answers: readonly Answer[]): Figures {
  const sorted = answers.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  return { [`${prefix}.p50_ms`]: quantileOf(sorted, 0.5), [`${prefix}.p99_ms`]: quantileOf(sorted, 0.99) };
}

/** The product, the first, has its figures under the evaluation's name; what it is compared with under its own. */
export function keyOf(prefix: string, name: string, number: number): string {
  return number === 0 ? prefix : `baselines.${name.toLowerCase()}.${prefix}`;
}

function quantileOf(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Mulberry32: the same numbers everywhere. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
