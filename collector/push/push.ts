/**
 * The live protocol's server: the console's incidents as they change, in order, without a hole that is not announced.
 *
 * `shared/contract/live.ts` is the protocol, `README.md` beside this file says what a reader may rely on. The sequence is
 * the store's, not the socket's, so a restart of the collector is to a reader no more than a lost connection. A slow reader
 * costs others nothing: each has its own queue of shared Buffers, loses states of conflated channels first, and is closed
 * before it holds much; it comes back and resumes.
 * Cost: one JSON.stringify per delta and per state for all readers together.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { Metrics } from "#collector/self/metrics.ts";
import type { Delta, DeltaSource } from "#collector/store/store.ts";
import type { Clock } from "#shared/clock.ts";
import { every } from "#shared/clock.ts";
import type { Host } from "#shared/contract/api.ts";
import { clientFrameSchema, heartbeatMs, liveCloseCodes, liveSubprotocol } from "#shared/contract/live.ts";
import type { Channel, ClientFrame, Cursor, SystemState } from "#shared/contract/live.ts";
import type { Limits } from "#shared/limits.ts";
import type { Log } from "#shared/log.ts";
import { encodeFrame } from "./frames.ts";
import { History } from "./history.ts";
import { LiveClient } from "./live-client.ts";
import { refuseUpgrade } from "./refuse.ts";

export interface PushParts {
  readonly clock: Clock;
  readonly source: DeltaSource;
  readonly limits: Limits;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Shown to readers in `welcome`: the console reloads when it changes. */
  readonly build: string;
  /** Uniform in [0, 1): spreads the readers' return after a restart. */
  readonly random: () => number;
}

export interface StateBodies {
  readonly hosts: readonly Host[];
  readonly system: SystemState;
}
type StateChannel = keyof StateBodies;

/** 1012: the collector restarts and is back soon. 4503: it is being taken out of service. */
export type PushEnd = 1012 | typeof liveCloseCodes.draining;

export interface Push {
  /** Answers a WebSocket upgrade at `livePath`; host and origin were checked before. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Sends what `store.commit` returned. Deltas that were left out are read from the store, so a reader never sees a hole. */
  send(deltas: readonly Delta[]): void;
  /** The newest state of a conflated channel; readers get it at most once a second. */
  setState<C extends StateChannel>(channel: C, body: StateBodies[C]): void;
  readonly clients: number;
  /** Says goodbye to every reader; resolves when all sockets are gone, after `closeWaitMs` at the latest. */
  close(code?: PushEnd): Promise<void>;
}

const tickMs = 1_000;
const pingMs = 20_000;
const pongTimeoutMs = 45_000;
const closeWaitMs = 2_000;
/** Readers that come back spread over this long. */
const reconnectSpreadMs = 5_000;

type CloseReason = Parameters<Metrics["pushCloses"]["inc"]>[0]["reason"];

export function createPush(parts: PushParts): Push {
  return new PushServer(parts);
}

class PushServer implements Push {
  readonly #parts: PushParts;
  readonly #server: WebSocketServer;
  readonly #clients = new Set<LiveClient>();
  /** Every open socket, those that were refused and are still closing included. */
  readonly #sockets = new Set<WebSocket>();
  readonly #states = new Map<
    StateChannel,
    { number: number; body: StateBodies[StateChannel]; frame?: Buffer }
  >();
  readonly #history: History;
  readonly #timers;
  #ended = false;

