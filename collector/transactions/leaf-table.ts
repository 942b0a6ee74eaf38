/**
 * The leaves of a cube by their dimensions: which exist, how many series add to each, and when one brought something last.
 *
 * Leaf 0 has no values: there everything is counted that there is no room for. A family has up to eight dimensions, the first that it
 * shows; further labels do not tell leaves apart. A leaf that ended makes room for another.
 */
import type { Leaves } from "#collector/correlate/drilldown/drilldown.ts";
import { limits } from "#shared/limits.ts";
import type { Column } from "#shared/snapshot.ts";

/** JSON. */
export interface LeafTableState {
  readonly dimensions: readonly string[];
  readonly values: readonly (readonly string[])[];
  readonly size: number;
  readonly free: readonly number[];
}

export class LeafTable {
  readonly #dimensions: string[] = [];
  readonly #values: string[][] = [];
  readonly #codeOf: Map<string, number>[] = [];
  /** By dimension, by leaf. */
  readonly #codes: Uint32Array[] = [];
  readonly #leafOf = new Map<string, number>();
  #users: Uint32Array = new Uint32Array(16);
  #seen: Float64Array = new Float64Array(16);
  #free: number[] = [];
  size = 1;

  get capacity(): number {
    return this.#users.length;
  }

  take(dimensions: readonly (readonly [string, string])[], hasRoom: boolean, nowMinute: number): number {
    for (const [name] of dimensions) this.#addDimension(name);
    const codes = this.#dimensions.map((name, dimension) => {
      const value = dimensions.find(([label]) => label === name)?.[1] ?? "";
      return this.#codeOfValue(dimension, value, hasRoom);
    });
    const key = keyOf(codes);
    const known = codes.includes(-1) ? 0 : (this.#leafOf.get(key) ?? (hasRoom ? this.#begin(key, codes) : 0));
    this.#users[known]! += 1;
    this.#seen[known] = Math.max(this.#seen[known]!, nowMinute);
    return known;
  }

  #addDimension(name: string): void {
    if (this.#dimensions.includes(name) || this.#dimensions.length >= limits.drillAttributesMax) return;
    this.#dimensions.push(name);
    this.#values.push([""]);
    this.#codeOf.push(new Map([["", 0]]));
    this.#codes.push(new Uint32Array(this.capacity));
  }

  /** -1: unknown, and there is no room for it. */
  #codeOfValue(dimension: number, value: string, hasRoom: boolean): number {
    const codeOf = this.#codeOf[dimension]!;
    const known = codeOf.get(value);
    if (known !== undefined) return known;
    if (!hasRoom || codeOf.size > limits.transactionLeavesPerFamilyMax) return -1;
    codeOf.set(value, codeOf.size);
    this.#values[dimension]!.push(value);
    return codeOf.size - 1;
  }

  #begin(key: string, codes: readonly number[]): number {
    if (key === "") return 0;
    const isFull = this.#free.length === 0 && this.size >= limits.transactionLeavesPerFamilyMax;
    if (isFull) return 0;
    const leaf = this.#free.pop() ?? this.size;
    if (leaf === this.size) this.size += 1;
    if (this.size > this.capacity) this.#grow();
    this.#leafOf.set(key, leaf);
    for (const [dimension, code] of codes.entries()) this.#codes[dimension]![leaf] = code;
    return leaf;
  }

  #grow(): void {
    const capacity = 2 * this.capacity;
    const users = new Uint32Array(capacity);
    users.set(this.#users);
    this.#users = users;
    const seen = new Float64Array(capacity);
    seen.set(this.#seen);
    this.#seen = seen;
    for (const [dimension, column] of this.#codes.entries()) {
      const codes = new Uint32Array(capacity);
      codes.set(column);
      this.#codes[dimension] = codes;
    }
  }

  release(leaf: number): void {
    if (this.#users[leaf]! > 0) this.#users[leaf]! -= 1;
  }

  touch(leaf: number, nowMinute: number): void {
    this.#seen[leaf] = Math.max(this.#seen[leaf]!, nowMinute);
  }

  /** Frees leaves that nothing adds to and that brought nothing since `sinceMinute`. */
  retire(sinceMinute: number, forget: (leaf: number) => void): void {
    for (let leaf = 1; leaf < this.size; leaf += 1) {
      if (this.#users[leaf]! > 0 || this.#seen[leaf]! >= sinceMinute) continue;
      const key = keyOf(this.#codes.map((column) => column[leaf]!));
      if (this.#leafOf.get(key) !== leaf) continue;
      this.#leafOf.delete(key);
      for (const column of this.#codes) column[leaf] = 0;
      this.#free.push(leaf);
      forget(leaf);
    }
  }

  leaves(): Leaves {
    return {
      attributes: this.#dimensions,
      values: this.#values,
      codes: this.#codes.map((column) => column.subarray(0, this.size)),
      size: this.size,
    };
  }

  state(): LeafTableState {
    return { dimensions: this.#dimensions, values: this.#values, size: this.size, free: this.#free };
  }

  columns(): [name: string, column: Column][] {
    return [
      ["users", this.#users],
      ["seen", this.#seen],
      ...this.#codes.map((column, dimension): [string, Column] => [`codes ${dimension}`, column]),
    ];
  }

  static restore(state: LeafTableState, column: (name: string) => Column): LeafTable {
    const table = new LeafTable();
    table.size = state.size;
    table.#free = [...state.free];
    table.#users = column("users") as Uint32Array;
    table.#seen = column("seen") as Float64Array;
    for (const [dimension, name] of state.dimensions.entries()) {
      table.#dimensions.push(name);
      table.#values.push([...state.values[dimension]!]);
      table.#codeOf.push(new Map(state.values[dimension]!.map((value, code) => [value, code])));
      table.#codes.push(column(`codes ${dimension}`) as Uint32Array);
    }
    for (let leaf = 1; leaf < table.size; leaf += 1) {
      const key = keyOf(table.#codes.map((codes) => codes[leaf]!));
      if (key !== "") table.#leafOf.set(key, leaf);
    }
    return table;
  }
}

/** The same for a leaf whose family has since shown more dimensions; "" for one without values. */
function keyOf(codes: readonly number[]): string {
  return codes.join(",").replace(/(^|,)0(,0)*$/, "");
}
