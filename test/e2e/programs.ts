/**
 * Real processes for tests: started, watched by their log lines, killed or stopped by their process id, gone when the test ends.
 *
 * Nothing here sleeps for a guess: `until` asks again every 20 ms until a condition holds, and fails with what it waited for.
 * A site is one temporary folder with the programs that run on it; its end kills what still runs, waits, and deletes it.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { sleep, systemClock } from "#shared/clock.ts";

export const root = path.resolve(import.meta.dirname, "../..");
const askAgainMs = 20;
const waitMsMax = 15_000;

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Resolves with the first answer that is not undefined, null or false. Throws when there is none within `withinMs`. */
export async function until<T>(
  ask: () => T | Promise<T>,
  what: string,
  withinMs = waitMsMax,
): Promise<Exclude<T, undefined | null | false>> {
  const latestMs = systemClock.monotonicMs() + withinMs;
  while (true) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false)
      return answer as Exclude<T, undefined | null | false>;
    assert.ok(systemClock.monotonicMs() < latestMs, `waited ${withinMs} ms in vain for ${what}`);
    await sleep(systemClock, askAgainMs);
  }
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export class Program {
  /** Lines that are JSON, oldest first. */
  readonly lines: LogLine[] = [];
  /** Everything that it wrote. */
  output = "";
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #command: string;

  constructor(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#command = [command, ...args].join(" ");
    const env = { PATH: process.env["PATH"], HOME: os.tmpdir(), ...environment };
    this.#child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const { stdout, stderr } = this.#child;
    for (const stream of [stdout, stderr]) {
      assert.ok(stream !== null);
      createInterface({ input: stream }).on("line", (line) => this.#wrote(line));
    }
    // "close" comes after "exit" and after the last line.
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => resolve({ code, signal }));
    });
    this.ended.catch(() => {});
  }

  #wrote(line: string): void {
    this.output += `${line}\n`;
    try {
      const parsed = JSON.parse(line) as LogLine | null;
      if (typeof parsed?.event === "string") this.lines.push(parsed);
    } catch {
      // Not every line is for machines.
    }
    if (process.env["CAUSEWAY_VERBOSE"] !== undefined) process.stderr.write(`${this.pid}: ${line}\n`);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The first line of this event after the first `skip` ones; fails at once when the program has ended without it. */
  logged(event: string, skip = 0): Promise<LogLine> {
    return until(() => {
      const line = this.lines.filter((one) => one.event === event)[skip];
      assert.ok(
        line !== undefined || this.running,
        `${this.#command} ended before "${event}":\n${this.output}`,
      );
      return line;
    }, `"${event}" of ${this.#command}:\n${this.output}`);
  }

  /** kill -9; fails when it had ended by itself. */
  async kill(): Promise<void> {
    assert.ok(this.running, `${this.#command} ended by itself:\n${this.output}`);
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  /** SIGTERM, and the end that it must bring. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const { code, signal } = await this.ended;
    assert.equal(code, 0, `${this.#command} ended with ${signal ?? `code ${code}`}:\n${this.output}`);
  }

  /** Process ids of what it has started itself. */
  children(): number[] {
    const text = fs.readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  }

  /** For the end of a test: whatever the state. */
  async end(): Promise<void> {
    if (this.running) {
      const children = this.children();
      this.#child.kill("SIGKILL");
      for (const pid of children) process.kill(pid, "SIGKILL");
    }
    await this.ended.catch(() => {});
  }
}

export interface RunningCollector {
  readonly program: Program;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
}

export interface CollectorOptions {
  /** A folder of the site. */
  readonly data?: string;
  readonly port?: number;
  readonly console?: string;
  /** A settings file. */
  readonly config?: string;
  readonly fileBytesMax?: number;
}

export class Site {
  readonly dir: string;
  readonly #programs: Program[] = [];

  /** Ends with the test. */
  static open(t: TestContext): Site {
    const site = new Site();
    t.after(() => site.#close());
    return site;
  }

  private constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), "causeway-e2e-"));
    // A console of one page: most tests do not look at it, and it must be there.
    fs.mkdirSync(this.path("page"));
    fs.writeFileSync(this.path("page", "index.html"), "<!doctype html><title>test</title>");
  }

  path(...parts: string[]): string {
    return path.join(this.dir, ...parts);
  }

  start(command: string, args: readonly string[], environment?: Readonly<Record<string, string>>): Program {
    const program = new Program(command, args, environment);
    this.#programs.push(program);
    return program;
  }

  node(file: string, args: readonly string[]): Program {
    return this.start(process.execPath, [path.join(root, file), ...args]);
  }

  /** A node that may write no file beyond `sizeBytes` until `liftFileLimit`: writing more fails as on a full disk. */
  nodeWithFileLimit(sizeBytes: number, file: string, args: readonly string[]): Program {
    const node = [process.execPath, path.join(root, file), ...args];
    return this.start("prlimit", [`--fsize=${sizeBytes}:unlimited`, ...node]);
  }

  /** The product's collector, ready. */
  async collector(given: CollectorOptions = {}): Promise<RunningCollector> {
    const program = this.startCollector(given);
    const url = String((await program.logged("collector started"))["console"]);
    await program.logged("collector caught up with its journal");
    return { program, url, port: Number(new URL(url).port) };
  }

  startCollector(given: CollectorOptions = {}): Program {
    const file = "collector/main.ts";
    const args = flags({
      data: this.path(given.data ?? "collector"),
      listen: `127.0.0.1:${given.port ?? 0}`,
      console: given.console ?? this.path("page"),
      ...(given.config === undefined ? {} : { config: given.config }),
    });
    return given.fileBytesMax === undefined
      ? this.node(file, args)
      : this.nodeWithFileLimit(given.fileBytesMax, file, args);
  }

  async #close(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.end()));
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** `{ listen: "a" }` -> `["--listen", "a"]` */
export function flags(given: Readonly<Record<string, string>>): string[] {
  return Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
}

/** Space is back. */
export async function liftFileLimit(program: Program): Promise<void> {
  const lifted = new Program("prlimit", ["--pid", String(program.pid), "--fsize=unlimited"]);
  assert.equal((await lifted.ended).code, 0, lifted.output);
}

/** Answers of the API and of probes. */
export async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  assert.equal(answer.status, 200, `${url}: ${answer.status}`);
  return (await answer.json()) as T;
}

/** One sample of `/metrics` by its whole spelling, such as `causeway_journal_full`; undefined when it is not there. */
export async function metric(url: string, series: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
