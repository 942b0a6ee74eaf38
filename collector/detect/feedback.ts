/**
 * What operators' answers to "was this useful?" do to detection: "noise" raises the thresholds of the series that the incident
 * showed, "useful" lowers them, a little each time and within bounds.
 *
 * The state is the list of answers in force, one an incident. Every factor is a pure function of that list, through counts: the
 * order in which answers were given changes nothing, and what is withdrawn leaves no trace. A series that appears later gets
 * its factor from the same list. When noise comes from several hosts and several incidents, a part of it holds for the metric
 * on every host; what was called useful somewhere is spared.
 */
import { type Incident, type Verdict } from "#shared/contract/incident.ts";
import { entityKinds, type EntityKind } from "#shared/entity.ts";
import { isBeyond } from "./level.ts";
import { flag, type SeriesTable } from "./series-state.ts";

/** Steps and bounds, each with its reason. */
export const feedbackRules = {
  /** One "noise" is one tired person's word: a quarter more is felt, and hides nothing that is clearly abnormal. */
  noiseStep: 1.25,
  /** Smaller than a step of noise: too sensitive a series wakes people, and a useful incident was found without it. */
  usefulStep: 0.9,
  /** Answers that count for one series: the fourth "noise" brings its threshold to 2.44, the third "useful" to 0.73. */
  noiseMax: 4,
  usefulMax: 3,
  /** Series and kind together: beyond two and a half times an outage of a quiet series would begin to be missed. */
  factorMax: 2.5,
  /** From this many hosts, and as many incidents, noise is the metric's habit and not a host's: one answer is no pattern. */
  kindMin: 3,
  /** Others' hosts were not judged by anybody, so the steps for them are smaller and fewer: 1.33 at most. */
  kindStep: 1.1,
  kindStepsMax: 3,
  /** What was noise half a year ago is no longer known to be: the answer ends, and its effect with it. */
  keptMs: 180 * 86_400_000,
  /** Beyond it the oldest answer ends early. Five a day for half a year; some 2 MB in a snapshot. */
  keptMax: 1_000,
  /** An incident's answer speaks about its strongest signs, not about everything that moved that night. */
  seriesMax: 32,
} as const;

/** A series that an incident showed, as a symptom or as a cause's evidence. */
export interface JudgedSeries {
  readonly host: string;
  readonly series: string;
  readonly metric: string;
  readonly entityKind: EntityKind;
}

export interface Feedback {
  readonly incident: string;
  readonly verdict: Verdict;
  readonly by: string;
  readonly atMs: number;
  readonly comment: string;
  readonly series: readonly JudgedSeries[];
}

/** In the order in which they were given; at most one an incident. Plain JSON. */
export type Feedbacks = readonly Feedback[];

/** The list with the incident's answer as it is now: its only one, or none. */
export function withAnswerOf(all: Feedbacks, incident: Incident): Feedbacks {
  const others = all.filter((one) => one.incident !== incident.id);
  const { id, feedback } = incident;
  if (feedback === null) return others;
  return [...others, { incident: id, ...feedback, series: shownBy(incident) }].slice(-feedbackRules.keptMax);
}

/** The list without what has ended; the same list when nothing has. */
export function inForce(all: Feedbacks, nowMs: number): Feedbacks {
  const isKept = ({ atMs }: Feedback): boolean => nowMs < atMs + feedbackRules.keptMs;
  return all.every(isKept) ? all : all.filter(isKept);
}

/** A host's silence is no series: it has no threshold, and is always told. */
function shownBy(incident: Incident): JudgedSeries[] {
  const shown = new Map<string, JudgedSeries>();
  for (const sign of [...incident.symptoms, ...incident.causes.flatMap(({ evidence }) => evidence)]) {
    const { host, series, metric, entity } = sign;
    const entityKind = entityKinds.find((kind) => entity.startsWith(`${kind}:`));
    if (series === "" || entityKind === undefined) continue;
    shown.set(`${host}\n${series}`, { host, series, metric, entityKind });
  }
  return [...shown.values()].slice(0, feedbackRules.seriesMax);
}

export interface SeriesFactor extends JudgedSeries {
  /** Answers in force about incidents that showed this series. */
  readonly useful: number;
  readonly noise: number;
  readonly factor: number;
}

export interface KindFactor {
  readonly metric: string;
  readonly entityKind: EntityKind;
  /** Hosts, and incidents, by which noise outweighs useful. */
  readonly hosts: number;
  readonly incidents: number;
  readonly factor: number;
}

/** What thresholds are multiplied by: 1 is as shipped, more is less sensitive. */
export class Factors {
  /** Series that were judged, by host and name; kinds that are raised, by name. */
  readonly series: readonly SeriesFactor[];
  readonly kinds: readonly KindFactor[];
  readonly #byHost = new Map<string, Map<string, number>>();
  readonly #byMetric = new Map<string, Map<EntityKind, number>>();

