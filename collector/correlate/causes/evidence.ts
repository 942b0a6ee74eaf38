/**
 * What a ranking is given and what it answers: a window of series around a detection, the graph of calls, and causes with the
 * evidence for and against them. Plain data on both sides, so that a window can be read from the journal, from a public data set
 * or from a test.
 *
 * Every series says what it measures in the words of `shared/semantics.ts`; no name is ever looked at here.
 */
import type { Meaning, MetricKind, Resource } from "#shared/semantics.ts";

/** What a series measures. `floor` is the smallest deviation that matters, in `unit`; `floorShare` the same as a share of the usual. */
export interface Measure extends Pick<
  Meaning,
  "kind" | "resource" | "role" | "badDirection" | "unit" | "floor" | "floorShare"
> {
  readonly at: Place;
  /** What it cannot exceed, in `unit`: 1 or 100 of a share. Absent when it has no end, or none that is known. */
  readonly full?: number;
}

/**
 * Where it is measured. itself: at the entity. callees: what the entity saw of those that it calls, or what was seen of it from
 * outside; it blames nobody. host: the machine that the entity shares with others. caller, callee: of one edge, at either end.
 * gap: of one edge, what lies between its ends: the network, and what both wait for. wire: of that, the network alone.
 */
export type Place = "itself" | "callees" | "host" | "caller" | "callee" | "gap" | "wire";

export interface EvidenceSeries {
  readonly id: string;
  /** The entity that it is about; of an edge, the one that is called. */
  readonly entity: string;
  /** Of an edge: the one that calls. */
  readonly caller?: string;
  readonly measure: Measure;
  /** Ascending. Series that share a clock share the array: what is found for one is then found for all. */
  readonly timesMs: Float64Array;
  /** NaN where nothing was measured; what is infinite counts as not measured. */
  readonly values: Float64Array;
  /** What is usual, when whoever watches the series keeps it; otherwise it is taken from the samples before the detection. */
  readonly baseline?: Baseline;
  /** How rarely the series is abnormal: -ln of the share of its history in which it was. */
  readonly rarity?: number;
}

/** What is usual for a series. */
export interface Baseline {
  /** Samples that were there, and the share of those that could have been. */
  readonly count: number;
  readonly coverage: number;
  readonly median: number;
  /** Interquartile range as a standard deviation, and the winsorised standard deviation: whichever is larger is believed. */
  readonly quartileDeviation: number;
  readonly winsorisedDeviation: number;
  /** How far means over the judged length stray from the median while nothing is wrong: their 0.9 quantile, in the series' unit. */
  readonly stray: number;
}

export interface EvidenceEntity {
  readonly id: string;
  /** An endpoint that only its callers see: it may be another name of an entity that is watched. */
  readonly remote?: boolean;
  /** The entity that it runs on. */
  readonly host?: string;
  /** It was not there before the trouble. */
  readonly isNew?: boolean;
}

export interface EvidenceWindow {
  readonly detectedMs: number;
  readonly series: readonly EvidenceSeries[];
  /** Entities that only occur here are known too. */
  readonly calls: readonly (readonly [caller: string, callee: string])[];
  readonly entities?: readonly EvidenceEntity[];
  /** Entities that do the same work: what all of them show is not one's own. */
  readonly peers?: readonly (readonly string[])[];
  /** Where the trouble is felt, and as what: a cause must be able to explain as much of it. */
  readonly breached?: { readonly entity: string; readonly kind: MetricKind };
  /** What the best of these entities scores when nothing is wrong (`usualScoreOf`): how noisy they are. */
  readonly usualScore?: number;
}

/** One series that speaks for a cause. */
export interface SeriesEvidence {
  readonly series: string;
  readonly entity: string;
  readonly caller?: string;
  readonly kind: MetricKind;
  readonly resource: Resource;
  readonly at: Place;
  readonly unit: string;
  readonly direction: "up" | "down";
  /** How far, in usual deviations, with its sign; the usual value and that of the farthest stretch, in `unit`. */
  readonly deviations: number;
  readonly usual: number;
  readonly value: number;
  readonly sinceMs: number;
  /** What it counts for, between 0 and about 10. */
  readonly weight: number;
}

/** What speaks against a cause. */
export type CounterEvidence =
  /** What it calls or runs on suffers too, and explains this share of what it suffers itself. */
  | { readonly kind: "explained_by"; readonly entity: string; readonly share: number }
  /** It may be another name of something that is watched. */
  | { readonly kind: "remote" }
  /** Others that do the same work show this share of it. */
  | { readonly kind: "peers_alike"; readonly share: number }
  /** Nothing that is known leads from where the trouble is felt to it. */
  | { readonly kind: "unconnected" }
  /** Its evidence began this long after that of the next best. */
  | { readonly kind: "later_than"; readonly entity: string; readonly lateMs: number }
  /** Supported nearly as well. */
  | { readonly kind: "rival"; readonly entity: string; readonly score: number };

export interface RankedCause {
  readonly entity: string;
  /** Comparable within one ranking, and between rankings of similar windows. */
  readonly score: number;
  /** How probable it is that this entity is to blame. Calibrated for the first; the others share what it leaves. */
  readonly confidence: number;
  /** Strongest first. */
  readonly evidence: readonly SeriesEvidence[];
  readonly counterEvidence: readonly CounterEvidence[];
  /** The last time at which anything was heard of it, when it has fallen silent. */
  readonly silentSinceMs?: number;
}

export interface RankedMetric extends SeriesEvidence {
  readonly score: number;
}

export interface Ranking {
  /** Best first, ties by name. Entities without any evidence are absent. */
  readonly causes: readonly RankedCause[];
  readonly metrics: readonly RankedMetric[];
}
