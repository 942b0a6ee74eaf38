/**
 * The series of a recording as detection reads them: values as they are, counters as rates, by the product's own reader.
 */
import type { ChainEvent } from "#collector/chain.ts";
import { usualPolicy, rulesOf } from "#collector/detect/detect.ts";
import { scalesOf } from "#collector/detect/scales.ts";
import { momentOf } from "#collector/detect/season.ts";
import { SeriesTable } from "#collector/detect/series-state.ts";
import { Sweep } from "#collector/detect/sweep.ts";
import type { Meaning } from "#shared/semantics.ts";

export interface RecordedSeries {
  readonly meaning: Meaning;
  readonly intervalMs: number;
  readonly values: readonly number[];
}

interface Reading {
  readonly meaning: Meaning;
  intervalMs: number;
  readonly values: number[];
}

interface HostReading {
  readonly table: SeriesTable;
  readonly sweep: Sweep;
  readonly byNumber: Map<number, Reading>;
  firstMs: number;
  lastMs: number;
}

/** Hears the events of a journal and keeps what each series was, from its definition on. */
export class Recorded {
  readonly series: RecordedSeries[] = [];
  readonly #rules = rulesOf(usualPolicy);
  readonly #hosts = new Map<string, HostReading>();

  hear(event: ChainEvent): void {
    if (event.kind === "define") this.#define(event);
    else if (event.kind === "batch") this.#read(event);
  }

  #hostOf(host: string): HostReading {
    const known = this.#hosts.get(host);
    if (known !== undefined) return known;
    const { policies, calendar } = this.#rules;
    const table = new SeriesTable(host, policies, calendar.classCount);
    const fresh = { table, sweep: new Sweep(table), byNumber: new Map<number, Reading>() };
    const reading: HostReading = { ...fresh, firstMs: 0, lastMs: 0 };
    this.#hosts.set(host, reading);
    return reading;
  }

  #define({ host, number, series }: Extract<ChainEvent, { kind: "define" }>): void {
    const { table, sweep, byNumber } = this.#hostOf(host);
    const meaning = table.define(number, series);
    sweep.define(number, series);
    const reading: Reading = { meaning, intervalMs: 0, values: [] };
    byNumber.set(number, reading);
    this.series.push(reading);
  }

  #read({ batch }: Extract<ChainEvent, { kind: "batch" }>): void {
    const host = this.#hostOf(batch.host);
    if (batch.timeMs <= host.lastMs) return;
    host.lastMs = batch.timeMs;
    if (host.firstMs === 0) host.firstMs = batch.timeMs;
    const { tick, calendar } = this.#rules;
    const now = momentOf(calendar, batch.timeMs);
    host.sweep.pass(batch, tick, host.firstMs, scalesOf(batch.intervalMs), now, now);
    for (let column = 0; column < tick.length; column += 1) {
      const reading = host.byNumber.get(tick.series[column]!)!;
      reading.intervalMs = batch.intervalMs;
      reading.values.push(tick.values[column]!);
    }
  }
}
