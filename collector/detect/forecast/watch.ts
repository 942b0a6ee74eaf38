/**
 * One series that can run out: what is remembered of it, what is believed, and what was told of it last.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { Meaning } from "#shared/semantics.ts";
import { type Scale, type Subject } from "./describe.ts";
import { estimateOf, type Estimate } from "./estimate.ts";
import type { Expiry } from "./expiry.ts";
import { History, ringStepsMs } from "./history.ts";
import { noOutlook, type Outlook, step, type Step } from "./outlook.ts";
import { windows } from "./windows.ts";

/** Samples closer together than this say no more than one. */
const sampleMs = 28_000;
const minuteMs = 60_000;
/** Looked at again after this share of the time left, within a minute and ten. */
const lookShare = 1 / 48;
const lookMsMin = minuteMs;
const lookMsMax = 10 * minuteMs;
/** Rising at this rate it would be full in four times the window: worth a look at once. */
const quickShare = 1 / 4;
/** No smaller rise than this share of the limit matters, whatever the metric's floor. */
const riseMin = 0.01;

/** What survives a restart beside the bins. */
export interface WatchMeta {
  readonly number: number;
  readonly originMs: number;
  readonly newest: readonly number[];
  readonly lastMs: number;
  readonly lookedMs: number;
  readonly lookMs: number;
  readonly value: number;
  readonly outlook: Outlook;
  readonly expiry: Expiry | null;
  readonly open: Anomaly | null;
}

export class Watch {
  readonly number: number;
  readonly subject: Subject;
  /** Null for what expires: its end is in every value. */
  readonly history: History | null;
  lastMs = 0;
  /** When it was looked at, and when it is to be looked at whatever it does. */
  #lookedMs = 0;
  #lookMs = 0;
  /** As measured last. */
  value = 0;
  outlook: Outlook = noOutlook;
  expiry: Expiry | null = null;
  open: Anomaly | null = null;

  constructor(number: number, subject: Subject, history: History | null) {
    this.number = number;
    this.subject = subject;
    this.history = history;
  }

  get meaning(): Meaning {
    return this.subject.meaning;
  }

  /** Whether `timeMs` is late enough after the last sample for another one to be worth keeping. */
  isDue(timeMs: number): boolean {
    return timeMs - this.lastMs >= sampleMs;
  }

  learn(timeMs: number, value: number, { whole }: Scale): void {
    this.lastMs = timeMs;
    this.value = value;
    this.history?.add(timeMs, value / whole);
  }

  /** Believes nothing any more, and has told nothing: it is found again, or not. */
  doubt(): void {
    this.outlook = noOutlook;
    if (this.expiry !== null) this.expiry = { ...this.expiry, told: null };
  }

  /** The newest share of the limit. */
  level(): number {
    return this.history?.newestHigh() ?? Number.NaN;
  }

  /** What it does now, or undefined when there is nothing to be looked at yet. `limit`: the share at which it is full. */
  look(
    timeMs: number,
    limit: number,
    { whole }: Scale,
  ): (Step & { estimate: Estimate | undefined }) | undefined {
    const { history } = this;
    if (history === null || timeMs - this.#lookedMs < lookMsMin) return undefined;
    if (timeMs < this.#lookMs && !risesQuickly(history, limit)) return undefined;
    this.#lookedMs = timeMs;
    const { believed } = this.outlook;
    const floor = Math.max(riseMin, this.meaning.floor / whole);
    const estimate = estimateOf(history, { nowMs: timeMs, limit, riseMin: floor, open: believed !== null });
    const lookMs = (estimate?.leftMs ?? Number.POSITIVE_INFINITY) * lookShare;
    this.#lookMs = timeMs + Math.min(lookMsMax, lookMs);
    const seen = { nowMs: timeMs, knownMs: timeMs - history.originMs, level: this.level(), estimate };
    const stepped = step(this.outlook, seen);
    this.outlook = stepped.outlook;
    return { ...stepped, estimate };
  }

  /** Whether it is time to compare what expires with what it was. */
  isExpiryDue(timeMs: number): boolean {
    if (timeMs < this.#lookMs) return false;
    this.#lookMs = timeMs + lookMsMax;
    return true;
  }

  meta(): WatchMeta {
    const { number, history, lastMs, value, outlook, expiry, open } = this;
    const [lookedMs, lookMs] = [this.#lookedMs, this.#lookMs];
    const originMs = history?.originMs ?? 0;
    const newest = history?.newest ?? [];
    return { number, originMs, newest, lastMs, lookedMs, lookMs, value, outlook, expiry, open };
  }

  static restore(meta: WatchMeta, subject: Subject, bins: Uint16Array<ArrayBuffer> | null): Watch {
    const history = bins === null ? null : new History(meta.originMs, bins, meta.newest);
    const watch = new Watch(meta.number, subject, history);
    [watch.#lookedMs, watch.#lookMs] = [meta.lookedMs, meta.lookMs];
    ({ lastMs: watch.lastMs, value: watch.value } = meta);
    ({ outlook: watch.outlook, expiry: watch.expiry, open: watch.open } = meta);
    return watch;
  }
}

/** Four comparisons: is it so much higher than 12, 24, 48 or 96 minutes ago that it may be full within a few times that? */
function risesQuickly(history: History, limit: number): boolean {
  const now = history.newestHigh();
  for (const { ring, spanMs } of windows) {
    if (ring > 0) return false;
    const before = history.high(0, history.newest[0]! - spanMs / ringStepsMs[0] + 1);
    if (now - before >= quickShare * (limit - now)) return true;
  }
  return false;
}
