/** How a metric that is unlike its siblings' is told. */
import type { Anomaly, Reason } from "#shared/anomaly.ts";
import type { SeriesTable } from "../series-state.ts";
import { unusualScore } from "../severity.ts";
import type { Strong } from "./peer-row.ts";
import type { Spread } from "./spread.ts";

/** What being unlike its siblings adds to the score of what its own history found, in orders of magnitude. */
const raise = 1;
const scoreMax = 16;
/** Only unusual, however much, stays below what is unprecedented. */
const unusualMax = 7.999;
const unprecedented = 9;
const tellScore = 0.5;
const completeShare = 0.9;

export interface PeerFinding extends Strong, Spread {
  /** Members that were compared, itself among them. */
  readonly count: number;
  /** How far from their median, in units of their usual distance from it. */
  readonly times: number;
  readonly unlikeMin: number;
  readonly madFloor: number;
}

/** Worth telling again. */
export function isTold(toldScore: number, { score }: Anomaly): boolean {
  return score >= toldScore + tellScore;
}

/** An anomaly that its own history did not find. The band is where its siblings are, in its own units. */
export function describePeer(
  table: SeriesTable,
  finding: PeerFinding,
  startedMs: number,
  timeMs: number,
): Anomaly {
  const { series, id, meaning } = table.info(finding.number)!;
  const { rangeLow, rangeHigh, floor, floorShare } = table.policyOf(finding.number);
  const { value, expected, sigma, median, mad, factor, completeness } = finding;
  const middle = expected + sigma * median;
  const unlike = sigma * factor * finding.unlikeMin * Math.max(mad, finding.madFloor);
  const width = Math.max(unlike, floor, floorShare * Math.abs(expected));
  const incomplete: Reason[] =
    completeness < completeShare
      ? [{ key: "reason.incomplete", effect: "lowered", args: { share: completeness } }]
      : [];
  return {
    id: `${table.host}|peers|${id}|${startedMs}`,
    host: table.host,
    entity: meaning.entity,
    series: id,
    metric: series.metric,
    kind: meaning.kind,
    resource: meaning.resource,
    role: meaning.role,
    unit: meaning.unit,
    detector: "peers",
    direction: finding.z > 0 ? "up" : "down",
    startedMs,
    lastMs: timeMs,
    ended: false,
    value,
    expectedLow: Math.max(rangeLow, middle - width),
    expectedHigh: Math.min(rangeHigh, middle + width),
    score: unusualScore(finding.times),
    hostShare: finding.hostShare,
    provisional: false,
    completeness,
    reasons: [unlikeSiblings(finding), ...incomplete],
  };
}

/** An anomaly that its own history found, and that its siblings do not have. */
export function raisedBy(anomaly: Anomaly, finding: PeerFinding): Anomaly {
  const most = anomaly.score >= unprecedented ? scoreMax : unusualMax;
  const score = Math.max(anomaly.score, Math.min(most, anomaly.score + raise));
  return { ...anomaly, score, reasons: [...anomaly.reasons, unlikeSiblings(finding)] };
}

function unlikeSiblings({ count }: PeerFinding): Reason {
  return { key: "reason.peers", effect: "raised", args: { siblings: count - 1 } };
}