  constructor(series: readonly SeriesFactor[], kinds: readonly KindFactor[]) {
    this.series = series;
    this.kinds = kinds;
    for (const { host, series: id, factor } of series) put(this.#byHost, host, id, factor);
    for (const { metric, entityKind, factor } of kinds) put(this.#byMetric, metric, entityKind, factor);
  }

  of({ host, series, metric, entityKind }: JudgedSeries): number {
    return this.#byHost.get(host)?.get(series) ?? this.#byMetric.get(metric)?.get(entityKind) ?? 1;
  }

  /** Writes the factor of `number` into its host's table, after it was defined. */
  applyTo(table: SeriesTable, number: number): void {
    const info = table.info(number);
    if (info === undefined) return;
    const { series, id, meaning } = info;
    const one = { host: table.host, series: id, metric: series.metric, entityKind: meaning.entity.kind };
    table.setFeedback(number, this.of(one));
  }

  /** The same for all series of a host. */
  applyToAll(table: SeriesTable): void {
    for (let number = 0; number < table.series.length; number += 1) this.applyTo(table, number);
  }
}

export function factorsOf(all: Feedbacks): Factors {
  const kinds = new Map([...countKinds(all)].filter(([, { factor }]) => factor !== 1));
  const series = [...countSeries(all).values()].map((one) => {
    // Nobody raises what somebody was glad to be told.
    const kind = one.useful > 0 ? 1 : (kinds.get(kindKey(one))?.factor ?? 1);
    return { ...one, factor: Math.min(feedbackRules.factorMax, ownFactor(one) * kind) };
  });
  return new Factors(
    series.sort((a, b) => compare(a.host, b.host) || compare(a.series, b.series)),
    [...kinds.values()].sort((a, b) => compare(kindKey(a), kindKey(b))),
  );
}

function countSeries(all: Feedbacks): Map<string, JudgedSeries & { useful: number; noise: number }> {
  const counts = new Map<string, JudgedSeries & { useful: number; noise: number }>();
  for (const { verdict, series } of all) {
    for (const one of series) {
      const count = counts.get(seriesKey(one)) ?? { ...one, useful: 0, noise: 0 };
      count[verdict] += 1;
      counts.set(seriesKey(one), count);
    }
  }
  return counts;
}

function ownFactor({ useful, noise }: { useful: number; noise: number }): number {
  const { noiseStep, noiseMax, usefulStep, usefulMax } = feedbackRules;
  return steps(noiseStep, Math.min(noise, noiseMax)) * steps(usefulStep, Math.min(useful, usefulMax));
}

function countKinds(all: Feedbacks): Map<string, KindFactor> {
  const kinds = new Map<string, { one: JudgedSeries; hosts: Map<string, number>; incidents: number }>();
  for (const { verdict, series } of all) {
    const weight = verdict === "noise" ? 1 : -1;
    // An incident counts once for a kind, and once for each of its hosts, however many of a host's series it showed.
    const counted = new Set<string>();
    for (const one of series) {
      const key = kindKey(one);
      const kind = kinds.get(key) ?? { one, hosts: new Map<string, number>(), incidents: 0 };
      kinds.set(key, kind);
      if (!counted.has(key)) kind.incidents += weight;
      const hostKey = `${key}\n${one.host}`;
      if (!counted.has(hostKey)) kind.hosts.set(one.host, (kind.hosts.get(one.host) ?? 0) + weight);
      counted.add(key).add(hostKey);
    }
  }
  return new Map([...kinds].map(([key, { one, hosts, incidents }]) => [key, kindOf(one, hosts, incidents)]));
}

function kindOf(one: JudgedSeries, byHost: ReadonlyMap<string, number>, incidents: number): KindFactor {
  const { kindMin, kindStep, kindStepsMax } = feedbackRules;
  const hosts = [...byHost.values()].reduce((sum, net) => sum + Math.sign(net), 0);
  const count = Math.min(kindStepsMax, Math.max(0, Math.min(hosts, incidents) - (kindMin - 1)));
  const { metric, entityKind } = one;
  return { metric, entityKind, hosts, incidents, factor: steps(kindStep, count) };
}

/**
 * What the threshold of this very sample is multiplied by. At its natural bound nothing is raised: a full disk, or a service
 * of which nothing is left, is told whatever was called noise.
 */
export function factorAt(factor: number, value: number, bound: number, flagged: number): number {
  if (factor <= 1) return factor;
  const fallsOnly = (flagged & (flag.badUp | flag.badDown)) === flag.badDown;
  return isBeyond(value, bound, flagged & flag.badUp) || (fallsOnly && value <= 0) ? 1 : factor;
}

/** Multiplied step by step, so that the same count gives the same bits everywhere. */
function steps(step: number, count: number): number {
  let factor = 1;
  for (let index = 0; index < count; index += 1) factor *= step;
  return factor;
}

function put<Inner>(
  maps: Map<string, Map<Inner, number>>,
  outer: string,
  inner: Inner,
  factor: number,
): void {
  const known = maps.get(outer) ?? new Map<Inner, number>();
  maps.set(outer, known.set(inner, factor));
}

function seriesKey({ host, series }: JudgedSeries): string {
  return `${host}\n${series}`;
}

function kindKey({ metric, entityKind }: Pick<JudgedSeries, "metric" | "entityKind">): string {
  return `${entityKind}\n${metric}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
