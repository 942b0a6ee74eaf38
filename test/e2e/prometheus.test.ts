/**
 * The product beside the Prometheus that a bank has: the real server scrapes the real collector and the real agent, and the
 * project's own checker has nothing to say about what they expose. Skipped, with the reason printed, where neither can be had.
 */
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import fs from "node:fs";
import { test, type TestContext } from "node:test";
import { debianProgram } from "#test/setup/debian.ts";
import { flags, freePort, root, Site, until } from "./programs.ts";

interface Answer {
  readonly data: {
    readonly result: readonly {
      readonly metric: { readonly job: string };
      readonly value: [number, string];
    }[];
  };
}

test(
  "Prometheus scrapes the collector and the agent, and its checker finds nothing to improve",
  { timeout: 90_000 },
  async (t) => {
    const [prometheus, promtool] = await Promise.all([
      debianProgram("prometheus"),
      debianProgram("promtool"),
    ]);
    if (typeof prometheus !== "string") return skip(t, prometheus.missing);
    if (typeof promtool !== "string") return skip(t, promtool.missing);
    const site = Site.open(t);
    const [agentPort, prometheusPort] = [await freePort(), await freePort()];
    const collector = await site.collector();
    const agent = site.node(
      "agent/main.ts",
      flags({
        data: site.path("agent"),
        collector: collector.url.replace("http:", "ws:"),
        interval: "1s",
        "metrics-listen": `127.0.0.1:${agentPort}`,
      }),
    );
    await agent.logged("agent started");
    const agentUrl = `http://127.0.0.1:${agentPort}`;
    await until(async () => (await fetch(`${agentUrl}/-/ready`)).ok, "the agent's second tick");

    fs.writeFileSync(site.path("prometheus.yml"), configFor({ collector: collector.port, agent: agentPort }));
    const server = site.start(prometheus, [
      `--config.file=${site.path("prometheus.yml")}`,
      `--storage.tsdb.path=${site.path("tsdb")}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
      "--log.level=warn",
    ]);
    const ask = async (query: string) => {
      const url = `http://127.0.0.1:${prometheusPort}/api/v1/query?query=${encodeURIComponent(query)}`;
      const answer = await fetch(url).catch(() => null);
      assert.ok(server.running, server.output);
      if (answer?.ok !== true) return [];
      return ((await answer.json()) as Answer).data.result;
    };
    const seen = async (query: string, jobs: readonly string[]) => {
      const found = await until(async () => {
        const result = await ask(query);
        return result.length === jobs.length ? result : null;
      }, `Prometheus' answer to ${query}`);
      assert.deepEqual(found.map(({ metric }) => metric.job).sort(), jobs);
    };

    await seen("up == 1", ["causeway-agent", "causeway-collector"]);
    await seen("causeway_ingest_samples_total > 0", ["causeway-collector"]);
    await seen('causeway_http_requests_total{route="metrics",code="2xx"} > 0', ["causeway-collector"]);
    await seen("system_uptime_seconds > 0", ["causeway-agent"]);
    await seen("system_memory_limit_bytes > 0", ["causeway-agent"]);

    for (const url of [collector.url, agentUrl]) {
      const input = await (await fetch(`${url}/metrics`)).text();
      assert.ok(input.split("\n").length > 50, "there is something to check");
      const check: SpawnSyncReturns<string> = spawnSync(promtool, ["check", "metrics"], {
        input,
        encoding: "utf8",
      });
      assert.equal(check.stdout + check.stderr, "", `promtool check metrics on ${url}`);
      assert.equal(check.status, 0);
    }
    await agent.stop();
    await collector.program.stop();
  },
);

/** The configuration that is delivered, with the ports of this test and without patience. */
function configFor(ports: { collector: number; agent: number }): string {
  const text = fs.readFileSync(`${root}/deploy/prometheus/prometheus.yml`, "utf8");
  return text
    .replace("127.0.0.1:7420", `127.0.0.1:${ports.collector}`)
    .replace("127.0.0.1:7421", `127.0.0.1:${ports.agent}`)
    .replaceAll(/_(interval|timeout): \d+s/g, "_$1: 1s");
}

function skip(t: TestContext, reason: string): void {
  t.diagnostic(reason);
  t.skip(reason);
}
