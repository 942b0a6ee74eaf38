/**
 * Forecasts of one host: which filesystems and memories will be full, and when; which certificates end.
 *
 * Watched are only series whose meaning says that they can run out, at most `limits.forecastSeriesPerHostMax`, each with 2.3 KB of
 * history (`history.ts`). They are looked at every ten minutes, and every minute when they rise so fast that it matters;
 * `estimate.ts` says when they will be full, `outlook.ts` what of that is believed and told. A process or a service that fills
 * the memory that runs out is told with it, as evidence. Pure; late ticks are left out; the same ticks give the same forecasts.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { SampleBatch } from "#shared/batch.ts";
import { limits } from "#shared/limits.ts";
import type { Meaning } from "#shared/semantics.ts";
import {
  describeContribution,
  describeExpiry,
  describeForecast,
  type Scale,
  type Subject,
  type Told,
} from "./describe.ts";
import { type Estimate, riseWithin } from "./estimate.ts";
import { stepExpiry } from "./expiry.ts";
import { History, historyBytes } from "./history.ts";
import { type Forecast, listingOf } from "./listing.ts";
import { Watch, type WatchMeta } from "./watch.ts";

/** Processes and services below this share of the host's memory are not watched: there are many, and a leak grows. */
const partShareMin = 0.02;
/** A part that is to take another's place is so much larger. */
const replaceFactor = 1.25;
/** Without samples for this long a thing is gone, and what was told of it is over. */
const goneMs = 10 * 60_000;
/** Accounts for at least this share of what the host's memory gained: it is told with it. */
const contributionMin = 0.1;

export type { Forecast } from "./listing.ts";

/** What survives a restart beside `bins`. Plain JSON. */
export interface ForecastsMeta {
  readonly lastMs: number;
  readonly memoryBytes: number;
  /** What is to be said with the next tick. */
  readonly told: readonly Anomaly[];
  readonly watches: readonly WatchMeta[];
}

/** What a series is, for the few that are watched. */
interface SeriesInfo {
  readonly series: { readonly metric: string };
  readonly id: string;
  readonly meaning: Meaning;
}

export class Forecasts {
  readonly #host: string;
  readonly #infoOf: (number: number) => SeriesInfo | undefined;
  /** By series number: everything that may be watched. What else there is to know is asked for when it is. */
  readonly #kinds = new Map<number, NonNullable<Meaning["runsOut"]>>();
  readonly #watches = new Map<number, Watch>();
  #memoryNumber = -1;
  #memoryBytes = 0;
  /** The host's own memory. */
  #memory: Watch | undefined;
  #lastMs = 0;
  /** The columns that matter of the batches with this very list of series; null: to be found again. */
  #series: Uint32Array | null = null;
  #columns: number[] = [];
  #told: Anomaly[] = [];

  constructor(host: string, infoOf: (number: number) => SeriesInfo | undefined) {
    this.#host = host;
    this.#infoOf = infoOf;
  }

