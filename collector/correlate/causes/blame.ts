/**
 * Which entity is to blame: what speaks for each of itself, less what those that it depends on explain.
 *
 * Of an entity counts its strongest cause (a resource, the network, a state), what is left of its strongest symptom (latency, errors)
 * after the strongest of what it depends on has explained its part, and demand that it let drop. Symptoms travel from callee to caller,
 * so a caller's are explained by its callee's; traffic travels the other way, so callees that lost it are explained by a caller that
 * did not. A delay of the network shows on every edge of the entity that has it, so each end of an edge is given the mean over its edges.
 */
import { aspects, numberOfAspect, weightOf } from "./aspects.ts";
import type { Deviations } from "./deviation.ts";
import type { Graph } from "./graph.ts";

const { cpu, memory, disk, latency, edge, gap, errors, traffic } = numberOfAspect;

/** Of the symptom, at most this share is explained away: the callee may be another victim. */
const explainShare = 0.75;
/** A callee may be called several times for one call, so it explains up to three times the time that it gained itself. */
const callsPerCall = 3;
/** A tenth of what a caller gained explains a third of it, and counts for a third. */
const gainedPower = 0.5;
/** A callee's used-up resource explains half as much as its latency would: that it is slow too is then not seen. */
const causeExplains = 0.5;
/** The end of an edge that calls has its gaps by mean over at least two edges, and a little less. */
const callerGapEdgesMin = 2;
const callerGapShare = 0.9;
/** Less of a gap than this is the network's: then it is none of it. */
const wireShareMin = 0.25;
/** Of a gap that is a caller's, so much is not the callee's. */
const callersShare = 0.5;
const secondShare = 0.5;
const thirdShare = 0.25;
/** An endpoint that only callers see is most often another name of something that is watched. */
const remoteShare = 0.35;
const unconnectedShare = 0.6;
/** What all peers show counts for half. */
const peersShare = 0.5;
/** Nothing at all is heard of it any more, though others on its clock are: as good as three in the logarithm of deviations. */
const silenceStrength = 3;

export interface Blame {
  readonly score: Float64Array;
  /** Its strongest symptom, before what others explain is taken away. */
  readonly symptom: Float64Array;
  /** What explains most of the symptom, or -1, and how much of it. */
  readonly explainedBy: Int32Array;
  readonly explained: Float64Array;
  /** Share of its strongest evidence that its peers show too. */
  readonly shared: Float64Array;
  /** When an entity that fell silent was last heard, else NaN. */
  readonly silentSinceMs: Float64Array;
}

/** `weights` by series; `peers` by numbers of entities. */
export function blameOf(
  weights: Float64Array,
  found: Deviations,
  graph: Graph,
  peers: readonly (readonly number[])[],
): Blame {
  const count = graph.names.length;
  const best = strongest(weights, found, graph);
  const shared = new Float64Array(count);
  for (const group of peers) withoutShared(best, group, shared, count);
  const silentSinceMs = silenceOf(found, graph);
  const cause = new Float64Array(count);
  const symptom = new Float64Array(count);
  const place = new Float64Array(count);
  for (const [aspect, { role }] of weightOf.entries()) {
    const into = role === "cause" ? cause : role === "symptom" ? symptom : role === "place" ? place : null;
    if (into === null) continue;
    for (let entity = 0; entity < count; entity += 1) {
      into[entity] = Math.max(into[entity]!, best[aspect * count + entity]!);
    }
  }
  for (let entity = 0; entity < count; entity += 1) {
    if (!Number.isNaN(silentSinceMs[entity]!)) cause[entity] = Math.max(cause[entity]!, silenceStrength);
  }
  const explained = explain(best, cause, symptom, gainedTime(weights, found, graph), graph);
  const dropped = droppedDemand(weights, found, graph);
  const score = new Float64Array(count);
  const demand = best.subarray(traffic * count, (traffic + 1) * count);
  for (let entity = 0; entity < count; entity += 1) {
    let own = topThree(
      cause[entity]!,
      (symptom[entity]! - explained.amount[entity]!) * explained.share[entity]!,
      secondShare * demand[entity]!,
      place[entity]!,
      dropped[entity]!,
    );
    if (graph.remote[entity] === 1) own *= remoteShare;
    if (graph.reachable[entity] === 0) own *= unconnectedShare;
    score[entity] = own;
  }
  return { score, symptom, explainedBy: explained.by, explained: explained.amount, shared, silentSinceMs };
}

