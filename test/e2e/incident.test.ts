/** One fault, from an agent's frames to what an operator reads in a browser: the collector, its sockets and its page are real. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { build } from "vite";
import { systemClock } from "#shared/clock.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { renderText } from "#shared/text/text.ts";
import { openBrowser } from "#test/setup/browser.ts";
import { parseScenario } from "#test/sim/scenario.ts";
import { type Feed, feedOf } from "./feed.ts";
import { AgentPeer, LiveReader } from "./peers.ts";
import { getJson, root, Site } from "./programs.ts";

const agentId = "8c7e3f1a-0000-4000-8000-00000000e2e1";
const cause = "process:pay-01/4711/report";
const story = fs.readFileSync(new URL("../scenarios/runaway-process.txt", import.meta.url), "utf8");
/** The job runs away with tick 60; until here it has done so for a minute and a half. */
const ticksIntoFault = 69;
const ticksPastFault = 100;

interface Stage {
  readonly url: string;
  readonly feed: Feed;
  readonly agent: AgentPeer;
  readonly reader: LiveReader;
}

test("a runaway process is one incident, from the agent's frames to the operator's screen", async (t) => {
  const stage = await setUp(t);
  const { agent, feed, reader, url } = stage;

  await t.test("it is pushed to whoever is connected, with the process as its first cause", async () => {
    await agent.deliver(feed, ticksIntoFault);
    const told = await reader.told("an open incident", ({ state }) => state === "open");
    assert.equal(told.causes[0]?.entity, cause);
    assert.equal(told.owner, null);
    assert.deepEqual(told.hosts, ["pay-01"]);
    const faultMs = feed.epoch + 60 * 10_000;
    assert.ok(
      Math.abs(told.startedMs - faultMs) <= 10_000,
      "it began when the job ran away, not when it was told",
    );
  });

  await t.test("the API tells the same incident, and no other", async () => {
    const { incidents } = await getJson<{ incidents: Incident[] }>(`${url}/api/v1/incidents?state=all`);
    assert.deepEqual(incidents, [...reader.incidents.values()]);
    assert.equal(incidents.length, 1);
    assert.deepEqual(await getJson(`${url}/api/v1/incidents/${incidents[0]!.id}`), incidents[0]);
  });

  await t.test("it is acknowledged once, however often the request comes, and by one only", () =>
    acknowledge(stage),
  );

  await t.test(
    "a browser shows it in English and in Chinese, opens it, and has nothing to complain of",
    (part) => look(part, stage),
  );

  await t.test("when the job is over it recovers, and is still the only one", async () => {
    await agent.deliver(feed, ticksPastFault);
    await reader.told("recovery", ({ state }) => state === "recovering");
    assert.equal(reader.incidents.size, 1);
    const { causes, owner } = [...reader.incidents.values()][0]!;
    assert.equal(causes[0]?.entity, cause, "its cause stays when it has stopped");
    assert.equal(owner, "Wang Fang");
    reader.inOrder();
  });
});

/** The data are of the last 25 minutes, as from an agent whose collector was away: all admitted at once. */
async function setUp(t: TestContext): Promise<Stage> {
  const site = Site.open(t);
  const console = site.path("console");
  const configFile = `${root}/collector/console/vite.config.ts`;
  await build({ configFile, logLevel: "error", build: { outDir: console, emptyOutDir: true } });
  const { url, port } = await site.collector({ console });
  const feed = feedOf(parseScenario(story), { agentId, endMs: systemClock.nowMs() });
  const agent = await AgentPeer.connect(port, { agentId, host: feed.host });
  const reader = new LiveReader();
  t.after(() => reader.close());
  await reader.connect(port);
  return { url, feed, agent, reader };
}

async function acknowledge({ url, reader }: Stage): Promise<void> {
  const [before] = reader.incidents.values();
  assert.ok(before !== undefined);
  const path = `${url}/api/v1/incidents/${before.id}/acknowledge`;
  const send = (key: string, by: string) =>
    fetch(path, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Idempotency-Key": key,
        "If-Match": `"${before.revision}"`,
      },
      body: JSON.stringify({ by, comment: "looking" }),
    });

  // As from a client that lost patience: the repeat comes while the first is under way.
  const [first, twin] = await Promise.all([send("key-1", "Wang Fang"), send("key-1", "Wang Fang")]);
  assert.equal(first.status, 200);
  assert.equal(twin.status, 200, "a repeat waits for the answer to the first");
  const answer = await first.text();
  assert.equal(await twin.text(), answer);
  const { owner, revision } = JSON.parse(answer) as Incident;
  assert.equal(owner, "Wang Fang");
  assert.equal(revision, before.revision + 1);
  assert.equal(first.headers.get("etag"), `"${revision}"`);
  await reader.told("the acknowledgement", (incident) => incident.owner === "Wang Fang");

  const late = await send("key-2", "Li Na");
  assert.equal(late.status, 412, "who saw an old revision decides nothing");
  assert.match(await late.text(), /Wang Fang/, "and is told who was faster");

  const repeat = await send("key-1", "Wang Fang");
  assert.equal(repeat.status, 200);
  assert.equal(await repeat.text(), answer, "a repeat gets the first answer");
  const now = await getJson<Incident>(`${url}/api/v1/incidents/${before.id}`);
  assert.equal(now.acknowledgements.length, 1);
}

async function look(t: TestContext, { url, reader }: Stage): Promise<void> {
  const opened = await openBrowser();
  if ("missing" in opened) {
    t.diagnostic(opened.missing);
    return t.skip(opened.missing);
  }
  const complaints: string[] = [];
  try {
    const page = await opened.browser.newPage({ viewport: { width: 1366, height: 768 }, locale: "en-GB" });
    page.setDefaultTimeout(10_000);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== url) complaints.push(`request to ${request.url()}`);
    });
    page.on("websocket", (socket) => {
      if (new URL(socket.url()).host !== new URL(url).host) complaints.push(`socket to ${socket.url()}`);
    });
    await walk(page, url, [...reader.incidents.values()][0]!);
  } finally {
    await opened.close();
  }
  assert.deepEqual(complaints, []);
}

async function walk(page: Page, url: string, { id, title, causes }: Incident): Promise<void> {
  const blank = await page.screenshot();
  await page.goto(url);
  const sentence = page.locator(".row .row-title");
  await sentence.waitFor();
  assert.equal(await sentence.innerText(), renderText(title, "en"));
  const picture = await page.screenshot();
  assert.ok(picture.length > 4 * blank.length, `a picture of ${picture.length} bytes shows nothing`);

  await page.getByRole("button", { name: "中文" }).click();
  await page.locator("html[lang='zh-CN']").waitFor();
  assert.equal(await sentence.innerText(), renderText(title, "zh-CN"));
  await page.getByRole("button", { name: "English" }).click();
  await page.locator("html[lang='en']").waitFor();

  await page.goto(`${url}/incidents/${id}`);
  await page.getByText(renderText(causes[0]!.text, "en")).first().waitFor();
  await page.locator(".plot canvas").first().waitFor();
}
