/**
 * Frames of a made-up host, as its agent would have written them: made once, so that two runs can be given the same bytes.
 *
 * One tick a frame, in segments like the agent's own; the encoder is the product's.
 */
import { assert } from "#shared/errors.ts";
import type { Labels, Series } from "#shared/series.ts";
import { FrameEncoder } from "#shared/wire/wire.ts";
import type { Scenario } from "#test/sim/scenario.ts";

export interface FeedOptions {
  readonly agentId: string;
  readonly epoch: number;
  readonly host: string;
  readonly intervalMs: number;
  readonly series: readonly Series[];
  /** Frames from one key frame to the next; 360 as in the product. */
  readonly segmentFrames?: number;
}

export class Feed {
  readonly agentId: string;
  readonly epoch: number;
  readonly host: string;
  /** By sequence. */
  readonly frames: Uint8Array[] = [];
  /** Values in `frames`. */
  samples = 0;
  /** Time of the last tick. */
  lastMs = 0;
  readonly #options: FeedOptions;
  readonly #encoder: FrameEncoder;

  constructor(options: FeedOptions) {
    const { agentId, epoch, host } = options;
    this.agentId = agentId;
    this.epoch = epoch;
    this.host = host;
    this.#options = options;
    const resource: Labels = [
      ["host.name", host],
      ["os.description", "Test Linux 1"],
      ["service.version", "0.1.0"],
    ];
    this.#encoder = new FrameEncoder({ agentId, epoch, resource });
  }

  /** NaN is absent. */
  add(timeMs: number, values: readonly number[]): Uint8Array {
    const { series, intervalMs, segmentFrames = 360 } = this.#options;
    assert(values.length === series.length, "a value for each series");
    const sequence = this.frames.length;
    const key = sequence % segmentFrames === 0;
    const ticks = [{ timeMs, values: Float64Array.from(values), columns: values.length }];
    const definitions = key ? series.map((one, column) => ({ column, series: one })) : [];
    const frame = this.#encoder.encode({ sequence, key, intervalMs, ticks, definitions, losses: [] });
    this.frames.push(frame);
    this.lastMs = timeMs;
    this.samples += values.filter((value) => !Number.isNaN(value)).length;
    return frame;
  }
}

/** The ticks of a scenario of one host and one load, counters as totals, so that its last one was at `endMs` or just before. */
export function feedOf(
  scenario: Scenario,
  given: { agentId: string; endMs: number; segmentFrames?: number },
): Feed {
  const [load, ...more] = scenario.loads;
  assert(load !== undefined && more.length === 0, "one load");
  const { rows, intervalMs } = load;
  assert(new Set(rows.map(({ host }) => host)).size === 1, "one host");
  const ticks = Math.max(...rows.map(({ values }) => values.length));
  const lastMs = Math.floor(given.endMs / intervalMs) * intervalMs;
  const firstMs = lastMs - (ticks - 1) * intervalMs;
  const host = rows[0]!.host;
  const series = rows.map((row) => row.series);
  const feed = new Feed({ ...given, epoch: firstMs, host, intervalMs, series });
  const totals = rows.map(() => 0);
  for (let tick = 0; tick < ticks; tick += 1) {
    const values = rows.map(({ values: all, series: { instrument } }, row) => {
      const value = all[tick] ?? Number.NaN;
      if (instrument === "gauge" || Number.isNaN(value)) return value;
      totals[row]! += Math.max(0, value) * (intervalMs / 1000);
      return totals[row]!;
    });
    feed.add(firstMs + tick * intervalMs, values);
  }
  return feed;
}

export function gauge(metric: string, labels: Labels = []): Series {
  return { metric, unit: "1", instrument: "gauge", decimals: 2, labels };
}
