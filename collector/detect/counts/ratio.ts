/**
 * Are more failing than usual? Each window's failures are compared with the flow's own share of failures as a beta-binomial count.
 *
 * Usual is the share of the last days (half-life three days), which begins at a prior worth 50 events. Failures come in bursts, so windows
 * vary more than independent trials would: the correlation of two events of a window is estimated by the method of moments
 * (Kleinman 1973) for windows of 1, 5 and 15 minutes, and never believed to be none. It begins at a prior that an hour of
 * informative windows outweighs. How little is known of the usual share itself is added to it.
 *
 * A window exceeds when it is improbable, when the difference matters, and when enough failed to speak of: two of three at night are no
 * outage however rare failures are. What exceeds teaches nothing. More than half of twenty is a natural bound, which needs no past. As half
 * an hour with events becomes known, what counts falls from that bound to the difference that matters.
 */
import { bucket, ratio, row, sizes, spread, spreadLength } from "./flow-row.ts";
import { scoreWanted, surpriseOfFailures } from "./tails.ts";
import { type Bad, forgetBad, minuteMs, WindowSum, windowsMs } from "./windows.ts";

/** One way to end badly: where it is kept, what is usual before anything is known, and the smallest difference that matters. */
export interface BadEnd {
  readonly name: "failure" | "refusal";
  readonly bad: Bad;
  readonly place: number;
  readonly prior: number;
  /** The difference that matters: as a share of events, and as a part of the usual share. */
  readonly floor: number;
  readonly floorPart: number;
}

export const badEnds: readonly BadEnd[] = [
  { name: "failure", bad: bucket.failures, place: row.failures, prior: 0.01, floor: 0.01, floorPart: 0.25 },
  { name: "refusal", bad: bucket.refusals, place: row.refusals, prior: 0.05, floor: 0.05, floorPart: 0.5 },
];

/** From this score on a window exceeds; see `README.md` for what it costs and finds. */
const ratioScoreMin = 6;
const badMin = 5;
/** Fewer events than this must have failed in three pieces of the window: one customer who tries again and again is no outage. */
const fewEvents = 20;
const piecesMin = 3;
/** The natural bound: more than half of this many. Before there is a past nothing is said of fewer. */
const boundEvents = 20;
export const boundShare = 0.5;
const readyMinutes = 30;

const priorEvents = 50;
/** Where failures are rare their share varies in proportion to itself: by 0.7 of it as a prior, by a fifth of it at least. */
const priorCorrelation = { most: 0.01, ofShare: 0.5 } as const;
const leastCorrelation = { most: 0.001, ofShare: 0.04 } as const;
const priorWindows = 60;
const correlationMax = 0.5;
const halfLifeMinutes = 3 * 1440;
/** A window counts when this much of it was seen. */
const seenShare = 0.9;
/** What a window teaches is clipped at five standard deviations. */
const clip = 25;
/** Below this many standard deviations no window is improbable enough to work out how improbable it is. */
const deviationsMin = 3;
/** The band that is shown as expected, in standard deviations. */
const bandDeviations = 4;
const riseMax = 50;

export interface RatioFinding {
  readonly events: number;
  readonly bad: number;
  readonly share: number;
  readonly usual: number;
  /** From here on it would not have been as expected. */
  readonly high: number;
  readonly spanMs: number;
  readonly score: number;
  /** More than half of at least twenty. */
  readonly most: boolean;
  readonly ready: boolean;
  /** Correlation of two events of such a window. */
  readonly correlation: number;
}

const scratch = new WindowSum();

/** The shortest of the windows that exceed most clearly; null when none does. `factor` multiplies what is wanted. */
export function judgeRatio(
  rows: Float64Array,
  at: number,
  end: BadEnd,
  intervalMs: number,
  factor: number,
): RatioFinding | null {
  let best: RatioFinding | null = null;
  for (let index = 0; index < windowsMs.length; index += 1) {
    if (windowsMs[index]! < intervalMs) continue;
    const window = scratch.sum(rows, at, index, end.bad);
    const score = scoreOf(rows, at, end, window, index, factor);
    // A longer window must say it clearly better: what is told is as fresh as it can be.
    if (score < 0 || (best !== null && score < best.score + 1)) continue;
    best = findingOf(rows, at, end, window, index, score);
  }
  return best;
}

