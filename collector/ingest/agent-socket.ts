/**
 * The agents' door: WebSocket connections with subprotocol `causeway.agent.v1` (specified in `shared/wire/README.md`).
 *
 * hello, welcome, then frames one way and acknowledgements the other. A frame is acknowledged when the journal has it
 * durable; acknowledgements of one turn of the event loop become one. What is refused is refused with a sentence, closes
 * only its own connection and is counted by reason. When too much waits for the disk, all sockets are left unread: the
 * agents' spools are the place to wait. Admission of returning agents is limited per second, so that ten thousand of them do
 * not starve the samples of the others.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { jsonEntry, type Journal } from "#collector/journal/journal.ts";
import type { Clock, Timer } from "#shared/clock.ts";
import { errorText } from "#shared/errors.ts";
import { limits as usualLimits } from "#shared/limits.ts";
import type { Log } from "#shared/log.ts";
import type { Position } from "#shared/wire/control.ts";
import { agentSubprotocol } from "#shared/wire/wire.ts";
import { AgentConnection, type Refusal } from "./agent-connection.ts";
import { AgentStream } from "./admit.ts";
import type { IngestCounters } from "./counters.ts";
import type { ConnectionEnd, Presence } from "./presence.ts";

export interface AgentSocketOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly log: Log;
  readonly counters: IngestCounters;
  readonly limits?: Partial<Record<LimitName, number>>;
}
type LimitName =
  | "agentHellosPerSecondMax"
  | "agentConnectionsMax"
  | "ingestBytesInFlightMax"
  | "clockErrorMsMax";

export interface AgentSocket {
  /** For `agentPath`; `push/http.ts` calls it. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly connections: number;
  /** Tells every agent to come back later and closes; what was received is still appended. */
  close(): Promise<void>;
}

/** Agents that are away and whose decoders are kept; beyond it they are rebuilt from the journal. */
const idleStreamsMax = 1_000;
const watchMs = 1_000;
const pausedWatchMs = 100;
/** Reading goes on when this share of the limit is free again. */
const resumeShare = 0.5;

export function createAgentSocket(options: AgentSocketOptions): AgentSocket {
  return new Door(options);
}

export class Door implements AgentSocket {
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: IngestCounters;
  readonly limits: Readonly<Record<LimitName, number>>;
  readonly #journal: Journal;
  readonly #server: WebSocketServer;
  readonly #connections = new Set<AgentConnection>();
  readonly #byAgent = new Map<string, AgentConnection>();
  /** By agent, the longest unused first. */
  readonly #streams = new Map<string, AgentStream>();
  readonly #toAcknowledge = new Set<AgentStream>();
  #inFlightBytes = 0;
  #paused = false;
  #closing = false;
  #hellos = 0;
  #hellosSinceMs = 0;
  #watch: Timer;

