/**
 * From the counters of one host to what each brought since its last value.
 *
 * A counter that fell began anew, and what it counted meanwhile is not known; nor is it over a gap of more than ten intervals. A counter that
 * appears while its host is watched, as the first failure of its kind does, began at zero, if that is possible at all: its first value
 * is no more than its family could bring.
 */
import type { SampleBatch } from "#shared/batch.ts";
import type { Column } from "#shared/snapshot.ts";

/** What a series adds to: flags, so that a failure is an attempt too. */
export const adds = { attempts: 1, business: 2, system: 4, seconds: 8 } as const;

/** A host is watched from here on. */
const watchedMs = 180_000;
const gapIntervals = 10;
/** Larger values are no counts. */
const valueMax = 1e15;

/** JSON. */
export interface HostCountersState {
  readonly firstMs: number;
  readonly size: number;
}

export class HostCounters {
  /** By series number: its cube, -1 for none; its leaf there; what it adds to, and the seconds that one of its units is. */
  #cube: Float64Array = new Float64Array(0);
  #leaf: Float64Array = new Float64Array(0);
  #adds: Float64Array = new Float64Array(0);
  #seconds: Float64Array = new Float64Array(0);
  /** Its total as last read, NaN before; and when. */
  #raw: Float64Array = new Float64Array(0);
  #seenMs: Float64Array = new Float64Array(0);
  #firstMs = 0;

  /** The cube and leaf that the series of that number adds to; cube -1 when to none. */
  placeOf(number: number): { cube: number; leaf: number } {
    return number < this.#cube.length
      ? { cube: this.#cube[number]!, leaf: this.#leaf[number]! }
      : { cube: -1, leaf: -1 };
  }

  define(number: number, cube: number, leaf: number, added: number, seconds: number): void {
    if (number >= this.#cube.length) this.#grow(number + 1);
    this.#cube[number] = cube;
    this.#leaf[number] = leaf;
    this.#adds[number] = added;
    this.#seconds[number] = seconds;
    this.#raw[number] = Number.NaN;
    this.#seenMs[number] = 0;
  }

  #grow(size: number): void {
    const wider = (column: Float64Array, fill: number): Float64Array => {
      const next = new Float64Array(Math.max(64, size, column.length * 2)).fill(fill);
      next.set(column);
      return next;
    };
    this.#cube = wider(this.#cube, -1);
    this.#leaf = wider(this.#leaf, -1);
    this.#adds = wider(this.#adds, 0);
    this.#seconds = wider(this.#seconds, 0);
    this.#raw = wider(this.#raw, Number.NaN);
    this.#seenMs = wider(this.#seenMs, 0);
  }

  /**
   * Tells `add` what each counter brought. `bornMost` is the largest first value of a counter of a cube that can have begun at zero.
   * A value at or before the last one of the same counter is a repeat, and nothing.
   */
  read(
    { timeMs, intervalMs, series, values }: SampleBatch,
    bornMost: (cube: number) => number,
    add: (cube: number, leaf: number, added: number, count: number) => void,
  ): void {
    if (this.#firstMs === 0) this.#firstMs = timeMs;
    const isWatched = timeMs - this.#firstMs >= watchedMs;
    for (let column = 0; column < series.length; column += 1) {
      const number = series[column]!;
      const value = values[column]!;
      const cube = number < this.#cube.length ? this.#cube[number]! : -1;
      if (cube === -1 || !(value >= 0 && value <= valueMax)) continue;
      const raw = this.#raw[number]!;
      const seenMs = this.#seenMs[number]!;
      if (seenMs >= timeMs) continue;
      this.#raw[number] = value;
      this.#seenMs[number] = timeMs;
      let count = value - raw;
      if (seenMs === 0) count = isWatched && value <= bornMost(cube) ? value : 0;
      else if (timeMs - seenMs > gapIntervals * intervalMs) count = 0;
      if (count > 0) add(cube, this.#leaf[number]!, this.#adds[number]!, count * this.#seconds[number]!);
    }
  }

  state(): HostCountersState {
    return { firstMs: this.#firstMs, size: this.#cube.length };
  }

  columns(): [name: string, column: Column][] {
    return [
      ["cube", this.#cube],
      ["leaf", this.#leaf],
      ["adds", this.#adds],
      ["seconds", this.#seconds],
      ["raw", this.#raw],
      ["seen", this.#seenMs],
    ];
  }

  static restore({ firstMs }: HostCountersState, column: (name: string) => Column): HostCounters {
    const restored = new HostCounters();
    const read = (name: string): Float64Array => column(name) as Float64Array;
    restored.#cube = read("cube");
    restored.#leaf = read("leaf");
    restored.#adds = read("adds");
    restored.#seconds = read("seconds");
    restored.#raw = read("raw");
    restored.#seenMs = read("seen");
    restored.#firstMs = firstMs;
    return restored;
  }
}
