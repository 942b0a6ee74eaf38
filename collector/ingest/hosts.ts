/**
 * From agents' columns to hosts' series: which host an agent speaks for, and which series number each of its columns is.
 *
 * A series keeps its number over restarts of its agent, because it is found by its identity, not by its column
 * (`series-numbers.ts`). Of a host that is gone only its facts are kept, to be shown. Pure and driven by the data's own times:
 * the same journal gives the same numbers.
 * Cost: nothing per sample; the columns of a segment are looked up once, where they are defined.
 */
import type { SampleBatch } from "#shared/batch.ts";
import { labelValue, type Labels, type Series } from "#shared/series.ts";
import { SeriesPool } from "#shared/series-pool.ts";
import type { DecodedFrame } from "#shared/wire/wire.ts";
import type { HeldTicksState } from "./held-ticks.ts";
import { sourceLabel } from "./otlp/origin.ts";
import { SeriesNumbers, type SeriesNumbersState } from "./series-numbers.ts";

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
  readonly hosts: readonly (FactsState & { readonly numbers: SeriesNumbersState })[];
  readonly gone: readonly FactsState[];
  readonly agents: readonly {
    readonly agentId: string;
    readonly host: string;
    readonly columns: readonly number[];
  }[];
  /** Of sources that push; absent when there are none. */
  readonly held?: HeldTicksState;
}

type FactsState = Omit<HostFacts, "series">;

interface Host {
  readonly host: string;
  agentId: string;
  resource: Labels;
  firstMs: number;
  lastMs: number;
  intervalMs: number;
  readonly numbers: SeriesNumbers;
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
  readonly #pool = new SeriesPool();
  readonly #agents = new Map<string, Agent>();
  /** Hosts that are gone, as they were. */
  readonly #gone = new Map<string, FactsState>();
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
    // While a key frame defines its columns anew, those that it has not come to yet are still the host's.
    const before = frame.header.key ? [...inForce(agent)] : [];
    if (frame.header.key) this.#startSegment(agent, timeMs);
    for (const { column, series: defined } of frame.definitions) {
      const series = this.#pool.intern(defined);
      // The column was another series' until now.
      host.numbers.seen(agent.columns[column] ?? -1, timeMs);
      const given = host.numbers.give(series, timeMs, () => new Set([...before, ...inForce(agent)]));
      agent.columns[column] = given?.number ?? -1;
      if (given === undefined) this.#refused += 1;
      else if (given.isNew) fresh.push({ host: host.host, number: given.number, series });
    }
    if (frame.header.key) host.numbers.sweep(timeMs, inForce(agent));
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

  /** Series by number; undefined where none has it now. */
  series(host: string): readonly (Series | undefined)[] {
    return this.#hosts.get(host)?.numbers.all ?? [];
  }

  /** The number of a series of `host` by its canonical id. */
  numberOf(host: string, id: string): number | undefined {
    return this.#hosts.get(host)?.numbers.of(id);
  }

  agentOf(host: string): string | undefined {
    return (this.#hosts.get(host) ?? this.#gone.get(host))?.agentId;
  }

  /** Whether `host` is a source that pushes: its ticks may be told again. */
  isPushing(host: string): boolean {
    return labelValue(this.#hosts.get(host)?.resource ?? [], sourceLabel) !== undefined;
  }

  /** Those that are gone come last, with no series. */
  facts(): HostFacts[] {
    const here = [...this.#hosts.values()].map((host) => ({ ...factsOf(host), series: host.numbers.size }));
    return [...here, ...[...this.#gone.values()].map((facts) => ({ ...facts, series: 0 }))];
  }

  /** The host is gone: its series are forgotten, and who spoke for it. When it comes back it is new. */
  retire(name: string): void {
    const host = this.#hosts.get(name);
    if (host === undefined) return;
    this.#gone.set(name, factsOf(host));
    this.#hosts.delete(name);
    this.#leave(host, null);
  }

  /** It is not even shown as gone any more. */
  forget(name: string): void {
    this.#gone.delete(name);
  }

  /** Nobody but `agentId` speaks for `host` any more. */
  #leave(host: Host, agentId: string | null): void {
    for (const [id, agent] of this.#agents)
      if (agent.host === host && id !== agentId) this.#agents.delete(id);
  }

  #keyFrame(agentId: string, resource: Labels, timeMs: number): Agent {
    const name = nameIn(resource) ?? agentId;
    const known = this.#agents.get(agentId);
    const host =
      known !== undefined && nameOf(known.host) === name && known.host.agentId === agentId
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
      if (host === undefined) return this.#newHost(key, agentId, timeMs);
      if (host.agentId !== agentId && timeMs - host.lastMs < abandonedMs) continue;
      host.agentId = agentId;
      // What an agent that was replaced still sends must find its own host: its columns are not this one's.
      this.#leave(host, agentId);
      return host;
    }
    return this.#newHost(`${name}~${agentId}`, agentId, timeMs);
  }

  #newHost(key: string, agentId: string, timeMs: number): Host {
    const times = { firstMs: timeMs, lastMs: timeMs, intervalMs: 0 };
    const host: Host = { host: key, agentId, resource: [], ...times, numbers: new SeriesNumbers() };
    this.#gone.delete(key);
    this.#hosts.set(key, host);
    return host;
  }

  /** A key frame defines everything anew. What the segment before it knew was in force until now. */
  #startSegment({ host, columns }: Agent, timeMs: number): void {
    for (const number of columns) host.numbers.seen(number ?? -1, timeMs);
    columns.length = 0;
  }

  snapshot(): HostsState {
    return {
      hosts: [...this.#hosts.values()].map((host) => ({ ...factsOf(host), numbers: host.numbers.state() })),
      gone: [...this.#gone.values()],
      agents: [...this.#agents].map(([agentId, { host, columns }]) => ({
        agentId,
        host: host.host,
        columns: Array.from(columns, (number) => number ?? -1),
      })),
    };
  }

  static restore(state: HostsState): Hosts {
    const hosts = new Hosts();
    for (const { numbers, ...facts } of state.hosts)
      hosts.#hosts.set(facts.host, { ...facts, numbers: SeriesNumbers.restore(numbers) });
    for (const facts of state.gone) hosts.#gone.set(facts.host, facts);
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

function factsOf({ host, agentId, resource, firstMs, lastMs, intervalMs }: Host): FactsState {
  return { host, agentId, resource, firstMs, lastMs, intervalMs };
}

/** As its agent names it. */
function nameOf({ resource, agentId }: Host): string {
  return nameIn(resource) ?? agentId;
}

/** A source that pushes names a host that is not itself. */
function nameIn(resource: Labels): string | undefined {
  return labelValue(resource, sourceLabel) ?? labelValue(resource, "host.name");
}

function inForce({ columns }: Agent): Set<number> {
  return new Set(columns.filter((number) => number >= 0));
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
