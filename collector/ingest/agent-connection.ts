/**
 * One agent's connection: from its hello to its end.
 *
 * The agent's clock is compared with ours at hello. A large error is subtracted from all times of the connection and noted
 * with it; a frame that is still from the future closes the connection, because the clock was changed since.
 */
import { errorText, WireError, type WireErrorReason } from "#shared/errors.ts";
import { parseControl, type Control, type Hello, type Position } from "#shared/wire/control.ts";
import { readHeader, wireVersion } from "#shared/wire/wire.ts";
import type { AgentStream } from "./admit.ts";
import type { Door } from "./agent-socket.ts";
import type { ConnectionRefusal } from "./counters.ts";
import type { ConnectionEnd } from "./presence.ts";

/** What a connection needs of `ws`. */
export interface AgentWebSocket {
  readonly readyState: number;
  readonly OPEN: number;
  on(event: "message", listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: "ping" | "pong" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  send(data: string): void;
  ping(): void;
  pause(): void;
  resume(): void;
  close(code: number): void;
  terminate(): void;
}

export interface Refusal {
  readonly reason: ConnectionRefusal | WireErrorReason | "replaced";
  readonly message: string;
  readonly retryInMs: number;
}

const helloMs = 5_000;
const pingMs = 15_000;
const silentMs = 45_000;
/** The peer's answer to our close is not waited for longer. */
const closingMs = 2_000;
/** Refused for what it is, not for the moment: coming back at once would be refused again. */
const versionRetryMs = 300_000;
const retryMs = 1_000;
const messageMax = 500;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class AgentConnection {
  agentId: string | null = null;
  readonly #door: Door;
  readonly #websocket: AgentWebSocket;
  #stream: AgentStream | null = null;
  #skewMs = 0;
  readonly #sinceMs: number;
  #heardMs: number;
  #pingedMs: number;
  #closedMs = Number.POSITIVE_INFINITY;
  #end: ConnectionEnd | "replaced" | null = null;
  #gone = false;
  #paused = false;

  constructor(door: Door, websocket: AgentWebSocket) {
    this.#door = door;
    this.#websocket = websocket;
    this.#sinceMs = this.#heardMs = this.#pingedMs = door.clock.monotonicMs();
    websocket.on("message", (data, isBinary) => this.#heard(data, isBinary));
    websocket.on("pong", () => this.#alive());
    websocket.on("ping", () => this.#alive());
    websocket.on("error", (error) => this.#broken(error));
    websocket.on("close", () => this.#left());
  }

  #alive(): void {
    this.#heardMs = this.#door.clock.monotonicMs();
  }

  #broken(error: Error): void {
    const code = "code" in error ? String(error.code) : "";
    if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") this.#door.counters.refusedFrame("oversized");
    this.#end ??= code.startsWith("WS_ERR") ? "refused" : "closed";
  }

  #left(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#door.left(this, this.#end ?? "closed");
  }

  #heard(data: Buffer, isBinary: boolean): void {
    if (this.#end !== null) return;
    this.#alive();
    try {
      if (!isBinary) this.#heardControl(parseControl(data.toString("utf8")));
      else if (this.#stream === null) this.#refuseConnection("hello", "a frame came before hello", retryMs);
      else this.#heardFrame(this.#stream, data);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#refuseConnection("hello", errorText(error), retryMs);
    }
  }

  #heardFrame(stream: AgentStream, data: Buffer): void {
    try {
      this.#door.take(stream, data, this.#skewMs);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#door.counters.refusedFrame(error.reason);
      this.#door.log.warn("frame refused", {
        agent: this.agentId,
        reason: error.reason,
        error: errorText(error),
        sizeBytes: data.length,
      });
      this.refuse({ reason: error.reason, message: errorText(error), retryInMs: retryMs }, positionIn(data));
    }
  }

  #heardControl(message: Control): void {
    if (message.t === "hello" && this.#stream === null) {
      this.#greet(message);
    } else if (message.t === "bye" && this.#stream !== null) {
      this.#end = "bye";
      this.#close(1000);
    } else {
      this.#refuseConnection("hello", `${message.t} is not expected here`, retryMs);
    }
  }

