/**
 * Samples that a server takes in for a second of its CPU: the collector over the agents' wire beside VictoriaMetrics over
 * remote-write 1.0. The very same values, made beforehand; server on one core, generator on another.
 *
 * Each side does its whole work. The collector: frames checked and decoded, appended to the journal with synchronous=FULL before
 * the acknowledgement, every sample judged. VictoriaMetrics: stored and indexed, without fsync for each request. CPU is counted
 * from before the first sample until the server has been quiet for a second after the last; afterwards each server is asked
 * how many samples it has, and another number than was sent ends the benchmark.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { debianProgram } from "../setup/debian.ts";
import { frameMaker, sendFrames } from "./agents-wire.ts";
import { collectorFlags } from "../../deploy/collector-flags.ts";
import { createLoad, hostName } from "./load.ts";
import {
  type Child,
  cpuSecondsOf,
  freePort,
  loadAverage,
  memoryOf,
  pinSelf,
  startChild,
} from "./processes.ts";
import { labelBytes, writeRequest } from "./remote-write.ts";
import { type BenchOptions, type Figures, median, row, shown } from "./report.ts";

const collectorFile = fileURLToPath(new URL("../../collector/main.ts", import.meta.url));
const intervalMs = 10_000;
const serverCore = 0;
const generatorCore = 1;
/** Hosts whose samples of one tick share a remote-write request: 10,000 samples at 1,000 series. */
const hostsPerRequest = 10;
const requestsAtOnce = 4;
const sizes = {
  full: { hosts: 100, series: 1000, ticks: 360, rounds: 3, quietMs: 1000 },
  quick: { hosts: 100, series: 1000, ticks: 30, rounds: 1, quietMs: 1000 },
  tiny: { hosts: 3, series: 40, ticks: 3, rounds: 1, quietMs: 100 },
} as const;

interface Loads {
  /** A server that used next to nothing for so long is done. */
  readonly quietMs: number;
  readonly samples: number;
  /** By host, by tick. */
  readonly frames: readonly (readonly Uint8Array[])[];
  readonly requests: readonly Uint8Array[];
}

interface Round {
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

export async function benchIngest({ size, print, rivals }: BenchOptions): Promise<Figures> {
  const { rounds, hosts, series, ticks } = sizes[size];
  const program = rivals ? await debianProgram("victoria-metrics") : { missing: "not asked for" };
  if (typeof program !== "string") print(`no rival: ${program.missing}`);
  const pinned = pinSelf(generatorCore);
  try {
    const loads = generate(size, typeof program === "string");
    const sizesOf = [totalBytes(loads.frames.flat()), totalBytes(loads.requests)];
    print(
      row(
        "load",
        `${hosts} x ${series} series`,
        `${ticks} ticks, ${loads.samples} samples, pinned ${pinned}`,
      ),
    );
    const ours: Round[] = [];
    const theirs: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await inFolder((folder) => runCollector(folder, loads)));
      if (typeof program === "string") {
        theirs.push(await inFolder((folder) => runVictoriaMetrics(program, folder, loads)));
      }
    }
    return report(print, loads.samples, sizesOf, ours, theirs);
  } finally {
    pinSelf(-1);
  }
}

function generate(size: BenchOptions["size"], withRequests: boolean): Loads {
  const { hosts, series, ticks, quietMs } = sizes[size];
  const load = createLoad({ hosts, series, seed: 3 });
  const makers = load.series.map((list, host) => frameMaker(host, list, intervalMs));
  const labels = load.series.map((list, host) => list.map((one) => labelBytes(one, hostName(host))));
  const frames: Uint8Array[][] = makers.map(() => []);
  const requests: Uint8Array[] = [];
  const firstMs = (Math.floor(Date.now() / intervalMs) - ticks) * intervalMs;
  for (let tick = 0; tick < ticks; tick += 1) {
    const timeMs = firstMs + tick * intervalMs;
    const values = load.next();
    for (const [host, make] of makers.entries()) frames[host]!.push(make(timeMs, values[host]!));
    if (!withRequests) continue;
    for (let host = 0; host < hosts; host += hostsPerRequest) {
      const parts = labels.slice(host, host + hostsPerRequest);
      requests.push(
        writeRequest(
          parts.map((part, index) => ({ labels: part, values: values[host + index]! })),
          timeMs,
        ),
      );
    }
  }
  return { quietMs, samples: hosts * series * ticks, frames, requests };
}

function totalBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "causeway-bench-ingest-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runCollector(folder: string, { frames, samples, quietMs }: Loads): Promise<Round> {
  const port = await freePort();
  // A collector without a console does not start; nobody looks at this one.
  const page = join(folder, "console");
  mkdirSync(page);
  writeFileSync(join(page, "index.html"), "<!doctype html>\n");
  const data = join(folder, "data");
  const settings = ["--data", data, "--listen", `127.0.0.1:${port}`, "--console", page];
  const args = [...collectorFlags, collectorFile, ...settings];
  const child = startChild(process.execPath, args, { core: serverCore });
  try {
    await child.line(/collector started/);
    return await costOf(child, {
      send: () => sendFrames(port, frames),
      stored: () => metric(port, /^causeway_detect_samples_total (\S+)/gm),
      samples,
      quietMs,
    });
  } finally {
    await child.stop();
  }
}

