/**
 * The project's files as the tidy rules see them: paths and texts, code apart from comments and strings, imports.
 *
 * The idea is TigerBeetle's `tidy.zig`: a rule of style that is worth enforcing is a test, not a sentence in a review. Every rule
 * is a function from a tree to problems, so each is tested on trees of three lines (rules.test.ts) and run on the real one
 * (../tidy.test.ts). Cost: about a second for the whole project.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Paths relative to the project's root, with `/`. A file that is not text has an empty text: only its name counts. */
export type Tree = ReadonlyMap<string, string>;

/** One line for people: where, what is wrong, what to do. */
export type Problem = string;
export type Rule = (tree: Tree) => Problem[];

export interface Import {
  readonly target: string;
  readonly line: number;
  /** `import type`, or a list in which every name is a type. Gone when the program runs. */
  readonly typesOnly: boolean;
}

export interface Scanned {
  /** Comments blanked. Same length and lines as the text. */
  readonly code: string;
  /** Comments and the contents of strings and regular expressions blanked. */
  readonly bare: string;
}

const skippedFolders = new Set([
  "node_modules",
  "dist",
  ".git",
  ".cache",
  ".causeway",
  ".causeway-demo",
  "fixtures",
]);
const textFile = /\.(?:ts|tsx|md|json|css|html|svg|yaml|yml|service)$/;

/** Every file below `root`, but what is fetched, built or recorded. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !skippedFolders.has(entry.name)) walk(path);
      if (entry.isFile()) tree.set(path, textFile.test(path) ? readFileSync(join(root, path), "utf8") : "");
    }
  };
  walk("");
  return tree;
}

/** Files of the product itself: what runs at a bank. */
export function isSource(path: string): boolean {
  return /^(?:agent|collector|shared|deploy)\/.*\.tsx?$/.test(path);
}

export function isCode(path: string): boolean {
  return isSource(path) || /^test\/.*\.tsx?$/.test(path);
}

export function* filesOf(tree: Tree, wanted: (path: string) => boolean): Generator<[string, string]> {
  for (const [path, text] of tree) if (wanted(path)) yield [path, text];
}

export function lineOf(text: string, at: number): number {
  let line = 1;
  for (let index = text.indexOf("\n"); index !== -1 && index < at; index = text.indexOf("\n", index + 1))
    line += 1;
  return line;
}

/** Every place where `pattern` (with the flag g) matches, as line and match. */
export function* matchesOf(text: string, pattern: RegExp): Generator<{ line: number; match: string }> {
  for (const found of text.matchAll(pattern)) yield { line: lineOf(text, found.index), match: found[0] };
}

const scans = new Map<string, Scanned>();

/** Splits a program into code and the rest. Knows strings, templates with code inside, regular expressions and comments. */
export function scan(text: string): Scanned {
  const known = scans.get(text);
  if (known !== undefined) return known;
  const scanned = new Scanner(text).run();
  scans.set(text, scanned);
  return scanned;
}

class Scanner {
  readonly #text: string;
  #at = 0;
  #code = "";
  #bare = "";

  constructor(text: string) {
    this.#text = text;
  }

  run(): Scanned {
    this.#program(false);
    return { code: this.#code, bare: this.#bare };
  }

  /** Up to the end, or, inside a template, up to its closing brace. */
  #program(inTemplate: boolean): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      const two = this.#text.slice(this.#at, this.#at + 2);
      if (two === "//") this.#skipTo(this.#find("\n"), "comment");
      else if (two === "/*") this.#skipTo(this.#find("*/") + 2, "comment");
      else if (char === '"' || char === "'") this.#skipTo(this.#endOfString(char), "string");
      else if (char === "`") this.#template();
      else if (char === "/" && this.#beginsRegExp()) this.#skipTo(this.#endOfRegExp(), "string");
      else {
        if (char === "{") depth += 1;
        if (char === "}") depth -= 1;
        if (inTemplate && depth < 0) return;
        this.#skipTo(this.#at + 1, "code");
      }
    }
  }

