/**
 * The door for OpenTelemetry: OTLP over HTTP, metrics and spans, protobuf or JSON, plain or gzip.
 *
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp (1.5 and later): 200 when what was taken is durable in the journal, with a partial
 * success when some of it was refused for good; 400 for what cannot be read, 413 beyond the limit before or after decompression, 415
 * for what is not spoken here; 429 and 503 with `Retry-After` while the collector cannot keep up, and then nothing was taken.
 * A client that tries again sends the same bytes: a body that was taken is answered as it was the first time. This is remembered in
 * memory, so a body that comes again after the collector was killed between the journal and the answer counts twice in sums of
 * deltas and spans; gauges and cumulative sums are not changed by it.
 * Cost: all of it runs on the event loop, about 3 us a point or span, the frame included: 0.6 s for the
 * largest body, some 20 ms for what an SDK or a gateway sends at once.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { jsonEntry, type Journal, type JournalEntry } from "#collector/journal/journal.ts";
import { type Clock, every, type Timer } from "#shared/clock.ts";
import { errorText, StorageError } from "#shared/errors.ts";
import { limits as usualLimits } from "#shared/limits.ts";
import type { Log } from "#shared/log.ts";
import { labelValue, type Labels } from "#shared/series.ts";
import { type DecodedFrame, FrameDecoder } from "#shared/wire/wire.ts";
import type { IngestCounters, RequestRefusal } from "./counters.ts";
import { DecodeError } from "./decode/decode-error.ts";
import {
  contentTypes,
  type Encoding,
  exportAnswer,
  rpcCode,
  type Signal,
  statusAnswer,
} from "./decode/otlp-answer.ts";
import { readMetricsJson, readTracesJson } from "./decode/otlp-json.ts";
import { readMetricsProtobuf, readTracesProtobuf } from "./decode/otlp-protobuf.ts";
import { type ReturnCodes, usualReturnCodes, wantedAttributes } from "./otlp/outcome.ts";
import { type Entry, OtlpReceiver, type Taken } from "./otlp/receiver.ts";
import type { SourceFrame } from "./otlp/source.ts";
import type { ConnectionEnd, Presence } from "./presence.ts";

/** Where the requests of each signal go. */
export const otlpPaths: ReadonlyMap<string, Signal> = new Map([
  ["/v1/metrics", "metrics"],
  ["/v1/traces", "traces"],
]);

export interface OtlpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly headers: readonly (readonly [string, string])[];
}

export interface OtlpOptions {
  readonly clock: Clock;
  readonly journal: Pick<Journal, "append" | "last" | "segmentUpTo" | "stats">;
  readonly log: Log;
  readonly counters: IngestCounters;
  readonly codes?: ReturnCodes;
  readonly limits?: Partial<Record<"otlpBodyBytesMax" | "ingestBytesInFlightMax", number>>;
}

export interface OtlpHttp {
  /** Answers a POST to one of `otlpPaths`. Never rejects. */
  answer(path: string, request: IncomingMessage): Promise<OtlpAnswer>;
  /** Sources that the journal knows from before this start: they go on, or are said goodbye to. */
  resume(resources: readonly Labels[]): void;
  /** Takes nothing more; what was taken is still appended, and answered, if the journal takes it. */
  close(): void;
}

const watchMs = 1_000;
/** The specification's clients wait at least this long. */
const retryAfterSeconds = "5";
/** A client gives up after a minute or so; a gateway with a queue on disk after five. */
const rememberedMs = 600_000;

const inflate = promisify(gunzip);

export function createOtlpHttp(options: OtlpOptions): OtlpHttp {
  return new OtlpDoor(options);
}

