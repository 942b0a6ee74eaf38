/**
 * Services of a bank, simulated from one seed: what a recording of hosts lacks. Arrivals are Poisson around a load that drifts, each call
 * fails by chance, and its time is log-normal, with a share that is slow. Every figure is what one interval counts.
 */
import type { ChainEvent } from "#collector/chain.ts";
import type { Instrument, Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/random.ts";

export const simulationSeed = 20_260_105;
const servicesCount = 24;
const intervalMs = 10_000;
const ticks = 720;
const startMs = Date.UTC(2026, 0, 5);
/** Of one interval's calls, those that are timed one by one. */
const timedMax = 400;

/** What is told of each service, in columns. */
const metrics: readonly {
  readonly metric: string;
  readonly unit: string;
  readonly instrument: Instrument;
}[] = [
  { metric: "payments_requests_total", unit: "{request}", instrument: "counter" },
  { metric: "payments_errors_total", unit: "{request}", instrument: "counter" },
  { metric: "gateway_success_ratio", unit: "1", instrument: "gauge" },
  { metric: "payments_latency_seconds", unit: "s", instrument: "gauge" },
  { metric: "system.cpu.utilization", unit: "1", instrument: "gauge" },
];

/** Definitions, then two hours of ticks, of hosts with one service each. */
export function* simulatedServices(): Generator<ChainEvent> {
  const random = mulberry32(simulationSeed);
  const series = Uint32Array.from(metrics.keys());
  for (let service = 0; service < servicesCount; service += 1) {
    const host = hostOf(service);
    for (const [number, { metric, unit, instrument }] of metrics.entries()) {
      const defined: Series = { metric, unit, instrument, decimals: 6, labels: [] };
      yield { kind: "define", host, number, series: defined };
    }
  }
  const services = Array.from({ length: servicesCount }, () => new Service(random));
  for (let tick = 0; tick < ticks; tick += 1) {
    for (const [number, service] of services.entries()) {
      const values = service.next();
      const timeMs = startMs + tick * intervalMs;
      yield { kind: "batch", batch: { host: hostOf(number), timeMs, intervalMs, series, values } };
    }
  }
}

/** Names that make no siblings of them: each is judged for itself. */
function hostOf(service: number): string {
  return `${String.fromCharCode(97 + service)}-service`;
}

class Service {
  readonly #random: () => number;
  /** Calls in an interval, errors in a call, seconds and their spread. */
  readonly #rate: number;
  readonly #errorShare: number;
  readonly #medianS: number;
  readonly #sigma: number;
  /** Of its host's cores, at its usual rate; and how much that is off in an interval. */
  readonly #busy: number;
  readonly #busyNoise: number;
  #drift = 0;
  #requests = 0;
  #errors = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#rate = (10_000 / intervalMs) * 10 ** (1 + 3 * random());
    this.#errorShare = 10 ** (-4 + 2.3 * random());
    this.#medianS = 10 ** (-2.3 + 1.8 * random());
    this.#sigma = 0.4 + 0.6 * random();
    this.#busy = 0.03 + 0.35 * random();
    this.#busyNoise = 0.05 + 0.25 * random();
  }

  next(): Float64Array {
    this.#drift = 0.98 * this.#drift + 0.02 * this.#normal();
    const calls = this.#poisson(this.#rate * Math.exp(this.#drift));
    const errors = Math.min(calls, this.#poisson(calls * this.#errorShare));
    this.#requests += calls;
    this.#errors += errors;
    const timed = Math.min(calls, timedMax);
    let sumS = 0;
    for (let call = 0; call < timed; call += 1)
      sumS += this.#medianS * Math.exp(this.#sigma * this.#normal());
    const success = calls === 0 ? Number.NaN : 1 - errors / calls;
    const meanS = calls === 0 ? Number.NaN : sumS / timed;
    const busy = this.#busy * ((0.3 + (0.7 * calls) / this.#rate) * (1 + this.#busyNoise * this.#normal()));
    return Float64Array.of(this.#requests, this.#errors, success, meanS, Math.min(1, Math.max(0, busy)));
  }

  /** Box and Muller's, one of the two. */
  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }

  /** Knuth's product for few, the normal's approximation for many. */
  #poisson(mean: number): number {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#normal()));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.#random(); product > limit; product *= this.#random()) count += 1;
    return count;
  }
}
