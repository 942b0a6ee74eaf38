/**
 * Agent frames, `causeway.agent.v1`: the byte-level specification is README.md beside this file.
 *
 * A frame carries one or more ticks of one agent. Frames form segments: a key frame with every definition and absolute
 * values, then frames that hold only what is new or changed. So a frame is small, and any range can be read from the key
 * frame before it. Encoding costs about 25 ns a sample, decoding 28 (`npm run bench -- wire`); neither makes an object per sample.
 */
import { assert, WireError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Labels } from "../series.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { ColumnState, decodeColumns, encodeColumns } from "./columns.ts";
import { crc32c } from "./crc32c.ts";
import {
  type Definition,
  readDefinitions,
  readLabels,
  writeDefinitions,
  writeLabels,
} from "./definitions.ts";
import { type LossRecord, readLosses, writeLosses } from "./losses.ts";
import { uuidBytes, uuidText } from "./uuid.ts";

export type { Definition } from "./definitions.ts";
export { type LossReason, lossReasons, type LossRecord } from "./losses.ts";

export const wireVersion = 1;
export const agentSubprotocol = "causeway.agent.v1";
export const agentPath = "/agent/v1";

const magic = [0x43, 0x57] as const;
const flagKey = 0x01;
const crcBytes = 4;

const section = { resource: 1, definitions: 2, ticks: 3, losses: 4 } as const;
/** Sections from here on may be skipped by a reader that does not know them. */
const optionalSections = 128;

export interface FrameHeader {
  readonly version: number;
  readonly key: boolean;
  /** UUID in its usual spelling, lower case. */
  readonly agentId: string;
  /** New at every start of the agent. */
  readonly epoch: number;
  /** Grows by one with each frame of an epoch, from 0. */
  readonly sequence: number;
  readonly baseTimeMs: number;
  readonly intervalMs: number;
}

export interface FrameTick {
  readonly timeMs: number;
  /** By column; NaN where absent. Never written to after decoding. */
  readonly values: Float64Array;
}

export interface DecodedFrame {
  readonly header: FrameHeader;
  /** What the agent is (host.name, os.type, ...); only in key frames. */
  readonly resource: Labels | null;
  readonly definitions: readonly Definition[];
  readonly ticks: readonly FrameTick[];
  readonly losses: readonly LossRecord[];
}

export interface FrameInput {
  readonly sequence: number;
  readonly key: boolean;
  readonly intervalMs: number;
  /** Ascending in time; `columns` of `values` count. */
  readonly ticks: readonly {
    readonly timeMs: number;
    readonly values: Float64Array;
    readonly columns: number;
  }[];
  /** In a key frame every live definition, else those made since the last frame. */
  readonly definitions: readonly Definition[];
  readonly losses: readonly LossRecord[];
}

/** One per (agent, epoch). Remembers the last tick; a key frame forgets it. */
export class FrameEncoder {
  readonly #agentBytes: Uint8Array;
  readonly #epoch: number;
  readonly #resource: Labels;
  #state = new ColumnState();
  readonly #writer = new ByteWriter();
  readonly #section = new ByteWriter();

  constructor(options: { agentId: string; epoch: number; resource: Labels }) {
    this.#agentBytes = uuidBytes(options.agentId);
    this.#epoch = options.epoch;
    this.#resource = options.resource;
  }

