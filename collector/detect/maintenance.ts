/**
 * Maintenance windows: while one is in force, what it covers is neither told nor learned from.
 *
 * What is open when a window begins ends; what is still abnormal when it is over is told then, judged by what was usual
 * before. A window covers whole hosts (their silence too) or single series, by labels. One that comes each week is in local time
 * and belongs to the day on which it begins; over the hour that daylight saving repeats it goes on, and one that lies in the
 * hour that is skipped does not come that day.
 * Cost: a look at each window of a host once a tick (10 to 30 us for 1,000 of them); at its series only when what is covered changes.
 */
import type { MetricKind } from "#shared/semantics.ts";
import type { Series } from "#shared/series.ts";
import { type Calendar } from "./calendar.ts";
import { dayMinutes, dayMs, weekdayOf } from "./civil.ts";
import { fitsHost, isOfWholeHosts, type Match, type Matcher, matcherOf } from "./match.ts";

/** `toMs` is the first moment after it. */
export interface OnceWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Local time; beyond midnight when `toMinute` is not after `fromMinute`. */
export interface WeeklyWindow {
  /** Days on which it begins, 0 is Sunday. */
  readonly days: readonly number[];
  readonly fromMinute: number;
  readonly toMinute: number;
}

export interface MaintenanceWindow {
  readonly match: Match;
  readonly when: OnceWindow | WeeklyWindow;
  readonly reason: string;
}

/** A whole host is in maintenance. */
export interface InMaintenance {
  /** When the last of the windows now in force ends. */
  readonly untilMs: number;
  readonly reason: string;
}

/** What is covered on one host at one time; the same `key` is the same cover. */
interface Cover {
  readonly key: string;
  readonly host: InMaintenance | null;
  /** Windows over single series that are in force, by index. */
  readonly windows: readonly number[];
}

const nothing: Cover = { key: "", host: null, windows: [] };

export class Maintenance {
  readonly #calendar: Calendar;
  readonly #windows: readonly (MaintenanceWindow & { readonly matcher: Matcher | null })[];
  /** By host, the windows that may cover anything of it, by index. */
  readonly #ofHost = new Map<string, readonly number[]>();

  constructor(windows: readonly MaintenanceWindow[], calendar: Calendar) {
    this.#calendar = calendar;
    this.#windows = windows.map((window) => ({
      ...window,
      matcher: isOfWholeHosts(window.match) ? null : matcherOf(window.match),
    }));
  }

  /** Whether the whole of `host` is in maintenance. */
  at(host: string, timeMs: number): InMaintenance | null {
    return this.cover(host, timeMs).host;
  }

  cover(host: string, timeMs: number): Cover {
    let whole: InMaintenance | null = null;
    const windows: number[] = [];
    for (const index of this.#indexesOf(host)) {
      const { matcher, when, reason } = this.#windows[index]!;
      const untilMs = this.#endOf(when, timeMs);
      if (untilMs === null) continue;
      if (matcher !== null) windows.push(index);
      else if (untilMs > (whole?.untilMs ?? 0)) whole = { untilMs, reason };
    }
    if (whole === null && windows.length === 0) return nothing;
    return { key: `${whole === null ? "" : "*"}${windows.join(",")}`, host: whole, windows };
  }

  #indexesOf(host: string): readonly number[] {
    const known = this.#ofHost.get(host);
    if (known !== undefined) return known;
    const indexes = this.#windows.flatMap(({ match }, index) => (fitsHost(match, host) ? [index] : []));
    this.#ofHost.set(host, indexes);
    return indexes;
  }

  /** The windows over single series that this series is one of, by index. */
  windowsOf(series: Series, host: string, kind: MetricKind): number[] {
    return this.#windows.flatMap(({ matcher }, index) =>
      matcher?.(series, host, kind) === true ? [index] : [],
    );
  }

  /** The end of a window that is in force at `timeMs`; null when it is not. */
  #endOf(when: OnceWindow | WeeklyWindow, timeMs: number): number | null {
    if ("fromMs" in when) return when.fromMs <= timeMs && timeMs < when.toMs ? when.toMs : null;
    const today = this.#calendar.localDay(timeMs);
    const lastMinute = when.toMinute + (when.toMinute <= when.fromMinute ? dayMinutes : 0);
    for (const day of [today, today - 1]) {
      if (!when.days.includes(weekdayOf(day))) continue;
      const fromMs = this.#calendar.instantOf(day * dayMs + when.fromMinute * 60_000);
      const toMs = this.#calendar.instantOf(day * dayMs + lastMinute * 60_000);
      if (fromMs <= timeMs && timeMs < toMs) return toMs;
    }
    return null;
  }
}

/** What is covered on one host, and which of its series: followed from tick to tick. */
export class HostMaintenance {
  readonly #maintenance: Maintenance;
  readonly #host: string;
  /** Series that a window over single series may cover, with those windows. */
  readonly #windows = new Map<number, readonly number[]>();
  /** Null before the first tick: then everything is looked at once. */
  #cover: Cover | null = null;

  constructor(maintenance: Maintenance, host: string) {
    this.#maintenance = maintenance;
    this.#host = host;
  }

  define(number: number, series: Series, kind: MetricKind): void {
    const windows = this.#maintenance.windowsOf(series, this.#host, kind);
    if (windows.length > 0) this.#windows.set(number, windows);
    else this.#windows.delete(number);
  }

  /** Moves to `timeMs`. True when other series may be covered than before. */
  move(timeMs: number): boolean {
    const before = this.#cover;
    this.#cover = this.#maintenance.cover(this.#host, timeMs);
    return this.#cover.key !== before?.key;
  }

  covers(number: number): boolean {
    const cover = this.#cover ?? nothing;
    if (cover.host !== null) return true;
    if (cover.windows.length === 0) return false;
    return this.#windows.get(number)?.some((window) => cover.windows.includes(window)) === true;
  }
}
