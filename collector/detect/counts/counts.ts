/**
 * Rates and ratios of events, judged as counts: what failed of what was tried, what was refused, and whether anything comes at all.
 *
 * One object a host. Series that count the same events form a flow (`flow.ts`); each tick is read as a whole (`reading.ts`), counted in
 * exact windows (`windows.ts`), and compared with the flow's own past as a probability (`ratio.ts`, `volume.ts`). A host without
 * such series costs nothing. What ended badly and is judged here need not be judged by its rate as well: `judges`.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { SampleBatch } from "#shared/batch.ts";
import type { Meaning } from "#shared/semantics.ts";
import type { Series } from "#shared/series.ts";
import type { Column } from "#shared/snapshot.ts";
import { describeRatio, describeVolume, isOf, type Told } from "./count-anomaly.ts";
import { type Flow, type Member, memberOf } from "./flow.ts";
import { ratio, row, volume } from "./flow-row.ts";
import { Flows, type FlowsState } from "./flows.ts";
import { OpenCounts, type OpenCountsState } from "./open-counts.ts";
import {
  acceptShare,
  type BadEnd,
  badEnds,
  boundShare,
  followRise,
  forgetRise,
  judgeRatio,
  learnRatio,
  type RatioFinding,
  usualShare,
} from "./ratio.ts";
import { readFlow } from "./reading.ts";
import { acceptVolume, followQuiet, forgetRun, judgeMinute, type VolumeFinding } from "./volume.ts";
import { addCounts, type Bad, type Counts as Tick, clearWindows, skipTo, WindowSum } from "./windows.ts";

/** A tick that stands for this long needs no second one; else the ticks before must have brought two of what ended badly. */
const aloneMs = 30_000;
const earlierBadMin = 2;

/** JSON. */
export interface CountsState extends FlowsState {
  readonly open: OpenCountsState;
}

/** What a series is; it means this under its policy, its entity perhaps another host's. */
export interface Defined {
  readonly series: Series;
  readonly meaning: Meaning;
  readonly policy: { readonly judged: boolean; readonly thresholdFactor: number };
}

/** The host's series, as `define` was last told of them, and what operators' feedback multiplies their thresholds by. */
export interface CountedTable {
  definedAs(number: number): Defined;
  feedbackOf(number: number): number;
}

export class Counts {
  readonly #host: string;
  /** Series in a maintenance window: neither judged nor learned. */
  readonly #paused: ReadonlySet<number>;
  /** What operators' feedback multiplies a series' thresholds by. */
  readonly #feedback: (number: number) => number;
  readonly #flows: Flows;
  #completeness = 1;
  #open = new OpenCounts();
  /** Columns of the batch before: often the same array again. */
  #columns: Uint32Array | null = null;
  #columnOf = new Int32Array(0);
  readonly #tick: Tick = { events: 0, failures: 0, refusals: 0 };
  readonly #minute = new WindowSum();

