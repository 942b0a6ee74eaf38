/**
 * Reads numbers and words out of bytes, without making a string.
 *
 * The kernel's text files are ASCII: digits, spaces, newlines. A probe walks over them with this cursor and gets
 * numbers; an object or a string per line would be the agent's largest cost. Nothing here throws: past the end there
 * is nothing to read. Cost: about 1 ns a byte.
 */

const space = 32;
const tab = 9;
const newline = 10;
const zero = 48;

export class Cursor {
  bytes: Uint8Array;
  at = 0;
  end = 0;
  /** Where the last word began and ended; set by `word`. */
  wordStart = 0;
  wordEnd = 0;

  constructor(bytes: Uint8Array, end = bytes.length) {
    this.bytes = bytes;
    this.end = end;
  }

  /** Starts over at the beginning of the first `end` of `bytes`. */
  load(bytes: Uint8Array, end: number): this {
    this.bytes = bytes;
    this.at = 0;
    this.end = end;
    return this;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** The byte at the cursor; -1 at the end. */
  peek(): number {
    return this.at < this.end ? this.bytes[this.at]! : -1;
  }

  /** To the next byte that is not a space or a tab; never over the end of the line. */
  skipSpaces(): void {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end && (bytes[at] === space || bytes[at] === tab)) at += 1;
    this.at = at;
  }

  /** The next number of this line, an integer without sign; NaN, and no step, if what follows is not a digit. */
  number(): number {
    this.skipSpaces();
    const { bytes, end } = this;
    let at = this.at;
    let value = 0;
    for (; at < end; at += 1) {
      const digit = bytes[at]! - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === this.at) return Number.NaN;
    this.at = at;
    return value;
  }

  /** A number with places after the point, as in /proc/loadavg and /proc/uptime. */
  decimal(): number {
    const whole = this.number();
    if (this.peek() !== 46) return whole;
    this.at += 1;
    const from = this.at;
    const fraction = this.number();
    if (Number.isNaN(fraction)) return whole;
    const scale = 10 ** (this.at - from);
    // One division is rounded once: 1.57 is then the very number that JavaScript means by it.
    return (whole * scale + fraction) / scale;
  }

  /**
   * Hexadecimal digits up to something else, at most eight of them: the kernel's addresses and ports. NaN if there is
   * none.
   */
  hex(): number {
    const { bytes, end } = this;
    const from = this.at;
    const stop = Math.min(end, from + 8);
    let at = from;
    let value = 0;
    for (; at < stop; at += 1) {
      const digit = hexDigit(bytes[at]!);
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    if (at === from) return Number.NaN;
    this.at = at;
    return value;
  }

  /** Steps over the next word of this line; false at the end of the line. Its place is in `wordStart` and `wordEnd`. */
  word(): boolean {
    this.skipSpaces();
    const { bytes, end } = this;
    let at = this.at;
    while (at < end && bytes[at]! > space) at += 1;
    this.wordStart = this.at;
    this.wordEnd = at;
    this.at = at;
    return at > this.wordStart;
  }

  skipWords(count: number): void {
    for (let index = 0; index < count && this.word(); index += 1);
  }

  /** To the start of the next line; false when there is none. */
  nextLine(): boolean {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end && bytes[at] !== newline) at += 1;
    this.at = Math.min(end, at + 1);
    return this.at < end;
  }

  /** True if the bytes at the cursor are those of `text`. */
  startsWith(text: Uint8Array): boolean {
    return this.equals(text, this.at, this.at + text.length);
  }

  /** True if the bytes from `start` up to `end` are those of `text`. */
  equals(text: Uint8Array, start: number, end: number): boolean {
    if (end - start !== text.length || end > this.end) return false;
    for (let index = 0; index < text.length; index += 1) {
      if (this.bytes[start + index] !== text[index]) return false;
    }
    return true;
  }

  /** The bytes from `start` up to `end` as text. Makes a string: for what is new, never for every tick. */
  text(start: number, end: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, end - start).toString("utf8");
  }

  /** A copy of the bytes from `start` up to `end`, for comparing at later ticks. */
  copy(start: number, end: number): Uint8Array {
    return Uint8Array.prototype.slice.call(this.bytes, start, end);
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  if (byte >= 65 && byte <= 70) return byte - 55;
  return byte >= 97 && byte <= 102 ? byte - 87 : -1;
}
