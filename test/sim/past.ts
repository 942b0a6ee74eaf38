/** The past of a played scenario, for a chain that wants to look at it: what the journal is to the collector. */
import type { SampleBatch } from "#shared/batch.ts";
import type { HistoryRequest, HostHistory } from "#shared/host-history.ts";
import { meaningOf } from "#shared/semantics.ts";
import { type Series, seriesId } from "#shared/series.ts";

export class Past {
  readonly #series = new Map<string, Map<number, Series>>();
  readonly #batches = new Map<string, SampleBatch[]>();

  define(host: string, number: number, series: Series): void {
    const known = this.#series.get(host) ?? new Map<number, Series>();
    this.#series.set(host, known.set(number, series));
  }

  add(batch: SampleBatch): void {
    const known = this.#batches.get(batch.host);
    if (known === undefined) this.#batches.set(batch.host, [batch]);
    else known.push(batch);
  }

  of({ hosts, fromMs, toMs }: HistoryRequest): HostHistory[] {
    return hosts.map((host) => {
      const batches = (this.#batches.get(host) ?? []).filter(({ timeMs }) => timeMs <= toMs);
      const first = batches.findIndex(({ timeMs }) => timeMs >= fromMs);
      const from = first < 0 ? batches.length : first;
      const series = [...(this.#series.get(host) ?? [])].map(([number, one]) => {
        const raw = batches.map(
          ({ series: numbers, values }) => values[numbers.indexOf(number)] ?? Number.NaN,
        );
        const { rate } = meaningOf(one, host);
        const values = rate
          ? raw.map((value, row) => {
              const seconds = (batches[row]!.timeMs - (batches[row - 1]?.timeMs ?? 0)) / 1000;
              return row === 0 || value < raw[row - 1]! ? Number.NaN : (value - raw[row - 1]!) / seconds;
            })
          : raw;
        return { series: one, id: seriesId(one), values: Float64Array.from(values.slice(from)) };
      });
      return { host, timesMs: Float64Array.from(batches.slice(from), ({ timeMs }) => timeMs), series };
    });
  }
}
