/**
 * Which metrics of a host are judged together: those that are always there, and of these the ones that move most often.
 *
 * A host may have thousands of series, and the joint model bears 64. Every few minutes each comparable series is counted as there,
 * and as moved when it is not what it was. After an hour, then once a day, the choice is made from these counts alone: what was
 * missing from one count in five is not compared (a process, a container), the rest stands in the order of its moves. What is in
 * counts double, so that the choice is steady; what was learned of those that stay is kept. Seven bytes a series.
 */
import type { Column } from "#shared/snapshot.ts";
import { metricsMax } from "./model-state.ts";

const countEveryMs = 6 * 60_000;
const firstChoiceMs = 3_600_000;
const choiceEveryMs = 86_400_000;
/** Fewer say nothing: a clock that jumped a day is no day. */
const countsMin = 6;
const presentShareMin = 0.8;
/** A count is a byte; 240 a day are made. */
const countsMax = 255;

/** Plain JSON. */
export interface ChoiceState {
  readonly sinceMs: number;
  readonly countedMs: number;
  readonly counts: number;
}

export class Choice {
  #comparable = new Uint8Array(0);
  #there = new Uint8Array(0);
  #moved = new Uint8Array(0);
  /** As floats: what changes by less than a ten-millionth has not moved. */
  #last = new Float32Array(0);
  #sinceMs = 0;
  #countedMs = 0;
  #counts = 0;
  #length = 0;

  define(number: number, comparable: boolean): void {
    this.#widen(number + 1);
    this.#comparable[number] = comparable ? 1 : 0;
    this.#there[number] = 0;
    this.#moved[number] = 0;
    this.#last[number] = Number.NaN;
  }

  /** One row of the host: values by series number. */
  count(timeMs: number, series: Uint32Array, values: Float64Array, length: number): void {
    if (this.#sinceMs === 0) this.#sinceMs = timeMs;
    if (timeMs - this.#countedMs < countEveryMs || this.#counts === countsMax) return;
    this.#countedMs = timeMs;
    this.#counts += 1;
    for (let column = 0; column < length; column += 1) {
      const number = series[column]!;
      const value = values[column]!;
      if (this.#comparable[number] !== 1 || value !== value) continue;
      this.#there[number]! += 1;
      const before = this.#last[number]!;
      this.#last[number] = value;
      if (before === before && this.#last[number] !== before) this.#moved[number]! += 1;
    }
  }

  isDue(timeMs: number, isFirst: boolean): boolean {
    const waitMs = isFirst ? firstChoiceMs : choiceEveryMs;
    return this.#counts >= countsMin && timeMs - this.#sinceMs >= waitMs;
  }

  /** The numbers that are judged together from now on, ascending; counting begins anew. */
  choose(timeMs: number, chosenNow: readonly number[]): number[] {
    const isIn = new Set(chosenNow);
    const always: number[] = [];
    const needed = presentShareMin * this.#counts;
    for (const [number, there] of this.#there.entries())
      if (there > 0 && there >= needed) always.push(number);
    const moves = always.map((number) => this.#moved[number]! * (isIn.has(number) ? 2 : 1));
    this.#there.fill(0);
    this.#moved.fill(0);
    this.#counts = 0;
    this.#sinceMs = timeMs;
    return mostVariable(moves).map((index) => always[index]!);
  }

  state(): ChoiceState {
    return { sinceMs: this.#sinceMs, countedMs: this.#countedMs, counts: this.#counts };
  }

  columns(): [name: string, column: Column][] {
    return [
      ["host/there", this.#there.subarray(0, this.#length)],
      ["host/moved", this.#moved.subarray(0, this.#length)],
      ["host/last", this.#last.subarray(0, this.#length)],
    ];
  }

  /** Of the same definitions. */
  restore(state: ChoiceState, column: (name: string) => Column): void {
    this.#sinceMs = state.sinceMs;
    this.#countedMs = state.countedMs;
    this.#counts = state.counts;
    this.#there.set(column("host/there"));
    this.#moved.set(column("host/moved"));
    this.#last.set(column("host/last"));
  }

  #widen(length: number): void {
    this.#length = Math.max(this.#length, length);
    if (length <= this.#there.length) return;
    const capacity = Math.max(64, length, this.#there.length * 2);
    this.#comparable = copied(this.#comparable, new Uint8Array(capacity));
    this.#there = copied(this.#there, new Uint8Array(capacity));
    this.#moved = copied(this.#moved, new Uint8Array(capacity));
    this.#last = copied(this.#last, new Float32Array(capacity));
  }
}

function copied<T extends Uint8Array | Float32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Indexes of the `most` largest of `moves`, ascending; ties go to the lower index. */
export function mostVariable(moves: readonly number[], most = metricsMax): number[] {
  return [...moves.keys()]
    .sort((a, b) => moves[b]! - moves[a]! || a - b)
    .slice(0, most)
    .sort((a, b) => a - b);
}
