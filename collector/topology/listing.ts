/**
 * The whole topology at one level, for the API: services, the hosts that they stand on, or the zones that those stand in.
 *
 * A level folds nodes together and adds up the figures of the edges between them; what stays within one node is no edge there. The
 * largest edges are listed (`limits.topologyEdgesListedMax`), and how many there are. Pure; cost linear in edges.
 */
import type { TopologyLevel, TopologyNode, TopologyReport } from "#shared/contract/topology.ts";
import { type Entity, entityId } from "#shared/entity.ts";
import { limits } from "#shared/limits.ts";
import { FigureSum } from "./edge-figures.ts";
import type { Link } from "./links.ts";

export interface ListingParts {
  readonly level: TopologyLevel;
  readonly nowMs: number;
  readonly links: readonly Link[];
  /** Also those without an edge. */
  readonly entities: readonly Entity[];
  readonly zoneOf: (host: string) => string | null;
}

export function listing({ level, nowMs, links, entities, zoneOf }: ListingParts): TopologyReport {
  const nodes = new Map<string, TopologyNode>();
  const take = (entity: Entity): TopologyNode => {
    const made = nodeAt(level, entity, zoneOf);
    const known = nodes.get(made.id) ?? made;
    nodes.set(known.id, known);
    return known;
  };
  for (const entity of entities) take(entity);
  const sums = new Map<string, { caller: string; callee: string; sum: FigureSum }>();
  for (const { caller, callee, joined, told } of links) {
    const [from, to] = [take(caller).id, take(callee).id];
    if (from === to) continue;
    const key = `${from}\n${to}`;
    const edge = sums.get(key) ?? { caller: from, callee: to, sum: new FigureSum(nowMs) };
    sums.set(key, edge);
    if (joined !== undefined) edge.sum.addJoined(joined);
    if (told !== undefined) edge.sum.addTold(told);
  }
  const edges = [...sums.values()]
    .map(({ caller, callee, sum }) => ({ caller, callee, ...sum.figures() }))
    .sort(
      (a, b) => b.connections - a.connections || compare(a.caller, b.caller) || compare(a.callee, b.callee),
    );
  const shown = edges.slice(0, limits.topologyEdgesListedMax);
  const needed = new Set(shown.flatMap(({ caller, callee }) => [caller, callee]));
  const first = [...nodes.values()].sort((a, b) => compare(a.id, b.id));
  const kept = [...first.filter(({ id }) => needed.has(id)), ...first.filter(({ id }) => !needed.has(id))]
    .slice(0, Math.max(needed.size, limits.topologyNodesListedMax))
    .sort((a, b) => compare(a.id, b.id));
  return {
    level,
    atMs: nowMs,
    nodes: kept,
    edges: shown,
    nodesTotal: nodes.size,
    edgesTotal: edges.length,
  };
}

function nodeAt(level: TopologyLevel, entity: Entity, zoneOf: ListingParts["zoneOf"]): TopologyNode {
  const { kind, host, name } = entity;
  // Whatever is outside stands nowhere.
  if (kind === "peer") {
    if (level === "zone") return { id: "peer:", kind: "peer", host: "", name: "", zone: null };
    return { id: entityId(entity), kind: "peer", host, name, zone: null };
  }
  const zone = host === "" ? null : zoneOf(host);
  if (level === "zone") return { id: `zone:${zone ?? ""}`, kind: "zone", host: "", name: zone ?? "", zone };
  // A service that is known by its calls only is on no host that it could be folded into.
  if (kind === "service" && (level === "service" || host === ""))
    return { id: entityId(entity), kind: "service", host, name, zone };
  return { id: entityId({ kind: "host", host, name: "" }), kind: "host", host, name: "", zone };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
