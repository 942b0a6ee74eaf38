/**
 * Which threshold gives the best event F1: exact, over every score there is, in one pass.
 *
 * Samples are switched on from the highest score down. One that is switched on is an onset if the `gap` samples before it are
 * off, and takes that away from the next one that is on within `gap`; so the counts of `event.ts` move by steps instead of being
 * counted anew for each threshold. Cost: one sort, and at most 2 `gap` bytes looked at per sample.
 */
import { earlySamples, type EventOptions, seriesDays, type TimedLabelled } from "./event.ts";
import { concatenated, f1Of, highestFirst, noAlarm, spansOf } from "./order.ts";

export interface EventFit {
  readonly f1: number;
  readonly threshold: number;
  readonly alarmsPerSeriesDay: number;
}

/** One threshold for all series, among those with at most `alarmsPerSeriesDayMax`; `noAlarm` when no such one finds anything. */
export function eventSweep(
  series: readonly TimedLabelled[],
  { gap, within = Infinity }: EventOptions,
  alarmsPerSeriesDayMax = Infinity,
): EventFit {
  const { placeOf, places, events, eventAt } = layOut(series, gap, within);
  const scores = concatenated(series.map((one) => one.scores));
  const order = highestFirst(scores);
  const days = seriesDays(series);
  const tally = new Tally(events, eventAt);
  const on = new Uint8Array(places);
  const onset = new Uint8Array(places);
  let best: EventFit = { f1: 0, threshold: noAlarm, alarmsPerSeriesDay: 0 };
  for (let rank = 0; rank < order.length; rank += 1) {
    const index = order[rank]!;
    const place = placeOf[index]!;
    let before = place - 1;
    while (before >= place - gap && on[before] === 0) before -= 1;
    if (before < place - gap) {
      onset[place] = 1;
      tally.add(place, 1);
    }
    on[place] = 1;
    let after = place + 1;
    while (after <= place + gap && on[after] === 0) after += 1;
    if (after <= place + gap && onset[after] === 1) {
      onset[after] = 0;
      tally.add(after, -1);
    }
    if (rank + 1 < order.length && scores[order[rank + 1]!] === scores[index]) continue;
    if (tally.alarms > alarmsPerSeriesDayMax * days) continue;
    const f1 = f1Of(tally.found, tally.falseAlarms, events.length - tally.found);
    if (f1 > best.f1) best = { f1, threshold: scores[index]!, alarmsPerSeriesDay: tally.alarms / days };
  }
  return best;
}

interface Window {
  readonly start: number;
  readonly end: number;
  /** Last place at which an onset finds the event. */
  readonly findEnd: number;
}

interface Layout {
  /** Index of a score -> its place on one line, where series are more than `gap` apart: no run crosses from one to the next. */
  readonly placeOf: Uint32Array;
  readonly places: number;
  readonly events: readonly Window[];
  /** Place -> the first event whose window holds it, -1 for none. */
  readonly eventAt: Int32Array;
}

function layOut(series: readonly TimedLabelled[], gap: number, within: number): Layout {
  const samples = series.reduce((sum, { labels }) => sum + labels.length, 0);
  const apart = gap + 1;
  const places = samples + (series.length + 1) * apart;
  const placeOf = new Uint32Array(samples);
  const eventAt = new Int32Array(places).fill(-1);
  const events: Window[] = [];
  let index = 0;
  let place = apart;
  for (const { labels } of series) {
    for (const span of spansOf(labels)) {
      const start = place + Math.max(0, span.start - earlySamples);
      const end = place + span.end;
      for (let at = start; at <= end; at += 1) if (eventAt[at] === -1) eventAt[at] = events.length;
      events.push({ start, end, findEnd: place + Math.min(span.end, span.start + within) });
    }
    for (let row = 0; row < labels.length; row += 1) placeOf[index + row] = place + row;
    index += labels.length;
    place += labels.length + apart;
  }
  return { placeOf, places, events, eventAt };
}

/** Alarms, found events and false alarms, kept as onsets come and go. */
class Tally {
  alarms = 0;
  found = 0;
  falseAlarms = 0;
  readonly #events: readonly Window[];
  readonly #eventAt: Int32Array;
  readonly #finding: Int32Array;
  /** Onsets within the event, too late to find it: free while another one finds it, false alarms otherwise. */
  readonly #late: Int32Array;

  constructor(events: readonly Window[], eventAt: Int32Array) {
    this.#events = events;
    this.#eventAt = eventAt;
    this.#finding = new Int32Array(events.length);
    this.#late = new Int32Array(events.length);
  }

  /** `step` 1: an onset came at `place`; -1: it went. */
  add(place: number, step: 1 | -1): void {
    this.alarms += step;
    let isFinding = false;
    let lateIn = -1;
    const first = this.#eventAt[place]!;
    // Windows overlap where events are close: one onset may find two.
    for (let event = first; event >= 0 && event < this.#events.length; event += 1) {
      const { start, findEnd } = this.#events[event]!;
      if (place < start) break;
      if (place > findEnd) {
        lateIn = event;
        continue;
      }
      isFinding = true;
      const before = this.#finding[event]!;
      this.#finding[event] = before + step;
      if (before === 0 || before + step === 0) {
        this.found += step;
        this.falseAlarms -= step * this.#late[event]!;
      }
    }
    if (isFinding) return;
    if (lateIn >= 0) this.#late[lateIn]! += step;
    if (lateIn < 0 || this.#finding[lateIn] === 0) this.falseAlarms += step;
  }
}
