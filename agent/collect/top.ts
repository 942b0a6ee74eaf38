/**
 * The few largest of many, and who stays among them. Pure.
 *
 * Membership is sticky: one enters at once and leaves only after several passes outside, or the list of series would
 * change at every tick for processes that take turns at the fifth place.
 */

/** Keeps the `size` largest values offered since `clear`. Cost: one comparison for a value that is too small. */
export class Top<T> {
  readonly #size: number;
  readonly #items: T[] = [];
  readonly #values: number[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  clear(): void {
    this.#items.length = 0;
    this.#values.length = 0;
  }

  /** Of equal values the first offered stays. */
  offer(item: T, value: number): void {
    const count = this.#values.length;
    if (count === this.#size && !(value > this.#values[count - 1]!)) return;
    let place = count === this.#size ? count - 1 : count;
    for (; place > 0 && value > this.#values[place - 1]!; place -= 1) {
      this.#values[place] = this.#values[place - 1]!;
      this.#items[place] = this.#items[place - 1]!;
    }
    this.#values[place] = value;
    this.#items[place] = item;
  }

  /** Largest first. */
  get items(): readonly T[] {
    return this.#items;
  }
}

/** Who is told: enters when `keep` names it, leaves after `passesOutside` passes without. */
export class Sticky<K, V> {
  readonly members = new Map<K, V>();
  readonly #outside = new Map<K, number>();
  readonly #passesOutside: number;
  readonly #membersMax: number;
  readonly #make: (key: K) => V;

  constructor(options: { passesOutside: number; membersMax: number; make: (key: K) => V }) {
    this.#passesOutside = options.passesOutside;
    this.#membersMax = options.membersMax;
    this.#make = options.make;
  }

  /** Call for each one that is among the largest at this pass. */
  keep(key: K): void {
    if (!this.members.has(key)) {
      if (this.members.size >= this.#membersMax) this.#dropLongestOutside();
      this.members.set(key, this.#make(key));
    }
    // Counted up again by `endPass`.
    this.#outside.set(key, -1);
  }

  drop(key: K): void {
    this.members.delete(key);
    this.#outside.delete(key);
  }

  endPass(): void {
    for (const [key, passes] of this.#outside) {
      if (passes + 1 >= this.#passesOutside) this.drop(key);
      else this.#outside.set(key, passes + 1);
    }
  }

  #dropLongestOutside(): void {
    let longest: K | undefined;
    let most = Number.NEGATIVE_INFINITY;
    for (const [key, passes] of this.#outside) {
      if (passes > most) {
        longest = key;
        most = passes;
      }
    }
    if (longest !== undefined) this.drop(longest);
  }
}
