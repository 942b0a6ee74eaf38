/**
 * How long the calls of one interval took: counts in buckets whose bounds grow by 9 % (2^(1/8)), from 47 us to 13 minutes.
 *
 * A quantile is off by half a bucket at most, whatever the distribution is (DDSketch, Masson et al. 2019, with fixed range).
 * 768 bytes; adding is one logarithm.
 */
import { quantileOf } from "./buckets.ts";

const scale = 3;
const offset = -115;
const length = 192;

export class LatencySketch {
  readonly #counts = new Uint32Array(length);
  count = 0;
  sumSeconds = 0;

  add(seconds: number): void {
    const index = Math.floor(Math.log2(Math.max(seconds, 1e-9)) * 2 ** scale) - offset;
    this.#counts[Math.min(length - 1, Math.max(0, index))]! += 1;
    this.count += 1;
    this.sumSeconds += seconds;
  }

  /** Seconds; NaN when nothing was added. */
  quantile(q: number): number {
    return quantileOf(
      { kind: "exponential", scale, offset, zeroCount: 0, counts: Array.from(this.#counts) },
      q,
    );
  }

  get meanSeconds(): number {
    return this.sumSeconds / this.count;
  }
}
