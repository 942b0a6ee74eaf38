/** What the product tells of a recording when it judges it again (`judge-again.ts`), written down. */
import type { ChainEvent } from "#collector/chain.ts";
import type { Follower } from "#collector/follow.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { type Incident, severities, type Severity } from "#shared/contract/incident.ts";
import { seriesId } from "#shared/series.ts";
import { judgeAgain } from "./judge-again.ts";

const minuteMs = 60_000;

export interface ToldAnomaly {
  /** As it was first told. */
  readonly first: Anomaly;
  /** As it was last told. */
  last: Anomaly;
  /** The worst severity of an incident that shows it among its symptoms; null when none does. */
  severity: Severity | null;
}

export interface Replayed {
  /** Minutes in which at least one frame came, by the data's own time: what was missing counts for nothing. */
  readonly minutes: number;
  readonly samples: number;
  readonly hosts: number;
  readonly series: number;
  /** Frames that nobody can read, because their segment's beginning is no longer in the journal. */
  readonly skippedFrames: number;
  /** In the order in which they began to be told. */
  readonly anomalies: readonly ToldAnomaly[];
  /** Each as it was last told, with the worst severity that it ever had. */
  readonly incidents: readonly { readonly incident: Incident; readonly severity: Severity }[];
}

/**
 * `path` is a copy: opening it writes to it. `hear` is told each event before it is judged. Throws `DataError` when it cannot be
 * read.
 */
export async function replay(path: string, hear: (event: ChainEvent) => void = () => {}): Promise<Replayed> {
  const notes = new Notes();
  await judgeAgain(path, (follower) => {
    notes.listenTo(follower, hear);
    return (record) => {
      if (record.kind === "frame") notes.frame(record);
    };
  });
  return notes.replayed();
}

/** What is told while a follower follows. */
class Notes {
  readonly #minutes = new Set<number>();
  readonly #series = new Set<string>();
  readonly #hosts = new Set<string>();
  readonly #anomalies = new Map<string, ToldAnomaly>();
  readonly #incidents = new Map<string, { incident: Incident; severity: Severity }>();
  #frames = 0;
  #framesJudged = 0;
  #samples = 0;

  listenTo({ chain, ingest }: Follower, hear: (event: ChainEvent) => void): void {
    const apply = chain.apply.bind(chain);
    chain.apply = (event) => {
      hear(event);
      const result = apply(event);
      if (event.kind === "define") this.#series.add(`${event.host}\n${seriesId(event.series)}`);
      if (event.kind === "batch") this.#hosts.add(event.batch.host);
      for (const anomaly of result.anomalies) this.#anomaly(anomaly);
      for (const incident of result.incidents) this.#incident(incident);
      return result;
    };
    const take = ingest.take.bind(ingest);
    ingest.take = (record) => {
      const taken = take(record);
      if (taken !== null) this.#framesJudged += 1;
      return taken;
    };
  }

  frame({ firstMs, lastMs, samples }: { firstMs: number; lastMs: number; samples: number }): void {
    this.#frames += 1;
    this.#samples += samples;
    const last = Math.floor(lastMs / minuteMs);
    for (let minute = Math.floor(firstMs / minuteMs); minute <= last; minute += 1) this.#minutes.add(minute);
  }

  #anomaly(anomaly: Anomaly): void {
    const known = this.#anomalies.get(anomaly.id);
    if (known === undefined)
      this.#anomalies.set(anomaly.id, { first: anomaly, last: anomaly, severity: null });
    else known.last = anomaly;
  }

  #incident(incident: Incident): void {
    const before = this.#incidents.get(incident.id)?.severity ?? "info";
    const severity = worse(before, incident.severity);
    this.#incidents.set(incident.id, { incident, severity });
  }

  replayed(): Replayed {
    const shown = [...this.#anomalies.values()];
    const bySign = Map.groupBy(shown, ({ first }) => signOf(first));
    for (const { incident, severity } of this.#incidents.values()) {
      for (const told of incident.symptoms.flatMap((symptom) => bySign.get(signOf(symptom)) ?? []))
        told.severity = worse(told.severity ?? "info", severity);
    }
    return {
      minutes: this.#minutes.size,
      samples: this.#samples,
      hosts: this.#hosts.size,
      series: this.#series.size,
      skippedFrames: this.#frames - this.#framesJudged,
      anomalies: shown,
      incidents: [...this.#incidents.values()],
    };
  }
}

/** What an incident's symptom and the anomaly that it shows have in common. */
function signOf({ host, series, startedMs }: { host: string; series: string; startedMs: number }): string {
  return `${host}\n${series}\n${startedMs}`;
}

function worse(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) >= severities.indexOf(b) ? a : b;
}
