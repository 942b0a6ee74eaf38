/**
 * Twelve windows on a series' history, 12 minutes to 16 days, each as the upper envelope of 24 blocks: what is full is full at
 * its peaks. With a habit (`habit.ts`) the envelope covers one of its periods, so that it runs from peak to peak.
 */
import { type History, ringStepsMs } from "./history.ts";
import { blocks, type Trend, trendOf } from "./trend.ts";

export interface Window {
  readonly ring: number;
  /** Bins a block. */
  readonly group: number;
  readonly spanMs: number;
}

/** From short to long: 12, 24, 48 and 96 minutes, 4 to 32 hours, 2 to 16 days. */
export const windows: readonly Window[] = ringStepsMs.flatMap((stepMs, ring) =>
  [1, 2, 4, 8].map((group) => ({ ring, group, spanMs: blocks * group * stepMs })),
);

/** A window's values and times by block, oldest first; NaN where nothing is known. One is filled again and again. */
export class Envelope {
  readonly timesMs = new Float64Array(blocks);
  readonly values = new Float64Array(blocks);

  /** `coverMs`: each value is the highest of its block and of so much before it. */
  fill(history: History, { ring, group }: Window, nowMs: number, coverMs: number): void {
    const { timesMs, values } = this;
    const stepMs = ringStepsMs[ring]!;
    const newest = history.newest[ring]!;
    for (let block = 0; block < blocks; block += 1) {
      const last = newest - (blocks - 1 - block) * group;
      let highest = Number.NaN;
      for (let bin = last - group + 1; bin <= last; bin += 1) {
        const high = history.high(ring, bin);
        if (!(high <= highest) && !Number.isNaN(high)) highest = high;
      }
      values[block] = highest;
      // What rises is highest at the end of its block.
      timesMs[block] = Math.min(nowMs, history.originMs + (last + 1) * stepMs);
    }
    const covered = Math.ceil(coverMs / (group * stepMs));
    if (covered > 0) cover(values, covered);
  }

  /** How much higher the newer half comes than the older one; NaN when one of them is empty. */
  gain(): number {
    return highest(this.values, blocks / 2, blocks) - highest(this.values, 0, blocks / 2);
  }

  /** The last value that there is. */
  level(): number {
    for (let block = blocks - 1; block > 0; block -= 1) {
      if (!Number.isNaN(this.values[block]!)) return this.values[block]!;
    }
    return this.values[0]!;
  }

  trend(): Trend | undefined {
    return trendOf(this.timesMs, this.values);
  }

  /** Rise over the last quarter of the window, as a share of what `trend` says. */
  goingOn(trend: Trend): number {
    const { timesMs, values } = this;
    let from = blocks - 1 - blocks / 4;
    while (from > 0 && Number.isNaN(values[from]!)) from -= 1;
    const expected = (trend.rise / trend.spanMs) * (timesMs[blocks - 1]! - timesMs[from]!);
    return (trend.level - values[from]!) / expected;
  }
}

function cover(values: Float64Array, covered: number): void {
  for (let block = blocks - 1; block >= 0; block -= 1) {
    values[block] = block < covered ? Number.NaN : highest(values, block - covered, block + 1);
  }
}

/** Of the values in [from, to) that there are; NaN when there are none. */
function highest(values: Float64Array, from: number, to: number): number {
  let most = Number.NaN;
  for (let block = from; block < to; block += 1) {
    const value = values[block]!;
    if (!(value <= most) && !Number.isNaN(value)) most = value;
  }
  return most;
}