/** Why a request is not taken, and what its client is told. */
class Refused extends Error {
  readonly status: number;
  readonly reason: RequestRefusal;
  constructor(status: number, reason: RequestRefusal, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

type Outcome = Pick<Taken, "refused" | "message">;

interface Remembered {
  readonly atMs: number;
  readonly outcome: Promise<Outcome>;
}

class OtlpDoor implements OtlpHttp {
  readonly #options: OtlpOptions;
  readonly #limits: Readonly<Record<"otlpBodyBytesMax" | "ingestBytesInFlightMax", number>>;
  readonly #receiver: OtlpReceiver;
  readonly #codes: ReturnCodes;
  readonly #wanted: ReadonlySet<string>;
  /** By digest, the oldest first. */
  readonly #bodies = new Map<string, Remembered>();
  readonly #watch: Timer;
  #inFlightBytes = 0;
  #closing = false;

  constructor(options: OtlpOptions) {
    this.#options = options;
    this.#limits = { ...usualLimits, ...options.limits };
    this.#codes = options.codes ?? usualReturnCodes;
    this.#wanted = wantedAttributes(this.#codes);
    this.#receiver = new OtlpReceiver({
      agentIdOf,
      journaled: (agentId) => this.#journaled(agentId),
      codes: this.#codes,
    });
    this.#watch = every(options.clock, watchMs, () => this.#look());
  }

  async answer(path: string, request: IncomingMessage): Promise<OtlpAnswer> {
    const signal = otlpPaths.get(path) ?? "metrics";
    const encoding = encodingOf(request.headers["content-type"]) ?? "json";
    let heldBytes = 0;
    const hold = (sizeBytes: number): void => {
      heldBytes += sizeBytes;
      this.#inFlightBytes += sizeBytes;
      const most = this.#limits.ingestBytesInFlightMax;
      if (this.#inFlightBytes > most)
        throw new Refused(
          429,
          "overloaded",
          `more than ${most} bytes wait here (limits.ingestBytesInFlightMax)`,
        );
    };
    try {
      this.#mayCome(request);
      const body = await this.#bodyOf(request, hold);
      const { refused, message } = await this.#take(signal, encoding, body);
      const answer = Buffer.from(exportAnswer(signal, encoding, refused, message));
      return { status: 200, contentType: contentTypes[encoding], body: answer, headers: [] };
    } catch (error) {
      return this.#refusal(error, encoding);
    } finally {
      this.#inFlightBytes -= heldBytes;
    }
  }

  /** Before anything of the body is read. */
  #mayCome(request: IncomingMessage): void {
    const type = request.headers["content-type"];
    if (encodingOf(type) === undefined) {
      const want = Object.values(contentTypes).join(" or ");
      throw new Refused(415, "media_type", `want Content-Type ${want}, got ${(type ?? "none").slice(0, 80)}`);
    }
    const { state, waitingBytes } = this.#options.journal.stats();
    if (this.#closing) throw new Refused(503, "unavailable", "the collector is stopping");
    if (state !== "ok") throw new Refused(503, "unavailable", "the journal takes no entries");
    if (waitingBytes > this.#limits.ingestBytesInFlightMax)
      throw new Refused(429, "overloaded", "too much waits for the disk or for detection");
  }

  async #bodyOf(request: IncomingMessage, hold: (sizeBytes: number) => void): Promise<Buffer> {
    const most = this.#limits.otlpBodyBytesMax;
    const tooLarge = (): Refused =>
      new Refused(413, "too_large", `the body is larger than ${most} bytes (limits.otlpBodyBytesMax)`);
    const compression = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
    if (compression !== "gzip" && compression !== "identity")
      throw new Refused(
        415,
        "encoding",
        `want Content-Encoding gzip or none, got ${compression.slice(0, 80)}`,
      );
    if (Number(request.headers["content-length"] ?? 0) > most) throw tooLarge();
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    // Leaving the loop must not destroy the socket that the refusal goes out on.
    const stream: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
    for await (const chunk of stream) {
      sizeBytes += chunk.length;
      if (sizeBytes > most) throw tooLarge();
      hold(chunk.length);
      chunks.push(chunk);
    }
    this.#options.counters.received(sizeBytes);
    const received = Buffer.concat(chunks);
    if (compression === "identity") return received;
    try {
      const whole = await inflate(received, { maxOutputLength: most });
      hold(whole.length);
      return whole;
    } catch (error) {
      if (error instanceof Refused) throw error;
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
      throw new Refused(400, "corrupted", `the body is no gzip: ${errorText(error)}`);
    }
  }

  /** Takes a body once: whoever sends it again hears what became of it. */
  async #take(signal: Signal, encoding: Encoding, body: Buffer): Promise<Outcome> {
    const digest = createHash("sha256").update(signal).update(body).digest("base64");
    const known = this.#bodies.get(digest);
    if (known !== undefined) {
      this.#options.counters.repeated();
      return known.outcome;
    }
    const nowMs = this.#options.clock.nowMs();
    const taken = this.#read(signal, encoding, body, nowMs);
    if (taken.repeated > 0) this.#options.counters.repeatedPoints(taken.repeated);
    const { refused, message } = taken;
    const outcome = this.#journal([...taken.touched], nowMs).then(() => ({ refused, message }));
    this.#remember(digest, { atMs: nowMs, outcome });
    try {
      return await outcome;
    } catch (error) {
      this.#bodies.delete(digest);
      throw error;
    }
  }