/** The score of a window that exceeds; -1 when it does not. */
function scoreOf(
  rows: Float64Array,
  at: number,
  end: BadEnd,
  window: WindowSum,
  index: number,
  factor: number,
): number {
  const events = Math.round(window.events);
  const bad = Math.min(events, Math.round(window.bad));
  if (bad < badMin) return -1;
  const place = at + end.place;
  const most = events >= boundEvents && bad > boundShare * events;
  const ready = isReady(rows, place);
  if (!ready && events < boundEvents) return -1;
  const usual = usualShare(rows, place, end);
  const share = bad / events;
  // What is beyond its natural bound is judged as shipped, whatever was called noise.
  const times = most ? Math.min(1, factor) : factor;
  if (share - usual < times * differenceOf(usual, end)) return -1;
  if (!most && share - usual < boundShare * unknownPart(rows, place)) return -1;
  if (events < fewEvents && window.badPieces < piecesMin) return -1;
  const correlation = correlationOf(rows, place, end, index);
  const deviations = (bad - events * usual) / Math.sqrt(varianceOf(events, usual, correlation));
  const needsNoPast = most && !ready;
  if (!needsNoPast && deviations < deviationsMin) return -1;
  const score = surpriseOfFailures(bad, events, usual, 1 / correlation - 1);
  return needsNoPast || score >= scoreWanted(ratioScoreMin, times) ? score : -1;
}

function findingOf(
  rows: Float64Array,
  at: number,
  end: BadEnd,
  window: WindowSum,
  index: number,
  score: number,
): RatioFinding {
  const place = at + end.place;
  const events = Math.round(window.events);
  const bad = Math.min(events, Math.round(window.bad));
  const usual = usualShare(rows, place, end);
  const correlation = correlationOf(rows, place, end, index);
  const deviation = Math.sqrt(varianceOf(events, usual, correlation)) / events;
  const share = bad / events;
  return {
    events,
    bad,
    share,
    usual,
    high: Math.min(share, usual + Math.max(differenceOf(usual, end), bandDeviations * deviation)),
    spanMs: window.spanMs,
    score,
    most: events >= boundEvents && share > boundShare,
    ready: isReady(rows, place),
    correlation,
  };
}

export function isReady(rows: Float64Array, place: number): boolean {
  return unknownPart(rows, place) === 0;
}

/** Of the half hour that has to be known: 1 at first, 0 from then on. */
function unknownPart(rows: Float64Array, place: number): number {
  return Math.max(0, 1 - rows[place + ratio.minutes]! / readyMinutes);
}

export function usualShare(rows: Float64Array, place: number, { prior }: BadEnd): number {
  return (rows[place + ratio.bad]! + prior * priorEvents) / (rows[place + ratio.events]! + priorEvents);
}

/** The smallest difference that matters; of what usually fails anyway, half of the rest at most. */
function differenceOf(usual: number, { floor, floorPart }: BadEnd): number {
  return Math.min(Math.max(floor, floorPart * usual), (1 - usual) / 2);
}

function varianceOf(events: number, share: number, correlation: number): number {
  return events * share * (1 - share) * (1 + (events - 1) * correlation);
}

/** Of two events in a window of `windowsMs`; the hour varies no more than its quarters. */
function correlationOf(rows: Float64Array, place: number, end: BadEnd, index: number): number {
  const learned = learnedCorrelation(rows, place, end, Math.min(index, sizes.length - 1));
  const concentration = 1 / (1 / (1 / learned - 1) + 1 / (rows[place + ratio.events]! + priorEvents));
  return 1 / (concentration + 1);
}

function learnedCorrelation(rows: Float64Array, place: number, end: BadEnd, size: number): number {
  const from = place + ratio.spread + size * spreadLength;
  const pairs = rows[from + spread.pairs]!;
  const usual = usualShare(rows, place, end);
  const prior = boundOf(priorCorrelation, usual);
  if (pairs === 0) return prior;
  const estimate = (rows[from + spread.squares]! - rows[from + spread.binomial]!) / pairs;
  // Kish's effective number: a thousand windows of one event each say nothing about two.
  const windows = (pairs * pairs) / rows[from + spread.pairsSquared]!;
  const learned = Math.min(correlationMax, Math.max(0, estimate));
  const weighed = (windows * learned + priorWindows * prior) / (windows + priorWindows);
  return Math.max(boundOf(leastCorrelation, usual), weighed);
}

