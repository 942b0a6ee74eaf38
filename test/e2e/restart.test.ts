/**
 * kill -9 of the collector changes nothing that an operator is told: not which incidents there are, not what each says, not one
 * delta. CAUSEWAY_SEED repeats the moments.
 *
 * What an undisturbed run over the same bytes may differ in are the times that the collector's own clock gives (when an
 * incident was told, changed, resolved); so that these are held to the byte too, the killed run's own journal is replayed whole.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test, type TestContext } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { jsonEntry } from "#collector/journal/journal.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { sleep, systemClock } from "#shared/clock.ts";
import type { Host } from "#shared/contract/api.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { silentLog } from "#shared/log.ts";
import { mulberry32 } from "#test/sim/random.ts";
import { parseScenario } from "#test/sim/scenario.ts";
import { type Feed, feedOf } from "./feed.ts";
import { AgentPeer, LiveReader } from "./peers.ts";
import { freePort, getJson, type RunningCollector, Site, until } from "./programs.ts";

const agentId = "8c7e3f1a-0000-4000-8000-00000000e2e2";
/** Two kinds of trouble in half an hour; the first comes back. */
const story = `
load 10s
  system.cpu.logical.count{host="pay-01"}          2 x180
  system.cpu.utilization{host="pay-01"}            0.04~0.01 x40  0.54~0.01 x20  0.04~0.01 x80  0.60~0.01 x15  0.04~0.01 x25
  process.cpu.utilization{host="pay-01",process.pid="811",process.executable.name="java"}    0.05~0.02 x180
  process.cpu.utilization{host="pay-01",process.pid="4711",process.executable.name="report"} _ x40  1.0~0.01 x20  _ x80  1.1~0.01 x15  _ x25
  system.memory.utilization{host="pay-01"}         0.40~0.005 x90 0.95~0.005 x20 0.40~0.005 x70
  process.memory.usage{host="pay-01",process.pid="811",process.executable.name="java"}    1000000000~1000 x90  5000000000~1000 x20  1000000000~1000 x70
`;
const kills = 4;

test(
  "the collector killed at any moment tells the same incidents, and each delta once",
  { timeout: 120_000 },
  async (t) => {
    const seed = Number(process.env["CAUSEWAY_SEED"] ?? Math.floor(systemClock.nowMs() % 1e6));
    t.diagnostic(`seed ${seed} (CAUSEWAY_SEED=${seed} repeats the moments)`);
    const site = Site.open(t);
    const feed = feedOf(parseScenario(story), { agentId, endMs: systemClock.nowMs(), segmentFrames: 40 });

    const calm = await undisturbed(site, feed);
    const { incidents, reader } = await killed(t, site, feed, mulberry32(seed));
    assert.equal(calm.length, 2, "the story is two incidents");
    assert.deepEqual(incidents.map(withoutOwnTimes), calm.map(withoutOwnTimes));

    reader.inOrder();
    assert.deepEqual(reader.starts, ["snapshot", ...Array.from({ length: kills }, () => "resumed")]);
    const revisions = incidents.reduce((sum, { revision }) => sum + revision, 0);
    assert.equal(reader.puts.length, revisions, "every revision was told, and once");
    t.diagnostic(`${reader.puts.length} deltas over ${kills + 1} connections`);
  },
);

test("a command that was journaled and never answered is done once, however soon it is asked again", async (t) => {
  const site = Site.open(t);
  const feed = feedOf(parseScenario(story), { agentId, endMs: systemClock.nowMs() });
  let collector = await site.collector({ data: "asked" });
  const agent = await AgentPeer.connect(collector.port, feed);
  await agent.deliver(feed);
  const [incident] = parsed(await listWhenJudged(collector, feed));
  await collector.program.stop();
  // The command is in the journal alone, as kill -9 leaves it. Without a store the replay is as long as it can be.
  for (const name of ["store.db", "store.db-wal"]) fs.rmSync(site.path("asked", name), { force: true });
  const journal = openSqliteJournal({
    path: site.path("asked", "journal.db"),
    clock: systemClock,
    log: silentLog,
  });
  const atMs = systemClock.nowMs();
  const command = {
    id: incident!.id,
    kind: "acknowledge",
    by: "Wang Fang",
    key: "once",
    ifMatch: null,
    atMs,
  };
  await journal.append(jsonEntry("command", incident!.id, atMs, command));
  await journal.close();

  const port = await freePort();
  const starting = site.collector({ data: "asked", port });
  const url = `http://127.0.0.1:${port}`;
  const answers: number[] = [];
  while (answers.at(-1) !== 200) {
    const answer = await acknowledge(url, incident!.id).catch(() => null);
    if (answer === null) await new Promise((resolve) => setImmediate(resolve));
    else answers.push(answer.status);
  }
  collector = await starting;
  t.diagnostic(`answers: ${answers.join(", ")}`);
  const now = parsed(await list(collector)).find(({ id }) => id === incident!.id);
  assert.equal(now?.acknowledgements.length, 1);
  await collector.program.stop();
});

