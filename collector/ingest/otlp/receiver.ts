/**
 * The receiver's memory: sources by name, and what a request's points and spans become in them. Pure: time is the door's clock, passed in.
 *
 * A request is taken point by point: what cannot be taken is counted with its reason, source, series and time, goes into the ledger
 * with the source's next frame, and is told to the client as a partial success, so that it is not sent again.
 */
import { limits } from "#shared/limits.ts";
import { labelValue, type Labels, seriesId } from "#shared/series.ts";
import type { DecodedFrame, LossReason } from "#shared/wire/wire.ts";
import type { OtlpMetric, OtlpSpan, ResourceOf } from "../decode/otlp.ts";
import { countsCalls, GoldenSignals } from "./golden.ts";
import { Instances } from "./instances.ts";
import { metricsSource, type Origin, originOf, sourceLabel } from "./origin.ts";
import { calleeOf, endingOf, queueOf, type ReturnCodes } from "./outcome.ts";
import { takePoint } from "./points.ts";
import { gridMs, PushedSource, type SourceFrame } from "./source.ts";
import { type Answer, type Known, SpanIndex } from "./span-index.ts";

/** How many of a request's times are looked at to tell its clock. */
const timesAskedMax = 101;
/** Said goodbye to this long after its last interval can change no more. */
const goodbyeMs = 5_000;
const goodbyeIntervals = 1.2;

export interface ReceiverParts {
  readonly agentIdOf: (source: string) => string;
  /** The last segment that the journal has of an agent, and its last epoch, 0 when there is none. */
  readonly journaled: (agentId: string) => { frames: readonly DecodedFrame[]; epoch: number };
  readonly codes: ReturnCodes;
}

/** What became of one request. */
export interface Taken {
  /** Points or spans that were not taken. */
  readonly refused: number;
  /** Points that were here already. */
  readonly repeated: number;
  /** Why some were not taken; "" when all were. */
  readonly message: string;
  readonly touched: ReadonlySet<Entry>;
}

export class Entry {
  readonly source: PushedSource;
  golden: GoldenSignals | null = null;
  /** Its clock's error has changed and nobody was told. */
  hasClockNews = false;
  saidGoodbye = false;

  constructor(source: PushedSource) {
    this.source = source;
  }

  frame(nowMs: number): SourceFrame | null {
    this.golden?.settle();
    const frame = this.source.frame(nowMs);
    this.golden?.forget(nowMs);
    if (frame !== null) this.saidGoodbye = false;
    return frame;
  }
}

class Report {
  refused = 0;
  repeated = 0;
  readonly touched = new Set<Entry>();
  readonly #reasons = new Map<
    string,
    { source: string; reason: LossReason | "too_many_sources"; count: number }
  >();

  refuse(source: string, reason: LossReason | "too_many_sources", count: number): void {
    this.refused += count;
    const key = `${source}\n${reason}`;
    const known = this.#reasons.get(key) ?? { source, reason, count: 0 };
    known.count += count;
    this.#reasons.set(key, known);
  }

  get message(): string {
    const all = [...this.#reasons.values()];
    const said = all.slice(0, 4).map(({ source, reason, count }) => `${count} of ${source}: ${why(reason)}`);
    return (
      said.join("; ") + (all.length > said.length ? `; and ${all.length - said.length} more reasons` : "")
    );
  }
}

function why(reason: LossReason | "too_many_sources"): string {
  switch (reason) {
    case "too_late":
      return `too_late: older than the ${(gridMs + limits.otlpLatenessMs) / 1000} s that an interval is kept open; is the clock behind?`;
    case "clock":
      return `clock: more than ${limits.clockErrorMsMax / 1000} s ahead of the rest`;
    case "too_many_series":
      return `too_many_series: at most ${limits.otlpSeriesPerSourceMax} series of one source; drop an attribute with many values`;
    case "too_many_sources":
      return `too_many_sources: at most ${limits.otlpSourcesMax} sources, and ${limits.otlpInstancesMax} processes of one service on a host`;
    default:
      return `${reason}: not what the specification says, or with names beyond the limits`;
  }
}

export class OtlpReceiver {
  readonly #parts: ReceiverParts;
  readonly #entries = new Map<string, Entry>();
  readonly #instances = new Map<string, Instances>();
  readonly #spans = new SpanIndex<Entry>();

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
  }

  get sources(): number {
    return this.#entries.size;
  }

