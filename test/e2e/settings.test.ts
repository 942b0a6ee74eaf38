/** What an operator gets wrong: each program says it in one line a mistake, and ends with the code that its help promises. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { flags, getJson, Site } from "./programs.ts";

test("every mistake of a settings file is told at once, with file, line and key", async (t) => {
  const site = Site.open(t);
  const collectorFile = site.path("collector.json");
  fs.writeFileSync(
    collectorFile,
    `{
  // Three mistakes.
  "lisen": "127.0.0.1:7420",
  "journal": { "maxAge": 30 },
  "log": "loud"
}
`,
  );
  const collector = site.node("collector/main.ts", ["--config", collectorFile]);
  assert.deepEqual(await collector.ended, { code: 2, signal: null });
  assert.deepEqual(problems(collector.output), [
    `${collectorFile}:3: lisen: unknown key; did you mean "listen"?`,
    `${collectorFile}:4: journal.maxAge: want a duration from "1h" to "3650d", got 30`,
    `${collectorFile}:5: log: want one of debug, info, warn, error, got "loud"`,
  ]);

  const agentFile = site.path("agent.json");
  fs.writeFileSync(
    agentFile,
    `{
  "collector": "http://127.0.0.1:7420",
  "interval": "7s", "interval": "2h",
  "spool": {
    "maxSize": "1GB",
    "maxsize": "2GB"
  }
}
`,
  );
  const agent = site.node("agent/main.ts", ["--config", agentFile]);
  assert.deepEqual(await agent.ended, { code: 2, signal: null });
  assert.deepEqual(problems(agent.output), [
    `${agentFile}:2: collector: want an address like "wss://collector.example:7420", got "http://127.0.0.1:7420"`,
    `${agentFile}:3: interval: given twice`,
    `${agentFile}:6: spool.maxsize: unknown key; did you mean "maxSize"?`,
  ]);
});

test("a second collector on the same data is told who is in the way, and the first goes on", async (t) => {
  const site = Site.open(t);
  const first = await site.collector();
  const args = ["--data", site.path("collector"), "--listen", "127.0.0.1:0", "--console", site.path("page")];
  const second = site.node("collector/main.ts", args);
  assert.deepEqual(await second.ended, { code: 1, signal: null });
  assert.match(second.output, /^causeway-collector: .*collector\/store\.db.*another process has it open/);
  assert.match(second.output, /stop the other collector or choose another data directory/);
  assert.equal(second.output.trim().split("\n").length, 1);
  await getJson(`${first.url}/api/v1/hosts`);
  await first.program.stop();
});

test("a second agent on the same data is told who is in the way, and the first goes on", async (t) => {
  const site = Site.open(t);
  const args = ["--data", site.path("agent"), "--interval", "1s"];
  const first = site.node("agent/main.ts", args);
  await first.logged("agent started");
  const second = site.node("agent/main.ts", args);
  assert.deepEqual(await second.ended, { code: 1, signal: null });
  assert.match(
    second.output,
    /spool\.db is in use by another process: stop that one, or choose another folder/,
  );
  await first.stop();
});

test("a port that is taken and an address beyond loopback are refused before anything is promised", async (t) => {
  const site = Site.open(t);
  const first = await site.collector();
  const start = (listen: string) =>
    site.node("collector/main.ts", [
      "--data",
      site.path("other"),
      "--listen",
      listen,
      "--console",
      site.path("page"),
    ]);

  const second = start(`127.0.0.1:${first.port}`);
  assert.deepEqual(await second.ended, { code: 2, signal: null });
  assert.match(
    second.output,
    new RegExp(
      `listen: cannot listen on 127\\.0\\.0\\.1:${first.port}: another process has the port: stop it, or listen on another port\\n$`,
    ),
  );
  assert.doesNotMatch(second.output, /collector started/);

  for (const address of ["0.0.0.0", "[::]"]) {
    const open = start(`${address}:0`);
    assert.deepEqual(await open.ended, { code: 2, signal: null });
    assert.match(
      open.output,
      /--listen: want a loopback address like "127\.0\.0\.1:7420" \(there is no TLS and no sign-in yet\), got /,
    );
  }

  const agent = site.node(
    "agent/main.ts",
    flags({ data: site.path("agent"), "metrics-listen": `127.0.0.1:${first.port}` }),
  );
  assert.deepEqual(await agent.ended, { code: 2, signal: null });
  assert.match(agent.output, new RegExp(`127\\.0\\.0\\.1:${first.port}`));
  const open = site.node("agent/main.ts", ["--data", site.path("agent"), "--metrics-listen", "0.0.0.0:0"]);
  assert.deepEqual(await open.ended, { code: 2, signal: null });
  assert.match(open.output, /--metrics-listen: want a loopback address/);
  await first.program.stop();
});

function problems(output: string): string[] {
  return output
    .trim()
    .split("\n")
    .map((line) => line.replace(/^causeway-\w+: /, ""));
}
