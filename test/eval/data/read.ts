/** Reads files of a data set, and says which one is wrong, what was expected and what was got. */
import { existsSync, readFileSync } from "node:fs";
import { endianness } from "node:os";

/** A data set's file is not what its layout says. The message names the file. */
export class DataError extends Error {}

export type Reals = "f64" | "f32";

function readBytesOf(path: string): Uint8Array<ArrayBuffer> {
  try {
    const bytes = readFileSync(path);
    return new Uint8Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  } catch (cause) {
    throw new DataError(`${path}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** `count` bytes, no more, no less. */
export function readLabels(path: string, count: number): Uint8Array {
  const bytes = readBytesOf(path);
  if (bytes.length !== count)
    throw new DataError(`${path}: want ${count} bytes, one a row, got ${bytes.length}`);
  const wrong = bytes.findIndex((label) => label > 1);
  if (wrong >= 0) throw new DataError(`${path}: want labels 0 or 1, got ${bytes[wrong]} in row ${wrong}`);
  return bytes;
}

/** `count` little-endian reals. They may be NaN: an absent sample. */
export function readReals(path: string, count: number, kind: "f64"): Float64Array;
export function readReals(path: string, count: number, kind: "f32"): Float32Array;
export function readReals(path: string, count: number, kind: Reals): Float64Array | Float32Array {
  const bytes = readBytesOf(path);
  const size = kind === "f64" ? 8 : 4;
  if (bytes.length !== count * size) {
    throw new DataError(`${path}: want ${count * size} bytes (${count} x ${size}), got ${bytes.length}`);
  }
  if (endianness() === "BE") {
    if (kind === "f64") Buffer.from(bytes.buffer).swap64();
    else Buffer.from(bytes.buffer).swap32();
  }
  return kind === "f64" ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer);
}

/** The series that are stored as doubles or as floats, whichever file there is. */
export function readEither(pathWithoutEnd: string, count: number): Float64Array {
  const doubles = `${pathWithoutEnd}.f64`;
  const floats = `${pathWithoutEnd}.f32`;
  if (existsSync(doubles)) return readReals(doubles, count, "f64");
  if (existsSync(floats)) return Float64Array.from(readReals(floats, count, "f32"));
  throw new DataError(`${doubles}: not there, and no ${floats} either`);
}

export function readText(path: string): string {
  return new TextDecoder().decode(readBytesOf(path));
}

export function readJson(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new DataError(`${path}: want JSON: ${(cause as Error).message}`, { cause });
  }
}

/** The entries of an `index.json`: objects in `series`, each with an id that is a plain file name. */
export function readIndex(path: string): { readonly whole: Fields; readonly series: readonly Fields[] } {
  const whole = readJson(path);
  if (!isFields(whole) || !Array.isArray(whole["series"])) {
    throw new DataError(`${path}: want an object with the array "series"`);
  }
  for (const entry of whole["series"] as unknown[]) {
    const id = isFields(entry) ? entry["id"] : undefined;
    if (typeof id !== "string" || !/^[\w.-]+$/.test(id)) {
      throw new DataError(
        `${path}: want every series with an "id" of letters, digits, "-", "_", ".", got ${JSON.stringify(id)}`,
      );
    }
  }
  return { whole, series: whole["series"] as Fields[] };
}

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A number of `entry`, at least `min`. */
export function numberOf(path: string, entry: Fields, key: string, min: number, whole = true): number {
  const value = entry[key];
  if (
    typeof value === "number" &&
    value >= min &&
    Number.isFinite(value) &&
    (!whole || Number.isInteger(value))
  )
    return value;
  const name = typeof entry["id"] === "string" ? `series ${entry["id"]}: ` : "";
  const kind = whole ? "a whole number" : "a number";
  throw new DataError(
    `${path}: ${name}want "${key}" as ${kind} of at least ${min}, got ${JSON.stringify(value)}`,
  );
}
