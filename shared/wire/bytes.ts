/**
 * Reading and writing the frame's primitives: bytes, varints (LEB128, unsigned, at most 2^53 - 1), float64 little-endian,
 * strings (varint length, then UTF-8). A reader never reads past its end: it throws `WireError` "truncated".
 */
import { WireError } from "../errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });
const utf8Encoder = new TextEncoder();

export class ByteWriter {
  bytes = new Uint8Array(4096);
  length = 0;
  #view = new DataView(this.bytes.buffer);

  /** Makes sure that `more` bytes fit, so that a hot loop can write without asking again. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length] = value;
    this.length += 1;
  }

  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length] = (rest % 0x80) | 0x80;
      this.length += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length] = rest;
    this.length += 1;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  float64(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  string(value: string): void {
    const bytes = utf8Encoder.encode(value);
    this.varint(bytes.length);
    this.raw(bytes);
  }
}

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw this.#truncated(1);
    const value = this.bytes[this.at]!;
    this.at += 1;
    return value;
  }

  /** An unsigned varint up to `max`; more is "malformed". `what` names the field in the message. */
  varint(what: string, max = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < 8; index += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value <= max) return value;
        throw new WireError("malformed", `${what}: ${value} is more than ${max}`);
      }
      scale *= 0x80;
    }
    throw new WireError("malformed", `${what}: varint at byte ${this.at} is longer than 8 bytes`);
  }

  uint32(): number {
    if (this.at + 4 > this.end) throw this.#truncated(4);
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.end) throw this.#truncated(length);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  string(what: string, bytesMax: number): string {
    const bytes = this.take(this.varint(`${what}: length`, bytesMax));
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw new WireError("malformed", `${what}: not UTF-8`, { cause });
    }
  }

  #truncated(wanted: number): WireError {
    return new WireError("truncated", `want ${wanted} bytes at byte ${this.at}, got ${this.end - this.at}`);
  }
}
