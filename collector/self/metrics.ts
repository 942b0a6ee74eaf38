/**
 * What the collector says about itself: one table of every metric with its help, unit and labels, and every value that a
 * label may take. A name or a label value that the table lacks does not compile, so a typo cannot make a series, and an
 * outsider's text cannot become a label (client_golang's CVE-2022-21698 was an unbounded `method` label).
 *
 * Names are `causeway_<part>_<what>_<unit>[_total]`, `promtool check metrics` is silent about them, and series with few
 * label values exist from the start with 0, so that `rate()` sees the first event. Cost: a map look-up per call; count
 * per frame or per request, never per sample.
 */
import * as client from "prom-client";
import { connectionRefusals, requestRefusals } from "#collector/ingest/counters.ts";
import type { DetectorName } from "#shared/anomaly.ts";
import { severities } from "#shared/contract/incident.ts";
import { channels } from "#shared/contract/live.ts";
import type { WireErrorReason } from "#shared/errors.ts";
import { lossReasons } from "#shared/wire/wire.ts";
import { httpCodes, httpRoutes } from "./http-labels.ts";

const wireReasons = [
  "truncated",
  "corrupted",
  "oversized",
  "unknown_version",
  "unknown_section",
  "malformed",
  "out_of_order",
  "no_key_frame",
  "too_many_series",
  "clock",
] as const satisfies readonly WireErrorReason[];
const detectors = [
  "level",
  "record",
  "bound",
  "flat",
  "absence",
  "host",
  "counts",
  "peers",
  "forecast",
] as const satisfies readonly DetectorName[];

interface Row {
  readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  /** The base unit at the end of the name, before `_total`; empty for a plain number of things. */
  readonly unit: "" | "seconds" | "bytes";
  readonly help: string;
  readonly labels: { readonly [label: string]: readonly string[] };
  readonly buckets?: readonly number[];
}

const commitBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

