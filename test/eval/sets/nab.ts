/** The Numenta Anomaly Benchmark: three scores, what they are made of, and what knowing nothing earns in it. */
import { random } from "../baselines.ts";
import type { WindowedSeries } from "../data/series.ts";
import { onsetsOf, seriesDays } from "../figures/event.ts";
import { nabAt, type NabCounts, nabCounts, nabProbation, nabProfiles, nabSweep } from "../figures/nab.ts";
import { type Judge, severityOf } from "../judging.ts";
import {
  finite,
  type Figures,
  type SetReport,
  shown,
  type Table,
  thresholdKey,
  type Thresholds,
} from "../report.ts";

/** A blind alarm as often as this, and a gap as long as this between alarms, in rows. */
const blindEvery = 400;
const alarmGap = 10;

interface Scored extends WindowedSeries {
  readonly scores: Float32Array;
}

export function evaluateNab(
  files: readonly WindowedSeries[],
  judge: Judge,
  thresholds: Thresholds,
): SetReport {
  const scored = scoredBy(files, (file) => severityOf(judge, file.id, file));
  const swept = nabSweep(scored);
  const figures: Figures = {};
  for (const { name } of nabProfiles) {
    const key = `nab.${name}`;
    const threshold = thresholds.of(key, () => swept[name].threshold);
    figures[key] = nabAt(scored, name, threshold);
    figures[thresholdKey(key)] = threshold;
    figures[`${key}.shipped`] = nabAt(scored, name, judge.shipped.series);
  }
  const standard = figures[thresholdKey("nab.standard")]!;
  const counts = scored.map((file) => nabCounts(file, standard));
  return {
    what: `NAB, ${files.length} files, ${sum(files, ({ windows }) => windows.length)} windows`,
    figures: finite({
      ...figures,
      ...knowingNothing(files),
      "nab.windows": sum(files, ({ windows }) => windows.length),
      "nab.windows_hit": sum(counts, hits),
      "nab.false_rows": sum(counts, ({ falseRows }) => falseRows),
      "nab.alarms_per_series_day": alarmsPerDay(scored, standard),
      "nab.alarms_per_series_day.shipped": alarmsPerDay(scored, judge.shipped.series),
    }),
    misses: [byCategory(scored, counts, standard), missed(scored, counts), falsest(scored, counts)],
  };
}

function scoredBy(
  files: readonly WindowedSeries[],
  score: (file: WindowedSeries) => Float32Array,
): readonly Scored[] {
  return files.map((file) => ({ ...file, scores: score(file) }));
}

/** The threshold is fitted on the very files: this is the most that each of them can have. */
function knowingNothing(files: readonly WindowedSeries[]): Figures {
  const nobodies = {
    random: (file: WindowedSeries) => random.judgeSeries(file),
    blind: ({ values }: WindowedSeries) =>
      Float32Array.from({ length: values.length }, (_, row) => (row % blindEvery === 0 ? 1 : 0)),
    null: ({ values }: WindowedSeries) => new Float32Array(values.length),
  };
  const figures: Figures = {};
  for (const [nobody, score] of Object.entries(nobodies)) {
    const swept = nabSweep(scoredBy(files, score));
    for (const { name } of nabProfiles) figures[`nab.${name}.${nobody}`] = swept[name].score;
  }
  return figures;
}

function judgedRows({ scores, intervalMs }: Scored): {
  scores: Float32Array;
  labels: Uint8Array;
  intervalMs: number;
} {
  const judged = scores.subarray(nabProbation(scores.length));
  return { scores: judged, labels: new Uint8Array(judged.length), intervalMs };
}

function alarmsPerDay(files: readonly Scored[], threshold: number): number {
  const judged = files.map(judgedRows);
  return sum(judged, ({ scores }) => onsetsOf(scores, threshold, alarmGap).length) / seriesDays(judged);
}

function byCategory(files: readonly Scored[], counts: readonly NabCounts[], threshold: number): Table {
  const categories = [...new Set(files.map(({ category }) => category))];
  return {
    title: "By category, at the threshold of the standard profile",
    head: ["category", "files", "windows", "hit", "false rows", "alarms a series-day"],
    rows: categories.map((category) => {
      const numbers = [...files.keys()].filter((number) => files[number]!.category === category);
      const own = numbers.map((number) => files[number]!);
      const ownCounts = numbers.map((number) => counts[number]!);
      return [
        category,
        `${own.length}`,
        `${sum(own, ({ windows }) => windows.length)}`,
        `${sum(ownCounts, hits)}`,
        `${sum(ownCounts, ({ falseRows }) => falseRows)}`,
        shown(alarmsPerDay(own, threshold)),
      ];
    }),
  };
}

function missed(files: readonly Scored[], counts: readonly NabCounts[]): Table {
  return {
    title: "Windows that were missed",
    head: ["file", "from", "to"],
    rows: files.flatMap(({ id, windows, timesMs }, number) =>
      windows
        .filter((_, window) => counts[number]!.detectedAt[window]! < 0)
        .map(({ start, end }) => [id, timeOf(timesMs[start]!), timeOf(timesMs[end]!)]),
    ),
  };
}

function falsest(files: readonly Scored[], counts: readonly NabCounts[]): Table {
  const rows = files.map(({ id }, number) => ({ id, falseRows: counts[number]!.falseRows }));
  return {
    title: "Files with the most false rows",
    head: ["file", "false rows"],
    rows: rows
      .filter(({ falseRows }) => falseRows > 0)
      .sort((a, b) => b.falseRows - a.falseRows)
      .slice(0, 10)
      .map(({ id, falseRows }) => [id, `${falseRows}`]),
  };
}

function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace("T", " ");
}

function hits({ detectedAt }: NabCounts): number {
  return detectedAt.filter((row) => row >= 0).length;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
