/** What the operator set about detection: it is kept while it holds, shown, and the journal knows which policy judged when. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { systemClock } from "#shared/clock.ts";
import type { Host } from "#shared/contract/api.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { type SystemReport, systemReportSchema } from "#shared/contract/system.ts";
import { parseScenario } from "#test/sim/scenario.ts";
import { feedOf } from "./feed.ts";
import { AgentPeer } from "./peers.ts";
import { getJson, type RunningCollector, Site, until } from "./programs.ts";

const story = (host: string) => `
load 10s
  system.cpu.logical.count{host="${host}"}  2 x60
  system.cpu.utilization{host="${host}"}    0.04~0.01 x40  0.95~0.01 x20
`;

test("a host in maintenance is shown as such and wakes nobody; without the window the same is an incident", async (t) => {
  const site = Site.open(t);
  const nowMs = systemClock.nowMs();
  const config = site.path("collector.json");
  const moment = (timeMs: number) => new Date(timeMs).toISOString().slice(0, 19) + "Z";
  const window = {
    match: { host: "pay-*" },
    from: moment(nowMs - 3_600_000),
    to: moment(nowMs + 3_600_000),
    reason: "new disks",
  };
  fs.writeFileSync(config, JSON.stringify({ detect: { maintenance: [window] } }));

  let collector = await site.collector({ config });
  await tell(collector, "pay-01", "8c7e3f1a-0000-4000-8000-00000000e2e3");
  const quiet = await until(async () => {
    const host = (await hosts(collector)).find((one) => one.host === "pay-01");
    return host?.maintenance === null ? undefined : host;
  }, "the host to be in maintenance");
  assert.equal(quiet.maintenance?.reason, "new disks");
  assert.equal(quiet.maintenance?.untilMs, Date.parse(window.to));
  assert.deepEqual(await incidents(collector), []);
  const [first] = (await report(collector)).judges;
  await collector.program.stop();

  collector = await site.collector();
  await tell(collector, "pay-02", "8c7e3f1a-0000-4000-8000-00000000e2e4");
  await until(async () => (await incidents(collector)).length > 0, "an incident");
  assert.deepEqual((await incidents(collector))[0]?.hosts, ["pay-02"]);
  const { judges } = await report(collector);
  assert.equal(judges.length, 2);
  assert.deepEqual(judges[0], first);
  assert.match(judges[1]!.policy, /^[0-9a-f]{64}$/);
  assert.notEqual(judges[1]?.policy, first?.policy);
  await collector.program.stop();

  collector = await site.collector();
  assert.deepEqual((await report(collector)).judges, judges, "a start with the same policy is no change");
  await collector.program.stop();
});

async function tell({ port, url }: RunningCollector, host: string, agentId: string): Promise<void> {
  const feed = feedOf(parseScenario(story(host)), { agentId, endMs: systemClock.nowMs() });
  const agent = await AgentPeer.connect(port, feed);
  await agent.deliver(feed);
  await until(async () => {
    const { hosts } = await getJson<{ hosts: Host[] }>(`${url}/api/v1/hosts`);
    return hosts.find((one) => one.host === host)?.lastSeenMs === feed.lastMs;
  }, "the verdict on the last frame");
}

async function hosts({ url }: RunningCollector): Promise<Host[]> {
  return (await getJson<{ hosts: Host[] }>(`${url}/api/v1/hosts`)).hosts;
}

async function incidents({ url }: RunningCollector): Promise<Incident[]> {
  return (await getJson<{ incidents: Incident[] }>(`${url}/api/v1/incidents?state=all`)).incidents;
}

async function report({ url }: RunningCollector): Promise<SystemReport> {
  return systemReportSchema.parse(await getJson<unknown>(`${url}/api/v1/system`));
}
