/**
 * Hosts with many metrics (SMD, ASD): point F1 without adjustment, and whether the guilty metrics are named.
 *
 * The training halves carry no labels, so no threshold can be fitted: `point_f1` is the best of each machine, averaged, as the
 * literature has it; all that ends in `.shipped` is at the threshold that is shipped.
 */
import { random } from "../baselines.ts";
import type { LabelledHost } from "../data/series.ts";
import { eventsAt, type TimedLabelled } from "../figures/event.ts";
import { hitRate, severityOver } from "../figures/hit-rate.ts";
import { pointAt, pointSweep } from "../figures/point.ts";
import { periodOf, vus } from "../figures/vus.ts";
import { hostSeverityOf, type Judge } from "../judging.ts";
import { finite, type Figures, meanOf, type SetReport, shown, type Table } from "../report.ts";
import { affiliation, eventFigures, usual } from "./metrics.ts";

interface Judged extends TimedLabelled {
  readonly id: string;
  /** Best of this host alone. */
  readonly best: number;
  readonly vusPr: number;
  readonly vusRoc: number;
  readonly hits100: readonly number[];
  readonly hits150: readonly number[];
}

export function evaluateHosts(set: string, hosts: readonly LabelledHost[], judge: Judge): SetReport {
  const judged = hosts.map((host) => judgedHost(set, host, judge));
  const shipped = judge.shipped.host;
  const nobodies = hosts.map((host) => judgedHost(set, host, random));
  const mean = (all: readonly Judged[], of: (host: Judged) => number): number => meanOf(all.map(of));
  const rate = (all: readonly Judged[], of: (host: Judged) => readonly number[]): number =>
    meanOf(all.flatMap(of));
  const figures: Figures = {
    [`${set}.point_f1`]: mean(judged, ({ best }) => best),
    [`${set}.point_f1.random`]: mean(nobodies, ({ best }) => best),
    [`${set}.point_f1.shipped`]: mean(judged, (host) => pointAt(host, shipped).f1),
    [`${set}.point_precision.shipped`]: mean(judged, (host) => pointAt(host, shipped).precision),
    [`${set}.point_recall.shipped`]: mean(judged, (host) => pointAt(host, shipped).recall),
    [`${set}.vus_pr`]: mean(judged, ({ vusPr }) => vusPr),
    [`${set}.vus_pr.random`]: mean(nobodies, ({ vusPr }) => vusPr),
    [`${set}.vus_roc`]: mean(judged, ({ vusRoc }) => vusRoc),
    [`${set}.hit_rate_100`]: rate(judged, ({ hits100 }) => hits100),
    [`${set}.hit_rate_100.random`]: rate(nobodies, ({ hits100 }) => hits100),
    [`${set}.hit_rate_150`]: rate(judged, ({ hits150 }) => hits150),
    [`${set}.hit_rate_150.random`]: rate(nobodies, ({ hits150 }) => hits150),
    ...eventFigures(set, judged, shipped, ".shipped"),
    ...affiliation(set, judged, shipped, ".shipped"),
  };
  const events = eventsAt(judged, shipped, usual).events;
  return {
    what: `${set}, ${hosts.length} hosts, ${events} events`,
    figures: finite(figures),
    misses: [byHost(judged, shipped)],
  };
}

function judgedHost(set: string, host: LabelledHost, judge: Judge): Judged {
  const { id, dims, trainRows, labels, events, intervalMs } = host;
  const severity = hostSeverityOf(judge, `${set} ${id}`, host);
  const scores = severity.host.subarray(trainRows);
  const perMetric = severity.perMetric.subarray(trainRows * dims);
  const volume = vus({ scores, labels }, periodOf(firstMetric(host)));
  const hits = (share: number): number[] =>
    events.map((event) => hitRate(severityOver(perMetric, dims, event), event.metrics, share));
  return {
    id,
    scores,
    labels,
    intervalMs,
    best: pointSweep({ scores, labels }).f1,
    vusPr: volume.pr,
    vusRoc: volume.roc,
    hits100: hits(1),
    hits150: hits(1.5),
  };
}

/** TSB-AD takes the period of a host from its first metric. */
function firstMetric({ rows, dims }: LabelledHost): Float32Array {
  return Float32Array.from({ length: rows.length / dims }, (_, row) => rows[row * dims]!);
}

function byHost(judged: readonly Judged[], shipped: number): Table {
  return {
    title: "By host; point F1 at its best, the rest as shipped",
    head: ["host", "point F1", "events", "missed", "false alarms", "alarms a day", "HitRate@100 %"],
    rows: judged.map((host) => {
      const { events, found, falseAlarms, alarmsPerSeriesDay } = eventsAt([host], shipped, usual);
      const numbers = [events, events - found, falseAlarms, alarmsPerSeriesDay, meanOf(host.hits100)];
      return [host.id, shown(host.best), ...numbers.map(shown)];
    }),
  };
}
