/**
 * One family of events as a cube: for every observed combination of dimensions, a leaf, how many there were and how they ended, by
 * the minute.
 *
 * Only leaves that were observed are kept, up to a limit; what comes beyond it is counted in a leaf without values, so that totals stay
 * true. The last quarter of an hour is kept minute by minute. A minute that leaves it becomes history, which forgets half of itself in a
 * day. Of a minute in which more failed (or was refused) than chance adds to what is usual only a fiftieth is learned: an hour of trouble
 * is little more than one minute of history, and what stays for days is usual in the end. For volumes there is a level that forgets half of
 * itself in half an hour.
 *
 * Cost: a few additions a sample; once a minute a pass over the leaves. About 700 bytes a leaf, and room for up to twice as many.
 */
import type { Leaves } from "#collector/correlate/drilldown/drilldown.ts";
import type { Column } from "#shared/snapshot.ts";
import { LeafTable, type LeafTableState } from "./leaf-table.ts";

export const minuteMs = 60_000;
/** Minutes that are kept one by one: a window, and enough before it to say what is usual. */
export const minutesKept = 16;

/** Columns of a minute. */
export const minute = { attempts: 0, business: 1, system: 2, seconds: 3 } as const;
const minuteLength = 4;
const leafLength = minutesKept * minuteLength;
/** Columns of a leaf's history: for each ending the attempts and those that ended so; attempts a minute as a level. */
const past = { business: 0, system: 2, level: 4 } as const;
const pastLength = 5;

const shareKept = 2 ** (-1 / 1440);
const levelKept = 2 ** (-1 / 30);
const troubledWeight = 0.02;
/** A leaf that nothing adds to, and that brought nothing for a day, is over. */
const idleMinutes = 1440;

/** The endings that are drilled into, by the minute's column. */
export type Ending = "business" | "system";

/** JSON. */
export interface CubeState {
  readonly family: string;
  readonly leaves: LeafTableState;
  readonly lastMinute: number;
  readonly firstMinute: number;
  readonly lateSamples: number;
}

export interface Past {
  readonly attempts: Float64Array;
  readonly bad: Float64Array;
}

export class Cube {
  readonly family: string;
  readonly #table: LeafTable;
  #minutes: Float64Array = new Float64Array(0);
  #past: Float64Array = new Float64Array(0);
  /** Sums over all leaves. */
  readonly #totals = new Float64Array(leafLength);
  /** The latest minute, and the first; -1 before any. */
  #lastMinute = -1;
  #firstMinute = -1;
  /** Counts that came for a minute that is history already. */
  lateSamples = 0;

  constructor(family: string, table = new LeafTable()) {
    this.family = family;
    this.#table = table;
    this.#makeRoom();
  }

  get size(): number {
    return this.#table.size;
  }

  get lastMinute(): number {
    return this.#lastMinute;
  }

  /** The leaf of these dimensions, which one more series adds to. `hasRoom`: a new one may be taken. */
  take(dimensions: readonly (readonly [string, string])[], hasRoom: boolean): number {
    const leaf = this.#table.take(dimensions, hasRoom, this.#lastMinute);
    this.#makeRoom();
    return leaf;
  }

  release(leaf: number): void {
    this.#table.release(leaf);
  }

