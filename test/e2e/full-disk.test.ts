/**
 * A disk without space, on either side: everything waits, says so, and goes on by itself with nothing lost and nothing doubled.
 *
 * The disk is a limit on the size of the process's files (RLIMIT_FSIZE), which needs no root: a write beyond it fails in the
 * middle as on a full file system, and space comes back by lifting the limit of the running process.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { test, type TestContext } from "node:test";
import type { Ledger } from "#shared/contract/api.ts";
import { readOracle, settle } from "./account.ts";
import { LiveReader } from "./peers.ts";
import {
  freePort,
  getJson,
  liftFileLimit,
  type LogLine,
  metric,
  type Program,
  type RunningCollector,
  Site,
  until,
} from "./programs.ts";

const intervalMs = 20;
const series = 400;
const collectorBytesMax = 512 * 1024;
/** Of the spool's file; SQLite fills its write-ahead log first, and makes room there as long as the file itself takes more. */
const agentBytesMax = 96 * 1024;
/** Ticks read while nothing can be stored. */
const ticksMeanwhile = 40;

test("a collector whose disk is full stops acknowledging, keeps serving, and goes on when there is space", async (t) => {
  const site = open(t);
  if (site === null) return;
  const collector = await site.collector({ fileBytesMax: collectorBytesMax });
  const agent = load(site, collector.url);
  const refusal = await until(async () => {
    const answer = await fetch(`${collector.url}/-/ready`);
    return answer.status === 503 ? answer.text() : null;
  }, "the collector to say that it is not ready");
  assert.match(refusal, /the journal takes no entries: the disk is full/);
  assert.equal((await collector.program.logged("journal refused entries"))["state"], "full");

  const before = await storedSamples(collector);
  await moreTicks(site);
  assert.equal(await storedSamples(collector), before, "nothing is taken that cannot be kept");
  await until(async () => (await metric(collector.url, "causeway_journal_full")) === 1, "the metric");
  assert.equal((await fetch(`${collector.url}/-/healthy`)).status, 200);
  const command = await fetch(`${collector.url}/api/v1/incidents/INC-1/acknowledge`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": "key" },
    body: JSON.stringify({ by: "Wang Fang" }),
  });
  assert.equal(command.status, 503, "an operator is not left waiting");
  assert.match(await command.text(), /try again in a moment: the journal takes no entries: the disk is full/);
  const reader = new LiveReader();
  t.after(() => reader.close());
  await reader.connect(collector.port);

  await liftFileLimit(collector.program);
  await until(async () => (await fetch(`${collector.url}/-/ready`)).ok, "the collector to be ready again");
  await collector.program.logged("journal took entries again");
  await until(async () => (await metric(collector.url, "causeway_journal_full")) === 0, "the metric");
  await allThere(t, site, collector, agent);
});

test("an agent whose disk is full while its collector is away holds its ticks in memory, and delivers all", async (t) => {
  const site = open(t);
  if (site === null) return;
  const port = await freePort();
  const agent = load(site, `http://127.0.0.1:${port}`, agentBytesMax);
  let held: LogLine | undefined;
  let ticks = 0;
  await until(() => {
    const line = agent.lines.findLast(({ event }) => event.startsWith("spool "));
    if (line !== held) ticks = ticksRead(site);
    held = line;
    return held?.event.startsWith("spool refused") === true && ticksRead(site) >= ticks + ticksMeanwhile;
  }, "the spool's file to have filled the disk");
  await liftFileLimit(agent);
  const fromMemory = ({ event, ...fields }: LogLine) =>
    event === "spool took frames again" && Number(fields["frames"]) >= ticksMeanwhile;
  await until(() => agent.lines.some(fromMemory), `${ticksMeanwhile} frames to come out of memory at once`);
  const collector = await site.collector({ port });
  await agent.logged("collector accepted us");
  await allThere(t, site, collector, agent);
});

function open(t: TestContext): Site | null {
  const { status } = spawnSync("prlimit", ["--fsize=1024:unlimited", "true"]);
  if (status === 0) return Site.open(t);
  const missing = "prlimit (util-linux) is needed to limit a file's size, and this machine lacks it";
  t.diagnostic(missing);
  t.skip(missing);
  return null;
}

/** An agent with a tick every 20 ms. */
function load(site: Site, collectorUrl: string, fileBytesMax?: number): Program {
  const url = collectorUrl.replace("http:", "ws:");
  const args = [url, site.dir, site.path("oracle"), String(intervalMs), String(series)];
  return fileBytesMax === undefined
    ? site.node("test/e2e/agent-under-load.ts", args)
    : site.nodeWithFileLimit(fileBytesMax, "test/e2e/agent-under-load.ts", args);
}

async function moreTicks(site: Site): Promise<void> {
  const before = ticksRead(site);
  await until(() => ticksRead(site) >= before + ticksMeanwhile, "more ticks");
}

function ticksRead(site: Site): number {
  return fs.existsSync(site.path("oracle")) ? readOracle(site.path("oracle")).size : 0;
}

async function storedSamples({ url }: RunningCollector): Promise<number> {
  return (await getJson<Ledger>(`${url}/api/v1/ledger`)).stored;
}

async function allThere(
  t: TestContext,
  site: Site,
  collector: RunningCollector,
  agent: Program,
): Promise<void> {
  await moreTicks(site);
  await agent.stop();
  await collector.program.stop();
  const { read, lost } = await settle(site.path("oracle"), site.path("collector", "journal.db"));
  assert.equal(lost, 0);
  t.diagnostic(`${read} ticks read, all of them once in the journal`);
}
