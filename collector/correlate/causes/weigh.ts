/**
 * What each series' deviation counts for, given what it measures and what everybody else shows.
 *
 * A deviation counts for little when it is smaller than what matters of its kind, when it is of a share that is far from full, when it
 * is in the direction that is good, or when it is too small to explain what is felt: of 23 failed requests a callee that failed 2 is
 * not the cause. It counts for more the earlier it began and the rarer it is.
 */
import { numberOfAspect, weightOf } from "./aspects.ts";
import type { Deviations } from "./deviation.ts";
import type { EvidenceSeries, EvidenceWindow, Measure } from "./evidence.ts";
import type { Graph } from "./graph.ts";

const { latency, edge, gap, errors, traffic, memory } = numberOfAspect;

const onsetBonus = 0.3;
/** How steeply what is smaller than what matters stops counting: half at the floor, a fifth at half of it. */
const materialPower = 2;
/** A share of a resource hurts when it comes near its end: from 60 % on, fully at 90 %. */
const fullFrom = 0.6;
const fullAt = 0.9;
const fullBonus = 0.6;
/** A resource that is used up is trouble whatever its history; a share that swings cannot stray far before it is. */
const usedUpAt = 0.97;
const usedUpStrength = 2;
/** Memory that is far from full slows nobody down, however much it grew. */
const memoryFarFromFull = 0.3;
/** What came with the trouble and takes a resource at once. */
const newBonus = 2;
/** Powers of the share that a series can explain: a tenth counts for a third, in edges for two thirds. */
const reachPower = 0.5;
const edgePower = 0.2;
/** Latency when errors are felt, or errors when latency is. */
const otherKind = 0.7;
/** Abnormal in one hundredth of its history is usual. */
const usualRarity = Math.log(100);
const rarityMin = 0.25;
const rarityMax = 1.25;

/** By series, 0 for what is no evidence. */
export function weigh(
  window: EvidenceWindow,
  series: readonly EvidenceSeries[],
  found: Deviations,
  graph: Graph,
): Float64Array {
  const felt = feltAt(window, series, found, graph);
  const slowest = slowestEdges(series, found);
  const weights = new Float64Array(series.length);
  for (let index = 0; index < series.length; index += 1) {
    const { measure, rarity } = series[index]!;
    const usedUp = isUsedUp(measure, found.usual[index]!, found.value[index]!);
    const strength = Math.max(found.strength[index]!, usedUp ? usedUpStrength : 0);
    if (strength === 0) continue;
    const aspect = found.aspect[index]!;
    const deviation = found.deviations[index]!;
    const isGood = measure.badDirection === "down" ? deviation > 0 : deviation < 0;
    const size = Math.abs(found.value[index]! - found.usual[index]!);
    let weight = strength * weightOf[aspect]!.entity * (1 + onsetBonus * (1 - found.onset[index]!));
    if (isGood) weight *= weightOf[aspect]!.goodDirection;
    weight *= material(measure, size, found.usual[index]!);
    if (graph.isNew[graph.entityOfSeries[index]!] === 1 && weightOf[aspect]!.role === "cause")
      weight *= newBonus;
    if (!isGood) weight *= nearFull(measure, aspect, found.value[index]!);
    if (aspect === gap || aspect === edge) {
      weight *= Math.min(1, size / (slowest.get(measure.unit) ?? size)) ** edgePower;
    }
    weight *= explains(felt, aspect, graph.entityOfSeries[index]!, size);
    weight *= rarityFactor(rarity);
    weights[index] = weight;
  }
  return weights;
}

/** What evidence counts for by how rarely its series is abnormal (`EvidenceSeries.rarity`); 1 where that is not known. */
export function rarityFactor(rarity: number | undefined): number {
  return rarity === undefined ? 1 : Math.min(rarityMax, Math.max(rarityMin, rarity / usualRarity));
}

function material({ floor, floorShare }: Measure, size: number, usual: number): number {
  const least = Math.max(floor, floorShare * Math.abs(usual));
  if (least === 0) return 1;
  return 1 / (1 + (least / size) ** materialPower);
}

