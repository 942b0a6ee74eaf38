/**
 * Who talks to whom, learned from the agents' sockets, from spans and from the settings; pure.
 *
 * An agent reports its host's addresses and, as series, the ends of its services' connections; `join.ts` finds out whose the other
 * ends are. What was not seen for a day is forgotten (`edgeKeptMs`; a bank with weekly batches sets a week), and is marked as stale
 * after an hour. `README.md` says what is found and what is missed.
 */
import type { SampleBatch } from "#shared/batch.ts";
import type { TopologyLevel, TopologyReport } from "#shared/contract/topology.ts";
import { type Entity, entityId } from "#shared/entity.ts";
import type { Series } from "#shared/series.ts";
import type { DependencyEdge, DependencyGraph } from "#shared/suspicion.ts";
import { FigureSum } from "./edge-figures.ts";
import { Join, type JoinState, plainName, type Touched } from "./join.ts";
import { isOf, type Link, Links, type Near, otherEnd } from "./links.ts";
import { listing } from "./listing.ts";
import { Sources, type SourcesState } from "./sources.ts";
import { ToldEdges, type ToldState } from "./told-edges.ts";

export interface TopologyPolicy {
  /** An edge that was not seen for this long is gone. */
  readonly edgeKeptMs: number;
  /** Where hosts stand, by patterns of their names (`*` is any run of characters); the first that fits. */
  readonly zones: readonly { readonly name: string; readonly hosts: readonly string[] }[];
  /** Edges that are there whether they are seen or not: hosts, or hosts and their services ("mq-01/mq"). */
  readonly declared: readonly (readonly [caller: string, callee: string])[];
}

export const usualTopologyPolicy: TopologyPolicy = { edgeKeptMs: 86_400_000, zones: [], declared: [] };

export interface TopologyState {
  readonly nowMs: number;
  readonly join: JoinState;
  readonly told: ToldState;
  readonly sources: SourcesState;
  readonly zones: readonly (readonly [host: string, zone: string])[];
}

export interface TopologyParts {
  readonly policy?: TopologyPolicy | undefined;
  /** Whether the whole of `text` fits a pattern of `policy.zones`. */
  readonly fits?: ((pattern: string, text: string) => boolean) | undefined;
  readonly state?: TopologyState | undefined;
}

export interface Topology extends DependencyGraph {
  /** `addresses`: the host's own IP addresses, `zone`: where it stands, as its agent reports them. */
  addresses(host: string, addresses: readonly string[], zone?: string): void;
  define(host: string, number: number, series: Series): void;
  observe(batch: SampleBatch): void;
  /** The journal's time goes on though no host is heard. */
  advance(nowMs: number): void;
  /** The host is gone: its addresses may be another's, and nobody is connected to it. */
  forget(host: string): void;
  /** An edge that is known without having been seen, between hosts ("db-01") or their services ("db-01/postgres"). */
  declare(caller: string, callee: string): void;
  /** A call that a span tells of, between services ("ledger") that may name their hosts ("pay-01/ledger"). */
  observeCall(callerService: string, calleeService: string, timeMs: number): void;
  /** `source` pushes what `service` on `host` measures itself; both names are asked for alike from then on. */
  runsOn(source: string, host: string, service: string): void;
  /** Who is at both ends of the edge that a series of the host's agent tells of; undefined if nobody knows. */
  callOf(host: string, series: Series): { readonly caller: Entity; readonly callee: Entity } | undefined;
  list(level: TopologyLevel): TopologyReport;
  snapshot(): TopologyState;
}