export const metricTable = {
  ingestAgents: {
    type: "gauge",
    name: "causeway_ingest_agents",
    unit: "",
    help: "Agents connected now.",
    labels: {},
  },
  ingestFrames: {
    type: "counter",
    name: "causeway_ingest_frames_total",
    unit: "",
    help: "Frames admitted to the journal.",
    labels: {},
  },
  ingestSamples: {
    type: "counter",
    name: "causeway_ingest_samples_total",
    unit: "",
    help: "Samples in the frames admitted to the journal.",
    labels: {},
  },
  ingestBytes: {
    type: "counter",
    name: "causeway_ingest_received_bytes_total",
    unit: "bytes",
    help: "Bytes of frames received, refused ones included.",
    labels: {},
  },
  ingestGaps: {
    type: "counter",
    name: "causeway_ingest_gaps_total",
    unit: "",
    help: "Key frames that did not follow the last frame of their agent, which reports what is missing as lost.",
    labels: {},
  },
  ingestDuplicates: {
    type: "counter",
    name: "causeway_ingest_duplicate_frames_total",
    unit: "",
    help: "Frames that the journal already held; acknowledged again, stored once.",
    labels: {},
  },
  ingestRefusals: {
    type: "counter",
    name: "causeway_ingest_refused_frames_total",
    unit: "",
    help: "Frames refused, by what was wrong with them.",
    labels: { reason: wireReasons },
  },
  ingestConnectionRefusals: {
    type: "counter",
    name: "causeway_ingest_refused_connections_total",
    unit: "",
    help: "Agent connections refused, by reason.",
    labels: { reason: connectionRefusals },
  },
  ingestLost: {
    type: "counter",
    name: "causeway_ingest_lost_samples_total",
    unit: "",
    help: "Samples entered in the completeness ledger as missing or not taken, by reason.",
    labels: { reason: lossReasons },
  },
  ingestInFlight: {
    type: "gauge",
    name: "causeway_ingest_in_flight_bytes",
    unit: "bytes",
    help: "Bytes received and not yet durable.",
    labels: {},
  },
  otlpSources: {
    type: "gauge",
    name: "causeway_ingest_otlp_sources",
    unit: "",
    help: "Services that push by OTLP, by places, as far as they are remembered.",
    labels: {},
  },
  otlpRefusals: {
    type: "counter",
    name: "causeway_ingest_refused_requests_total",
    unit: "",
    help: "OTLP requests of which nothing was taken, by reason.",
    labels: { reason: requestRefusals },
  },
  otlpRepeated: {
    type: "counter",
    name: "causeway_ingest_repeated_points_total",
    unit: "",
    help: "Points and requests by OTLP that were here already; stored once.",
    labels: {},
  },
  journalCommit: {
    type: "histogram",
    name: "causeway_journal_commit_seconds",
    unit: "seconds",
    help: "Time of one group commit of the journal, its fsync included.",
    labels: {},
    buckets: commitBuckets,
  },
  journalBytes: {
    type: "counter",
    name: "causeway_journal_appended_bytes_total",
    unit: "bytes",
    help: "Bytes of frames appended to the journal.",
    labels: {},
  },
  journalSize: {
    type: "gauge",
    name: "causeway_journal_size_bytes",
    unit: "bytes",
    help: "Size of the journal on disk.",
    labels: {},
  },
  journalPosition: {
    type: "gauge",
    name: "causeway_journal_position",
    unit: "",
    help: "Position of the newest durable entry of the journal.",
    labels: {},
  },
  journalFull: {
    type: "gauge",
    name: "causeway_journal_full",
    unit: "",
    help: "1 while the journal refuses to append because the disk is full, else 0.",
    labels: {},
  },
  detectSamples: {
    type: "counter",
    name: "causeway_detect_samples_total",
    unit: "",
    help: "Samples judged.",
    labels: {},
  },
  detectAnomalies: {
    type: "counter",
    name: "causeway_detect_anomalies_total",
    unit: "",
    help: "Anomalies begun, by the detector that found them.",
    labels: { detector: detectors },
  },
  detectLag: {
    type: "gauge",
    name: "causeway_detect_lag_seconds",
    unit: "seconds",
    help: "Time from the sample itself to its verdict, of the newest frame.",
    labels: {},
  },
  detectSeries: {
    type: "gauge",
    name: "causeway_detect_series",
    unit: "",
    help: "Judged series, by how far their own history has come.",
    labels: { warmup: ["collecting", "provisional", "ready"] },
  },
  changes: {
    type: "counter",
    name: "causeway_ingest_changes_total",
    unit: "",
    help: "Changes to the systems that were told for the first time: releases, configurations, SQL, batch runs, campaigns.",
    labels: {},
  },
  incidentsOpened: {
    type: "counter",
    name: "causeway_incident_opened_total",
    unit: "",
    help: "Incidents opened, by their severity when they were opened.",
    labels: { severity: severities },
  },
  incidentsResolved: {
    type: "counter",
    name: "causeway_incident_resolved_total",
    unit: "",
    help: "Incidents resolved.",
    labels: {},
  },
  incidentsOpen: {
    type: "gauge",
    name: "causeway_incident_open",
    unit: "",
    help: "Incidents that are not resolved now, by severity.",
    labels: { severity: severities },
  },
  storeCommit: {
    type: "histogram",
    name: "causeway_store_commit_seconds",
    unit: "seconds",
    help: "Time of one commit of incidents and position, its fsync included.",
    labels: {},
    buckets: commitBuckets,
  },
  storeFailures: {
    type: "counter",
    name: "causeway_store_failures_total",
    unit: "",
    help: "Commits that the store refused; each is tried again.",
    labels: {},
  },
  pushClients: {
    type: "gauge",
    name: "causeway_push_clients",
    unit: "",
    help: "Live sockets open now.",
    labels: {},
  },
  pushFrames: {
    type: "counter",
    name: "causeway_push_frames_total",
    unit: "",
    help: "Live frames handed to sockets, by channel.",
    labels: { channel: channels },
  },
  pushStarts: {
    type: "counter",
    name: "causeway_push_starts_total",
    unit: "",
    help: "Subscriptions to an exact channel, by how they began: resumed, a first snapshot, or a snapshot after a gap.",
    labels: { kind: ["resumed", "snapshot", "gap"] },
  },
  pushSkipped: {
    type: "counter",
    name: "causeway_push_skipped_states_total",
    unit: "",
    help: "States of conflated channels not sent to a slow reader; it gets the next one.",
    labels: {},
  },
  pushCloses: {
    type: "counter",
    name: "causeway_push_closed_total",
    unit: "",
    help: "Live sockets closed by the collector, by reason.",
    labels: {
      reason: [
        "slow",
        "silent",
        "bad_frame",
        "subprotocol",
        "hello_timeout",
        "duplicate",
        "too_many",
        "draining",
      ],
    },
  },
  httpRequests: {
    type: "counter",
    name: "causeway_http_requests_total",
    unit: "",
    help: "HTTP requests answered, by route and status class.",
    labels: { route: httpRoutes, code: httpCodes },
  },
  httpSeconds: {
    type: "histogram",
    name: "causeway_http_request_seconds",
    unit: "seconds",
    help: "Time from a request's headers to its answer, by route.",
    labels: { route: httpRoutes },
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
  },
  httpBroken: {
    type: "counter",
    name: "causeway_http_broken_requests_total",
    unit: "",
    help: "Connections closed because what came was not HTTP, came too slowly or was too large.",
    labels: {},
  },
} as const satisfies { readonly [key: string]: Row };

