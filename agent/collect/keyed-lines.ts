/**
 * Numbers out of files of the form "key value" (/proc/meminfo, /proc/vmstat, cpu.stat), or of two lines, names above
 * values (/proc/net/snmp, /proc/net/netstat).
 *
 * Which line holds which key is learnt at the first reading: a kernel prints its keys in the same order until it is
 * restarted. Every later reading checks the key where one is wanted and learns anew if it is another one. Absent keys
 * are NaN. Cost: one pass over the bytes.
 */
import type { Cursor } from "./cursor.ts";

const encoder = new TextEncoder();

/** `values[n]` is the number that stood behind `keys[n]` at the last `read`; NaN if the key is absent. */
export class KeyedLines {
  readonly values: Float64Array;
  readonly #keys: readonly Uint8Array[];
  /** For each line: the key's number, or -1. */
  #slots: number[] = [];

  /** Keys are written as in the file, without the colon. */
  constructor(keys: readonly string[]) {
    this.#keys = keys.map((key) => encoder.encode(key));
    this.values = new Float64Array(keys.length).fill(Number.NaN);
  }

  /** Reads a whole file from the cursor's place. */
  read(cursor: Cursor): Float64Array {
    const start = cursor.at;
    if (this.#take(cursor)) return this.values;
    cursor.at = start;
    this.#slots = this.#learn(cursor);
    cursor.at = start;
    this.#take(cursor);
    return this.values;
  }

  /** False when a line is not what was learnt. */
  #take(cursor: Cursor): boolean {
    this.values.fill(Number.NaN);
    let line = 0;
    for (; !cursor.done; line += 1) {
      const slot = this.#slots[line];
      if (slot === undefined) return false;
      if (slot >= 0) {
        if (!this.#isKey(cursor, slot)) return false;
        this.values[slot] = cursor.number();
      }
      cursor.nextLine();
    }
    return line === this.#slots.length;
  }

  #isKey(cursor: Cursor, slot: number): boolean {
    cursor.word();
    return cursor.equals(this.#keys[slot]!, cursor.wordStart, keyEnd(cursor));
  }

  #learn(cursor: Cursor): number[] {
    const slots: number[] = [];
    for (; !cursor.done; cursor.nextLine()) {
      cursor.word();
      slots.push(this.#keys.findIndex((key) => cursor.equals(key, cursor.wordStart, keyEnd(cursor))));
    }
    return slots;
  }
}

/** /proc/meminfo writes a colon behind its keys, the others do not. */
function keyEnd(cursor: Cursor): number {
  const colon = cursor.wordEnd > cursor.wordStart && cursor.bytes[cursor.wordEnd - 1] === 58;
  return colon ? cursor.wordEnd - 1 : cursor.wordEnd;
}

/** `values[n]` is the number in the column named `names[n]` of the pair of lines that begin with `prefix` ("Tcp:"). */
export class PairedLines {
  readonly values: Float64Array;
  readonly #prefix: Uint8Array;
  readonly #names: readonly string[];
  #places: readonly number[] | undefined;

  constructor(prefix: string, names: readonly string[]) {
    this.#prefix = encoder.encode(prefix);
    this.#names = names;
    this.values = new Float64Array(names.length).fill(Number.NaN);
  }

  read(cursor: Cursor): Float64Array {
    this.values.fill(Number.NaN);
    while (!cursor.done && !cursor.startsWith(this.#prefix)) cursor.nextLine();
    this.#places ??= this.#learn(cursor);
    cursor.nextLine();
    if (cursor.startsWith(this.#prefix)) this.#take(cursor, this.#places);
    return this.values;
  }

  #learn(cursor: Cursor): readonly number[] {
    const header: string[] = [];
    const start = cursor.at;
    while (cursor.word()) header.push(cursor.text(cursor.wordStart, cursor.wordEnd));
    cursor.at = start;
    return this.#names.map((name) => header.indexOf(name));
  }

  #take(cursor: Cursor, places: readonly number[]): void {
    for (let place = 0; cursor.word(); place += 1) {
      const slot = places.indexOf(place);
      if (slot < 0) continue;
      cursor.at = cursor.wordStart;
      this.values[slot] = cursor.number();
    }
  }
}
