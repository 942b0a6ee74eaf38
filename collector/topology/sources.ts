/**
 * Sources that push what they measure themselves (OTLP): which host each runs on, and the calls that its spans tell of.
 *
 * A source is a service on a host; detection keeps it apart from what the host's agent tells, because its ticks come at other times. To
 * topology both are one place: whoever is near the host is near its sources. Calls come as counters by caller and callee, of which the
 * callee may be known by its service name only. Pure. Cost: a look-up for each series that counts calls.
 */
import type { SampleBatch } from "#shared/batch.ts";
import { labelValue, type Series } from "#shared/series.ts";

const callMetric = "causeway.edge.calls";

interface Calls {
  readonly caller: string;
  readonly callee: string;
  /** The counter as it was last. */
  total: number;
}

export interface SourcesState {
  readonly places: readonly (readonly [source: string, host: string, service: string])[];
  readonly calls: readonly (readonly [
    source: string,
    calls: readonly (readonly [number: number, caller: string, callee: string, total: number | null])[],
  ])[];
}

export type TellCall = (caller: string, callee: string, timeMs: number, calls: number) => void;

export class Sources {
  readonly #places = new Map<string, { readonly host: string; readonly service: string }>();
  readonly #on = new Map<string, Set<string>>();
  readonly #calls = new Map<string, Map<number, Calls>>();
  /** Grows when a source comes, goes or moves. */
  version = 0;

  constructor(state?: SourcesState) {
    for (const [source, host, service] of state?.places ?? []) this.runsOn(source, host, service);
    for (const [source, calls] of state?.calls ?? []) {
      const own = new Map(
        calls.map(([number, caller, callee, total]) => [
          number,
          { caller, callee, total: total ?? Number.NaN },
        ]),
      );
      this.#calls.set(source, own);
    }
  }

  runsOn(source: string, host: string, service: string): void {
    const before = this.#places.get(source);
    if (before?.host === host && before.service === service) return;
    this.forget(source);
    this.version += 1;
    this.#places.set(source, { host, service });
    this.#on.set(host, (this.#on.get(host) ?? new Set()).add(source));
  }

  forget(source: string): void {
    this.#calls.delete(source);
    const place = this.#places.get(source);
    if (place === undefined) return;
    this.version += 1;
    this.#places.delete(source);
    this.#on.get(place.host)?.delete(source);
  }

  /** The host of a source; of anything else itself. */
  hostOf(name: string): string {
    return this.#places.get(name)?.host ?? name;
  }

  /** Sources of a host, sorted. */
  on(host: string): string[] {
    return [...(this.#on.get(host) ?? [])].sort();
  }

  /** Hosts on which a source is a service of this name, sorted. */
  hostsOfService(name: string): string[] {
    const hosts = [...this.#places.values()]
      .filter(({ service }) => service === name)
      .map(({ host }) => host);
    return [...new Set(hosts)].sort();
  }

  /** False for a series that counts no calls. */
  define(source: string, number: number, { metric, labels }: Series): boolean {
    this.#calls.get(source)?.delete(number);
    const caller = labelValue(labels, "caller");
    const callee = labelValue(labels, "callee");
    const between = labelValue(labels, "callee.kind") === "service";
    if (metric !== callMetric || !between || caller === undefined || callee === undefined)
      return metric === callMetric;
    const own = this.#calls.get(source) ?? new Map<number, Calls>();
    this.#calls.set(source, own.set(number, { caller, callee, total: Number.NaN }));
    return true;
  }

  observe({ host: source, timeMs, series, values }: SampleBatch, tell: TellCall): void {
    const own = this.#calls.get(source);
    if (own === undefined || own.size === 0) return;
    const host = this.hostOf(source);
    const service = this.#places.get(source)?.service;
    const named = (name: string): string => (name === service ? `${host}/${name}` : name);
    for (let column = 0; column < series.length; column += 1) {
      const one = own.get(series[column]!);
      const total = values[column]!;
      if (one === undefined || Number.isNaN(total)) continue;
      const calls = total - one.total;
      one.total = total;
      if (calls > 0) tell(named(one.caller), named(one.callee), timeMs, calls);
    }
  }

  snapshot(): SourcesState {
    return {
      places: [...this.#places]
        .map(([source, { host, service }]) => [source, host, service] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
      calls: [...this.#calls]
        .map(([source, own]) => {
          const calls = [...own].map(
            ([number, { caller, callee, total }]) =>
              [number, caller, callee, Number.isNaN(total) ? null : total] as const,
          );
          return [source, calls] as const;
        })
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    };
  }
}
