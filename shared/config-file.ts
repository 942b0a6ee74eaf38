/**
 * Configuration files: JSON with comments, read against a small schema of ours that also knows units.
 *
 * An operator gets every mistake at once, each with file, line and key (`agent.json:12: send.backof: unknown key; did you
 * mean "backoff"?`). Nothing is guessed: an unknown key is a mistake, because a setting with a typo that silently does nothing
 * is found at the worst moment. The same fields read what comes from the command line and the environment.
 */
import type { Node } from "jsonc-parser";
import { parseDuration } from "./duration.ts";
import { ConfigError, errorText } from "./errors.ts";

export type { Node } from "jsonc-parser";

/** One setting. `read` gives the value, or undefined when `raw` is not what `want` says. */
export interface Field<T> {
  readonly want: string;
  readonly fallback: T;
  read(raw: unknown): T | undefined;
}

/** Puts a mistake on the list, with the line of `node`. */
export type Tell = (node: Node, key: string, problem: string) => undefined;

/** A setting with parts of its own (`config-parts.ts`): it reads the file's tree, so that each mistake has its own line. */
export interface DeepField<T> extends Field<T> {
  readNode(node: Node, key: string, tell: Tell): T | undefined;
}

/** Settings by key; nested for sections. */
export interface Section {
  readonly [key: string]: Field<unknown> | Section;
}

export type ConfigOf<S> = {
  readonly [K in keyof S]: S[K] extends Field<infer T> ? T : S[K] extends Section ? ConfigOf<S[K]> : never;
};

export function textField<T extends string | null>(
  fallback: T,
  options: { want?: string; allowed?: readonly string[]; matches?: (text: string) => boolean } = {},
): Field<string | T> {
  const { allowed, matches = () => true } = options;
  const want = options.want ?? (allowed === undefined ? "a text" : `one of ${allowed.join(", ")}`);
  const good = (text: string) =>
    text !== "" && (allowed === undefined || allowed.includes(text)) && matches(text);
  return { want, fallback, read: (raw) => (typeof raw === "string" && good(raw) ? raw : undefined) };
}

export function booleanField(fallback: boolean): Field<boolean> {
  const read = (raw: unknown) =>
    raw === true || raw === "true" ? true : raw === false || raw === "false" ? false : undefined;
  return { want: "true or false", fallback, read };
}

export function numberField(
  fallback: number,
  range: { min: number; max: number; whole?: boolean },
): Field<number> {
  const { min, max, whole = false } = range;
  const want = `a ${whole ? "whole " : ""}number from ${min} to ${max}`;
  const read = (raw: unknown) => {
    const value = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
    if (typeof value !== "number" || !(value >= min && value <= max)) return undefined;
    return whole && !Number.isInteger(value) ? undefined : value;
  };
  return { want, fallback, read };
}

/** Milliseconds, written like "15m" or "1h30m". A bare number is refused: nobody can tell its unit. */
export function durationField(fallbackMs: number, range: { min: string; max: string }): Field<number> {
  const [minMs, maxMs] = [parseDuration(range.min), parseDuration(range.max)];
  const want = `a duration from "${range.min}" to "${range.max}"`;
  const read = (raw: unknown) => {
    const valueMs = typeof raw === "string" ? durationOrNothing(raw) : undefined;
    return valueMs !== undefined && valueMs >= minMs && valueMs <= maxMs ? valueMs : undefined;
  };
  return { want, fallback: fallbackMs, read };
}

