/**
 * `npm run demo`: the collector, the bank's hosts with their services and agents, and the customers, until Ctrl-C.
 *
 * Everything that it starts lives below first processes (`hosts/host.ts`) that end with this one, however it ends.
 */
import { execFile } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { sleep, systemClock } from "#shared/clock.ts";
import { readRun, removeRun, type Run, writeRun } from "../local/run-file.ts";
import type { HostEvent } from "./hosts/host.ts";
import { type HostProcess, spawnHost } from "./hosts/spawn-host.ts";
import { hostNames, serviceNames } from "./layout.ts";
import { openNetwork, type Network } from "./hosts/namespaces.ts";
import { addressesOf, type BankOptions, canListen, freePort, outsidePlans, planOf, root } from "./plan.ts";

const readyWaitMs = 60_000;
const collectorPort = 7_430;

export interface StartOptions extends BankOptions {
  /** Undefined: the usual port, or the next one that is free. */
  readonly listen: string | undefined;
  /** A network namespace for each host. */
  readonly namespaces: boolean;
  readonly say: (text: string) => void;
}

export interface Started {
  readonly url: string;
  stop(): Promise<void>;
}

/** Who runs the bank with this data directory, or null. */
export function runningBank(data: string): Promise<Run | null> {
  return readRun(data);
}

/** Resolves when the collector is ready and every service accepts connections. Throws, with everything stopped, when it cannot. */
export async function startBank(options: StartOptions): Promise<Started> {
  const { data, say } = options;
  for (const folder of [data, join(data, "logs"), join(data, "files")])
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  say("building the console and the agent");
  const [, agentFile] = await Promise.all([build("build-console.ts"), build("build-agent.ts")]);
  const hosts: HostProcess[] = [];
  let network: Network | null = null;
  const stop = async (): Promise<void> => {
    await Promise.all(hosts.map((host) => host.stop()));
    await network?.close();
    removeRun(data);
  };
  try {
    const listen = options.listen ?? `127.0.0.1:${await freePort("127.0.0.1", collectorPort)}`;
    network = await openNetwork({ namespaces: options.namespaces, data, listen });
    const { placements, customersFrom } = network;
    const isFree = options.namespaces ? () => Promise.resolve(true) : canListen;
    const addresses = await addressesOf(placements, isFree);
    const outside = outsidePlans(options, listen, addresses.gateway, customersFrom);
    const listening = new Set<string>();
    const onEvent = (event: HostEvent): void => {
      if (event.event === "listening") listening.add(event.program);
      if (event.event === "ended") say(`${event.program} ended (${event.how})`);
      if (event.event === "line" && isWorthShowing(event.text)) say(`${event.program}: ${event.text}`);
    };
    hosts.push(spawnHost(outside.collector, [], onEvent));
    const url = `http://${listen}`;
    await until(`the collector to be ready at ${url}`, data, () => isReady(url));
    for (const host of hostNames) {
      const plan = planOf(host, options, placements, addresses, agentFile);
      hosts.push(spawnHost(plan, placements[host].command, onEvent));
    }
    await until("every service to listen", data, () => listening.size === serviceNames.length);
    hosts.push(spawnHost(outside.customers, [], onEvent));
    writeRun(data, {
      pid: process.pid,
      url,
      pids: Object.fromEntries(hosts.map(({ name, pid }) => [name, pid])),
    });
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** In a process of its own: what builds takes 250 MB, which this one would keep. Gives what it printed. */
async function build(file: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, "deploy", file)], { cwd: root });
  return stdout.trim();
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/-/ready`).catch(() => null);
  return answer?.ok === true;
}

async function until(what: string, data: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = systemClock.monotonicMs() + readyWaitMs;
  while (!(await isSo())) {
    if (systemClock.monotonicMs() > untilMs)
      throw new Error(`waited ${readyWaitMs / 1000} s for ${what}; see ${join(data, "logs")}`);
    await sleep(systemClock, 100);
  }
}

/** Incidents, and what programs complain of; the rest is in their logs. */
function isWorthShowing(text: string): boolean {
  try {
    const { level, event } = JSON.parse(text) as { level?: string; event?: string };
    return level === "error" || String(event).startsWith("incident");
  } catch {
    return true;
  }
}