  #makeRoom(): void {
    const { capacity } = this.#table;
    if (this.#past.length >= capacity * pastLength) return;
    const minutes = new Float64Array(capacity * leafLength);
    minutes.set(this.#minutes);
    this.#minutes = minutes;
    const history = new Float64Array(capacity * pastLength);
    history.set(this.#past);
    this.#past = history;
  }

  add(leaf: number, ofMinute: number, column: number, count: number): void {
    if (ofMinute > this.#lastMinute) this.#advance(ofMinute);
    if (!this.#isKept(ofMinute)) {
      this.lateSamples += 1;
      return;
    }
    const place = slotOf(ofMinute) + column;
    this.#minutes[leaf * leafLength + place]! += count;
    this.#totals[place]! += count;
    this.#table.touch(leaf, ofMinute);
  }

  #isKept(ofMinute: number): boolean {
    return ofMinute > this.#lastMinute - minutesKept && ofMinute >= 0;
  }

  /** Makes room for a minute: those that leave become history. */
  #advance(ofMinute: number): void {
    if (this.#lastMinute === -1) {
      this.#firstMinute = ofMinute;
      this.#lastMinute = ofMinute;
      return;
    }
    for (let next = this.#lastMinute + 1; next <= ofMinute; next += 1) {
      // After a gap nothing is kept minute by minute, and nothing is left to learn.
      if (this.#totals.every((sum) => sum === 0)) {
        this.#forget(ofMinute - next + 1);
        break;
      }
      if (next - minutesKept >= this.#firstMinute) this.#learn(next - minutesKept);
      this.#clear(slotOf(next));
    }
    this.#lastMinute = ofMinute;
    this.#table.retire(this.#lastMinute - idleMinutes, (leaf) => {
      this.#minutes.fill(0, leaf * leafLength, (leaf + 1) * leafLength);
      this.#past.fill(0, leaf * pastLength, (leaf + 1) * pastLength);
    });
  }

