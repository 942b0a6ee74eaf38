/**
 * The table of leaves that a drill-down looks through, and its combinations of attribute values.
 *
 * A leaf is one value for every attribute: channel=mobile, product=transfer, region=north. Values are codes, so that a combination's
 * leaves are found by arithmetic. Code 0 is "not told": such a leaf counts, but no combination is named by it.
 *
 * Cost: one pass over the leaves for each set of attributes; 41 sets of up to three of six attributes.
 */
import { limits } from "#shared/limits.ts";

export interface Leaves {
  readonly attributes: readonly string[];
  /** By attribute: the values by their code; the first is not told. */
  readonly values: readonly (readonly string[])[];
  /** By attribute: the code of each leaf. */
  readonly codes: readonly Uint32Array[];
  readonly size: number;
}

/** Values by attribute, sorted by attribute. */
export type Where = readonly (readonly [attribute: string, value: string])[];

/** Leaves from their values, in the order of `attributes`; "" is not told. */
export function leavesOf(attributes: readonly string[], rows: readonly (readonly string[])[]): Leaves {
  const known = attributes.map(() => new Map([["", 0]]));
  const codes = attributes.map((_, attribute) => {
    const codeOf = known[attribute]!;
    return Uint32Array.from(rows, (row) => {
      const value = row[attribute] ?? "";
      const code = codeOf.get(value) ?? codeOf.size;
      codeOf.set(value, code);
      return code;
    });
  });
  return { attributes, values: known.map((codeOf) => [...codeOf.keys()]), codes, size: rows.length };
}

/** Throws when there is more to look through than was agreed: whoever keeps leaves bounds them. */
export function assertBounded({ size, attributes }: Leaves): void {
  if (size > limits.drillLeavesMax || attributes.length > limits.drillAttributesMax) {
    throw new RangeError(
      `drill-down: ${size} leaves of ${attributes.length} attributes, limits are ${limits.drillLeavesMax} (limits.drillLeavesMax) and ` +
        `${limits.drillAttributesMax} (limits.drillAttributesMax); keep fewer leaves and count the rest as one`,
    );
  }
}

/** Attributes that tell leaves apart: with one value everywhere, or none, there is nothing to choose. */
export function tellingAttributes({ codes, size }: Leaves): number[] {
  return [...codes.keys()].filter((attribute) => {
    const column = codes[attribute]!;
    let first = 0;
    for (let leaf = 0; leaf < size; leaf += 1) {
      if (column[leaf] === 0 || column[leaf] === first) continue;
      if (first !== 0) return true;
      first = column[leaf]!;
    }
    return false;
  });
}

/** Sets of up to `sizeMax` of `attributes`: small ones first, then in the order of the attributes. */
export function subsetsOf(attributes: readonly number[], sizeMax: number): number[][] {
  const sets: number[][] = [];
  let last: number[][] = [[]];
  for (let size = 1; size <= Math.min(sizeMax, attributes.length); size += 1) {
    last = last.flatMap((set) =>
      attributes
        .filter((attribute) => attribute > (set.at(-1) ?? -1))
        .map((attribute) => [...set, attribute]),
    );
    sets.push(...last);
  }
  return sets;
}

/** Which combination of one set of attributes each leaf belongs to; combinations are numbered in the order of their first leaf. */
export interface Groups {
  readonly attributes: readonly number[];
  /** By leaf: the number of its combination, or -1 where a value is not told. */
  readonly groupOf: Int32Array;
  /** By combination: its first leaf. */
  readonly first: readonly number[];
}

/** Below this many possible combinations a table is quicker than a map. */
const denseMax = 1 << 18;

export function groupsOf(leaves: Leaves, attributes: readonly number[]): Groups {
  const possible = attributes.reduce((product, attribute) => product * leaves.values[attribute]!.length, 1);
  const keys = keysOf(leaves, attributes);
  return { attributes, ...(possible <= denseMax ? numberedDensely(keys, possible) : numberedByMap(keys)) };
}

/** A number for each leaf's combination, -1 where a value is not told. */
function keysOf({ values, codes, size }: Leaves, attributes: readonly number[]): Float64Array {
  const keys = new Float64Array(size);
  for (const attribute of attributes) {
    const width = values[attribute]!.length;
    const column = codes[attribute]!;
    for (let leaf = 0; leaf < size; leaf += 1)
      keys[leaf] = column[leaf] === 0 || keys[leaf]! < 0 ? -1 : keys[leaf]! * width + column[leaf]!;
  }
  return keys;
}

type Numbered = Pick<Groups, "groupOf" | "first">;

function numberedDensely(keys: Float64Array, possible: number): Numbered {
  const numbers = new Int32Array(possible);
  const groupOf = new Int32Array(keys.length);
  const first: number[] = [];
  for (let leaf = 0; leaf < keys.length; leaf += 1) {
    const key = keys[leaf]!;
    if (key >= 0 && numbers[key] === 0) numbers[key] = first.push(leaf);
    groupOf[leaf] = key < 0 ? -1 : numbers[key]! - 1;
  }
  return { groupOf, first };
}

function numberedByMap(keys: Float64Array): Numbered {
  const numbers = new Map<number, number>();
  const groupOf = new Int32Array(keys.length);
  const first: number[] = [];
  for (let leaf = 0; leaf < keys.length; leaf += 1) {
    const key = keys[leaf]!;
    if (key >= 0 && !numbers.has(key)) numbers.set(key, first.push(leaf));
    groupOf[leaf] = key < 0 ? -1 : numbers.get(key)! - 1;
  }
  return { groupOf, first };
}

/** The leaves that have `leaf`'s values of `attributes`. */
export function leavesLike({ codes, size }: Leaves, attributes: readonly number[], leaf: number): number[] {
  const found: number[] = [];
  for (let other = 0; other < size; other += 1)
    if (attributes.every((attribute) => codes[attribute]![other] === codes[attribute]![leaf]))
      found.push(other);
  return found;
}

export function whereOf(
  { attributes: names, values, codes }: Leaves,
  attributes: readonly number[],
  leaf: number,
): Where {
  return attributes
    .map((attribute) => [names[attribute]!, values[attribute]![codes[attribute]![leaf]!]!] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * What all of `members` have in common, if that is no longer than `sizeMax`; else `attributes`. Of combinations that are the very same
 * leaves this one says most: what only fails on a channel that only one region has is told with the region.
 */
export function inCommon(
  { codes }: Leaves,
  telling: readonly number[],
  members: readonly number[],
  attributes: readonly number[],
  sizeMax: number,
): readonly number[] {
  const [leaf] = members;
  if (leaf === undefined) return attributes;
  const common = telling.filter((attribute) => {
    const column = codes[attribute]!;
    return column[leaf] !== 0 && members.every((member) => column[member] === column[leaf]);
  });
  return common.length <= sizeMax ? common : attributes;
}
