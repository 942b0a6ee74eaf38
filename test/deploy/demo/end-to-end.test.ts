import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sleep, systemClock } from "#shared/clock.ts";
import { putEffects } from "../../../deploy/demo/hosts/control.ts";
import type { HostEvent } from "../../../deploy/demo/hosts/host.ts";
import { spawnHost } from "../../../deploy/demo/hosts/spawn-host.ts";
import { hostNames, serviceNames } from "../../../deploy/demo/layout.ts";
import { addressesOf, canListen, onLoopback, outsidePlans, planOf } from "../../../deploy/demo/plan.ts";

const patienceMs = 40_000;

test("nine real processes serve customers, tell of it over OTLP, obey a fault, and leave nothing behind", async (t) => {
  const data = mkdtempSync(join(os.tmpdir(), "cwdemo-"));
  for (const folder of ["logs", "files"]) mkdirSync(join(data, folder));
  const otlp = await startReceiver();
  const placements = onLoopback({ address: "127.0.0.1", port: otlp.port });
  const addresses = await addressesOf(placements, canListen);
  const options = { data, seed: 1, perSecondMax: 60, dayMs: 86_400_000, entries: 1_000, intervalMs: 1_000 };
  const { customers } = outsidePlans(options, "127.0.0.1:1", addresses.gateway, "127.0.0.1");
  const events: HostEvent[] = [];
  const plans = [...hostNames.map((host) => planOf(host, options, placements, addresses, "")), customers];
  const hosts = plans.map((plan) =>
    spawnHost(
      { ...plan, programs: plan.programs.filter(({ name }) => name !== "causeway-agent") },
      [],
      (event) => events.push(event),
    ),
  );
  t.after(async () => {
    await Promise.all(hosts.map((host) => host.stop()));
    otlp.close();
    rmSync(data, { recursive: true, force: true });
  });
  const heard = (event: HostEvent["event"], program: string): boolean =>
    events.some((one) => one.event === event && one.program === program);

  await until("all services listen", () => serviceNames.every((name) => heard("listening", name)));
  await until("the gateway's transactions and the database's spans arrive", () => {
    const { metrics, traces } = otlp.got();
    return (
      metrics.includes("bank_txn_total") &&
      metrics.includes("bank_txn_duration_seconds") &&
      metrics.includes("db.client.connection.count") &&
      metrics.includes("system.cpu.utilization") &&
      traces.includes("database")
    );
  });

  await putEffects(data, "app-01", {
    holder: "test",
    effects: [{ kind: "down", service: "login" }],
    leaseMs: 1_000,
  });
  await until("login is down", () => heard("ended", "login"));
  const before = events.length;
  await until("login is back when nobody renews the fault", () =>
    events.slice(before).some(({ event, program }) => event === "listening" && program === "login"),
  );

  await Promise.all(hosts.map((host) => host.stop()));
  assert.deepEqual(
    hosts.filter(({ pid }) => existsSync(`/proc/${pid}`)),
    [],
  );
  assert.ok(await canListen(addresses.gateway), "somebody still listens at the gateway's address");
});

async function until(what: string, isSo: () => boolean): Promise<void> {
  const untilMs = systemClock.monotonicMs() + patienceMs;
  while (!isSo()) {
    assert.ok(systemClock.monotonicMs() < untilMs, `waited in vain until ${what}`);
    await sleep(systemClock, 20);
  }
}

/** Takes what an OTLP exporter sends; names stand in it as they are, which is all that is looked for here. */
async function startReceiver() {
  const got = { metrics: "", traces: "" };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const text = Buffer.concat(parts).toString("latin1");
      if (request.url === "/v1/metrics") got.metrics += text;
      if (request.url === "/v1/traces") got.traces += text;
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    got: () => got,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
