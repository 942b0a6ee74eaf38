/**
 * The customers' transactions, in the order of their time: the same seed and start give the same ones.
 *
 * Arrivals are a Poisson process whose rate follows the hours of a day, by thinning (Lewis and Shedler 1979): candidates come at
 * the highest rate, and each is kept with the share that its hour has of it. What is asked for follows a mix of channel x product,
 * so that each channel has a curve and a volume of its own. Cost: some ten draws a transaction.
 */
import type { Channel, Product, Region, Txn } from "../kit/message.ts";
import { createRandom, type Random } from "./random.ts";

export const accountsCount = 2_000;
export const dayMs = 86_400_000;

/** Share of the highest rate by hour: a bank's working day with its peaks before noon and after lunch, and people awake at night. */
const hours: readonly number[] = [
  0.32, 0.3, 0.3, 0.3, 0.3, 0.34, 0.42, 0.55, 0.75, 0.92, 1, 0.98, 0.86, 0.88, 0.97, 0.95, 0.88, 0.8, 0.74,
  0.7, 0.64, 0.54, 0.44, 0.36,
];

/** How much of the load is asked for in each channel. What a channel does not offer is not there: nobody writes a statement at an ATM. */
const mix: readonly (readonly [Channel, Product, number])[] = [
  ["mobile", "login", 16],
  ["mobile", "balance", 18],
  ["mobile", "transfer", 12],
  ["mobile", "card", 8],
  ["mobile", "statement", 4],
  ["web", "login", 7],
  ["web", "balance", 5],
  ["web", "transfer", 6],
  ["web", "statement", 3],
  ["branch", "balance", 2],
  ["branch", "transfer", 4],
  ["branch", "statement", 2],
  ["atm", "balance", 4],
  ["atm", "card", 9],
];

const regionMix: readonly (readonly [Region, number])[] = [
  ["north", 5],
  ["south", 3],
  ["east", 2],
];

export interface GeneratorOptions {
  readonly seed: number;
  /** At the busiest hour. */
  readonly perSecondMax: number;
  /** A day of the bank in real time; shorter to see more of it. */
  readonly dayMs: number;
  readonly startMs: number;
}

export interface Arrival {
  readonly atMs: number;
  readonly txn: Txn;
}

export interface Generator {
  next(): Arrival;
}

export function createGenerator({
  seed,
  perSecondMax,
  dayMs: lengthMs,
  startMs,
}: GeneratorOptions): Generator {
  const random = createRandom(seed);
  let atMs = startMs;
  let id = 0;
  return {
    next() {
      do atMs += (-Math.log(1 - random.next()) / perSecondMax) * 1000;
      while (random.next() >= shareAt((atMs / lengthMs) % 1));
      id += 1;
      return { atMs, txn: draw(id, random) };
    },
  };
}

/** Share of the highest rate at a time of day in [0, 1), between the hours in a straight line. */
export function shareAt(timeOfDay: number): number {
  const hour = timeOfDay * hours.length;
  const before = Math.floor(hour);
  const from = hours[before % hours.length]!;
  const to = hours[(before + 1) % hours.length]!;
  return from + (to - from) * (hour - before);
}

function draw(id: number, random: Random): Txn {
  const [channel, product] = pick(mix, random, ([, , weight]) => weight);
  const [region] = pick(regionMix, random, ([, weight]) => weight);
  const account = Math.floor(random.next() * accountsCount);
  const other = Math.floor(random.next() * accountsCount);
  // Log-normal, 85 in the middle, one in forty above 1,300: amounts have a long tail.
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const amount = Math.round(8_500 * Math.exp(1.4 * normal));
  return { id, channel, product, region, account, other, amount, chance: random.next() };
}

function pick<T>(things: readonly T[], random: Random, weightOf: (thing: T) => number): T {
  let left = random.next() * things.reduce((sum, thing) => sum + weightOf(thing), 0);
  for (const thing of things) {
    left -= weightOf(thing);
    if (left < 0) return thing;
  }
  return things.at(-1)!;
}

/** Every kind of transaction that is asked for, for tests and documentation. */
export const offered = mix.map(([channel, product]) => ({ channel, product }));
