/**
 * Does the operators' console answer while a data centre goes down? A real collector, an agent a host over WebSocket, the built console in
 * a real browser: thousands of anomalies within a minute, and an operator who clicks all the while.
 *
 * Both sides are of one run: the same clicks in the quiet minute before the outage and in the minute of it. The hosts' past of a quarter
 * of an hour is sent as fast as the collector takes it, then the agents are live; all times are the data's, and end now.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { Incident } from "#shared/contract/incident.ts";
import { isOver } from "#shared/contract/incident.ts";
import { collectorFlags } from "../../deploy/collector-flags.ts";
import { type Agents, connectAgents } from "./agents-wire.ts";
import { ConsolePage, type Looked } from "./console-page.ts";
import { createOutage, hostNames, type NextFrames, seriesPerHost } from "./outage.ts";
import { type Child, cpuSecondsOf, freePort, loadAverage, memoryOf, startChild } from "./processes.ts";
import { type BenchOptions, type Figures, median, row, shown } from "./report.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const intervalMs = 10_000;
/** A quarter of an hour, so that every series has a baseline of its own. */
const pastTicks = 90;
/** A minute, before and in the outage. */
const minuteTicks = 6;
/** `paceMs`: from one live tick to the next; below the interval a minute of the data takes less than a minute. */
const sizes = {
  full: { hosts: 1000, paceMs: intervalMs, pauseMs: 400, warmUpWalks: 5 },
  quick: { hosts: 50, paceMs: 3_000, pauseMs: 200, warmUpWalks: 5 },
  tiny: { hosts: 10, paceMs: 300, pauseMs: 0, warmUpWalks: 0 },
} as const;

