/**
 * Changes that somebody made shortly before: they make an entity that has evidence of its own more suspect, and nothing else.
 *
 * "The latest change did it" is wrong too often: a change adds nothing to an entity that shows nothing, nothing when it came after the
 * entity's evidence began, and the less the longer before. What an entity calls or runs on may have been changed instead.
 */
import type { ChangeEvent } from "./evidence.ts";
import type { Graph } from "./graph.ts";

const relevantMs = 60 * 60_000;
const fadingMs = 15 * 60_000;
/** An onset is known to a sample or two: a change that seems half a minute later may have been first. */
const onsetErrorMs = 30_000;
const bonus = 0.5;
const ofDependency = 0.5;

export interface Changed {
  readonly change: ChangeEvent;
  readonly factor: number;
}

/** By entity, for those that a change makes more suspect; `onsetMs` by entity, NaN without evidence. */
export function changesFor(
  changes: readonly ChangeEvent[],
  onsetMs: Float64Array,
  graph: Graph,
): Map<number, Changed> {
  const suspects = new Map<number, Changed>();
  const byEntity = new Map<number, ChangeEvent[]>();
  for (const change of changes) {
    const entity = graph.numberOf(change.entity);
    if (entity !== undefined) byEntity.set(entity, [...(byEntity.get(entity) ?? []), change]);
  }
  if (byEntity.size === 0) return suspects;
  const consider = (entity: number, changed: number, share: number): void => {
    for (const change of byEntity.get(changed) ?? []) {
      const leadMs = onsetMs[entity]! - change.atMs;
      if (!(leadMs >= -onsetErrorMs && leadMs <= relevantMs)) continue;
      const factor = 1 + bonus * share * Math.exp(-Math.max(0, leadMs) / fadingMs);
      if (factor > (suspects.get(entity)?.factor ?? 1)) suspects.set(entity, { change, factor });
    }
  };
  for (let entity = 0; entity < graph.names.length; entity += 1) {
    if (Number.isNaN(onsetMs[entity]!)) continue;
    consider(entity, entity, 1);
    for (let place = graph.starts[entity]!; place < graph.starts[entity + 1]!; place += 1) {
      consider(entity, graph.targets[place]!, ofDependency);
    }
  }
  return suspects;
}