  /** `number` is this series from now on; what was known under that number is over. */
  define(number: number, metric: string, { runsOut }: Meaning): void {
    const before = this.#watches.get(number);
    if (before !== undefined) this.#drop(before);
    this.#kinds.delete(number);
    this.#series = null;
    if (metric === "system.memory.limit") this.#memoryNumber = number;
    else if (this.#memoryNumber === number) this.#memoryNumber = -1;
    if (runsOut !== undefined) this.#kinds.set(number, runsOut);
  }

  /**
   * Learns this tick; `take` gives the forecasts that began, changed or ended with it. What a maintenance window `covers` is
   * neither told nor learned.
   */
  judge({ timeMs, series, values }: SampleBatch, covers: (number: number) => boolean): void {
    if (timeMs <= this.#lastMs) return;
    this.#lastMs = timeMs;
    if (series !== this.#series) this.#find(series);
    let learned = false;
    for (const column of this.#columns) {
      const value = values[column]!;
      const number = series[column]!;
      if (covers(number)) this.#silence(this.#watches.get(number));
      else if (Number.isFinite(value)) learned = this.#learn(number, timeMs, value) || learned;
    }
    if (learned) for (const watch of this.#inOrder()) this.#look(watch, timeMs);
  }

  /** Ends what is told of a host that sends nothing: its maintenance window began, or it is gone. */
  endAll(timeMs: number): void {
    for (const watch of this.#watches.values()) this.#silence(watch);
    this.#told = this.#told.map((anomaly) => ({ ...anomaly, lastMs: timeMs }));
  }

  /** What is to be said since it was asked last. */
  take(): Anomaly[] {
    const told = this.#told;
    this.#told = [];
    return told;
  }

  #silence(watch: Watch | undefined): void {
    if (watch === undefined) return;
    watch.doubt();
    this.#say(watch, null);
  }

  /** As last told. */
  open(): Anomaly[] {
    return [...this.#watches.values()].flatMap(({ open }) => (open === null ? [] : [open]));
  }

  /** What is believed, soonest first, at most `limits.forecastsListedMax`. */
  list(): Forecast[] {
    return listingOf(this.#watches.values());
  }

  #find(series: Uint32Array): void {
    this.#series = series;
    this.#columns = [];
    for (const [column, number] of series.entries()) {
      if (number === this.#memoryNumber || this.#kinds.has(number)) this.#columns.push(column);
    }
  }

  #learn(number: number, timeMs: number, value: number): boolean {
    if (number === this.#memoryNumber) {
      if (value > 0) this.#memoryBytes = value;
      return false;
    }
    // A part of the host's memory, and how much that is has not been said yet.
    if (this.#kinds.get(number) === "memory" && this.#memoryBytes === 0) return false;
    const watch = this.#watches.get(number) ?? this.#admit(number, timeMs, value);
    if (watch === undefined || !watch.isDue(timeMs)) return false;
    watch.learn(timeMs, value, this.#scaleOf(watch.meaning));
    return true;
  }

  #admit(number: number, timeMs: number, value: number): Watch | undefined {
    const runsOut = this.#kinds.get(number);
    const share = value / (runsOut === "memory" ? this.#memoryBytes : 1);
    if (runsOut === "memory" && !(share >= partShareMin)) return undefined;
    if (runsOut !== "expiry" && !this.#makeRoom(runsOut === "memory" ? share : Infinity, timeMs))
      return undefined;
    const history = runsOut === "expiry" ? null : new History(timeMs);
    return this.#watch(new Watch(number, this.#subjectOf(number), history));
  }

  #watch(watch: Watch): Watch {
    this.#watches.set(watch.number, watch);
    const { entity, resource } = watch.meaning;
    if (entity.kind === "host" && resource === "memory") this.#memory = watch;
    return watch;
  }

  #subjectOf(number: number): Subject {
    const { id, series, meaning } = this.#infoOf(number)!;
    return { host: this.#host, id, metric: series.metric, meaning };
  }

  /** False when everything that is watched matters more. What is gone goes first, then the smallest part. */
  #makeRoom(share: number, timeMs: number): boolean {
    const kept = [...this.#watches.values()].filter(({ history }) => history !== null);
    if (kept.length < limits.forecastSeriesPerHostMax) return true;
    const gone = kept.find(({ lastMs }) => timeMs - lastMs > goneMs);
    const parts = kept.filter(({ meaning, open }) => meaning.runsOut === "memory" && open === null);
    const smallest = parts.sort((a, b) => a.level() - b.level() || a.number - b.number)[0];
    const replaced =
      gone ?? (smallest !== undefined && share > replaceFactor * smallest.level() ? smallest : undefined);
    if (replaced === undefined) return false;
    this.#drop(replaced);
    return true;
  }

  #drop(watch: Watch): void {
    this.#say(watch, null);
    this.#watches.delete(watch.number);
    if (this.#memory === watch) this.#memory = undefined;
  }

  /** The host's memory first: whether it runs out decides what is told of its parts. */
  #inOrder(): Watch[] {
    const all = [...this.#watches.values()];
    return this.#memory === undefined
      ? all
      : [this.#memory, ...all.filter((watch) => watch !== this.#memory)];
  }

  #look(watch: Watch, timeMs: number): void {
    if (timeMs - watch.lastMs > goneMs) {
      if (watch.meaning.runsOut === "memory") this.#drop(watch);
      else this.#say(watch, null);
    } else if (watch.history === null) {
      this.#lookAtExpiry(watch, timeMs);
    } else {
      this.#lookAtShare(watch, timeMs);
    }
  }

  #lookAtExpiry(watch: Watch, timeMs: number): void {
    if (!watch.isExpiryDue(timeMs)) return;
    const { expiry, news } = stepExpiry(watch.expiry, watch.value, timeMs);
    watch.expiry = expiry;
    if (news === "ended") this.#say(watch, null);
    else if (news !== null && expiry !== null)
      this.#say(watch, describeExpiry(watch.subject, expiry, watch.value, timeMs));
  }

  #lookAtShare(watch: Watch, timeMs: number): void {
    const scale = this.#scaleOf(watch.meaning);
    const free = this.#memory === undefined ? 1 - watch.level() : 1 - this.#memory.level();
    const limit = watch.meaning.runsOut === "memory" ? watch.level() + free : 1;
    const looked = watch.look(timeMs, limit, scale);
    if (looked === undefined) return;
    const { outlook, news, estimate } = looked;
    if (news === "ended" && !this.#contributes(watch)) this.#say(watch, null);
    if (outlook.told === null || outlook.believed === null || estimate === undefined) return;
    if (news === "began" || news === "changed") {
      const told = this.#toldOf(watch, watch.open?.startedMs ?? outlook.told.startedMs);
      this.#say(watch, describeForecast(watch.subject, scale, told, outlook.believed, estimate));
    }
    if (watch === this.#memory) this.#tellContributions(estimate, news === "changed");
  }

  #contributes(watch: Watch): boolean {
    const told = this.#memory?.outlook.told ?? null;
    return watch.meaning.runsOut === "memory" && watch.open !== null && told !== null;
  }

  /** Of every part that rose with the host's memory, once, and again when that changed. */
  #tellContributions(estimate: Estimate, again: boolean): void {
    for (const part of this.#watches.values()) {
      if (part.meaning.runsOut !== "memory" || part.history === null) continue;
      if ((part.open !== null && !again) || part.outlook.told !== null) continue;
      const rise = riseWithin(part.history, estimate.window, this.#lastMs) ?? 0;
      if (rise < contributionMin * estimate.trend.rise) continue;
      const told = this.#toldOf(part, part.open?.startedMs ?? this.#lastMs);
      const scale = this.#scaleOf(part.meaning);
      this.#say(part, describeContribution(part.subject, scale, told, rise, estimate));
    }
  }

  #toldOf(watch: Watch, startedMs: number): Told {
    const nowMs = this.#lastMs;
    return { startedMs, nowMs, knownMs: nowMs - (watch.history?.originMs ?? nowMs), level: watch.level() };
  }

  /** Tells `anomaly`, or, when it is null, the end of what was told. */
  #say(watch: Watch, anomaly: Anomaly | null): void {
    const { open } = watch;
    watch.open = anomaly;
    if (anomaly !== null) this.#told.push(anomaly);
    else if (open !== null) this.#told.push({ ...open, ended: true, lastMs: this.#lastMs });
    if (anomaly === null && watch === this.#memory) this.#endContributions();
  }

  #endContributions(): void {
    for (const part of this.#watches.values()) {
      if (part.meaning.runsOut === "memory" && part.outlook.told === null) this.#say(part, null);
    }
  }

  #scaleOf({ runsOut, entity, resource }: Meaning): Scale {
    if (runsOut === "memory") return { whole: this.#memoryBytes, hostMemory: true };
    return { whole: 1, hostMemory: resource === "memory" && entity.kind === "host" };
  }

  meta(): ForecastsMeta {
    return {
      lastMs: this.#lastMs,
      memoryBytes: this.#memoryBytes,
      told: this.#told,
      watches: [...this.#watches.values()].map((watch) => watch.meta()),
    };
  }

  /** The histories of `meta().watches` that have one, in their order. */
  bins(): Uint8Array {
    const all = [...this.#watches.values()].flatMap(({ history }) => (history === null ? [] : [history]));
    const bytes = new Uint8Array(all.length * historyBytes);
    for (const [index, { bins }] of all.entries()) {
      bytes.set(new Uint8Array(bins.buffer, bins.byteOffset, bins.byteLength), index * historyBytes);
    }
    return bytes;
  }

  /** Puts back what `meta` and `bins` gave; the same series must have been defined. What is no longer foretold ends. */
  restore({ lastMs, memoryBytes, told, watches }: ForecastsMeta, bytes: Uint8Array): void {
    this.#lastMs = lastMs;
    this.#memoryBytes = memoryBytes;
    this.#told = [...told];
    let at = 0;
    for (const meta of watches) {
      const bins =
        meta.newest.length === 0 ? null : new Uint16Array(bytes.slice(at, at + historyBytes).buffer);
      if (bins !== null) at += historyBytes;
      if (!this.#kinds.has(meta.number)) {
        if (meta.open !== null) this.#told.push({ ...meta.open, ended: true, lastMs });
        continue;
      }
      this.#watch(Watch.restore(meta, this.#subjectOf(meta.number), bins));
    }
  }
}
