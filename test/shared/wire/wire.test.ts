import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { WireError } from "#shared/errors.ts";
import { limits } from "#shared/limits.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { crc32c } from "#shared/wire/crc32c.ts";
import { type DecodedFrame, FrameDecoder, FrameEncoder, readHeader } from "#shared/wire/wire.ts";

const agentId = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const resource = canonicalLabels([["host.name", "web-01"]]);

function series(metric: string, decimals = 0, labels: [string, string][] = []): Series {
  return { metric, unit: "1", instrument: "gauge", decimals, labels: canonicalLabels(labels) };
}

/** Encodes ticks of the same width as frames of one tick, the first a key frame. */
function encodeAll(ticks: readonly (readonly number[])[], decimals = 2): Uint8Array[] {
  const encoder = new FrameEncoder({ agentId, epoch: 7, resource });
  const width = ticks[0]?.length ?? 0;
  const definitions = Array.from({ length: width }, (_, column) => ({
    column,
    series: series(`m${column}`, decimals),
  }));
  return ticks.map((values, sequence) =>
    encoder.encode({
      sequence,
      key: sequence === 0,
      intervalMs: 10_000,
      ticks: [{ timeMs: 1_000_000 + sequence * 10_000, values: Float64Array.from(values), columns: width }],
      definitions: sequence === 0 ? definitions : [],
      losses: [],
    }),
  );
}

function valuesOf(frame: DecodedFrame): number[] {
  return [...(frame.ticks[0]?.values ?? [])];
}

function wireReason(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof WireError) return error.reason;
    throw error;
  }
  return "accepted";
}

/** Sets the CRC of a changed frame right, so that what lies behind the CRC is reached. */
function resealed(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 4;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, crc32c(bytes, 0, end), true);
  return bytes;
}

test("CRC-32C agrees with the vectors of RFC 3720", () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e);
  assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
});

test("what was encoded is decoded, value for value, for any ticks", () => {
  const value = fc.oneof(
    fc.constant(Number.NaN),
    fc.integer({ min: -1000, max: 1000 }).map((whole) => whole / 100),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, 1e-300, 2 ** 52, -(2 ** 52), 2 ** 47, 1e300, 0.1 + 0.2),
  );
  const ticks = fc
    .integer({ min: 1, max: 150 })
    .chain((width) =>
      fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
    );
  fc.assert(
    fc.property(ticks, fc.integer({ min: 0, max: 9 }), (input, decimals) => {
      const decoder = new FrameDecoder();
      for (const [index, bytes] of encodeAll(input, decimals).entries()) {
        // Negative zero arrives as zero: no metric tells them apart.
        const want = (input[index] ?? []).map((number) => (number === 0 ? 0 : number));
        assert.deepEqual(valuesOf(decoder.decode(bytes)), want);
      }
    }),
    { seed: 11 },
  );
});

test("definitions, resource and losses arrive as they were, a label named __proto__ included", () => {
  const encoder = new FrameEncoder({ agentId, epoch: 7, resource });
  const odd = series("a.b", 3, [
    ["__proto__", "x"],
    ["constructor", "数据"],
    ["z", 'quote " and \n'],
  ]);
  const loss = { reason: "spool_full", fromMs: 5, toMs: 9, series: 3, samples: 12 } as const;
  const frame = new FrameDecoder().decode(
    encoder.encode({
      sequence: 0,
      key: true,
      intervalMs: 1000,
      ticks: [],
      definitions: [
        { column: 5, series: odd },
        { column: 2, series: { ...odd, instrument: "counter", labels: [] } },
      ],
      losses: [loss],
    }),
  );
  assert.deepEqual(frame.resource, resource);
  assert.deepEqual(frame.losses, [loss]);
  assert.deepEqual(
    frame.definitions.map(({ column }) => column),
    [2, 5],
  );
  assert.deepEqual(frame.definitions[1]?.series, odd);
  assert.equal(frame.definitions[0]?.series.instrument, "counter");
});