  entries(): Entry[] {
    return [...this.#entries.values()];
  }

  /** A source that the journal knows, from before a restart: it goes on, or is said goodbye to. */
  resume(resource: Labels, nowMs: number): void {
    const name = labelValue(resource, sourceLabel);
    if (name !== undefined) this.#open(name, resource, nowMs);
  }

  drop({ source }: Entry): void {
    this.#entries.delete(source.name);
  }

  takeMetrics(resources: readonly ResourceOf<OtlpMetric>[], nowMs: number): Taken {
    const report = new Report();
    for (const { resource, items, malformed } of resources) {
      const origin = originOf(resource);
      const points = items.reduce((sum, metric) => sum + metric.points.length, malformed);
      const entry = this.#metricsEntry(origin, nowMs);
      if (entry === undefined) {
        if (points > 0) report.refuse(origin.name, "too_many_sources", points);
        continue;
      }
      const times = items.flatMap((metric) =>
        metric.points.slice(0, timesAskedMax).map(({ timeMs }) => timeMs),
      );
      entry.source.instance = origin.instance;
      this.#hearClock(entry, times, nowMs);
      report.touched.add(entry);
      this.#refuseMalformed(entry, malformed, nowMs, report);
      for (const metric of items) this.#takeMetric(entry, origin, metric, nowMs, report);
    }
    return report;
  }

  #takeMetric(entry: Entry, origin: Origin, metric: OtlpMetric, nowMs: number, report: Report): void {
    const { source } = entry;
    for (const point of metric.points) {
      const verdict = takePoint(source, origin.labels, metric, point, nowMs);
      if (verdict === "taken") continue;
      if (verdict === "repeated") {
        report.repeated += 1;
        continue;
      }
      const series = seriesId({ metric: metric.name, labels: point.attributes });
      source.refuse(verdict, point.timeMs - source.skewMs, series);
      report.refuse(source.name, verdict, 1);
    }
  }

