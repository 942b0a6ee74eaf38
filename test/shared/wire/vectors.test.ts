/**
 * The wire's specification is true: the vectors are read out of shared/wire/README.md and held against the encoder, the
 * decoder, and `read-by-the-book.ts`, a reader written from that page alone.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { WireError } from "#shared/errors.ts";
import type { Labels } from "#shared/series.ts";
import { parseControl } from "#shared/wire/control.ts";
import { crc32c } from "#shared/wire/crc32c.ts";
import { type Definition, FrameDecoder, FrameEncoder, type LossRecord } from "#shared/wire/wire.ts";
import { type BookFrame, BookReader } from "./read-by-the-book.ts";

const readme = readFileSync(new URL("../../../shared/wire/README.md", import.meta.url), "utf8");
const agentId = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const epoch = 1_700_000_000_000;

type Cell = number | null | { readonly absent: readonly [number, number] };
interface Meaning {
  readonly sequence: number;
  readonly key: boolean;
  readonly intervalMs: number;
  readonly resource: Labels | null;
  readonly definitions: readonly Definition[];
  readonly ticks: readonly { readonly timeMs: number; readonly values: readonly Cell[] }[];
  readonly losses: readonly LossRecord[];
}

interface Vector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly meaning: Meaning;
}

const vectors = readVectors();

function readVectors(): Vector[] {
  const blocks = [...readme.matchAll(/^```(hex|json) (\w+)\n([\s\S]*?)^```/gm)];
  const find = (kind: string, name: string) =>
    blocks.find((block) => block[1] === kind && block[2] === name)?.[3] ?? assert.fail(`no ${kind} ${name}`);
  const names = blocks.filter((block) => block[1] === "hex").map((block) => block[2] ?? "");
  return names.map((name) => ({
    name,
    bytes: hexBytes(find("hex", name).replaceAll(/#.*$/gm, "")),
    meaning: JSON.parse(find("json", name)) as Meaning,
  }));
}

function hexBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

function valuesOf(cells: readonly Cell[]): number[] {
  return cells.flatMap((cell) => {
    if (cell === null) return [Number.NaN];
    if (typeof cell === "number") return [cell];
    return Array.from({ length: cell.absent[1] - cell.absent[0] + 1 }, () => Number.NaN);
  });
}

function ticksOf(meaning: Meaning): { timeMs: number; values: number[] }[] {
  return meaning.ticks.map(({ timeMs, values }) => ({ timeMs, values: valuesOf(values) }));
}

function reasonOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof WireError) return error.reason;
    throw error;
  }
  return "accepted";
}

test("the specification has its four frames", () => {
  assert.deepEqual(
    vectors.map(({ name }) => name),
    ["first", "change", "loss", "tokens"],
  );
});

test("the encoder writes the specification's bytes", () => {
  const resource = vectors[0]?.meaning.resource ?? assert.fail("the first vector has no resource");
  const encoder = new FrameEncoder({ agentId, epoch, resource });
  for (const { name, bytes, meaning } of vectors) {
    const ticks = ticksOf(meaning).map(({ timeMs, values }) => {
      return { timeMs, values: Float64Array.from(values), columns: values.length };
    });
    const { sequence, key, intervalMs, definitions, losses } = meaning;
    const got = encoder.encode({ sequence, key, intervalMs, ticks, definitions, losses });
    assert.equal(Buffer.from(got).toString("hex"), Buffer.from(bytes).toString("hex"), name);
  }
});

test("the decoder reads the specification's bytes", () => {
  const decoder = new FrameDecoder();
  for (const { name, bytes, meaning } of vectors) {
    const frame = decoder.decode(bytes);
    assert.deepEqual(
      { ...frame, ticks: frame.ticks.map((tick) => ({ ...tick, values: [...tick.values] })) },
      {
        header: {
          version: 1,
          key: meaning.key,
          agentId,
          epoch,
          sequence: meaning.sequence,
          baseTimeMs: meaning.ticks[0]?.timeMs,
          intervalMs: meaning.intervalMs,
        },
        resource: meaning.resource,
        definitions: meaning.definitions,
        ticks: ticksOf(meaning),
        losses: meaning.losses,
      },
      name,
    );
  }
});

test("a reader written from the specification alone reads the same", () => {
  const reader = new BookReader();
  for (const { name, bytes, meaning } of vectors) {
    const { sequence, key, intervalMs, resource, definitions, losses } = meaning;
    const want: BookFrame = {
      agentId,
      epoch,
      sequence,
      key,
      intervalMs,
      resource,
      definitions,
      losses,
      ticks: ticksOf(meaning),
    };
    assert.deepEqual(reader.read(bytes), want, name);
  }
});

test("the decoder refuses what the specification says is refused, for the same reason", () => {
  const first = vectors[0]?.bytes ?? assert.fail("no first vector");
  const rows = [...readme.matchAll(/^\| (.+?)( ~)? \| (\w+) \|$/gm)].filter((row) =>
    /^(last byte|byte \d+ is|section `[^`]+` added)/.test(row[1] ?? ""),
  );
  assert.equal(rows.length, 8, "rows of the table of refusals");
  for (const [, change = "", reseal, reason] of rows) {
    const bytes = changed(first, change);
    if (reseal !== undefined) seal(bytes);
    assert.equal(
      reasonOf(() => new FrameDecoder().decode(bytes)),
      reason,
      change,
    );
  }
});

function changed(bytes: Uint8Array, change: string): Uint8Array {
  const hex = hexBytes(/`([^`]+)`/.exec(change)?.[1] ?? "");
  const at = /^byte (\d+) is/.exec(change)?.[1];
  if (change.startsWith("last byte")) return bytes.slice(0, -1);
  if (at === undefined) return Uint8Array.of(...bytes.subarray(0, -4), ...hex, 0, 0, 0, 0);
  assert.notEqual(bytes[Number(at)], hex[0], `${change}: it is that already`);
  return bytes.with(Number(at), hex[0] ?? 0);
}

function seal(bytes: Uint8Array): void {
  const end = bytes.length - 4;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, crc32c(bytes, 0, end), true);
}

test("every difference and every run takes the bytes that the table of tokens says, also at its edges", () => {
  // Zigzag of a difference -> bytes of its token.
  const sizes = new Map([
    [0x7f, 1],
    [0x80, 2],
    [0x1fff, 2],
    [0x2000, 3],
    [0xfffff, 3],
    [0x100000, 4],
    [0x7ffffff, 4],
    [0x8000000, 7],
    [2 ** 48 - 2, 7],
    [2 ** 48, 9],
  ]);
  for (const [zigzag, bytes] of sizes) {
    const value = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    assert.equal(tokenBytes([value]), bytes, `zigzag ${zigzag}`);
  }
  assert.equal(tokenBytes(Array.from({ length: 64 }, () => Number.NaN)), 1, "a run of 64");
  assert.equal(tokenBytes(Array.from({ length: 65 }, () => Number.NaN)), 2, "a run of 65");
  assert.equal(tokenBytes(Array.from({ length: 128 }, () => Number.NaN)), 3, "a run of 128");
});

/** Size of the tokens of one tick after a key frame without values; decoded again to see that they are right. */
function tokenBytes(values: readonly number[]): number {
  const encoder = new FrameEncoder({ agentId, epoch, resource: [] });
  const decoder = new FrameDecoder();
  const definitions = values.map((_, column): Definition => {
    return { column, series: { metric: "m", unit: "1", instrument: "gauge", decimals: 0, labels: [] } };
  });
  const encode = (tick: readonly number[] | null) =>
    encoder.encode({
      sequence: tick === null ? 0 : 1,
      key: tick === null,
      intervalMs: 1_000,
      ticks: tick === null ? [] : [{ timeMs: epoch, values: Float64Array.from(tick), columns: tick.length }],
      definitions: tick === null ? definitions : [],
      losses: [],
    });
  const book = new BookReader();
  const key = encode(null);
  decoder.decode(key);
  book.read(key);
  const bytes = encode(values);
  assert.deepEqual([...(decoder.decode(bytes).ticks[0]?.values ?? [])], values);
  assert.deepEqual(book.read(bytes).ticks[0]?.values, values);
  // Header 4 + 16 + 6 + 1 + 6 + 2, section 2, ticks 1, columns 1 (2 from 128 on), time 1, CRC 4.
  return bytes.length - (44 + (values.length >= 128 ? 1 : 0));
}