type Table = typeof metricTable;
export type MetricKey = keyof Table;
type LabelsOf<R extends Row> = { readonly [L in keyof R["labels"]]: R["labels"][L][number] };
type Given<R extends Row> = keyof R["labels"] extends never ? [] : [labels: LabelsOf<R>];

export interface Counter<R extends Row> {
  /** Adds `by`, 1 unless told. */
  inc(...args: [...Given<R>, by?: number]): void;
}
export interface Gauge<R extends Row> {
  set(...args: [...Given<R>, value: number]): void;
}
export interface Histogram<R extends Row> {
  observe(...args: [...Given<R>, value: number]): void;
}
type Instrument<R extends Row> = R["type"] extends "counter"
  ? Counter<R>
  : R["type"] extends "gauge"
    ? Gauge<R>
    : Histogram<R>;

export type Metrics = { readonly [K in MetricKey]: Instrument<Table[K]> } & {
  /** The text exposition format, version 0.0.4. */
  text(): Promise<string>;
  readonly contentType: string;
};

/** `processMetrics` adds those of Node and of the process, which observe this process for as long as it lives. */
export function createMetrics(options: { version: string; processMetrics?: boolean }): Metrics {
  const registry = new client.Registry();
  if (options.processMetrics === true) collectProcess(registry);
  const build = new client.Gauge({
    name: "causeway_build_info",
    help: "Always 1; its label is the version that runs.",
    labelNames: ["version"],
    registers: [registry],
  });
  build.set({ version: options.version }, 1);
  const instruments = Object.entries<Row>(metricTable).map(([key, row]) => [key, instrument(registry, row)]);
  return {
    ...(Object.fromEntries(instruments) as { [K in MetricKey]: Instrument<Table[K]> }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** `value` if the table allows it for this label, else `other`: for text that comes from outside. */
export function labelOr<V extends string>(allowed: readonly V[], value: string, other: V): V {
  return allowed.find((word) => word === value) ?? other;
}

/** prom-client's own metrics that break the naming rules: gauges named `_total`. */
const unlovedDefaults = [
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];

function collectProcess(registry: client.Registry): void {
  client.collectDefaultMetrics({ register: registry });
  for (const name of unlovedDefaults) registry.removeSingleMetric(name);
}

const seriesMadeAtStartMax = 40;

function instrument(registry: client.Registry, row: Row): object {
  const { name, help } = row;
  const labelNames = Object.keys(row.labels);
  const settings = { name, help, labelNames, registers: [registry] };
  const combinations = product(Object.entries(row.labels));
  const start = combinations.length <= seriesMadeAtStartMax ? combinations : [];
  switch (row.type) {
    case "counter": {
      const counter = new client.Counter(settings);
      for (const labels of start) counter.inc(labels, 0);
      return { inc: (...args: Args) => counter.inc(...labelled(args, 1)) };
    }
    case "gauge": {
      const gauge = new client.Gauge(settings);
      for (const labels of start) gauge.set(labels, 0);
      return { set: (...args: Args) => gauge.set(...labelled(args, 0)) };
    }
    case "histogram": {
      const histogram = new client.Histogram({ ...settings, buckets: [...(row.buckets ?? commitBuckets)] });
      for (const labels of start) histogram.zero(labels);
      return { observe: (...args: Args) => histogram.observe(...labelled(args, 0)) };
    }
  }
}

type LabelValues = Record<string, string>;
type Args = [LabelValues | number | undefined, number?];

function labelled([first, second]: Args, missing: number): [LabelValues, number] {
  return typeof first === "object" ? [first, second ?? missing] : [{}, first ?? missing];
}

/** Every combination of the labels' values; one empty combination when there is no label. */
function product(labels: readonly (readonly [string, readonly string[]])[]): LabelValues[] {
  return labels.reduce<LabelValues[]>(
    (partial, [name, values]) =>
      partial.flatMap((some) => values.map((value) => ({ ...some, [name]: value }))),
    [{}],
  );
}
