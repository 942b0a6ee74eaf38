/**
 * The life of one host's anomalies: a run of exceeding samples opens one, it is told once, told again when it grows, and ends when
 * the series has been as expected for two samples. What became of a series that lasts for hours is how it is now.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { aloneMs } from "./level.ts";
import { flag, type SeriesTable } from "./series-state.ts";

/** An exceeding run must last this long and this many samples; one sample is enough when it stands for this long. */
const confirmMs = 4_000;
const confirmSamples = 2;
/** Without a history of its own: one more sample, since little is known. */
const unsureSamples = 3;
/** Samples as expected after which an anomaly ends. */
const calmSamples = 2;
/** What lasts this long is how the series is now: the anomaly ends and the level starts anew. */
const acceptSymptomMs = 2 * 3_600_000;
const acceptEvidenceMs = 1_800_000;
/** A line that stands still is over when it moves, or after a day. */
const acceptFlatMs = 86_400_000;
/** Told again when the score has grown by this much, or the deviation by a tenth after this long. */
const tellScore = 0.5;
const tellMs = 60_000;

/** What an unprecedented value is measured against until it is over: nothing that is learned meanwhile moves it. */
export interface Reference {
  readonly expected: number;
  readonly deviation: number;
}

export interface OpenAnomaly {
  anomaly: Anomaly;
  /** When it was last told. */
  toldMs: number;
  calm: number;
  readonly reference: Reference | null;
}

/** A run of exceeding samples that is not told yet. */
interface Run {
  readonly startedMs: number;
  samples: number;
}

export interface OpenAnomaliesState {
  readonly open: readonly (readonly [number, OpenAnomaly])[];
  readonly runs: readonly (readonly [number, Run])[];
}

export class OpenAnomalies {
  readonly #table: SeriesTable;
  readonly #open = new Map<number, OpenAnomaly>();
  readonly #runs = new Map<number, Run>();
  #told: Anomaly[] = [];

  constructor(table: SeriesTable, state?: OpenAnomaliesState) {
    this.#table = table;
    for (const [number, open] of state?.open ?? []) this.#open.set(number, { ...open });
    for (const [number, run] of state?.runs ?? []) this.#runs.set(number, { ...run });
  }

  get size(): number {
    return this.#open.size;
  }

  of(number: number): OpenAnomaly | undefined {
    return this.#open.get(number);
  }

  numbers(): number[] {
    return [...this.#open.keys()];
  }

  /** Open anomalies as they were last seen. */
  all(): Anomaly[] {
    return [...this.#open.values()].map(({ anomaly }) => anomaly);
  }

  /** What was told since the last call. */
  take(): Anomaly[] {
    if (this.#told.length === 0) return this.#told;
    const told = this.#told;
    this.#told = [];
    return told;
  }

  /**
   * One more exceeding sample of a series. Returns since when, once that is confirmed and no anomaly is open yet; the caller
   * then opens one. `sure`: its history, or a bound that needs none, says so.
   */
  exceeds(number: number, timeMs: number, intervalMs: number, sure: boolean): number | null {
    const run = this.#runs.get(number) ?? { startedMs: timeMs, samples: 0 };
    run.samples += 1;
    this.#runs.set(number, run);
    const { flags } = this.#table;
    flags[number]! |= flag.pending;
    const wanted = sure ? confirmSamples : unsureSamples;
    const alone = (flags[number]! & flag.instant) !== 0 || (sure && intervalMs >= aloneMs);
    const lasted = run.samples >= wanted && timeMs - run.startedMs >= confirmMs;
    return alone || lasted ? run.startedMs : null;
  }

  open(number: number, anomaly: Anomaly, reference: Reference | null): void {
    this.#dropRun(number);
    this.#table.flags[number]! |= flag.open;
    this.#open.set(number, { anomaly, toldMs: anomaly.lastMs, calm: 0, reference });
    this.#told.push(anomaly);
  }

  /**
   * An open anomaly goes on, with this value and score; `told` works out how it would be told now, which few samples need. False:
   * it has lasted so long that it is over.
   */
  grow(
    open: OpenAnomaly,
    number: number,
    now: { readonly value: number; readonly score: number; readonly timeMs: number },
    told: () => Anomaly,
  ): boolean {
    const before = open.anomaly;
    const { value, timeMs } = now;
    open.calm = 0;
    if (timeMs - before.startedMs >= lastsMs(before) && before.detector !== "bound") {
      this.end(number, timeMs);
      return false;
    }
    const worse = now.score >= before.score + tellScore;
    const off = Math.abs(before.value - (before.expectedLow + before.expectedHigh) / 2);
    const moved = timeMs - open.toldMs >= tellMs && Math.abs(value - before.value) > 0.1 * off;
    if (!worse && !moved) {
      open.anomaly = { ...before, lastMs: timeMs };
      return true;
    }
    const score = Math.max(before.score, now.score);
    open.anomaly = { ...before, value, score, hostShare: told().hostShare, lastMs: timeMs };
    open.toldMs = timeMs;
    this.#told.push(open.anomaly);
    return true;
  }

  /** What else became known of the open anomaly `id`: it stays so changed, and is worth telling again; undefined: it is not open. */
  change(id: string, change: (anomaly: Anomaly) => Anomaly): Anomaly | undefined {
    for (const open of this.#open.values()) {
      if (open.anomaly.id !== id) continue;
      open.anomaly = change(open.anomaly);
      return open.anomaly;
    }
    return undefined;
  }

  /** A sample as expected. */
  calm(number: number, timeMs: number): void {
    this.#dropRun(number);
    const open = this.#open.get(number);
    if (open === undefined) return;
    open.calm += 1;
    if (open.calm >= calmSamples) this.end(number, timeMs);
  }

  /** Neither exceeding nor calm. */
  uneasy(number: number): void {
    this.#dropRun(number);
    const open = this.#open.get(number);
    if (open !== undefined) open.calm = 0;
  }

  /** A thing that used too much and is gone uses nothing; a thing that is bad by being gone stays bad. */
  gone(number: number, timeMs: number): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    const { detector, direction, startedMs } = open.anomaly;
    if (direction === "up" || detector === "flat" || timeMs - startedMs >= lastsMs(open.anomaly))
      this.end(number, timeMs);
  }

  end(number: number, timeMs: number): void {
    this.#dropRun(number);
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#table.flags[number]! &= ~flag.open;
    this.#open.delete(number);
    this.#told.push({ ...open.anomaly, ended: true, lastMs: timeMs });
  }

  #dropRun(number: number): void {
    if (this.#runs.delete(number)) this.#table.flags[number]! &= ~flag.pending;
  }

  state(): OpenAnomaliesState {
    return { open: [...this.#open], runs: [...this.#runs] };
  }
}

/** For how long what lasts is abnormal. What was usual for minutes only is no measure for hours. */
export function acceptMs({
  role,
  provisional,
}: Pick<Anomaly, "role"> & { readonly provisional?: boolean }): number {
  return role === "symptom" && provisional !== true ? acceptSymptomMs : acceptEvidenceMs;
}

function lastsMs(anomaly: Anomaly): number {
  return anomaly.detector === "flat" ? acceptFlatMs : acceptMs(anomaly);
}

/** More than half of what it was off by when it became unprecedented. */
export function isStillOff(value: number, { expected, deviation }: Reference): boolean {
  return deviation > 0 ? value - expected > deviation / 2 : value - expected < deviation / 2;
}
