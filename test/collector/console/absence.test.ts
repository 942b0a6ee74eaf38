// What is told to an operator whose page was cut off.
import assert from "node:assert/strict";
import { test } from "node:test";
import { absence } from "#collector/console/live/absence.ts";

type Known = Parameters<typeof absence>[0] extends ReadonlyMap<string, infer T> ? T : never;

const open: Known = { startedMs: 100, state: "open", resolvedMs: null };
const resolved = (resolvedMs: number): Known => ({ startedMs: 100, state: "resolved", resolvedMs });

test("what opened and what resolved meanwhile is told", () => {
  const before = new Map([
    ["stays", open],
    ["ends", open],
  ]);
  const after = new Map([
    ["stays", open],
    ["ends", resolved(300)],
    ["comes", open],
  ]);
  assert.deepEqual(absence(before, after, 200, 400), {
    fromMs: 200,
    toMs: 400,
    opened: ["comes"],
    resolved: ["ends"],
  });
});

test("an incident that opened and resolved during the absence is not lost", () => {
  assert.deepEqual(absence(new Map(), new Map([["short", resolved(300)]]), 200, 400)?.resolved, ["short"]);
});

test("an incident that had resolved before the absence is no news", () => {
  assert.equal(absence(new Map(), new Map([["old", resolved(150)]]), 200, 400), null);
});

test("an incident that came back counts as opened", () => {
  const reopened = absence(new Map([["a", resolved(150)]]), new Map([["a", open]]), 200, 400);
  assert.deepEqual(reopened?.opened, ["a"]);
});

test("an absence in which nothing happened is not worth a line", () => {
  assert.equal(absence(new Map([["a", open]]), new Map([["a", open]]), 200, 400), null);
});