  #template(): void {
    this.#skipTo(this.#at + 1, "code");
    while (this.#at < this.#text.length && this.#text[this.#at] !== "`") {
      if (this.#text.startsWith("${", this.#at)) {
        this.#skipTo(this.#at + 2, "code");
        this.#program(true);
        this.#skipTo(this.#at + 1, "code");
      } else this.#skipTo(this.#at + (this.#text[this.#at] === "\\" ? 2 : 1), "string");
    }
    this.#skipTo(this.#at + 1, "code");
  }

  #skipTo(end: number, as: "code" | "string" | "comment"): void {
    const part = this.#text.slice(this.#at, end);
    const blank = part.replaceAll(/[^\n]/g, " ");
    this.#code += as === "comment" ? blank : part;
    this.#bare += as === "code" ? part : blank;
    this.#at += part.length;
  }

  #find(what: string): number {
    const found = this.#text.indexOf(what, this.#at);
    return found === -1 ? this.#text.length : found;
  }

  /** A quote in the text of a page's markup does no harm beyond its line. */
  #endOfString(quote: string): number {
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      if (this.#text[at] === "\\") at += 1;
      else if (this.#text[at] === quote || this.#text[at] === "\n") return at + 1;
    }
    return this.#text.length;
  }

  #beginsRegExp(): boolean {
    const before = this.#bare.trimEnd();
    return (
      before === "" || /(?:[([{},;:=!&|?+*%~^<>-]|\b(?:return|typeof|case|of|in|yield|await))$/.test(before)
    );
  }

  #endOfRegExp(): number {
    let inClass = false;
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      const char = this.#text[at];
      if (char === "\n") return this.#at + 1;
      if (char === "\\") at += 1;
      else if (char === "[") inClass = true;
      else if (char === "]") inClass = false;
      else if (char === "/" && !inClass) return at + 1;
    }
    return this.#at + 1;
  }
}

const importPatterns = [
  /^[ \t]*(?:import|export)\b(?<names>[^;"'`=()]*?)\bfrom\s*["'](?<target>[^"']+)["']/gm,
  /^[ \t]*import\s*["'](?<target>[^"']+)["']/gm,
  /\bimport\s*\(\s*["'](?<target>[^"']+)["']/g,
];

/** What a file imports, by statement or by call; a name like `#shared/log.ts` is resolved to a path of the tree. */
export function importsOf(path: string, text: string): Import[] {
  const { code, bare } = scan(text);
  const found: Import[] = [];
  for (const pattern of importPatterns) {
    for (const match of code.matchAll(pattern)) {
      // A line that looks like an import may stand in a string.
      const keyword = match.index + match[0].search(/import|export/);
      if (bare[keyword] === " ") continue;
      const names = match.groups?.["names"];
      const target = resolve(path, match.groups?.["target"] ?? "");
      found.push({
        target,
        line: lineOf(code, match.index),
        typesOnly: names !== undefined && isTypesOnly(names),
      });
    }
  }
  return found;
}

function isTypesOnly(names: string): boolean {
  if (/^\s*type\b/.test(names)) return true;
  const list = /^\s*\{(.*)\}\s*$/s.exec(names)?.[1];
  if (list === undefined) return false;
  const entries = list.split(",").map((entry) => entry.trim());
  return entries.filter((entry) => entry !== "").every((entry) => entry.startsWith("type "));
}

/** Where `target`, written in the file `from`, leads: a path of the tree, or what was written. */
export function resolve(from: string, target: string): string {
  if (target.startsWith("#")) return target.slice(1);
  if (!target.startsWith(".")) return target;
  const parts = from.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** `@scope/name/sub` -> `@scope/name`; null for a path of the tree or a `node:` module. */
export function packageOf(target: string, tree: Tree): string | null {
  if (target.startsWith("node:") || tree.has(target)) return null;
  if (/^(?:agent|collector|shared|test|deploy)\//.test(target)) return null;
  return target
    .split("/")
    .slice(0, target.startsWith("@") ? 2 : 1)
    .join("/");
}
