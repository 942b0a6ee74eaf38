/**
 * The values of one tick as tokens: unchanged columns as runs, the rest as differences of scaled integers.
 *
 * A column's value times 10^decimals is an integer for nearly everything that a kernel counts; its change since the last
 * tick is small. Idle machines hardly change. So most columns cost a fraction of a byte and the rest one or two (measured
 * figures in README.md). A value that is no such integer travels as float64 and arrives exactly. Backward-adaptive
 * second differences were left out: they gain on steady counters and lose on noisy ones.
 */
import { assert, WireError } from "../errors.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";

/** The largest scaled integer that is sent as a difference, and the largest difference. Beyond them: float64. */
const scaledMax = 2 ** 52;
const deltaMax = 2 ** 47;

const runToken = 0x80;
const runMax = 64;
const delta13Token = 0xc0;
const delta20Token = 0xe0;
const delta27Token = 0xf0;
const delta48Token = 0xf8;
const float64Token = 0xf9;
const absentToken = 0xfa;
const longRunToken = 0xfb;

const powers = Float64Array.from({ length: 10 }, (_, decimals) => 10 ** decimals);

/** Both sides' memory of the last tick. Arrays are at least as long as the widest tick so far. */
export class ColumnState {
  /** Last value; NaN when absent. */
  last: Float64Array;
  /** Last scaled integer, 0 when the last value had none. */
  scaled: Float64Array;
  /** 10^decimals of a defined column, 0 of an undefined one. */
  power: Float64Array;

  constructor(columns = 0) {
    this.last = new Float64Array(columns).fill(Number.NaN);
    this.scaled = new Float64Array(columns);
    this.power = new Float64Array(columns);
  }

  /** Makes room for `columns`; new ones are undefined and absent. */
  widen(columns: number): void {
    if (columns <= this.last.length) return;
    const wider = new ColumnState(columns);
    wider.last.set(this.last);
    wider.scaled.set(this.scaled);
    wider.power.set(this.power);
    this.last = wider.last;
    this.scaled = wider.scaled;
    this.power = wider.power;
  }

  define(column: number, decimals: number): void {
    this.last[column] = Number.NaN;
    this.scaled[column] = 0;
    this.power[column] = powers[decimals] ?? 1;
  }
}

/** Writes the tokens of one tick of `columns` columns and remembers it in `state`. */
export function encodeColumns(
  writer: ByteWriter,
  state: ColumnState,
  values: Float64Array,
  columns: number,
): void {
  const { last, scaled, power } = state;
  writer.reserve(columns * 9 + 16);
  const bytes = writer.bytes;
  let at = writer.length;
  let run = 0;
  for (let column = 0; column < columns; column += 1) {
    const given = values[column]!;
    const value = given - given === 0 ? given : Number.NaN;
    const before = last[column]!;
    if (value === before || (value !== value && before !== before)) {
      run += 1;
      continue;
    }
    if (run > 0) {
      at = putRun(bytes, at, run);
      run = 0;
    }
    assert(power[column]! > 0, `column ${column} has a value and no definition`);
    last[column] = value;
    if (value !== value) {
      bytes[at++] = absentToken;
      continue;
    }
    const whole = Math.round(value * power[column]!);
    const delta = whole - scaled[column]!;
    const exact = Math.abs(whole) <= scaledMax && value === whole / power[column]!;
    scaled[column] = Math.abs(whole) <= scaledMax ? whole : 0;
    at = exact && Math.abs(delta) < deltaMax ? putDelta(bytes, at, delta) : putFloat64(bytes, at, value);
  }
  writer.length = run > 0 ? putRun(bytes, at, run) : at;
}

