/**
 * A change is told by a script while its trouble is under way, is named as what began it, and an operator says what the cause really was:
 * all of it counts once, over kill -9 and from the journal alone.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { systemClock } from "#shared/clock.ts";
import { type ChangeList, changeListSchema, changesTakenSchema } from "#shared/contract/change.ts";
import { incidentSchema } from "#shared/contract/incident.ts";
import { parseScenario } from "#test/sim/scenario.ts";
import { runChanges } from "../../deploy/changes/command.ts";
import { feedOf } from "./feed.ts";
import { AgentPeer, LiveReader } from "./peers.ts";
import { getJson, type RunningCollector, Site } from "./programs.ts";

const agentId = "8c7e3f1a-0000-4000-8000-0000000000c4";
/** The job runs away with tick 60; until here it has done so for two minutes. */
const ticksIntoFault = 72;
const story = `
load 10s
  system.cpu.logical.count{host="pay-01"}          2 x90
  system.cpu.utilization{host="pay-01"}            0.04~0.01 x60  0.54~0.01 x30
  causeway.service.cpu.time{host="pay-01",service.name="report.service"}  counter 0.02~0.01 x60  1.0~0.01 x30
`;

test(
  "a change is named by the incident that follows it, and a cause that an operator says stays said",
  { timeout: 120_000 },
  async (t) => {
    const site = Site.open(t);
    const feed = feedOf(parseScenario(story), { agentId, endMs: systemClock.nowMs() });
    let collector = await site.collector();
    const reader = new LiveReader();
    t.after(() => reader.close());
    await reader.connect(collector.port);
    const agent = await AgentPeer.connect(collector.port, feed);
    await agent.deliver(feed, ticksIntoFault);
    await reader.told("the incident", ({ hosts }) => hosts.includes("pay-01"));

    const atMs = feed.epoch + 55 * 10_000;
    const what = "--kind release --service report --title report-7 --id ci-1".split(" ");
    const where = ["--at", new Date(atMs).toISOString(), "--collector", collector.url];
    const told = await runChanges(["add", ...what, ...where], systemClock.nowMs());
    assert.equal(told.code, 0, told.output);
    const named = await reader.told("the change", ({ causes }) => causes[0]?.action === "ci-1");
    assert.equal(named.causes[0]?.entity, "service:pay-01/report.service");
    assert.deepEqual(
      named.changes.map(({ id, relation, hops }) => [id, relation, hops]),
      [["ci-1", "same", 0]],
    );
    assert.equal(named.story.cause?.kind, "change");
    const again = await tell(collector, { title: "report-7" }, atMs);
    assert.equal(changesTakenSchema.parse(await again.json()).added, 0);
    assert.equal((await tell(collector, { title: "another" }, atMs)).status, 409);

    const said = await fetch(`${collector.url}/api/v1/incidents/${named.id}/cause`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": "cause-1" },
      body: JSON.stringify({ by: "Wang Fang", entity: "batch:eod", comment: "started by hand" }),
    });
    assert.equal(said.status, 200);
    const { confirmedCause } = incidentSchema.parse(await said.json());
    assert.equal(confirmedCause?.entity, "batch:eod");
    await reader.told("the cause", (incident) => incident.confirmedCause?.by === "Wang Fang");

    const [changes, bytes] = [await listed(collector), await list(collector)];
    assert.equal(changes.changes.length, 1);
    await collector.program.kill();
    for (const name of ["store.db", "store.db-wal"]) fs.rmSync(site.path("collector", name), { force: true });
    collector = await site.collector();
    assert.deepEqual(await listed(collector), changes, "from the journal alone");
    const after = JSON.parse(await list(collector)) as { incidents: { id: string }[] };
    const before = JSON.parse(bytes) as typeof after;
    const of = ({ incidents }: typeof after) => incidents.find(({ id }) => id === named.id);
    assert.deepEqual(of(after), of(before), "the same journal, the same incident");
    await collector.program.stop();
  },
);

function tell({ url }: RunningCollector, change: { title: string }, time: number): Promise<Response> {
  return fetch(`${url}/api/v1/changes`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ id: "ci-1", kind: "release", service: "report", time, ...change }),
  });
}

async function listed({ url }: RunningCollector): Promise<ChangeList> {
  return changeListSchema.parse(await getJson(`${url}/api/v1/changes`));
}

async function list({ url }: RunningCollector): Promise<string> {
  return (await fetch(`${url}/api/v1/incidents?state=all`)).text();
}
