/**
 * Decides for each frame of one agent: new, repeated or refused. Nothing that is admitted cannot be decoded later.
 *
 * A frame is decoded before it is appended, so that the journal holds only what every reader can read; the result travels on
 * with the entry and is not made twice. An agent's state survives its connections. After a restart of the collector it is
 * rebuilt from the journal's last segment when the first delta comes.
 */
import type { Journal, JournalEntry } from "#collector/journal/journal.ts";
import { WireError } from "#shared/errors.ts";
import { limits } from "#shared/limits.ts";
import type { Position } from "#shared/wire/control.ts";
import { FrameDecoder, readHeader, type DecodedFrame, type FrameHeader } from "#shared/wire/wire.ts";

export type Admitted =
  | {
      readonly kind: "new";
      readonly entry: JournalEntry;
      readonly decoded: DecodedFrame;
      readonly gap: boolean;
    }
  | { readonly kind: "repeated"; readonly at: Position };

export class AgentStream {
  readonly agentId: string;
  readonly #journal: Pick<Journal, "last" | "has" | "segmentUpTo">;
  /** The last frame that the journal holds durably, or null. */
  durable: Position | null;
  /** Frames handed to the journal and not yet durable. */
  pending = 0;
  /** The last frame admitted, durable or on its way. */
  #admitted: Position | null;
  #decoder: FrameDecoder | null = null;
  /** The last frame that `#decoder` has seen. */
  #decodedAt: Position | null = null;

  constructor(agentId: string, journal: Pick<Journal, "last" | "has" | "segmentUpTo">) {
    this.agentId = agentId;
    this.#journal = journal;
    this.durable = journal.last(agentId);
    this.#admitted = this.durable;
  }

  /**
   * `skewMs` is what the agent's clock is ahead by, `nowMs` the collector's time. Throws `WireError`; then nothing of the
   * frame is remembered.
   */
  admit(bytes: Uint8Array, skewMs: number, nowMs: number): Admitted {
    const header = readHeader(bytes);
    if (header.agentId !== this.agentId) {
      throw new WireError("malformed", `frame of agent ${header.agentId} on a connection of ${this.agentId}`);
    }
    const order = this.#orderOf(header);
    if (order === "repeated") {
      this.#catchUp(header, bytes);
      return { kind: "repeated", at: header };
    }
    const decoded = this.#decode(header, bytes);
    const entry = entryOf(decoded, bytes, skewMs);
    if (entry.lastMs - nowMs > limits.clockErrorMsMax) {
      // Decoded and not taken: what follows must not build on it.
      this.forget();
      throw new WireError(
        "clock",
        `frame is ${Math.round(entry.lastMs - nowMs)} ms in the future, limit is ${limits.clockErrorMsMax} (limits.clockErrorMsMax): say hello again`,
      );
    }
    this.#admitted = { epoch: header.epoch, sequence: header.sequence };
    return { kind: "new", entry, decoded, gap: order === "gap" };
  }

  /** Drops the decoder: the next delta rebuilds it from what is durable. */
  forget(): void {
    this.#decoder = null;
    this.#decodedAt = null;
  }

  /** The journal did not take what was pending: begin again behind what it holds. */
  reset(): void {
    this.forget();
    this.durable = this.#journal.last(this.agentId);
    this.#admitted = this.durable;
  }

  #orderOf({ key, epoch, sequence }: FrameHeader): "next" | "gap" | "repeated" {
    const before = this.#admitted;
    if (before !== null && before.epoch === epoch) {
      if (sequence <= before.sequence) return "repeated";
      if (sequence === before.sequence + 1) return "next";
      // The agent's spool may have dropped whole segments; its loss records follow.
      if (key) return "gap";
      throw new WireError(
        "out_of_order",
        `frame ${epoch}/${sequence} came after ${before.epoch}/${before.sequence}`,
      );
    }
    if (before !== null && this.#journal.has(this.agentId, { epoch, sequence })) return "repeated";
    if (key) return "next";
    const reason = before === null ? "no_key_frame" : "out_of_order";
    throw new WireError(reason, `frame ${epoch}/${sequence} is the first of its epoch here and no key frame`);
  }

  #decode(header: FrameHeader, bytes: Uint8Array): DecodedFrame {
    const { key, epoch, sequence } = header;
    if (key) this.#decoder ??= new FrameDecoder();
    else if (!follows(this.#decodedAt, header)) this.#rebuild({ epoch, sequence: sequence - 1 });
    if (this.#decoder === null) {
      throw new WireError(
        "no_key_frame",
        `the segment of frame ${epoch}/${sequence} is not here: send its key frame`,
      );
    }
    const decoded = this.#decoder.decode(bytes);
    this.#decodedAt = { epoch, sequence };
    return decoded;
  }

  #rebuild(last: Position): void {
    this.forget();
    const records = this.#journal.segmentUpTo(this.agentId, last);
    if (records.length === 0) return;
    const decoder = new FrameDecoder();
    for (const { bytes } of records) decoder.decode(bytes);
    this.#decoder = decoder;
    this.#decodedAt = last;
  }

  /** An agent that was told to begin at its key frame repeats what is durable: the decoder may need it. */
  #catchUp(header: FrameHeader, bytes: Uint8Array): void {
    const { key, epoch, sequence } = header;
    if (!(key && this.#decoder === null) && !follows(this.#decodedAt, header)) return;
    this.#decoder ??= new FrameDecoder();
    this.#decoder.decode(bytes);
    this.#decodedAt = { epoch, sequence };
  }
}

function follows(before: Position | null, { epoch, sequence }: Position): boolean {
  return before !== null && before.epoch === epoch && before.sequence + 1 === sequence;
}

function entryOf({ header, ticks }: DecodedFrame, bytes: Uint8Array, skewMs: number): JournalEntry {
  const { agentId: stream, epoch, sequence, key, baseTimeMs } = header;
  let samples = 0;
  let series = 0;
  for (const { values } of ticks) {
    let present = 0;
    for (let column = 0; column < values.length; column += 1) if (!Number.isNaN(values[column])) present += 1;
    samples += present;
    series = Math.max(series, present);
  }
  const firstMs = (ticks[0]?.timeMs ?? baseTimeMs) - skewMs;
  const lastMs = (ticks.at(-1)?.timeMs ?? baseTimeMs) - skewMs;
  return { kind: "frame", stream, epoch, sequence, key, firstMs, lastMs, samples, series, skewMs, bytes };
}
