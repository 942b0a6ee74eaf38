/**
 * What the API and the console are shown: hosts, series and history, put together from the stages' own answers.
 *
 * Nothing is kept here, but the last topologies for a moment: a chart is a stretch of the journal (`history.ts`).
 */
import type { FeedbackList, Host, Ledger, SeriesList, SeriesRange, Warmup } from "#shared/contract/api.ts";
import type { Change } from "#shared/contract/change.ts";
import type { SystemState } from "#shared/contract/live.ts";
import type { SystemReport } from "#shared/contract/system.ts";
import type { TopologyLevel, TopologyReport } from "#shared/contract/topology.ts";
import { entityId } from "#shared/entity.ts";
import { limits } from "#shared/limits.ts";
import { meaningOf } from "#shared/semantics.ts";
import { labelValue, seriesId } from "#shared/series.ts";
import type { Follower } from "./follow.ts";
import { readHistory } from "./history.ts";
import type { Journal } from "./journal/journal.ts";
import type { Store } from "./store/store.ts";

const dayMs = 86_400_000;
/** Working out 70,000 edges of 1,000 hosts takes a third of a second: not for each console again. Edges change by the hour. */
const topologyKeptMs = 5_000;

export interface View {
  hosts(): Host[];
  hostSeries(host: string): SeriesList | undefined;
  seriesRange(range: {
    host: string;
    series: string;
    fromMs: number;
    toMs: number;
  }): Promise<SeriesRange | undefined>;
  feedback(filter: { incident?: string }): FeedbackList;
  changes(range: { fromMs?: number; toMs?: number }): readonly Change[];
  ledger(range: { host?: string; fromMs?: number; toMs?: number }): Ledger;
  system(now: SystemNow): SystemState;
  report(now: SystemNow): SystemReport;
  topology(level: TopologyLevel): TopologyReport;
}

export interface SystemNow {
  readonly nowMs: number;
  readonly samplesPerSecond: number;
  readonly detectionLagMs: number;
  readonly version: string;
}

export function createView({
  follower,
  journal,
  store,
}: {
  follower: Follower;
  journal: Journal;
  store: Store;
}): View {
  const { chain, ingest } = follower;
  const topologies = new Map<TopologyLevel, TopologyReport>();

  const hosts = (): Host[] => {
    const anomalies = Map.groupBy(chain.detect.open(), ({ host }) => host);
    return ingest.hosts.facts().map(({ host, agentId, resource, firstMs, lastMs, intervalMs, series }) => {
      const { open: _, ...warmup } = chain.detect.progress(host);
      return {
        host,
        agentId,
        agentVersion: labelValue(resource, "service.version") ?? "",
        os: labelValue(resource, "os.description") ?? labelValue(resource, "os.type") ?? "",
        state: chain.detect.state(host),
        firstSeenMs: firstMs,
        lastSeenMs: lastMs,
        intervalMs,
        series,
        warmup,
        anomalies: anomalies.get(host)?.length ?? 0,
        hostScore: shownScore(chain.detect.hostScore(host)),
        clockErrorMs: follower.clockErrors.get(agentId) ?? 0,
        maintenance: chain.detect.maintenance(host, chain.nowMs()),
        forecasts: chain.detect.forecasts(host).map(({ meaning: { entity, unit }, ...rest }) => ({
          ...rest,
          entity: entityId(entity),
          unit,
        })),
      };
    });
  };

  const system = ({ nowMs, samplesPerSecond, detectionLagMs, version }: SystemNow): SystemState => {
    const all = hosts();
    return {
      nowMs,
      watermarkMs: chain.nowMs(),
      hostsUp: all.filter(({ state }) => state === "up").length,
      hostsTotal: all.filter(({ state }) => state !== "stopped" && state !== "gone").length,
      series: all.reduce((sum, { series }) => sum + series, 0),
      samplesPerSecond,
      detectionLagMs,
      warmup: total(all.map(({ warmup }) => warmup)),
      weakSignals: chain.weakSignals(),
      feedbacks: chain.detect.feedback().given.length,
      lostSamples: store.losses({ fromMs: nowMs - dayMs, limit: 0 }).samples,
      version,
    };
  };

  return {
    hosts,
    hostSeries(host) {
      if (ingest.hosts.agentOf(host) === undefined) return undefined;
      const series = ingest.hosts.series(host).flatMap((one) => {
        if (one === undefined) return [];
        const { role, unit, entity } = meaningOf(one, host);
        return [{ id: seriesId(one), metric: one.metric, unit, role, entity: entityId(entity) }];
      });
      return { host, series };
    },
    async seriesRange({ host, series, fromMs, toMs }) {
      const stream = ingest.hosts.agentOf(host);
      const number = ingest.hosts.numberOf(host, series);
      const definition = number === undefined ? undefined : ingest.hosts.series(host)[number];
      if (stream === undefined || definition === undefined) return undefined;
      const range = { host, stream, fromMs, toMs };
      const history = await readHistory(journal, range, (id) => id === series);
      const values = history.series[0]?.values ?? new Float64Array(history.timesMs.length).fill(Number.NaN);
      const { unit } = meaningOf(definition, host);
      return { host, series, unit, ...thinned(history.timesMs, values, limits.seriesPointsMax) };
    },
    changes: ({ fromMs = 0, toMs = Number.MAX_SAFE_INTEGER }) =>
      chain.changes.between(fromMs, toMs).slice(-limits.changesListedMax).reverse(),
    feedback({ incident }) {
      const { given, keptMs, factors } = chain.detect.feedback();
      const asked = incident === undefined ? given : given.filter((one) => one.incident === incident);
      const shown = asked.flatMap(({ series }) => series);
      const series = new Set(shown.map((one) => `${one.host}\n${one.series}`));
      const kinds = new Set(shown.map(({ metric, entityKind }) => `${entityKind}\n${metric}`));
      return {
        feedbacks: asked
          .toReversed()
          .map((one) => ({ ...one, untilMs: one.atMs + keptMs, series: one.series.length })),
        series: factors.series
          .filter((one) => series.has(`${one.host}\n${one.series}`))
          .sort((a, b) => Math.abs(Math.log(b.factor)) - Math.abs(Math.log(a.factor)))
          .slice(0, limits.feedbackSeriesListedMax),
        kinds: factors.kinds.filter(({ metric, entityKind }) => kinds.has(`${entityKind}\n${metric}`)),
      };
    },
    ledger(range) {
      const { samples, losses } = store.losses({ ...range, limit: limits.lossesListedMax });
      const stream = range.host === undefined ? undefined : (ingest.hosts.agentOf(range.host) ?? "");
      const stored = journal.samples(stream, range);
      return { stored, lost: samples, losses: [...losses] };
    },
    system,
    topology(level) {
      const last = topologies.get(level);
      if (last !== undefined && chain.nowMs() - last.atMs < topologyKeptMs) return last;
      const report = chain.topology.list(level);
      topologies.set(level, report);
      return report;
    },
    report(now) {
      const { calendar } = chain.detect;
      const dayClass = calendar.className(calendar.dayClass(chain.nowMs()));
      return {
        state: system(now),
        calendar: { zone: calendar.zone, dayClass },
        judges: [...follower.judges],
      };
    },
  };
}

