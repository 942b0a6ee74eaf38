import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { DecodeError } from "#collector/ingest/decode/decode-error.ts";
import { ProtobufReader } from "#collector/ingest/decode/protobuf.ts";
import { double, fixed32, fixed64, integer, join, message, text, varint } from "./proto-writer.ts";

function at(bytes: Uint8Array): ProtobufReader {
  const reader = new ProtobufReader(bytes);
  assert.ok(reader.next());
  return reader;
}

const reasonOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error));
    return error.reason;
  }
  return "no error";
};

test("what was written is read: integers of 64 bits, doubles, texts, messages in messages", () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(int64, (value) => {
      assert.equal(at(integer(1, value)).int64(), Number(value));
      assert.equal(at(integer(1, value)).uint64(), Number(BigInt.asUintN(64, value)));
      assert.equal(at(fixed64(3, value)).sfixed64(), Number(value));
      assert.equal(at(fixed64(3, value)).fixed64(), Number(BigInt.asUintN(64, value)));
    }),
  );
  fc.assert(
    fc.property(fc.double(), fc.string({ unit: "grapheme" }), (value, given) => {
      assert.ok(Object.is(at(double(4, value)).double(), value));
      const inner = at(message(5, text(1, given))).message();
      assert.ok(inner.next());
      assert.equal(inner.string(), given.toWellFormed());
      assert.equal(inner.next(), false);
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (value) => {
      const zigzag = BigInt.asUintN(32, BigInt((value << 1) ^ (value >> 31)));
      assert.equal(at(integer(6, zigzag)).sint32(), value);
    }),
  );
});

test("fields that nobody knows are skipped, whatever their type", () => {
  const unknown = join(integer(9, 5), fixed64(10, 1n), text(11, "x"), fixed32(12, 7));
  const reader = new ProtobufReader(join(unknown, integer(1, 42)));
  const seen: number[] = [];
  while (reader.next()) {
    seen.push(reader.field);
    if (reader.field === 1) assert.equal(reader.uint64(), 42);
    else reader.skip();
  }
  assert.deepEqual(seen, [9, 10, 11, 12, 1]);
});

test("repeated numbers are read packed and one by one, to a limit", () => {
  const values = [1, 2.5, -3];
  const packed = message(7, ...values.map((value) => double(1, value).subarray(1)));
  for (const bytes of [packed, join(...values.map((value) => double(7, value)))]) {
    const into: number[] = [];
    const reader = new ProtobufReader(bytes);
    while (reader.next()) reader.repeated("double", into, 10);
    assert.deepEqual(into, values);
  }
  const counts: number[] = [];
  at(message(2, varint(300), varint(0), varint(2 ** 40))).repeated("varint", counts, 3);
  assert.deepEqual(counts, [300, 0, 2 ** 40]);
  assert.equal(
    reasonOf(() => at(packed).repeated("double", [], 2)),
    "too_many",
  );
});

test("what is cut off, too long or of the wrong type is said by its kind", () => {
  assert.equal(
    reasonOf(() => at(text(1, "whole").subarray(0, 4)).string()),
    "truncated",
  );
  assert.equal(
    reasonOf(() => new ProtobufReader(Uint8Array.of(0x80)).next()),
    "truncated",
  );
  assert.equal(
    reasonOf(() => at(Uint8Array.of(8, ...Array<number>(11).fill(0xff))).uint64()),
    "malformed",
  );
  assert.equal(
    reasonOf(() => at(Uint8Array.of(8, ...Array<number>(11).fill(0xff))).skip()),
    "malformed",
  );
  assert.equal(
    reasonOf(() => at(integer(1, 1)).string()),
    "malformed",
  );
  assert.equal(
    reasonOf(() => at(Uint8Array.of(0x0b)).skip()),
    "malformed",
  );
  assert.equal(
    reasonOf(() => new ProtobufReader(Uint8Array.of(0)).next()),
    "malformed",
  );
  // A length of nearly 2^64.
  assert.equal(
    reasonOf(() => at(join(Uint8Array.of(10), varint(-1))).string()),
    "truncated",
  );
});

test("messages nest to a depth and no deeper", () => {
  let bytes = integer(1, 1);
  for (let depth = 0; depth < 60; depth += 1) bytes = message(1, bytes);
  const descend = (): void => {
    let reader = at(bytes);
    for (let depth = 0; depth < 60; depth += 1) {
      reader = reader.message();
      reader.next();
    }
  };
  assert.equal(reasonOf(descend), "too_deep");
});
