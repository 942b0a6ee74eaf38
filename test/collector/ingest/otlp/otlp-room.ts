/** The OTLP door over a journal in memory and a clock that a test moves; what comes out behind the journal is kept. */
import { Readable } from "node:stream";
import type { IncomingMessage } from "node:http";
import { gzipSync } from "node:zlib";
import {
  createIngest,
  createOtlpHttp,
  type Ingest,
  type OtlpAnswer,
  type OtlpHttp,
  type Presence,
} from "#collector/ingest/ingest.ts";
import { parsePresence, type ReturnCodes } from "#collector/ingest/ingest.ts";
import { jsonEntry, type Journal, type JournalRecord } from "#collector/journal/journal.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import type { SampleBatch } from "#shared/batch.ts";
import { StorageError } from "#shared/errors.ts";
import { createLog } from "#shared/log.ts";
import { seriesId } from "#shared/series.ts";
import type { LossRecord } from "#shared/wire/wire.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { Counted } from "../counters.ts";

export interface Answered {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Of an answer in JSON. */
  readonly json: Record<string, unknown>;
}

export interface RoomOptions {
  /** Of an earlier room: its journal goes on, at its time. */
  readonly after?: OtlpRoom;
  readonly codes?: ReturnCodes;
  readonly limits?: { readonly otlpBodyBytesMax?: number; readonly ingestBytesInFlightMax?: number };
}

export class OtlpRoom {
  readonly clock: SimClock;
  readonly journal: Journal;
  readonly counted = new Counted();
  readonly door: OtlpHttp;
  readonly ingest: Ingest;
  readonly records: JournalRecord[] = [];
  readonly batches: SampleBatch[] = [];
  readonly losses: (LossRecord & { readonly host: string })[] = [];
  readonly presences: Presence[] = [];
  /** The journal rejects what it is given. */
  isFailing = false;

  constructor({ after, codes, limits }: RoomOptions = {}) {
    this.clock = after?.clock ?? new SimClock(1_790_000_000_000);
    const log = createLog({ clock: this.clock, write() {} });
    this.journal =
      after?.journal ??
      openSqliteJournal({ path: ":memory:", clock: this.clock, log, limits: { groupCommitMs: 0 } });
    const { journal } = this;
    this.door = createOtlpHttp({
      clock: this.clock,
      journal: {
        append: (entry, decoded) =>
          this.isFailing
            ? Promise.reject(new StorageError("the disk is gone", { retryable: false }))
            : journal.append(entry, decoded),
        last: (stream) => journal.last(stream),
        segmentUpTo: (stream, last) => journal.segmentUpTo(stream, last),
        stats: () => journal.stats(),
      },
      log,
      counters: this.counted.counters,
      ...(codes === undefined ? {} : { codes }),
      ...(limits === undefined ? {} : { limits }),
    });
    this.ingest = createIngest({ journal: this.journal });
    this.journal.consume(0, (record) => this.#follow(record));
  }

  get nowMs(): number {
    return this.clock.nowMs();
  }

  #follow(record: JournalRecord): void {
    this.records.push(record);
    if (record.kind === "presence") this.presences.push(parsePresence(record.bytes));
    if (record.kind === "tick") this.batches.push(...this.ingest.due(record.firstMs));
    if (record.kind !== "frame") return;
    const taken = this.ingest.take(record);
    if (taken === null) throw new Error("a frame without its key frame");
    this.batches.push(...taken.batches);
    this.losses.push(...taken.losses.map((loss) => ({ ...loss, host: taken.host })));
  }

  /** Posts a body; time stands still meanwhile. */
  async post(
    path: "/v1/metrics" | "/v1/traces",
    body: Uint8Array | object,
    headers: Readonly<Record<string, string>> = { "content-type": "application/json" },
  ): Promise<Answered> {
    const plain = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const bytes =
      headers["content-encoding"] === "gzip" && !(body instanceof Uint8Array) ? gzipSync(plain) : plain;
    const request = Object.assign(Readable.from([Buffer.from(bytes)]), { headers });
    const answers: OtlpAnswer[] = [];
    void this.door.answer(path, request as unknown as IncomingMessage).then((given) => answers.push(given));
    while (answers.length === 0) await this.clock.advance(0);
    const answer = answers[0]!;
    const isJson = answer.contentType === "application/json";
    return {
      status: answer.status,
      headers: new Map([...answer.headers, ["Content-Type", answer.contentType]]),
      body: answer.body,
      json: isJson ? (JSON.parse(answer.body.toString()) as Record<string, unknown>) : {},
    };
  }

