import assert from "node:assert/strict";
import { test } from "node:test";
import { numberField, readConfig, type Section, textField } from "#shared/config-file.ts";
import { listPart, mapPart, optional, partField, sectionPart, valuePart } from "#shared/config-parts.ts";
import { ConfigError } from "#shared/errors.ts";

const size = optional(numberField(0, { min: 0, max: 10 }));
const boxPart = sectionPart({ name: textField(null), inner: { size } }, ({ name, inner }, tell) => {
  if (name === null) tell("name", "missing");
  if (inner.size === 7) tell("inner.size", "7 is taken");
  if (inner.size === 8) tell("", "8 is for nobody");
  return `${name}/${inner.size}`;
});
const schema = {
  boxes: partField(listPart(boxPart, { max: 3 }), []),
  first: partField(boxPart, null),
  days: partField(listPart(valuePart(textField("a", { allowed: ["a", "b"] })), { max: 4 }), ["b"]),
  labels: partField(
    mapPart(valuePart(textField("")), {
      max: 2,
      keyProblem: (name) => (name === "bad" ? "bad is bad" : null),
    }),
    [],
  ),
} as const satisfies Section;

async function problems(text: string): Promise<readonly string[]> {
  try {
    await readConfig(text, "c.json", schema);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
}

test("lists of sections and maps are values, in the order of the file; what is not there has its fallback", async () => {
  const text = `{"boxes": [{"name": "x"}, {"name": "y", "inner": {"size": 2}}], "labels": {"b": "1", "__proto__": "2"}}`;
  assert.deepEqual(await readConfig(text, "c.json", schema), {
    boxes: ["x/null", "y/2"],
    first: null,
    days: ["b"],
    labels: [
      ["b", "1"],
      ["__proto__", "2"],
    ],
  });
});

test("every mistake in a part is told with its own line and its whole path", async () => {
  const text = `{
"boxes": [
  {"name": "x", "iner": {}},
  {"inner": {
    "size": 11,
    "sise": 1
  }},
  {"name": "z", "inner": {
    "size": 7
  }}
],
"first": {
  "inner": {"size": 8}
},
"days": ["a",
  "c"
],
"labels": {
  "bad": "1",
  "b": 2
}}`;
  assert.deepEqual(await problems(text), [
    'c.json:3: boxes[0].iner: unknown key; did you mean "inner"?',
    "c.json:5: boxes[1].inner.size: want a number from 0 to 10, got 11",
    'c.json:6: boxes[1].inner.sise: unknown key; did you mean "size"?',
    "c.json:9: boxes[2].inner.size: 7 is taken",
    "c.json:12: first.name: missing",
    "c.json:12: first: 8 is for nobody",
    'c.json:16: days[1]: want one of a, b, got "c"',
    "c.json:19: labels.bad: bad is bad",
    "c.json:20: labels.b: want a text, got 2",
  ]);
});

test("a part of the wrong shape, and one that is too long, is told as such", async () => {
  assert.match(
    (await problems('{"boxes": {}}')).join(),
    /boxes: want a list of at most 3, each an object, got \{\}/,
  );
  assert.match((await problems('{"boxes": [{}, {}, {}, {}]}')).join(), /want a list of at most 3/);
  assert.match((await problems('{"boxes": [5]}')).join(), /boxes\[0\]: want an object, got 5/);
  assert.match((await problems('{"labels": {"a": "", "b": "", "c": ""}}')).join(), /at most 2 keys/);
  assert.match((await problems('{"labels": {"a": "x", "a": "y"}}')).join(), /labels\.a: given twice/);
});
