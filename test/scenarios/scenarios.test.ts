import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { parseScenario, play, unmet } from "#test/sim/scenario.ts";

const folder = new URL(".", import.meta.url);

for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".txt"))) {
  test(`scenario ${file}`, () => {
    for (const seed of [1, 2, 3]) {
      const scenario = parseScenario(fs.readFileSync(new URL(file, folder), "utf8"), seed);
      assert.deepEqual(unmet(scenario, play(scenario)), [], `seed ${seed}`);
    }
  });
}
