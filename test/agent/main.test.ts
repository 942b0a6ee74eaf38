/** The agent's command line, as an operator meets it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { version } from "#shared/version.ts";

const main = path.resolve(import.meta.dirname, "../../agent/main.ts");
const run = (args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...env },
  });

test("the version is the package's", () => {
  const { version: packaged } = JSON.parse(
    fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  assert.equal(version, packaged);
  const { stdout, status } = run(["--version"]);
  assert.equal(stdout.trim(), version);
  assert.equal(status, 0);
});

test("mistakes in file, environment and command line are told together, and the exit code is 2", () => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "causeway-main-")), "agent.json");
  fs.writeFileSync(file, '{\n  // where to\n  "colector": "ws://localhost:7420"\n}');
  const { stderr, status } = run(["--config", file, "--max-cpu", "7", "--check"], {
    CAUSEWAY_INTERVAL: "9x",
  });
  fs.rmSync(path.dirname(file), { recursive: true });
  assert.equal(status, 2);
  assert.deepEqual(stderr.trim().split("\n"), [
    `${file}:3: colector: unknown key; did you mean "collector"?`,
    'CAUSEWAY_INTERVAL: want a duration from "1s" to "1m", got "9x"',
    '--max-cpu: want a share from "0.1%" to "1600%", got "7"',
  ]);
});

test("an unknown option and an address that is no collector's are refused", () => {
  assert.equal(run(["--colector", "x"]).status, 2);
  for (const url of ["http://x", "ws://user:secret@x", "x", "ws://x/path"]) {
    assert.equal(run(["--collector", url, "--check"]).status, 2, url);
  }
  assert.equal(run(["--metrics-listen", "0.0.0.0:1", "--check"]).status, 2);
  assert.equal(run(["--collector", "wss://collector.bank:7420", "--check"]).status, 0);
});
