/**
 * What is wrong is refused with its reason and counted, and costs nobody else a sample: the collector's process among agents
 * that send broken frames, agents with a wrong clock, and names that are traps for programs in JavaScript.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#shared/clock.ts";
import type { Host, Ledger, SeriesList, SeriesRange } from "#shared/contract/api.ts";
import { limits } from "#shared/limits.ts";
import { seriesId } from "#shared/series.ts";
import { Feed, gauge } from "./feed.ts";
import { AgentPeer } from "./peers.ts";
import { getJson, metric, type RunningCollector, Site, until } from "./programs.ts";

const goodAgent = "8c7e3f1a-0000-4000-8000-00000000e2e3";
const badAgent = "8c7e3f1a-0000-4000-8000-00000000e2e4";
const hourMs = 3_600_000;
const intervalMs = 1_000;

/** Five ticks that end now by the agent's clock. */
function feedAt(agentId: string, host: string, nowMs: number, series = [gauge("test.load")]): Feed {
  const feed = new Feed({ agentId, epoch: Math.floor(nowMs), host, intervalMs, series });
  for (let tick = -4; tick <= 0; tick += 1) {
    const timeMs = Math.floor(nowMs / intervalMs) * intervalMs + tick * intervalMs;
    feed.add(
      timeMs,
      series.map((_, index) => index + tick / 100),
    );
  }
  return feed;
}

interface Bad {
  readonly reason: string;
  /** What the collector is sent, from the frames of a good feed. */
  readonly sent: (feed: Feed) => Uint8Array[];
  readonly says: RegExp;
}

const bad: readonly Bad[] = [
  {
    reason: "truncated",
    sent: ({ frames }) => [frames[0]!.subarray(0, 5)],
    says: /frame of 5 bytes has no header/,
  },
  {
    reason: "corrupted",
    sent: ({ frames }) => [frames[0]!.map((byte, index) => (index === 40 ? byte ^ 1 : byte))],
    says: /CRC-32C/,
  },
  // A frame that was cut has another end, and so another checksum.
  { reason: "corrupted", sent: ({ frames }) => [frames[0]!.subarray(0, -9)], says: /CRC-32C/ },
  {
    reason: "oversized",
    sent: () => [new Uint8Array(limits.frameBytesMax + 1)],
    says: /1048577 bytes, limit is 1048576 \(limits\.frameBytesMax\)/,
  },
  {
    reason: "unknown_version",
    sent: ({ frames }) => [frames[0]!.map((byte, index) => (index === 2 ? 9 : byte))],
    says: /version 9, this side reads version 1/,
  },
  {
    reason: "malformed",
    sent: () => [new TextEncoder().encode("GET / HTTP/1.1\r\n")],
    says: /does not begin with 'CW'/,
  },
  { reason: "no_key_frame", sent: ({ frames }) => [frames[1]!], says: /no key frame/ },
  { reason: "out_of_order", sent: ({ frames }) => [frames[0]!, frames[3]!], says: /came after/ },
];

test(
  "each broken frame is refused with its reason, and an agent beside loses nothing",
  { timeout: 60_000 },
  async (t) => {
    const site = Site.open(t);
    const collector = await site.collector();
    const good = feedAt(goodAgent, "good", systemClock.nowMs() - 60_000);
    const neighbour = await AgentPeer.connect(collector.port, good);
    await neighbour.deliver(good);
    const refused = new Map<string, number>();
    for (const [index, { reason, sent, says }] of bad.entries()) {
      // An agent of its own for each: what one has delivered must not help the next.
      const agentId = badAgent.replace("e2e4", (0xe300 + index).toString(16));
      const feed = feedAt(agentId, `bad-${index}`, systemClock.nowMs());
      const peer = await AgentPeer.connect(collector.port, feed);
      for (const frame of sent(feed)) peer.send(frame);
      const refusal = await peer.refused();
      assert.equal(refusal.reason, reason);
      assert.match(refusal.message, says);
      refused.set(reason, (refused.get(reason) ?? 0) + 1);
      const counter = `causeway_ingest_refused_frames_total{reason="${reason}"}`;
      assert.equal(await metric(collector.url, counter), refused.get(reason), counter);
      good.add(good.lastMs + intervalMs, [index]);
      await neighbour.deliver(good);
    }
    assert.ok(neighbour.open, "nobody else's connection was closed");
    await arrived(collector, good);
    const { stored, lost } = await getJson<Ledger>(`${collector.url}/api/v1/ledger?host=good`);
    assert.deepEqual({ stored, lost }, { stored: good.samples, lost: 0 });
    await collector.program.stop();
  },
);