async function runVictoriaMetrics(
  program: string,
  folder: string,
  { requests, samples, quietMs }: Loads,
): Promise<Round> {
  const port = await freePort();
  const args = [`-storageDataPath=${folder}`, `-httpListenAddr=127.0.0.1:${port}`, "-retentionPeriod=1"];
  const child = startChild(program, args, { core: serverCore });
  try {
    await child.line(/started server at|started VictoriaMetrics/);
    return await costOf(child, {
      send: () => post(port, requests),
      stored: () => metric(port, /^vm_rows_inserted_total\{type="promremotewrite"\} (\S+)/gm),
      samples,
      quietMs,
    });
  } finally {
    await child.stop();
  }
}

interface Work {
  readonly send: () => Promise<void>;
  readonly stored: () => Promise<number>;
  readonly samples: number;
  readonly quietMs: number;
}

async function costOf(child: Child, { send, stored, samples, quietMs }: Work): Promise<Round> {
  await quiet(child.pid, quietMs);
  const before = cpuSecondsOf(child.pid);
  await send();
  let found = 0;
  // Quiet and not done is a machine that had no time for the server: wait on.
  for (let time = 0; time < 20; time += 1) {
    await quiet(child.pid, quietMs);
    const cpuSeconds = cpuSecondsOf(child.pid) - before;
    found = await stored();
    if (found === samples) return { cpuSeconds, rssMb: memoryOf(child.pid).rssMb };
  }
  throw new Error(`the server has ${found} samples, ${samples} were sent: no figure`);
}

/** Waits until the process has used at most 20 ms of CPU within `quietMs`, at most 15 times as long. */
async function quiet(pid: number, quietMs: number): Promise<void> {
  for (let time = 0; time < 15; time += 1) {
    const before = cpuSecondsOf(pid);
    await sleep(quietMs);
    if (cpuSecondsOf(pid) - before <= 0.02) return;
  }
}

async function post(port: number, bodies: readonly Uint8Array[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: requestsAtOnce });
  const rest = bodies.values();
  const worker = async (): Promise<void> => {
    for (const body of rest) await postOne(port, agent, body);
  };
  try {
    await Promise.all(Array.from({ length: requestsAtOnce }, worker));
  } finally {
    agent.destroy();
  }
}

function postOne(port: number, agent: Agent, body: Uint8Array): Promise<void> {
  const headers = {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
    "content-length": body.length,
  };
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path: "/api/v1/write", method: "POST", headers, agent },
      (response) => {
        response.resume();
        response.on("end", () => {
          if (response.statusCode === 204) resolve();
          else reject(new Error(`remote-write was answered with ${response.statusCode}, want 204`));
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The sum of a metric of the server's own /metrics. */
function metric(port: number, pattern: RegExp): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${port}/metrics`, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => {
        resolve([...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0));
      });
    }).on("error", reject);
  });
}

function report(
  print: BenchOptions["print"],
  samples: number,
  [ourBytes, theirBytes]: readonly number[],
  ours: readonly Round[],
  theirs: readonly Round[],
): Figures {
  const perSecond = (rounds: readonly Round[]): number =>
    median(rounds.map(({ cpuSeconds }) => samples / cpuSeconds));
  const rssOf = (rounds: readonly Round[]): number => median(rounds.map(({ rssMb }) => rssMb));
  const line = (name: string, rounds: readonly Round[], bytes: number): void => {
    const seconds = rounds.map(({ cpuSeconds }) => cpuSeconds.toFixed(2)).join(", ");
    const notes = [
      `${shown(bytes / samples)} B a sample`,
      `CPU s ${seconds}`,
      `RSS ${shown(rssOf(rounds))} MiB`,
    ];
    print(row(name, `${shown(perSecond(rounds))} samples/CPU s`, notes.join("   ")));
  };
  line("causeway collector", ours, ourBytes!);
  const own = perSecond(ours);
  const figures = { "ingest.samples_per_cpu_second": own, "ingest.rss_mb": rssOf(ours) };
  if (theirs.length === 0) return figures;
  line("victoria-metrics", theirs, theirBytes!);
  const rival = perSecond(theirs);
  const range = ours.map(({ cpuSeconds }, round) => shown(theirs[round]!.cpuSeconds / cpuSeconds));
  const ends = `[${range.toSorted((a, b) => Number(a) - Number(b)).join(", ")}]`;
  print(row("ratio", `${shown(own / rival)} x`, `${ends}  load ${loadAverage()}  node ${process.version}`));
  return {
    ...figures,
    "ingest.victoriametrics_samples_per_cpu_second": rival,
    "ingest.victoriametrics_rss_mb": rssOf(theirs),
    "ingest.vs_victoriametrics": own / rival,
  };
}
