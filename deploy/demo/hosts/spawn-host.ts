/** Starts a simulated host's first process, hears what it tells, and ends it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { systemClock } from "#shared/clock.ts";
import type { HostEvent, HostPlan } from "./host.ts";

const hostFile = fileURLToPath(new URL("host.ts", import.meta.url));
/** Longer than the host itself waits for what is below it. */
const stopWaitMs = 6_000;

export interface HostProcess {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** `command` stands before the command, to run it in a network namespace. */
export function spawnHost(
  plan: HostPlan,
  command: readonly string[],
  onEvent: (event: HostEvent) => void,
): HostProcess {
  const line = [...command, process.execPath, hostFile, JSON.stringify(plan)];
  // Not of this process group: Ctrl-C comes to the command alone, which ends the rest in order.
  const child = spawn(line[0]!, line.slice(1), { stdio: ["pipe", "pipe", "inherit"], detached: true });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  createInterface({ input: child.stdout }).on("line", (line) => onEvent(JSON.parse(line) as HostEvent));
  child.stdin.on("error", () => {});
  return { name: plan.host, pid: child.pid ?? 0, ended, stop: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.stdin?.end();
  const timer = systemClock.after(stopWaitMs, () => child.kill("SIGKILL"), { keepAlive: true });
  await ended;
  timer.cancel();
}
