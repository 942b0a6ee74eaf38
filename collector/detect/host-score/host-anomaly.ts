/** How a host that is unlike itself is told: its score, which metrics are to blame, and how many are unusual. */
import type { Anomaly } from "#shared/anomaly.ts";
import { type Series } from "#shared/series.ts";

const guiltyMax = 3;
/** Named beside the first one: what is half as unusual at least. Blame is in cubes. */
const guiltyShare = 0.5 ** 3;
const labelValueMax = 40;
/** Only unusual, however much: what is unprecedented is for the series to say. */
const scoreMax = 7.999;

/** Indexes of the metrics to blame most, at most three; ties go to the lower index. */
export function guiltyMetrics(blame: Float32Array): number[] {
  const order = [...blame.keys()].sort((a, b) => blame[b]! - blame[a]! || a - b).slice(0, guiltyMax);
  const least = guiltyShare * blame[order[0] ?? 0]!;
  return order.filter((metric) => blame[metric]! > 0 && blame[metric]! >= least);
}

/** A series as it is named in a sentence: its metric and what its labels say. */
export function metricLabel({ metric, labels }: Series): string {
  const values = labels.map(([, value]) => {
    const characters = Array.from(value);
    return characters.length <= labelValueMax ? value : `${characters.slice(0, labelValueMax - 1).join("")}…`;
  });
  return [metric, ...values].join(" ");
}

export function describeHost(
  host: string,
  finding: {
    readonly score: number;
    readonly share: number;
    readonly guilty: readonly string[];
    /** Where it begins to be told. */
    readonly hostScoreMin: number;
  },
  when: { readonly startedMs: number; readonly timeMs: number; readonly completeness: number },
): Anomaly {
  const { score, share, guilty } = finding;
  return {
    id: `${host}|host|${when.startedMs}`,
    host,
    entity: { kind: "host", host, name: "" },
    series: "",
    metric: "causeway.host.score",
    kind: "state",
    resource: "none",
    role: "evidence",
    unit: "",
    detector: "host",
    direction: "up",
    startedMs: when.startedMs,
    lastMs: when.timeMs,
    ended: false,
    value: score,
    expectedLow: 0,
    expectedHigh: finding.hostScoreMin,
    score: Math.min(scoreMax, improbability(score)),
    hostShare: null,
    provisional: false,
    completeness: when.completeness,
    reasons: [
      { key: "reason.host_metrics", effect: "raised", args: { metrics: guilty.join(", ") } },
      { key: "reason.host_share", effect: "raised", args: { share: Math.round(100 * share) / 100 } },
    ],
  };
}

/**
 * -log10 of the share of ordinary rows that score as much. Measured on two sets of hosts: 1.6: 1.7 and 2.0, 2: 2.1 and 2.4, 3: 2.9 and 2.9,
 * 4: 3.8 and 3.5, 5: 4.3; a straight line within 0.2.
 */
function improbability(score: number): number {
  return 0.7 + 0.75 * score;
}
