/**
 * Single metrics with a training half (KPI 2018, WSD): delay-7 F1 and event F1 on the other half, at thresholds that the training
 * half chose, one for all series; and the same at the threshold that is shipped.
 */
import { random } from "../baselines.ts";
import type { LabelledSeries } from "../data/series.ts";
import { affiliationOf, affiliationSums } from "../figures/affiliation.ts";
import { delayAt, delaySweep } from "../figures/delay.ts";
import { type EventOptions, eventsAt, type TimedLabelled } from "../figures/event.ts";
import { eventSweep } from "../figures/event-sweep.ts";
import { periodOf, vus } from "../figures/vus.ts";
import { type Judge, severityOf } from "../judging.ts";
import {
  finite,
  type Figures,
  meanOf,
  type SetReport,
  shown,
  type Table,
  thresholdKey,
  type Thresholds,
} from "../report.ts";

/** More alarms than this and operators stop looking: no threshold with more of them is chosen. */
export const alarmsPerSeriesDayMax = 0.4;
export const usual: EventOptions = { gap: 10 };
/** The same operating point looked at in other ways: an hour's gap, and found within the contest's delay. */
const variants: readonly (readonly [suffix: string, options: EventOptions])[] = [
  ["_gap60", { gap: 60 }],
  ["_within7", { gap: 10, within: 7 }],
  ["_gap60_within7", { gap: 60, within: 7 }],
];
const worstShown = 15;

export function evaluateMetrics(
  set: string,
  series: readonly LabelledSeries[],
  judge: Judge,
  thresholds: Thresholds,
): SetReport {
  const { train, test } = halvesOf(series, (one) => severityOf(judge, `${set} ${one.id}`, one));
  const delay = thresholds.of(`${set}.delay7_f1`, () => delaySweep(train).threshold);
  const capped = thresholds.of(
    `${set}.event_f1.capped`,
    () => eventSweep(train, usual, alarmsPerSeriesDayMax).threshold,
  );
  const event = judge.shipsEvents === true ? judge.shipped.series : capped;
  const contest = delayAt(test, delay);
  const figures: Figures = {
    [`${set}.delay7_f1`]: contest.f1,
    [`${set}.delay7_precision`]: contest.precision,
    [`${set}.delay7_recall`]: contest.recall,
    [thresholdKey(`${set}.delay7_f1`)]: delay,
    [`${set}.delay7_f1.shipped`]: delayAt(test, judge.shipped.series).f1,
    [thresholdKey(`${set}.event_f1.capped`)]: capped,
    ...eventFigures(set, test, event, ""),
    ...eventFigures(set, test, capped, ".capped"),
    ...byChance(set, series),
    ...volumes(set, series, test),
    ...affiliation(set, test, event),
  };
  const events = eventsAt(test, event, usual).events;
  return {
    what: `${set}, ${series.length} series, ${events} events in the test halves`,
    figures: finite(figures),
    misses: [bySeries(series, test, event)],
  };
}

interface Halves {
  readonly train: readonly TimedLabelled[];
  readonly test: readonly TimedLabelled[];
}

/** The whole series is judged in one go, as it would be in life; only then is it cut. */
function halvesOf(series: readonly LabelledSeries[], score: (one: LabelledSeries) => Float32Array): Halves {
  const whole = series.map((one) => ({ ...one, scores: score(one) }));
  const cut = (from: (one: LabelledSeries) => number, to: (one: LabelledSeries) => number): TimedLabelled[] =>
    whole.map((one) => ({
      scores: one.scores.subarray(from(one), to(one)),
      labels: one.labels.subarray(from(one), to(one)),
      intervalMs: one.intervalMs,
    }));
  return {
    train: cut(
      () => 0,
      ({ trainRows }) => trainRows,
    ),
    test: cut(
      ({ trainRows }) => trainRows,
      ({ labels }) => labels.length,
    ),
  };
}

export function eventFigures(
  set: string,
  test: readonly TimedLabelled[],
  threshold: number,
  suffix: string,
): Figures {
  const found = eventsAt(test, threshold, usual);
  const figures: Figures = {
    [`${set}.event_f1${suffix}`]: found.f1,
    [`${set}.event_precision${suffix}`]: found.precision,
    [`${set}.event_recall${suffix}`]: found.recall,
    [`${set}.event_delay_samples${suffix}`]: found.medianDelay,
    [`${set}.alarms_per_series_day${suffix}`]: found.alarmsPerSeriesDay,
  };
  for (const [variant, options] of variants) {
    figures[`${set}.event_f1${variant}${suffix}`] = eventsAt(test, threshold, options).f1;
  }
  return figures;
}

/** Somebody who knows nothing, given the same choice of a threshold. */
function byChance(set: string, series: readonly LabelledSeries[]): Figures {
  const { train, test } = halvesOf(series, (one) => random.judgeSeries(one));
  return {
    [`${set}.delay7_f1.random`]: delayAt(test, delaySweep(train).threshold).f1,
    [`${set}.event_f1.random`]: eventsAt(
      test,
      eventSweep(train, usual, alarmsPerSeriesDayMax).threshold,
      usual,
    ).f1,
  };
}

function volumes(set: string, series: readonly LabelledSeries[], test: readonly TimedLabelled[]): Figures {
  const all = test
    .map((half, number) => ({ half, number }))
    .filter(({ half }) => half.labels.includes(1))
    .map(({ half, number }) => vus(half, periodOf(series[number]!.values)));
  return {
    [`${set}.vus_pr`]: meanOf(all.map(({ pr }) => pr)),
    [`${set}.vus_roc`]: meanOf(all.map(({ roc }) => roc)),
  };
}

export function affiliation(
  set: string,
  test: readonly TimedLabelled[],
  threshold: number,
  suffix = "",
): Figures {
  const sums = test.map(({ scores, labels }) =>
    affiliationSums(
      Uint8Array.from(scores, (score) => (score >= threshold ? 1 : 0)),
      labels,
    ),
  );
  const { precision, recall, f1 } = affiliationOf(sums);
  return {
    [`${set}.affiliation_f1${suffix}`]: f1,
    [`${set}.affiliation_precision${suffix}`]: precision,
    [`${set}.affiliation_recall${suffix}`]: recall,
  };
}

function bySeries(
  series: readonly LabelledSeries[],
  test: readonly TimedLabelled[],
  threshold: number,
): Table {
  const rows = series.map(({ id }, number) => ({ id, ...eventsAt([test[number]!], threshold, usual) }));
  const wrong = (row: (typeof rows)[number]): number => row.events - row.found + row.falseAlarms;
  return {
    title: "Series with the most misses and false alarms, at the threshold of event F1",
    head: ["series", "events", "missed", "false alarms", "alarms a day"],
    rows: rows
      .filter((row) => wrong(row) > 0)
      .sort((a, b) => wrong(b) - wrong(a))
      .slice(0, worstShown)
      .map((row) => [
        row.id,
        `${row.events}`,
        `${row.events - row.found}`,
        `${row.falseAlarms}`,
        shown(row.alarmsPerSeriesDay),
      ]),
  };
}