export function createTopology({
  policy = usualTopologyPolicy,
  fits = (pattern, text) => pattern === text,
  state,
}: TopologyParts = {}): Topology {
  const { edgeKeptMs } = policy;
  // Nothing is kept before the first question.
  let touched: Touched = () => {};
  const join = new Join(edgeKeptMs, (host) => touched(host), state?.join);
  const told = new ToldEdges(state?.told);
  /** The settings' edges are not part of the state: they go when they are taken out of the settings. */
  const set = new ToldEdges({ declared: policy.declared, calls: [] });
  const sources = new Sources(state?.sources);
  const links = new Links(join, [told, set], edgeKeptMs, sources);
  touched = (host) => links.touched(host);
  const zones = new Map(state?.zones);
  let nowMs = state?.nowMs ?? 0;

  // What the operator set goes before what an agent says.
  const zoneOf = (host: string): string | null =>
    policy.zones.find(({ hosts }) => hosts.some((pattern) => fits(pattern, host)))?.name ??
    zones.get(host) ??
    null;
  const now = (): Links => links.at(nowMs);

  /** What pushes from a host is at the same place. */
  /** Sorted once, as long as what they were made of stands: a host that thousands use is asked for with each of them. */
  const sorted = new WeakMap<Near, Map<string, readonly string[]>>();
  const neighbours = (name: string): readonly string[] => {
    const host = sources.hostOf(name);
    const near = now().near(host);
    const known = sorted.get(near)?.get(name);
    if (known !== undefined) return known;
    const around = [host, ...near.callees, ...near.callers].flatMap((one) => [one, ...sources.on(one)]);
    const list = [...new Set(around)].filter((one) => one !== name).sort();
    const lists = sorted.get(near) ?? new Map<string, readonly string[]>();
    sorted.set(near, lists.set(name, list));
    return list;
  };

  /** Edges of `entity` at one side, by what is at the other. */
  const edges = (entity: Entity, side: "caller" | "callee"): DependencyEdge[] => {
    const other = side === "caller" ? "callee" : "caller";
    const found = new Map<string, { entity: Entity; sum: FigureSum }>();
    for (const link of linksOf(entity)) {
      if (!isIn(link[side], entity) || isIn(link[other], entity)) continue;
      const id = entityId(link[other]);
      const edge = found.get(id) ?? { entity: link[other], sum: new FigureSum(nowMs) };
      found.set(id, edge);
      if (link.joined !== undefined) edge.sum.addJoined(link.joined);
      if (link.told !== undefined) edge.sum.addTold(link.told);
    }
    return [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { entity: end, sum }]) => {
        const [caller, callee] = side === "caller" ? [entity, end] : [end, entity];
        return { caller, callee, ...sum.figures() };
      });
  };

  const linksOf = (entity: Entity): readonly Link[] => {
    if (entity.host !== "") return now().touching(entity.host);
    return [...new Set([...now().told(), ...links.hostsOf(entity).flatMap((host) => links.touching(host))])];
  };

  const around = (entity: Entity): Entity[] =>
    linksOf(entity)
      .filter(({ caller, callee }) => isIn(caller, entity) || isIn(callee, entity))
      .map((link) => otherEnd(link, isIn(link.caller, entity) ? link.caller : link.callee))
      .filter(({ kind }) => kind !== "peer");

  return {
    addresses(host, addresses, zoneName) {
      join.addresses(host, addresses);
      if (zoneName === undefined || zoneName === "") zones.delete(host);
      else zones.set(host, zoneName);
    },
    define(host, number, series) {
      if (!sources.define(host, number, series)) join.ends(host).define(number, series);
    },
    runsOn: (source, host, service) => sources.runsOn(source, host, service),
    observe(batch) {
      nowMs = Math.max(nowMs, batch.timeMs);
      join.ends(batch.host).observe(batch);
      sources.observe(batch, (caller, callee, timeMs, calls) =>
        told.observeCall(caller, callee, timeMs, calls),
      );
    },
    advance(toMs) {
      nowMs = Math.max(nowMs, toMs);
    },
    forget(host) {
      join.forget(host);
      sources.forget(host);
      zones.delete(host);
    },
    declare: (caller, callee) => told.declare(caller, callee),
    observeCall: (caller, callee, timeMs) => told.observeCall(caller, callee, timeMs),
    neighbours,
    zoneOf: (name) => zoneOf(sources.hostOf(name)),
    calls: (caller, callee) => now().near(sources.hostOf(caller)).callees.has(sources.hostOf(callee)),
    hops: (hostA, hostB, max) =>
      steps(
        hostA,
        (host) => host === hostB,
        neighbours,
        (host) => host,
        max,
      ),
    callees: (caller) => edges(caller, "caller"),
    callers: (callee) => edges(callee, "callee"),
    serviceHops: (a, b, max) => steps(a, (entity) => isIn(entity, b), around, entityId, max),
    callOf: (host, series) => join.endsOf(host, series, nowMs),
    list(level) {
      const entities = join.hosts.flatMap((host): Entity[] => [
        ...(level === "service" ? [] : [{ kind: "host", host, name: "" } as const]),
        ...join.servicesOf(host, nowMs).map((name): Entity => ({ kind: "service", host, name })),
      ]);
      return listing({ level, nowMs, links: now().all(), entities, zoneOf });
    },
    snapshot: () => ({
      nowMs,
      join: join.snapshot(),
      told: told.snapshot(),
      sources: sources.snapshot(),
      zones: [...zones].sort(([a], [b]) => (a < b ? -1 : 1)),
    }),
  };
}

/** True for the entity itself, for the services of the host that it is, and for a service that one of both knows no host of. */
function isIn(entity: Entity, whole: Entity): boolean {
  if (whole.kind === "host") return isOf(entity, whole.host);
  const named = entity.kind === "service" && whole.kind === "service";
  if (named && (entity.host === "" || whole.host === ""))
    return plainName(entity.name) === plainName(whole.name);
  return entityId(entity) === entityId(whole);
}

/** Steps from `start` to what `isGoal`, in rings; Infinity when it is farther than `max`. */
function steps<T>(
  start: T,
  isGoal: (at: T) => boolean,
  around: (at: T) => readonly T[],
  idOf: (at: T) => string,
  max: number,
): number {
  let ring: readonly T[] = [start];
  const reached = new Set([idOf(start)]);
  for (let hops = 0; ring.length > 0; hops += 1) {
    if (ring.some(isGoal)) return hops;
    if (hops === max) break;
    const next: T[] = [];
    for (const at of ring) {
      for (const other of around(at)) {
        if (reached.has(idOf(other))) continue;
        reached.add(idOf(other));
        next.push(other);
      }
    }
    ring = next;
  }
  return Number.POSITIVE_INFINITY;
}
