/** The tidy rules are themselves held: each finds what it is for in a tree of a few lines, and lets the right thing pass. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { forbiddenArrows, impurity, missingImports, packages } from "./arrows.ts";
import {
  differentPlaceholders,
  explainedDependencies,
  namedFiles,
  pinnedDependencies,
  usedLimits,
} from "./papers.ts";
import { importsOf, type Rule, scan } from "./tree.ts";
import { deadFiles, fileNames, lengths, openings, words } from "./words.ts";

const opening = "/** What it is for. */\n";

/** The problems of a tree, without the advice behind the semicolon. */
function found(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  return rule(new Map(Object.entries(files))).map((problem) => problem.split(";")[0] ?? "");
}

function arrowsOf(files: Readonly<Record<string, string>>): string[] {
  return found((tree) => forbiddenArrows(tree, { arrows: [] }), files).map(
    (problem) => problem.split(",")[0] ?? "",
  );
}

test("a scanner tells code from comments, strings, templates and regular expressions", () => {
  const text = "a('b // c'); // d\n/* e\n*/ `f ${g('h')} i`; x = /[/'\"]j/; k / l / m; '\\'n'";
  const { code, bare } = scan(text);
  assert.equal(code.length, text.length);
  assert.equal(bare.length, text.length);
  assert.equal(bare.replaceAll(/\s+/g, ""), "a();`${g()}`;x=;k/l/m;");
  assert.ok(code.includes("'b // c'") && !code.includes("// d") && !code.includes("e"));
});

test("imports are found in every form, and types are told from values", () => {
  const text = `
import a, { b } from "#shared/a.ts";
import type { C } from "../c.ts";
import { type D, type E } from "./d.ts";
import { type F, g } from "ws";
import "./side.css";
export { h } from "./h.ts";
const i = await import("@scope/name/sub");
// import { no } from "./no.ts";
const text = 'import { no } from "./no.ts"';
const lines = \`
import { no } from "./no.ts";
\`;
`;
  const imports = importsOf("agent/send/x.ts", text).map(({ target, typesOnly, line }) => [
    line,
    target,
    typesOnly,
  ]);
  assert.deepEqual(
    imports.sort(([a], [b]) => Number(a) - Number(b)),
    [
      [2, "shared/a.ts", false],
      [3, "agent/c.ts", true],
      [4, "agent/send/d.ts", true],
      [5, "ws", false],
      [6, "agent/send/side.css", false],
      [7, "agent/send/h.ts", false],
      [8, "@scope/name/sub", false],
    ],
  );
});

test("agent and collector never import each other, and shared imports neither", () => {
  const problems = arrowsOf({
    "agent/send/a.ts": `import { b } from "#collector/push/b.ts";`,
    "collector/push/b.ts": `import { a } from "#agent/send/a.ts";`,
    "shared/c.ts": `import { a } from "#agent/send/a.ts";`,
    "shared/wire/d.ts": `import { c } from "../c.ts";`,
  });
  assert.deepEqual(problems, [
    "agent/send/a.ts:1: imports collector/push/b.ts",
    "collector/push/b.ts:1: imports agent/send/a.ts",
    "shared/c.ts:1: imports agent/send/a.ts",
  ]);
});

test("a stage knows no other stage; only the assemblers know them all", () => {
  const files = {
    "collector/detect/detect.ts": `import { a } from "#shared/a.ts";\nimport { b } from "../correlate/rank.ts";`,
    "collector/correlate/rank.ts": `import { c } from "./group.ts";`,
    "collector/correlate/group.ts": "",
    "collector/collector.ts": `import { d } from "./detect/detect.ts";\nimport { r } from "./correlate/rank.ts";`,
    "collector/config.ts": `import { d } from "./detect/detect.ts";`,
    "collector/console/main.tsx": `import { a } from "#shared/a.ts";\nimport { c } from "#collector/collector.ts";`,
    "shared/a.ts": "",
    "test/x.ts": `import { b } from "#collector/correlate/rank.ts";`,
  };
  assert.deepEqual(arrowsOf(files), [
    "collector/detect/detect.ts:2: imports collector/correlate/rank.ts",
    "collector/config.ts:1: imports collector/detect/detect.ts",
    "collector/console/main.tsx:2: imports collector/collector.ts",
  ]);
});

