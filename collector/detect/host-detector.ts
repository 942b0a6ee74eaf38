/**
 * Judges the ticks of one host: reads its columns, asks both tiers, and keeps the anomalies that follow.
 *
 * A tick is a few passes over columns of numbers. Every sample is judged before it is learned. Only columns that are far from what
 * was expected, or at their kind's bound, or already under watch, are looked at one by one. Once a step (a minute, or the
 * interval if that is longer) the records are asked as well.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { SampleBatch } from "#shared/batch.ts";
import { isShortLived } from "#shared/semantics.ts";
import type { Series } from "#shared/series.ts";
import type { Column } from "#shared/snapshot.ts";
import { Counts } from "./counts/counts.ts";
import { describe, type Finding, type HostFacts, scoreOf } from "./describe.ts";
import { factorAt } from "./feedback.ts";
import { Forecasts } from "./forecast/forecast.ts";
import {
  beginAnew,
  calmShare,
  expectedDeviation,
  expectedOf,
  floorOf,
  learnAttended,
  zMinAt,
} from "./level.ts";
import { standstill } from "./flat.ts";
import { adoptFloors, type HostMeta } from "./host-meta.ts";
import { HostScore } from "./host-score/host-score.ts";
import { HostMaintenance } from "./maintenance.ts";
import { Moments } from "./moments.ts";
import { isStillOff, OpenAnomalies, type Reference } from "./open-anomalies.ts";
import type { HostRules, SeriesPolicy } from "./policy.ts";
import { type RecordAlarm, referenceOf, stepRecords, type StepNews } from "./record.ts";
import { type Scales, scalesOf } from "./scales.ts";
import { type Moment, momentOf, slotsPerDay } from "./season.ts";
import * as state from "./series-state.ts";
import { SeriesTable } from "./series-state.ts";
import { flatScore } from "./severity.ts";
import { Sweep } from "./sweep.ts";
import type { Tick } from "./tick.ts";
import { noWarmUp, type WarmUp, warmUpOf } from "./warm-up.ts";

const { flag, near, nearLength, wide, wideLength } = state;

/** Without a sample for this many intervals, and this long (some probes read every few ticks only), a thing is gone. */
const goneIntervals = 3;
const goneMsMin = 30_000;
const completenessTimeConstantMs = 300_000;
const hourMs = 3_600_000;

export interface HostProgress extends WarmUp {
  readonly open: number;
}

export const noProgress: HostProgress = { ...noWarmUp, open: 0 };

export class HostDetector {
  readonly table: SeriesTable;
  /** The last tick as it was judged, and what the records said to it; until another host's is judged. */
  readonly tick: Tick;
  readonly alarms: RecordAlarm[] = [];
  /** Series that have stood still for too long since the last step. */
  readonly flats: number[] = [];
  /** The host as a whole, once a step. */
  readonly score: HostScore;
  /** Requests and transactions of this host, judged as counts. */
  readonly counts: Counts;
  /** What of it will run out. */
  readonly forecasts: Forecasts;
  readonly #rules: HostRules;
  readonly #maintenance: HostMaintenance;
  /** Series that are judged when no maintenance window covers them, and now one does. */
  readonly #paused = new Set<number>();
  #anomalies: OpenAnomalies;
  #moments = new Moments();
  #firstMs = 0;
  #lastMs = 0;
  #lastStepMs = 0;
  #intervalMs = 0;
  #completeness = 1;
  #lateTicks = 0;
  readonly #sweep: Sweep;
  #moment: Moment;

