/**
 * The series of one host and their numbers. A series is found by its identity; its number is dense from 0 and is another's
 * when it is over: nothing has measured it for `limits.seriesKeptMs`, or a day if it is of something that lives once.
 *
 * So that a host whose processes come and go does not grow without end, no more than `limits.idleSeriesPerHostMax` are kept that
 * nothing measures; beyond it go first those that live once, then those that were not seen for the longest time. A number in
 * force, one that a column of the host's agent has now, is never given to another.
 * Cost: one look at every number when a segment begins (an hour at 10 s); nothing per sample.
 */
import { limits } from "#shared/limits.ts";
import { isShortLived } from "#shared/semantics.ts";
import { seriesId, type Series } from "#shared/series.ts";

/** JSON. */
export interface SeriesNumbersState {
  /** By number; null where it is free. */
  readonly series: readonly ((Series & { readonly seenMs: number }) | null)[];
  readonly sweptMs: number;
}

export class SeriesNumbers {
  readonly #series: (Series | undefined)[] = [];
  /** When each number last had a column, by data time. */
  readonly #seenMs: number[] = [];
  readonly #byId = new Map<string, number>();
  /** Free numbers, the lowest last. */
  #free: number[] = [];
  #sweptMs = 0;

  /** Series that have a number. */
  get size(): number {
    return this.#byId.size;
  }

  /** By number; undefined where it is free. */
  get all(): readonly (Series | undefined)[] {
    return this.#series;
  }

  of(id: string): number | undefined {
    return this.#byId.get(id);
  }

  /** Series `number` had a column until `timeMs`. */
  seen(number: number, timeMs: number): void {
    if (number >= 0) this.#seenMs[number] = timeMs;
  }

  /** The number of `series`, and whether that is new; undefined when the host has too many. */
  give(
    series: Series,
    timeMs: number,
    inForce: () => ReadonlySet<number>,
  ): { readonly number: number; readonly isNew: boolean } | undefined {
    const id = seriesId(series);
    const known = this.#byId.get(id);
    const number = known ?? this.#freeNumber(timeMs, inForce);
    if (number === undefined) return undefined;
    this.#seenMs[number] = timeMs;
    if (known !== undefined) return { number, isNew: false };
    this.#byId.set(id, number);
    this.#series[number] = series;
    return { number, isNew: true };
  }

  /** Frees what is over. `inForce`: the numbers that columns have now. */
  sweep(timeMs: number, inForce: ReadonlySet<number>): void {
    this.#sweptMs = timeMs;
    const idle: { number: number; once: boolean; seenMs: number }[] = [];
    for (const [number, series] of this.#series.entries()) {
      if (series === undefined || inForce.has(number)) continue;
      const once = isShortLived(series);
      const seenMs = this.#seenMs[number]!;
      const keptMs = once ? limits.shortLivedSeriesKeptMs : limits.seriesKeptMs;
      if (timeMs - seenMs > keptMs) this.#release(number, series);
      else idle.push({ number, once, seenMs });
    }
    const tooMany = idle.length - limits.idleSeriesPerHostMax;
    if (tooMany > 0) {
      idle.sort((a, b) => Number(b.once) - Number(a.once) || a.seenMs - b.seenMs || a.number - b.number);
      for (const { number } of idle.slice(0, tooMany)) this.#release(number, this.#series[number]!);
    }
    this.#free = this.#freeOnes();
  }

  #freeNumber(timeMs: number, inForce: () => ReadonlySet<number>): number | undefined {
    const full = this.#free.length === 0 && this.#series.length >= limits.seriesPerHostMax;
    // A storm within one segment: once a frame, not once a series.
    if (full && timeMs !== this.#sweptMs) this.sweep(timeMs, inForce());
    const free = this.#free.pop();
    if (free !== undefined) return free;
    return this.#series.length < limits.seriesPerHostMax ? this.#series.length : undefined;
  }

  #release(number: number, series: Series): void {
    this.#byId.delete(seriesId(series));
    this.#series[number] = undefined;
  }

  #freeOnes(): number[] {
    const free: number[] = [];
    for (let number = this.#series.length - 1; number >= 0; number -= 1)
      if (this.#series[number] === undefined) free.push(number);
    return free;
  }

  state(): SeriesNumbersState {
    const series = this.#series.map((one, number) =>
      one === undefined ? null : { ...one, seenMs: this.#seenMs[number] ?? 0 },
    );
    return { series, sweptMs: this.#sweptMs };
  }

  static restore({ series, sweptMs }: SeriesNumbersState): SeriesNumbers {
    const numbers = new SeriesNumbers();
    for (const [number, stored] of series.entries()) {
      numbers.#seenMs[number] = stored?.seenMs ?? 0;
      if (stored === null) {
        numbers.#series[number] = undefined;
        continue;
      }
      const { metric, unit, instrument, decimals, labels } = stored;
      const one = { metric, unit, instrument, decimals, labels };
      numbers.#series[number] = one;
      numbers.#byId.set(seriesId(one), number);
    }
    numbers.#free = numbers.#freeOnes();
    numbers.#sweptMs = sweptMs;
    return numbers;
  }
}
