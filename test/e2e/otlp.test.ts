/** An application's OTLP, taken by the program itself: on its own port and on the second one, over kill -9 and a restart. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { systemClock } from "#shared/clock.ts";
import type { Host, Ledger } from "#shared/contract/api.ts";
import {
  gauge,
  metrics,
  pay,
  payAt,
  payMetrics,
  sum,
  traces,
} from "#test/collector/ingest/otlp/otlp-room.ts";
import { flags, freePort, getJson, metric, Site, until } from "./programs.ts";

async function post(url: string, path: string, body: object): Promise<unknown> {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

async function hostsOf(url: string): Promise<readonly Host[]> {
  return (await getJson<{ hosts: Host[] }>(`${url}/api/v1/hosts`)).hosts;
}

test("what was answered is there after kill -9, and the application goes on with the collector that comes back", async (t) => {
  const site = Site.open(t);
  const second = await freePort();
  const args = flags({
    data: site.path("collector"),
    listen: "127.0.0.1:0",
    console: site.path("page"),
    "otlp-listen": `127.0.0.1:${second}`,
  });
  const start = async (): Promise<{ url: string; kill: () => Promise<void>; stop: () => Promise<void> }> => {
    const program = site.node("collector/main.ts", args);
    const url = String((await program.logged("collector started"))["console"]);
    await program.logged("collector caught up with its journal");
    return { url, kill: () => program.kill(), stop: () => program.stop() };
  };
  const first = await start();
  const otlp = `http://127.0.0.1:${second}`;
  const nowMs = (): number => systemClock.nowMs();
  const startMs = nowMs() - 1_000;
  await until(async () => (await fetch(`${otlp}/v1/traces`)).status === 405, "the second listener");
  assert.equal((await fetch(`${otlp}/api/v1/hosts`)).status, 404);
  const jobs = (value: number): object => sum("jobs", "cumulative", { startMs, timeMs: nowMs(), value });
  assert.deepEqual(
    await post(first.url, "/v1/metrics", metrics(pay, gauge("queue", nowMs(), 3), jobs(10))),
    {},
  );
  assert.deepEqual(await post(otlp, "/v1/traces", traces(pay, { kind: 2, endMs: nowMs() })), {});
  await first.kill();

  const again = await start();
  const known = (await hostsOf(again.url)).map(({ host, series }) => [host, series]);
  // A gauge and a counter; three counters of calls and their latencies.
  assert.deepEqual(known, [
    [payMetrics, 2],
    [payAt, 6],
  ]);
  const ledgerOf = (host: string): Promise<Ledger> =>
    getJson<Ledger>(`${again.url}/api/v1/ledger?host=${encodeURIComponent(host)}`);
  const ledger = await ledgerOf(payMetrics);
  assert.ok(ledger.stored === 2 && ledger.lost === 0, JSON.stringify(ledger));
  const refused = metrics(pay, jobs(12), gauge("queue", nowMs() - 600_000, 1));
  const answer = (await post(otlp, "/v1/metrics", refused)) as { partialSuccess: { errorMessage: string } };
  assert.match(answer.partialSuccess.errorMessage, /^1 of pay:metrics@web-01: too_late/);
  await until(
    async () => (await ledgerOf(payMetrics)).lost === 1,
    "the ledger's entry of what came too late",
  );
  assert.equal(await metric(again.url, 'causeway_ingest_lost_samples_total{reason="too_late"}'), 1);
  assert.equal(await metric(again.url, "causeway_ingest_otlp_sources"), 2);
  await again.stop();
});

test("a second port that is taken, or beyond loopback, is refused by the name of its setting", async (t) => {
  const site = Site.open(t);
  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const start = (listen: string) =>
    site.node(
      "collector/main.ts",
      flags({
        data: site.path("collector"),
        listen: "127.0.0.1:0",
        console: site.path("page"),
        "otlp-listen": listen,
      }),
    );
  const second = start(`127.0.0.1:${port}`);
  assert.equal((await second.ended).code, 2, second.output);
  assert.match(
    second.output,
    /otlp\.listen: cannot listen on 127\.0\.0\.1:\d+: another process has the port/,
  );
  const open = start("0.0.0.0:4318");
  assert.equal((await open.ended).code, 2, open.output);
  assert.match(open.output, /--otlp-listen: want a loopback address like "127\.0\.0\.1:4318"/);
});
