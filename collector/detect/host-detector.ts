/**
 * Judges the ticks of one host: the hot loop, 37 to 42 ns a sample (`npm run bench -- detect`).
 *
 * Every judged sample is compared with its row, then learned. Only when one exceeds is anything more done: a run of exceeding
 * samples opens an anomaly, which is told once, told again when it grows, and ends when the series has been as expected for
 * two samples. While a series exceeds it learns nothing, neither level nor record: an outage must not become the new normal by
 * lasting, nor a second one look familiar.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { SampleBatch } from "#shared/batch.ts";
import type { Series } from "#shared/series.ts";
import type { Column } from "#shared/snapshot.ts";
import { describe, type HostFacts } from "./describe.ts";
import { factorAt } from "./feedback.ts";
import { HostScore, type HostScoreState } from "./host-score/host-score.ts";
import {
  calmShare,
  clipped,
  fastTimeConstantMs,
  floorOf,
  isBeyond,
  slowTimeConstantMs,
  warmupMs,
  warmupSamples,
  weight,
  zMin,
  zScore,
} from "./level.ts";
import { HostMaintenance } from "./maintenance.ts";
import type { HostRules } from "./policy.ts";
import { recordDecay } from "./record.ts";
import { flag, policyLength, policySlot, rowLength, SeriesTable, slot } from "./series-state.ts";
import { StepMeans } from "./step-means.ts";

/** An exceeding run must last this long and this many samples (an `instant` metric: one). */
const confirmMs = 4_000;
const confirmSamples = 2;
/** At a bound without own history: one more sample, since nothing else is known. */
const provisionalSamples = 3;
/** Samples as expected after which an anomaly ends. */
const calmSamples = 2;
/** Without a sample for this many intervals, and this long (some probes read every few ticks only), a thing is gone. */
const goneIntervals = 3;
const goneMsMin = 30_000;
/** What lasts this long is how the series is now: the anomaly ends and the levels start anew. */
const acceptSymptomMs = 2 * 3_600_000;
const acceptEvidenceMs = 1_800_000;
/** Told again when the score has grown by this much, or the value by a tenth after this long. */
const tellScore = 0.5;
const tellMs = 60_000;
/** A counter's rate over a longer gap says nothing about now. */
const rateGapIntervals = 10;
const completenessTimeConstantMs = 300_000;

interface OpenAnomaly {
  anomaly: Anomaly;
  /** When it was last told. */
  toldMs: number;
}

export interface HostProgress {
  readonly collecting: number;
  readonly provisional: number;
  readonly ready: number;
  readonly open: number;
  readonly readyAtMs: number | null;
}

export const noProgress: HostProgress = { collecting: 0, provisional: 0, ready: 0, open: 0, readyAtMs: null };

/** What survives a restart beside the table's columns. */
export interface HostMeta {
  readonly host: string;
  readonly series: readonly (Series | null)[];
  readonly firstMs: number;
  readonly lastMs: number;
  readonly completeness: number;
  readonly open: readonly (readonly [number, OpenAnomaly])[];
  readonly capacities: readonly [number, number];
  readonly lateTicks: number;
  readonly stepMs: number;
  readonly score: HostScoreState;
}

export class HostDetector {
  readonly table: SeriesTable;
  readonly #maintenance: HostMaintenance;
  /** Series that are judged when no maintenance window covers them, and now one does. */
  readonly #paused = new Set<number>();
  /** The host as a whole, once a step. */
  readonly score: HostScore;
  readonly #means = new StepMeans();
  #open = new Map<number, OpenAnomaly>();
  #firstMs = 0;
  #lastMs = 0;
  #completeness = 1;
  #lateTicks = 0;
  #coresNumber = -1;
  #memoryNumber = -1;
  #cores = 0;
  #memoryBytes = 0;
  #goneMs = goneMsMin;
  #told: Anomaly[] = [];

  constructor(host: string, { policies, maintenance }: HostRules) {
    this.table = new SeriesTable(host, policies);
    this.#maintenance = new HostMaintenance(maintenance, host);
    this.score = new HostScore(host, (number) => this.table.info[number]?.series);
  }

  /** Ticks that came after a later one; stored, not judged. */
  get lateTicks(): number {
    return this.#lateTicks;
  }