  #greet(hello: Hello): void {
    const door = this.#door;
    if (!hello.wire.includes(wireVersion)) {
      const spoken = hello.wire.join(", ");
      this.#refuseConnection(
        "version",
        `this collector reads frames of version ${wireVersion}, the agent writes ${spoken}: update one of them`,
        versionRetryMs,
      );
      return;
    }
    if (!uuidPattern.test(hello.agent) || hello.host === "") {
      this.#refuseConnection("hello", "hello needs the agent's UUID and its host's name", retryMs);
      return;
    }
    const refusal = door.mayGreet();
    if (refusal !== null) {
      this.#refuseConnection(refusal.reason as ConnectionRefusal, refusal.message, refusal.retryInMs);
      return;
    }
    this.#welcome(hello);
  }

  #welcome({ agent, host, version, nowMs }: Hello): void {
    const door = this.#door;
    const atMs = Math.floor(door.clock.nowMs());
    const clockErrorMs = nowMs - atMs;
    const corrected = Math.abs(clockErrorMs) > door.limits.clockErrorMsMax;
    this.#skewMs = corrected ? clockErrorMs : 0;
    this.agentId = agent;
    this.#stream = door.claim(agent, this);
    if (corrected)
      door.log.warn("agent's clock is wrong; its times are corrected", { agent, host, clockErrorMs });
    this.#send({ t: "welcome", v: 1, nowMs: atMs, durable: this.#stream.durable, clockErrorMs });
    door.present(agent, { t: "connected", atMs, agent, host, version, clockErrorMs, corrected });
  }

  acknowledge({ epoch, sequence }: Position): void {
    this.#send({ t: "ack", epoch, sequence });
  }

  #refuseConnection(reason: ConnectionRefusal, message: string, retryInMs: number): void {
    this.#door.counters.refusedConnection(reason);
    this.#door.log.warn("agent refused", {
      agent: this.agentId,
      reason,
      error: message.slice(0, messageMax),
    });
    this.refuse({ reason, message, retryInMs }, null);
  }

  /** Says why and closes. */
  refuse({ reason, message, retryInMs }: Refusal, at: Position | null): void {
    if (this.#end !== null) return;
    this.#send({ t: "refuse", reason, message: message.slice(0, messageMax), retryInMs, at });
    this.#end = reason === "draining" || reason === "replaced" ? reason : "refused";
    this.#close(1008);
  }

  /** The same agent has connected again: this connection is an old one that nobody has missed yet. */
  replaced(): void {
    this.refuse(
      { reason: "replaced", message: "the same agent id connected again", retryInMs: retryMs },
      null,
    );
  }

  /** Called every second or so. */
  look(): void {
    const nowMs = this.#door.clock.monotonicMs();
    if (nowMs - this.#closedMs >= closingMs) return this.terminate();
    if (this.#end !== null) return;
    if (this.#stream === null && nowMs - this.#sinceMs >= helloMs) {
      return this.#refuseConnection("hello_timeout", `no hello within ${helloMs} ms`, retryMs);
    }
    // What is not read is not heard: a paused agent is not silent.
    if (!this.#paused && nowMs - this.#heardMs >= silentMs) {
      this.#end = "timeout";
      return this.terminate();
    }
    if (nowMs - this.#pingedMs < pingMs || this.#websocket.readyState !== this.#websocket.OPEN) return;
    this.#pingedMs = nowMs;
    this.#websocket.ping();
  }

  pause(): void {
    this.#paused = true;
    if (this.#end === null) this.#websocket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#alive();
    this.#websocket.resume();
  }

  terminate(): void {
    this.#websocket.terminate();
    this.#left();
  }

  #close(code: number): void {
    this.#closedMs = this.#door.clock.monotonicMs();
    // A paused socket would not see the other side's answer.
    this.#websocket.resume();
    this.#websocket.close(code);
  }

  #send(message: Control): void {
    if (this.#websocket.readyState === this.#websocket.OPEN) this.#websocket.send(JSON.stringify(message));
  }
}

/** The position of a refused frame, when its header can be trusted. */
function positionIn(bytes: Uint8Array): Position | null {
  try {
    const { epoch, sequence } = readHeader(bytes);
    return { epoch, sequence };
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