function durationOrNothing(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

const sizes: readonly (readonly [string, number])[] = [
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
  ["kB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["TB", 1e12],
  ["B", 1],
];

/** Bytes, written like "512MiB" or "2GB". */
export function bytesField(fallbackBytes: number, range: { min: string; max: string }): Field<number> {
  const [minBytes, maxBytes] = [bytesOf(range.min) ?? 0, bytesOf(range.max) ?? Number.MAX_SAFE_INTEGER];
  const read = (raw: unknown) => {
    const value = typeof raw === "string" ? bytesOf(raw) : undefined;
    return value !== undefined && value >= minBytes && value <= maxBytes ? value : undefined;
  };
  return { want: `a size from "${range.min}" to "${range.max}"`, fallback: fallbackBytes, read };
}

function bytesOf(text: string): number | undefined {
  const [, count, unit] = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text) ?? [];
  const size = sizes.find(([name]) => name === unit)?.[1];
  return size === undefined ? undefined : Math.floor(Number(count) * size);
}

/** A share, written like "10%"; the value is 0.1. */
export function shareField(fallback: number, range: { min: string; max: string }): Field<number> {
  const [min, max] = [shareOf(range.min) ?? 0, shareOf(range.max) ?? 1];
  const read = (raw: unknown) => {
    const value = typeof raw === "string" ? shareOf(raw) : undefined;
    return value !== undefined && value >= min && value <= max ? value : undefined;
  };
  return { want: `a share from "${range.min}" to "${range.max}"`, fallback, read };
}

function shareOf(text: string): number | undefined {
  const [, percent] = /^(\d+(?:\.\d+)?) ?%$/.exec(text) ?? [];
  return percent === undefined ? undefined : Number(percent) / 100;
}

export function listField<T>(of: Field<T>, options: { max: number }): Field<readonly T[]> {
  const read = (raw: unknown) => {
    const items: unknown[] | undefined = Array.isArray(raw)
      ? raw
      : typeof raw === "string"
        ? raw.split(",")
        : undefined;
    if (items === undefined || items.length > options.max) return undefined;
    const values = items.map((item) => of.read(item));
    return values.includes(undefined) ? undefined : (values as T[]);
  };
  return { want: `a list of at most ${options.max}, each ${of.want}`, fallback: [], read };
}

/**
 * Settings from anywhere, checked one by one; the mistakes come together at the end. Later `set`s win: file, then
 * environment, then command line.
 */
export class ConfigReader<S extends Section> {
  readonly problems: string[] = [];
  readonly #schema: S;
  readonly #values = new Map<string, unknown>();

  constructor(schema: S) {
    this.#schema = schema;
  }

  /** `key` is a path like "spool.maxSize"; `source` stands before it in a message, like "--interval". */
  set(key: string, raw: unknown, source: string): void {
    const field = fieldAt(this.#schema, key);
    if (field === undefined) throw new Error(`BUG: no setting ${key}`);
    const value = field.read(raw);
    if (value === undefined) this.problems.push(`${source}: want ${field.want}, got ${shown(raw)}`);
    else this.#values.set(key, value);
  }

  /** Reads a file's text; `file` names it in messages. */
  async readText(text: string, file: string): Promise<void> {
    // Loaded only when there is a file: an agent without one does not pay for the parser.
    const { parseTree, printParseErrorCode } = await import("jsonc-parser");
    const errors: { error: number; offset: number; length: number }[] = [];
    const root = parseTree(text, errors, { allowTrailingComma: true });
    const place = (offset: number) => `${file}:${lineOf(text, offset)}`;
    for (const { error, offset } of errors) {
      this.problems.push(`${place(offset)}: not JSON: ${printParseErrorCode(error)}`);
    }
    if (errors.length > 0) return;
    if (root?.type !== "object") {
      this.problems.push(`${file}: want an object, got ${root?.type ?? "nothing"}`);
      return;
    }
    const tell: Tell = ({ offset }, key, problem) => {
      this.problems.push(`${place(offset)}: ${key}: ${problem}`);
      return undefined;
    };
    for (const [key, value] of readObject(root, this.#schema, "", tell)) this.#values.set(key, value);
  }

  /** All settings, with fallbacks. Throws `ConfigError` with every problem found. */
  finish(): ConfigOf<S> {
    if (this.problems.length > 0) throw new ConfigError(this.problems);
    return built(this.#schema, this.#values, "");
  }
}

/** What an object of the file gives, by path from `prefix` on; mistakes are told, and what is wrong is left out. */
export function readObject(node: Node, section: Section, prefix: string, tell: Tell): Map<string, unknown> {
  const values = new Map<string, unknown>();
  const seen = new Set<string>();
  for (const { children } of node.children ?? []) {
    const [keyNode, valueNode] = children ?? [];
    if (keyNode === undefined || valueNode === undefined) continue;
    const name = String(keyNode.value);
    const key = `${prefix}${name}`;
    const known = Object.hasOwn(section, name) ? section[name] : undefined;
    if (seen.has(name)) tell(keyNode, key, "given twice");
    else if (known === undefined) tell(keyNode, key, `unknown key${suggestion(name, Object.keys(section))}`);
    else if (isField(known)) {
      const value = isDeep(known)
        ? known.readNode(valueNode, key, tell)
        : readValue(known, valueNode, key, tell, keyNode);
      if (value !== undefined) values.set(key, value);
    } else if (valueNode.type === "object") {
      for (const [path, value] of readObject(valueNode, known, `${key}.`, tell)) values.set(path, value);
    } else tell(keyNode, key, `want an object, got ${shown(valueOf(valueNode))}`);
    seen.add(name);
  }
  return values;
}

/** One plain value; `at` is what a mistake's line is that of. */
export function readValue<T>(field: Field<T>, node: Node, key: string, tell: Tell, at = node): T | undefined {
  const raw = valueOf(node);
  const value = field.read(raw);
  if (value === undefined) tell(at, key, `want ${field.want}, got ${shown(raw)}`);
  return value;
}

/** The settings of `section` from values by path; what is not there has its fallback. */
export function built<S extends Section>(
  section: S,
  values: ReadonlyMap<string, unknown>,
  prefix: string,
): ConfigOf<S> {
  const entries = Object.entries(section).map(([name, known]): [string, unknown] => {
    const key = `${prefix}${name}`;
    if (!isField(known)) return [name, built(known, values, `${key}.`)];
    return [name, values.has(key) ? values.get(key) : known.fallback];
  });
  return Object.fromEntries(entries) as ConfigOf<S>;
}

/** Reads `text` alone. Throws `ConfigError` with every problem found. */
export async function readConfig<S extends Section>(
  text: string,
  file: string,
  schema: S,
): Promise<ConfigOf<S>> {
  const reader = new ConfigReader(schema);
  await reader.readText(text, file);
  return reader.finish();
}

/** Reads the file at `path` into `reader`; a file that cannot be read is a problem like any other. */
export async function readConfigFile<S extends Section>(
  reader: ConfigReader<S>,
  path: string,
): Promise<void> {
  const fs = await import("node:fs");
  let text: string;
  try {
    text = fs.readFileSync(path, "utf8");
  } catch (error) {
    reader.problems.push(`${path}: cannot be read: ${errorText(error)}`);
    return;
  }
  await reader.readText(text, path);
}

function isField(known: Field<unknown> | Section): known is Field<unknown> {
  return typeof known["read"] === "function";
}

function isDeep(field: Field<unknown>): field is DeepField<unknown> {
  return "readNode" in field;
}

function fieldAt(schema: Section, key: string): Field<unknown> | undefined {
  let at: Field<unknown> | Section | undefined = schema;
  for (const name of key.split(".")) {
    if (at === undefined || isField(at)) return undefined;
    at = Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at !== undefined && isField(at) ? at : undefined;
}

export function valueOf(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(valueOf);
  return node.type === "object" ? {} : (node.value as unknown);
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

export function shown(raw: unknown): string {
  const text = JSON.stringify(raw) ?? String(raw);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/** The known name that is fewest edits away, if that is a plausible typo. */
export function suggestion(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, edits: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.edits - b.edits);
  return nearest === undefined ? `; known are ${known.join(", ")}` : `; did you mean "${nearest.candidate}"?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, charA] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, charB] of Array.from(b).entries()) {
      const swap = (row[j] ?? 0) + (charA === charB ? 0 : 1);
      next.push(Math.min(swap, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
