/**
 * From agents' columns to hosts' series: which host an agent speaks for, and which series number each of its columns is.
 *
 * A series keeps its number over restarts of its agent, because it is found by its identity, not by its column. A number
 * whose series has not been seen for a day is given to the next new one, so that processes that come and go do not fill the
 * host's list. Pure and driven by the data's own times: the same journal gives the same numbers.
 * Cost: nothing per sample; the columns of a segment are looked up once, where they are defined.
 */
import type { SampleBatch } from "#shared/batch.ts";
import { limits } from "#shared/limits.ts";
import { labelValue, seriesId, type Labels, type Series } from "#shared/series.ts";
import type { DecodedFrame } from "#shared/wire/wire.ts";

/** A number not seen for this long may become another series'. */
const forgottenMs = 86_400_000;
/** A new agent takes a host's name over from one that has been silent for this long: the machine was set up again. */
const abandonedMs = 15 * 60_000;

export interface NewSeries {
  readonly host: string;
  /** From now on this number is this series; what was known under it is over. */
  readonly number: number;
  readonly series: Series;
}

export interface Arrival {
  readonly host: string;
  /** What the agent says it is; only with a key frame. */
  readonly resource: Labels | null;
  /** To be told before the batches are used. */
  readonly fresh: readonly NewSeries[];
  readonly batches: readonly SampleBatch[];
}

export interface HostFacts {
  readonly host: string;
  readonly agentId: string;
  /** The key frame's resource: host.name, os.type, service.version and so on. */
  readonly resource: Labels;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly intervalMs: number;
  readonly series: number;
}

/** JSON; `restore` reads it. */
export interface HostsState {
  readonly hosts: readonly {
    readonly host: string;
    readonly name: string;
    readonly agentId: string;
    readonly resource: Labels;
    readonly firstMs: number;
    readonly lastMs: number;
    readonly intervalMs: number;
    readonly series: readonly (Series & { readonly seenMs: number })[];
  }[];
  readonly agents: readonly {
    readonly agentId: string;
    readonly host: string;
    readonly columns: readonly number[];
  }[];
}

interface Host {
  readonly host: string;
  readonly name: string;
  agentId: string;
  resource: Labels;
  firstMs: number;
  lastMs: number;
  intervalMs: number;
  readonly series: Series[];
  /** When each number last had a definition in force, by data time. */
  readonly seenMs: number[];
  readonly byId: Map<string, number>;
}

interface Agent {
  host: Host;
  /** Series number by column; -1 where none. */
  columns: number[];
  /** The columns that have a number, and those numbers: made once per definition, shared by the batches. */
  used: Uint32Array;
  numbers: Uint32Array;
}

export class Hosts {
  readonly #hosts = new Map<string, Host>();
  readonly #agents = new Map<string, Agent>();
  #refused = 0;

  /** Series that found no number (limits.seriesPerHostMax). */
  get refused(): number {
    return this.#refused;
  }

  /**
   * The batches of one frame, times corrected by `skewMs`. Null when the agent's first frame here is no key frame: then
   * nobody knows what its columns are.
   */
  arrive(agentId: string, skewMs: number, frame: DecodedFrame): Arrival | null {
    const timeMs = frame.header.baseTimeMs - skewMs;
    const agent =
      frame.resource === null ? this.#agents.get(agentId) : this.#keyFrame(agentId, frame.resource, timeMs);
    if (agent === undefined) return null;
    const { host } = agent;
    const fresh: NewSeries[] = [];
    if (frame.header.key) this.#startSegment(agent, timeMs);
    for (const { column, series } of frame.definitions) {
      const number = this.#number(host, series, timeMs, fresh);
      agent.columns[column] = number;
    }
    if (frame.header.key || frame.definitions.length > 0) index(agent);
    host.intervalMs = frame.header.intervalMs;
    const batches = frame.ticks.map((tick) => batchOf(agent, tick.timeMs - skewMs, tick.values));
    host.lastMs = Math.max(host.lastMs, batches.at(-1)?.timeMs ?? timeMs);
    return { host: host.host, resource: frame.resource, fresh, batches };
  }

  /** The host that an agent speaks for, once its first key frame was seen. */
  hostOf(agentId: string): string | undefined {
    return this.#agents.get(agentId)?.host.host;
  }

  /** Series by number. */
  series(host: string): readonly Series[] {
    return this.#hosts.get(host)?.series ?? [];
  }

  /** The number of a series of `host` by its canonical id. */
  numberOf(host: string, id: string): number | undefined {
    return this.#hosts.get(host)?.byId.get(id);
  }

  agentOf(host: string): string | undefined {
    return this.#hosts.get(host)?.agentId;
  }

  facts(): HostFacts[] {
    return [...this.#hosts.values()].map((host) => ({ ...factsOf(host), series: host.byId.size }));
  }

  #keyFrame(agentId: string, resource: Labels, timeMs: number): Agent {
    const name = labelValue(resource, "host.name") ?? agentId;
    const known = this.#agents.get(agentId);
    const host =
      known?.host.name === name && known.host.agentId === agentId
        ? known.host
        : this.#hostFor(agentId, name, timeMs);
    host.resource = resource;
    if (known?.host === host) return known;
    const agent = { host, columns: [], used: new Uint32Array(), numbers: new Uint32Array() };
    this.#agents.set(agentId, agent);
    return agent;
  }

