/**
 * From an incident's evidence to charts: which series, over which time, what of the curve is abnormal, and what range of
 * values to show. Pure; drawing is in `charts/`.
 */
import type { SeriesRange } from "#shared/contract/api.ts";
import type { Evidence, Incident } from "#shared/contract/incident.ts";
import { rankCauses } from "./confidence.ts";

const beforeMs = 30 * 60_000;
const afterMs = 5 * 60_000;
/** More than this is not looked at, and each is a request every ten seconds. */
const chartsMax = 12;

export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Half an hour before it began, to five minutes after it resolved, or to now. */
export function incidentRange(incident: Incident, nowMs: number): TimeRange {
  const endMs = incident.resolvedMs ?? nowMs;
  return { fromMs: incident.startedMs - beforeMs, toMs: Math.min(nowMs, endMs + afterMs) };
}

export interface ChartSpec {
  readonly host: string;
  readonly series: string;
  readonly metric: string;
  readonly entity: string;
  readonly unit: string;
  readonly role: "cause" | "symptom" | "candidate";
  /** Every anomalous stretch of the series in this incident, oldest first; the first one's band is drawn. */
  readonly stretches: readonly Evidence[];
}

/** The first cause, the symptoms, then the other causes; each series once. A silence has no series and no chart. */
export function incidentCharts(incident: Incident): readonly ChartSpec[] {
  const charts = new Map<string, ChartSpec>();
  const add = (evidence: Evidence, role: ChartSpec["role"]): void => {
    if (evidence.series === "") return;
    const key = JSON.stringify([evidence.host, evidence.series]);
    const known = charts.get(key);
    const stretches = [...(known?.stretches ?? []), evidence];
    charts.set(key, { ...evidence, role: known?.role ?? role, stretches: distinct(stretches) });
  };
  const { identified, candidates } = rankCauses(incident);
  const [first, ...others] = identified;
  for (const evidence of first?.evidence ?? []) add(evidence, "cause");
  for (const evidence of incident.symptoms) add(evidence, "symptom");
  for (const cause of [...others, ...candidates]) {
    for (const evidence of cause.evidence) add(evidence, "candidate");
  }
  return [...charts.values()].slice(0, chartsMax).map(pick);
}

function pick({ host, series, metric, entity, unit, role, stretches }: ChartSpec): ChartSpec {
  return { host, series, metric, entity, unit, role, stretches };
}

/** The same anomaly may be evidence of several causes and a symptom too. */
function distinct(stretches: readonly Evidence[]): readonly Evidence[] {
  const byStart = new Map(stretches.map((stretch) => [stretch.startedMs, stretch]));
  return [...byStart.values()].sort((a, b) => a.startedMs - b.startedMs);
}

/** A stretch that goes on reaches to the end of the curve. */
export function stretchEndMs(stretch: Evidence, range: TimeRange): number {
  return stretch.ended ? stretch.lastMs : range.toMs;
}

export interface Curve {
  readonly timesMs: readonly number[];
  /** A null is a gap, and is not bridged. */
  readonly values: readonly (number | null)[];
  /** The same values where the curve is abnormal, null elsewhere: drawn thick over the other. */
  readonly abnormal: readonly (number | null)[];
}

export function curve(points: SeriesRange, stretches: readonly Evidence[], range: TimeRange): Curve {
  const inStretch = (atMs: number): boolean =>
    stretches.some((stretch) => atMs >= stretch.startedMs && atMs <= stretchEndMs(stretch, range));
  const abnormal = points.timesMs.map((atMs, i) => (inStretch(atMs) ? (points.values[i] ?? null) : null));
  return { timesMs: points.timesMs, values: points.values, abnormal };
}

export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

/**
 * From the lowest to the highest of curve and expected band, and a twelfth of air. Not from zero: what matters is the way
 * out of the band. At least a tenth of the highest value is spanned, or the noise of a flat curve would look like trouble.
 */
export function valueRange(
  values: readonly (number | null)[],
  band: { readonly expectedLow: number; readonly expectedHigh: number } | undefined,
): ValueRange {
  const known = values.filter((value) => value !== null);
  if (band !== undefined) known.push(...[band.expectedLow, band.expectedHigh].filter(Number.isFinite));
  if (known.length === 0) return { min: 0, max: 1 };
  const min = known.reduce((least, value) => Math.min(least, value));
  const max = known.reduce((most, value) => Math.max(most, value));
  if (min === 0 && max === 0) return { min: 0, max: 1 };
  const spanMin = Math.max(Math.abs(max) / 10, 1e-9);
  const air = Math.max((max - min) / 12, (spanMin - (max - min)) / 2);
  // A share or a size does not go below nothing; the axis should not suggest it.
  return { min: min >= 0 ? Math.max(0, min - air) : min - air, max: max + air };
}