test("an arrow of the table lets one import pass, and a types-only arrow no value", () => {
  const arrow = {
    from: "collector/push",
    to: "collector/store/store.ts",
    typesOnly: true,
    reason: "",
  } as const;
  const rule: Rule = (tree) => forbiddenArrows(tree, { arrows: [arrow] });
  const store = { "collector/store/store.ts": "" };
  const push = (line: string) => ({ ...store, "collector/push/push.ts": line });
  assert.deepEqual(found(rule, push(`import type { S } from "../store/store.ts";`)), []);
  assert.equal(found(rule, push(`import { S } from "../store/store.ts";`)).length, 1);
});

test("a pure file imports no module of Node, no package and no clock, and reads nothing of the world", () => {
  const problems = found(impurity, {
    "collector/detect/a.ts": `import { readFileSync } from "node:fs";\nconst now = Date.now();\nprocess.cwd();`,
    "collector/detect/b.ts": `import { systemClock } from "#shared/clock.ts";\nimport _ from "lodash";`,
    "collector/detect/c.ts": `import type { Clock } from "#shared/clock.ts"; // Date.now() in a comment\nnew Date(5);`,
    "shared/units.ts": "const text = `${Math.random()}`;",
    "shared/contract/api.ts": `import * as z from "zod/mini";`,
    "shared/clock.ts": "Date.now();",
    "collector/push/push.ts": `import { createServer } from "node:http";`,
  });
  assert.deepEqual(problems, [
    "collector/detect/a.ts:1: a pure file imports node:fs",
    "collector/detect/a.ts:2: a pure file uses Date.now",
    "collector/detect/a.ts:3: a pure file uses process.",
    "collector/detect/b.ts:1: a pure file imports shared/clock.ts",
    "collector/detect/b.ts:2: a pure file imports lodash",
    "shared/units.ts:1: a pure file uses Math.random",
  ]);
});

test("a package is imported from one file or from its own places, and is listed", () => {
  const problems = found(packages, {
    "package.json": `{"dependencies": {"ws": "1.0.0", "uplot": "1.0.0", "preact": "1.0.0"}}`,
    "collector/push/http.ts": `import { WebSocketServer } from "ws";`,
    "collector/push/push.ts": `import { WebSocketServer } from "ws";`,
    "collector/console/a.tsx": `import uPlot from "uplot";\nimport { h } from "preact";`,
    "collector/console/b.tsx": `import uPlot from "uplot";\nimport { useState } from "preact/hooks";`,
    "collector/self/c.ts": `import left from "left-pad";`,
    "test/d.test.ts": `import uPlot from "uplot";`,
  });
  assert.deepEqual(problems, [
    "collector/push/http.ts:1: imports ws",
    "collector/self/c.ts:1: imports left-pad, which package.json does not list",
    "uplot is imported from collector/console/a.tsx and collector/console/b.tsx",
  ]);
});

test("an import that leads nowhere is found", () => {
  const problems = found(missingImports, {
    "agent/a.ts": `import { b } from "./b.ts";\nimport { c } from "ws";`,
  });
  assert.deepEqual(problems, ["agent/a.ts:1: imports agent/b.ts, which does not exist"]);
});

test("what no file says is found where it stands, and comments may speak of it", () => {
  const lines = {
    "agent/collect/a.ts":
      'setTimeout(run, 5);\nread("/proc/1/cmdline");\n// Never reads cmdline or environ.\nDate.now();',
    "agent/main.ts": "process.env;",
    "collector/b.ts":
      "process.env;\nexport default 5;\nconst a = b as any;\n// TODO: later\nnew Function(text);",
    "shared/clock.ts": "setTimeout(run, 5);",
    "test/c.test.ts": "test.only('x');\nconst environment = 5;",
  };
  assert.deepEqual(
    new Set(found(words, lines).map((problem) => problem.split(": ")[0])),
    new Set([
      "agent/collect/a.ts:1",
      "agent/collect/a.ts:2",
      "agent/collect/a.ts:4",
      "collector/b.ts:1",
      "collector/b.ts:2",
      "collector/b.ts:3",
      "collector/b.ts:4",
      "collector/b.ts:5",
      "test/c.test.ts:1",
    ]),
  );
});

