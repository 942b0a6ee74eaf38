/**
 * Days of a payment service as detection sees them: two counters, requests and errors, with the rhythm of a day and a lull at night.
 *
 * Requests are Poisson with a rate that wanders (gamma, relative variance `restless`, drawn every five minutes); errors are
 * beta-binomial: their share is drawn every five minutes too, so that two requests of these have the correlation `bursty`.
 */
import { createDetect, type Detect } from "#collector/detect/detect.ts";
import { usualPolicy } from "#collector/detect/policy.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/random.ts";

export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
/** A Monday, 00:00. */
export const startMs = Date.UTC(2026, 0, 5);
const epochMs = 5 * minuteMs;

export const counter = (metric: string, labels: Series["labels"] = []): Series => ({
  metric,
  unit: "1",
  instrument: "counter",
  decimals: 0,
  labels,
});
export const requests = counter("pay_requests_total");
export const errors = counter("pay_errors_total");

export interface Service {
  /** Requests a minute at noon, and what of it is left at four in the morning. */
  readonly perMinute: number;
  readonly nightShare: number;
  readonly share: number;
  readonly bursty: number;
  readonly restless: number;
}

export const payments: Service = {
  perMinute: 600,
  nightShare: 0.002,
  share: 0.003,
  bursty: 0.0005,
  restless: 0.02,
};

/** What one tick brought; or what an operator of the test makes of it. */
export interface Tick {
  readonly timeMs: number;
  readonly events: number;
  readonly failures: number;
}

export class Random {
  readonly next: () => number;
  constructor(seed: number) {
    this.next = mulberry32(seed);
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  poisson(mean: number): number {
    if (mean > 200) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    let count = 0;
    for (let left = mean - this.#exponential(); left > 0; left -= this.#exponential()) count += 1;
    return count;
  }

  binomial(trials: number, share: number): number {
    // Failures are few: the waiting times between them are geometric.
    if (share <= 0) return 0;
    if (share > 0.5) return trials - this.binomial(trials, 1 - share);
    if (trials * share > 200)
      return Math.round(trials * share + Math.sqrt(trials * share * (1 - share)) * this.normal());
    let count = 0;
    for (let at = this.#gap(share); at <= trials; at += this.#gap(share)) count += 1;
    return count;
  }

  /** Marsaglia and Tsang 2000. */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.next()) ** (1 / shape);
    const d = shape - 1 / 3;
    for (;;) {
      const x = this.normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(1 - this.next()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  beta(mean: number, correlation: number): number {
    if (correlation === 0) return mean;
    const concentration = 1 / correlation - 1;
    const one = this.gamma(mean * concentration);
    return one / (one + this.gamma((1 - mean) * concentration));
  }

  #exponential(): number {
    return -Math.log(1 - this.next());
  }

  #gap(share: number): number {
    return 1 + Math.floor(Math.log(1 - this.next()) / Math.log1p(-share));
  }
}

/** Share of the traffic at noon that comes at this time of day: least at four, most from eleven to five. */
export function rhythm(timeMs: number, nightShare: number): number {
  const hour = (timeMs / hourMs) % 24;
  const day = Math.min(1, Math.max(0, (1 - Math.cos(((hour - 2) / 24) * 2 * Math.PI)) / 1.6));
  return nightShare + (1 - nightShare) * day ** 3;
}

export function* ticksOf(service: Service, days: number, seed: number, intervalMs = 10_000): Generator<Tick> {
  const random = new Random(seed);
  const { perMinute, nightShare, share, bursty, restless } = service;
  const drawn = (): number => (restless === 0 ? 1 : random.gamma(1 / restless) * restless);
  let [from, to] = [drawn(), drawn()];
  let failing = share;
  for (let timeMs = startMs + intervalMs; timeMs <= startMs + days * dayMs; timeMs += intervalMs) {
    if (timeMs % epochMs < intervalMs) {
      [from, to] = [to, drawn()];
      failing = random.beta(share, bursty);
    }
    const rate = from + ((to - from) * (timeMs % epochMs)) / epochMs;
    const events = random.poisson((perMinute * rate * rhythm(timeMs, nightShare) * intervalMs) / minuteMs);
    yield { timeMs, events, failures: random.binomial(events, failing) };
  }
}

/** A host with one service, judged by the whole of detection. */
export class Watched {
  readonly told: Anomaly[] = [];
  readonly #intervalMs: number;
  detect: Detect;
  #events = 0;
  #failures = 0;

  constructor(intervalMs = 10_000, detect = createDetect({ policy: usualPolicy }), host = "pay-01") {
    this.#intervalMs = intervalMs;
    this.detect = detect;
    this.host = host;
    detect.define(host, 0, requests);
    detect.define(host, 1, errors);
  }
  readonly host: string;

  tick({ timeMs, events, failures }: Tick): void {
    this.#events += events;
    this.#failures += failures;
    this.send(timeMs, this.#events, this.#failures);
  }

  /** The counters' totals as they are. */
  send(timeMs: number, ...totals: number[]): void {
    const series = Uint32Array.from(totals, (_, index) => index);
    const values = Float64Array.from(totals);
    this.told.push(
      ...this.detect.judge({ host: this.host, timeMs, intervalMs: this.#intervalMs, series, values }),
    );
  }

  /** Counts that were told, each when it was told first. */
  begun(): Anomaly[] {
    const ids = new Set<string>();
    return this.told.filter(
      ({ detector, id }) => detector === "counts" && !ids.has(id) && ids.add(id) !== undefined,
    );
  }
}
