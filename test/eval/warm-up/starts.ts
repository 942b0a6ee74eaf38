/**
 * A recording, begun anew at many moments: each time by a collector that knows nothing, and with a fault where one is asked for.
 */
import type { ChainEvent } from "#collector/chain.ts";
import { createDetect } from "#collector/detect/detect.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { SampleBatch } from "#shared/batch.ts";
import type { Series } from "#shared/series.ts";

type Define = Extract<ChainEvent, { kind: "define" }>;

/** A change of one series: from `fromMs` after the start on its value is what `change` makes of it. */
export interface Fault {
  readonly name: string;
  readonly metric: string;
  readonly fromMs: number;
  readonly change: (value: number) => number;
}

export interface Told {
  /** As it was first told, and when. */
  readonly anomaly: Anomaly;
  readonly toldMs: number;
}

export class Recording {
  readonly #events: ChainEvent[] = [];
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = 0;

  hear(event: ChainEvent): void {
    if (event.kind === "define") this.#events.push(event);
    if (event.kind !== "batch") return;
    const { batch } = event;
    this.#events.push({ kind: "batch", batch: { ...batch, values: batch.values.slice() } });
    this.firstMs = Math.min(this.firstMs, batch.timeMs);
    this.lastMs = Math.max(this.lastMs, batch.timeMs);
  }

  /** Hosts that ever had a series that the fault changes. */
  hostsWith(fault: Fault): string[] {
    const hit = this.#events.filter((event) => event.kind === "define" && isHit(event.series, fault));
    return [...new Set(hit.map((event) => (event as Define).host))];
  }

  /** What a detector that is born at `startMs` tells until `endMs`, with the fault on the host `hit`. */
  judgedFrom(startMs: number, endMs: number, fault?: Fault, hit = ""): Told[] {
    const detect = createDetect();
    const known = new Map<string, Define>();
    const told = new Map<string, Told>();
    let begun = false;
    for (const event of this.#events) {
      if (event.kind === "define") {
        if (begun) detect.define(event.host, event.number, event.series);
        known.set(`${event.host} ${event.number}`, event);
      } else if (event.kind === "batch") {
        const { batch } = event;
        if (batch.timeMs < startMs) continue;
        if (batch.timeMs >= endMs) break;
        if (!begun)
          for (const { host, number, series } of known.values()) detect.define(host, number, series);
        begun = true;
        const seen = fault === undefined || batch.host !== hit ? batch : broken(batch, known, fault, startMs);
        // The journal's time moves on with the data: what waits for a host's siblings is told then.
        const found = [...detect.judge(seen), ...detect.tick(batch.timeMs).anomalies];
        for (const anomaly of found)
          if (!told.has(anomaly.id)) told.set(anomaly.id, { anomaly, toldMs: batch.timeMs });
      }
    }
    return [...told.values()];
  }
}

function broken(
  batch: SampleBatch,
  known: ReadonlyMap<string, Define>,
  fault: Fault,
  startMs: number,
): SampleBatch {
  if (batch.timeMs < startMs + fault.fromMs) return batch;
  const values = batch.values.map((value, column) => {
    const defined = known.get(`${batch.host} ${batch.series[column]}`);
    return defined !== undefined && isHit(defined.series, fault) ? fault.change(value) : value;
  });
  return { ...batch, values };
}

function isHit({ metric, labels }: Series, fault: Fault): boolean {
  return metric === fault.metric && labels.length === 0;
}
