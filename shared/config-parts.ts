/**
 * Settings with parts of their own: lists of sections, and maps whose keys the operator chooses.
 *
 * They are fields like any other (`config-file.ts`), but read the file's tree, so a mistake in the third key of the fifth rule
 * is told with its own line and its whole path (`collector.json:31: detect.rules[4].set.bound: want ...`). A section is made
 * into a value only when all its keys are good: what holds between the keys is checked there, and told at the key it is about.
 */
import {
  built,
  type ConfigOf,
  type DeepField,
  type Field,
  type Node,
  readObject,
  readValue,
  type Section,
  shown,
  type Tell,
  valueOf,
} from "./config-file.ts";

/** What reads one part of the tree; undefined when something in it was wrong and was told. */
export interface Part<T> {
  readonly want: string;
  readNode(node: Node, key: string, tell: Tell): T | undefined;
}

/** A setting that may be left out: null then. */
export function optional<T>(field: Field<T>): Field<T | null> {
  return { want: field.want, fallback: null, read: (raw) => field.read(raw) };
}

export function partField<T, F = T>(part: Part<T>, fallback: F): DeepField<T | F> {
  return {
    want: part.want,
    fallback,
    read: () => undefined,
    readNode: (node, key, tell) => part.readNode(node, key, tell),
  };
}

/** One plain value as an item of a list. */
export function valuePart<T>(field: Field<T>): Part<T> {
  return { want: field.want, readNode: (node, key, tell) => readValue(field, node, key, tell) };
}

/**
 * A section that `make` turns into a value. `make` may tell further mistakes, each at one of the section's keys ("set",
 * "set.range", "days[2]"), or at the nearest that is there; "" is the section itself.
 */
export function sectionPart<S extends Section, T>(
  section: S,
  make: (value: ConfigOf<S>, tell: (name: string, problem: string) => void) => T,
): Part<T> {
  return {
    want: "an object",
    readNode(node, key, tell) {
      if (node.type !== "object") return tell(node, key, `want an object, got ${shown(valueOf(node))}`);
      let problems = 0;
      const counted: Tell = (at, path, problem) => {
        problems += 1;
        return tell(at, path, problem);
      };
      const value = built(section, readObject(node, section, "", prefixed(counted, `${key}.`)), "");
      if (problems > 0) return undefined;
      const made = make(value, (name, problem) =>
        counted(nodeAt(node, name), name === "" ? key : `${key}.${name}`, problem),
      );
      return problems > 0 ? undefined : made;
    },
  };
}

function prefixed(tell: Tell, prefix: string): Tell {
  return (node, key, problem) => tell(node, `${prefix}${key}`, problem);
}

/** The key or item at a path below `node`, or the nearest that is there. */
function nodeAt(node: Node, path: string): Node {
  let at = node;
  let found = node;
  for (const name of path.split(/[.[\]]+/).filter((part) => part !== "")) {
    const item = at.type === "array" ? at.children?.[Number(name)] : undefined;
    const property = at.children?.find(({ children }) => children?.[0]?.value === name)?.children;
    const next = item ?? property?.[1];
    if (next === undefined) break;
    found = item ?? property?.[0] ?? next;
    at = next;
  }
  return found;
}

/** Keys that the operator chooses, each with a value of `part`, in the order of the file. */
export function mapPart<T>(
  part: Part<T>,
  options: { max: number; keyProblem?: (name: string) => string | null },
): Part<readonly (readonly [string, T])[]> {
  const { keyProblem = () => null } = options;
  const want = `an object of at most ${options.max} keys, each ${part.want}`;
  return {
    want,
    readNode(node, key, tell) {
      const properties = node.type === "object" ? (node.children ?? []) : null;
      if (properties === null || properties.length > options.max)
        return tell(node, key, `want ${want}, got ${shown(valueOf(node))}`);
      const entries: [string, T][] = [];
      for (const { children } of properties) {
        const [keyNode, valueNode] = children ?? [];
        if (keyNode === undefined || valueNode === undefined) continue;
        const name = String(keyNode.value);
        const problem = entries.some(([before]) => before === name) ? "given twice" : keyProblem(name);
        if (problem !== null) tell(keyNode, `${key}.${name}`, problem);
        const value = part.readNode(valueNode, `${key}.${name}`, tell);
        if (value !== undefined) entries.push([name, value]);
      }
      return entries;
    },
  };
}

/** Every item is read, so that every mistake is told; the items that are good are the value. */
export function listPart<T>(part: Part<T>, options: { max: number }): Part<readonly T[]> {
  const want = `a list of at most ${options.max}, each ${part.want}`;
  return {
    want,
    readNode(node, key, tell) {
      const items = node.type === "array" ? (node.children ?? []) : null;
      if (items === null || items.length > options.max)
        return tell(node, key, `want ${want}, got ${shown(valueOf(node))}`);
      return items.flatMap((item, index) => {
        const value = part.readNode(item, `${key}[${index}]`, tell);
        return value === undefined ? [] : [value];
      });
    },
  };
}
