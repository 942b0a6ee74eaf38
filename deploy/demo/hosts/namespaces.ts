/**
 * The network of the simulated hosts: a loopback address each, or a network namespace each, joined by a bridge.
 *
 * Namespaces make the hosts' sockets, ports and addresses really theirs; they need root and iproute2. Names carry this process's number,
 * so that what a killed run left behind is known and removed by the next one. The collector stays on the machine's loopback: namespaces
 * reach it through relays over a socket file (`relay.ts`).
 */
import { execFile } from "node:child_process";
import fs from "node:fs";
import { promisify } from "node:util";
import { listenParts } from "#shared/loopback.ts";
import { hostNames } from "../layout.ts";
import { onLoopback, type Placements } from "../plan.ts";
import { controlPath } from "./control.ts";
import { startRelay } from "./relay.ts";

const run = promisify(execFile);
const prefix = "cwdemo";
/** Of the documentation's and labs' private range that is least used; the bridge is .1. */
const subnet = "10.213.77";

export interface Network {
  readonly placements: Placements;
  /** The address that the customers come from. */
  readonly customersFrom: string;
  close(): Promise<void>;
}

export interface NetworkOptions {
  readonly namespaces: boolean;
  readonly data: string;
  /** The collector's. */
  readonly listen: string;
}

export async function openNetwork({ namespaces, data, listen }: NetworkOptions): Promise<Network> {
  const { host: address, port } = listenParts(listen) ?? { host: listen, port: 0 };
  const collector = { address, port };
  if (!namespaces) {
    const placements = onLoopback(collector);
    return { placements, customersFrom: "127.0.0.1", close: () => Promise.resolve() };
  }
  await removeLeftovers();
  const bridge = `${prefix}${process.pid}`;
  const path = controlPath(data, "collector");
  const close = async (): Promise<void> => {
    for (const name of namespaceNames()) await ip("netns", "del", name).catch(() => {});
    await ip("link", "del", bridge).catch(() => {});
    fs.rmSync(path, { force: true });
  };
  try {
    fs.rmSync(path, { force: true });
    await startRelay({ path }, { host: address, port });
    await ip("link", "add", bridge, "type", "bridge");
    await ip("addr", "add", `${subnet}.1/24`, "dev", bridge);
    await ip("link", "set", bridge, "up");
    for (const [index, name] of namespaceNames().entries()) await join(name, index, bridge);
  } catch (cause) {
    await close();
    throw new Error(
      "cannot make network namespaces: they need root and iproute2; leave --namespaces out for loopback addresses",
      { cause },
    );
  }
  const entries = hostNames.map((host, index) => [
    host,
    {
      address: addressAt(index),
      command: ["ip", "netns", "exec", namespaceNames()[index]!],
      collector: { address: "127.0.0.1", port },
      relay: { port, path },
    },
  ]);
  return { placements: Object.fromEntries(entries) as Placements, customersFrom: `${subnet}.1`, close };
}

function namespaceNames(pid = process.pid): string[] {
  return hostNames.map((host) => `${prefix}-${pid}-${host}`);
}

function addressAt(index: number): string {
  return `${subnet}.${11 + index}`;
}

/** A pair of virtual cards: one end in the bridge, the other is the namespace's eth0. */
async function join(namespace: string, index: number, bridge: string): Promise<void> {
  const outer = `cwd${process.pid}n${index}`;
  const inside = (...args: string[]) => ip("-n", namespace, ...args);
  await ip("netns", "add", namespace);
  await ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", namespace);
  await ip("link", "set", outer, "master", bridge, "up");
  await inside("addr", "add", `${addressAt(index)}/24`, "dev", "eth0");
  await inside("link", "set", "lo", "up");
  await inside("link", "set", "eth0", "up");
}

/** Of runs whose process is gone. */
async function removeLeftovers(): Promise<void> {
  const { stdout } = await ip("netns", "list");
  const pids = new Set(
    [...stdout.matchAll(new RegExp(`^${prefix}-(\\d+)-`, "gm"))].map(([, pid]) => Number(pid)),
  );
  for (const pid of pids) {
    if (fs.existsSync(`/proc/${pid}`)) continue;
    for (const name of namespaceNames(pid)) await ip("netns", "del", name).catch(() => {});
    await ip("link", "del", `${prefix}${pid}`).catch(() => {});
  }
}

function ip(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run("ip", args);
}