/** Nothing is left of it, and that is not how it usually is. */
function isUsedUp({ kind, full }: Measure, usual: number, value: number): boolean {
  return full !== undefined && kind === "utilisation" && value >= usedUpAt * full && usual < fullAt * full;
}

function nearFull({ kind, full }: Measure, aspect: number, value: number): number {
  if (full === undefined || kind !== "utilisation") return 1;
  const near = Math.max(0, Math.min(1, (value / full - fullFrom) / (fullAt - fullFrom)));
  return aspect === memory ? memoryFarFromFull + (1 - memoryFarFromFull) * near : 1 + fullBonus * near;
}

/** The longest time that any edge has gained, by unit: what others gained is compared with it. */
function slowestEdges(series: readonly EvidenceSeries[], found: Deviations): Map<string, number> {
  const slowest = new Map<string, number>();
  for (let index = 0; index < series.length; index += 1) {
    const aspect = found.aspect[index]!;
    if ((aspect !== gap && aspect !== edge) || found.strength[index] === 0) continue;
    const { unit } = series[index]!.measure;
    const gained = found.value[index]! - found.usual[index]!;
    if (gained > (slowest.get(unit) ?? 0)) slowest.set(unit, gained);
  }
  return slowest;
}

interface Felt {
  readonly aspect: number;
  /** Of what is felt, a sample: failed requests, or time that requests lost. 0 when it cannot be told. */
  readonly amount: number;
  /** By entity: requests a sample, and of those how many fail more than usual; 0 when unknown. */
  readonly requests: Float64Array;
  readonly failed: Float64Array;
}

function feltAt(
  { breached }: EvidenceWindow,
  series: readonly EvidenceSeries[],
  found: Deviations,
  graph: Graph,
): Felt | null {
  if (breached === undefined) return null;
  const aspect = breached.kind === "latency" ? latency : breached.kind === "errors" ? errors : -1;
  const requests = new Float64Array(graph.names.length);
  const failed = new Float64Array(graph.names.length);
  for (let index = 0; index < series.length; index += 1) {
    if (found.aspect[index] !== traffic || graph.callerOfSeries[index]! >= 0) continue;
    const entity = graph.entityOfSeries[index]!;
    requests[entity] = Math.max(requests[entity]!, found.value[index]!);
  }
  const hurt = graph.numberOf(breached.entity) ?? -1;
  let lost = Number.POSITIVE_INFINITY;
  for (let index = 0; index < series.length; index += 1) {
    const entity = graph.entityOfSeries[index]!;
    const size = Math.abs(found.value[index]! - found.usual[index]!);
    const { badDirection, full } = series[index]!.measure;
    const up = found.deviations[index]! > 0;
    if (found.aspect[index] === errors && full !== undefined && up === (badDirection === "up")) {
      failed[entity] = Math.max(failed[entity]!, (requests[entity]! * size) / full);
    }
    const slower = found.aspect[index] === latency && entity === hurt && up;
    // Of mean and percentiles the least: a percentile's gain times all requests is more time than was lost.
    if (slower && found.strength[index]! > 0) lost = Math.min(lost, requests[entity]! * size);
  }
  const amount = aspect === errors ? (failed[hurt] ?? 0) : lost;
  return { aspect, amount: Number.isFinite(amount) ? amount : 0, requests, failed };
}

/** How much of what is felt the entity could have caused, where both are known. */
function explains(felt: Felt | null, aspect: number, entity: number, size: number): number {
  if (felt === null || felt.aspect < 0 || (aspect !== latency && aspect !== errors)) return 1;
  if (aspect !== felt.aspect) return otherKind;
  const requests = felt.requests[entity]!;
  if (requests === 0 || felt.amount === 0) return 1;
  const caused = aspect === errors ? felt.failed[entity]! : size * requests;
  const share = caused / felt.amount;
  return share < 1 ? share ** reachPower : 1;
}
