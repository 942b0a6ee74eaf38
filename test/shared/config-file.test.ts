import assert from "node:assert/strict";
import { test } from "node:test";
import {
  booleanField,
  bytesField,
  ConfigReader,
  durationField,
  listField,
  numberField,
  readConfig,
  shareField,
  textField,
} from "#shared/config-file.ts";
import { ConfigError } from "#shared/errors.ts";

const schema = {
  name: textField(null),
  level: textField("info", { allowed: ["info", "warn"] }),
  send: {
    backoff: durationField(500, { min: "1ms", max: "1h" }),
    size: bytesField(1024, { min: "1KiB", max: "1GiB" }),
  },
  share: shareField(0.1, { min: "1%", max: "100%" }),
  count: numberField(3, { min: 0, max: 10, whole: true }),
  on: booleanField(false),
  names: listField(textField("", { allowed: ["a", "b"] }), { max: 3 }),
} as const;

async function problems(text: string): Promise<readonly string[]> {
  try {
    await readConfig(text, "agent.json", schema);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
}

test("comments and trailing commas are fine; what is not given has its default", async () => {
  const config = await readConfig(
    '{\n// why\n"send": {"backoff": "2s", /* x */ "size": "1.5MiB",},\n"share": "50%", "names": ["b"],}',
    "f",
    schema,
  );
  assert.deepEqual(config, {
    name: null,
    level: "info",
    send: { backoff: 2000, size: 1.5 * 1024 * 1024 },
    share: 0.5,
    count: 3,
    on: false,
    names: ["b"],
  });
});

test("every mistake is told at once, with file, line and key", async () => {
  const text = [
    "{",
    '"send": {"backof": "1s",',
    '  "size": 5},',
    '"level": "loud",',
    '"count": 2.5,',
    '"on": true, "on": false,',
    '"name": {"x": 1},',
    '"zzz": 1,',
    '"share": 0.5,',
    '"names": ["a", "c"]',
    "}",
  ].join("\n");
  assert.deepEqual(await problems(text), [
    'agent.json:2: send.backof: unknown key; did you mean "backoff"?',
    'agent.json:3: send.size: want a size from "1KiB" to "1GiB", got 5',
    'agent.json:4: level: want one of info, warn, got "loud"',
    "agent.json:5: count: want a whole number from 0 to 10, got 2.5",
    "agent.json:6: on: given twice",
    "agent.json:7: name: want a text, got {}",
    "agent.json:8: zzz: unknown key; known are name, level, send, share, count, on, names",
    'agent.json:9: share: want a share from "1%" to "100%", got 0.5',
    'agent.json:10: names: want a list of at most 3, each one of a, b, got ["a","c"]',
  ]);
});

test("what is no JSON is told with its line", async () => {
  assert.match((await problems('{\n"name": \n}')).join(), /^agent\.json:3: not JSON/);
  assert.match((await problems("[]")).join(), /want an object, got array/);
  assert.match((await problems("")).join(), /agent\.json/);
});

test("keys that every object has are unknown like others", async () => {
  const found = await problems('{"__proto__": {"name": "x"}, "constructor": 1, "toString": "x"}');
  assert.equal(found.length, 3);
  for (const problem of found) assert.match(problem, /unknown key/);
});

test("a bare number is no duration and no size: nobody can tell its unit", async () => {
  assert.equal((await problems('{"send": {"backoff": 500, "size": 4096}}')).length, 2);
});

test("the command line wins over the environment, and both over the file", async () => {
  const reader = new ConfigReader(schema);
  await reader.readText('{"name": "file", "count": 1, "on": true}', "f");
  reader.set("name", "environment", "NAME");
  reader.set("count", "2", "COUNT");
  reader.set("name", "line", "--name");
  const { name, count, on } = reader.finish();
  assert.deepEqual({ name, count, on }, { name: "line", count: 2, on: true });
});
