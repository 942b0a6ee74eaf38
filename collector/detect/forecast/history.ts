/**
 * What is remembered of one series that can run full: the highest and the lowest share of its limit, in three rings of bins.
 *
 * Half-minute bins reach back 96 minutes, ten-minute bins 32 hours, two-hour bins 16 days: what fills fast is seen at once,
 * what fills slowly is seen through its nights and weekends. A share is kept in 16 bits, a 65,534th of the limit: 15 MB of
 * a terabyte. Bins count from the series' own first sample, so shifting all times changes nothing. 2.3 KB a series.
 */

/** Bins of each ring, and their length; ring 0 is the finest. */
export const ringBins = 192;
export const ringStepsMs = [30_000, 600_000, 7_200_000] as const;
export const ringCount = ringStepsMs.length;

const codeMax = 65_534;
const codes = ringCount * ringBins;

/** What one history holds, in bytes. */
export const historyBytes = 2 * codes * Uint16Array.BYTES_PER_ELEMENT;

/** One share of the limit as its bins keep it. */
export const resolution = 1 / codeMax;

export class History {
  /** Codes, 0 for an empty bin: first the highs of every ring, then the lows. */
  readonly bins: Uint16Array<ArrayBuffer>;
  readonly originMs: number;
  /** Number of the newest bin of each ring, counted from the origin; -1 before the first sample. */
  readonly newest: number[];

  constructor(originMs: number, bins = new Uint16Array(2 * codes), newest: readonly number[] = [-1, -1, -1]) {
    this.originMs = originMs;
    this.bins = bins;
    this.newest = [...newest];
  }

  /** `share` of the limit at `timeMs`; beyond 0 and 1 it counts as 0 and 1. A time before the newest bin is left out. */
  add(timeMs: number, share: number): void {
    const code = 1 + Math.round(Math.min(1, Math.max(0, share)) * codeMax);
    for (let ring = 0; ring < ringCount; ring += 1) {
      const bin = Math.floor((timeMs - this.originMs) / ringStepsMs[ring]!);
      this.#advance(ring, bin);
      if (bin < this.newest[ring]!) continue;
      const at = ring * ringBins + (bin % ringBins);
      if (code > this.bins[at]!) this.bins[at] = code;
      const low = this.bins[codes + at]!;
      if (low === 0 || code < low) this.bins[codes + at] = code;
    }
  }

  #advance(ring: number, bin: number): void {
    const before = this.newest[ring]!;
    if (bin <= before) return;
    const first = Math.max(before + 1, bin - ringBins + 1);
    for (let stale = first; stale <= bin; stale += 1) {
      const at = ring * ringBins + (stale % ringBins);
      this.bins[at] = 0;
      this.bins[codes + at] = 0;
    }
    this.newest[ring] = bin;
  }

  /** Highest share in bin `bin` of `ring`; NaN when it is empty, or no longer or not yet kept. */
  high(ring: number, bin: number): number {
    return this.#share(ring, bin, 0);
  }

  /** The highest share of the newest half minute. */
  newestHigh(): number {
    return this.high(0, this.newest[0]!);
  }

  low(ring: number, bin: number): number {
    return this.#share(ring, bin, codes);
  }

  /** The highest share of the bin that holds `timeMs`, of the finest ring that does; NaN when none does. */
  highAt(timeMs: number): number {
    for (let ring = 0; ring < ringCount; ring += 1) {
      const high = this.high(ring, Math.floor((timeMs - this.originMs) / ringStepsMs[ring]!));
      if (!Number.isNaN(high)) return high;
    }
    return Number.NaN;
  }

  #share(ring: number, bin: number, offset: number): number {
    const newest = this.newest[ring]!;
    if (bin < 0 || bin > newest || bin <= newest - ringBins) return Number.NaN;
    const code = this.bins[offset + ring * ringBins + (bin % ringBins)]!;
    return code === 0 ? Number.NaN : (code - 1) / codeMax;
  }
}