function shownScore(reading: ReturnType<Follower["chain"]["detect"]["hostScore"]>): Host["hostScore"] {
  if (reading === null) return null;
  const { score, unusual } = reading;
  return {
    score: toHundredths(score),
    unusual: unusual && { share: toHundredths(unusual.share), metrics: [...unusual.metrics] },
  };
}

function toHundredths(value: number): number {
  return Math.round(100 * value) / 100;
}

function total(all: readonly Warmup[]): Warmup {
  const readyAt = all.map(({ readyAtMs }) => readyAtMs ?? 0);
  const latestMs = Math.max(0, ...readyAt);
  return {
    collecting: all.reduce((sum, { collecting }) => sum + collecting, 0),
    provisional: all.reduce((sum, { provisional }) => sum + provisional, 0),
    ready: all.reduce((sum, { ready }) => sum + ready, 0),
    readyAtMs: latestMs === 0 ? null : latestMs,
    workdays: all.reduce((sum, { workdays }) => sum + workdays, 0),
    restdays: all.reduce((sum, { restdays }) => sum + restdays, 0),
  };
}

/** At most `pointsMax` points: of each bucket its lowest and its highest, in their order, so that no spike is lost. */
function thinned(
  timesMs: Float64Array,
  values: Float64Array,
  pointsMax: number,
): { timesMs: number[]; values: (number | null)[] } {
  const bucket = Math.ceil(timesMs.length / (pointsMax / 2));
  const kept: number[] = [];
  for (let start = 0; start < timesMs.length; start += bucket) {
    const end = Math.min(timesMs.length, start + bucket);
    if (bucket <= 2) {
      for (let index = start; index < end; index += 1) kept.push(index);
      continue;
    }
    let low = start;
    let high = start;
    for (let index = start; index < end; index += 1) {
      if (!(values[index]! >= values[low]!)) low = index;
      if (values[index]! > values[high]!) high = index;
    }
    kept.push(...(low === high ? [low] : low < high ? [low, high] : [high, low]));
  }
  return {
    timesMs: kept.map((index) => timesMs[index]!),
    values: kept.map((index) => (Number.isNaN(values[index]) ? null : values[index]!)),
  };
}