  #read(signal: Signal, encoding: Encoding, body: Buffer, nowMs: number): Taken {
    if (signal === "metrics") {
      const read = encoding === "json" ? readMetricsJson(body.toString("utf8")) : readMetricsProtobuf(body);
      return this.#receiver.takeMetrics(read, nowMs);
    }
    const read =
      encoding === "json"
        ? readTracesJson(body.toString("utf8"), this.#wanted)
        : readTracesProtobuf(body, this.#wanted);
    return this.#receiver.takeTraces(read, nowMs);
  }

  #remember(digest: string, remembered: Remembered): void {
    this.#bodies.set(digest, remembered);
    for (const [oldest, { atMs }] of this.#bodies) {
      const isOld = remembered.atMs - atMs > rememberedMs;
      if (!isOld && this.#bodies.size <= usualLimits.otlpBodiesRememberedMax) break;
      this.#bodies.delete(oldest);
    }
  }

  /** Resolves when what `entries` have to tell is durable. */
  async #journal(entries: readonly Entry[], nowMs: number): Promise<void> {
    const appended: Promise<unknown>[] = [];
    for (const entry of entries) {
      const frame = entry.frame(nowMs);
      if (entry.hasClockNews) this.#presentClock(entry, nowMs);
      if (frame === null) continue;
      const { counters, journal } = this.#options;
      counters.admitted(frame.samples, frame.bytes.length);
      for (const { reason, samples } of frame.decoded.losses) counters.lost(reason, samples);
      const append = journal.append(entryOf(entry.source.agentId, frame), frame.decoded);
      appended.push(append.catch((error: unknown) => this.#notTaken(entry, error)));
    }
    this.#options.counters.otlpSources(this.#receiver.sources);
    await Promise.all(appended);
  }

  /** What is here is more than the journal has: the source begins anew from there when it is heard again. */
  #notTaken(entry: Entry, error: unknown): never {
    this.#receiver.drop(entry);
    throw error;
  }

  #presentClock(entry: Entry, nowMs: number): void {
    const { agentId: agent, name: host, resource, skewMs } = entry.source;
    entry.hasClockNews = false;
    if (skewMs !== 0)
      this.#options.log.warn("source's clock is ahead; its times are corrected", {
        source: host,
        aheadMs: skewMs,
      });
    const version = labelValue(resource, "service.version") ?? "";
    this.#present({
      t: "connected",
      atMs: Math.floor(nowMs),
      agent,
      host,
      version,
      clockErrorMs: skewMs,
      corrected: skewMs !== 0,
    });
  }

  #present(presence: Extract<Presence, { agent: string }>): void {
    const { journal, log } = this.#options;
    journal.append(jsonEntry("presence", presence.agent, presence.atMs, presence)).catch((error: unknown) => {
      log.warn("presence could not be journaled", { agent: presence.agent, error: errorText(error) });
    });
  }

  #look(): void {
    const nowMs = this.#options.clock.nowMs();
    if (this.#options.journal.stats().state !== "ok") return;
    this.#journal(this.#receiver.due(nowMs), nowMs).catch((error: unknown) => {
      this.#options.log.warn("ticks could not be journaled", { error: errorText(error) });
    });
    for (const entry of this.#receiver.leaving(nowMs)) this.#goodbye(entry, "bye", nowMs);
  }

  #goodbye({ source }: Entry, how: ConnectionEnd, nowMs: number): void {
    this.#present({ t: "closed", atMs: Math.floor(nowMs), agent: source.agentId, how });
  }

  /** The last segment of a source, and its last epoch. */
  #journaled(agentId: string): { frames: DecodedFrame[]; epoch: number } {
    const { journal, log } = this.#options;
    const last = journal.last(agentId);
    if (last === null) return { frames: [], epoch: 0 };
    const decoder = new FrameDecoder();
    try {
      const frames = journal.segmentUpTo(agentId, last).map(({ bytes }) => decoder.decode(bytes));
      return { frames, epoch: last.epoch };
    } catch (error) {
      log.error("a source's last segment cannot be read; its totals begin anew", { error: errorText(error) });
      return { frames: [], epoch: last.epoch };
    }
  }

  resume(resources: readonly Labels[]): void {
    const nowMs = this.#options.clock.nowMs();
    for (const resource of resources) this.#receiver.resume(resource, nowMs);
    this.#options.counters.otlpSources(this.#receiver.sources);
  }

  close(): void {
    this.#closing = true;
    this.#watch.cancel();
  }

  #refusal(error: unknown, encoding: Encoding): OtlpAnswer {
    const { counters, log } = this.#options;
    const refused = refusedOf(error);
    if (refused === null) log.error("OTLP request failed", { error: errorText(error) });
    else counters.refusedRequest(refused.reason);
    const status = refused?.status ?? 500;
    const message = refused?.message ?? "the collector failed; its log says why";
    const body = Buffer.from(statusAnswer(encoding, codes.get(status) ?? rpcCode.internal, message));
    const headers: [string, string][] = [];
    if (status === 429 || status === 503) headers.push(["Retry-After", retryAfterSeconds]);
    if (status === 413) headers.push(["Connection", "close"]);
    return { status, contentType: contentTypes[encoding], body, headers };
  }
}

