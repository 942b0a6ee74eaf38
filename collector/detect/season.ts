/**
 * What is usual at this time of day: 24 hourly slots for each class of day that a series has lived through.
 *
 * A slot is an exponentially weighted mean of what the series was in that hour, freed of its slow drift (`offset`). A season
 * is believed only when it removes 40 % of the variance around the slow level, and only once its class of day has been seen for
 * two days; until then a special day (month end, a batch window) is compared with working days, and a day of rest with nothing.
 * Between the middles of two hours the season is drawn as a straight line. Blocks of 24 slots are given out when a series first
 * meets a class, so what lives for minutes only has none.
 *
 * Tried and worse: 15-minute slots (the same figures at four times the memory), slots without classes (weekends differ).
 */
import type { Column } from "#shared/snapshot.ts";

export const slotsPerDay = 24;
const hourMs = 3_600_000;
/** A day of a class before the class is known. */
const knownHours = 48;
const slotWeight = 0.15;

/** The classes that every calendar begins with (`calendar.ts`). */
export const workday = 0;
export const restday = 1;

/** The calendar's answer that a season needs; see `calendar.ts`. */
export interface DayClock {
  readonly classCount: number;
  dayClass(timeMs: number): number;
  /** Minute of the local day. */
  slotOfDay(timeMs: number): number;
}

/** Where a moment is in its day: between the middles of two hours of one class. */
export interface Moment {
  dayClass: number;
  hour: number;
  from: number;
  to: number;
  /** Weight of `to`. */
  share: number;
}

export function momentOf(clock: DayClock, timeMs: number): Moment {
  const minute = clock.slotOfDay(timeMs);
  const hours = (minute + (timeMs % 60_000) / 60_000) / 60;
  const hour = Math.min(slotsPerDay - 1, Math.floor(hours));
  const past = hours - hour - 0.5;
  const from = past < 0 ? Math.max(0, hour - 1) : hour;
  const to = past < 0 ? hour : Math.min(slotsPerDay - 1, hour + 1);
  return { dayClass: clock.dayClass(timeMs), hour, from, to, share: past < 0 ? 1 + past : past };
}

export class SeasonSlots {
  readonly classes: number;
  /** Blocks of 24; block 0 is nobody's. */
  pool = new Float32Array(slotsPerDay);
  /** By series and class: its block, 0 when it has none. */
  blocks = new Uint32Array(0);
  /** Hours of that class seen, up to 255. */
  hours = new Uint8Array(0);
  #free: number[] = [];
  #next = 1;

  constructor(classes: number) {
    this.classes = classes;
  }

  widen(capacity: number): void {
    const blocks = new Uint32Array(capacity * this.classes);
    blocks.set(this.blocks);
    const hours = new Uint8Array(capacity * this.classes);
    hours.set(this.hours);
    this.blocks = blocks;
    this.hours = hours;
  }

  /** Forgets what was learned under `number`. */
  forget(number: number): void {
    const at = number * this.classes;
    for (let index = at; index < at + this.classes; index += 1) {
      const block = this.blocks[index]!;
      if (block !== 0) this.#free.push(block);
    }
    this.blocks.fill(0, at, at + this.classes);
    this.hours.fill(0, at, at + this.classes);
  }

  /** The class whose slots stand for `dayClass`: itself, or working days while a special class is not known. */
  classFor(number: number, dayClass: number): number {
    const special = dayClass > restday && this.hours[number * this.classes + dayClass]! < knownHours;
    return special ? workday : dayClass;
  }

  /** Whether its class of day is known, or was `hoursAgo`. */
  isKnown(number: number, dayClass: number, hoursAgo = 0): boolean {
    return this.hours[number * this.classes + dayClass]! - hoursAgo >= knownHours;
  }

  /** What is usual in the hour, NaN when that hour was never seen. */
  usual(number: number, dayClass: number, hour: number): number {
    const block = this.blocks[number * this.classes + dayClass]!;
    return block === 0 ? Number.NaN : this.pool[block * slotsPerDay + hour]!;
  }

  /** What the season says changed between two moments; 0 where it does not know. */
  drift(number: number, before: Moment, now: Moment): number {
    const change = this.#at(number, now) - this.#at(number, before);
    return change === change ? change : 0;
  }

  /** The season at a moment, NaN when one of its two hours was never seen. */
  #at(number: number, { dayClass, from, to, share }: Moment): number {
    const block = this.blocks[number * this.classes + this.classFor(number, dayClass)]! * slotsPerDay;
    if (block === 0) return Number.NaN;
    const start = this.pool[block + from]!;
    return start + share * (this.pool[block + to]! - start);
  }

  /**
   * `value` is freed of its drift; `elapsedMs` is how much of the hour it stands for.
   */
  learn(number: number, moment: Moment, value: number, elapsedMs: number): void {
    this.#learnIn(number, moment.dayClass, moment.hour, value, elapsedMs);
    const standIn = this.classFor(number, moment.dayClass);
    if (standIn !== moment.dayClass) this.#learnIn(number, standIn, moment.hour, value, elapsedMs);
  }

  #learnIn(number: number, dayClass: number, hour: number, value: number, elapsedMs: number): void {
    const at = number * this.classes + dayClass;
    let block = this.blocks[at]!;
    if (block === 0) {
      block = this.#newBlock();
      this.blocks[at] = block;
    }
    const slot = block * slotsPerDay + hour;
    const before = this.pool[slot]!;
    if (before !== before) {
      this.pool[slot] = value;
      return;
    }
    const weight = Math.min(0.5, (slotWeight * elapsedMs) / hourMs);
    this.pool[slot] = before + weight * (value - before);
  }

  /** Another hour of this class begins. */
  countHour(number: number, dayClass: number): void {
    const at = number * this.classes + dayClass;
    if (this.hours[at]! < 255) this.hours[at]! += 1;
  }

  columns(series: number): [name: string, column: Column][] {
    return [
      ["season", this.pool.subarray(0, this.#next * slotsPerDay)],
      ["season blocks", this.blocks.subarray(0, series * this.classes)],
      ["season hours", this.hours.subarray(0, series * this.classes)],
      ["season free", Uint32Array.from(this.#free)],
    ];
  }

  /** A snapshot of a calendar with other classes is no season of this one: it is learned anew. */
  restore(column: (name: string) => Column): void {
    const blocks = column("season blocks") as Uint32Array;
    if (blocks.length !== column("flags").length * this.classes) return;
    this.blocks.set(blocks);
    this.hours.set(column("season hours"));
    this.pool = (column("season") as Float32Array).slice();
    this.#free = [...(column("season free") as Uint32Array)];
    this.#next = this.pool.length / slotsPerDay;
  }

  #newBlock(): number {
    const block = this.#free.pop() ?? this.#next++;
    if ((block + 1) * slotsPerDay > this.pool.length) {
      const pool = new Float32Array(Math.max(64, Math.ceil((block + 1) * 1.25)) * slotsPerDay);
      pool.set(this.pool);
      this.pool = pool;
    }
    this.pool.fill(Number.NaN, block * slotsPerDay, (block + 1) * slotsPerDay);
    return block;
  }
}
