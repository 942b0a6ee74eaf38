/**
 * What every benchmark shares: both sides do the same work turn about in one run, and what is shown is a ratio of medians.
 *
 * This machine may be shared and slow, so an absolute figure says little; a ratio taken in one run says what was meant.
 */
export type Figures = Readonly<Record<string, number>>;

export interface BenchOptions {
  /** full: what is published. quick: a look, below a minute. tiny: proves that it still runs; its figures mean nothing. */
  readonly size: "full" | "quick" | "tiny";
  readonly print: (line: string) => void;
  /** Of `wire`: minutes of this machine's metrics at 10 s. */
  readonly minutes: number;
  /** Of `detect`: also a million series. */
  readonly million: boolean;
  /** Of `console`: where a picture of the page goes. */
  readonly screenshot?: string | undefined;
  /** False: without the Debian programs, our side alone. */
  readonly rivals: boolean;
}

/** One way to do the work. `hash` depends on every result, so that nothing can be left out. */
export interface Side {
  readonly name: string;
  /** Done once, on one core. */
  run(): { readonly operations: number; readonly hash: number };
}

export interface Measured {
  /** Median over the rounds, nanoseconds of CPU an operation. */
  readonly nsPerOperation: number;
  readonly hash: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Runs the sides turn about `rounds` times after one round of warming up, prints a row each; in the sides' order. `prepare` makes what a
 * round of all sides needs, and is not measured.
 */
export function measure(
  sides: readonly Side[],
  rounds: number,
  print: (line: string) => void,
  prepare: () => void = () => {},
): Measured[] {
  const times: number[][] = sides.map(() => []);
  const hashes = sides.map(() => 0);
  for (let round = 0; round <= rounds; round += 1) {
    prepare();
    for (const [index, side] of sides.entries()) {
      const before = process.cpuUsage();
      const { operations, hash } = side.run();
      const { user, system } = process.cpuUsage(before);
      if (round > 0) times[index]!.push(((user + system) * 1000) / operations);
      hashes[index] = hash;
    }
  }
  return sides.map(({ name }, index) => {
    const measured = { nsPerOperation: median(times[index]!), hash: hashes[index]! };
    print(row(name, `${shown(measured.nsPerOperation)} ns/op`, `hash ${measured.hash}`));
    return measured;
  });
}

export function row(name: string, value: string, note = ""): string {
  return `${name.padEnd(34)}${value.padStart(22)}   ${note}`.trimEnd();
}

/** Four digits that count, thousands apart. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = value === 0 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en", { maximumFractionDigits: Math.min(digits, 4) });
}

/** The same numbers at every run: mulberry32. Uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