/** By aspect, then entity: the strongest weight; of gaps, the mean over an end's edges. */
function strongest(weights: Float64Array, found: Deviations, graph: Graph): Float64Array {
  const count = graph.names.length;
  const best = new Float64Array(aspects.length * count);
  const gaps = gapByEdge(weights, found, graph);
  for (let index = 0; index < weights.length; index += 1) {
    const aspect = found.aspect[index]!;
    if (aspect < 0 || aspect === gap || weights[index] === 0) continue;
    const entity = graph.entityOfSeries[index]!;
    // Where the gap is known, what the caller saw is the sum of two that are judged by themselves.
    if (aspect === edge && gaps.has(graph.callerOfSeries[index]! * count + entity)) continue;
    const slot = aspect * count + entity;
    best[slot] = Math.max(best[slot]!, weights[index]!);
  }
  best.set(gapByEnd(gaps, takenOf(best, count), count), gap * count);
  return best;
}

interface Gap {
  /** The strongest, 0 when none has strayed. */
  weight: number;
  /** Of those that are the network's alone; -1: that is not measured. */
  wire: number;
}

/** By edge: caller * count + callee. */
function gapByEdge(weights: Float64Array, found: Deviations, graph: Graph): ReadonlyMap<number, Gap> {
  const gaps = new Map<number, Gap>();
  for (let index = 0; index < weights.length; index += 1) {
    if (found.aspect[index] !== gap) continue;
    const edge = graph.callerOfSeries[index]! * graph.names.length + graph.entityOfSeries[index]!;
    const known = gaps.get(edge) ?? { weight: 0, wire: -1 };
    known.weight = Math.max(known.weight, weights[index]!);
    if (graph.ofWire[index] === 1) known.wire = Math.max(known.wire, weights[index]!);
    gaps.set(edge, known);
  }
  return gaps;
}

/**
 * By entity: the mean over its edges on either side, as all of them have what one end has. What only one of a callee's callers has is
 * that caller's: its way, or its own wait before it sends. So is what the network has not, if the callee has no reason to be late either.
 */
function gapByEnd(gaps: ReadonlyMap<number, Gap>, taken: Float64Array, count: number): Float64Array {
  const called = { sum: new Float64Array(count), edges: new Int32Array(count) };
  const calling = { sum: new Float64Array(count), edges: new Int32Array(count) };
  const ends = new Float64Array(count);
  for (const [edge, { weight, wire }] of gaps) {
    const [caller, callee] = [Math.floor(edge / count), edge % count];
    const isCallers = caller >= 0 && wire >= 0 && wire < wireShareMin * weight;
    const reason = isCallers ? Math.min(1, taken[callee]! / weight) : 1;
    if (isCallers) ends[caller] = Math.max(ends[caller]!, callerGapShare * weight * (1 - reason));
    called.sum[callee]! += weight * (1 - callersShare * (1 - reason));
    called.edges[callee]! += 1;
    if (caller < 0) continue;
    calling.sum[caller]! += weight;
    calling.edges[caller]! += 1;
  }
  for (let end = 0; end < count; end += 1) {
    const asCallee = called.edges[end]! > 0 ? called.sum[end]! / called.edges[end]! : 0;
    const isShared = calling.edges[end]! >= callerGapEdgesMin;
    const asCaller = isShared ? (callerGapShare * calling.sum[end]!) / calling.edges[end]! : 0;
    ends[end] = Math.max(ends[end]!, asCallee, asCaller);
  }
  for (const [edge, { weight }] of gaps) {
    const [caller, callee] = [Math.floor(edge / count), edge % count];
    const others = called.edges[callee]! - 1;
    if (caller < 0 || others < 1) continue;
    const own = weight - (called.sum[callee]! - weight) / others;
    ends[caller] = Math.max(ends[caller]!, callerGapShare * own);
  }
  return ends;
}