  constructor(host: string, paused: ReadonlySet<number>, table: CountedTable) {
    this.#host = host;
    this.#paused = paused;
    this.#feedback = (number) => table.feedbackOf(number);
    this.#flows = new Flows((number) => {
      const { series, meaning, policy } = table.definedAs(number);
      return memberOf(number, series, meaning, meaning.counts!, policy.thresholdFactor);
    });
  }

  /**
   * `number` is this from now on; what was under that number is forgotten at `timeMs`.
   */
  define(number: number, { series, meaning, policy }: Defined, timeMs: number): void {
    const before = this.#flows.of(number);
    this.#flows.remove(number);
    if (before?.hasEvents === false) this.#end(before, timeMs);
    if (meaning.counts === undefined || !policy.judged) return;
    this.#flows.add(memberOf(number, series, meaning, meaning.counts, policy.thresholdFactor));
  }

  /** Whether `number` counts what ended badly of events that are judged here: its rate alone says less. */
  judges(number: number): boolean {
    const member = this.#flows.member(number);
    if (member === undefined || (member.failures === 0 && member.refusals === 0)) return false;
    return member.counted.part !== "total" && member.counted.part !== "success";
  }

  /** A tick that is later than the last one; `completeness` is the share of the expected samples that were there. */
  judge(batch: SampleBatch, completeness: number): void {
    if (this.#flows.size === 0) return;
    this.#completeness = completeness;
    this.#findColumns(batch.series);
    const valueOf = ({ number }: Member): number =>
      batch.values[(this.#columnOf[number] ?? 0) - 1] ?? Number.NaN;
    for (const flow of this.#flows.ordered()) {
      if (flow.told.some(({ number }) => this.#paused.has(number))) this.#pause(flow, batch.timeMs);
      else this.#judgeFlow(flow, batch, valueOf);
    }
  }

  #findColumns(series: Uint32Array): void {
    if (series === this.#columns) return;
    this.#columns = series;
    this.#columnOf.fill(0);
    for (let column = 0; column < series.length; column += 1) {
      const number = series[column]!;
      if (number >= this.#columnOf.length) {
        const wider = new Int32Array(Math.max(64, number + 1, this.#columnOf.length * 2));
        wider.set(this.#columnOf);
        this.#columnOf = wider;
      }
      this.#columnOf[number] = column + 1;
    }
  }

  #judgeFlow(flow: Flow, { timeMs, intervalMs }: SampleBatch, valueOf: (member: Member) => number): void {
    const { rows } = this.#flows;
    const { at } = flow;
    const reading = readFlow(flow, rows, timeMs, intervalMs, valueOf, this.#tick);
    if (reading === "waiting") return;
    if (reading === "gone") {
      this.#end(flow, timeMs);
    } else if (reading === "reset") {
      skipTo(rows, at, timeMs);
    } else if (reading === "began") {
      if (rows[at + row.countedMs] === 0) clearWindows(rows, at, timeMs);
      skipTo(rows, at, timeMs);
      forgetRun(rows, at);
    } else {
      const { events } = this.#tick;
      followQuiet(rows, at, timeMs, events);
      addCounts(rows, at, timeMs, this.#tick, (endMs) => this.#closeMinute(flow, endMs, timeMs, intervalMs));
      for (const end of badEnds) this.#judgeEnd(flow, end, timeMs, intervalMs);
    }
  }

  #closeMinute(flow: Flow, endMs: number, timeMs: number, intervalMs: number): void {
    const { rows } = this.#flows;
    const { at } = flow;
    for (const end of badEnds)
      if (this.#open.of(flow.id, end.name) === undefined) learnRatio(rows, at, end, endMs, intervalMs);
    const { events, seconds } = this.#minute.sumClosed(rows, at, endMs, 1, badEnds[0]!.bad);
    const open = this.#open.of(flow.id, "volume");
    const feedback = this.#feedback(flow.carrier.number);
    const factor = feedback * flow.carrier.thresholdFactor;
    const isOpen = open !== undefined;
    const finding = judgeMinute(rows, at, { endMs, events, seconds, factor, open: isOpen });
    if (finding !== null && (isOpen || finding.exceeds)) this.#tellVolume(flow, finding, timeMs, feedback);
    else if (isOpen) this.#open.end(flow.id, "volume", timeMs);
  }

  #tellVolume(flow: Flow, finding: VolumeFinding, timeMs: number, feedback: number): void {
    const { rows } = this.#flows;
    const open = this.#open.of(flow.id, "volume");
    const quietMs = rows[flow.at + row.volume + volume.quietMs]!;
    const startedMs =
      open?.anomaly.startedMs ?? (finding.events === 0 && quietMs !== 0 ? quietMs : finding.runMs);
    const told = this.#told(startedMs, timeMs, feedback);
    const describe = (): Anomaly => describeVolume(flow, finding, told);
    if (open === undefined) this.#open.open(flow.id, "volume", describe());
    else if (this.#open.isAccepted(open, timeMs)) {
      acceptVolume(rows, flow.at);
      this.#open.end(flow.id, "volume", timeMs);
    } else {
      // The sentence says how long: told again when that has doubled.
      const doubled = Number.isInteger(Math.log2(finding.minutes));
      this.#open.grow(open, describe, {
        score: finding.score,
        value: open.anomaly.value,
        timeMs,
        news: doubled,
      });
    }
  }

  #judgeEnd(flow: Flow, end: BadEnd, timeMs: number, intervalMs: number): void {
    const { rows } = this.#flows;
    const { at } = flow;
    const { events } = this.#tick;
    const bad = badOf(this.#tick, end.bad);
    const open = this.#open.of(flow.id, end.name);
    if (open === undefined && bad === 0 && rows[at + end.place + ratio.rise] === 0) return;
    followRise(rows, at, end, timeMs, events, bad);
    if (open === undefined && bad === 0) return;
    const feedback = this.#factorOf(flow, end, ({ number }) => this.#feedback(number));
    const factor = feedback * this.#factorOf(flow, end, ({ thresholdFactor }) => thresholdFactor);
    const finding = judgeRatio(rows, at, end, intervalMs, factor);
    if (open !== undefined && this.#open.isOver(open, events, bad, usualShare(rows, at + end.place, end))) {
      forgetRise(rows, at, end);
      this.#open.end(flow.id, end.name, timeMs);
      return;
    }
    if (finding === null) {
      // Nothing was tried for long: nobody can say any more that it goes on.
      if (open !== undefined && this.#open.isAccepted(open, timeMs))
        this.#open.end(flow.id, end.name, timeMs);
      return;
    }
    const startedMs = open?.anomaly.startedMs ?? onset(rows, at + end.place, timeMs, finding);
    const told = this.#told(startedMs, timeMs, feedback);
    const describe = (): Anomaly => describeRatio(flow, end, finding, told);
    if (open === undefined) {
      if (intervalMs >= aloneMs || finding.bad - bad >= earlierBadMin)
        this.#open.open(flow.id, end.name, describe());
    } else if (this.#open.isAccepted(open, timeMs) && !staysTrouble(finding)) {
      acceptShare(rows, at, end);
      this.#open.end(flow.id, end.name, timeMs);
    } else {
      const { score, share } = finding;
      this.#open.grow(open, describe, { score, value: share, timeMs, news: false });
    }
  }

  #told(startedMs: number, timeMs: number, feedback: number): Told {
    return { host: this.#host, startedMs, timeMs, completeness: this.#completeness, feedback };
  }

  /** The largest factor of the series that count this ending, or of the total. */
  #factorOf(flow: Flow, end: BadEnd, factor: (member: Member) => number): number {
    let most = 0;
    for (const member of flow.told) if (isOf(member, end)) most = Math.max(most, factor(member));
    return most === 0 ? factor(flow.carrier) : most;
  }

  #pause(flow: Flow, timeMs: number): void {
    const { rows } = this.#flows;
    this.#end(flow, timeMs);
    for (const member of flow.told) member.raw = Number.NaN;
    skipTo(rows, flow.at, timeMs);
    clearWindows(rows, flow.at, timeMs);
    forgetRun(rows, flow.at);
  }

  #end(flow: Flow, timeMs: number): void {
    for (const what of ["failure", "refusal", "volume"]) this.#open.end(flow.id, what, timeMs);
  }

  /** Ends what is open on a host that sends nothing. */
  endAll(timeMs: number): void {
    for (const flow of this.#flows.ordered()) this.#end(flow, timeMs);
  }

  /** What was told since the last call: anomalies that began, grew or ended. */
  take(): readonly Anomaly[] {
    return this.#open.take();
  }

  open(): Anomaly[] {
    return this.#open.all();
  }

  state(): CountsState {
    return { ...this.#flows.state(), open: this.#open.state() };
  }

  columns(): [name: string, column: Column][] {
    return this.#flows.columns();
  }

  /** Puts a snapshot's state in place of that of the same definitions. */
  restore(state: CountsState, column: (name: string) => Column): void {
    this.#flows.restore(state, column);
    // A policy that no longer judges a flow ends what was told of it.
    this.#open = new OpenCounts(state.open, (flow) => this.#flows.has(flow));
  }
}

function badOf(tick: Tick, bad: Bad): number {
  return bad === badEnds[0]!.bad ? tick.failures : tick.refusals;
}

/** Since when it rises, as far back as what is told; this tick where that is not known. */
function onset(rows: Float64Array, place: number, timeMs: number, { spanMs }: RatioFinding): number {
  return rows[place + ratio.rise]! > 0 ? Math.max(rows[place + ratio.riseMs]!, timeMs - spanMs) : timeMs;
}

/** More than half fail, and that is not how the flow began: no length of time makes that usual. */
function staysTrouble({ ready, share }: RatioFinding): boolean {
  return ready && share > boundShare;
}
