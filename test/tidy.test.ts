/**
 * The house rules, held by a test: arrows between folders, purity, packages, names, words, papers. Tables and rules are in test/tidy/.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { forbiddenArrows, impurity, missingImports, packages, unusedArrows } from "./tidy/arrows.ts";
import {
  differentPlaceholders,
  explainedDependencies,
  namedFiles,
  pinnedDependencies,
  usedLimits,
} from "./tidy/papers.ts";
import { type Problem, readTree, type Rule } from "./tidy/tree.ts";
import { deadFiles, fileNames, lengths, openings, words } from "./tidy/words.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const tree = readTree(root);

const rules: readonly (readonly [string, Rule])[] = [
  ["folders import only what the table of arrows allows", (files) => forbiddenArrows(files)],
  ["the table of arrows has no arrow that nobody uses", unusedArrows],
  ["every import leads to a file", missingImports],
  ["pure files read no clock, no chance, no environment", impurity],
  ["each npm package is imported from one file", packages],
  ["no file says what no file may say", words],
  ["files are named in kebab-case, and none is an index", fileNames],
  ["a source file opens by saying what it is for", openings],
  ["a source file holds one idea", lengths],
  ["no file is dead", deadFiles],
  ["the documentation names files that exist", namedFiles],
  ["dependencies are pinned", pinnedDependencies],
  ["dependencies are explained in ARCHITECTURE.md", explainedDependencies],
  ["every limit is kept by something", usedLimits],
];

for (const [name, rule] of rules) test(name, () => expectNone(rule(tree)));

test("sentences have the same placeholders in both languages", async () => {
  const catalogues = [
    ["shared/text", "en.ts", "zh-CN.ts"],
    ["collector/console/i18n", "en.ts", "zh-cn.ts"],
  ] as const;
  const problems: Problem[] = [];
  for (const [folder, en, zh] of catalogues) {
    if (!existsSync(`${root}${folder}/${en}`)) continue;
    const left = await sentencesOf(`${root}${folder}/${en}`);
    problems.push(...differentPlaceholders(folder, left, await sentencesOf(`${root}${folder}/${zh}`)));
  }
  expectNone(problems);
});

/** The one object that a catalogue's module exports. */
async function sentencesOf(path: string): Promise<Record<string, unknown>> {
  const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  const [catalogue, ...others] = Object.values(module).filter((value) => typeof value === "object");
  assert.ok(catalogue !== undefined && others.length === 0, `${path}: want one exported object of sentences`);
  return catalogue as Record<string, unknown>;
}

function expectNone(problems: readonly Problem[]): void {
  assert.equal(problems.length, 0, `\n${[...problems].sort().join("\n")}\n`);
}