function withoutShared(
  best: Float64Array,
  group: readonly number[],
  shared: Float64Array,
  count: number,
): void {
  if (group.length < 2) return;
  const strongestBefore = group.map((entity) => strongestOf(best, entity, count));
  for (let aspect = 0; aspect < aspects.length; aspect += 1) {
    const before = group.map((entity) => best[aspect * count + entity]!);
    const ordered = before.toSorted((a, b) => a - b);
    for (const [place, entity] of group.entries()) {
      const own = before[place]!;
      // The median of the others: of a sorted list without one's own.
      const at = (group.length - 1) >> 1;
      const typical = ordered.indexOf(own) <= at ? ordered[at + 1]! : ordered[at]!;
      const common = Math.min(own, typical);
      best[aspect * count + entity] = own - peersShare * common;
      if (own > 0 && own === strongestBefore[place]) shared[entity] = common / own;
    }
  }
}

function strongestOf(best: Float64Array, entity: number, count: number): number {
  let most = 0;
  for (let aspect = 0; aspect < aspects.length; aspect += 1)
    most = Math.max(most, best[aspect * count + entity]!);
  return most;
}

/** An entity is silent when of all its own series none was measured since the detection. */
function silenceOf(found: Deviations, graph: Graph): Float64Array {
  const count = graph.names.length;
  const silentSinceMs = new Float64Array(count).fill(Number.NaN);
  const heard = new Uint8Array(count);
  for (let index = 0; index < found.aspect.length; index += 1) {
    // Edges fall silent when nobody calls, and that is the caller's doing.
    if (graph.callerOfSeries[index]! >= 0 || found.aspect[index]! < 0) continue;
    const entity = graph.entityOfSeries[index]!;
    const sinceMs = found.silentSinceMs[index]!;
    if (sinceMs === Number.POSITIVE_INFINITY) continue;
    if (Number.isNaN(sinceMs)) heard[entity] = 1;
    else if (!(sinceMs <= silentSinceMs[entity]!)) silentSinceMs[entity] = sinceMs;
  }
  for (let entity = 0; entity < count; entity += 1)
    if (heard[entity] === 1) silentSinceMs[entity] = Number.NaN;
  return silentSinceMs;
}

/** By entity: the time that its own latency gained, in whatever unit; 0 when none did. */
function gainedTime(weights: Float64Array, found: Deviations, graph: Graph): Float64Array {
  const gained = new Float64Array(graph.names.length);
  for (let index = 0; index < weights.length; index += 1) {
    if (found.aspect[index] !== latency || weights[index] === 0 || found.deviations[index]! <= 0) continue;
    const entity = graph.entityOfSeries[index]!;
    gained[entity] = Math.max(gained[entity]!, found.value[index]! - found.usual[index]!);
  }
  return gained;
}

interface Explained {
  /** How much of its symptom is explained by what it depends on, and by which of them most, or -1. */
  readonly amount: Float64Array;
  readonly by: Int32Array;
  /** What is left of its symptom when it is too small for what its callers suffer, as a share. */
  readonly share: Float64Array;
}

function explain(
  best: Float64Array,
  cause: Float64Array,
  symptom: Float64Array,
  gained: Float64Array,
  graph: Graph,
): Explained {
  const count = graph.names.length;
  const crowds = crowdOf(best, graph);
  const amount = new Float64Array(count);
  const by = new Int32Array(count).fill(-1);
  const couldExplain = new Float64Array(count).fill(-1);
  for (let entity = 0; entity < count; entity += 1) {
    if (symptom[entity] === 0) continue;
    let most = 0;
    for (let place = graph.starts[entity]!; place < graph.starts[entity + 1]!; place += 1) {
      const callee = graph.targets[place]!;
      let part = 1;
      if (gained[entity]! > 0 && gained[callee]! > 0) {
        part = Math.min(1, (callsPerCall * gained[callee]!) / gained[entity]!) ** gainedPower;
        couldExplain[callee] = Math.max(couldExplain[callee]!, part);
      }
      const slow = Math.max(symptom[callee]!, best[gap * count + callee]!) * part;
      const explains = Math.max(best[errors * count + callee]!, slow, cause[callee]! * causeExplains);
      if (explains > most) {
        most = explains;
        by[entity] = callee;
      }
    }
    const beside = greediestBeside(entity, crowds, graph);
    if (beside >= 0 && crowds.taken[beside]! > most) {
      most = crowds.taken[beside]!;
      by[entity] = beside;
    }
    amount[entity] = explainShare * Math.min(symptom[entity]!, most);
  }
  return { amount, by, share: couldExplain.map((part) => (part < 0 ? 1 : part)) };
}

