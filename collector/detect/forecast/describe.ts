/**
 * Turns what is believed into an `Anomaly`: what is there now, what it was before the trend, when it runs out, and why it is
 * said. Runs when something is told, not once a sample.
 */
import type { Anomaly, Reason } from "#shared/anomaly.ts";
import { roundDuration } from "#shared/duration.ts";
import { type RunsOut, timesLeft } from "#shared/runs-out.ts";
import type { Meaning } from "#shared/semantics.ts";
import type { Estimate } from "./estimate.ts";
import type { Expiry } from "./expiry.ts";
import { spanOfExpiry } from "./expiry.ts";
import { type Span, youngMs } from "./outlook.ts";
import { within999 } from "./trend.ts";

/** Below this share of blocks present the verdict says so. */
const completeShare = 0.9;
/** Of a certificate's end nobody doubts: as sure as a bound. */
const expiryScore = 8;

export interface Subject {
  readonly host: string;
  readonly id: string;
  readonly metric: string;
  readonly meaning: Meaning;
}

/** What `share` of the limit is in the metric's own unit: 1 for a share, the host's memory for bytes. */
export interface Scale {
  readonly whole: number;
  readonly hostMemory: boolean;
}

export interface Told {
  readonly startedMs: number;
  readonly nowMs: number;
  readonly knownMs: number;
  /** The newest share of the limit. */
  readonly level: number;
}

/** Of what runs out itself. */
export function describeForecast(
  subject: Subject,
  scale: Scale,
  told: Told,
  span: Span,
  { trend, habitMs }: Estimate,
): Anomaly {
  const { nowMs } = told;
  const runsOut: RunsOut = { what: "full", ...span };
  const reasons: Reason[] = [
    { key: "reason.forecast", effect: "raised", args: timesLeft(runsOut, nowMs) },
    riseReason(subject, scale, trend.rise, trend.spanMs),
  ];
  if (trend.bend > 0) reasons.push({ key: "reason.faster", effect: "raised", args: {} });
  if (trend.bend < 0) reasons.push({ key: "reason.slower", effect: "lowered", args: {} });
  if (habitMs > 0) {
    const args = { period: roundDuration(habitMs) };
    reasons.push({ key: "reason.habit", effect: "lowered", args });
  }
  if (trend.completeness < completeShare) {
    const args = { share: trend.completeness };
    reasons.push({ key: "reason.incomplete", effect: "lowered", args });
  }
  return { ...rising(subject, scale, told, trend.rise, trend, reasons), runsOut };
}

/** Of what fills the host's memory, while that is what runs out. */
export function describeContribution(
  subject: Subject,
  scale: Scale,
  told: Told,
  rise: number,
  { trend }: Estimate,
): Anomaly {
  return rising(subject, scale, told, rise, trend, [riseReason(subject, scale, rise, trend.spanMs)]);
}

function rising(
  { host, id, metric, meaning }: Subject,
  { whole, hostMemory }: Scale,
  { startedMs, nowMs, knownMs, level }: Told,
  rise: number,
  trend: Estimate["trend"],
  reasons: Reason[],
): Anomaly {
  const young = knownMs < youngMs;
  const before = whole * Math.max(0, level - rise);
  return {
    ...subjectOf(host, id, metric, meaning, startedMs, nowMs),
    role: meaning.role,
    value: whole * level,
    expectedLow: Math.max(0, before - meaning.floor),
    expectedHigh: before + meaning.floor,
    score: trendScore(trend),
    hostShare: hostMemory ? rise : null,
    provisional: young,
    completeness: trend.completeness,
    reasons: young ? [...reasons, { key: "reason.young", effect: "lowered", args: {} }] : reasons,
  };
}

export function describeExpiry(
  { host, id, metric, meaning }: Subject,
  expiry: Expiry,
  value: number,
  nowMs: number,
): Anomaly {
  const span = spanOfExpiry(expiry);
  return {
    ...subjectOf(host, id, metric, meaning, expiry.told?.startedMs ?? nowMs, nowMs),
    role: "symptom",
    direction: "down",
    value,
    expectedLow: value,
    expectedHigh: value,
    score: expiryScore,
    hostShare: null,
    provisional: false,
    completeness: 1,
    reasons: [],
    runsOut: { what: "expiry", ...span },
  };
}

function subjectOf(
  host: string,
  id: string,
  metric: string,
  meaning: Meaning,
  startedMs: number,
  nowMs: number,
) {
  const { entity, kind, resource, unit } = meaning;
  return {
    id: `${host}|forecast|${id}|${startedMs}`,
    host,
    entity,
    series: id,
    metric,
    kind,
    resource,
    unit,
    detector: "forecast",
    direction: "up",
    startedMs,
    lastMs: nowMs,
    ended: false,
  } as const;
}

function riseReason({ meaning }: Subject, { whole }: Scale, rise: number, spanMs: number): Reason {
  const args = { rise: whole * rise, unit: meaning.unit, span: roundDuration(spanMs) };
  return { key: "reason.trend", effect: "raised", args };
}

/** -log10 of how often a walk without drift shows such a slope, by Student's tail with 7 degrees of freedom. */
function trendScore({ slope, error }: Estimate["trend"]): number {
  const errors = slope / Math.max(error, slope * 1e-6);
  return Math.min(16, Math.max(0, 3 + 7 * Math.log10(errors / within999)));
}