const codes: ReadonlyMap<number, number> = new Map([
  [400, rpcCode.invalidArgument],
  [413, rpcCode.resourceExhausted],
  [415, rpcCode.unimplemented],
  [429, rpcCode.resourceExhausted],
  [503, rpcCode.unavailable],
]);

function refusedOf(error: unknown): Refused | null {
  if (error instanceof Refused) return error;
  if (error instanceof DecodeError) return new Refused(400, error.reason, error.message);
  // The journal has failed, or was closed meanwhile: the client has its data still.
  return error instanceof StorageError ? new Refused(503, "unavailable", error.message) : null;
}

function encodingOf(contentType: string | undefined): Encoding | undefined {
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  if (type === contentTypes.json) return "json";
  return type === contentTypes.protobuf ? "protobuf" : undefined;
}

/** The same source has the same id on every collector and after every restart: a name-based UUID, of version 8. */
function agentIdOf(source: string): string {
  const hex = createHash("sha256").update(`causeway otlp source ${source}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function entryOf(stream: string, { bytes, decoded, samples }: SourceFrame): JournalEntry {
  const { header, ticks } = decoded;
  const { epoch, sequence, key, baseTimeMs } = header;
  const series = ticks.reduce((most, { values }) => Math.max(most, values.length), 0);
  const lastMs = ticks.at(-1)?.timeMs ?? baseTimeMs;
  const times = { firstMs: baseTimeMs, lastMs, skewMs: 0 };
  return { kind: "frame", stream, epoch, sequence, key, ...times, samples, series, bytes };
}
