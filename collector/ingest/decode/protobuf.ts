/**
 * Reads the protobuf wire format (https://protobuf.dev/programming-guides/encoding), and nothing that is not asked for.
 *
 * A message is a stretch of bytes that is walked field by field: whoever knows the schema says what a number means, and skips what
 * it does not know. No schema is compiled and nothing is allocated for what is skipped. Every length is checked against the message
 * that it is in before it is used, so damaged or hostile bytes end in a `DecodeError`, never in a read beyond the end; walking
 * always advances, so it always ends. Cost: some 10 ns a field.
 */
import { DecodeError } from "./decode-error.ts";

export const wire = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** OTLP nests seven deep, and an attribute's value as deep as it likes: deeper than this says nothing to us. */
const depthMax = 32;
const varintBytesMax = 10;
const two32 = 2 ** 32;

const utf8 = new TextDecoder("utf-8");

export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #depth: number;
  #at: number;
  /** Of the field that `next` has come to. */
  field = 0;
  #wire = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length, depth = 0, view?: DataView) {
    this.#bytes = bytes;
    this.#view = view ?? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = end;
    this.#depth = depth;
  }

  /** Goes to the next field; false at the end. What the field holds must be read, or skipped, before the next call. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const key = this.#varint32("key");
    this.field = key >>> 3;
    this.#wire = key & 7;
    if (this.field === 0) throw new DecodeError("malformed", `field number 0 at byte ${this.#at}`);
    return true;
  }

  skip(): void {
    switch (this.#wire) {
      case wire.varint:
        this.#skipVarint();
        return;
      case wire.fixed64:
        this.#advance(8);
        return;
      case wire.bytes:
        this.#advance(this.#length());
        return;
      case wire.fixed32:
        this.#advance(4);
        return;
      default:
        throw new DecodeError(
          "malformed",
          `field ${this.field}: wire type ${this.#wire} is not used by OTLP`,
        );
    }
  }

  message(): ProtobufReader {
    this.#want(wire.bytes);
    if (this.#depth >= depthMax) {
      throw new DecodeError("too_deep", `field ${this.field}: messages nest more than ${depthMax} deep`);
    }
    const length = this.#length();
    const start = this.#at;
    this.#advance(length);
    return new ProtobufReader(this.#bytes, start, start + length, this.#depth + 1, this.#view);
  }

  /** What is not UTF-8 becomes U+FFFD: one bad attribute must not cost the others. */
  string(): string {
    return utf8.decode(this.bytes());
  }

  bytes(): Uint8Array {
    this.#want(wire.bytes);
    const length = this.#length();
    this.#advance(length);
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  bool(): boolean {
    return this.uint64() !== 0;
  }

  /** Beyond 2^53 the nearest number. */
  uint64(): number {
    this.#want(wire.varint);
    const { low, high } = this.#varint64();
    return high * two32 + low;
  }

  int64(): number {
    this.#want(wire.varint);
    const { low, high } = this.#varint64();
    return (high | 0) * two32 + low;
  }

  sint32(): number {
    this.#want(wire.varint);
    const { low } = this.#varint64();
    return (low >>> 1) ^ -(low & 1);
  }

  fixed64(): number {
    const { low, high } = this.fixed64Parts();
    return high * two32 + low;
  }

  sfixed64(): number {
    const { low, high } = this.fixed64Parts();
    return (high | 0) * two32 + low;
  }

  /** Both halves, unsigned: nanoseconds since 1970 need more than 53 bits. */
  fixed64Parts(): { low: number; high: number } {
    this.#want(wire.fixed64);
    const at = this.#at;
    this.#advance(8);
    return { low: this.#view.getUint32(at, true), high: this.#view.getUint32(at + 4, true) };
  }

  double(): number {
    this.#want(wire.fixed64);
    const at = this.#at;
    this.#advance(8);
    return this.#view.getFloat64(at, true);
  }

  /** Appends a repeated field of doubles or fixed64 or varints, packed or not, to `into`, which may grow to `max`. */
  repeated(of: "double" | "fixed64" | "varint", into: number[], max: number): void {
    const single = of === "varint" ? wire.varint : wire.fixed64;
    if (this.#wire === single) {
      this.#push(
        into,
        max,
        of === "double" ? this.double() : of === "varint" ? this.uint64() : this.fixed64(),
      );
      return;
    }
    this.#want(wire.bytes);
    const length = this.#length();
    const end = this.#at + length;
    if (end > this.#end) throw this.#truncated(length);
    if (single === wire.fixed64 && length % 8 !== 0) {
      throw new DecodeError("malformed", `field ${this.field}: ${length} bytes are no numbers of 8`);
    }
    while (this.#at < end) {
      if (single === wire.fixed64) {
        const at = this.#at;
        this.#at += 8;
        const fixed = (): number =>
          this.#view.getUint32(at + 4, true) * two32 + this.#view.getUint32(at, true);
        this.#push(into, max, of === "double" ? this.#view.getFloat64(at, true) : fixed());
        continue;
      }
      const { low, high } = this.#varint64();
      this.#push(into, max, high * two32 + low);
    }
    if (this.#at !== end)
      throw new DecodeError("malformed", `field ${this.field}: its last number is cut off`);
  }

  #push(into: number[], max: number, value: number): void {
    if (into.length >= max) {
      throw new DecodeError("too_many", `field ${this.field}: more than ${max} numbers`);
    }
    into.push(value);
  }

  #want(type: number): void {
    if (this.#wire === type) return;
    throw new DecodeError("malformed", `field ${this.field}: want wire type ${type}, got ${this.#wire}`);
  }

  #length(): number {
    const { low, high } = this.#varint64();
    if (high !== 0) throw this.#truncated(high * two32 + low);
    return low;
  }

  #advance(count: number): void {
    if (count > this.#end - this.#at) throw this.#truncated(count);
    this.#at += count;
  }

  #varint32(what: string): number {
    const { low, high } = this.#varint64();
    if (high !== 0) throw new DecodeError("malformed", `${what} at byte ${this.#at} is larger than 32 bits`);
    return low;
  }

  #skipVarint(): void {
    for (let index = 0; index < varintBytesMax; index += 1) {
      if (this.#at >= this.#end) throw this.#truncated(1);
      this.#at += 1;
      if (this.#bytes[this.#at - 1]! < 0x80) return;
    }
    throw new DecodeError("malformed", `varint at byte ${this.#at} is longer than ${varintBytesMax} bytes`);
  }

  /** Both halves, unsigned. Bits beyond 64 are dropped, as every protobuf reader does. */
  #varint64(): { low: number; high: number } {
    let low = 0;
    let high = 0;
    for (let index = 0; index < varintBytesMax; index += 1) {
      if (this.#at >= this.#end) throw this.#truncated(1);
      const byte = this.#bytes[this.#at]!;
      this.#at += 1;
      const bits = byte & 0x7f;
      const shift = index * 7;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else if (shift < 64) high |= bits << (shift - 32);
      if (byte < 0x80) return { low: low >>> 0, high: high >>> 0 };
    }
    throw new DecodeError("malformed", `varint at byte ${this.#at} is longer than ${varintBytesMax} bytes`);
  }

  #truncated(wanted: number): DecodeError {
    return new DecodeError(
      "truncated",
      `want ${wanted} bytes at byte ${this.#at}, got ${this.#end - this.#at}`,
    );
  }
}
