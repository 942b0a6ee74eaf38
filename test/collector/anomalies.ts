/** Anomalies by hand, for the tests of what follows detection. */
import type { Anomaly } from "#shared/anomaly.ts";
import { meaningOf } from "#shared/semantics.ts";
import { canonicalLabels, seriesId, type Series } from "#shared/series.ts";

export const startMs = Date.UTC(2026, 0, 5);

/** An anomaly of `metric{labels}` on `host` that began `atS` seconds after `startMs`. */
export function anomaly(
  host: string,
  metric: string,
  atS: number,
  change: Partial<Anomaly> & { labels?: readonly (readonly [string, string])[] } = {},
): Anomaly {
  const { labels = [], ...rest } = change;
  const series: Series = {
    metric,
    unit: "1",
    instrument: "gauge",
    decimals: 3,
    labels: canonicalLabels(labels),
  };
  const meaning = meaningOf(series, host);
  const startedMs = startMs + atS * 1000;
  return {
    id: `${host}|${seriesId(series)}|${startedMs}`,
    host,
    entity: meaning.entity,
    series: seriesId(series),
    metric,
    kind: meaning.kind,
    resource: meaning.resource,
    role: meaning.role,
    unit: meaning.unit,
    detector: "record",
    direction: "up",
    startedMs,
    lastMs: startedMs + 10_000,
    ended: false,
    value: 0.9,
    expectedLow: 0,
    expectedHigh: 0.3,
    score: 5,
    hostShare: null,
    provisional: false,
    completeness: 1,
    reasons: [],
    ...rest,
  };
}

export const cpuBusy = (host: string, atS: number, change: Partial<Anomaly> = {}): Anomaly =>
  anomaly(host, "system.cpu.utilization", atS, { hostShare: 0.5, ...change });

export const processCpu = (
  host: string,
  name: string,
  atS: number,
  hostShare: number | null,
  change: Partial<Anomaly> = {},
) =>
  anomaly(host, "process.cpu.utilization", atS, {
    labels: [
      ["process.pid", "7"],
      ["process.executable.name", name],
    ],
    hostShare,
    ...change,
  });

export function endedAt(of: Anomaly, atS: number): Anomaly {
  return { ...of, ended: true, lastMs: startMs + atS * 1000 };
}

/** Of a host that is not heard any more. */
export function silent(host: string, atS: number): Anomaly {
  const entity = { kind: "host", host, name: "" } as const;
  const what = {
    series: "",
    detector: "absence",
    kind: "state",
    resource: "agent",
    role: "symptom",
  } as const;
  return anomaly(host, "", atS, { id: `${host}|silence|${atS}`, entity, score: 8, completeness: 0, ...what });
}
