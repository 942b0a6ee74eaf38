/**
 * A network in memory: the agent's real `Send` and `Spool` on one side, the collector's real admission and journal on the
 * other, and between them a wire that can be cut at any moment, in either direction, with what is on it.
 */
import { AgentStream } from "#collector/ingest/admit.ts";
import type { Journal } from "#collector/journal/journal.ts";
import type { Connection, ConnectionEvents } from "#agent/send/send.ts";
import { WireError } from "#shared/errors.ts";
import { parseControl, type Control } from "#shared/wire/control.ts";
import { readHeader } from "#shared/wire/wire.ts";
import type { SimClock } from "#test/sim/sim-clock.ts";

const delayMs = 3;

/** The collector's door without WebSockets: the same `AgentStream`, the same journal, the same messages. */
export class SimCollector {
  readonly #clock: SimClock;
  #journal: Journal | null;
  #streams = new Map<string, AgentStream>();
  #link: Link | null = null;
  readonly refusals: string[] = [];
  /** Answers every frame that this returns a reason for with a refusal. */
  refuseFrame: (sequence: number) => "malformed" | null = () => null;
  connections = 0;
  /** Takes no connections: those who would connect are dead already. */
  deaf = false;

  constructor(clock: SimClock, journal: Journal) {
    this.#clock = clock;
    this.#journal = journal;
  }

  /** The process died: connections break, what was not durable is gone. */
  die(): void {
    this.#journal = null;
    this.#streams = new Map();
    this.cut();
  }

  rise(journal: Journal): void {
    this.#journal = journal;
  }

  /** The cable is pulled: what is on the wire is lost. */
  cut(): void {
    const link = this.#link;
    this.#link = null;
    link?.break();
  }

  /** For `Send`. */
  connect(events: ConnectionEvents): Connection {
    const link = new Link(this.#clock, events);
    if (this.#journal === null || this.deaf) {
      this.#clock.after(delayMs, () => link.break());
      return link;
    }
    this.#link?.break();
    this.#link = link;
    this.connections += 1;
    link.received = (data) => this.#received(link, data);
    this.#clock.after(delayMs, () => link.open());
    return link;
  }

  #received(link: Link, data: string | Uint8Array): void {
    if (this.#journal === null || this.#link !== link) return;
    if (typeof data === "string") this.#control(link, parseControl(data));
    else this.#frame(link, data);
  }

  #control(link: Link, message: Control): void {
    if (message.t !== "hello" || this.#journal === null) return;
    const stream = this.#streams.get(message.agent) ?? new AgentStream(message.agent, this.#journal);
    this.#streams.set(message.agent, stream);
    link.stream = stream;
    link.tell({ t: "welcome", v: 1, nowMs: this.#clock.nowMs(), durable: stream.durable, clockErrorMs: 0 });
  }

  #frame(link: Link, bytes: Uint8Array): void {
    const { stream } = link;
    if (stream === null || this.#journal === null) return;
    const { epoch, sequence } = readHeader(bytes);
    const refusal = this.refuseFrame(sequence);
    if (refusal !== null) return this.#refuse(link, refusal, { epoch, sequence });
    try {
      const admitted = stream.admit(bytes, 0, this.#clock.nowMs());
      if (admitted.kind === "repeated") {
        if (stream.durable !== null) link.tell({ t: "ack", ...stream.durable });
        return;
      }
      stream.pending += 1;
      this.#journal.append(admitted.entry, admitted.decoded).then(
        () => {
          stream.pending -= 1;
          stream.durable = { epoch, sequence };
          if (this.#link?.stream === stream) this.#link.tell({ t: "ack", epoch, sequence });
          return undefined;
        },
        () => {},
      );
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#refuse(link, error.reason, { epoch, sequence });
    }
  }

  #refuse(link: Link, reason: string, at: { epoch: number; sequence: number }): void {
    this.refusals.push(reason);
    link.tell({ t: "refuse", reason, message: "no", retryInMs: 10, at });
    link.stream = null;
  }
}

class Link implements Connection {
  readonly #clock: SimClock;
  readonly #events: ConnectionEvents;
  #state: "opening" | "open" | "broken" = "opening";
  received: (data: string | Uint8Array) => void = () => {};
  stream: AgentStream | null = null;
  readonly bufferedBytes = 0;

  constructor(clock: SimClock, events: ConnectionEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  open(): void {
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#events.opened();
  }

  break(): void {
    if (this.#state === "broken") return;
    this.#state = "broken";
    this.#events.closed("connection broke");
  }

  tell(message: Control): void {
    this.#later(() => this.#events.message(JSON.stringify(message)));
  }

  send(data: string | Uint8Array): void {
    const copy = typeof data === "string" ? data : data.slice();
    this.#later(() => this.received(copy));
  }

  ping(): void {
    this.#later(() => this.#events.alive());
  }

  close(): void {
    this.#state = "broken";
  }

  terminate(): void {
    this.#state = "broken";
  }

  #later(act: () => void): void {
    this.#clock.after(delayMs, () => {
      if (this.#state === "open") act();
    });
  }
}
