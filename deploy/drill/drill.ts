/**
 * `npm run drill -- NAME`: makes a real, bounded fault on this machine, waits for the incident, and says how long detection
 * took, what was blamed, and whether that is right. The demonstration, and the end-to-end check of the whole way.
 */
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { sleep, systemClock } from "#shared/clock.ts";
import type { Host } from "#shared/contract/api.ts";
import { causeConfidenceMin, type Incident, isOver } from "#shared/contract/incident.ts";
import { errorText } from "#shared/errors.ts";
import { renderText } from "#shared/text/text.ts";
import { readRun } from "../local/run-file.ts";
import type { Fault, RunningFault } from "./fault.ts";
import { agentDeath } from "./faults/agent-death.ts";
import { cpu } from "./faults/cpu.ts";
import { disk } from "./faults/disk.ts";
import { io } from "./faults/io.ts";
import { memory } from "./faults/memory.ts";
import { processDeath } from "./faults/process-death.ts";
import { type Live, openLive } from "./live.ts";

const faults: readonly Fault[] = [cpu, memory, disk, io, processDeath, agentDeath];
const root = fileURLToPath(new URL("../..", import.meta.url));
const warmupWaitMs = 600_000;
const detectWaitMs = 150_000;
/** The cause is read once more after this, when the ranking has seen a few ticks. */
const settleMs = 25_000;
const resolveWaitMs = 420_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string", default: join(root, ".causeway") },
    collector: { type: "string" },
    scratch: { type: "string", default: join(root, ".causeway") },
    /** Do not wait until the incident has resolved. */
    quick: { type: "boolean", default: false },
    json: { type: "string" },
  },
});