  constructor({ clock, journal, log, counters, limits }: AgentSocketOptions) {
    this.clock = clock;
    this.log = log;
    this.counters = counters;
    this.limits = { ...usualLimits, ...limits };
    this.#journal = journal;
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      // Above the limit of a frame, so that a frame that is too large gets a sentence and not only a close code.
      maxPayload: usualLimits.frameBytesMax * 2,
      handleProtocols: () => agentSubprotocol,
    });
    this.#watch = clock.after(watchMs, () => this.#look());
  }

  get connections(): number {
    return this.#connections.size;
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    if (!offered.includes(agentSubprotocol)) {
      this.counters.refusedConnection("subprotocol");
      refuseUpgrade(socket, 400, `want subprotocol ${agentSubprotocol}`);
    } else if (this.#closing) {
      this.counters.refusedConnection("draining");
      refuseUpgrade(socket, 503, "the collector is stopping");
    } else if (this.#connections.size >= this.limits.agentConnectionsMax) {
      this.counters.refusedConnection("too_many");
      refuseUpgrade(socket, 503, `${this.limits.agentConnectionsMax} agents are connected, the limit`);
    } else {
      this.#server.handleUpgrade(request, socket, head, (websocket) => this.#accept(websocket));
    }
  }

  #accept(websocket: WebSocket): void {
    const connection = new AgentConnection(this, websocket);
    this.#connections.add(connection);
    this.counters.agents(this.#connections.size);
  }

  /** Null: it may come in. */
  mayGreet(): Refusal | null {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#hellosSinceMs >= 1_000) {
      this.#hellosSinceMs = nowMs;
      this.#hellos = 0;
    }
    this.#hellos += 1;
    if (this.#hellos > this.limits.agentHellosPerSecondMax) {
      return { reason: "rate", message: "too many agents come at once", retryInMs: 2_000 };
    }
    if (this.#journal.stats().state !== "failed") return null;
    return { reason: "draining", message: "the journal has failed", retryInMs: 30_000 };
  }

  /** The agent's stream, now this connection's. An older connection of the same agent is closed. */
  claim(agentId: string, connection: AgentConnection): AgentStream {
    const older = this.#byAgent.get(agentId);
    this.#byAgent.set(agentId, connection);
    older?.replaced();
    const stream = this.#streams.get(agentId) ?? new AgentStream(agentId, this.#journal);
    this.#streams.delete(agentId);
    this.#streams.set(agentId, stream);
    this.#dropIdle();
    // Its hello was still read: an agent that is welcome and waits does not come again and again.
    if (this.#paused) connection.pause();
    return stream;
  }

  #dropIdle(): void {
    let idle = this.#streams.size - this.#byAgent.size;
    if (idle <= idleStreamsMax) return;
    for (const [agentId, stream] of this.#streams) {
      if (idle <= idleStreamsMax) return;
      if (stream.pending > 0 || this.#byAgent.has(agentId)) continue;
      this.#streams.delete(agentId);
      idle -= 1;
    }
  }

  left(connection: AgentConnection, how: ConnectionEnd | "replaced"): void {
    this.#connections.delete(connection);
    this.counters.agents(this.#connections.size);
    const { agentId } = connection;
    // A replaced connection is no end: the agent is here, on another one.
    if (agentId === null || how === "replaced") return;
    if (this.#byAgent.get(agentId) === connection) this.#byAgent.delete(agentId);
    this.present(agentId, { t: "closed", atMs: this.#nowMs(), agent: agentId, how });
  }

  #nowMs(): number {
    return Math.floor(this.clock.nowMs());
  }

  present(agentId: string, presence: Presence): void {
    const entry = jsonEntry("presence", agentId, presence.atMs, presence);
    this.#journal.append(entry).catch((error: unknown) => {
      this.log.warn("presence could not be journaled", { agent: agentId, error: errorText(error) });
    });
  }

  /** Admits a frame and hands it to the journal. Throws `WireError`. */
  take(stream: AgentStream, bytes: Uint8Array, skewMs: number): void {
    this.counters.received(bytes.length);
    const admitted = stream.admit(bytes, skewMs, this.clock.nowMs());
    if (admitted.kind === "repeated") {
      this.counters.repeated();
      if (stream.durable !== null && isAtOrBefore(admitted.at, stream.durable)) this.#acknowledge(stream);
      return;
    }
    const { entry, decoded, gap } = admitted;
    this.counters.admitted(entry.samples, bytes.length);
    if (gap) this.counters.gap();
    for (const { reason, samples } of decoded.losses) this.counters.lost(reason, samples);
    this.#inFlightBytes += bytes.length;
    stream.pending += 1;
    this.#journal.append(entry, decoded).then(
      () =>
        this.#durable(
          stream,
          { epoch: decoded.header.epoch, sequence: decoded.header.sequence },
          bytes.length,
        ),
      (error: unknown) => this.#notTaken(stream, bytes.length, error),
    );
    if (this.#inFlightBytes > this.limits.ingestBytesInFlightMax) this.#pause();
  }

  #durable(stream: AgentStream, at: Position, sizeBytes: number): void {
    this.#inFlightBytes -= sizeBytes;
    stream.pending -= 1;
    stream.durable = at;
    this.#acknowledge(stream);
  }

  #notTaken(stream: AgentStream, sizeBytes: number, error: unknown): void {
    this.#inFlightBytes -= sizeBytes;
    stream.pending -= 1;
    if (this.#closing) return;
    this.log.error("frame could not be journaled", { agent: stream.agentId, error: errorText(error) });
    const connection = this.#byAgent.get(stream.agentId);
    connection?.refuse({ reason: "draining", message: "the journal has failed", retryInMs: 30_000 }, null);
    if (stream.pending === 0) this.#streams.delete(stream.agentId);
  }

  /** Acknowledges what is durable at the end of this turn of the event loop. */
  #acknowledge(stream: AgentStream): void {
    if (this.#toAcknowledge.size === 0) setImmediate(() => this.#sendAcknowledgements());
    this.#toAcknowledge.add(stream);
  }

  #sendAcknowledgements(): void {
    for (const { agentId, durable } of this.#toAcknowledge) {
      if (durable !== null) this.#byAgent.get(agentId)?.acknowledge(durable);
    }
    this.#toAcknowledge.clear();
  }

  #look(): void {
    const { state, waitingBytes } = this.#journal.stats();
    const most = this.limits.ingestBytesInFlightMax;
    const waiting = Math.max(waitingBytes, this.#inFlightBytes);
    this.counters.inFlight(waiting);
    if (state !== "ok" || waiting > most) this.#pause();
    else if (this.#paused && waiting < most * resumeShare) this.#resume();
    for (const connection of this.#connections) connection.look();
    if (!this.#closing) this.#watchAfter(this.#paused ? pausedWatchMs : watchMs);
  }

  #watchAfter(delayMs: number): void {
    this.#watch.cancel();
    this.#watch = this.clock.after(delayMs, () => this.#look());
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.log.warn("stopped reading from agents", { inFlightBytes: this.#inFlightBytes });
    for (const connection of this.#connections) connection.pause();
    this.#watchAfter(pausedWatchMs);
  }

  #resume(): void {
    this.#paused = false;
    this.log.info("reading from agents again");
    for (const connection of this.#connections) connection.resume();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#watch.cancel();
    for (const connection of this.#connections) {
      connection.refuse({ reason: "draining", message: "the collector is stopping", retryInMs: 1_000 }, null);
    }
    this.#server.close();
    await new Promise((resolve) => setImmediate(resolve));
    for (const connection of this.#connections) connection.terminate();
  }
}

function isAtOrBefore(a: Position, b: Position): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.sequence <= b.sequence);
}

/** Before the upgrade: a plain HTTP answer. */
function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  socket.on("error", () => {});
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${status === 400 ? "Bad Request" : "Service Unavailable"}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
