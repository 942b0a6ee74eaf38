/**
 * Puts a ranking into words that a reader can check: of the best entities and metrics, which series, how far, which way, since
 * when, and what speaks against it.
 *
 * Among one entity's metrics, what causes goes before what suffers: a resource that is used up explains the same entity's latency, and
 * memory that grew by an amount that matters explains the CPU that was spent on it, never the other way about.
 */
import { aspects, numberOfAspect, weightOf } from "./aspects.ts";
import type { Blame } from "./blame.ts";
import { confidenceOf } from "./confidence.ts";
import type { Deviations } from "./deviation.ts";
import type {
  CounterEvidence,
  EvidenceSeries,
  RankedCause,
  RankedMetric,
  Ranking,
  SeriesEvidence,
} from "./evidence.ts";
import type { Graph } from "./graph.ts";
import { select } from "./select.ts";

const { cpu, memory, gap } = numberOfAspect;

/** Nobody reads further. */
const causesMax = 10;
const metricsMax = 20;
const evidenceMax = 8;
/** What memory that grew explains of the CPU, and used-up resources of the latency, of the same entity. */
const memoryExplainsCpu = 0.6;
const resourceExplainsLatency = 0.6;
/** A rival has at least four fifths of the score. */
const rivalShare = 0.8;
const explainedShareMin = 0.2;

export interface Judged {
  readonly series: readonly EvidenceSeries[];
  readonly graph: Graph;
  readonly found: Deviations;
  readonly weights: Float64Array;
  readonly blame: Blame;
  readonly onsetMs: Float64Array;
  readonly usualScore: number | undefined;
}

export function tell(judged: Judged): Ranking {
  const { names } = judged.graph;
  const { score } = judged.blame;
  const order = largest(score, causesMax, (a, b) => (names[a]! < names[b]! ? -1 : 1));
  const evidence = evidenceOf(judged, new Set(order));
  const sure = confidenceOf(score[order[0] ?? 0] ?? 0, score[order[1] ?? -1] ?? 0, judged.usualScore);
  const others = order.slice(1).reduce((sum, entity) => sum + score[entity]!, 0);
  const causes = order.map((entity, place): RankedCause => {
    const silentSinceMs = judged.blame.silentSinceMs[entity]!;
    return {
      entity: names[entity]!,
      score: score[entity]!,
      confidence: place === 0 ? sure : ((1 - sure) * score[entity]!) / (others + score[order[0]!]!),
      evidence: (evidence.get(entity) ?? []).map((index) => toEvidence(judged, index)),
      counterEvidence: counterEvidence(judged, order, place),
      ...(Number.isNaN(silentSinceMs) ? {} : { silentSinceMs }),
    };
  });
  return { causes, metrics: metricsOf(judged, score[order[0] ?? 0] ?? 0) };
}

/** The places of the `count` largest values above 0, largest first. */
function largest(
  values: Float64Array,
  count: number,
  tie: (a: number, b: number) => number,
): readonly number[] {
  let least = 0;
  if (values.length > count) {
    const order = values.slice();
    least = select(order, values.length - count, 0, values.length);
  }
  const places: number[] = [];
  for (let place = 0; place < values.length; place += 1) {
    if (values[place]! > 0 && values[place]! >= least) places.push(place);
  }
  places.sort((a, b) => values[b]! - values[a]! || tie(a, b));
  return places.slice(0, count);
}

/** By entity, its strongest series; of an edge, both ends may call it theirs. */
function evidenceOf({ weights, graph, found }: Judged, entities: ReadonlySet<number>): Map<number, number[]> {
  const evidence = new Map<number, number[]>();
  const add = (entity: number, index: number): void => {
    const known = evidence.get(entity);
    if (known === undefined) evidence.set(entity, [index]);
    else known.push(index);
  };
  for (let index = 0; index < weights.length; index += 1) {
    if (weights[index] === 0) continue;
    const entity = graph.entityOfSeries[index]!;
    const caller = graph.callerOfSeries[index]!;
    if (entities.has(entity)) add(entity, index);
    if (found.aspect[index] === gap && entities.has(caller)) add(caller, index);
  }
  for (const indices of evidence.values()) {
    indices.sort((a, b) => weights[b]! - weights[a]! || a - b);
    indices.length = Math.min(indices.length, evidenceMax);
  }
  return evidence;
}

function toEvidence({ series, found, weights }: Judged, index: number): SeriesEvidence {
  const { id, entity, caller, measure } = series[index]!;
  return {
    series: id,
    entity,
    ...(caller === undefined ? {} : { caller }),
    kind: measure.kind,
    resource: measure.resource,
    at: measure.at,
    unit: measure.unit,
    direction: found.deviations[index]! > 0 ? "up" : "down",
    deviations: found.deviations[index]!,
    usual: found.usual[index]!,
    value: found.value[index]!,
    sinceMs: found.sinceMs[index]!,
    weight: weights[index]!,
  };
}

function counterEvidence(judged: Judged, order: readonly number[], place: number): CounterEvidence[] {
  const { graph, blame, onsetMs } = judged;
  const entity = order[place]!;
  const told: CounterEvidence[] = [];
  const by = blame.explainedBy[entity]!;
  const share = blame.symptom[entity]! > 0 ? blame.explained[entity]! / blame.symptom[entity]! : 0;
  if (by >= 0 && share >= explainedShareMin)
    told.push({ kind: "explained_by", entity: graph.names[by]!, share });
  if (graph.remote[entity] === 1) told.push({ kind: "remote" });
  if (blame.shared[entity]! > 0) told.push({ kind: "peers_alike", share: blame.shared[entity]! });
  if (graph.reachable[entity] === 0) told.push({ kind: "unconnected" });
  const rival = order[place === 0 ? 1 : 0];
  if (rival === undefined || rival === entity) return told;
  const name = graph.names[rival]!;
  const lateMs = onsetMs[entity]! - onsetMs[rival]!;
  if (lateMs > 0) told.push({ kind: "later_than", entity: name, lateMs });
  const score = blame.score[rival]!;
  if (score >= rivalShare * blame.score[entity]!) told.push({ kind: "rival", entity: name, score });
  return told;
}

function metricsOf(judged: Judged, bestScore: number): RankedMetric[] {
  const { weights, found, graph, blame } = judged;
  if (bestScore === 0) return [];
  const count = graph.names.length;
  const strongest = new Float64Array(aspects.length * count);
  for (let index = 0; index < weights.length; index += 1) {
    if (weights[index] === 0) continue;
    const slot = found.aspect[index]! * count + graph.entityOfSeries[index]!;
    strongest[slot] = Math.max(strongest[slot]!, weights[index]!);
  }
  const scores = new Float64Array(weights.length);
  for (let index = 0; index < weights.length; index += 1) {
    if (weights[index] === 0) continue;
    const entity = graph.entityOfSeries[index]!;
    const grown = Math.min(1, strongest[memory * count + entity]!);
    const used = Math.max(grown, Math.min(1, strongest[cpu * count + entity]!));
    const { metric, role } = weightOf[found.aspect[index]!]!;
    let left = 1;
    if (found.aspect[index] === cpu) left -= memoryExplainsCpu * grown;
    else if (role === "symptom" || found.aspect[index] === gap) left -= resourceExplainsLatency * used;
    scores[index] = weights[index]! * metric * left * Math.sqrt(blame.score[entity]! / bestScore);
  }
  return largest(scores, metricsMax, (a, b) => a - b).map((index) => ({
    ...toEvidence(judged, index),
    score: scores[index]!,
  }));
}
