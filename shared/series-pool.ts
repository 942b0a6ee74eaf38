/**
 * The same series on ten thousand hosts is one object: what a host's CPU is called does not differ from host to host.
 *
 * Series are values, so sharing them changes nothing that can be seen but memory: 23 bytes a series instead of some 300. What lives once (a
 * process with its number) fills the pool too: beyond `poolMax` the oldest entry is forgotten, and found as new when it comes again.
 */
import { seriesId, type Series } from "./series.ts";

/** Some 20 MB. A bank's host has a few thousand kinds of series. */
export const poolMax = 65_536;

export class SeriesPool {
  readonly #known = new Map<string, Series>();
  readonly #max: number;

  constructor(max = poolMax) {
    this.#max = max;
  }

  get size(): number {
    return this.#known.size;
  }

  /** `series` itself, or the equal one that was seen before. */
  intern(series: Series): Series {
    const { unit, instrument, decimals } = series;
    const key = `${seriesId(series)}\n${unit}\n${instrument}\n${decimals}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#max) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(key, series);
    return series;
  }
}
