/**
 * `npm start`: collector and agent on this machine, on this machine's own metrics, until Ctrl-C.
 *
 * Builds the console and the agent's bundle, starts both programs as a bank would (two processes, the agent with its small
 * flags), prints the console's address, and shows what is worth seeing of their logs. Everything is kept in `.causeway/`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { sleep, systemClock } from "#shared/clock.ts";
import { errorText } from "#shared/errors.ts";
import { agentEnvironment, agentFlags } from "../agent-flags.ts";
import { collectorFlags } from "../collector-flags.ts";
import { buildAgent } from "../build-agent.ts";
import { buildConsole } from "../build-console.ts";
import { readRun, removeRun, writeRun } from "./run-file.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const collectorBackMs = 2_000;
/** Long enough for an operator to see what the death of an agent looks like. */
const agentBackMs = 60_000;
const readyWaitMs = 60_000;
const stopWaitMs = 10_000;

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: join(root, ".causeway") },
    listen: { type: "string", default: "127.0.0.1:7420" },
    interval: { type: "string", default: "10s" },
    "metrics-listen": { type: "string", default: "127.0.0.1:7421" },
  },
});

interface Program {
  readonly name: string;
  readonly args: readonly string[];
  readonly backMs: number;
  child: ChildProcess | null;
  /** Has it ever come up? What cannot start at all is not tried again. */
  started: boolean;
}

let stopping = false;
/** Writes down who runs, for drills; called whenever a program was started. */
let note = (): void => {};
const children = new Set<ChildProcess>();

async function main(): Promise<void> {
  const running = await readRun(options.data);
  if (running !== null) {
    fail(
      2,
      `Causeway is running already (process ${running.pid}): console at ${running.url}\nStop it first (Ctrl-C there, or kill ${running.pid}).`,
    );
  }
  fs.mkdirSync(options.data, { recursive: true, mode: 0o700 });
  say("building the console and the agent");
  const [, agentFile] = await Promise.all([buildConsole(), buildAgent()]);

  const collector: Program = {
    name: "collector",
    args: [
      ...collectorFlags,
      join(root, "collector/main.ts"),
      ...optionList({
        data: join(options.data, "collector"),
        listen: options.listen,
        console: join(root, "dist/console"),
      }),
    ],
    backMs: collectorBackMs,
    child: null,
    started: false,
  };
  const url = await new Promise<string>((resolve) => run(collector, { onStarted: resolve }));
  await ready(url);
  const agent: Program = {
    name: "agent",
    args: [
      ...agentFlags,
      agentFile,
      ...optionList({ data: join(options.data, "agent"), collector: url.replace("http:", "ws:") }),
      ...optionList({ interval: options.interval, "metrics-listen": options["metrics-listen"] }),
    ],
    backMs: agentBackMs,
    child: null,
    started: false,
  };
  const programs = [agent, collector];
  note = () => writeRun(options.data, { pid: process.pid, url, pids: pidsOf(programs) });
  run(agent, {});
  say(`console at ${url}`);
  say(`metrics for Prometheus at ${url}/metrics and http://${options["metrics-listen"]}/metrics`);
  say("baselines are ready after about three minutes; then try: npm run drill -- cpu");
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop(programs));
}

/** Starts a program and starts it again when it ends by itself; its log goes to a file, what matters to the terminal. */
function run(program: Program, { onStarted }: { onStarted?: (url: string) => void }): void {
  const logFile = join(options.data, `${program.name}.log`);
  const log = fs.createWriteStream(logFile, { flags: "a", mode: 0o600 });
  const environment = program.name === "agent" ? agentEnvironment : {};
  const child = spawn(process.execPath, program.args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  program.child = child;
  children.add(child);
  note();
  createInterface({ input: child.stderr }).on("line", (line) => {
    log.write(`${line}\n`);
    const shown = shownOf(line);
    program.started ||= shown?.started === true;
    if (shown?.console !== undefined) onStarted?.(shown.console);
    if (shown?.text !== undefined) say(`${program.name}: ${shown.text}`);
  });
  child.once("exit", (code, signal) => {
    children.delete(child);
    log.end();
    if (stopping) return;
    if (code === 2)
      void stop([program]).then(() => fail(2, `the ${program.name} cannot start; see ${logFile}`));
    say(
      `the ${program.name} ended (${signal ?? `code ${code}`}); starting it again in ${program.backMs / 1000} s`,
    );
    systemClock.after(program.backMs, () => (stopping ? undefined : run(program, {})), { keepAlive: true });
  });
}

/** What of a log line is for the terminal: warnings, errors and incidents. */
function shownOf(line: string): { text?: string; console?: string; started?: boolean } | undefined {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { text: line };
  }
  const { level, event, time: _time, console: address, ...fields } = entry;
  if (event === "collector started" && typeof address === "string")
    return { console: address, started: true };
  if (event === "agent started") return { started: true };
  const worth = level === "error" || level === "warn" || String(event).startsWith("incident");
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return worth ? { text: [String(event), ...facts].join(" ") } : undefined;
}

async function ready(url: string): Promise<void> {
  const untilMs = systemClock.monotonicMs() + readyWaitMs;
  while (systemClock.monotonicMs() < untilMs) {
    const answer = await fetch(`${url}/-/ready`).catch(() => null);
    if (answer?.ok === true) return;
    await sleep(systemClock, 100);
  }
  fail(
    1,
    `the collector did not become ready within ${readyWaitMs / 1000} s; see ${options.data}/collector.log`,
  );
}

async function stop(programs: readonly Program[]): Promise<void> {
  if (stopping) return;
  stopping = true;
  say("stopping");
  for (const { child } of programs) {
    if (child === null || child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await Promise.race([ended, sleep(systemClock, stopWaitMs)]);
  }
  removeRun(options.data);
  process.exit(0);
}

function optionList(given: Readonly<Record<string, string>>): string[] {
  return Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
}

function pidsOf(programs: readonly Program[]): Record<string, number> {
  return Object.fromEntries(programs.map(({ name, child }) => [name, child?.pid ?? 0]));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(code: number, text: string): never {
  for (const child of children) child.kill("SIGTERM");
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

main().catch((error: unknown) => fail(1, `cannot start: ${errorText(error)}`));