function boundOf(
  { most, ofShare }: { readonly most: number; readonly ofShare: number },
  usual: number,
): number {
  return Math.min(most, ofShare * usual);
}

/** A minute has ended: learns it, and the longer windows that end with it, unless they exceed. */
export function learnRatio(
  rows: Float64Array,
  at: number,
  end: BadEnd,
  endMs: number,
  intervalMs: number,
): void {
  const place = at + end.place;
  let first = true;
  for (const [size, length] of sizes.entries()) {
    if (length * minuteMs < intervalMs) continue;
    const isFirst = first;
    first = false;
    if (endMs % (length * minuteMs) !== 0) continue;
    const window = scratch.sumClosed(rows, at, endMs, length, end.bad);
    const { events, bad, seconds } = window;
    if (events <= 0 || seconds < seenShare * length * 60) continue;
    if (scoreOf(rows, at, end, window, size, 1) >= 0) continue;
    learnSpread(rows, place, end, size, events, Math.min(events, bad));
    if (isFirst) learnShare(rows, place, length, events, Math.min(events, bad));
  }
}

function learnShare(rows: Float64Array, place: number, length: number, events: number, bad: number): void {
  const fade = 2 ** (-length / halfLifeMinutes);
  rows[place + ratio.events] = fade * rows[place + ratio.events]! + events;
  rows[place + ratio.bad] = fade * rows[place + ratio.bad]! + bad;
  rows[place + ratio.minutes]! += length;
}

function learnSpread(
  rows: Float64Array,
  place: number,
  end: BadEnd,
  size: number,
  events: number,
  bad: number,
): void {
  const from = place + ratio.spread + size * spreadLength;
  const fade = 2 ** (-sizes[size]! / halfLifeMinutes);
  const usual = usualShare(rows, place, end);
  const most = clip * varianceOf(events, usual, learnedCorrelation(rows, place, end, size));
  const binomial = events * usual * (1 - usual);
  const pairs = Math.max(0, events - 1) * binomial;
  rows[from + spread.squares] =
    fade * rows[from + spread.squares]! + Math.min(most, (bad - events * usual) ** 2);
  rows[from + spread.binomial] = fade * rows[from + spread.binomial]! + binomial;
  rows[from + spread.pairs] = fade * rows[from + spread.pairs]! + pairs;
  rows[from + spread.pairsSquared] = fade * rows[from + spread.pairsSquared]! + pairs * pairs;
}

/**
 * One more tick in the cumulative sum that says when what is going on began (Page 1954): the likelihood of a share that is three
 * differences above the usual one, against the usual one.
 */
export function followRise(
  rows: Float64Array,
  at: number,
  end: BadEnd,
  toMs: number,
  events: number,
  bad: number,
): void {
  const place = at + end.place;
  const usual = usualShare(rows, place, end);
  const raised = Math.min((1 + usual) / 2, usual + 3 * differenceOf(usual, end));
  const before = rows[place + ratio.rise]!;
  const now = Math.min(riseMax, before + evidence(events, bad, raised, usual));
  if (before === 0) rows[place + ratio.riseMs] = toMs;
  rows[place + ratio.rise] = Math.max(0, now);
}

/** ln of how much likelier `bad` of `events` are with the share `one` than with the share `other`. */
export function evidence(events: number, bad: number, one: number, other: number): number {
  return bad * Math.log(one / other) + (events - bad) * Math.log1p((other - one) / (1 - other));
}

/** It is over: what begins now begins anew. */
export function forgetRise(rows: Float64Array, at: number, { place, bad }: BadEnd): void {
  rows[at + place + ratio.rise] = 0;
  forgetBad(rows, at, bad);
}

/** What lasted for hours is how it is now: the usual share is that of the last hour, known as well as that hour says. */
export function acceptShare(rows: Float64Array, at: number, { place, bad }: BadEnd): void {
  const hour = scratch.sum(rows, at, windowsMs.length - 1, bad);
  rows[at + place + ratio.events] = hour.events;
  rows[at + place + ratio.bad] = hour.bad;
  rows[at + place + ratio.rise] = 0;
}