  /** The frame's bytes, the caller's to keep. */
  encode(input: FrameInput): Uint8Array {
    const writer = this.#writer;
    writer.length = 0;
    writer.raw(Uint8Array.of(...magic, wireVersion, input.key ? flagKey : 0));
    writer.raw(this.#agentBytes);
    writer.varint(this.#epoch);
    writer.varint(input.sequence);
    const baseTimeMs = input.ticks[0]?.timeMs ?? 0;
    writer.varint(baseTimeMs);
    writer.varint(input.intervalMs);
    if (input.key) {
      this.#state = new ColumnState(this.#state.last.length);
      this.#put(section.resource, (out) => writeLabels(out, this.#resource));
    }
    if (input.definitions.length > 0) {
      const sorted = [...input.definitions].sort((a, b) => a.column - b.column);
      this.#state.widen((sorted.at(-1)?.column ?? 0) + 1);
      for (const { column, series } of sorted) this.#state.define(column, series.decimals);
      this.#put(section.definitions, (out) => writeDefinitions(out, sorted));
    }
    if (input.ticks.length > 0) this.#put(section.ticks, (out) => this.#writeTicks(out, input, baseTimeMs));
    if (input.losses.length > 0) this.#put(section.losses, (out) => writeLosses(out, input.losses));
    writer.uint32(crc32c(writer.bytes, 0, writer.length));
    return writer.bytes.slice(0, writer.length);
  }

  #put(type: number, write: (out: ByteWriter) => void): void {
    this.#section.length = 0;
    write(this.#section);
    this.#writer.byte(type);
    this.#writer.varint(this.#section.length);
    this.#writer.raw(this.#section.bytes.subarray(0, this.#section.length));
  }

  #writeTicks(out: ByteWriter, input: FrameInput, baseTimeMs: number): void {
    const columns = Math.max(...input.ticks.map((tick) => tick.columns));
    this.#state.widen(columns);
    out.varint(input.ticks.length);
    out.varint(columns);
    let beforeMs = baseTimeMs;
    for (const tick of input.ticks) {
      assert(tick.columns === columns, "ticks of one frame have one width");
      out.varint(tick.timeMs - beforeMs);
      beforeMs = tick.timeMs;
      encodeColumns(out, this.#state, tick.values, columns);
    }
  }
}

/** What a decoder remembers between frames; plain columns, so that a snapshot can hold it. */
export interface DecoderState {
  readonly epoch: number;
  readonly sequence: number;
  readonly last: Float64Array;
  readonly scaled: Float64Array;
  readonly power: Float64Array;
}

/** One per agent. Accepts the frames of an agent in order, from a key frame on. */
export class FrameDecoder {
  #epoch = -1;
  #sequence = -1;
  #state = new ColumnState();
  #scratch: Float64Array = new Float64Array(0);

  static restore(state: DecoderState): FrameDecoder {
    const decoder = new FrameDecoder();
    decoder.#epoch = state.epoch;
    decoder.#sequence = state.sequence;
    decoder.#state.last = state.last.slice();
    decoder.#state.scaled = state.scaled.slice();
    decoder.#state.power = state.power.slice();
    return decoder;
  }

  snapshot(): DecoderState {
    const { last, scaled, power } = this.#state;
    return { epoch: this.#epoch, sequence: this.#sequence, last, scaled: scaled.slice(), power };
  }

  /** Throws `WireError` and remembers nothing of a frame that is not right in every byte. */
  decode(bytes: Uint8Array): DecodedFrame {
    const reader = openFrame(bytes);
    const header = readFrameHeader(reader);
    this.#checkOrder(header);
    const next = new ColumnState();
    if (!header.key) {
      Object.assign(next, this.#state);
      next.scaled = this.#scratchCopy();
    }
    let resource: Labels | null = null;
    let definitions: Definition[] = [];
    let ticks: FrameTick[] = [];
    let losses: LossRecord[] = [];
    let typeBefore = 0;
    while (reader.at < reader.end) {
      const type = reader.byte();
      if (type <= typeBefore)
        throw new WireError("malformed", `section ${type} after section ${typeBefore}: want ascending`);
      typeBefore = type;
      const length = reader.varint("section length");
      const part = new ByteReader(reader.bytes, reader.at, reader.at + reader.take(length).length);
      if (type === section.resource) resource = readLabels(part, "resource");
      else if (type === section.definitions) definitions = readDefinitions(part, next, header.key);
      else if (type === section.ticks) ticks = readTicks(part, next, header.baseTimeMs);
      else if (type === section.losses) losses = readLosses(part);
      else if (type < optionalSections)
        throw new WireError("unknown_section", `section ${type} is not known here`);
      else part.at = part.end;
      if (part.at !== part.end)
        throw new WireError("malformed", `section ${type} has ${part.end - part.at} bytes too many`);
    }
    this.#scratch = this.#state.scaled;
    this.#state = next;
    this.#epoch = header.epoch;
    this.#sequence = header.sequence;
    return { header, resource, definitions, ticks, losses };
  }

  #checkOrder(header: FrameHeader): void {
    if (header.key) return;
    if (header.epoch !== this.#epoch || header.sequence !== this.#sequence + 1) {
      const reason = this.#epoch === -1 ? "no_key_frame" : "out_of_order";
      throw new WireError(
        reason,
        `frame (${header.epoch}, ${header.sequence}) does not follow (${this.#epoch}, ${this.#sequence}) and is no key frame`,
      );
    }
  }

  /** A copy of the scaled integers, in the array that the frame before last used. */
  #scratchCopy(): Float64Array {
    const { scaled } = this.#state;
    const copy = this.#scratch.length === scaled.length ? this.#scratch : new Float64Array(scaled.length);
    copy.set(scaled);
    return copy;
  }
}

/** Reads and checks a frame's frame: size, magic, version, CRC-32C, header. Throws `WireError`. */
export function readHeader(bytes: Uint8Array): FrameHeader {
  return readFrameHeader(openFrame(bytes));
}

function openFrame(bytes: Uint8Array): ByteReader {
  if (bytes.length > limits.frameBytesMax) {
    throw new WireError(
      "oversized",
      `frame of ${bytes.length} bytes, limit is ${limits.frameBytesMax} (limits.frameBytesMax)`,
    );
  }
  if (bytes.length < 4 + crcBytes)
    throw new WireError("truncated", `frame of ${bytes.length} bytes has no header`);
  if (bytes[0] !== magic[0] || bytes[1] !== magic[1])
    throw new WireError("malformed", "frame does not begin with 'CW'");
  if (bytes[2] !== wireVersion) {
    throw new WireError(
      "unknown_version",
      `frame of version ${bytes[2]}, this side reads version ${wireVersion}`,
    );
  }
  const end = bytes.length - crcBytes;
  const want = new DataView(bytes.buffer, bytes.byteOffset + end).getUint32(0, true);
  const got = crc32c(bytes, 0, end);
  if (want !== got) {
    throw new WireError(
      "corrupted",
      `CRC-32C of the frame is ${got.toString(16)}, its last 4 bytes say ${want.toString(16)}`,
    );
  }
  return new ByteReader(bytes, 3, end);
}

function readFrameHeader(reader: ByteReader): FrameHeader {
  const flags = reader.byte();
  if ((flags & ~flagKey) !== 0) throw new WireError("malformed", `unknown flags ${flags}`);
  return {
    version: wireVersion,
    key: (flags & flagKey) !== 0,
    agentId: uuidText(reader.take(16)),
    epoch: reader.varint("epoch"),
    sequence: reader.varint("sequence"),
    baseTimeMs: reader.varint("base time"),
    intervalMs: reader.varint("interval", 86_400_000),
  };
}

function readTicks(part: ByteReader, state: ColumnState, baseTimeMs: number): FrameTick[] {
  const count = part.varint("ticks", limits.ticksPerFrameMax);
  const columns = part.varint("columns", limits.seriesPerHostMax);
  state.widen(columns);
  const ticks: FrameTick[] = [];
  let timeMs = baseTimeMs;
  for (let index = 0; index < count; index += 1) {
    timeMs += part.varint("tick time");
    const values = state.last.slice();
    decodeColumns(part, state.power, state.scaled, values, columns);
    state.last = values;
    ticks.push({ timeMs, values });
  }
  return ticks;
}