export async function benchConsole(options: BenchOptions): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "causeway-bench-console-"));
  try {
    return await onCollector(folder, options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function onCollector(folder: string, options: BenchOptions): Promise<Figures> {
  const page = join(folder, "console");
  const configFile = join(root, "collector/console/vite.config.ts");
  await build({ configFile, logLevel: "error", build: { outDir: page, emptyOutDir: true } });
  const port = await freePort();
  const settings = ["--data", join(folder, "data"), "--listen", `127.0.0.1:${port}`, "--console", page];
  const args = [...collectorFlags, join(root, "collector/main.ts"), ...settings];
  const collector = startChild(process.execPath, args);
  try {
    await collector.line(/collector caught up with its journal/);
    return await withAgents(collector, port, options);
  } finally {
    await collector.stop();
  }
}

async function withAgents(collector: Child, port: number, options: BenchOptions): Promise<Figures> {
  const { hosts, paceMs } = sizes[options.size];
  const names = hostNames(hosts);
  const agents = await connectAgents(port, names);
  try {
    const feed = new LiveFeed(agents, createOutage(names, intervalMs), paceMs);
    const pastMs = await feed.past();
    const url = `http://127.0.0.1:${port}`;
    await judged(url, hosts * seriesPerHost * feed.ticks);
    const past = `${feed.ticks} ticks before, in ${shown(pastMs / 1000)} s`;
    options.print(row("load", `${hosts} x ${seriesPerHost} series`, past));
    const page = await ConsolePage.open(url);
    try {
      return await storm({ collector, url, feed, page: "missing" in page ? null : page, options }).finally(
        () => "missing" in page && options.print(`${page.missing}: the console's figures are left out`),
      );
    } finally {
      if (!("missing" in page)) await page.close();
    }
  } finally {
    agents.cut();
  }
}

/** The hosts' ticks, at the times that they have. */
class LiveFeed {
  /** Sent so far, of each host. */
  ticks = 0;
  readonly #agents: Agents;
  readonly #next: NextFrames;
  readonly #paceMs: number;
  /** What the data's time is behind: a live minute that is played faster must not end in the future. */
  readonly #behindMs: number;
  readonly #firstMs: number;
  /** When the last frame of the outage's first tick was acknowledged. */
  outageAckedMs: number | null = null;

  constructor(agents: Agents, next: NextFrames, paceMs: number) {
    this.#agents = agents;
    this.#next = next;
    this.#paceMs = paceMs;
    this.#behindMs = 2 * minuteTicks * (intervalMs - paceMs);
    const nowMs = Date.now() - this.#behindMs;
    this.#firstMs = (Math.floor(nowMs / intervalMs) - pastTicks) * intervalMs;
  }

  get #nextMs(): number {
    return this.#firstMs + this.ticks * intervalMs;
  }

  /** Until now, however long that takes. Resolves with the milliseconds that it took. */
  async past(): Promise<number> {
    const beganMs = performance.now();
    while (this.#nextMs <= Date.now() - this.#behindMs) {
      if (this.ticks > 2 * pastTicks)
        throw new Error("the collector does not keep up with the agents: no figure");
      await this.#send(-1);
    }
    return performance.now() - beganMs;
  }

  /** A minute of the data, tick by tick. */
  async minute(outage: boolean): Promise<void> {
    const beganMs = performance.now();
    for (let tick = 0; tick < minuteTicks; tick += 1) {
      // Live agents tell a tick when it is over, not before; played faster, the ticks are as far apart.
      const waitMs =
        this.#paceMs === intervalMs
          ? this.#nextMs - Date.now()
          : tick * this.#paceMs - (performance.now() - beganMs);
      if (waitMs > 0) await sleep(waitMs);
      await this.#send(outage ? tick : -1);
      if (outage && tick === 0) this.outageAckedMs = Date.now();
    }
  }

  async #send(outageTick: number): Promise<void> {
    for (const [host, frame] of this.#next(this.#nextMs, outageTick).entries())
      this.#agents.send(host, frame);
    await this.#agents.reached(this.ticks);
    this.ticks += 1;
  }
}

interface Stage {
  readonly collector: Child;
  readonly url: string;
  readonly feed: LiveFeed;
  readonly page: ConsolePage | null;
  readonly options: BenchOptions;
}

async function storm({ collector: { pid }, url, feed, page, options }: Stage): Promise<Figures> {
  const { hosts, pauseMs, warmUpWalks } = sizes[options.size];
  const play = async (outage: boolean): Promise<{ looked: Looked | null; cpuSeconds: number }> => {
    const before = cpuSecondsOf(pid);
    const minute = feed
      .minute(outage)
      .then(() => judged(url, hosts * seriesPerHost * feed.ticks))
      .then(() => (outage ? told(url) : undefined));
    const looked = page === null ? (await minute, null) : await page.lookWhile(minute, pauseMs);
    return { looked, cpuSeconds: cpuSecondsOf(pid) - before };
  };
  // The page's code is compiled by use: without this the quiet minute pays for both.
  for (let walk = 0; walk < warmUpWalks; walk += 1) await page?.lookWhile(Promise.resolve(), 0);
  const quiet = await play(false);
  const before = await metric(url, "causeway_detect_anomalies_total");
  const outage = await play(true);
  const anomalies = (await metric(url, "causeway_detect_anomalies_total")) - before;
  const opened = await metric(url, "causeway_incident_opened_total");
  const { incidents } = (await (await fetch(`${url}/api/v1/incidents?state=all`)).json()) as {
    incidents: Incident[];
  };
  const open = incidents.filter((incident) => !isOver(incident)).length;
  const { rssMb } = memoryOf(pid);
  options.print(
    row("the outage", `${shown(anomalies)} anomalies`, `${open} incident open, ${opened} opened`),
  );
  options.print(
    row(
      "collector",
      `${shown(outage.cpuSeconds)} CPU s`,
      `quiet ${shown(quiet.cpuSeconds)}   RSS ${shown(rssMb)} MiB`,
    ),
  );
  const figures = {
    "console.anomalies": anomalies,
    "console.incidents": open,
    "console.incidents_opened": opened,
    "console.collector_cpu_s": outage.cpuSeconds,
    "console.collector_quiet_cpu_s": quiet.cpuSeconds,
    "console.collector_rss_mb": rssMb,
  };
  if (page === null || quiet.looked === null || outage.looked === null) return figures;
  return { ...figures, ...(await report(page, feed, quiet.looked, outage.looked, options)) };
}

async function report(
  page: ConsolePage,
  feed: LiveFeed,
  quiet: Looked,
  outage: Looked,
  { print, screenshot }: BenchOptions,
): Promise<Figures> {
  const seenMs = await page.incidentAtMs();
  if (seenMs === null || feed.outageAckedMs === null)
    throw new Error("the page showed no incident: no figure");
  if (page.complaints.length > 0) throw new Error(`the page failed: ${page.complaints.join("; ")}`);
  const { heapMb, nodes } = await page.size();
  const visibleS = (seenMs - feed.outageAckedMs) / 1000;
  print(
    row("incident on the screen", `${shown(visibleS)} s`, "after the outage's first tick was acknowledged"),
  );
  for (const [name, one] of [["page, quiet", quiet] as const, ["page, in the outage", outage] as const]) {
    const times = one.clicks.map(({ ms }) => ms);
    const share = `${shown(100 * one.longTaskShare)} % of the time in long tasks`;
    const frames = `longest task ${shown(one.longestTaskMs)} ms, frame ${shown(one.longestFrameMs)} ms`;
    const clicks = `${shown(median(times))} ms a click`;
    print(
      row(name, clicks, `${times.length} clicks, max ${shown(Math.max(...times))} ms   ${share}   ${frames}`),
    );
  }
  for (const step of new Set(outage.clicks.map((click) => click.step))) {
    const times = outage.clicks.filter((click) => click.step === step).map(({ ms }) => ms);
    print(row(`  to ${step}`, `${shown(median(times))} ms`, `max ${shown(Math.max(...times))}`));
  }
  const ratio = sameClicks(outage, quiet) / sameClicks(quiet, quiet);
  print(
    row("ratio", `${shown(ratio)} x`, `the same clicks   load ${loadAverage()}   node ${process.version}`),
  );
  print(row("page", `${shown(heapMb)} MiB`, `JavaScript heap   ${shown(nodes)} nodes`));
  if (screenshot !== undefined) {
    await page.screenshot(screenshot);
    print(`screenshot: ${screenshot}`);
  }
  const all = outage.clicks.map(({ ms }) => ms);
  return {
    "console.visible_s": visibleS,
    "console.click_p50_ms": median(all),
    "console.click_max_ms": Math.max(...all),
    "console.click_vs_quiet": ratio,
    "console.longest_task_ms": outage.longestTaskMs,
    "console.long_task_share": outage.longTaskShare,
    "console.longest_frame_ms": outage.longestFrameMs,
    "console.quiet_longest_task_ms": quiet.longestTaskMs,
    "console.heap_mb": heapMb,
    "console.nodes": nodes,
  };
}

/** The median of the clicks that `other` has too, each kind with the same weight. */
function sameClicks(looked: Looked, other: Looked): number {
  const kinds = [...new Set(other.clicks.map(({ step }) => step))];
  const medians = kinds.flatMap((kind) => {
    const times = looked.clicks.filter(({ step }) => step === kind).map(({ ms }) => ms);
    return times.length === 0 ? [] : [median(times)];
  });
  return medians.reduce((sum, ms) => sum + ms, 0) / medians.length;
}

/** Resolves when the collector has judged so many samples: what it tells is then told. */
async function judged(url: string, samples: number): Promise<void> {
  for (let time = 0; time < 600; time += 1) {
    if ((await metric(url, "causeway_detect_samples_total")) >= samples) return;
    await sleep(100);
  }
  throw new Error(`the collector has not judged ${samples} samples within a minute: no figure`);
}

async function openIncidents(url: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/incidents?state=all`);
  const { incidents } = (await answer.json()) as { incidents: Incident[] };
  return incidents.filter((incident) => !isOver(incident)).length;
}

/** Resolves with the first incident. Correlation waits for siblings and company by the collector's own ticks, two seconds apart. */
async function told(url: string): Promise<void> {
  for (let time = 0; time < 300; time += 1) {
    if ((await openIncidents(url)) > 0) return;
    await sleep(100);
  }
  throw new Error("the collector told no incident within half a minute: no figure");
}

/** The sum of a metric's series. */
async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, "gm"));
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}
