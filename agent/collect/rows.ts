/**
 * Finds what is kept for a row of a table by the row's name, without making a string of it at every tick.
 *
 * The kernel prints devices and interfaces in the same order every time. So the entry for row n is nearly always the
 * one that row n had at the last tick: comparing a few bytes is enough. Only a name at a new place is looked up, and
 * only a new name is made. At most `rowsMax` names are kept; more are counted in `refused` and get undefined.
 */
import type { Cursor } from "./cursor.ts";

interface Row<T> {
  readonly name: Uint8Array;
  readonly entry: T;
}

export class Rows<T> {
  readonly #make: (name: string) => T;
  readonly #rowsMax: number;
  readonly #byName = new Map<string, Row<T>>();
  #order: (Row<T> | undefined)[] = [];
  refused = 0;

  constructor(make: (name: string) => T, rowsMax: number) {
    this.#make = make;
    this.#rowsMax = rowsMax;
  }

  /** The entry of the row at place `index`, whose name is the cursor's bytes from `start` up to `end`. */
  at(index: number, cursor: Cursor, start: number, end: number): T | undefined {
    const expected = this.#order[index];
    if (expected !== undefined && cursor.equals(expected.name, start, end)) return expected.entry;
    const row = this.#find(cursor, start, end);
    this.#order[index] = row;
    return row?.entry;
  }

  /** Every entry made so far, in the order in which they were first seen. */
  *entries(): Generator<T> {
    for (const row of this.#byName.values()) yield row.entry;
  }

  #find(cursor: Cursor, start: number, end: number): Row<T> | undefined {
    const name = cursor.text(start, end);
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (this.#byName.size >= this.#rowsMax) {
      this.refused += 1;
      return undefined;
    }
    const row = { name: cursor.copy(start, end), entry: this.#make(name) };
    this.#byName.set(name, row);
    return row;
  }
}