/** Always the same request of the same operator. */
function acknowledge(url: string, id: string): Promise<Response> {
  return fetch(`${url}/api/v1/incidents/${id}/acknowledge`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": "once" },
    body: JSON.stringify({ by: "Wang Fang" }),
  });
}

async function undisturbed(site: Site, feed: Feed): Promise<readonly Incident[]> {
  const collector = await site.collector({ data: "calm" });
  const agent = await AgentPeer.connect(collector.port, feed);
  await agent.deliver(feed);
  const incidents = await listWhenJudged(collector, feed);
  await collector.program.stop();
  return parsed(incidents);
}

/** Killed with frames under way, then at once started again on the same port. */
async function killed(t: TestContext, site: Site, feed: Feed, random: () => number) {
  const port = await freePort();
  const start = () => site.collector({ data: "killed", port });
  const reader = new LiveReader();
  t.after(() => reader.close());
  let collector = await start();
  await reader.connect(port);
  for (let kill = 0; kill < kills; kill += 1) {
    const agent = await AgentPeer.connect(port, feed);
    const share = feed.frames.length / kills;
    const acknowledged = Math.ceil(share * (kill + 0.1 + 0.5 * random()));
    await agent.deliver(feed, acknowledged);
    // After a tick of the journal there is a snapshot to start from; until then everything is replayed.
    if (kill === 2) await ticked(reader);
    const underWay = Math.floor(acknowledged + random() * 0.4 * share);
    for (const frame of feed.frames.slice(acknowledged, underWay)) agent.send(frame);
    await sleep(systemClock, 30 * random());
    await collector.program.kill();
    // A start has its moments too.
    const starting = site.startCollector({ data: "killed", port });
    await sleep(systemClock, 150 + 350 * random());
    await starting.kill();
    collector = await start();
    await reader.connect(port);
    t.diagnostic(
      `killed after ${acknowledged} acknowledged frames with ${underWay - acknowledged} under way`,
    );
  }
  const agent = await AgentPeer.connect(port, feed);
  await agent.deliver(feed);
  const incidents = await listWhenJudged(collector, feed);
  await until(
    () => isDeepStrictEqual(reader.incidents, new Map(parsed(incidents).map((one) => [one.id, one]))),
    "the reader to have what the API has",
  );
  await collector.program.stop();
  await replayed(site, incidents);
  return { incidents: parsed(incidents), reader };
}

/** The journal alone, in a folder without a store. */
async function replayed(site: Site, want: string): Promise<void> {
  fs.mkdirSync(site.path("replayed"));
  for (const name of fs.readdirSync(site.path("killed"))) {
    if (name.startsWith("journal.db"))
      fs.copyFileSync(site.path("killed", name), site.path("replayed", name));
  }
  const collector = await site.collector({ data: "replayed" });
  assert.equal(await list(collector), want, "the same journal, the same bytes");
  await collector.program.stop();
}

/** The journal has had a tick since now, and it was followed. */
async function ticked(reader: LiveReader): Promise<void> {
  const nowMs = systemClock.nowMs();
  await until(() => (reader.system?.watermarkMs ?? 0) > nowMs, "a tick of the journal");
}

/** The incidents as the API's bytes, once the feed's last frame was judged. */
async function listWhenJudged(collector: RunningCollector, feed: Feed): Promise<string> {
  await until(async () => {
    const { hosts } = await getJson<{ hosts: Host[] }>(`${collector.url}/api/v1/hosts`);
    return hosts.find(({ host }) => host === feed.host)?.lastSeenMs === feed.lastMs;
  }, "the verdict on the last frame");
  return list(collector);
}

async function list({ url }: RunningCollector): Promise<string> {
  return (await fetch(`${url}/api/v1/incidents?state=all`)).text();
}

function parsed(list: string): Incident[] {
  return (JSON.parse(list) as { incidents: Incident[] }).incidents;
}

/** Without the times that are the collector's and not the data's. */
function withoutOwnTimes(incident: Incident): object {
  const { detectedMs: _detected, updatedMs: _updated, resolvedMs: _resolved, timeline, ...rest } = incident;
  return { ...rest, timeline: timeline.map(({ text }) => text) };
}