interface Crowds {
  /** By entity: how much more it takes of what its host shares out. */
  readonly taken: Float64Array;
  /** By host: of those that run on it, the one that takes most, and the next; -1 for none. */
  readonly first: Int32Array;
  readonly second: Int32Array;
}

function crowdOf(best: Float64Array, { names, hostOf }: Graph): Crowds {
  const count = names.length;
  const taken = takenOf(best, count);
  const first = new Int32Array(count).fill(-1);
  const second = new Int32Array(count).fill(-1);
  for (let entity = 0; entity < count; entity += 1) {
    const host = hostOf[entity]!;
    if (host < 0 || taken[entity] === 0) continue;
    if (first[host]! < 0 || taken[entity]! > taken[first[host]!]!) {
      second[host] = first[host]!;
      first[host] = entity;
    } else if (second[host]! < 0 || taken[entity]! > taken[second[host]!]!) second[host] = entity;
  }
  return { taken, first, second };
}

/** By entity: how much more than before it takes of what a machine has. */
function takenOf(best: Float64Array, count: number): Float64Array {
  const taken = new Float64Array(count);
  for (const aspect of [cpu, memory, disk])
    for (let entity = 0; entity < count; entity += 1)
      taken[entity] = Math.max(taken[entity]!, best[aspect * count + entity]!);
  return taken;
}

/** A neighbour that takes more than before explains what an entity suffers, as a callee's latency does; -1 for none. */
function greediestBeside(entity: number, { first, second }: Crowds, { hostOf }: Graph): number {
  const host = hostOf[entity]!;
  if (host < 0) return -1;
  return first[host] === entity ? second[host]! : first[host]!;
}

/** What an entity's callees lost of their traffic, on average, more than the entity itself did: it stopped calling. */
function droppedDemand(weights: Float64Array, found: Deviations, graph: Graph): Float64Array {
  const count = graph.names.length;
  const measured = new Uint8Array(count);
  const lost = new Float64Array(count);
  for (let index = 0; index < weights.length; index += 1) {
    if (found.aspect[index] !== traffic || graph.callerOfSeries[index]! >= 0) continue;
    const entity = graph.entityOfSeries[index]!;
    measured[entity] = 1;
    const loss = found.deviations[index]! < 0 ? weights[index]! / weightOf[traffic]!.entity : 0;
    lost[entity] = Math.max(lost[entity]!, loss);
  }
  const dropped = new Float64Array(count);
  for (let entity = 0; entity < count; entity += 1) {
    if (measured[entity] === 0) continue;
    let sum = 0;
    let callees = 0;
    for (let place = graph.starts[entity]!; place < graph.starts[entity + 1]!; place += 1) {
      const callee = graph.targets[place]!;
      if (measured[callee] === 0) continue;
      sum += lost[callee]!;
      callees += 1;
    }
    if (callees > 0) dropped[entity] = Math.max(0, sum / callees - lost[entity]!);
  }
  return dropped;
}

/** The strongest, half of the second, a quarter of the third. */
function topThree(a: number, b: number, c: number, d: number, e: number): number {
  let first = 0;
  let second = 0;
  let third = 0;
  for (const one of [a, b, c, d, e]) {
    if (one > first) {
      third = second;
      second = first;
      first = one;
    } else if (one > second) {
      third = second;
      second = one;
    } else if (one > third) third = one;
  }
  return first + secondShare * second + thirdShare * third;
}
