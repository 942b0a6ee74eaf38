/**
 * Makes frames of ticks: counts sequences, decides where a segment ends, remembers what the next frame must carry.
 *
 * A new segment begins at the start, after `segmentFramesMax` frames or `segmentBytesMax` bytes, and whenever the spool lost
 * what the next frame would build on.
 */
import type { Recorder } from "#agent/collect/recorder.ts";
import type { Labels } from "#shared/series.ts";
import { FrameEncoder, type LossRecord } from "#shared/wire/wire.ts";
import type { Frame } from "./spool.ts";

export interface FramerOptions {
  readonly agentId: string;
  readonly epoch: number;
  readonly resource: Labels;
  readonly intervalMs: number;
  readonly recorder: Recorder;
  readonly limits: { readonly segmentFramesMax: number; readonly segmentBytesMax: number };
}

export class Framer {
  readonly #options: FramerOptions;
  readonly #encoder: FrameEncoder;
  #sequence = 0;
  #segmentFrames = 0;
  #segmentBytes = 0;
  #keyWanted = true;

  constructor(options: FramerOptions) {
    this.#options = options;
    this.#encoder = new FrameEncoder(options);
  }

  /** The next frame will be a key frame: a tick was left out, or the spool has lost the last frames. */
  wantKey(): void {
    this.#keyWanted = true;
  }

  /** The recorder's current values as a frame. */
  frame(timeMs: number, losses: readonly LossRecord[]): Frame {
    const { recorder, intervalMs, epoch, limits } = this.#options;
    const key =
      this.#keyWanted ||
      this.#segmentFrames >= limits.segmentFramesMax ||
      this.#segmentBytes >= limits.segmentBytesMax;
    const { values, columns } = recorder;
    const fresh = recorder.takeFresh();
    const definitions = key ? recorder.definitions() : fresh;
    const sequence = this.#sequence;
    const ticks = [{ timeMs, values, columns }];
    const bytes = this.#encoder.encode({ sequence, key, intervalMs, ticks, definitions, losses });
    this.#sequence += 1;
    this.#keyWanted = false;
    this.#segmentFrames = key ? 1 : this.#segmentFrames + 1;
    this.#segmentBytes = (key ? 0 : this.#segmentBytes) + bytes.length;
    const series = present(values, columns);
    const carries = losses.length;
    return { epoch, sequence, key, firstMs: timeMs, lastMs: timeMs, samples: series, series, carries, bytes };
  }
}

/** How many of the first `columns` values are there. */
export function present(values: Float64Array, columns: number): number {
  let count = 0;
  for (let column = 0; column < columns; column += 1) if (!Number.isNaN(values[column])) count += 1;
  return count;
}
