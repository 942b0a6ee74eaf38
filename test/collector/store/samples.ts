/** Small, complete values of the contract's types, for the tests of the store and of the live protocol. */
import type { Host, Loss } from "#shared/contract/api.ts";
import type { Incident } from "#shared/contract/incident.ts";
import type { SystemState } from "#shared/contract/live.ts";

/** 2026-11-23T06:00:00Z. */
export const startMs = 1_795_413_600_000;

export function sampleIncident(id: string, change: Partial<Incident> = {}): Incident {
  return {
    id,
    revision: 1,
    severity: "major",
    state: "open",
    title: {
      key: "incident.unknown",
      args: { symptom: "symptom.cpu", host: "web-01", value: 0.97, unit: "1" },
    },
    startedMs: startMs,
    detectedMs: startMs + 10_000,
    updatedMs: startMs + 10_000,
    resolvedMs: null,
    reopened: 0,
    mergedInto: null,
    suppressedBy: null,
    hosts: ["web-01"],
    hostCount: 1,
    impact: [],
    story: { cause: null, failure: null, ruledOut: [] },
    changes: [],
    similar: [],
    confirmedCause: null,
    causes: [],
    symptoms: [],
    entities: [{ id: "host:web-01", kind: "host", host: "web-01", name: "", role: "affected" }],
    owner: null,
    acknowledgements: [],
    feedback: null,
    timeline: [],
    completeness: 1,
    ...change,
  };
}

export function sampleLoss(change: Partial<Loss> = {}): Loss {
  const fromMs = startMs;
  return {
    host: "web-01",
    reason: "spool_full",
    fromMs,
    toMs: fromMs + 60_000,
    series: 600,
    samples: 3600,
    ...change,
  };
}

export function sampleHost(host: string, change: Partial<Host> = {}): Host {
  return {
    host,
    agentId: `agent-${host}`,
    agentVersion: "0.1.0",
    os: "linux",
    state: "up",
    firstSeenMs: startMs,
    lastSeenMs: startMs + 10_000,
    intervalMs: 10_000,
    series: 600,
    warmup: { collecting: 0, provisional: 100, ready: 500, readyAtMs: null, workdays: 0, restdays: 0 },
    anomalies: 0,
    hostScore: null,
    clockErrorMs: 0,
    forecasts: [],
    maintenance: null,
    ...change,
  };
}

export function sampleSystem(change: Partial<SystemState> = {}): SystemState {
  return {
    nowMs: 1,
    watermarkMs: 1,
    hostsUp: 1,
    hostsTotal: 1,
    series: 600,
    samplesPerSecond: 60,
    detectionLagMs: 3,
    warmup: { collecting: 0, provisional: 0, ready: 600, readyAtMs: null, workdays: 600, restdays: 0 },
    weakSignals: 0,
    feedbacks: 0,
    lostSamples: 0,
    version: "test",
    ...change,
  };
}
