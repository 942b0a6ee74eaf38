/**
 * How counts are told: "12 of 40 failed in the last 5 minutes; usually 0.3 %", "no transactions for 3 minutes, where 900 would be usual".
 */
import type { Anomaly, Reason } from "#shared/anomaly.ts";
import { hostNamed } from "#shared/semantics.ts";
import { seriesId } from "#shared/series.ts";
import type { Flow, Member } from "./flow.ts";
import type { BadEnd, RatioFinding } from "./ratio.ts";
import { toldShare, type VolumeFinding } from "./volume.ts";
import { minuteMs } from "./windows.ts";

/** Below this share of samples present the verdict says so. */
const completeShare = 0.9;
/** From this correlation on it is worth saying that they come in bursts. */
const burstyCorrelation = 0.02;
/** Judged by a natural bound alone: no more than unusual. */
const provisionalMax = 7.999;

export interface Told {
  readonly host: string;
  readonly startedMs: number;
  readonly timeMs: number;
  readonly completeness: number;
  /** What operators' feedback multiplied the thresholds by. */
  readonly feedback: number;
}

export function describeRatio(flow: Flow, end: BadEnd, finding: RatioFinding, told: Told): Anomaly {
  const member = guilty(flow, end);
  const { bad, events, share, usual, spanMs } = finding;
  const failed = end.name === "failure";
  const { name, what } = flow.carrier.counted;
  const reasons: Reason[] = [];
  const known = { events, bad, window: spanMs, name, what };
  if (finding.ready)
    reasons.push(raised(failed ? "reason.failed" : "reason.refused", { ...known, usual: rounded(usual) }));
  else reasons.push(raised(failed ? "reason.failed_new" : "reason.refused_new", known));
  if (finding.most) reasons.push(raised("reason.most", {}));
  if (!finding.ready) reasons.push(lowered("reason.provisional", {}));
  if (finding.correlation > burstyCorrelation && finding.ready) reasons.push(lowered("reason.bursty", {}));
  return {
    ...anomalyOf(flow, member, end.name, told, reasons),
    kind: "errors",
    role: isOf(member, end) ? member.meaning.role : "symptom",
    unit: "1",
    direction: "up",
    value: share,
    expectedLow: 0,
    expectedHigh: finding.high,
    score: finding.ready ? finding.score : Math.min(provisionalMax, finding.score),
    provisional: !finding.ready,
  };
}

export function describeVolume(flow: Flow, finding: VolumeFinding, told: Told): Anomaly {
  const { events, expected, minutes, score } = finding;
  const seconds = (minutes * minuteMs) / 1000;
  const { name, what } = flow.carrier.counted;
  const args = { events, expected: rounded(expected), window: minutes * minuteMs, name, what };
  return {
    ...anomalyOf(flow, flow.carrier, "volume", told, [raised("reason.volume", args)]),
    kind: "traffic",
    role: "symptom",
    unit: "/s",
    direction: "down",
    value: events / seconds,
    expectedLow: (toldShare * expected) / seconds,
    expectedHigh: expected / seconds,
    score,
    provisional: false,
  };
}

type OfBoth = Omit<
  Anomaly,
  "kind" | "role" | "unit" | "direction" | "value" | "expectedLow" | "expectedHigh" | "score" | "provisional"
>;

function anomalyOf(flow: Flow, member: Member, what: string, told: Told, reasons: Reason[]): OfBoth {
  const { host, startedMs, timeMs, completeness, feedback } = told;
  if (feedback !== 1) reasons.push((feedback > 1 ? lowered : raised)("reason.feedback", { times: feedback }));
  if (completeness < completeShare) reasons.push(lowered("reason.incomplete", { share: completeness }));
  return {
    id: `${host}|${flow.id}|${what}|${startedMs}`,
    host,
    entity: { ...member.meaning.entity, host: hostNamed(member.series.labels, host) },
    series: seriesId(member.series),
    metric: member.series.metric,
    resource: "none",
    detector: "counts",
    startedMs,
    lastMs: timeMs,
    ended: false,
    hostShare: null,
    completeness,
    reasons,
  };
}

/** Whether the series counts this ending, and nothing else. */
export function isOf({ counted }: Member, { name }: BadEnd): boolean {
  return counted.part === name;
}

/** The series that shows it: of those that count this ending the one that brought most last, or the total. */
function guilty(flow: Flow, end: BadEnd): Member {
  const own = flow.told.filter((member) => isOf(member, end));
  return own.toSorted((a, b) => b.delta - a.delta || a.number - b.number)[0] ?? flow.carrier;
}

/** Two digits: what is usual is not known better. */
function rounded(value: number): number {
  return Number(value.toPrecision(2));
}

function raised(key: string, args: Reason["args"]): Reason {
  return { key, effect: "raised", args };
}

function lowered(key: string, args: Reason["args"]): Reason {
  return { key, effect: "lowered", args };
}
