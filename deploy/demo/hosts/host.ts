/**
 * The first process of a simulated host: `node host.ts PLAN`. Everything of the host is below it, which is what the host's agent
 * is told to look at; what ends by itself it starts again; what faults want done here it does, and undoes.
 *
 * It ends when its standard input does, and everything below it with it: a bank whose command was killed leaves nothing behind.
 * To whoever started it, it tells lines of JSON (`HostEvent`) on its standard output.
 */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { every, sleep, systemClock } from "#shared/clock.ts";
import { errorText } from "#shared/errors.ts";
import { type WorkerKind, effectProblems } from "../effects.ts";
import { isHostName, isServiceName } from "../layout.ts";
import { serveControl } from "./control.ts";
import { Holds } from "./holds.ts";
import { startRelay } from "./relay.ts";
import { otlpOf, usageBelow, UsageMeter } from "./usage.ts";

export interface Program {
  readonly name: string;
  /** Of Node.js; "{pid}" stands for this host's first process. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A service of the bank: it says that it listens, and takes knobs. */
  readonly service: boolean;
}

export interface HostPlan {
  readonly host: string;
  readonly logs: string;
  /** Scratch of workers. */
  readonly data: string;
  /** Null: nothing can be done to this host. */
  readonly control: string | null;
  /** Inside of a network namespace: the collector's port here, and the file that leads to it. */
  readonly relay: { readonly port: number; readonly path: string } | null;
  /** Where and how often it tells what it uses; null: nowhere. */
  readonly usage: { readonly otlp: string; readonly intervalMs: number } | null;
  readonly programs: readonly Program[];
}

export type HostEvent =
  | { readonly event: "listening" | "ended"; readonly program: string; readonly how: string }
  | { readonly event: "line"; readonly program: string; readonly text: string };

const backMs = 2_000;
const stopWaitMs = 3_000;
const leaseCheckMs = 500;
const workerFile = fileURLToPath(new URL("worker.ts", import.meta.url));

const holds = new Holds();
const children = new Map<string, ChildProcess>();
const workers = new Map<string, ChildProcess>();
let stopping = false;

function tell(event: HostEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function main(): Promise<void> {
  const plan = JSON.parse(process.argv[2] ?? "") as HostPlan;
  process.title = `host-${plan.host}`;
  const stop = (): void => void stopAll().then(() => process.exit(0));
  process.stdin.resume().on("end", stop);
  // The terminal sends Ctrl-C to everybody; the end of the standard input is the word that counts.
  process.on("SIGINT", () => {});
  process.once("SIGTERM", stop);
  process.stdout.on("error", stop);
  if (plan.relay !== null)
    await startRelay({ host: "127.0.0.1", port: plan.relay.port }, { path: plan.relay.path });
  if (plan.control !== null) await listen(plan, plan.control);
  for (const program of plan.programs) start(plan, program);
  if (plan.usage !== null) tellUsage(plan.host, plan.usage);
}

function tellUsage(host: string, { otlp, intervalMs }: { otlp: string; intervalMs: number }): void {
  const meter = new UsageMeter();
  every(systemClock, intervalMs, () => {
    const report = meter.report(host, usageBelow(process.pid), systemClock.nowMs());
    const body = JSON.stringify(otlpOf(report));
    // A collector that is away misses this one: the next is as good.
    fetch(`${otlp}/v1/metrics`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(intervalMs),
    }).then(
      (answer) => answer.body?.cancel(),
      () => {},
    );
  });
}

async function listen(plan: HostPlan, path: string): Promise<void> {
  const { host } = plan;
  fs.rmSync(path, { force: true });
  await serveControl(path, ({ holder, effects, leaseMs }) => {
    const problems = isHostName(host) ? effectProblems(effects, host) : [`${host} has no services`];
    if (problems.length > 0) throw new Error(problems.join("; "));
    holds.put(holder, effects, leaseMs, systemClock.monotonicMs());
    follow(plan);
  });
  every(systemClock, leaseCheckMs, () => {
    if (holds.expire(systemClock.monotonicMs())) follow(plan);
  });
}

/** Makes true what is wanted now. */
function follow(plan: HostPlan): void {
  if (stopping) return;
  const wanted = holds.wanted();
  for (const { name, service } of plan.programs) {
    const child = children.get(name);
    if (!service || child === undefined || !isServiceName(name)) continue;
    if (wanted.down.has(name)) child.kill("SIGKILL");
    else if (child.connected) child.send(wanted.knobs.get(name) ?? {});
  }
  for (const program of plan.programs) {
    if (!children.has(program.name) && !isDown(program.name)) start(plan, program);
  }
  for (const [name, child] of workers) if (!wanted.workers.has(name)) child.kill("SIGTERM");
  for (const [name, kind] of wanted.workers) if (!workers.has(name)) work(plan, name, kind);
}

function isDown(name: string): boolean {
  return isServiceName(name) && holds.wanted().down.has(name);
}

function start(plan: HostPlan, program: Program): void {
  const { name, args, environment, service } = program;
  const log = fs.createWriteStream(join(plan.logs, `${name}@${plan.host}.log`), { flags: "a", mode: 0o600 });
  const child = spawn(
    process.execPath,
    args.map((arg) => arg.replace("{pid}", String(process.pid))),
    {
      env: { ...process.env, ...environment },
      stdio: service ? ["ignore", "ignore", "pipe", "ipc"] : ["ignore", "ignore", "pipe"],
    },
  );
  children.set(name, child);
  createInterface({ input: child.stderr! }).on("line", (text) => {
    log.write(`${text}\n`);
    tell({ event: "line", program: name, text });
  });
  child.on("message", () => {
    tell({ event: "listening", program: name, how: "" });
    follow(plan);
  });
  // A knob that was on its way when the process was killed.
  child.on("error", () => {});
  child.once("exit", (code, signal) => {
    children.delete(name);
    log.end();
    if (stopping) return;
    tell({ event: "ended", program: name, how: signal ?? `code ${code}` });
    systemClock.after(backMs, () => {
      if (!stopping && !children.has(name) && !isDown(name)) start(plan, program);
    });
  });
}

function work(plan: HostPlan, name: string, kind: WorkerKind): void {
  const scratch = join(plan.data, `${name}.scratch`);
  const child = spawn(process.execPath, [workerFile, kind, name, scratch], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  workers.set(name, child);
  child.once("exit", () => {
    workers.delete(name);
    fs.rmSync(scratch, { force: true });
    follow(plan);
  });
}

/** By their ids; what does not listen to a friendly word is ended. */
async function stopAll(): Promise<void> {
  if (stopping) return;
  stopping = true;
  const all = [...children.values(), ...workers.values()];
  const ended = all.map((child) =>
    child.exitCode === null && child.signalCode === null
      ? new Promise<void>((resolve) => child.once("exit", () => resolve()))
      : Promise.resolve(),
  );
  for (const child of all) child.kill("SIGTERM");
  await Promise.race([Promise.all(ended), sleep(systemClock, stopWaitMs)]);
  for (const child of all) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
}

main().catch((error: unknown) => {
  process.stderr.write(`cannot start the host: ${errorText(error)}\n`);
  process.exit(1);
});
