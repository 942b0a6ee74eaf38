/** The doors' counters as metrics, and the rates that the console shows. */
import type { IngestCounters } from "#collector/ingest/counters.ts";
import type { Metrics } from "./metrics.ts";

/** The rate shown is that of the last complete window. */
const rateWindowMs = 10_000;

export interface CollectorCounters extends IngestCounters {
  /** Samples admitted per second over the last ten seconds or so; `nowMs` is monotonic. */
  samplesPerSecond(nowMs: number): number;
}

export function ingestCounters(metrics: Metrics): CollectorCounters {
  let samplesTotal = 0;
  let windowMs = 0;
  let windowSamples = 0;
  let rate = 0;
  return {
    agents: (count) => metrics.ingestAgents.set(count),
    inFlight: (sizeBytes) => metrics.ingestInFlight.set(sizeBytes),
    received: (sizeBytes) => metrics.ingestBytes.inc(sizeBytes),
    admitted(samples, sizeBytes) {
      samplesTotal += samples;
      metrics.ingestFrames.inc();
      metrics.ingestSamples.inc(samples);
      metrics.journalBytes.inc(sizeBytes);
    },
    repeated: () => metrics.ingestDuplicates.inc(),
    gap: () => metrics.ingestGaps.inc(),
    refusedFrame: (reason) => metrics.ingestRefusals.inc({ reason }),
    refusedConnection: (reason) => metrics.ingestConnectionRefusals.inc({ reason }),
    lost: (reason, samples) => metrics.ingestLost.inc({ reason }, samples),
    otlpSources: (count) => metrics.otlpSources.set(count),
    refusedRequest: (reason) => metrics.otlpRefusals.inc({ reason }),
    repeatedPoints: (count) => metrics.otlpRepeated.inc(count),
    samplesPerSecond(nowMs) {
      if (windowMs === 0) windowMs = nowMs;
      if (nowMs - windowMs >= rateWindowMs) {
        rate = ((samplesTotal - windowSamples) * 1000) / (nowMs - windowMs);
        windowMs = nowMs;
        windowSamples = samplesTotal;
      }
      return rate;
    },
  };
}