  #clear(slot: number): void {
    for (let at = slot; at < this.size * leafLength; at += leafLength)
      this.#minutes.fill(0, at, at + minuteLength);
    this.#totals.fill(0, slot, slot + minuteLength);
  }

  #learn(ofMinute: number): void {
    const slot = slotOf(ofMinute);
    const weights = { business: this.#weightOf("business", slot), system: this.#weightOf("system", slot) };
    this.#forget(1);
    if (this.#totals[slot + minute.attempts] === 0) return;
    for (let leaf = 0; leaf < this.size; leaf += 1) {
      const from = leaf * leafLength + slot;
      const to = leaf * pastLength;
      const attempts = this.#minutes[from + minute.attempts]!;
      for (const ending of ["business", "system"] as const) {
        this.#past[to + past[ending]]! += weights[ending] * attempts;
        this.#past[to + past[ending] + 1]! += weights[ending] * this.#minutes[from + minute[ending]]!;
      }
      this.#past[to + past.level]! += (1 - levelKept) * attempts;
    }
  }

  #forget(minutes: number): void {
    const [shares, levels] = [shareKept ** minutes, levelKept ** minutes];
    for (let at = 0; at < this.size * pastLength; at += pastLength) {
      for (let column = 0; column < past.level; column += 1) this.#past[at + column]! *= shares;
      this.#past[at + past.level]! *= levels;
    }
  }

  /** How much of a minute is learned: all of a calm one. */
  #weightOf(ending: Ending, slot: number): number {
    const known = this.#usualShare(ending);
    const slots = this.#slots(0, this.#lastMinute);
    const isCalm =
      known === null ? this.#calmerHalf(ending, slots).includes(slot) : this.#isCalm(ending, slot, known);
    return isCalm ? 1 : troubledWeight;
  }

  /** The share of history that ended so; null while there is none. */
  #usualShare(ending: Ending): number | null {
    let [attempts, bad] = [0, 0];
    for (let at = past[ending]; at < this.size * pastLength; at += pastLength) {
      attempts += this.#past[at]!;
      bad += this.#past[at + 1]!;
    }
    return attempts > 0 ? bad / attempts : null;
  }

  /** No more ended so than chance adds to what is usual. */
  #isCalm(ending: Ending, slot: number, usualShare: number): boolean {
    const usual = usualShare * this.#totals[slot + minute.attempts]!;
    return this.#totals[slot + minute[ending]]! <= usual + 2 * Math.sqrt(usual) + 2;
  }

  #calmerHalf(ending: Ending, slots: readonly number[]): number[] {
    return slots
      .filter((slot) => this.#totals[slot + minute.attempts]! > 0)
      .sort((a, b) => this.#shareAt(a, ending) - this.#shareAt(b, ending) || a - b)
      .slice(0, Math.ceil(slots.length / 2));
  }

  #shareAt(slot: number, ending: Ending): number {
    return this.#totals[slot + minute[ending]]! / this.#totals[slot + minute.attempts]!;
  }

  leaves(): Leaves {
    return this.#table.leaves();
  }

  /** The sum of a column over the minutes `from` to `to`, all leaves together. */
  total(column: number, from: number, to: number): number {
    let sum = 0;
    for (const slot of this.#slots(from, to)) sum += this.#totals[slot + column]!;
    return sum;
  }

  /** The same by leaf. */
  sums(column: number, from: number, to: number): Float64Array {
    const sums = new Float64Array(this.size);
    for (const slot of this.#slots(from, to)) this.#addTo(sums, slot + column);
    return sums;
  }

  #addTo(sums: Float64Array, place: number): void {
    for (let leaf = 0; leaf < sums.length; leaf += 1)
      sums[leaf]! += this.#minutes[leaf * leafLength + place]!;
  }

  /** Where minutes from `from` to `to` are, of those that are kept and have begun. */
  #slots(from: number, to: number): number[] {
    const slots: number[] = [];
    const first = Math.max(from, this.#lastMinute - minutesKept + 1, this.#firstMinute);
    for (let at = first; at <= Math.min(to, this.#lastMinute); at += 1) slots.push(slotOf(at));
    return slots;
  }

  /** Attempts of calm times before the minute `before`, and how many of them ended so: history, and what is kept and was calm. */
  usual(ending: Ending, before: number): Past {
    const attempts = this.#column(past[ending]);
    const bad = this.#column(past[ending] + 1);
    const known = this.#usualShare(ending);
    const slots = this.#slots(0, before - 1);
    const calm =
      known === null
        ? this.#calmerHalf(ending, slots)
        : slots.filter((slot) => this.#isCalm(ending, slot, known));
    for (const slot of calm) {
      this.#addTo(attempts, slot + minute.attempts);
      this.#addTo(bad, slot + minute[ending]);
    }
    return { attempts, bad };
  }

  /** Attempts a minute, by leaf, as they were before the minute `before`. */
  level(before: number): Float64Array {
    const learned = this.#lastMinute - minutesKept - this.#firstMinute + 1;
    // What was learned in few minutes is scaled up to what it would be by now.
    if (learned >= minutesKept)
      return this.#column(past.level).map((level) => level / (1 - levelKept ** learned));
    const minutes = this.#slots(0, before - 1).length;
    return this.sums(minute.attempts, 0, before - 1).map((sum) => sum / Math.max(1, minutes));
  }

  #column(column: number): Float64Array {
    return Float64Array.from({ length: this.size }, (_, leaf) => this.#past[leaf * pastLength + column]!);
  }

  state(): CubeState {
    return {
      family: this.family,
      leaves: this.#table.state(),
      lastMinute: this.#lastMinute,
      firstMinute: this.#firstMinute,
      lateSamples: this.lateSamples,
    };
  }

  columns(): [name: string, column: Column][] {
    return [
      ["minutes", this.#minutes.slice(0, this.size * leafLength)],
      ["past", this.#past.slice(0, this.size * pastLength)],
      ["totals", this.#totals],
      ...this.#table.columns(),
    ];
  }

  static restore(state: CubeState, column: (name: string) => Column): Cube {
    const cube = new Cube(state.family, LeafTable.restore(state.leaves, column));
    cube.#minutes.set(column("minutes"));
    cube.#past.set(column("past"));
    cube.#totals.set(column("totals"));
    cube.#lastMinute = state.lastMinute;
    cube.#firstMinute = state.firstMinute;
    cube.lateSamples = state.lateSamples;
    return cube;
  }
}

/** A tick tells of the time before it: one at the full minute belongs to the minute that ends. */
export function minuteOf(timeMs: number): number {
  return Math.floor((timeMs - 1) / minuteMs);
}

function slotOf(ofMinute: number): number {
  return (ofMinute % minutesKept) * minuteLength;
}
