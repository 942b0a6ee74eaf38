/**
 * Ticks of sources that push are held until they can change no more: a later frame may tell the same interval again, with what
 * has come since, and then the later telling counts (`otlp/source.ts`).
 *
 * Pure and driven by the journal's own ticks, which have the clock of the door that refuses what comes later: so nothing comes for a
 * tick that was let through, and a replay lets the same ticks through at the same moments.
 */
import type { SampleBatch } from "#shared/batch.ts";
import { limits } from "#shared/limits.ts";

/** JSON; NaN is null. */
export type HeldTicksState = readonly (Omit<SampleBatch, "series" | "values"> & {
  readonly series: readonly number[];
  readonly values: readonly (number | null)[];
})[];

export class HeldTicks {
  /** By host, then by time. */
  readonly #held = new Map<string, Map<number, SampleBatch>>();

  constructor(state: HeldTicksState = []) {
    for (const { series, values, ...batch } of state) {
      this.hold({
        ...batch,
        series: Uint32Array.from(series),
        values: Float64Array.from(values, (value) => value ?? Number.NaN),
      });
    }
  }

  hold(batch: SampleBatch): void {
    const ofHost = this.#held.get(batch.host) ?? new Map<number, SampleBatch>();
    this.#held.set(batch.host, ofHost);
    ofHost.set(batch.timeMs, batch);
  }

  /** Those that are final at `nowMs`: by host, each host's in the order of their times. */
  due(nowMs: number): SampleBatch[] {
    const due: SampleBatch[] = [];
    for (const [host, ofHost] of this.#held) {
      for (const [timeMs, batch] of ofHost) {
        if (timeMs + limits.otlpLatenessMs > nowMs) continue;
        due.push(batch);
        ofHost.delete(timeMs);
      }
      if (ofHost.size === 0) this.#held.delete(host);
    }
    return due.sort((a, b) => (a.host === b.host ? a.timeMs - b.timeMs : a.host < b.host ? -1 : 1));
  }

  /** The host is gone. */
  forget(host: string): void {
    this.#held.delete(host);
  }

  snapshot(): HeldTicksState {
    return [...this.#held.values()].flatMap((ofHost) =>
      [...ofHost.values()].map((batch) => ({
        ...batch,
        series: [...batch.series],
        values: Array.from(batch.values, (value) => (Number.isNaN(value) ? null : value)),
      })),
    );
  }
}
