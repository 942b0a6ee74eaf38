/**
 * Sends what is in the spool, in order, until the collector says that it is durable.
 *
 * One connection, one window of unacknowledged frames, cumulative acknowledgements. After every (re)connection the
 * collector's welcome tells the last durable frame and sending goes on behind it; if the spool does not know that frame, it
 * begins with the oldest key frame, and the journal refuses what it has. Waiting between attempts is full jitter (see
 * `shared/backoff.ts`), reset by an acknowledgement, not by a mere connection. Nothing here delays sampling: the spool is
 * between. A frame that the collector refuses again and again is given up as a loss, so that one bad frame cannot hold back
 * all that follow.
 */
import { Backoff } from "#shared/backoff.ts";
import type { Clock, Timer } from "#shared/clock.ts";
import { errorText, WireError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import {
  parseControl,
  type Control,
  type Position,
  type Refuse,
  type Welcome,
} from "#shared/wire/control.ts";
import { readHeader, wireVersion } from "#shared/wire/wire.ts";
import type { Spool, SpooledFrame } from "./spool.ts";

export interface Connection {
  /** Bytes handed over and not yet taken by the network. */
  readonly bufferedBytes: number;
  send(data: string | Uint8Array): void;
  ping(): void;
  /** Says goodbye and closes. */
  close(): void;
  /** Closes now. */
  terminate(): void;
}

export interface ConnectionEvents {
  opened(): void;
  message(text: string): void;
  /** The peer answered a ping. */
  alive(): void;
  /** Once, also when it never opened; nothing comes after it. */
  closed(why: string): void;
}

export type Connect = (events: ConnectionEvents) => Connection;

export interface SendOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly spool: Spool;
  readonly connect: Connect;
  readonly agentId: string;
  readonly host: string;
  readonly version: string;
  readonly unackedFramesMax: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

const backoffBaseMs = 500;
const backoffCapMs = 30_000;
const pingMs = 10_000;
/** A peer that was silent for this long is dead; looked at every `watchMs`, so known within 40 s. */
const silentMs = 35_000;
const watchMs = 5_000;
const welcomeMs = 10_000;
/** Frames beyond this wait in the spool, not in the socket. */
const bufferedBytesMax = 1024 * 1024;
const readFrames = 32;
const readBytes = 256 * 1024;
/** Refusals of one frame after which it is given up. */
const refusalsMax = 3;
/** Refusals that are about the frame itself; all others pass with time. */
const frameReasons = [
  "truncated",
  "corrupted",
  "oversized",
  "unknown_section",
  "malformed",
  "out_of_order",
  "no_key_frame",
  "too_many_series",
];

interface InFlight extends Position {
  readonly position: number;
}

type State = "idle" | "connecting" | "greeting" | "streaming" | "stopped";

export class Send {
  readonly #options: SendOptions;
  readonly #backoff: Backoff;
  #state: State = "idle";
  #connection: Connection | null = null;
  #timer: Timer | null = null;
  #watch: Timer | null = null;
  #heardMs = 0;
  #pingedMs = 0;
  /** Position of the last frame sent on this connection. */
  #cursor = 0;
  #inFlight: InFlight[] = [];
  #refusal: Refuse | null = null;
  #refused: { at: string; times: number } = { at: "", times: 0 };
  #rewind = false;
  #ackedPosition = 0;
  #drained: (() => void) | null = null;
  #bytesSent = 0;
  #framesSent = 0;
  /** Failures in a row are told once. */
  #toldDown = "";

  constructor(options: SendOptions) {
    this.#options = options;
    const { random } = options;
    this.#backoff = new Backoff({ baseMs: backoffBaseMs, capMs: backoffCapMs, random });
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  get framesSent(): number {
    return this.#framesSent;
  }

  get connected(): boolean {
    return this.#state === "streaming";
  }

  start(): void {
    if (this.#state === "idle") this.#dial();
  }

  /** New frames are in the spool. */
  spooled(frames: readonly SpooledFrame[], before: number): void {
    if (this.#state !== "streaming") return;
    // What was just written need not be read again when everything before it has been sent.
    if (this.#cursor === before) {
      for (const frame of frames) if (this.#maySend()) this.#sendFrame(frame);
    }
    if (this.#cursor < this.#options.spool.lastPosition) this.#pump();
  }

  #maySend(): boolean {
    return (
      this.#inFlight.length < this.#options.unackedFramesMax &&
      (this.#connection?.bufferedBytes ?? 0) < bufferedBytesMax
    );
  }

  /** Resolves when all that is spooled is durable, at the latest after `timeoutMs`; then says goodbye. */
  async stop(timeoutMs: number): Promise<void> {
    const { clock, spool } = this.#options;
    if (this.#state === "streaming" && this.#ackedPosition < spool.lastPosition) {
      await new Promise<void>((resolve) => {
        const timer = clock.after(timeoutMs, resolve, { keepAlive: true });
        this.#drained = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    const streaming = this.#state === "streaming";
    this.#state = "stopped";
    this.#timer?.cancel();
    this.#watch?.cancel();
    if (streaming) this.#connection?.send(JSON.stringify({ t: "bye", reason: "stopped" }));
    this.#connection?.close();
    this.#connection = null;
  }

  #dial(): void {
    const { clock, connect } = this.#options;
    this.#state = "connecting";
    this.#refusal = null;
    this.#heardMs = clock.monotonicMs();
    const events: ConnectionEvents = {
      opened: () => this.#current(connection, () => this.#greet()),
      message: (text) => this.#current(connection, () => this.#heard(text)),
      alive: () => this.#current(connection, () => (this.#heardMs = clock.monotonicMs())),
      closed: (why) => this.#current(connection, () => this.#closed(why)),
    };
    const connection: Connection = connect(events);
    this.#connection = connection;
    this.#watch = clock.after(watchMs, () => this.#look());
  }

  /** Events of a connection that we have already left mean nothing. */
  #current(connection: Connection, act: () => void): void {
    if (this.#connection === connection && this.#state !== "stopped") act();
  }

  #greet(): void {
    const { clock, agentId: agent, host, version } = this.#options;
    this.#state = "greeting";
    this.#heardMs = clock.monotonicMs();
    const nowMs = Math.floor(clock.nowMs());
    this.#tell({ t: "hello", v: 1, wire: [wireVersion], agent, host, version, nowMs });
  }

  #tell(message: Control): void {
    this.#connection?.send(JSON.stringify(message));
  }

  #look(): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const silentForMs = nowMs - this.#heardMs;
    if (silentForMs >= (this.#state === "streaming" ? silentMs : welcomeMs)) {
      this.#leave(`no sign of life for ${Math.round(silentForMs)} ms`);
      return;
    }
    if (this.#state === "streaming" && nowMs - this.#pingedMs >= pingMs) {
      this.#pingedMs = nowMs;
      this.#connection?.ping();
    }
    this.#watch = clock.after(watchMs, () => this.#look());
  }

  /** Closes on our initiative; the connection's own "closed" is not waited for. */
  #leave(why: string): void {
    const connection = this.#connection;
    this.#closed(why);
    connection?.terminate();
  }

  #closed(why: string): void {
    const { clock, log } = this.#options;
    this.#watch?.cancel();
    this.#connection = null;
    this.#inFlight = [];
    const wasStreaming = this.#state === "streaming";
    this.#state = "idle";
    const reason = this.#refusal === null ? why : `${this.#refusal.reason}: ${this.#refusal.message}`;
    if (wasStreaming || reason !== this.#toldDown)
      log.warn("collector is not reachable; spooling", { reason });
    this.#toldDown = reason;
    const delayMs = (this.#refusal?.retryInMs ?? 0) + this.#backoff.nextMs();
    this.#timer = clock.after(delayMs, () => this.#dial(), { keepAlive: true });
  }

  #heard(text: string): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    let message: Control;
    try {
      message = parseControl(text);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#leave(`collector sent what is not understood: ${errorText(error)}`);
      return;
    }
    if (message.t === "refuse") this.#onRefuse(message);
    else if (message.t === "welcome" && this.#state === "greeting") this.#onWelcome(message);
    else if (message.t === "ack" && this.#state === "streaming") this.#onAck(message);
    else this.#leave(`collector sent ${message.t} out of turn`);
  }

  #onWelcome({ durable, clockErrorMs }: Welcome): void {
    const { log, spool } = this.#options;
    this.#state = "streaming";
    this.#toldDown = "";
    this.#inFlight = [];
    const known = durable === null ? undefined : spool.positionOf(durable);
    if (known !== undefined) this.#acknowledge(known);
    this.#cursor = known ?? 0;
    if (this.#rewind) {
      const [next] = spool.after(this.#cursor, 1, 1);
      if (next !== undefined) this.#cursor = spool.segmentStart(next.position) - 1;
      this.#rewind = false;
    }
    log.info("collector accepted us", {
      epoch: durable?.epoch ?? null,
      sequence: durable?.sequence ?? null,
      spooledFrames: spool.frameCount,
      clockErrorMs: Math.round(clockErrorMs),
    });
    this.#pump();
  }

  #onAck(ack: Position): void {
    let acked: InFlight | undefined;
    let count = 0;
    for (const frame of this.#inFlight) {
      if (frame.epoch > ack.epoch || (frame.epoch === ack.epoch && frame.sequence > ack.sequence)) break;
      acked = frame;
      count += 1;
    }
    if (acked === undefined) return;
    this.#inFlight = this.#inFlight.slice(count);
    this.#backoff.reset();
    this.#acknowledge(acked.position);
    this.#pump();
  }

  #acknowledge(position: number): void {
    const { spool } = this.#options;
    this.#ackedPosition = Math.max(this.#ackedPosition, position);
    spool.acknowledge(position);
    if (this.#ackedPosition >= spool.lastPosition) this.#drained?.();
  }

  /** The collector closes after this; if it does not, silence will be noticed. */
  #onRefuse(refuse: Refuse): void {
    this.#refusal = refuse;
    if (frameReasons.includes(refuse.reason)) this.#judgeRefusal(refuse);
    this.#leave(refuse.reason);
  }

  #judgeRefusal({ at, reason }: Refuse): void {
    const { spool, log } = this.#options;
    this.#rewind = reason === "out_of_order" || reason === "no_key_frame";
    const frame = this.#inFlight.find(
      ({ epoch, sequence }) => epoch === at?.epoch && sequence === at.sequence,
    );
    if (frame === undefined) return;
    const name = `${frame.epoch}/${frame.sequence}`;
    this.#refused = { at: name, times: this.#refused.at === name ? this.#refused.times + 1 : 1 };
    if (this.#refused.times < refusalsMax) return;
    log.error("collector does not take a frame; it is given up", { ...at, reason });
    spool.discardFrom(frame.position);
  }

  #pump(): void {
    const { spool } = this.#options;
    while (this.#state === "streaming" && this.#maySend()) {
      const room = Math.min(readFrames, this.#options.unackedFramesMax - this.#inFlight.length);
      const frames = spool.after(this.#cursor, room, readBytes);
      if (frames.length === 0) return;
      for (const frame of frames) {
        if (this.#state !== "streaming") return;
        if (this.#readable(frame)) this.#sendFrame(frame);
        else break;
      }
    }
  }

  /** The disk may have changed a bit: such a frame would be refused for ever. */
  #readable(frame: SpooledFrame): boolean {
    try {
      readHeader(frame.bytes);
      return true;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const { log, spool } = this.#options;
      log.error("spooled frame is damaged; it is given up", {
        position: frame.position,
        error: errorText(error),
      });
      if (!spool.discardFrom(frame.position)) this.#leave("the spool can neither be read nor changed");
      return false;
    }
  }

  #sendFrame(frame: SpooledFrame): void {
    const { position, epoch, sequence } = frame;
    this.#inFlight.push({ position, epoch, sequence });
    this.#cursor = position;
    this.#bytesSent += frame.bytes.length;
    this.#framesSent += 1;
    this.#connection?.send(frame.bytes);
  }
}