for (const aheadMs of [hourMs, -hourMs]) {
  const way = aheadMs > 0 ? "ahead" : "behind";
  test(`an agent whose clock is an hour ${way} is judged at the true times, flagged, and loses nothing`, async (t) => {
    const site = Site.open(t);
    const collector = await site.collector();
    const trueMs = systemClock.nowMs();
    const feed = feedAt(badAgent, "wrong-clock", trueMs + aheadMs);
    const peer = await AgentPeer.connect(collector.port, { ...named(feed), clockAheadMs: aheadMs });
    await peer.deliver(feed);
    const host = await arrived(collector, feed, aheadMs);
    assert.ok(Math.abs(host.clockErrorMs - aheadMs) < 5_000, `clockErrorMs is ${host.clockErrorMs}`);
    assert.equal(host.state, "up");
    const { stored, lost } = await getJson<Ledger>(`${collector.url}/api/v1/ledger?host=wrong-clock`);
    assert.deepEqual({ stored, lost }, { stored: feed.samples, lost: 0 });
    const shown = await range(collector, "wrong-clock", "test.load", trueMs - 60_000, trueMs + 60_000);
    assert.equal(shown.timesMs.length, feed.frames.length, "all of it is found where it belongs");
    await collector.program.stop();
  });
}

test("a clock that is set forward while connected is refused once and corrected from then on", async (t) => {
  const site = Site.open(t);
  const collector = await site.collector();
  const feed = feedAt(badAgent, "set-forward", systemClock.nowMs());
  const before = await AgentPeer.connect(collector.port, feed);
  await before.deliver(feed);
  before.send(feed.add(feed.lastMs + hourMs, [1]));
  const { reason, message } = await before.refused();
  assert.equal(reason, "clock");
  assert.match(message, /in the future, limit is 60000 \(limits\.clockErrorMsMax\): say hello again/);
  const after = await AgentPeer.connect(collector.port, { ...named(feed), clockAheadMs: hourMs });
  await after.deliver(feed);
  const { stored, lost } = await getJson<Ledger>(`${collector.url}/api/v1/ledger?host=set-forward`);
  assert.deepEqual({ stored, lost }, { stored: feed.samples, lost: 0 });
  await collector.program.stop();
});

test("names that are traps are names like any other", async (t) => {
  const site = Site.open(t);
  const collector = await site.collector();
  const traps = ["__proto__", "constructor", "hasOwnProperty", "toString"];
  const series = traps.flatMap((trap) => [gauge(trap), gauge("test.load", [[trap, trap]])]);
  for (const [index, host] of traps.entries()) {
    const agentId = badAgent.replace("e2e4", (0xe400 + index).toString(16));
    const feed = feedAt(agentId, host, systemClock.nowMs(), series);
    const peer = await AgentPeer.connect(collector.port, feed);
    await peer.deliver(feed);
    await arrived(collector, feed);
    const list = await getJson<SeriesList>(`${collector.url}/api/v1/hosts/${host}/series`);
    assert.deepEqual(list.series.map(({ id }) => id).sort(), series.map(seriesId).sort());
    for (const one of series) {
      const { values } = await range(collector, host, seriesId(one), feed.lastMs - 60_000, feed.lastMs);
      assert.equal(values.length, feed.frames.length, `${host} ${seriesId(one)}`);
    }
  }
  const { hosts } = await getJson<{ hosts: Host[] }>(`${collector.url}/api/v1/hosts`);
  assert.deepEqual(hosts.map(({ host }) => host).sort(), [...traps].sort());
  await collector.program.stop();
});

function named({ agentId, host }: Feed): { agentId: string; host: string } {
  return { agentId, host };
}

/** The host, once its last frame was judged; its clock is ahead by `aheadMs`. */
function arrived({ url }: RunningCollector, feed: Feed, aheadMs = 0): Promise<Host> {
  return until(async () => {
    const { hosts } = await getJson<{ hosts: Host[] }>(`${url}/api/v1/hosts`);
    return hosts.find(
      ({ host, lastSeenMs }) =>
        host === feed.host && Math.abs(lastSeenMs + aheadMs - feed.lastMs) < intervalMs,
    );
  }, `the last frame of ${feed.host}`);
}

function range(
  { url }: RunningCollector,
  host: string,
  series: string,
  fromMs: number,
  toMs: number,
): Promise<SeriesRange> {
  const query = new URLSearchParams({
    host,
    series,
    from: `${Math.floor(fromMs)}`,
    to: `${Math.floor(toMs)}`,
  });
  return getJson(`${url}/api/v1/series?${query.toString()}`);
}
