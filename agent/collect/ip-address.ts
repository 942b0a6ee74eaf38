/**
 * Addresses as the kernel prints them in /proc/net/tcp (words in the machine's byte order) and as people write them. Pure.
 *
 * An IPv4 address is one word; an IPv4-mapped IPv6 address (::ffff:a.b.c.d) is taken as the IPv4 address that it is.
 */

/** Four words; of IPv4 only the first counts. */
export interface Address {
  readonly words: Uint32Array;
  isV4: boolean;
}

export function emptyAddress(): Address {
  return { words: new Uint32Array(4), isV4: true };
}

/** The third word of ::ffff:a.b.c.d. */
const mappedWord = 0xffff0000;

/** Four words that are an IPv4-mapped address become that address. */
export function unmap(address: Address): void {
  const { words } = address;
  if (words[0] !== 0 || words[1] !== 0 || words[2] !== mappedWord) return;
  words[0] = words[3]!;
  address.isV4 = true;
}

export function copyOf({ words, isV4 }: Address): Address {
  return { words: words.slice(), isV4 };
}

export function sameAddress(a: Address, b: Address): boolean {
  if (a.isV4 !== b.isV4 || a.words[0] !== b.words[0]) return false;
  return a.isV4 || (a.words[1] === b.words[1] && a.words[2] === b.words[2] && a.words[3] === b.words[3]);
}

/** 0.0.0.0 or ::, what a listener on every address has. */
export function isAnyAddress({ words, isV4 }: Address): boolean {
  return words[0] === 0 && (isV4 || (words[1] === 0 && words[2] === 0 && words[3] === 0));
}

/** "10.0.0.7", "2001:db8::1". */
export function addressText({ words, isV4 }: Address): string {
  const bytes: number[] = [];
  for (const word of isV4 ? words.subarray(0, 1) : words) {
    bytes.push(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24);
  }
  return isV4 ? bytes.join(".") : formatV6(bytes);
}

/** Fills `address` from its text, without brackets and without a scope; false if it is none. */
export function parseAddress(text: string, address: Address): boolean {
  const { words } = address;
  if (!text.includes(":")) {
    const word = v4Word(text);
    words[0] = word;
    address.isV4 = true;
    return !Number.isNaN(word);
  }
  const bytes = v6Bytes(text);
  if (bytes === undefined) return false;
  for (let word = 0; word < 4; word += 1) {
    const at = word * 4;
    words[word] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }
  address.isV4 = false;
  unmap(address);
  return true;
}

function v4Word(text: string): number {
  const parts = text.split(".");
  let word = 0;
  for (let index = 3; index >= 0; index -= 1) {
    const part = parts[index];
    if (part === undefined || !/^\d{1,3}$/.test(part) || Number(part) > 255) return Number.NaN;
    word = word * 256 + Number(part);
  }
  return parts.length === 4 ? word : Number.NaN;
}

function v6Bytes(text: string): number[] | undefined {
  const [before = "", after, ...rest] = text.split("::");
  if (rest.length > 0) return undefined;
  const head = groupBytes(before);
  const tail = after === undefined ? [] : groupBytes(after);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (after === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function groupBytes(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  for (const group of text.split(":")) {
    if (group.includes(".")) {
      const word = v4Word(group);
      if (Number.isNaN(word)) return undefined;
      bytes.push(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24);
    } else if (/^[\da-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    } else return undefined;
  }
  return bytes;
}

/** RFC 5952: lower case, no leading zeros, the first of the longest runs of two or more zero groups as "::". */
function formatV6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) => (bytes[index * 2]! << 8) | bytes[index * 2 + 1]!);
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  return best.start < 0 ? hex(0, 8) : `${hex(0, best.start)}::${hex(best.start + best.length, 8)}`;
}