test("a control message with a field of another type is refused", () => {
  const hello = { t: "hello", v: 1, wire: [1], agent: agentId, host: "h", version: "0", nowMs: 5 };
  const wrong: readonly object[] = [
    { v: 1.5 },
    { nowMs: -1 },
    { nowMs: 2 ** 53 },
    { nowMs: "5" },
    { wire: 1 },
    { wire: [1.5] },
    { wire: Array.from({ length: 17 }, () => 1) },
    { host: 5 },
    { host: "h".repeat(1025) },
    { t: "goodbye" },
    { t: ["hello"] },
  ];
  assert.deepEqual(parseControl(JSON.stringify(hello)), hello);
  for (const change of wrong) {
    const text = JSON.stringify({ ...hello, ...change });
    assert.equal(
      reasonOf(() => parseControl(text)),
      "malformed",
      text.slice(0, 120),
    );
  }
  const welcome = { t: "welcome", v: 1, nowMs: 5, clockErrorMs: 0 };
  for (const durable of [5, {}, { epoch: 1 }, { epoch: 1, sequence: -1 }, "null"]) {
    const text = JSON.stringify({ ...welcome, durable });
    assert.equal(
      reasonOf(() => parseControl(text)),
      "malformed",
      text,
    );
  }
  for (const text of ["", "null", "5", "[]", "{", '"hello"', '{"__proto__": {"t": "bye", "reason": "x"}}']) {
    assert.equal(
      reasonOf(() => parseControl(text)),
      "malformed",
      text,
    );
  }
  assert.equal(
    reasonOf(() => parseControl(JSON.stringify({ t: "bye", reason: "x".repeat(17_000) }))),
    "oversized",
  );
});

test("the control messages of the specification are accepted, and none with a field less", () => {
  const messages = [...readme.matchAll(/^\{"t":.*\}$/gm)].map(([line]) => line);
  assert.equal(messages.length, 5);
  for (const message of messages) {
    const fields = JSON.parse(message) as Record<string, unknown>;
    assert.deepEqual(parseControl(message), fields);
    assert.deepEqual(parseControl(JSON.stringify({ ...fields, fromTheFuture: [] })), {
      ...fields,
      fromTheFuture: [],
    });
    for (const name of Object.keys(fields)) {
      const less = JSON.stringify(Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name)));
      assert.equal(
        reasonOf(() => parseControl(less)),
        "malformed",
        less,
      );
    }
  }
});
