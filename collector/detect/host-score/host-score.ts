/**
 * Is a host as a whole unlike itself, and which of its metrics are to blame? One object a host, fed with one row a minute.
 *
 * `choice.ts` says which metrics are compared, `joint-model.ts` how; here is what they are given and what is told. From a score of
 * 1.6 on an anomaly is told, which names the metrics to blame; it ends when the score is back at 1.25. It is evidence: it joins an
 * incident and never opens one. The score is known 37 hours after a host is first seen: an hour to choose,
 * half a day to learn how the metrics belong together, a day to learn what they usually leave unexplained.
 *
 * Kept per host: 29 KB with 64 metrics, 13 KB with 38, and 7 bytes for each series. A row costs 8 us with 38 metrics, 16 us with 64.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { Meaning } from "#shared/semantics.ts";
import type { Series } from "#shared/series.ts";
import type { Column } from "#shared/snapshot.ts";
import { gate } from "./acceptance.ts";
import { Choice, type ChoiceState } from "./choice.ts";
import { fit } from "./learning.ts";
import { judgeRow } from "./joint-model.ts";
import { type ModelFigures, metricsMax, ModelState } from "./model-state.ts";
import { describeHost, guiltyMetrics, metricLabel } from "./host-anomaly.ts";

/**
 * Told from here on. Of the rows of ordinary days one in 54 to 100 is above it; 0.4 to 0.7 alarms a day, real ones among them.
 */
export const hostScoreMin = 1.6;
/** Told again when it has grown by this factor. */
const tellFactor = 1.25;
/** A host of fewer metrics is no whole. */
const metricsMin = 3;
const none = 255;
const row = new Float64Array(metricsMax);

/** What the console shows. */
export interface HostReading {
  /** Up to 1 is an ordinary day. */
  readonly score: number;
  /**
   * Null unless an anomaly is open: metrics that are unusual now, as a share of those compared, and those to blame most.
   */
  readonly unusual: { readonly share: number; readonly metrics: readonly string[] } | null;
}

interface OpenHostAnomaly {
  anomaly: Anomaly;
  /** The score when it was last told. */
  toldScore: number;
}

/** What survives a restart beside the columns; plain JSON. */
export interface HostScoreState {
  readonly choice: ChoiceState;
  readonly chosen: readonly number[];
  readonly figures: ModelFigures | null;
  readonly aboveSinceMs: number;
  readonly open: OpenHostAnomaly | null;
}

export class HostScore {
  readonly #host: string;
  readonly #seriesOf: (number: number) => Series | undefined;
  readonly #choice = new Choice();
  #chosen: readonly number[] = [];
  /** By series number: its place in `#chosen`. */
  #metricOf = new Uint8Array(0);
  #model: ModelState | null = null;
  #aboveSinceMs = 0;
  #open: OpenHostAnomaly | null = null;
  #told: Anomaly[] = [];

  constructor(host: string, seriesOf: (number: number) => Series | undefined) {
    this.#host = host;
    this.#seriesOf = seriesOf;
  }

