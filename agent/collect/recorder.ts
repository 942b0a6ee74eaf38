/**
 * The agent's columns: every series that a probe has ever declared, one column of the current tick each.
 *
 * A probe asks once for a column and then writes numbers into it at every tick; nothing per sample is an object. A
 * column that got no value for `idleTicksMax` ticks is retired and its number is used again, so that processes that
 * come and go do not grow the table.
 */
import { limits } from "#shared/limits.ts";
import { seriesId, type Series } from "#shared/series.ts";

/** Ticks without a value after which a column is given back: five minutes at 10 s. */
const idleTicksMax = 30;

export interface Definition {
  readonly column: number;
  readonly series: Series;
}

export class Recorder {
  /** The current tick; NaN where nothing was written. Length grows by doubling; only `columns` of it count. */
  values = new Float64Array(256).fill(Number.NaN);
  #columns = 0;
  #series: (Series | undefined)[] = [];
  #idleTicks = new Uint16Array(256);
  #byId = new Map<string, number>();
  #free: number[] = [];
  #fresh: Definition[] = [];
  #refused = 0;

  /** Columns in use or free for reuse: the width of a tick. */
  get columns(): number {
    return this.#columns;
  }

  /** Series that have a column now. */
  get series(): number {
    return this.#byId.size;
  }

  /** Series that found no room since the start (limits.seriesPerHostMax); counted, never silent. */
  get refused(): number {
    return this.#refused;
  }

  /** The column of `series`, declared now if it is new; -1 when the host has too many series. */
  column(series: Series): number {
    const id = seriesId(series);
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const column = this.#free.pop() ?? this.#columns;
    if (column >= limits.seriesPerHostMax) {
      this.#refused += 1;
      return -1;
    }
    if (column === this.#columns) this.#columns += 1;
    if (column >= this.values.length) this.#grow();
    this.#byId.set(id, column);
    this.#series[column] = series;
    this.#idleTicks[column] = 0;
    this.#fresh.push({ column, series });
    return column;
  }

  /** Writes this tick's value. A column of -1 and a value that is not finite are ignored. */
  set(column: number, value: number): void {
    if (column >= 0 && Number.isFinite(value)) this.values[column] = value;
  }

  /**
   * True while `column` still belongs to the series with this identity: ask before reusing a column kept over ticks.
   */
  holds(column: number, series: Series): boolean {
    return this.#series[column] === series;
  }

  /** The series that `column` belongs to now; undefined for -1 and for a column that was given back. */
  seriesOf(column: number): Series | undefined {
    return this.#series[column];
  }

  /** Definitions made since the last call: what the next frame must carry. */
  takeFresh(): Definition[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh.filter(({ column, series }) => this.#series[column] === series);
  }

  /** Every live definition, in column order: what a key frame carries. */
  definitions(): Definition[] {
    return this.#series.flatMap((series, column) => (series === undefined ? [] : [{ column, series }]));
  }

  /**
   * Ends a tick: counts idle columns, gives back those idle for long, clears the values. Call after the tick was
   * encoded.
   */
  endTick(): void {
    for (let column = 0; column < this.#columns; column += 1) {
      const series = this.#series[column];
      if (series === undefined) continue;
      if (Number.isNaN(this.values[column])) {
        const idle = (this.#idleTicks[column] ?? 0) + 1;
        this.#idleTicks[column] = idle;
        if (idle > idleTicksMax) this.#retire(column, series);
      } else {
        this.#idleTicks[column] = 0;
      }
    }
    this.values.fill(Number.NaN, 0, this.#columns);
  }

  #retire(column: number, series: Series): void {
    this.#byId.delete(seriesId(series));
    this.#series[column] = undefined;
    this.#free.push(column);
  }

  #grow(): void {
    const values = new Float64Array(this.values.length * 2).fill(Number.NaN);
    values.set(this.values);
    this.values = values;
    const idleTicks = new Uint16Array(values.length);
    idleTicks.set(this.#idleTicks);
    this.#idleTicks = idleTicks;
  }
}