async function main(): Promise<void> {
  const fault = faults.find(({ name }) => name === positionals[0]);
  if (fault === undefined) {
    const list = faults.map(({ name, describe }) => `  ${name.padEnd(14)} ${describe}`).join("\n");
    fail(2, `want one of these drills: npm run drill -- NAME [--quick] [--json FILE]\n${list}`);
  }
  const run = await readRun(options.data);
  const url = options.collector ?? run?.url;
  if (url === undefined)
    fail(2, "Causeway does not run here: start it with npm start, or give --collector URL");
  const host = await warmHost(url);
  const live = await openLive(url).catch((error: unknown) => fail(1, errorText(error)));
  const already = [...live.incidents.values()].filter(
    (incident) => concerns(incident, host) && !isOver(incident),
  );
  if (already.length > 0) {
    say(
      `note: ${already.map(({ id }) => id).join(", ")} is open on ${host.host} already; the drill may be told as part of it`,
    );
  }
  const scratch = fs.mkdtempSync(join(options.scratch, "drill-"));
  let running: RunningFault | null = null;
  const cleanUp = async (): Promise<void> => {
    await running?.stop();
    running = null;
    fs.rmSync(scratch, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void cleanUp().then(() => process.exit(130)));
  try {
    const context = { scratch, pids: run?.pids ?? {}, say };
    await fault.prepare?.(context);
    if (fault.prepareMs > 0) await sleep(systemClock, fault.prepareMs);
    running = await fault.start(context);
    const startedMs = systemClock.nowMs();
    say(`fault: ${running.what}`);
    await report(fault, running, startedMs, live, host, cleanUp);
  } finally {
    await cleanUp();
    live.close();
  }
}

/** Signs of it are there now: it is neither over nor waiting to be. */
function isFelt(incident: Incident): boolean {
  return !isOver(incident) && incident.state !== "recovering";
}

async function report(
  fault: Fault,
  running: RunningFault,
  startedMs: number,
  live: Live,
  host: Host,
  cleanUp: () => Promise<void>,
): Promise<void> {
  const found = await waitFor(
    live,
    detectWaitMs,
    (incident) => concerns(incident, host) && incident.updatedMs >= startedMs && isFelt(incident),
  );
  if (found === null) {
    write({ fault: fault.name, detected: false });
    fail(1, `not detected within ${detectWaitMs / 1000} s`);
  }
  const detectedS = (systemClock.nowMs() - startedMs) / 1000;
  say(
    `incident ${found.id} after ${detectedS.toFixed(1)} s (${((detectedS * 1000) / host.intervalMs).toFixed(1)} sample intervals)`,
  );
  await sleep(systemClock, settleMs);
  const settled = live.incidents.get(found.id) ?? found;
  const opened = [...live.incidents.values()].filter(
    (incident) => concerns(incident, host) && incident.detectedMs >= startedMs,
  );
  const cause = settled.causes[0];
  const named = cause !== undefined && cause.confidence >= causeConfidenceMin;
  const right = named && running.isRight(cause);
  say(`  ${renderText(settled.title, "en")}`);
  say(
    `  cause: ${named ? `${cause.entity}, confidence ${cause.confidence}` : "not identified"}: ${right ? "right" : "WRONG"}`,
  );
  say(`  severity ${settled.severity}, ${opened.length} new incident${opened.length === 1 ? "" : "s"}`);
  await cleanUp();
  const outcome = {
    fault: fault.name,
    detected: true,
    detect_s: detectedS,
    intervals: (detectedS * 1000) / host.intervalMs,
    cause: cause?.entity ?? "",
    right,
    incidents: Math.max(1, opened.length),
  };
  if (options.quick) {
    write(outcome);
  } else {
    say("fault ended; waiting for the incident to resolve by itself");
    const endedMs = systemClock.nowMs();
    const resolved = await waitFor(
      live,
      resolveWaitMs,
      (incident) => incident.id === found.id && isOver(incident),
    );
    const resolvedS = (systemClock.nowMs() - endedMs) / 1000;
    write({ ...outcome, resolved: resolved !== null, resolve_s: resolvedS });
    if (resolved === null) fail(1, `${found.id} did not resolve within ${resolveWaitMs / 1000} s`);
    say(`resolved ${resolvedS.toFixed(0)} s after the fault ended`);
  }
  if (!right) fail(1, "the cause named is not the one that was made");
}

/** This machine's host as the collector knows it, once its baselines are ready. */
async function warmHost(url: string): Promise<Host> {
  const untilMs = systemClock.monotonicMs() + warmupWaitMs;
  let told = false;
  for (;;) {
    const answer = await fetch(`${url}/api/v1/hosts`).catch((error: unknown) =>
      fail(1, `cannot reach ${url}: ${errorText(error)}`),
    );
    const { hosts } = (await answer.json()) as { hosts: Host[] };
    const host = hosts.find((one) => one.host === os.hostname() || one.host.startsWith(`${os.hostname()}~`));
    const warm = host !== undefined && host.warmup.ready > host.warmup.provisional + host.warmup.collecting;
    if (warm) return host;
    if (systemClock.monotonicMs() > untilMs)
      fail(1, `${os.hostname()} was not ready within ${warmupWaitMs / 1000} s`);
    if (!told) say(`waiting for the baselines of ${os.hostname()}`);
    told = true;
    await sleep(systemClock, 2_000);
  }
}

function waitFor(
  live: Live,
  timeoutMs: number,
  wanted: (incident: Incident) => boolean,
): Promise<Incident | null> {
  return new Promise((resolve) => {
    const timer = systemClock.after(timeoutMs, () => resolve(null), { keepAlive: true });
    live.onIncident = (incident) => {
      if (!wanted(incident)) return;
      timer.cancel();
      live.onIncident = null;
      resolve(incident);
    };
  });
}

function concerns(incident: Incident, host: Host): boolean {
  return incident.hosts.includes(host.host);
}

function write(outcome: Record<string, unknown>): void {
  if (options.json !== undefined) fs.writeFileSync(options.json, `${JSON.stringify(outcome, null, 2)}\n`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(code: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exitCode = code;
  throw new DrillOver(text);
}

/** Unwinds to `main`, so that what was begun is cleaned up. */
class DrillOver extends Error {}

main().catch((error: unknown) => {
  if (error instanceof DrillOver) return;
  process.stderr.write(`drill: ${errorText(error)}\n`);
  process.exitCode = 1;
});