function putRun(bytes: Uint8Array, start: number, run: number): number {
  let at = start;
  if (run <= runMax) {
    bytes[at++] = runToken + run - 1;
    return at;
  }
  bytes[at++] = longRunToken;
  let rest = run;
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

function putDelta(bytes: Uint8Array, start: number, delta: number): number {
  let at = start;
  const zigzag = delta >= 0 ? delta * 2 : -delta * 2 - 1;
  if (zigzag < 0x80) {
    bytes[at++] = zigzag;
  } else if (zigzag < 0x2000) {
    bytes[at++] = delta13Token | (zigzag >>> 8);
    bytes[at++] = zigzag & 0xff;
  } else if (zigzag < 0x100000) {
    bytes[at++] = delta20Token | (zigzag >>> 16);
    bytes[at++] = (zigzag >>> 8) & 0xff;
    bytes[at++] = zigzag & 0xff;
  } else if (zigzag < 0x8000000) {
    bytes[at++] = delta27Token | (zigzag >>> 24);
    bytes[at++] = (zigzag >>> 16) & 0xff;
    bytes[at++] = (zigzag >>> 8) & 0xff;
    bytes[at++] = zigzag & 0xff;
  } else {
    bytes[at++] = delta48Token;
    let rest = zigzag;
    for (let index = 0; index < 6; index += 1) {
      bytes[at++] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }
  return at;
}

const float64Cell = new Float64Array(1);
const float64Bytes = new Uint8Array(float64Cell.buffer);

function putFloat64(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = float64Token;
  float64Cell[0] = value;
  bytes.set(float64Bytes, at + 1);
  return at + 9;
}

function outOfRange(column: number): WireError {
  return new WireError("malformed", `column ${column}: difference leads beyond 2^52`);
}

/**
 * Reads the tokens of one tick of `columns` columns. `values` holds the last tick and is turned into this one; `scaled` is
 * updated with it. Throws `WireError`; then both hold rubbish, so the caller passes copies.
 */
export function decodeColumns(
  reader: ByteReader,
  power: Float64Array,
  scaled: Float64Array,
  values: Float64Array,
  columns: number,
): void {
  const { bytes, view, end } = reader;
  let at = reader.at;
  let column = 0;
  while (column < columns) {
    if (at >= end) throw new WireError("truncated", `values end after ${column} of ${columns} columns`);
    const token = bytes[at++]!;
    if (token >= runToken && token < delta13Token) {
      column += token - runToken + 1;
      continue;
    }
    const scale = power[column]!;
    if (scale === 0 && token !== longRunToken) {
      throw new WireError("malformed", `column ${column} has a value and no definition`);
    }
    let zigzag: number;
    if (token < runToken) {
      zigzag = token;
    } else if (token < delta20Token) {
      zigzag = ((token & 0x1f) << 8) | bytes[at]!;
      at += 1;
    } else if (token < delta27Token) {
      zigzag = ((token & 0x0f) << 16) | (bytes[at]! << 8) | bytes[at + 1]!;
      at += 2;
    } else if (token < delta48Token) {
      zigzag = ((token & 0x07) << 24) | (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      at += 3;
    } else if (token === delta48Token) {
      if (at + 6 > end) throw new WireError("truncated", `column ${column}: difference cut off`);
      const wide = view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
      at += 6;
      const whole = scaled[column]! + (wide % 2 === 0 ? wide / 2 : -(wide + 1) / 2);
      if (!(Math.abs(whole) <= scaledMax)) throw outOfRange(column);
      scaled[column] = whole;
      values[column] = whole / scale;
      column += 1;
      continue;
    } else if (token === float64Token) {
      if (at + 8 > end) throw new WireError("truncated", `column ${column}: float64 cut off`);
      const value = view.getFloat64(at, true);
      at += 8;
      if (!Number.isFinite(value))
        throw new WireError("malformed", `column ${column}: ${value} is not a sample`);
      const whole = Math.round(value * scale);
      scaled[column] = Math.abs(whole) <= scaledMax ? whole : 0;
      values[column] = value;
      column += 1;
      continue;
    } else if (token === absentToken) {
      values[column] = Number.NaN;
      column += 1;
      continue;
    } else if (token === longRunToken) {
      reader.at = at;
      column += reader.varint("run of unchanged columns", columns);
      at = reader.at;
      continue;
    } else {
      throw new WireError("malformed", `column ${column}: unknown token ${token}`);
    }
    const whole = scaled[column]! + ((zigzag & 1) === 0 ? zigzag >>> 1 : -((zigzag + 1) >>> 1));
    if (!(Math.abs(whole) <= scaledMax)) throw outOfRange(column);
    scaled[column] = whole;
    values[column] = whole / scale;
    column += 1;
  }
  if (column !== columns || at > end) {
    throw new WireError(
      "malformed",
      `values cover ${column} columns up to byte ${at}, want ${columns} and ${end}`,
    );
  }
  reader.at = at;
}