test("a column can be defined anew for another series", () => {
  const encoder = new FrameEncoder({ agentId, epoch: 7, resource });
  const decoder = new FrameDecoder();
  const frame = (sequence: number, metric: string, value: number) =>
    decoder.decode(
      encoder.encode({
        sequence,
        key: sequence === 0,
        intervalMs: 1000,
        ticks: [{ timeMs: sequence, values: Float64Array.of(value), columns: 1 }],
        definitions: [{ column: 0, series: series(metric, sequence) }],
        losses: [],
      }),
    );
  assert.deepEqual(valuesOf(frame(0, "first", 4)), [4]);
  const second = frame(1, "second", 4.5);
  assert.equal(second.definitions[0]?.series.metric, "second");
  assert.deepEqual(valuesOf(second), [4.5]);
});

test("a bad frame is refused with its reason and changes nothing", () => {
  const [key, next, third] = encodeAll([
    [1, 2, 3],
    [1, 5, 3],
    [2, 5, 3],
  ]) as [Uint8Array, Uint8Array, Uint8Array];
  const decoder = new FrameDecoder();
  assert.equal(
    wireReason(() => decoder.decode(next)),
    "no_key_frame",
  );
  decoder.decode(key);
  assert.equal(
    wireReason(() => decoder.decode(third)),
    "out_of_order",
  );
  assert.equal(
    wireReason(() => decoder.decode(next.subarray(0, 6))),
    "truncated",
  );
  assert.equal(
    wireReason(() => decoder.decode(next.subarray(0, -1))),
    "corrupted",
  );
  assert.equal(
    wireReason(() => decoder.decode(next.with(12, 0xee))),
    "corrupted",
  );
  assert.equal(
    wireReason(() => decoder.decode(resealed(next.with(2, 2)))),
    "unknown_version",
  );
  assert.equal(
    wireReason(() => decoder.decode(new Uint8Array(limits.frameBytesMax + 1))),
    "oversized",
  );
  assert.equal(
    wireReason(() => decoder.decode(next.with(0, 0))),
    "malformed",
  );
  assert.deepEqual(valuesOf(decoder.decode(next)), [1, 5, 3]);
});

test("a section that an older reader does not know is skipped when it is optional and refused when it is not", () => {
  const [key] = encodeAll([[1]]) as [Uint8Array];
  const extended = (type: number) =>
    resealed(Uint8Array.of(...key.subarray(0, -4), type, 2, 9, 9, 0, 0, 0, 0));
  assert.deepEqual(valuesOf(new FrameDecoder().decode(extended(200))), [1]);
  assert.equal(
    wireReason(() => new FrameDecoder().decode(extended(77))),
    "unknown_section",
  );
});

test("no bytes whatever make the decoder do anything but decode or refuse", () => {
  const frames = encodeAll([
    [1, 2, 3.25, Number.NaN],
    [1, 2.5, 1e9, 4],
    [0, 2.5, 1e-9, 4],
  ]);
  fc.assert(
    fc.property(
      fc.nat(frames.length - 1),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 8 }),
      fc.nat(300),
      fc.boolean(),
      (which, edits, cut, reseal) => {
        const bytes = Uint8Array.from(
          frames[which]!.subarray(0, Math.max(1, frames[which]!.length - (cut % 20))),
        );
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        if (reseal && bytes.length > 8) resealed(bytes);
        const decoder = new FrameDecoder();
        for (const frame of frames.slice(0, which)) decoder.decode(frame);
        const before = decoder.snapshot();
        try {
          for (const tick of decoder.decode(bytes).ticks)
            assert.ok(tick.values.length <= limits.seriesPerHostMax);
        } catch (error) {
          assert.ok(error instanceof WireError, String(error));
          assert.deepEqual(decoder.snapshot(), before);
        }
      },
    ),
    { seed: 3, numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.notEqual(
        wireReason(() => readHeader(bytes)),
        "accepted",
      );
    }),
    { seed: 5, numRuns: 1000 },
  );
});

test("a decoder restored from its snapshot goes on where the first one was", () => {
  const frames = encodeAll([
    [1, 2],
    [3, 2],
    [3, 9.75],
  ]);
  const first = new FrameDecoder();
  first.decode(frames[0]!);
  first.decode(frames[1]!);
  const second = FrameDecoder.restore(first.snapshot());
  assert.deepEqual(valuesOf(second.decode(frames[2]!)), [3, 9.75]);
});
