/** `npm start`, as whoever tries the product for the first time has it: two programs, this machine's own metrics, and a clean end. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import type { Host, SeriesList, SeriesRange } from "#shared/contract/api.ts";
import { systemClock } from "#shared/clock.ts";
import { flags, freePort, getJson, Site, until } from "./programs.ts";

test(
  "npm start shows this host's own figures, refuses a second start, and leaves nothing behind",
  { timeout: 90_000 },
  async (t) => {
    const site = Site.open(t);
    const [port, metricsPort] = [await freePort(), await freePort()];
    const args = flags({
      data: site.path("data"),
      listen: `127.0.0.1:${port}`,
      "metrics-listen": `127.0.0.1:${metricsPort}`,
      interval: "1s",
    });
    const started = site.node("deploy/local/start.ts", args);
    const url = `http://127.0.0.1:${port}`;
    await until(
      () => {
        assert.ok(started.running, started.output);
        return started.output.includes(`console at ${url}\n`);
      },
      "the console's address",
      30_000,
    );

    const up = await until(async () => {
      const { hosts } = await getJson<{ hosts: Host[] }>(`${url}/api/v1/hosts`);
      return hosts.find(({ state, series }) => state === "up" && series > 20);
    }, "this host");
    const list = await getJson<SeriesList>(`${url}/api/v1/hosts/${encodeURIComponent(up.host)}/series`);
    assert.ok(list.series.length > 20, "its series are listed");
    const memory = list.series.find(({ metric }) => metric === "system.memory.utilization");
    assert.ok(memory !== undefined, JSON.stringify(list.series.map(({ metric }) => metric)));
    await until(async () => {
      const nowMs = Math.floor(systemClock.nowMs());
      const query = new URLSearchParams({
        host: up.host,
        series: memory.id,
        from: `${nowMs - 60_000}`,
        to: `${nowMs}`,
      });
      const { values } = await getJson<SeriesRange>(`${url}/api/v1/series?${query.toString()}`);
      return values.length >= 3 && values.every((value) => value !== null && value > 0 && value < 1);
    }, "live values");
    const page = await fetch(url);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<title>Causeway<\/title>/);
    assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).status, 200);

    const second = site.node("deploy/local/start.ts", args);
    assert.deepEqual(await second.ended, { code: 2, signal: null });
    assert.match(
      second.output,
      new RegExp(`running already \\(process ${started.pid}\\): console at ${url}`),
    );

    const children = started.children();
    assert.equal(children.length, 2, "collector and agent");
    await started.stop();
    for (const pid of children)
      assert.equal(fs.existsSync(`/proc/${pid}`), false, `process ${pid} is still there`);
    await assert.rejects(fetch(url), "nobody listens any more");
    assert.equal(fs.existsSync(site.path("data", "run.json")), false);
  },
);
