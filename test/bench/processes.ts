/**
 * Child processes of a benchmark and what they cost: CPU of all threads from /proc/<pid>/stat (10 ms grain), memory from
 * /proc/<pid>/smaps_rollup. Anonymous memory is what a process adds to the machine; most of Node's resident memory is its
 * program text, which all Node processes share.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { cpus } from "node:os";

/** Jiffies of /proc/<pid>/stat: USER_HZ is 100 on every Linux that Node runs on. */
const secondsPerJiffy = 0.01;
const startMs = 20_000;
const stopMs = 10_000;

export interface Child {
  readonly pid: number;
  /** Lines of standard output so far. */
  readonly lines: readonly string[];
  /** Resolves with the first line of standard output or error that matches. Rejects when the process ends before. */
  line(pattern: RegExp): Promise<string>;
  /** SIGTERM, after ten seconds SIGKILL. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Pins the process to this core where taskset is there. */
  readonly core?: number;
}

export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const pinned = options.core !== undefined && canPin();
  const [file, rest] = pinned ? ["taskset", ["-c", String(options.core), command, ...args]] : [command, args];
  const child = spawn(file, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let ended: string | null = null;
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
      for (const look of waiting) look();
    });
  }
  const exited = new Promise<void>((resolve) => {
    const end = (why: string): void => {
      ended = why;
      for (const look of waiting) look();
      resolve();
    };
    child.on("error", (error) => end(error.message));
    child.on("exit", (code, signal) => end(`exit ${code ?? signal}`));
  });
  return {
    pid: child.pid ?? -1,
    lines,
    line: (pattern) => waitForLine(pattern, lines, waiting, () => ended, command),
    stop: () => stop(child, exited),
  };
}

function waitForLine(
  pattern: RegExp,
  lines: readonly string[],
  waiting: Set<() => void>,
  ended: () => string | null,
  command: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = (act: () => void): void => {
      clearTimeout(timer);
      waiting.delete(look);
      act();
    };
    const fail = (why: string): void =>
      done(() =>
        reject(new Error(`${command}: ${why} before ${pattern}; it said:\n${lines.slice(-8).join("\n")}`)),
      );
    const look = (): void => {
      const line = lines.find((candidate) => pattern.test(candidate));
      const why = ended();
      if (line !== undefined) done(() => resolve(line));
      else if (why !== null) fail(why);
    };
    const timer = setTimeout(() => fail(`${startMs} ms passed`), startMs);
    waiting.add(look);
    look();
  });
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
  await exited;
  clearTimeout(timer);
}

/** User and system CPU seconds of a process and all its threads since it started. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * secondsPerJiffy;
}

export interface Memory {
  readonly rssMb: number;
  readonly pssMb: number;
  readonly anonymousMb: number;
}

/** MiB. */
export function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const mebibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? Number.NaN) / 1024;
  return { rssMb: mebibytes("Rss"), pssMb: mebibytes("Pss"), anonymousMb: mebibytes("Anonymous") };
}

let pinning: boolean | undefined;

function canPin(): boolean {
  pinning ??= cpus().length > 1 && runs("taskset", ["-V"]);
  return pinning;
}

/** Keeps this process (the generator of a load) on one core, away from the server; -1 gives it all cores again. */
export function pinSelf(core: number): boolean {
  if (!canPin()) return false;
  const list = core >= 0 ? String(core) : `0-${cpus().length - 1}`;
  return runs("taskset", ["-a", "-c", "-p", list, String(process.pid)]);
}

function runs(file: string, args: readonly string[]): boolean {
  try {
    execFileSync(file, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A port of loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Runnable processes over the last minute: a ratio taken above one runnable process a core deserves a second look. */
export function loadAverage(): number {
  return Number(readFileSync("/proc/loadavg", "latin1").split(" ")[0]);
}