  constructor(parts: PushParts) {
    this.#parts = parts;
    this.#history = new History(parts.source, parts.limits);
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Compression of small frames costs more memory than it saves, and was the way in for several attacks.
      perMessageDeflate: false,
      maxPayload: parts.limits.controlBytesMax,
      maxFragments: 64,
      maxBufferedChunks: 1024,
      handleProtocols: (offered) => offered.has(liveSubprotocol) && liveSubprotocol,
    });
    this.#timers = [
      every(parts.clock, tickMs, () => this.#tick()),
      every(parts.clock, heartbeatMs, () => this.#heartbeat()),
      every(parts.clock, pingMs, () => this.#eachGreeted((client) => client.socket.ping())),
    ];
  }

  get clients(): number {
    return this.#clients.size;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const offered = request.headers["sec-websocket-protocol"];
    const { liveClientsMax } = this.#parts.limits;
    if (this.#ended) {
      refuseUpgrade(socket, 503, "draining", "this collector stops");
    } else if (offered !== undefined && !offered.split(",").some((name) => name.trim() === liveSubprotocol)) {
      const message = `this endpoint speaks ${liveSubprotocol} only; offer it in Sec-WebSocket-Protocol`;
      refuseUpgrade(socket, 400, "subprotocol", message);
    } else if (this.#sockets.size >= liveClientsMax * 2) {
      refuseUpgrade(
        socket,
        503,
        "too_many",
        `more than ${liveClientsMax} live sockets (limits.liveClientsMax)`,
      );
    } else {
      this.#server.handleUpgrade(request, socket, head, (websocket) => this.#accept(websocket));
    }
  }

  #accept(websocket: WebSocket): void {
    this.#sockets.add(websocket);
    websocket.on("close", () => this.#sockets.delete(websocket));
    const nowMs = this.#parts.clock.monotonicMs();
    const client = new LiveClient(websocket, {
      limits: this.#parts.limits,
      nowMs,
      lost: () =>
        this.#end(client, liveCloseCodes.slowConsumer, "slow", "fell behind the ring of deltas; resume"),
    });
    // An oversized or broken frame: ws closes the socket with the fitting code itself.
    websocket.on("error", () => {
      if (this.#forget(client)) this.#parts.metrics.pushCloses.inc({ reason: "bad_frame" });
    });
    if (websocket.protocol !== liveSubprotocol) {
      return this.#end(client, liveCloseCodes.subprotocol, "subprotocol", `offer ${liveSubprotocol}`);
    }
    if (this.#clients.size >= this.#parts.limits.liveClientsMax) {
      return this.#end(client, liveCloseCodes.tooMany, "too_many", "too many live sockets");
    }
    this.#clients.add(client);
    this.#parts.metrics.pushClients.set(this.#clients.size);
    websocket.on("close", () => this.#forget(client));
    websocket.on("pong", () => (client.heardMs = this.#parts.clock.monotonicMs()));
    websocket.on("message", (data, isBinary) => this.#hear(client, data, isBinary));
    this.#parts.clock.after(this.#parts.limits.liveHelloTimeoutMs, () => {
      if (!client.greeted) this.#end(client, liveCloseCodes.helloTimeout, "hello_timeout", "no hello came");
    });
  }

  #hear(client: LiveClient, data: WebSocket.RawData, isBinary: boolean): void {
    if (client.closing) return;
    const nowMs = this.#parts.clock.monotonicMs();
    client.heardMs = nowMs;
    if (!client.mayAsk(nowMs)) {
      return this.#end(client, liveCloseCodes.tooMany, "too_many", "too many frames in one minute");
    }
    const frame = isBinary ? undefined : parseClientFrame(data);
    if (frame === undefined || client.greeted === (frame.t === "hello")) {
      const message = "want one hello, then sub and unsub, as JSON text frames of causeway.live.v1";
      const last = encodeFrame({ t: "error", code: "bad_frame", message });
      return this.#end(client, liveCloseCodes.badFrame, "bad_frame", "bad frame", last);
    }
    if (frame.t === "hello") this.#greet(client);
    else if (frame.t === "unsub") client.unsubscribe(frame.ch);
    else this.#subscribe(client, frame.ch, frame.resume);
  }

  #greet(client: LiveClient): void {
    client.greeted = true;
    const { clock, build } = this.#parts;
    client.send(
      undefined,
      encodeFrame({ t: "welcome", v: 1, nowMs: clock.nowMs(), hbMs: heartbeatMs, build }),
    );
  }

  #subscribe(client: LiveClient, channel: Channel, resume: Cursor | undefined): void {
    if (client.subscribed.has(channel)) {
      const { duplicateSubscription } = liveCloseCodes;
      return this.#end(client, duplicateSubscription, "duplicate", `subscribed to ${channel} already`);
    }
    client.subscribed.add(channel);
    if (channel === "incidents") this.#begin(client, resume);
    else this.#sendState(client, channel);
  }

  /** The deltas after the reader's cursor if they are there, the whole channel if not. */
  #begin(client: LiveClient, resume: Cursor | undefined): void {
    const start = this.#history.begin(resume);
    client.startSeq = start.seq;
    this.#parts.metrics.pushStarts.inc({ kind: start.kind });
    client.sendPast("incidents", start.frames);
  }

  send(deltas: readonly Delta[]): void {
    for (const { seq, frame } of this.#history.add(deltas)) {
      for (const client of this.#clients) {
        if (!client.subscribed.has("incidents") || seq <= client.startSeq) continue;
        client.send("incidents", frame);
        this.#parts.metrics.pushFrames.inc({ channel: "incidents" });
      }
    }
  }

  setState<C extends StateChannel>(channel: C, body: StateBodies[C]): void {
    this.#states.set(channel, { number: (this.#states.get(channel)?.number ?? 0) + 1, body });
  }

  #sendState(client: LiveClient, channel: StateChannel): void {
    const state = this.#states.get(channel);
    if (state === undefined || client.stateSent.get(channel) === state.number) return;
    if (client.slow) return this.#parts.metrics.pushSkipped.inc();
    state.frame ??= Buffer.from(JSON.stringify({ t: "state", ch: channel, body: state.body }));
    client.stateSent.set(channel, state.number);
    client.send(channel, state.frame);
    this.#parts.metrics.pushFrames.inc({ channel });
  }

  #tick(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const client of this.#clients) {
      if (client.tooSlow(nowMs)) {
        this.#end(client, liveCloseCodes.slowConsumer, "slow", "reads too slowly; come back and resume");
      } else if (nowMs - client.heardMs >= pongTimeoutMs) {
        this.#end(client, liveCloseCodes.slowConsumer, "silent", "no answer to pings");
        client.socket.terminate();
      } else {
        for (const channel of this.#states.keys()) {
          if (client.subscribed.has(channel)) this.#sendState(client, channel);
        }
      }
    }
  }

  #heartbeat(): void {
    const frame = encodeFrame({
      t: "hb",
      nowMs: this.#parts.clock.nowMs(),
      // What was sent, not what was committed: a reader compares it with what it has.
      seq: { incidents: this.#history.sentSeq },
    });
    this.#eachGreeted((client) => client.send(undefined, frame));
  }

  #eachGreeted(task: (client: LiveClient) => void): void {
    for (const client of this.#clients) if (client.greeted) task(client);
  }

  /** False when it was forgotten before. */
  #forget(client: LiveClient): boolean {
    const known = this.#clients.delete(client);
    this.#parts.metrics.pushClients.set(this.#clients.size);
    return known;
  }

  #end(client: LiveClient, code: number, reason: CloseReason, message: string, last?: Buffer): void {
    if (client.closing) return;
    this.#forget(client);
    this.#parts.metrics.pushCloses.inc({ reason });
    this.#parts.log.info("live reader closed", { code, reason });
    client.close(code, message, last);
    this.#parts.clock.after(closeWaitMs, () => client.socket.terminate());
  }

  async close(code: PushEnd = 1012): Promise<void> {
    this.#ended = true;
    for (const timer of this.#timers) timer.cancel();
    for (const client of this.#clients) {
      const reconnectInMs = Math.round(this.#parts.random() * reconnectSpreadMs);
      this.#end(
        client,
        code,
        "draining",
        "this collector stops",
        encodeFrame({ t: "bye", code, reconnectInMs }),
      );
    }
    const gone = [...this.#sockets].map((socket) => new Promise((done) => socket.once("close", done)));
    await Promise.all(gone);
    this.#server.close();
  }
}

function parseClientFrame(data: WebSocket.RawData): ClientFrame | undefined {
  try {
    const parsed = clientFrameSchema.safeParse(JSON.parse(Buffer.isBuffer(data) ? data.toString() : ""));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