  /** Lets time pass, with the collector's own ticks in the journal. */
  async pass(byMs: number): Promise<void> {
    const untilMs = this.nowMs + byMs;
    while (this.nowMs < untilMs) {
      await this.clock.advance(Math.min(1_000, untilMs - this.nowMs));
      void this.journal.append(jsonEntry("tick", "", this.nowMs, {}));
      await this.clock.advance(0);
    }
  }

  /** Values of a source's series by time, as they came out behind the journal; absent ones are left out. */
  values(host: string, id: string): [timeMs: number, value: number][] {
    const number = this.ingest.hosts.numberOf(host, id);
    return this.batches.flatMap((batch) => {
      const value = batch.host === host ? batch.values[batch.series.indexOf(number ?? -1)] : undefined;
      return value === undefined || Number.isNaN(value) ? [] : [[batch.timeMs, value] as [number, number]];
    });
  }

  ids(host: string): string[] {
    return this.ingest.hosts
      .series(host)
      .flatMap((series) => (series === undefined ? [] : [seriesId(series)]));
  }
}

export type Attributes = Readonly<Record<string, string | number>>;

export function attributes(given: Attributes): object[] {
  return Object.entries(given).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}

export const pay: Attributes = { "service.name": "pay", "host.name": "web-01" };
/** The sources of its spans and of its metrics. */
export const payAt = "pay@web-01";
export const payMetrics = "pay:metrics@web-01";
export const payLabels = 'host.name="web-01",service.name="pay"';

export function ns(timeMs: number): string {
  return String(BigInt(Math.round(timeMs * 1000)) * 1000n);
}

/** An ExportMetricsServiceRequest of one resource. */
export function metrics(resource: Attributes, ...all: object[]): object {
  return {
    resourceMetrics: [{ resource: { attributes: attributes(resource) }, scopeMetrics: [{ metrics: all }] }],
  };
}

export function gauge(name: string, timeMs: number, value: unknown, given: Attributes = {}): object {
  const point = { timeUnixNano: ns(timeMs), asDouble: value, attributes: attributes(given) };
  return { name, unit: "1", gauge: { dataPoints: [point] } };
}

export interface SumPoint {
  readonly startMs?: number;
  readonly timeMs: number;
  readonly value: number;
}

export function sum(
  name: string,
  temporality: "delta" | "cumulative",
  point: SumPoint,
  isMonotonic = true,
): object {
  const { startMs = 0, timeMs, value } = point;
  const dataPoints = [{ startTimeUnixNano: ns(startMs), timeUnixNano: ns(timeMs), asInt: String(value) }];
  const aggregationTemporality = temporality === "delta" ? 1 : 2;
  return { name, unit: "1", sum: { aggregationTemporality, isMonotonic, dataPoints } };
}

export interface GivenSpan {
  readonly kind: 0 | 1 | 2 | 3 | 4 | 5;
  readonly endMs: number;
  readonly durationMs?: number;
  readonly spanId?: string;
  readonly parentId?: string;
  readonly isError?: boolean;
  readonly attributes?: Attributes;
}

let spans = 0;

export function spanJson({
  kind,
  endMs,
  durationMs = 20,
  spanId,
  parentId,
  isError,
  ...rest
}: GivenSpan): object {
  spans += 1;
  return {
    traceId: "0123456789abcdef0123456789abcdef",
    spanId: spanId ?? spans.toString(16).padStart(16, "0"),
    parentSpanId: parentId ?? "",
    name: "span",
    kind,
    startTimeUnixNano: ns(endMs - durationMs),
    endTimeUnixNano: ns(endMs),
    attributes: attributes(rest.attributes ?? {}),
    status: { code: isError === true ? 2 : 0 },
  };
}

/** An ExportTraceServiceRequest of one resource. */
export function traces(resource: Attributes, ...given: GivenSpan[]): object {
  const scopeSpans = [{ spans: given.map(spanJson) }];
  return { resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans }] };
}