  #hostFor(agentId: string, name: string, timeMs: number): Host {
    for (const key of [name, ...suffixed(name, agentId)]) {
      const host = this.#hosts.get(key);
      if (host === undefined) return this.#newHost(key, name, agentId, timeMs);
      if (host.agentId !== agentId && timeMs - host.lastMs < abandonedMs) continue;
      host.agentId = agentId;
      return host;
    }
    return this.#newHost(`${name}~${agentId}`, name, agentId, timeMs);
  }

  #newHost(key: string, name: string, agentId: string, timeMs: number): Host {
    const times = { firstMs: timeMs, lastMs: timeMs, intervalMs: 0 };
    const host: Host = {
      host: key,
      name,
      agentId,
      resource: [],
      ...times,
      series: [],
      seenMs: [],
      byId: new Map(),
    };
    this.#hosts.set(key, host);
    return host;
  }

  /** A key frame defines everything anew. What the segment before it knew was in force until now. */
  #startSegment(agent: Agent, timeMs: number): void {
    for (const number of agent.columns) if (number >= 0) agent.host.seenMs[number] = timeMs;
    agent.columns = [];
  }

  #number(host: Host, series: Series, timeMs: number, fresh: NewSeries[]): number {
    const id = seriesId(series);
    const known = host.byId.get(id);
    if (known !== undefined) {
      host.seenMs[known] = timeMs;
      return known;
    }
    const number = this.#freeNumber(host, timeMs);
    if (number === undefined) {
      this.#refused += 1;
      return -1;
    }
    host.byId.set(id, number);
    host.series[number] = series;
    host.seenMs[number] = timeMs;
    fresh.push({ host: host.host, number, series });
    return number;
  }

  #freeNumber(host: Host, timeMs: number): number | undefined {
    const { series, seenMs, byId } = host;
    // Growing is cheap until a day's worth of numbers may be forgotten: look for one only then, at doublings of the list.
    if (series.length < reuseFrom) return series.length;
    const number = seenMs.findIndex((seen) => timeMs - seen > forgottenMs);
    const old = series[number];
    if (old !== undefined) {
      byId.delete(seriesId(old));
      return number;
    }
    return series.length < limits.seriesPerHostMax ? series.length : undefined;
  }

  snapshot(): HostsState {
    return {
      hosts: [...this.#hosts.values()].map(hostState),
      agents: [...this.#agents].map(([agentId, { host, columns }]) => ({
        agentId,
        host: host.host,
        columns: Array.from(columns, (number) => number ?? -1),
      })),
    };
  }

  static restore(state: HostsState): Hosts {
    const hosts = new Hosts();
    for (const host of state.hosts.map(restoreHost)) hosts.#hosts.set(host.host, host);
    for (const { agentId, host: key, columns } of state.agents) {
      const host = hosts.#hosts.get(key);
      if (host === undefined) continue;
      const agent = { host, columns: [...columns], used: new Uint32Array(), numbers: new Uint32Array() };
      index(agent);
      hosts.#agents.set(agentId, agent);
    }
    return hosts;
  }
}

/** Below this many numbers a host's list just grows. */
const reuseFrom = 2_000;

function factsOf({ host, agentId, resource, firstMs, lastMs, intervalMs }: Host) {
  return { host, agentId, resource, firstMs, lastMs, intervalMs };
}

function hostState(host: Host): HostsState["hosts"][number] {
  const series = host.series.map((one, number) => ({ ...one, seenMs: host.seenMs[number] ?? 0 }));
  return { ...factsOf(host), name: host.name, series };
}

function restoreHost(state: HostsState["hosts"][number]): Host {
  const { series: stored, ...rest } = state;
  const series = stored.map(({ metric, unit, instrument, decimals, labels }) => ({
    metric,
    unit,
    instrument,
    decimals,
    labels,
  }));
  const byId = new Map(series.map((one, number) => [seriesId(one), number]));
  return { ...rest, series, seenMs: stored.map(({ seenMs }) => seenMs), byId };
}

function suffixed(name: string, agentId: string): string[] {
  return [`${name}~${agentId.slice(0, 4)}`, `${name}~${agentId.slice(0, 8)}`];
}

function index(agent: Agent): void {
  const used: number[] = [];
  for (let column = 0; column < agent.columns.length; column += 1) {
    if ((agent.columns[column] ?? -1) >= 0) used.push(column);
  }
  agent.used = Uint32Array.from(used);
  agent.numbers = agent.used.map((column) => agent.columns[column] ?? 0);
}

function batchOf({ host, used, numbers }: Agent, timeMs: number, values: Float64Array): SampleBatch {
  // An agent that never gave a column back uses them all, and a tick's values are never written to: no copy then.
  const isDense = (used.at(-1) ?? -1) === used.length - 1;
  if (isDense && values.length === used.length) {
    return { host: host.host, timeMs, intervalMs: host.intervalMs, series: numbers, values };
  }
  const columns = new Float64Array(used.length);
  for (let at = 0; at < used.length; at += 1) columns[at] = values[used[at] ?? 0] ?? Number.NaN;
  return { host: host.host, timeMs, intervalMs: host.intervalMs, series: numbers, values: columns };
}
