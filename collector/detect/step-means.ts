/** Means of what is judged over a step of time: a minute, or the host's interval if that is longer. One addition a sample. */
import type { Column } from "#shared/snapshot.ts";

const stepMsMin = 60_000;
/** A count is a byte; beyond it the first 255 samples of a step stand for it. */
const countMax = 255;

export class StepMeans {
  /** Those of the last step, by column. */
  series = new Uint32Array(0);
  values = new Float64Array(0);
  length = 0;
  #sums = new Float64Array(0);
  #counts = new Uint8Array(0);
  #lastMs = 0;

  add(number: number, value: number): void {
    const count = this.#counts[number]!;
    if (count === countMax) return;
    this.#sums[number] = count === 0 ? value : this.#sums[number]! + value;
    this.#counts[number] = count + 1;
  }

  /** Whether `timeMs` ended a step: its means are then in the columns, and the next one begins. */
  ends(timeMs: number, intervalMs: number): boolean {
    const stepMs = Math.max(stepMsMin, intervalMs);
    const isSame = Math.floor(timeMs / stepMs) === Math.floor(this.#lastMs / stepMs);
    if (isSame) return false;
    this.#lastMs = timeMs;
    this.length = 0;
    for (let number = 0; number < this.#counts.length; number += 1) {
      const count = this.#counts[number]!;
      if (count === 0) continue;
      this.#counts[number] = 0;
      this.series[this.length] = number;
      this.values[this.length] = this.#sums[number]! / count;
      this.length += 1;
    }
    return true;
  }

  define(number: number): void {
    this.#widen(number + 1);
    this.#counts[number] = 0;
  }

  state(): number {
    return this.#lastMs;
  }

  columns(): [name: string, column: Column][] {
    return [
      ["step/sums", this.#sums],
      ["step/counts", this.#counts],
    ];
  }

  restore(lastMs: number, column: (name: string) => Column): void {
    const counts = column("step/counts") as Uint8Array;
    this.#widen(counts.length);
    this.#sums.set(column("step/sums"));
    this.#counts.set(counts);
    this.#lastMs = lastMs;
  }

  #widen(length: number): void {
    if (length <= this.#counts.length) return;
    const capacity = Math.max(64, length, this.#counts.length * 2);
    const sums = new Float64Array(capacity);
    sums.set(this.#sums);
    const counts = new Uint8Array(capacity);
    counts.set(this.#counts);
    this.#sums = sums;
    this.#counts = counts;
    this.series = new Uint32Array(capacity);
    this.values = new Float64Array(capacity);
  }
}
