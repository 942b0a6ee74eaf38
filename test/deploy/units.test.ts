/** The systemd units are accepted by systemd and as tight as they say; Prometheus accepts its configuration. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { agentEnvironment, agentFlags } from "../../deploy/agent-flags.ts";
import { collectorFlags } from "../../deploy/collector-flags.ts";
import { debianProgram } from "#test/setup/debian.ts";

const deploy = fileURLToPath(new URL("../../deploy/", import.meta.url));
const units = readdirSync(`${deploy}systemd`).filter((name) => name.endsWith(".service"));

function textOf(unit: string): string {
  return readFileSync(`${deploy}systemd/${unit}`, "utf8");
}

function settingsOf(unit: string): ReadonlyMap<string, string> {
  const lines = textOf(unit)
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  return new Map(
    lines.flatMap((line) =>
      /^\w+=/.test(line) ? [line.split(/=(.*)/s).slice(0, 2) as [string, string]] : [],
    ),
  );
}

function withoutSystemd(t: TestContext): boolean {
  if (spawnSync("systemd-analyze", ["--version"]).error === undefined) return false;
  t.diagnostic("systemd-analyze is not on PATH");
  t.skip("systemd-analyze is not on PATH");
  return true;
}

for (const unit of units) {
  test(`${unit} is hardened, comes back after a crash and not after a wrong configuration`, () => {
    const settings = settingsOf(unit);
    const wanted = {
      DynamicUser: "yes",
      NoNewPrivileges: "yes",
      CapabilityBoundingSet: "",
      ProtectSystem: "strict",
      PrivateTmp: "yes",
      PrivateDevices: "yes",
      IPAddressDeny: "any",
      IPAddressAllow: "localhost",
      Restart: "always",
      RestartPreventExitStatus: "2",
      StartLimitIntervalSec: "0",
    };
    for (const [name, value] of Object.entries(wanted)) assert.equal(settings.get(name), value, name);
    for (const name of ["MemoryHigh", "MemoryMax", "CPUQuota", "TasksMax", "StateDirectory"]) {
      assert.ok(settings.has(name), name);
    }
    const compiles = !settings.get("ExecStart")?.includes("--jitless");
    assert.equal(settings.has("MemoryDenyWriteExecute"), !compiles, "V8's compiler cannot start with it");
  });

  test(`${unit} is accepted by systemd without a warning`, (t) => {
    if (withoutSystemd(t)) return;
    const folder = mkdtempSync(join(tmpdir(), "causeway-units-"));
    try {
      // The installed paths do not exist where tests run: the command is replaced, everything else is verified as it is.
      const text = textOf(unit).replace("/opt/causeway/node_modules/.bin/node", process.execPath);
      writeFileSync(join(folder, unit), text);
      const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", join(folder, unit)], {
        encoding: "utf8",
      });
      assert.deepEqual({ status, output: stdout + stderr }, { status: 0, output: "" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test(`${unit} is exposed no more than deploy/README.md says`, (t) => {
    if (withoutSystemd(t)) return;
    const documented = new RegExp(`\`${unit.replaceAll(".", "\\.")}\` \\| (\\d\\.\\d)`).exec(
      readFileSync(`${deploy}README.md`, "utf8"),
    )?.[1];
    const options = ["security", "--offline=true", "--no-pager", `${deploy}systemd/${unit}`];
    const report = execFileSync("systemd-analyze", options, { encoding: "utf8" });
    const measured = /exposure level for .*: (\d+\.\d)/.exec(report)?.[1];
    assert.ok(documented !== undefined && measured !== undefined);
    assert.ok(Number(measured) <= Number(documented), `measured ${measured}, documented ${documented}`);
  });
}

test("the collector is started as deploy/collector-flags.ts says, by systemd and in its container", () => {
  const unit = settingsOf("causeway-collector.service");
  assert.ok(
    unit.get("ExecStart")?.includes(`/node ${collectorFlags.join(" ")} /opt/causeway/collector/main.ts`),
  );
  const image = readFileSync(`${deploy}containers/collector.Dockerfile`, "utf8");
  const entry = JSON.stringify(["node", ...collectorFlags, "collector/main.ts"]).replaceAll(",", ", ");
  assert.ok(image.includes(`ENTRYPOINT ${entry}`));
});

test("the agent is started as deploy/agent-flags.ts says, by systemd and in its container", () => {
  const unit = settingsOf("causeway-agent.service");
  assert.ok(unit.get("ExecStart")?.includes(`/node ${agentFlags.join(" ")} /opt/causeway/dist/agent.js`));
  const environment = Object.entries(agentEnvironment).map(([name, value]) => `${name}=${value}`);
  assert.equal(unit.get("Environment"), environment.join(" "));
  const dockerfile = readFileSync(`${deploy}containers/agent.Dockerfile`, "utf8");
  assert.ok(
    dockerfile.includes(
      `ENTRYPOINT ${JSON.stringify(["node", ...agentFlags, "dist/agent.js"]).replaceAll(",", ", ")}`,
    ),
  );
  assert.ok(dockerfile.includes(`ENV ${environment.join(" ")}\n`));
});

test("Prometheus accepts its configuration, and it scrapes both ports", async (t) => {
  const file = `${deploy}prometheus/prometheus.yml`;
  const text = readFileSync(file, "utf8");
  for (const target of ["127.0.0.1:7420", "127.0.0.1:7421"]) assert.ok(text.includes(`"${target}"`), target);
  const promtool = await debianProgram("promtool");
  if (typeof promtool !== "string") {
    t.diagnostic(promtool.missing);
    return t.skip(promtool.missing);
  }
  assert.match(execFileSync(promtool, ["check", "config", file], { encoding: "utf8" }), /SUCCESS/);
});
