/**
 * Rules that hold papers to the program: documentation names files that exist, dependencies are pinned and explained, limits
 * are used, languages say the same.
 */
import { filesOf, isSource, type Problem, type Rule, scan, type Tree } from "./tree.ts";

const isPaper = (path: string): boolean => /(?:^|\/)(?:README|ARCHITECTURE|SECURITY|RUNBOOK)\.md$/.test(path);

/** What the documentation may name though a fresh checkout lacks it. */
const notInTree = /^(?:dist|node_modules|\.cache|\.causeway|\.causeway-demo)\//;

/** A path in backticks, with a slash and a usual extension, is a promise that the file is there. */
export const namedFiles: Rule = (tree) =>
  [...filesOf(tree, isPaper)].flatMap(([path, text]) => {
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
    const withoutBlocks = text.replaceAll(/^```[\s\S]*?^```/gm, "");
    const named = [
      ...withoutBlocks.matchAll(/`([\w.@-]+(?:\/[\w.@-]+)+\.(?:tsx?|md|json|ya?ml|css|html|service))`/g),
    ];
    return named
      .map(([, name]) => name ?? "")
      .filter((name) => !notInTree.test(name) && !name.startsWith("@"))
      .filter((name) => !tree.has(name) && !tree.has(`${folder}${name}`) && !tree.has(normal(folder, name)))
      .map((name) => `${path}: names ${name}, which does not exist; correct the name or drop it`);
  });

function normal(folder: string, name: string): string {
  const parts = folder.split("/").slice(0, -1);
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

export const pinnedDependencies: Rule = (tree) =>
  dependencies(tree)
    .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
    .map(([name, version]) => `package.json: ${name} is ${version}; pin one exact version`);

/** Every dependency has a row in ARCHITECTURE.md that says why it is there. */
export const explainedDependencies: Rule = (tree) => {
  const paper = tree.get("ARCHITECTURE.md");
  if (paper === undefined) return [];
  const rows = paper.split("\n").filter((line) => line.startsWith("|"));
  return dependencies(tree)
    .filter(([name]) => !rows.some((row) => row.includes(`\`${name}\``)))
    .map(([name]) => `ARCHITECTURE.md: no table row explains the dependency \`${name}\``);
};

function dependencies(tree: Tree): [string, string][] {
  const manifest = JSON.parse(tree.get("package.json") ?? "{}") as Manifest;
  return [...Object.entries(manifest.dependencies ?? {}), ...Object.entries(manifest.devDependencies ?? {})];
}

export const usedLimits: Rule = (tree) => {
  const table = scan(tree.get("shared/limits.ts") ?? "").bare;
  const names = [...table.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name ?? "");
  const sources = [...filesOf(tree, (path) => isSource(path) && path !== "shared/limits.ts")];
  return names
    .filter((name) => !sources.some(([, text]) => new RegExp(`\\b${name}\\b`).test(scan(text).bare)))
    .map((name) => `shared/limits.ts: nothing keeps the limit ${name}; enforce it or delete it`);
};

/** `{name|format}` in one language and not in the other loses a fact for half of the readers. */
export function differentPlaceholders(
  catalogue: string,
  left: Readonly<Record<string, unknown>>,
  right: Readonly<Record<string, unknown>>,
): Problem[] {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].flatMap((key) => {
    const [a, b] = [left[key], right[key]];
    if (typeof a !== typeof b)
      return [`${catalogue}: ${key} is a ${typeof a} in one language and a ${typeof b} in the other`];
    if (typeof a !== "string" || typeof b !== "string") return [];
    const [wanted, got] = [placeholders(a), placeholders(b)];
    return wanted === got
      ? []
      : [`${catalogue}: ${key} has ${wanted || "nothing"} in one language, ${got || "nothing"} in the other`];
  });
}

/** `{n#host|hosts}` chooses a plural form for `n`: not every language has one, so it counts as `{n}`. */
function placeholders(sentence: string): string {
  const found = [...sentence.matchAll(/\{[^}]*\}/g)].map(([whole]) => whole.replace(/#.*\}/, "}"));
  return [...new Set(found)].sort().join(" ");
}
