/**
 * The other ends of the collector's sockets, spoken by hand over real WebSockets: an agent that sends what it is told to, good
 * or bad, and a reader of the live protocol that follows its rules and remembers every frame.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type RawData, WebSocket } from "ws";
import { systemClock } from "#shared/clock.ts";
import type { Incident } from "#shared/contract/incident.ts";
import {
  type Cursor,
  livePath,
  liveSubprotocol,
  type ServerFrame,
  serverFrameSchema,
  type SystemState,
} from "#shared/contract/live.ts";
import type { Ack, Control, Hello, Refuse, Welcome } from "#shared/wire/control.ts";
import { parseControl } from "#shared/wire/control.ts";
import { agentPath, agentSubprotocol } from "#shared/wire/wire.ts";
import type { Feed } from "./feed.ts";
import { until } from "./programs.ts";

export class AgentPeer {
  readonly welcome: Welcome;
  readonly messages: Control[] = [];
  readonly #socket: WebSocket;

  /** Says hello and waits for the welcome. */
  static async connect(
    port: number,
    given: { agentId: string; host: string; clockAheadMs?: number },
  ): Promise<AgentPeer> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${agentPath}`, agentSubprotocol);
    const messages: Control[] = [];
    socket.on("message", (data: RawData) => messages.push(parseControl((data as Buffer).toString())));
    const failed = new Promise<never>((_, reject) => socket.once("error", reject));
    failed.catch(() => {});
    await Promise.race([once(socket, "open"), failed]);
    socket.on("error", () => {});
    const hello: Hello = {
      t: "hello",
      v: 1,
      wire: [1],
      agent: given.agentId,
      host: given.host,
      version: "0.1.0",
      nowMs: Math.floor(systemClock.nowMs()) + (given.clockAheadMs ?? 0),
    };
    socket.send(JSON.stringify(hello));
    const welcome = await until(
      () => messages[0] ?? (socket.readyState === WebSocket.CLOSED ? ("closed" as const) : null),
      "the collector's welcome",
    );
    assert.ok(
      typeof welcome === "object" && welcome.t === "welcome",
      `want a welcome, got ${JSON.stringify(welcome)}`,
    );
    return new AgentPeer(socket, messages, welcome);
  }

  private constructor(socket: WebSocket, messages: Control[], welcome: Welcome) {
    this.#socket = socket;
    this.messages = messages;
    this.welcome = welcome;
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** Everything behind what is durable, up to `end`, and waits until it is acknowledged. */
  async deliver(feed: Feed, end = feed.frames.length): Promise<void> {
    for (const frame of feed.frames.slice(this.next(feed), end)) this.send(frame);
    await this.acked(end - 1);
  }

  /** The sequence that the collector wants next. */
  next(feed: Feed): number {
    const last = this.ackedUpTo();
    return last === null || last.epoch !== feed.epoch ? 0 : last.sequence + 1;
  }

  ackedUpTo(): { epoch: number; sequence: number } | null {
    const ack = this.messages.findLast((message): message is Ack => message.t === "ack");
    return ack ?? this.welcome.durable;
  }

  async acked(sequence: number): Promise<void> {
    await until(() => {
      const refusal = this.messages.find(({ t }) => t === "refuse");
      assert.equal(refusal, undefined, JSON.stringify(refusal));
      return (this.ackedUpTo()?.sequence ?? -1) >= sequence;
    }, `the acknowledgement of frame ${sequence}`);
  }

  /** Why the collector has closed this connection. */
  async refused(): Promise<Refuse> {
    await until(() => this.#socket.readyState === WebSocket.CLOSED, "a refusal");
    const refusal = this.messages.find((message): message is Refuse => message.t === "refuse");
    assert.ok(refusal !== undefined, "the connection was closed without a word");
    return refusal;
  }

  /** As when its process dies. */
  cut(): void {
    this.#socket.terminate();
  }

  async bye(): Promise<void> {
    this.#socket.send(JSON.stringify({ t: "bye", reason: "stopped" }));
    if (this.#socket.readyState !== WebSocket.CLOSED) await once(this.#socket, "close");
  }
}

/** Follows the incidents over any number of connections: resumes, and holds each frame against the rules. */
export class LiveReader {
  /** What the collector has told, by id. */
  readonly incidents = new Map<string, Incident>();
  /** Every `put` that came, with what it came as. */
  readonly puts: { readonly seq: number; readonly item: Incident }[] = [];
  /** How each subscription began. */
  readonly starts: ("snapshot" | "gap" | "resumed")[] = [];
  cursor: Cursor | null = null;
  /** What the collector says of itself; null until it has said so on this connection. */
  system: SystemState | null = null;
  #socket: WebSocket | null = null;

  /** Resolves when the first frame of the channel has come. */
  async connect(port: number): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${livePath}`, liveSubprotocol);
    this.#socket = socket;
    await Promise.race([
      once(socket, "open"),
      new Promise<never>((_, reject) => socket.once("error", reject)),
    ]);
    socket.on("error", () => {});
    socket.on("message", (data: RawData) =>
      this.#hear(serverFrameSchema.parse(JSON.parse((data as Buffer).toString()))),
    );
    socket.send(JSON.stringify({ t: "hello", v: 1, client: "test" }));
    const begun = this.starts.length;
    const resume = this.cursor === null ? {} : { resume: this.cursor };
    this.system = null;
    socket.send(JSON.stringify({ t: "sub", ch: "incidents", ...resume }));
    socket.send(JSON.stringify({ t: "sub", ch: "system" }));
    await until(() => this.starts.length > begun, "the channel's first frame");
  }

  #hear(frame: ServerFrame): void {
    switch (frame.t) {
      case "snap":
        this.starts.push(frame.gap ? "gap" : "snapshot");
        if (frame.part === 1) this.incidents.clear();
        for (const incident of frame.items) this.incidents.set(incident.id, incident);
        this.cursor = { epoch: frame.epoch, seq: frame.seq };
        return;
      case "resumed":
        assert.deepEqual(
          { epoch: frame.epoch, seq: frame.from },
          this.cursor,
          "resumed where the reader was",
        );
        this.starts.push("resumed");
        return;
      case "put":
        assert.ok(this.cursor !== null, "a delta before the channel began");
        this.puts.push({ seq: frame.seq, item: frame.item });
        this.cursor = { ...this.cursor, seq: frame.seq };
        this.incidents.set(frame.item.id, frame.item);
        return;
      case "state":
        if (frame.ch === "system") this.system = frame.body;
        return;
      default:
        return;
    }
  }

  /** The newest telling of an incident that fits. */
  async told(what: string, fits: (incident: Incident) => boolean): Promise<Incident> {
    return until(() => [...this.incidents.values()].find(fits), what);
  }

  /** No delta was left out or came twice, over all connections. */
  inOrder(): void {
    for (const [index, { seq }] of this.puts.entries()) {
      if (index > 0) assert.equal(seq, this.puts[index - 1]!.seq + 1, "the sequence of the deltas");
    }
  }

  close(): void {
    this.#socket?.terminate();
  }
}
