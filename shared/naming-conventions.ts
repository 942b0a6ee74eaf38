/**
 * What a metric that nobody has heard of means, as far as naming conventions say: Prometheus' words and suffixes, the usual exporters'
 * names for certificates, quantiles of times, and what is recognised as a count of requests or transactions (`counted.ts`).
 */
import type { Counted } from "./counted.ts";
import type { MeaningRow } from "./semantics.ts";
import { labelValue, type Series } from "./series.ts";

/** Words that Prometheus' naming conventions give a meaning; the first that matches counts. */
const namedByConvention: readonly (readonly [RegExp, MeaningRow])[] = [
  // Certificates by blackbox_exporter, x509-certificate-exporter, cert-manager, ingress-nginx, Telegraf, OpenTelemetry, kubelet.
  [
    /(cert|ssl|tls|x509).*_(not_after|enddate|expir(y|ation|e_time|es_in))(_timestamp)?(_seconds)?$/,
    { resource: "none", kind: "state", role: "context", of: "certificate", runsOut: "expiry" },
  ],
  [
    /_not_after_timestamp_seconds$|cert\w*_(ttl|remaining)(_seconds)?$/,
    { resource: "none", kind: "state", role: "context", of: "certificate", runsOut: "expiry" },
  ],
  [
    /(latency|duration|response_time).*seconds$/,
    { resource: "none", kind: "latency", role: "symptom", floor: 0.02 },
  ],
  [
    /(error|failure|rejected|timeout)s?(_total)?$/,
    { resource: "none", kind: "errors", role: "symptom", floor: 0.1 },
  ],
  [
    /success_ratio$/,
    { resource: "none", kind: "errors", role: "symptom", badDirection: "down", floor: 0.01 },
  ],
  [
    /(requests|transactions)(_total)?$/,
    { resource: "none", kind: "traffic", floor: 1, badDirection: "both" },
  ],
  [/_info$|_timestamp_seconds$/, { resource: "none", role: "context" }],
  // What a histogram adds up to: it grows with the traffic, which its count tells.
  [/\.sum$/, { resource: "none", role: "context" }],
];

/**
 * Of what waits, as gauges of queues, backlogs and consumers are usually named, and of jobs, how long they have been running. Who waits is
 * served late though nobody sees an error, so a queue that grows is felt; a job may take its time.
 */
const waitingNames: readonly (readonly [RegExp, MeaningRow])[] = [
  [
    /(queue|backlog|mailbox|inbox|outbox|consumer|partition|replication)\w*?_(lag|age|delay|oldest\w*)(_seconds)?$|_lag_seconds$/,
    { resource: "none", kind: "saturation", role: "symptom", floor: 5, floorShare: 1 },
  ],
  [
    /(queue|backlog|mailbox|inbox|outbox)(_\w+?)?_(depth|length|size|messages|items|pending|waiting|backlog)$|_backlog$/,
    { resource: "none", kind: "saturation", role: "symptom", floor: 10, floorShare: 1 },
  ],
  [/_(waiting|waiters|blocked|queued)$/, { resource: "none", kind: "saturation", floor: 2, floorShare: 1 }],
  // OpenTelemetry's pools of connections: who waits for one is served late, and it is the pool's owner that has none left.
  [
    /^db_client_connection_pending_requests$/,
    { resource: "none", kind: "saturation", floor: 2, floorShare: 1 },
  ],
  [
    /(batch|job|task)\w*_(running|elapsed)(_seconds)?$/,
    { resource: "none", kind: "state", floor: 30, floorShare: 1 },
  ],
];

function waitingRow({ metric, instrument, labels }: Series): MeaningRow | undefined {
  if (instrument !== "gauge") return undefined;
  if (metric === "db.client.connection.count")
    return poolRow(labelValue(labels, "db.client.connection.state"));
  const name = metric.replaceAll(".", "_");
  return waitingNames.find(([pattern]) => pattern.test(name))?.[1];
}

/** Of those in use; how many are idle is the rest. */
function poolRow(state: string | undefined): MeaningRow {
  if (state === "idle") return { resource: "none", role: "context" };
  return { resource: "none", kind: "saturation", floor: 2, floorShare: 0.5 };
}

/** Of a histogram or summary of times: what nearly all wait for is felt, the middle explains it. */
function quantileRow({ unit, labels }: Series): MeaningRow | undefined {
  const quantile = labelValue(labels, "quantile");
  if (quantile === undefined || unit !== "s") return undefined;
  const role = Number(quantile) >= 0.9 ? "symptom" : "evidence";
  return { resource: "none", kind: "latency", role, floor: 0.02, floorShare: 0.25 };
}

/** What a metric means that `semantics.ts` does not know by name. Our own metrics are context: the agent's cost is watched by its budget, not by its anomalies. */
export function rowByConvention(series: Series, counts: Counted | undefined): MeaningRow {
  if (series.metric.startsWith("causeway.agent.")) return { resource: "agent", role: "context", of: "agent" };
  if (counts !== undefined) return countRow(counts);
  const quantile = quantileRow(series);
  if (quantile !== undefined) return quantile;
  const waiting = waitingRow(series);
  if (waiting !== undefined) return waiting;
  const named = namedByConvention.find(([pattern]) => pattern.test(series.metric));
  // Nothing is known of it, not even where its zero is: no share of its value is the smallest deviation that matters.
  return named?.[1] ?? { resource: "none", badDirection: "both", floorShare: 0 };
}

/** What failed is felt; what was refused, by customers of transactions only: a crawler's wrong addresses hurt nobody. */
function countRow({ part, what, share, per }: Counted): MeaningRow {
  if (part === "total" || part === "success")
    return { resource: "none", kind: "traffic", floor: 1, badDirection: "both" };
  const badDirection = share === "of the rest" ? "down" : "up";
  const role = part === "failure" || what === "transactions" ? "symptom" : "evidence";
  if (share === null) return { resource: "none", kind: "errors", role, badDirection, floor: 0.1 };
  // Half of all failing is trouble, whatever was usual.
  const bound = part === "failure" ? { bound: per / 2 } : {};
  return { resource: "none", kind: "errors", role, badDirection, floor: 0.01, ...bound };
}
