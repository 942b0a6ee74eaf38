/**
 * What fills, and what only looks like it: seeded shapes of a share of a limit, half a minute a step, for the forecast's tests.
 */
import { mulberry32 } from "#test/sim/random.ts";

export const stepMs = 30_000;
const hour = 120;
const day = 24 * hour;

export interface Shape {
  readonly values: Float64Array;
  /** The first step at which it is full; null when it never is. */
  readonly fullAt: number | null;
}

export type ShapeName = keyof typeof shapes;

interface Chance {
  /** Uniform in [from, to). */
  between(from: number, to: number): number;
  normal(): number;
}

function chanceOf(seed: number): Chance {
  const random = mulberry32(seed);
  return {
    between: (from, to) => from + (to - from) * random(),
    normal: () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  };
}

/** Each makes `level(step)`, called once a step in order; `fills`: it goes on until it is full. */
export const shapes = {
  /** Some hours as usual, then a steady fill with noise on what is measured. */
  linear: {
    fills: true,
    days: 6,
    make(c: Chance) {
      const startLevel = c.between(0.2, 0.6);
      const startAt = c.between(2 * hour, 30 * hour);
      const takes = c.between(2 * hour, 4 * day);
      const noise = c.between(0, 0.004);
      return (step: number) =>
        startLevel + Math.max(0, ((step - startAt) / takes) * (1 - startLevel)) + noise * c.normal();
    },
  },
  /** The rate itself wanders: a walk with drift. */
  uneven: {
    fills: true,
    days: 8,
    make(c: Chance) {
      let level = c.between(0.2, 0.6);
      const startAt = c.between(2 * hour, 30 * hour);
      const slope = (1 - level) / c.between(4 * hour, 4 * day);
      // So uneven that over the whole way the walk strays by up to a sixth of it.
      const unevenness = c.between(0.02, 0.16) * Math.sqrt((1 - level) * slope);
      return (step: number) => (level += step < startAt ? 0 : slope + unevenness * c.normal());
    },
  },
  /** Batches of uneven size, each hour or so. */
  batches: {
    fills: true,
    days: 8,
    make(c: Chance) {
      let level = c.between(0.2, 0.6);
      const every = c.between(hour / 4, 3 * hour);
      const size = (1 - level) / c.between(12, 60);
      let next = c.between(0, 10 * hour);
      return (step: number) => {
        while (step >= next) {
          level += size * c.between(0.5, 1.5);
          next += every * c.between(0.8, 1.2);
        }
        return level;
      };
    },
  },
  /** Grows faster and faster. */
  accelerating: {
    fills: true,
    days: 6,
    make(c: Chance) {
      const startLevel = c.between(0.1, 0.5);
      const startAt = c.between(2 * hour, 30 * hour);
      const takes = c.between(4 * hour, 3 * day);
      const noise = c.between(0, 0.003);
      return (step: number) =>
        startLevel + (1 - startLevel) * (Math.max(0, step - startAt) / takes) ** 2 + noise * c.normal();
    },
  },
  /** A leak below the teeth of a garbage collector. */
  leakWithTeeth: {
    fills: true,
    days: 8,
    make(c: Chance) {
      const startLevel = c.between(0.2, 0.5);
      const startAt = c.between(2 * hour, 12 * hour);
      const tooth = c.between(0.03, 0.15);
      const every = c.between(hour / 10, 2 * hour);
      const slope = (1 - startLevel - tooth) / c.between(12 * hour, 5 * day);
      const phase = c.between(0, 1);
      return (step: number) =>
        startLevel +
        Math.max(0, step - startAt) * slope +
        tooth * ((step / every + phase) % 1) +
        0.002 * c.normal();
    },
  },
  /** Fills a little more each day than the nightly clean-up takes away. */
  risingDays: {
    fills: true,
    days: 15,
    make(c: Chance) {
      const startLevel = c.between(0.2, 0.4);
      const daily = c.between(0.1, 0.2);
      const slope = (1 - startLevel - daily) / c.between(8 * day, 13 * day);
      const cleanAt = c.between(0, day);
      return (step: number) =>
        startLevel + step * slope + daily * (((step + day - cleanAt) / day) % 1) + 0.001 * c.normal();
    },
  },
  /** Only while people work, five days of seven, and nothing is ever removed. */
  officeHours: {
    fills: true,
    days: 15,
    make(c: Chance) {
      let level = c.between(0.2, 0.6);
      const days = c.between(4, 9);
      const slope = (1 - level) / (days * 10 * hour);
      return (step: number) => {
        const hourOfDay = (step % day) / hour;
        const works = hourOfDay >= 8 && hourOfDay < 18 && Math.floor(step / day) % 7 < 5;
        level += works ? slope * c.between(0, 2) : 0;
        return level + 0.0005 * c.normal();
      };
    },
  },
  /** Logs are rotated before they fill anything. */
  rotation: {
    fills: false,
    days: 8,
    make(c: Chance) {
      const startLevel = c.between(0.2, 0.6);
      const tooth = c.between(0.05, 0.95 - startLevel);
      const every = [hour, 4 * hour, day][Math.floor(c.between(0, 3))]!;
      const phase = c.between(0, 1);
      return (step: number) => startLevel + tooth * ((step / every + phase) % 1) + 0.001 * c.normal();
    },
  },
  /** Full in the evening, empty at night. */
  workingDay: {
    fills: false,
    days: 8,
    make(c: Chance) {
      const base = c.between(0.2, 0.4);
      const height = c.between(0.1, 0.9 - base);
      const phase = c.between(0, 1);
      let drift = 0;
      return (step: number) => {
        drift += 0.0005 * c.normal() - 0.01 * drift;
        const wave = Math.sin(2 * Math.PI * (step / day + phase));
        return base + (height * (1 + wave)) / 2 + drift + 0.005 * c.normal();
      };
    },
  },
  /** A walk without drift between two walls. */
  walk: {
    fills: false,
    days: 8,
    make(c: Chance) {
      let level = c.between(0.3, 0.7);
      const wild = c.between(0.0005, 0.005);
      return () => {
        level += wild * c.normal();
        if (level > 0.93) level = 1.86 - level;
        if (level < 0.1) level = 0.2 - level;
        return level;
      };
    },
  },
  /** A backup is written each night and moved away in the morning. */
  nightlyBackup: {
    fills: false,
    days: 8,
    make(c: Chance) {
      const base = c.between(0.2, 0.5);
      const size = c.between(0.2, 0.95 - base);
      const startAt = c.between(0, day);
      const takes = c.between(hour / 2, 4 * hour);
      const stays = takes + c.between(hour / 2, 4 * hour);
      let backup = size;
      return (step: number) => {
        const since = (step + day - startAt) % day;
        if (since < 1) backup = size * c.between(0.9, 1);
        return base + (since < stays ? backup * Math.min(1, since / takes) : 0) + 0.0005 * c.normal();
      };
    },
  },
  /** Emptied once a week. */
  weekly: {
    fills: false,
    days: 30,
    make(c: Chance) {
      const startLevel = c.between(0.2, 0.5);
      const tooth = c.between(0.2, 0.97 - startLevel);
      const phase = c.between(0, 1);
      return (step: number) => startLevel + tooth * ((step / (7 * day) + phase) % 1) + 0.001 * c.normal();
    },
  },
  /** Something large is copied there now and then, and now and then removed. */
  copies: {
    fills: false,
    days: 8,
    make(c: Chance) {
      let level = c.between(0.2, 0.5);
      let target = level;
      const speed = c.between(0.003, 0.05);
      return () => {
        if (c.between(0, 1) < 1 / (8 * hour)) target = c.between(0.15, 0.9);
        level = target < level ? target : Math.min(target, level + speed);
        return level + 0.0002 * c.normal();
      };
    },
  },
  /** A cache that fills quickly, then slowly, to where it stays. */
  cache: {
    fills: false,
    days: 4,
    make(c: Chance) {
      const startLevel = c.between(0.1, 0.3);
      const height = c.between(0.3, 0.92 - startLevel);
      const startAt = c.between(hour, 10 * hour);
      const takes = c.between(hour / 2, 12 * hour);
      return (step: number) =>
        startLevel + height * -Math.expm1(-Math.max(0, step - startAt) / takes) + 0.002 * c.normal();
    },
  },
  /** A leak that a restart every night takes back. */
  restartedNightly: {
    fills: false,
    days: 8,
    make(c: Chance) {
      const base = c.between(0.2, 0.4);
      const daily = c.between(0.2, 0.92 - base);
      const phase = c.between(0, 1);
      return (step: number) => base + daily * ((step / day + phase) % 1) + 0.003 * c.normal();
    },
  },
  flat: {
    fills: false,
    days: 4,
    make(c: Chance) {
      const level = c.between(0.1, 0.97);
      const noise = c.between(0, 0.01);
      return () => level + noise * c.normal();
    },
  },
} as const;

export function shapeOf(name: ShapeName, seed: number): Shape {
  const shape = shapes[name];
  const { fills, days } = shape;
  const level = shape.make(chanceOf(seed));
  const values: number[] = [];
  for (let step = 0; step < days * day; step += 1) {
    const value = level(step);
    values.push(Math.min(1, Math.max(0, value)));
    if (fills && value >= 1) return { values: Float64Array.from(values), fullAt: step };
  }
  return { values: Float64Array.from(values), fullAt: null };
}
