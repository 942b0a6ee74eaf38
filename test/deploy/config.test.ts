import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { agentSchema } from "#agent/config.ts";
import { collectorSchema } from "#collector/config.ts";
import { readConfig, type Section } from "#shared/config-file.ts";

const examples: readonly (readonly [string, Section])[] = [
  ["agent.json", agentSchema],
  ["collector.json", collectorSchema],
];

for (const [file, schema] of examples) {
  test(`the example ${file} is good, and says nothing but the defaults and the addresses`, async () => {
    const text = readFileSync(new URL(`../../deploy/config/${file}`, import.meta.url), "utf8");
    const given = await readConfig(text, file, schema);
    const usual = await readConfig("{}", file, schema);
    const changed = Object.entries(given).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(usual, key)),
    );
    const keys = changed.map(([key]) => key);
    assert.deepEqual(keys, file === "agent.json" ? ["collector", "metricsListen"] : []);
  });
}