  define(number: number, series: Series): void {
    const before = this.#open.get(number);
    if (before !== undefined) this.#end(number, before, this.#lastMs);
    this.table.define(number, series);
    this.#paused.delete(number);
    this.#maintenance.define(number, series, this.table.info[number]!.meaning.kind);
    this.#pause(number);
    this.#means.define(number);
    this.score.define(number, this.table.info[number]!.meaning);
    if (series.metric === "system.cpu.logical.count") this.#coresNumber = number;
    if (series.metric === "system.memory.limit") this.#memoryNumber = number;
  }

  /** Anomalies that began, grew or ended with this tick. A tick that is not later than the last one is late: [] and counted. */
  judge(batch: SampleBatch): Anomaly[] {
    const { timeMs, intervalMs, series, values } = batch;
    if (timeMs <= this.#lastMs) {
      this.#lateTicks += 1;
      return [];
    }
    if (this.#firstMs === 0) this.#firstMs = timeMs;
    const elapsedMs = this.#lastMs === 0 ? intervalMs : timeMs - this.#lastMs;
    this.#lastMs = timeMs;
    this.#goneMs = Math.max(goneMsMin, goneIntervals * intervalMs);
    const share = Math.min(1, intervalMs / elapsedMs);
    this.#completeness += weight(elapsedMs, completenessTimeConstantMs) * (share - this.#completeness);
    if (this.#maintenance.move(timeMs)) this.#applyMaintenance(timeMs);
    this.#judgeColumns(timeMs, elapsedMs, rateGapIntervals * intervalMs, series, values);
    // An agent that started again no longer names what is gone: there is no column then that could say so.
    for (const number of this.#open.keys()) this.#missing(number, timeMs);
    if (this.#means.ends(timeMs, intervalMs)) {
      this.score.push(timeMs, this.#means, this.#completeness);
      this.#told.push(...this.score.take());
    }
    const told = this.#told;
    this.#told = [];
    return told;
  }

  /** Ends what is open on a host that sends nothing: its window began, or it is gone. */
  endAll(timeMs: number): Anomaly[] {
    for (const [number, open] of this.#open) this.#end(number, open, timeMs);
    this.score.end(timeMs);
    this.#told.push(...this.score.take());
    const told = this.#told;
    this.#told = [];
    return told;
  }

  /** What is covered from now on is neither judged nor learned; what is open there, or not judged any more, ends. */
  #applyMaintenance(timeMs: number): void {
    const { info, flags, rows } = this.table;
    for (let number = 0; number < info.length; number += 1) {
      if (this.#maintenance.covers(number)) this.#pause(number);
      else if (this.#paused.delete(number)) flags[number]! |= flag.judged;
      if ((flags[number]! & flag.judged) !== 0) continue;
      const open = this.#open.get(number);
      if (open !== undefined) this.#end(number, open, timeMs);
      rows[number * rowLength + slot.exceededMs] = 0;
    }
  }

  #pause(number: number): void {
    const { flags } = this.table;
    if ((flags[number]! & flag.judged) === 0 || !this.#maintenance.covers(number)) return;
    this.#paused.add(number);
    flags[number]! &= ~flag.judged;
  }

  #judgeColumns(
    timeMs: number,
    elapsedMs: number,
    rateGapMs: number,
    series: Uint32Array,
    values: Float64Array,
  ): void {
    const { rows, policy, flags, feedback } = this.table;
    const fastWeight = weight(elapsedMs, fastTimeConstantMs);
    const slowWeight = weight(elapsedMs, slowTimeConstantMs);
    const decay = recordDecay(elapsedMs);
    const columns = Math.min(series.length, values.length);
    for (let column = 0; column < columns; column += 1) {
      const number = series[column]!;
      const raw = values[column]!;
      const flagged = flags[number]!;
      if ((flagged & flag.judged) === 0) {
        if (number === this.#coresNumber && raw > 0) this.#cores = raw;
        if (number === this.#memoryNumber && raw > 0) this.#memoryBytes = raw;
        continue;
      }
      if (raw !== raw) continue;
      const at = number * rowLength;
      let value = raw;
      if ((flagged & flag.rate) !== 0) {
        const before = rows[at + slot.raw]!;
        const gapMs = timeMs - rows[at + slot.rawMs]!;
        rows[at + slot.raw] = raw;
        rows[at + slot.rawMs] = timeMs;
        // NaN before the first sample; a total that fell began anew; over a long gap the rate is of no moment.
        if (!(raw >= before) || gapMs > rateGapMs) continue;
        value = ((raw - before) * 1000) / gapMs;
      }
      rows[at + slot.lastMs] = timeMs;
      this.#means.add(number, value);
      const slow = rows[at + slot.slow]!;
      const slowDeviation = value - slow;
      const fastDeviation = value - rows[at + slot.fast]!;
      const judgeable =
        (flagged & flag.ready) !== 0 || (rows[at + slot.count] === 0 && this.#isBornAtZero(number, timeMs));
      if (!judgeable) {
        this.#learnFirst(at, number, value, timeMs);
        if (isBeyond(value, policy[number * policyLength + policySlot.bound]!, flagged & flag.badUp))
          this.#exceeding(number, value, timeMs, false);
        else if ((flagged & flag.open) !== 0) this.#calm(number, timeMs);
        else rows[at + slot.exceededMs] = 0;
        continue;
      }
      const policyAt = number * policyLength;
      const floor = floorOf(
        policy[policyAt + policySlot.floor]!,
        policy[policyAt + policySlot.floorShare]!,
        slow,
        rows[at + slot.low]!,
        rows[at + slot.high]!,
      );
      const deviation = Math.abs(slowDeviation) < Math.abs(fastDeviation) ? slowDeviation : fastDeviation;
      const bad = deviation > 0 ? flagged & flag.badUp : flagged & flag.badDown;
      const size = Math.abs(deviation);
      const bound = policy[policyAt + policySlot.bound]!;
      const full = (flagged & flag.boundAlways) !== 0 && isBeyond(value, bound, flagged & flag.badUp);
      if (size > floor || full || (flagged & flag.open) !== 0) {
        const z = Math.min(
          zScore(slowDeviation, rows[at + slot.slowVariance]!, floor),
          zScore(fastDeviation, rows[at + slot.fastVariance]!, floor),
        );
        const factor = policy[policyAt + policySlot.thresholdFactor]!;
        const threshold = zMin * factor * factorAt(feedback[number]!, value, bound, flagged);
        if ((bad !== 0 && z >= threshold) || full) {
          // Not learned, open or not: or the first sample of an outage would excuse the second.
          this.#exceeding(number, value, timeMs, true);
          continue;
        } else if ((flagged & flag.open) !== 0) {
          if (z < threshold * calmShare) this.#calm(number, timeMs);
          else rows[at + slot.calm] = 0;
        } else {
          rows[at + slot.exceededMs] = 0;
        }
        if ((flags[number]! & flag.open) !== 0) continue;
      } else if (rows[at + slot.exceededMs] !== 0) {
        rows[at + slot.exceededMs] = 0;
      }
      // Learn, winsorised: what is far out moves the levels as if it were three standard deviations out.
      const slowVariance = rows[at + slot.slowVariance]!;
      const fastVariance = rows[at + slot.fastVariance]!;
      const slowStep = clipped(slowDeviation, slowVariance, floor);
      const fastStep = clipped(fastDeviation, fastVariance, floor);
      rows[at + slot.fast]! += fastWeight * fastStep;
      rows[at + slot.fastVariance] = fastVariance + slowWeight * (fastStep * fastStep - fastVariance);
      const count = rows[at + slot.count]! + 1;
      rows[at + slot.count] = count;
      const slowLearning = slowWeight * count > 1 ? slowWeight : 1 / count;
      rows[at + slot.slow] = slow + slowLearning * slowStep;
      rows[at + slot.slowVariance] = slowVariance + slowLearning * (slowStep * slowStep - slowVariance);
      if (value < rows[at + slot.low]!) rows[at + slot.low] = value;
      if (value > rows[at + slot.high]!) rows[at + slot.high] = value;
      const recordUp = rows[at + slot.recordUp]! * decay;
      const recordDown = rows[at + slot.recordDown]! * decay;
      rows[at + slot.recordUp] = slowDeviation > recordUp ? slowDeviation : recordUp;
      rows[at + slot.recordDown] = -slowDeviation > recordDown ? -slowDeviation : recordDown;
    }
  }

  /** A process that appears on a host that has been watched for a while used nothing before: that is its history. */
  #isBornAtZero(number: number, timeMs: number): boolean {
    const watched = timeMs - this.#firstMs >= warmupMs;
    if (!watched || this.table.info[number]?.meaning.bornAtZero !== true) return false;
    this.table.bornAtZero(number, timeMs);
    return true;
  }

  /** Plain mean and variance until there is history enough (Welford); then the series is ready. */
  #learnFirst(at: number, number: number, value: number, timeMs: number): void {
    const { rows, flags } = this.table;
    const count = rows[at + slot.count]! + 1;
    rows[at + slot.count] = count;
    if (count === 1) {
      rows[at + slot.sinceMs] = timeMs;
      rows[at + slot.slow] = value;
      rows[at + slot.fast] = value;
    }
    const before = value - rows[at + slot.slow]!;
    const level = rows[at + slot.slow]! + before / count;
    const variance =
      rows[at + slot.slowVariance]! + (before * (value - level) - rows[at + slot.slowVariance]!) / count;
    rows[at + slot.slow] = level;
    rows[at + slot.slowVariance] = variance;
    rows[at + slot.fast]! += Math.max(0.1, 1 / count) * (value - rows[at + slot.fast]!);
    rows[at + slot.fastVariance] = variance;
    rows[at + slot.low] = Math.min(value, rows[at + slot.low]!);
    rows[at + slot.high] = Math.max(value, rows[at + slot.high]!);
    rows[at + slot.recordUp] = Math.max(rows[at + slot.recordUp]!, before);
    rows[at + slot.recordDown] = Math.max(rows[at + slot.recordDown]!, -before);
    const warm = count >= warmupSamples && timeMs - rows[at + slot.sinceMs]! >= warmupMs;
    if (warm && (flags[number]! & flag.open) === 0) flags[number]! |= flag.ready;
  }

  #exceeding(number: number, value: number, timeMs: number, ready: boolean): void {
    const { rows, flags } = this.table;
    const at = number * rowLength;
    rows[at + slot.calm] = 0;
    const open = this.#open.get(number);
    if (open !== undefined) {
      this.#grow(number, open, value, timeMs);
      return;
    }
    if (rows[at + slot.exceededMs] === 0) {
      rows[at + slot.exceededMs] = timeMs;
      rows[at + slot.streak] = 0;
    }
    const streak = rows[at + slot.streak]! + 1;
    rows[at + slot.streak] = streak;
    const instant = (flags[number]! & flag.instant) !== 0;
    const samples = ready ? confirmSamples : provisionalSamples;
    if (!instant && (streak < samples || timeMs - rows[at + slot.exceededMs]! < confirmMs)) return;
    flags[number]! |= flag.open;
    const startedMs = rows[at + slot.exceededMs]!;
    const anomaly = describe(this.table, number, { value, startedMs, timeMs, ready }, this.#facts());
    this.#open.set(number, { anomaly, toldMs: timeMs });
    this.#told.push(anomaly);
  }

  #grow(number: number, open: OpenAnomaly, value: number, timeMs: number): void {
    const before = open.anomaly;
    const acceptMs = before.role === "symptom" ? acceptSymptomMs : acceptEvidenceMs;
    if (timeMs - before.startedMs >= acceptMs && before.detector !== "bound") {
      this.#accept(number, value);
      this.#end(number, open, timeMs);
      return;
    }
    const sample = { value, startedMs: before.startedMs, timeMs, ready: !before.provisional };
    const now = describe(this.table, number, sample, this.#facts());
    const worse = now.score >= before.score + tellScore;
    const moved =
      timeMs - open.toldMs >= tellMs && Math.abs(value - before.value) > 0.1 * Math.abs(before.value);
    if (worse || moved) {
      open.anomaly = {
        ...before,
        value,
        score: Math.max(before.score, now.score),
        hostShare: now.hostShare,
        lastMs: timeMs,
      };
      open.toldMs = timeMs;
      this.#told.push(open.anomaly);
    } else {
      open.anomaly = { ...before, lastMs: timeMs };
    }
  }

  #calm(number: number, timeMs: number): void {
    const { rows } = this.table;
    const at = number * rowLength;
    const calm = rows[at + slot.calm]! + 1;
    rows[at + slot.calm] = calm;
    const open = this.#open.get(number);
    if (open === undefined || calm < calmSamples) return;
    this.#end(number, open, timeMs);
  }

  /** A thing that used too much and is gone uses nothing; a thing that is bad by being gone stays bad. */
  #missing(number: number, timeMs: number): void {
    const open = this.#open.get(number);
    const lastMs = this.table.rows[number * rowLength + slot.lastMs]!;
    if (open === undefined || timeMs - lastMs < this.#goneMs) return;
    const acceptMs = open.anomaly.role === "symptom" ? acceptSymptomMs : acceptEvidenceMs;
    if (open.anomaly.direction === "up" || timeMs - open.anomaly.startedMs >= acceptMs)
      this.#end(number, open, timeMs);
  }

  #accept(number: number, value: number): void {
    const row = this.table.rows.subarray(number * rowLength, (number + 1) * rowLength);
    row[slot.slow] = value;
    row[slot.fast] = value;
  }

  #end(number: number, open: OpenAnomaly, timeMs: number): void {
    const row = this.table.rows.subarray(number * rowLength, (number + 1) * rowLength);
    row[slot.exceededMs] = 0;
    row[slot.calm] = 0;
    this.table.flags[number]! &= ~flag.open;
    this.#open.delete(number);
    this.#told.push({ ...open.anomaly, ended: true, lastMs: timeMs });
  }

  #facts(): HostFacts {
    return { cores: this.#cores, memoryBytes: this.#memoryBytes, completeness: this.#completeness };
  }

  /** Open anomalies as they were last seen. */
  open(): Anomaly[] {
    const whole = this.score.open();
    return [...[...this.#open.values()].map(({ anomaly }) => anomaly), ...(whole === null ? [] : [whole])];
  }

  progress(): HostProgress {
    const { flags, rows, info } = this.table;
    let collecting = 0;
    let provisional = 0;
    let ready = 0;
    let youngestMs = 0;
    for (let number = 0; number < info.length; number += 1) {
      const paused = this.#paused.has(number);
      if ((flags[number]! & flag.judged) === 0 && !paused) continue;
      const at = number * rowLength;
      const seenMs = paused ? this.#lastMs : rows[at + slot.lastMs]!;
      if (this.#lastMs - seenMs > warmupMs && rows[at + slot.count]! > 0) continue;
      if ((flags[number]! & flag.ready) !== 0) ready += 1;
      else if (rows[at + slot.count]! >= provisionalSamples) provisional += 1;
      else collecting += 1;
      if ((flags[number]! & flag.ready) === 0) youngestMs = Math.max(youngestMs, rows[at + slot.sinceMs]!);
    }
    const readyAtMs = youngestMs === 0 ? null : youngestMs + warmupMs;
    return { collecting, provisional, ready, open: this.#open.size, readyAtMs };
  }

  meta(): HostMeta {
    return {
      host: this.table.host,
      series: Array.from(this.table.info, (info) => info?.series ?? null),
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      completeness: this.#completeness,
      open: [...this.#open],
      capacities: [this.#cores, this.#memoryBytes],
      lateTicks: this.#lateTicks,
      stepMs: this.#means.state(),
      score: this.score.state(),
    };
  }

  columns(): [name: string, column: Column][] {
    const { rows, flags } = this.table;
    return [["rows", rows], ["flags", flags], ...this.#means.columns(), ...this.score.columns()];
  }

  static restore(meta: HostMeta, column: (name: string) => Column, rules: HostRules): HostDetector {
    const detector = new HostDetector(meta.host, rules);
    for (const [number, series] of meta.series.entries())
      if (series !== null) detector.define(number, series);
    detector.table.restore(column("rows") as Float64Array, column("flags") as Uint8Array);
    detector.#means.restore(meta.stepMs, column);
    detector.score.restore(meta.score, column);
    detector.#firstMs = meta.firstMs;
    detector.#lastMs = meta.lastMs;
    detector.#completeness = meta.completeness;
    detector.#open = new Map(meta.open.map(([number, open]) => [number, { ...open }]));
    [detector.#cores, detector.#memoryBytes] = meta.capacities;
    detector.#lateTicks = meta.lateTicks;
    return detector;
  }
}