  /** `number` has this meaning from now on, and is another series than before. */
  define(number: number, meaning: Pick<Meaning, "role" | "entity">): void {
    this.#choice.define(number, isComparable(meaning));
    const before = this.#chosen.indexOf(number);
    if (before < 0) return;
    this.#follow(
      this.#chosen,
      this.#chosen.map((_, metric) => (metric === before ? -1 : metric)),
    );
  }

  /**
   * One row: what each series was on average since the last one (of a counter: its rate). A minute or the host's interval apart,
   * whichever is longer; later than the row before. Only the first `length` columns count.
   */
  push(
    timeMs: number,
    columns: { readonly series: Uint32Array; readonly values: Float64Array; readonly length: number },
    completeness: number,
  ): void {
    const { series, values, length } = columns;
    this.#choice.count(timeMs, series, values, length);
    if (this.#choice.isDue(timeMs, this.#model === null)) this.#choose(timeMs);
    const model = this.#model;
    if (model === null) return;
    row.fill(Number.NaN);
    for (let column = 0; column < length; column += 1) {
      const metric = this.#metricOf[series[column]!] ?? none;
      if (metric !== none) row[metric] = values[column]!;
    }
    if (judgeRow(model, timeMs, row)) this.#judge(model, timeMs, completeness);
    else this.end(timeMs);
  }

  /** Nothing is known of the host now, or nobody wants to know: what is open ends. */
  end(timeMs: number): void {
    this.#aboveSinceMs = 0;
    if (this.#open === null) return;
    this.#told.push({ ...this.#open.anomaly, ended: true, lastMs: timeMs });
    this.#open = null;
  }

  /** What was told since the last call: an anomaly that began, grew or ended. */
  take(): readonly Anomaly[] {
    if (this.#told.length === 0) return this.#told;
    const told = this.#told;
    this.#told = [];
    return told;
  }

  open(): Anomaly | null {
    return this.#open?.anomaly ?? null;
  }

  /** Null while the host is being learned. */
  reading(): HostReading | null {
    if (this.#model === null || !this.#model.figures.judging) return null;
    const { score, share } = this.#model.figures;
    const unusual = this.#open === null ? null : { share, metrics: this.#guilty(this.#model) };
    return { score, unusual };
  }

  /** How much a series is to blame, on the scale of the score but for a constant; 0 when it is not compared. */
  blame(number: number): number {
    const metric = this.#metricOf[number] ?? none;
    return metric === none ? 0 : Math.cbrt(this.#model!.blame[metric]!);
  }

  #choose(timeMs: number): void {
    const chosen = this.#choice.choose(timeMs, this.#chosen);
    if (chosen.length < metricsMin && this.#model === null) return;
    const same = chosen.length === this.#chosen.length && chosen.every((one, at) => one === this.#chosen[at]);
    if (!same)
      this.#follow(
        chosen,
        chosen.map((number) => this.#chosen.indexOf(number)),
      );
  }

  /** Other metrics from now on; `before` says which one each was. */
  #follow(chosen: readonly number[], before: readonly number[]): void {
    const model = this.#model?.chosenAnew(before) ?? new ModelState(chosen.length);
    if (model.figures.fitted) fit(model);
    this.#model = model;
    this.#place(chosen);
  }

  #place(chosen: readonly number[]): void {
    this.#chosen = chosen;
    this.#metricOf = new Uint8Array((chosen.at(-1) ?? -1) + 1).fill(none);
    for (const [metric, number] of chosen.entries()) this.#metricOf[number] = metric;
  }

  #judge(model: ModelState, timeMs: number, completeness: number): void {
    const { score } = model.figures;
    const open = this.#open;
    if (score <= gate) {
      this.end(timeMs);
      return;
    }
    if (this.#aboveSinceMs === 0) this.#aboveSinceMs = timeMs;
    if (score >= (open === null ? hostScoreMin : tellFactor * open.toldScore)) {
      const startedMs = open?.anomaly.startedMs ?? this.#aboveSinceMs;
      const guilty = this.#guilty(model);
      const { share } = model.figures;
      const finding = { score, share, guilty, hostScoreMin };
      const anomaly = describeHost(this.#host, finding, { startedMs, timeMs, completeness });
      this.#open = { anomaly, toldScore: score };
      this.#told.push(anomaly);
    } else if (open !== null) {
      open.anomaly = { ...open.anomaly, lastMs: timeMs };
    }
  }

  #guilty(model: ModelState): string[] {
    return guiltyMetrics(model.blame).flatMap((metric) => {
      const series = this.#seriesOf(this.#chosen[metric]!);
      return series === undefined ? [] : [metricLabel(series)];
    });
  }

  state(): HostScoreState {
    return {
      choice: this.#choice.state(),
      chosen: this.#chosen,
      figures: this.#model === null ? null : { ...this.#model.figures },
      aboveSinceMs: this.#aboveSinceMs,
      open: this.#open === null ? null : { ...this.#open },
    };
  }

  columns(): [name: string, column: Column][] {
    const model = this.#model ?? new ModelState(0);
    return [...this.#choice.columns(), ["host/wide", model.wide], ["host/floats", model.floats]];
  }

  /** Puts a snapshot's state in place of that of the same definitions. */
  restore(state: HostScoreState, column: (name: string) => Column): void {
    this.#choice.restore(state.choice, column);
    this.#place(state.chosen);
    this.#aboveSinceMs = state.aboveSinceMs;
    this.#open = state.open === null ? null : { ...state.open };
    if (state.figures === null) return;
    const wide = column("host/wide") as Float64Array;
    const floats = column("host/floats") as Float32Array;
    this.#model = new ModelState(state.chosen.length, { figures: state.figures, wide, floats });
  }
}

/** What is judged at all, and is not by its nature here today and gone tomorrow. */
function isComparable({ role, entity }: Pick<Meaning, "role" | "entity">): boolean {
  return role !== "context" && entity.kind !== "process" && entity.kind !== "peer";
}
