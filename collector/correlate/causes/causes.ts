/**
 * Root causes: a window of evidence in, ranked entities and metrics out; pure.
 *
 * Four questions, one file each. How far did every series stray (`deviation.ts`, over `baseline.ts`)? What does that count for
 * (`weigh.ts`, `aspects.ts`)? Who is to blame when what others explain is taken away (`blame.ts`, over `graph.ts` and
 * `gaps.ts`)? How sure is that (`confidence.ts`, `usual-score.ts`)? `evidence.ts` says what goes in and comes out, `tell.ts` puts the answer together.
 * Cost: linear in samples, series and edges; `npm run bench -- rank` says how much.
 */
import { blameOf } from "./blame.ts";
import { deviationsOf } from "./deviation.ts";
import type { EvidenceWindow, Ranking } from "./evidence.ts";
import { withGaps } from "./gaps.ts";
import { graphOf } from "./graph.ts";
import { tell } from "./tell.ts";
import { earlierWindow, stretches } from "./usual-score.ts";
import { weigh } from "./weigh.ts";

export { rarityFactor } from "./weigh.ts";

/** Ranks the entities of `window` by how well each explains what is wrong; nothing in it is changed. */
export function rankCauses(window: EvidenceWindow): Ranking {
  const series = withGaps(window.series);
  const graph = graphOf({ ...window, series });
  const found = deviationsOf(series, window.detectedMs);
  const weights = weigh(window, series, found, graph);
  const peers = (window.peers ?? []).map((group) =>
    group.map((entity) => graph.numberOf(entity)).filter((entity) => entity !== undefined),
  );
  const blame = blameOf(weights, found, graph, peers);
  const onsetMs = onsets(weights, found.sinceMs, graph.entityOfSeries, blame.silentSinceMs);
  return tell({ series, graph, found, weights, blame, onsetMs, usualScore: window.usualScore });
}

/** What the best of `window` scores in quiet stretches of its past: the least of them; undefined without a past. */
export function usualScoreOf(window: EvidenceWindow): number | undefined {
  let least: number | undefined;
  for (const share of stretches) {
    const earlier = earlierWindow(window, share);
    if (earlier === null) return undefined;
    const best = rankCauses(earlier).causes[0]?.score ?? 0;
    if (least === undefined || best < least) least = best;
  }
  return least;
}

/** By entity: when its strongest evidence began; NaN without any. */
function onsets(
  weights: Float64Array,
  sinceMs: Float64Array,
  entityOf: Int32Array,
  silentSinceMs: Float64Array,
): Float64Array {
  const onsetMs = silentSinceMs.slice();
  const strongest = new Float64Array(onsetMs.length);
  for (let index = 0; index < weights.length; index += 1) {
    const entity = entityOf[index]!;
    if (weights[index]! <= strongest[entity]!) continue;
    strongest[entity] = weights[index]!;
    onsetMs[entity] = sinceMs[index]!;
  }
  return onsetMs;
}