test("names are kebab-case, and none is an index", () => {
  const names = [
    "agent/hostCpu.ts",
    "agent/index.ts",
    "agent/host-cpu.ts",
    "shared/text/zh-CN.ts",
    "test/a.test.ts",
  ];
  const problems = found(fileNames, Object.fromEntries(names.map((name) => [name, ""])));
  assert.deepEqual(
    problems.map((problem) => problem.split(":")[0]),
    ["agent/hostCpu.ts", "agent/index.ts"],
  );
});

test("a source file opens with its purpose and is not too long", () => {
  const files = {
    "agent/a.ts": "const a = 5;\n",
    "agent/b.ts": opening,
    "agent/c.ts": `#!/usr/bin/env node\n${opening}`,
    "agent/long.ts": opening + "a();\n".repeat(450),
    "agent/just.ts": opening + "a();\n".repeat(449),
  };
  assert.deepEqual(found(openings, files), [
    "agent/a.ts:1: begin with a /** comment */ that says what the file is for",
  ]);
  assert.deepEqual(found(lengths, files), ["agent/long.ts: 451 lines, limit is 450"]);
});

test("a file that only its test uses is dead; an entry point and a file started by its path are not", () => {
  const problems = found(deadFiles, {
    "agent/main.ts": `import { a } from "./a.ts";`,
    "agent/a.ts": `new Worker(new URL("./worker.ts", import.meta.url));`,
    "agent/worker.ts": "",
    "agent/dead.ts": "// see dead.ts",
    "agent/collect/a.ts": "",
    "test/agent/dead.test.ts": `import { d } from "#agent/dead.ts";`,
    "test/agent/unused.ts": "",
    "collector/console/main.tsx": "",
    "collector/console/index.html": `<script type="module" src="/main.tsx"></script>`,
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(":")[0]),
    ["agent/dead.ts", "agent/collect/a.ts", "test/agent/unused.ts"],
  );
});

test("a paper that names a file that is not there is found", () => {
  const problems = found(namedFiles, {
    "README.md":
      "See `agent/agent.ts`, `agent/gone.ts`, `dist/agent.js`, `*.ts` and `main.ts`.\n```\n`agent/block.ts`\n```\n",
    "agent/agent.ts": "",
    "agent/send/README.md": "Beside `../agent.ts` and `wire/wire.ts`.",
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(",")[0]),
    ["README.md: names agent/gone.ts", "agent/send/README.md: names wire/wire.ts"],
  );
});

test("dependencies are pinned and explained", () => {
  const files = {
    "package.json": `{"dependencies": {"a": "1.2.3", "@b/c": "^1.2.3"}, "devDependencies": {"d": "latest"}}`,
    "ARCHITECTURE.md": "| `a` | why |\n`d` is not in a table\n| `@b/c` | why |",
  };
  assert.deepEqual(found(pinnedDependencies, files), [
    "package.json: @b/c is ^1.2.3",
    "package.json: d is latest",
  ]);
  assert.deepEqual(found(explainedDependencies, files), [
    "ARCHITECTURE.md: no table row explains the dependency `d`",
  ]);
});

test("a limit that nothing keeps is found", () => {
  const problems = found(usedLimits, {
    "shared/limits.ts":
      "export const limits = {\n  /** why */\n  usedMax: 1,\n  forgottenMax: 2,\n} as const;\n",
    "agent/a.ts": "check(limits.usedMax); // limits.forgottenMax",
  });
  assert.deepEqual(problems, ["shared/limits.ts: nothing keeps the limit forgottenMax"]);
});

test("languages that say different things are found", () => {
  const en = { a: "{n} of {all|unit}", b: "{n#host|hosts}", c: "same", d: () => "" };
  assert.deepEqual(
    differentPlaceholders("text", en, { a: "{all|unit} {n}", b: "{n}", c: "同", d: () => "" }),
    [],
  );
  assert.equal(differentPlaceholders("text", en, { a: "{n} {all}", b: "{n}", c: "{same}" }).length, 3);
});