  constructor(host: string, rules: HostRules) {
    this.#rules = rules;
    this.tick = rules.tick;
    this.table = new SeriesTable(host, rules.policies, rules.calendar.classCount);
    this.#sweep = new Sweep(this.table);
    this.#maintenance = new HostMaintenance(rules.maintenance, host);
    this.#anomalies = new OpenAnomalies(this.table);
    this.forecasts = new Forecasts(host, (number) => this.table.info(number));
    this.score = new HostScore(host, (number) => this.table.series[number]);
    this.counts = new Counts(host, this.#paused, this.table);
    this.#moment = momentOf(rules.calendar, 0);
  }

  get lastMs(): number {
    return this.#lastMs;
  }

  /** How long its steps are; whether one has ended with the last tick, whose means `tick.step` then has. */
  get stepMs(): number {
    return this.scales.stepMs;
  }

  get scales(): Scales {
    return scalesOf(this.#intervalMs || 10_000);
  }

  /** A step's mean is of at least as many samples as the short mean of `level.ts`. */
  get hasLongSteps(): boolean {
    return this.#intervalMs <= this.scales.sustained * this.stepMs;
  }

  get hasStepped(): boolean {
    return this.#lastStepMs === this.#lastMs;
  }

  get facts(): HostFacts {
    return {
      cores: this.#sweep.cores,
      memoryBytes: this.#sweep.memoryBytes,
      completeness: this.#completeness,
    };
  }

  /** Ticks that came after a later one; stored, not judged. */
  get lateTicks(): number {
    return this.#lateTicks;
  }

  define(number: number, defined: Series): void {
    const series = this.#rules.pool.intern(defined);
    this.#anomalies.end(number, this.#lastMs);
    this.#moments.forget(number);
    const meaning = this.table.define(number, series);
    this.table.near[number * nearLength + near.floor] = floorOf(this.table, number, 0);
    this.#paused.delete(number);
    this.#maintenance.define(number, series, meaning.kind);
    this.score.define(number, meaning);
    this.counts.define(number, { series, meaning, policy: this.table.policyOf(number) }, this.#lastMs);
    this.forecasts.define(number, series.metric, meaning);
    this.#pause(number);
    this.#sweep.define(number, series);
  }

  /** Anomalies that began, grew or ended with this tick. A tick that is not later than the last one is late: [] and counted. */
  judge(batch: SampleBatch): Anomaly[] {
    const { timeMs, intervalMs } = batch;
    if (timeMs <= this.#lastMs) {
      this.#lateTicks += 1;
      return [];
    }
    if (this.#firstMs === 0) this.#firstMs = timeMs;
    const elapsedMs = this.#lastMs === 0 ? intervalMs : timeMs - this.#lastMs;
    this.#lastMs = timeMs;
    this.#intervalMs = intervalMs;
    const share = Math.min(1, intervalMs / elapsedMs);
    const weight = -Math.expm1(-elapsedMs / completenessTimeConstantMs);
    this.#completeness += weight * (share - this.#completeness);
    if (this.#maintenance.move(timeMs)) this.#applyMaintenance(timeMs);

    const scales = scalesOf(intervalMs);
    const now = momentOf(this.#rules.calendar, timeMs);
    const before = elapsedMs > hourMs * slotsPerDay ? now : this.#moment;
    this.#moment = now;
    this.tick.timeMs = timeMs;
    this.#sweep.pass(batch, this.tick, this.#firstMs, scales, before, now);
    this.#endGone(timeMs);
    for (let index = 0; index < this.tick.attendedCount; index += 1)
      this.#attend(this.tick.attended[index]!, scales, before, now);
    for (const column of this.#sweep.bounded) this.#atBound(column, scales);
    this.counts.judge(batch, this.#completeness);
    this.#step(batch.series, scales, now);
    this.forecasts.judge(batch, (covered) => this.#maintenance.covers(covered));
    return this.#take();
  }

  #take(): Anomaly[] {
    return [...this.#anomalies.take(), ...this.counts.take(), ...this.score.take(), ...this.forecasts.take()];
  }

  /** An agent that started again no longer names what is gone: there is no column then that could say so. */
  #endGone(timeMs: number): void {
    for (const number of this.#anomalies.numbers()) {
      const goneMs = Math.max(goneMsMin, goneIntervals * this.table.intervalOf(number, this.#intervalMs));
      if (timeMs - this.table.wide[number * wideLength + wide.lastMs]! >= goneMs)
        this.#anomalies.gone(number, timeMs);
    }
  }

  /** Ends what is open on a host that sends nothing: its window began, or it is gone. */
  endAll(timeMs: number): Anomaly[] {
    for (const number of this.#anomalies.numbers()) this.#anomalies.end(number, timeMs);
    this.counts.endAll(timeMs);
    this.score.end(timeMs);
    this.forecasts.endAll(timeMs);
    return this.#take();
  }

  /** What is covered from now on is neither judged nor learned; what is open there, or not judged any more, ends. */
  #applyMaintenance(timeMs: number): void {
    const { series, flags } = this.table;
    for (let number = 0; number < series.length; number += 1) {
      if (this.#maintenance.covers(number)) this.#pause(number);
      else if (this.#paused.delete(number)) flags[number]! |= flag.judged;
      if ((flags[number]! & flag.judged) === 0) this.#anomalies.end(number, timeMs);
    }
  }

  #pause(number: number): void {
    const { flags } = this.table;
    if ((flags[number]! & flag.judged) === 0 || !this.#maintenance.covers(number)) return;
    this.#paused.add(number);
    flags[number]! &= ~flag.judged;
  }

  /** One column that is far out, or under watch. */
  #attend(column: number, scales: Scales, before: Moment, now: Moment): void {
    const { table, tick } = this;
    const number = tick.series[column]!;
    const value = tick.values[column]!;
    const z2 = tick.unusual[column]!;
    const expected = expectedOf(table, number, before, now);
    const deviation = value - expected;
    const policy = table.policyOf(number);
    const flagged = table.flags[number]!;
    const threshold = this.#threshold(number, value, policy);
    const bad = (flagged & (deviation > 0 ? flag.badUp : flag.badDown)) !== 0;
    const matters = Math.abs(deviation) > Math.max(policy.floor, policy.floorShare * Math.abs(expected));
    const open = this.#anomalies.of(number);
    const reference = open?.reference ?? null;
    const exceeds =
      (bad && matters && z2 >= threshold * threshold) || (reference !== null && isStillOff(value, reference));
    const atBound = (flagged & flag.bounded) !== 0 && this.#sweep.bounded.includes(column);
    const ready = this.table.samples[number]! >= scales.warmupSamples;
    if (exceeds) {
      // What its bound will tell is told once.
      const basis = ready ? "own" : "kind";
      if (ready || !atBound) this.#exceeds(number, { value, expected, z: Math.sqrt(z2), basis, alarm: null });
    } else if (open?.anomaly.detector === "flat") {
      // It is over when it moves, which the next step sees.
      this.#anomalies.uneasy(number);
    } else if (!atBound) {
      const calmZ = threshold * calmShare;
      if (z2 < calmZ * calmZ || !matters) this.#anomalies.calm(number, tick.timeMs);
      else this.#anomalies.uneasy(number);
    }
    // It lasted so long that it is how the series is now.
    if (open !== undefined && exceeds && this.#anomalies.of(number) === undefined) return;
    learnAttended(
      table,
      number,
      value,
      expected,
      z2,
      exceeds || this.#anomalies.of(number) !== undefined,
      scales,
    );
  }

  /** One column at its kind's bound: trouble while there is no history that says otherwise, or always, by its policy. */
  #atBound(column: number, scales: Scales): void {
    const number = this.tick.series[column]!;
    const ready = this.table.samples[number]! >= scales.warmupSamples;
    if (ready && (this.table.flags[number]! & flag.boundAlways) === 0) return;
    const value = this.tick.values[column]!;
    const expected = this.table.wide[number * wideLength + wide.level]!;
    const z = Math.sqrt(this.tick.unusual[column]!);
    this.#exceeds(number, { value, expected, z, basis: ready ? "own" : "bound", alarm: null });
  }

  #threshold(number: number, value: number, policy: SeriesPolicy): number {
    const factor = factorAt(this.table.feedbackOf(number), value, policy.bound, this.table.flags[number]!);
    return this.#zMin(number) * policy.thresholdFactor * factor;
  }

  #zMin(number: number): number {
    return zMinAt(this.table.intervalOf(number, this.#intervalMs));
  }

  /** Asks the records about every series that was in this step, once the step is over. */
  #step(series: Uint32Array, scales: Scales, now: Moment): void {
    this.alarms.length = 0;
    this.flats.length = 0;
    const { timeMs } = this.tick;
    const { stepMs } = scales;
    if (Math.floor(timeMs / stepMs) === Math.floor(this.#lastStepMs / stepMs)) return;
    const newHour = Math.floor(timeMs / hourMs) !== Math.floor(this.#lastStepMs / hourMs);
    const elapsedMs = this.#lastStepMs === 0 ? stepMs : Math.min(hourMs, timeMs - this.#lastStepMs);
    this.#lastStepMs = timeMs;
    const { step } = this.tick;
    const news = stepRecords(this.table, series, step, { now, newHour, elapsedMs }, scales);
    for (const { column, alarm, flat } of news) {
      const number = step.series[column]!;
      const value = step.values[column]!;
      if (flat !== null) this.#flat(number, value, flat, scales);
      if (alarm !== null) this.#recordAlarm(alarm, value);
    }
    this.score.push(timeMs, step, this.#completeness);
  }

  #recordAlarm(alarm: RecordAlarm, value: number): void {
    const { number, channel } = alarm;
    const { table } = this;
    this.alarms.push(alarm);
    const up = (channel & 1) === 0;
    const expected = referenceOf(table, number, channel, this.#moment);
    const policy = table.policyOf(number);
    const deviation = value - expected;
    const bad = (table.flags[number]! & (up ? flag.badUp : flag.badDown)) !== 0;
    const matters = Math.abs(deviation) > Math.max(policy.floor, policy.floorShare * Math.abs(expected));
    if (!bad || !matters || deviation > 0 !== up) return;
    const factor = this.#threshold(number, value, policy) / this.#zMin(number);
    if (factor > 1 && alarm.doublings < Math.log2(factor) * 2) return;
    const z = Math.abs(deviation) / expectedDeviation(table, number, this.scales);
    this.#exceeds(number, { value, expected, z, basis: "own", alarm });
  }

  /** A series that stands still for too long, or did so a step ago. */
  #flat(number: number, value: number, flat: NonNullable<StepNews["flat"]>, { stepMs }: Scales): void {
    const { table } = this;
    if (flat === "began") this.flats.push(number);
    const open = this.#anomalies.of(number);
    if (flat === "began" ? open !== undefined : open?.anomaly.detector !== "flat") return;
    const { timeMs } = this.tick;
    if (flat === "ended") {
      this.#anomalies.end(number, timeMs);
      return;
    }
    const still = standstill(table, number, stepMs);
    const expected = table.wide[number * wideLength + wide.level]!;
    const finding: Finding = { value, expected, z: 0, basis: "own", alarm: null, still };
    const told = () => this.#describe(number, finding, timeMs - still.still);
    if (open === undefined) this.#anomalies.open(number, told(), null);
    else this.#anomalies.grow(open, number, { value, score: flatScore, timeMs }, told);
  }

  #exceeds(number: number, finding: Finding): void {
    if (this.counts.judges(number)) return;
    const { timeMs } = this.tick;
    const open = this.#anomalies.of(number);
    if (open !== undefined && open.anomaly.detector !== "flat") {
      const now = { value: finding.value, score: scoreOf(finding, open.anomaly.detector), timeMs };
      const told = () => this.#describe(number, finding, open.anomaly.startedMs);
      if (!this.#anomalies.grow(open, number, now, told)) beginAnew(this.table, number, finding.value);
      return;
    }
    const bounded = finding.basis === "bound" && (this.table.flags[number]! & flag.boundAlways) !== 0;
    const sure = finding.basis === "own" || bounded;
    const usualMs = this.table.intervalOf(number, this.#intervalMs);
    const confirmedMs = this.#anomalies.exceeds(number, timeMs, usualMs, sure);
    const { alarm, expected, value } = finding;
    const startedMs = confirmedMs ?? (alarm === null ? null : timeMs);
    if (startedMs === null) return;
    const reference: Reference | null = alarm === null ? null : { expected, deviation: value - expected };
    // What is told of a value goes before what is told of its standing still.
    if (open !== undefined) this.#anomalies.end(number, timeMs);
    this.#anomalies.open(number, this.#describe(number, finding, startedMs), reference);
    if (!isShortLived(this.table.series[number]!))
      this.#moments.add(number, startedMs, finding.value - finding.expected);
  }

  #describe(number: number, finding: Finding, startedMs: number): Anomaly {
    // A class of day that is not known yet was compared with working days.
    const dayClass = this.table.season.classFor(number, this.#moment.dayClass);
    const compared = {
      startedMs,
      timeMs: this.tick.timeMs,
      dayClass: this.#rules.calendar.className(dayClass),
      hour: this.#moment.hour,
      scales: this.scales,
      levelMs: this.table.intervalOf(number, this.#intervalMs) / this.scales.level,
      similar: this.#moments.reason(number, startedMs, finding.value - finding.expected),
      zMin: this.#zMin(number),
    };
    return describe(this.table, number, finding, compared, this.facts);
  }

  /** The anomaly that is open on a series by its own history. */
  openOf(number: number): Anomaly | undefined {
    return this.#anomalies.of(number)?.anomaly;
  }

  /** What siblings say of an open anomaly changes it; returns it as it is then, to be told; undefined: it is not open any more. */
  change(id: string, change: (anomaly: Anomaly) => Anomaly): Anomaly | undefined {
    return this.#anomalies.change(id, change);
  }

  /** Open anomalies as they were last seen. */
  open(): Anomaly[] {
    const whole = this.score.open();
    const single = [...this.#anomalies.all(), ...this.counts.open(), ...this.forecasts.open()];
    return whole === null ? single : [...single, whole];
  }

  progress(): HostProgress {
    const warmUp = warmUpOf(this.table, this.#paused, this.#lastMs, this.#intervalMs);
    return { ...warmUp, open: this.open().length };
  }

  meta(): HostMeta {
    return {
      host: this.table.host,
      series: Array.from(this.table.series, (series) => series ?? null),
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      lastStepMs: this.#lastStepMs,
      completeness: this.#completeness,
      anomalies: this.#anomalies.state(),
      score: this.score.state(),
      counts: this.counts.state(),
      forecasts: this.forecasts.meta(),
      moments: this.#moments.state(),
      floors: this.table.policies.all.map(({ floor, floorShare }) => [floor, floorShare]),
      capacities: [this.#sweep.cores, this.#sweep.memoryBytes],
      lateTicks: this.#lateTicks,
    };
  }

  columns(): [name: string, column: Column][] {
    const { table, score, counts, forecasts } = this;
    return [...table.columns(), ...score.columns(), ...counts.columns(), ["forecasts", forecasts.bins()]];
  }

  static restore(meta: HostMeta, column: (name: string) => Column, rules: HostRules): HostDetector {
    const detector = new HostDetector(meta.host, rules);
    for (const [number, series] of meta.series.entries())
      if (series !== null) detector.define(number, series);
    detector.table.restore(column);
    detector.score.restore(meta.score, column);
    detector.counts.restore(meta.counts, column);
    detector.forecasts.restore(meta.forecasts, column("forecasts") as Uint8Array);
    adoptFloors(detector.table, meta, column("policy"));
    detector.#firstMs = meta.firstMs;
    detector.#lastMs = meta.lastMs;
    detector.#lastStepMs = meta.lastStepMs;
    detector.#moment = momentOf(rules.calendar, meta.lastMs);
    detector.#completeness = meta.completeness;
    detector.#anomalies = new OpenAnomalies(detector.table, meta.anomalies);
    detector.#moments = new Moments(meta.moments);
    [detector.#sweep.cores, detector.#sweep.memoryBytes] = meta.capacities;
    detector.#lateTicks = meta.lateTicks;
    return detector;
  }
}