  takeTraces(resources: readonly ResourceOf<OtlpSpan>[], nowMs: number): Taken {
    const report = new Report();
    for (const { resource, items, malformed } of resources) {
      const origin = originOf(resource);
      const entry = this.#open(origin.name, origin.resource, nowMs);
      if (entry === undefined) {
        if (items.length + malformed > 0)
          report.refuse(origin.name, "too_many_sources", items.length + malformed);
        continue;
      }
      this.#hearClock(
        entry,
        items.slice(0, timesAskedMax).map(({ endMs }) => endMs),
        nowMs,
      );
      report.touched.add(entry);
      this.#refuseMalformed(entry, malformed, nowMs, report);
      for (const span of items) this.#takeSpan(entry, origin, span, nowMs, report);
    }
    return report;
  }

  #takeSpan(entry: Entry, origin: Origin, span: OtlpSpan, nowMs: number, report: Report): void {
    const { source } = entry;
    const timeMs = span.endMs - source.skewMs;
    // A span without a beginning has no duration.
    const isSound = span.durationMs >= 0 && span.durationMs < span.endMs;
    const interval = isSound ? source.interval(timeMs, nowMs) : "invalid";
    if (typeof interval === "string") {
      source.refuse(interval, timeMs, span.kind);
      report.refuse(source.name, interval, 1);
      return;
    }
    source.hasSpans = true;
    source.lastSpanMs = nowMs;
    const service = origin.service === "" ? origin.name : origin.service;
    const golden = (entry.golden ??= new GoldenSignals(source, service, origin.labels));
    const ending = endingOf(span, this.#parts.codes);
    const { kind } = span;
    const isRoot = span.parentId === "" && (kind === "internal" || kind === "unspecified");
    let isRoom = true;
    if (kind === "server" || kind === "consumer" || isRoot)
      isRoom = golden.answered(span, ending, interval, nowMs);
    if (kind === "client" || kind === "producer") isRoom = golden.called(span, ending, interval, nowMs);
    const queue = kind === "consumer" ? queueOf(span.attributes) : null;
    if (queue !== null)
      isRoom =
        golden.edge(queue.name, { kind: "service", name: service }, span, ending, interval, nowMs) && isRoom;
    if (!isRoom) {
      source.refuse("too_many_series", timeMs, span.kind);
      report.refuse(source.name, "too_many_series", 1);
    }
    this.#join(entry, service, span, nowMs, report);
  }

  /** Finds who called, or who answered, by the ids of spans of other services. */
  #join(entry: Entry, service: string, span: OtlpSpan, nowMs: number, report: Report): void {
    const { kind, parentId, spanId, durationMs } = span;
    const { owner, endMs } = { owner: entry, endMs: span.endMs - entry.source.skewMs };
    const callee = kind === "client" ? calleeOf(span.attributes) : null;
    if (spanId !== "") {
      const called: Known<Entry> = { owner, service, kind, callee, endMs, durationMs };
      const answer = this.#spans.add(spanId, called);
      if (answer !== undefined) this.#pair(called, answer, nowMs, report);
    }
    if (kind !== "server" || parentId === "") return;
    const answer = { service, durationMs };
    const caller = this.#spans.callerOf(parentId, answer);
    if (caller === undefined || caller.service === service) return;
    if (caller.kind === "client") return this.#pair(caller, answer, nowMs, report);
    // Its caller made no span of the call itself: then what is known of the call is what the one who answered saw.
    const { source: other, golden: theirs } = caller.owner;
    const interval = other.interval(endMs, nowMs);
    if (theirs === null || typeof interval === "string") return;
    const ending = endingOf(span, this.#parts.codes);
    theirs.edge(caller.service, { kind: "service", name: service }, span, ending, interval, nowMs);
    report.touched.add(caller.owner);
  }

  /** Both ends of one call: what answers at that address, and how long the call was on its way. */
  #pair(called: Known<Entry>, answer: Answer, nowMs: number, report: Report): void {
    const { owner, service, callee, endMs, durationMs } = called;
    if (callee === null || answer.service === service || owner.golden === null) return;
    if (callee.kind === "address") owner.golden.learn(callee.name, answer.service);
    const interval = owner.source.interval(endMs, nowMs);
    if (typeof interval === "string") return;
    owner.golden.onItsWay(callee, Math.max(0, durationMs - answer.durationMs), interval, nowMs);
    report.touched.add(owner);
  }

  #refuseMalformed(entry: Entry, malformed: number, nowMs: number, report: Report): void {
    if (malformed === 0) return;
    entry.source.refuse("invalid", nowMs, "", malformed);
    report.refuse(entry.source.name, "invalid", malformed);
  }

  /** Points of several processes of one source are kept apart; spans are not: they add up. */
  #metricsEntry(origin: Origin, nowMs: number): Entry | undefined {
    const first = metricsSource(origin, 0);
    if (origin.instance === "") return this.#open(first.name, first.resource, nowMs);
    if (!this.#entries.has(first.name) && this.#entries.size >= limits.otlpSourcesMax) return undefined;
    const instances = this.#instances.get(first.name) ?? new Instances();
    this.#instances.set(first.name, instances);
    const place = instances.placeOf(origin.instance, nowMs);
    if (place === undefined) return undefined;
    const { name, resource } = place === 0 ? first : metricsSource(origin, place);
    return this.#open(name, resource, nowMs);
  }

  #open(name: string, resource: Labels, nowMs: number): Entry | undefined {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    if (this.#entries.size >= limits.otlpSourcesMax) return undefined;
    const agentId = this.#parts.agentIdOf(name);
    const { frames, epoch: before } = this.#parts.journaled(agentId);
    const epoch = Math.max(Math.floor(nowMs), before + 1);
    const parts = { agentId, name, resource, epoch, journaled: frames, isTotal: countsCalls };
    const entry = new Entry(new PushedSource(parts));
    entry.hasClockNews = true;
    this.#entries.set(name, entry);
    return entry;
  }

  /**
   * A clock that is ahead is corrected by what it is ahead of ours, as an agent's is; the middle one of a request's times
   * is asked, so that one odd point says nothing. One that is behind cannot be told from data that come late.
   */
  #hearClock(entry: Entry, timesMs: readonly number[], nowMs: number): void {
    const { source } = entry;
    const sorted = timesMs.filter((time) => time > 0).sort((a, b) => a - b);
    const middleMs = sorted[Math.floor(sorted.length / 2)];
    if (middleMs === undefined) return;
    const aheadMs = middleMs - nowMs;
    const isAhead = aheadMs - source.skewMs > limits.clockErrorMsMax;
    const isRight = source.skewMs !== 0 && aheadMs < limits.clockErrorMsMax;
    if (!isAhead && !isRight) return;
    source.skewMs = isAhead ? Math.round(aheadMs) : 0;
    entry.hasClockNews = true;
  }

  /** Sources that have something to tell although no request came: intervals in which nothing happened. */
  due(nowMs: number): Entry[] {
    const due: Entry[] = [];
    for (const entry of this.#entries.values()) {
      const { source } = entry;
      if (source.hasSpans && nowMs - source.lastSpanMs > limits.otlpIdleMs) source.hasSpans = false;
      if (!source.hasSpans) continue;
      source.beat(nowMs);
      if (source.hasNews) due.push(entry);
    }
    return due;
  }

  /**
   * Those whose last interval is through and that owe no other: nobody holds a connection to a source that pushes, so its end is
   * nothing that could be told from a short silence. Each is told once; it is forgotten when it stays away.
   */
  leaving(nowMs: number): Entry[] {
    const leaving: Entry[] = [];
    for (const [name, entry] of this.#entries) {
      const { lastEndMs, intervalMs } = entry.source;
      const quietMs = nowMs - lastEndMs;
      if (quietMs > limits.otlpIdleMs) {
        this.#entries.delete(name);
        this.#instances.delete(name);
      }
      const patienceMs = Math.max(limits.otlpLatenessMs + goodbyeMs, goodbyeIntervals * intervalMs);
      if (entry.saidGoodbye || lastEndMs === 0 || quietMs < patienceMs) continue;
      entry.saidGoodbye = true;
      leaving.push(entry);
    }
    return leaving;
  }
}
