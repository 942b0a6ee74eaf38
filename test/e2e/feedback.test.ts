/**
 * An operator's answer outlives the chain's memory of its incident, kill -9 and the loss of the store: it is given the next day, through
 * the journal, and the journal alone gives the same thresholds again.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { jsonEntry } from "#collector/journal/journal.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { systemClock } from "#shared/clock.ts";
import { feedbackListSchema, type FeedbackList, type Host } from "#shared/contract/api.ts";
import { type Incident, incidentSchema } from "#shared/contract/incident.ts";
import { silentLog } from "#shared/log.ts";
import { parseScenario } from "#test/sim/scenario.ts";
import { feedOf } from "./feed.ts";
import { AgentPeer, LiveReader } from "./peers.ts";
import { getJson, type RunningCollector, Site, until } from "./programs.ts";

const agentId = "8c7e3f1a-0000-4000-8000-00000000feed";
const story = `
load 10s
  system.cpu.logical.count{host="pay-01"}          2 x120
  system.cpu.utilization{host="pay-01"}            0.04~0.01 x60  0.54~0.01 x20  0.04~0.01 x40
  process.cpu.utilization{host="pay-01",process.pid="4711",process.executable.name="report"} _ x60  1.0~0.01 x20  _ x40
`;

test(
  "an incident of yesterday is called noise, and that is withdrawn, over kills and without a store",
  { timeout: 120_000 },
  async (t) => {
    const site = Site.open(t);
    const feed = feedOf(parseScenario(story), { agentId, endMs: systemClock.nowMs() });
    let collector = await site.collector();
    const agent = await AgentPeer.connect(collector.port, feed);
    await agent.deliver(feed);
    await until(async () => {
      const { hosts } = await getJson<{ hosts: Host[] }>(`${collector.url}/api/v1/hosts`);
      return hosts.find(({ host }) => host === feed.host)?.lastSeenMs === feed.lastMs;
    }, "the verdict on the last frame");
    await collector.program.stop();
    // The night passes: the incident resolves, and the chain forgets it.
    const path = site.path("collector", "journal.db");
    const journal = openSqliteJournal({ path, clock: systemClock, log: silentLog });
    for (const laterMs of [0, 10, 20, 1_000].map((minutes) => minutes * 60_000)) {
      const atMs = systemClock.nowMs() + laterMs;
      await journal.append(jsonEntry("tick", "", atMs, {}));
    }
    await journal.close();

    collector = await site.collector();
    // The other one is the host's silence.
    const incident = (await incidents(collector)).find(({ state }) => state === "resolved");
    assert.ok(incident !== undefined);
    const reader = new LiveReader();
    t.after(() => reader.close());
    await reader.connect(collector.port);
    assert.equal((await post(collector, incident, "acknowledge", {})).status, 409, "that is over");
    assert.equal((await post(collector, incident, "feedback", { verdict: "none" })).status, 409);

    const noise = await post(collector, incident, "feedback", { verdict: "noise", comment: "every night" });
    assert.equal(noise.status, 200);
    const answered = incidentSchema.parse(await noise.json());
    assert.equal(answered.revision, incident.revision + 1);
    assert.equal(answered.feedback?.verdict, "noise");
    await until(() => reader.incidents.get(incident.id)?.feedback?.by === "Wang Fang", "the push of it");
    const stale = await post(collector, incident, "feedback", { verdict: "useful" });
    assert.equal(stale.status, 412, "who answers on an old page is told");
    const given = await feedback(collector);
    assert.deepEqual(
      given.series.map(({ metric, factor }) => [metric, factor]),
      [
        ["process.cpu.utilization", 1.25],
        ["system.cpu.utilization", 1.25],
      ],
    );

    await collector.program.kill();
    collector = await site.collector();
    assert.deepEqual(await feedback(collector), given, "after kill -9");
    const bytes = await list(collector);
    await collector.program.kill();
    for (const name of ["store.db", "store.db-wal"]) fs.rmSync(site.path("collector", name), { force: true });
    collector = await site.collector();
    assert.deepEqual(await feedback(collector), given, "from the journal alone");
    assert.equal(await list(collector), bytes, "the same journal, the same bytes");

    const withdrawn = await post(collector, answered, "feedback", { verdict: "none" });
    assert.equal(withdrawn.status, 200);
    assert.deepEqual(await feedback(collector), { feedbacks: [], series: [], kinds: [] });
    await collector.program.stop();
  },
);

function post(
  { url }: RunningCollector,
  { id, revision }: Incident,
  command: "acknowledge" | "feedback",
  request: object,
): Promise<Response> {
  return fetch(`${url}/api/v1/incidents/${id}/${command}`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "Idempotency-Key": `${command}-${revision}-${JSON.stringify(request).replaceAll(" ", "_")}`,
      "If-Match": `"${revision}"`,
    },
    body: JSON.stringify({ by: "Wang Fang", ...request }),
  });
}

async function feedback({ url }: RunningCollector): Promise<FeedbackList> {
  return feedbackListSchema.parse(await getJson(`${url}/api/v1/feedback`));
}

async function list({ url }: RunningCollector): Promise<string> {
  return (await fetch(`${url}/api/v1/incidents?state=all`)).text();
}

async function incidents(collector: RunningCollector): Promise<Incident[]> {
  return (JSON.parse(await list(collector)) as { incidents: Incident[] }).incidents;
}
