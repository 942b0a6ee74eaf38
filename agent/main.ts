/** The agent's process: command line, environment, signals, exit codes. What the agent is stands in `agent.ts`. */
import { mkdirSync, readFileSync } from "node:fs";
import os from "node:os";
import { parseArgs } from "node:util";
import { every, systemClock } from "#shared/clock.ts";
import { ConfigReader, readConfigFile } from "#shared/config-file.ts";
import { ConfigError, errorText, StorageError } from "#shared/errors.ts";
import { createLog, type LogLevel } from "#shared/log.ts";
import { canonicalLabels, type Labels } from "#shared/series.ts";
import { version } from "#shared/version.ts";
import { createAgent, type Agent } from "./agent.ts";
import { createCollectStats } from "./collect/collect-stats.ts";
import { createCollect } from "./collect/collect.ts";
import { addressText, emptyAddress, parseAddress } from "./collect/ip-address.ts";
import type { Probe } from "./collect/probe.ts";
import { createProbes, type ProbesConfig } from "./collect/probes.ts";
import { Recorder } from "./collect/recorder.ts";
import { processCpuSeconds } from "./collect/self.ts";
import { addressesMax, agentOptions, agentSchema, checkTogether, type AgentConfig } from "./config.ts";
import { LastTick, serveExposition } from "./exposition.ts";

const help = `causeway-agent ${version}: measures this host and sends what it measured to a collector

  --config FILE            settings as JSON with comments; what follows wins over it
  --collector URL          where samples go: wss://name:port, or ws:// on this host
  --data DIR               identity and spool (/var/lib/causeway-agent)
  --interval 10s           distance of ticks, 1s to 1m
  --host NAME              how this host is called; the system's name unless given
  --address ADDR           an address of this host, any number of times; those of its interfaces unless given
  --zone NAME              where this host stands
  --processes-of PID       only this process and what it starts, any number of times; nothing of the machine
  --edge-timings false     do not run ss for round-trip times of connections
  --metrics-listen ADDR    serve the last tick in Prometheus' format, e.g. 127.0.0.1:7421
  --max-rss 120MiB         over this, probes are given up, the dearest first
  --max-cpu 10%            the same, share of one core over a minute
  --per-core               CPU use of each core as well
  --proc-root DIR, --sys-root DIR, --fs-root DIR   where the host's trees are seen from a container
  --log LEVEL              debug, info, warn or error
  --once                   print one tick as text and exit
  --check                  check the settings and exit
  --version, --help

Each setting can also be given in the environment: CAUSEWAY_COLLECTOR, CAUSEWAY_DATA and so on.
Exit codes: 0 stopped, 1 the data directory cannot be used, 2 the settings cannot be used.
`;

/** Costs 12 ms. Left alone, V8 lets 2 MiB of garbage lie in six minutes, because so little happens here. Needs --expose-gc. */
const collectGarbageMs = 60_000;

const text = { type: "string" } as const;
const texts = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;
/** How a setting is given, where not by one text. */
const kinds: Readonly<Record<string, typeof texts | typeof flag>> = {
  addresses: texts,
  processesOf: texts,
  perCore: flag,
};

async function main(): Promise<void> {
  const options = Object.fromEntries([
    ...agentOptions.map(([option, , key]) => [option, kinds[key] ?? text] as const),
    ...(["config"] as const).map((name) => [name, text] as const),
    ...(["once", "check", "version", "help"] as const).map((name) => [name, flag] as const),
  ]);
  const given = new Map(Object.entries(parseArguments(options)));
  if (given.has("help")) return print(help);
  if (given.has("version")) return print(`${version}\n`);
  const config = await readSettings(given);
  if (given.has("check")) return print("the settings are good\n");
  if (given.has("once")) return once(config);
  await run(config);
}

function parseArguments(options: Record<string, { type: "string" | "boolean"; multiple?: boolean }>) {
  try {
    return parseArgs({ options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new ConfigError([`${errorText(error)}; see --help`]);
  }
}

async function readSettings(given: ReadonlyMap<string, unknown>): Promise<AgentConfig> {
  const reader = new ConfigReader(agentSchema);
  const file = given.get("config") ?? process.env["CAUSEWAY_CONFIG"];
  if (typeof file === "string") await readConfigFile(reader, file);
  for (const [, variable, key] of agentOptions) {
    const value = process.env[variable];
    if (value !== undefined && value !== "") reader.set(key, value, variable);
  }
  for (const [option, , key] of agentOptions) {
    if (given.has(option)) reader.set(key, given.get(option), `--${option}`);
  }
  const config = reader.finish();
  checkTogether(config, reader);
  return reader.finish();
}

function print(output: string): void {
  process.stdout.write(output);
}

async function run(config: AgentConfig): Promise<void> {
  const level = config.log as LogLevel;
  const log = createLog({ clock: systemClock, write: (line) => process.stderr.write(line), level });
  const host = config.host ?? os.hostname();
  const lastTick = config.metricsListen === null ? null : new LastTick();
  mkdirSync(config.data, { recursive: true, mode: 0o700 });
  if (config.collector === null) log.warn("no collector is set; samples stay in the spool");
  else warnIfPlain(config.collector, (fields) => log.warn("samples travel unencrypted; use wss://", fields));
  const connect = config.collector === null ? null : await connector(config.collector);
  const agent = createAgent({
    clock: systemClock,
    log,
    dataDir: config.data,
    intervalMs: config.interval,
    host,
    version,
    resource: resourceOf(host, config),
    budget: { maxRssBytes: config.maxRss, maxCpuShare: config.maxCpu },
    spoolLimits: { spoolBytesMax: config.spool.maxSize, spoolAgeMsMax: config.spool.maxAge },
    connect,
    probes: ({ collect: stats, agent: own }) => {
      const clock = systemClock;
      const probes = createProbes({
        clock,
        config: probesConfig(config),
        stats,
        agent: own,
        cpuSeconds: processCpuSeconds,
      });
      return { probes: probes.all, cost: () => probes.self.cost() };
    },
    random: Math.random,
    // Once in the life of a data directory; node:crypto would stay loaded for it, at 1 MiB.
    newUuid: () => readFileSync("/proc/sys/kernel/random/uuid", "utf8").trim(),
    onTick: (_, recorder) => lastTick?.take(recorder),
  });
  if (lastTick !== null && config.metricsListen !== null)
    await serveExposition(config.metricsListen, lastTick);
  agent.start();
  const { gc } = globalThis;
  if (gc !== undefined) every(systemClock, collectGarbageMs, () => gc());
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop(agent));
}

function stop(agent: Agent): void {
  agent.stop().then(
    () => process.exit(0),
    (error: unknown) => fail(error),
  );
}

/** Loaded only when there is somebody to talk to. */
async function connector(url: string) {
  const { connectSocket } = await import("./send/socket.ts");
  return (events: Parameters<typeof connectSocket>[1]) => connectSocket(url, events);
}

function warnIfPlain(collector: string, warn: (fields: { collector: string }) => void): void {
  const { protocol, hostname } = new URL(collector);
  const local = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  if (protocol === "ws:" && !local) warn({ collector });
}

function probesConfig(config: AgentConfig): ProbesConfig {
  const { interval: intervalMs, perCore, roots, addresses, processesOf, edgeTimings } = config;
  const { proc: procRoot, sys: sysRoot, fs: fsRoot } = roots;
  return { intervalMs, perCore, procRoot, sysRoot, fsRoot, addresses, processesOf, edgeTimings };
}

/** What the collector shows of this host, by OpenTelemetry's resource conventions. */
function resourceOf(host: string, { addresses, zone }: AgentConfig): Labels {
  return canonicalLabels([
    ["host.name", host],
    ["host.ip", (addresses.length > 0 ? addresses.map(spelled) : ownAddresses()).join(",")],
    ["cloud.availability_zone", zone ?? ""],
    ["host.arch", os.arch() === "x64" ? "amd64" : os.arch()],
    ["os.type", os.platform()],
    ["os.version", os.release()],
    ["os.description", osDescription()],
    ["service.name", "causeway-agent"],
    ["service.version", version],
  ]);
}

/** By these the collector finds out which host another one's connections lead to. None where a sandbox forbids netlink. */
function ownAddresses(): string[] {
  try {
    const all = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? []);
    return all
      .filter(({ internal }) => !internal)
      .map(({ address }) => address)
      .slice(0, addressesMax);
  } catch {
    return [];
  }
}

/** As the kernel's tables spell it. */
function spelled(text: string): string {
  const address = emptyAddress();
  return parseAddress(text, address) ? addressText(address) : text;
}

/** PRETTY_NAME of os-release(5); "" where there is none. */
function osDescription(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

/** Two ticks, because rates need two readings; the second is printed. */
function once(config: AgentConfig): void {
  const clock = systemClock;
  const log = createLog({ clock, write: (line) => process.stderr.write(line), level: "warn" });
  const recorder = new Recorder();
  const lastTick = new LastTick();
  const stats = createCollectStats();
  const intervalMs = 1_000;
  const nothing = { bytesSent: 0, framesSent: 0, spoolBytes: 0, spoolFrames: 0 };
  const { all: probes, self } = createProbes({
    clock,
    config: { ...probesConfig(config), intervalMs: 60_000 },
    stats,
    agent: () => nothing,
    cpuSeconds: processCpuSeconds,
  });
  let ticks = 0;
  const collect = createCollect({
    clock,
    config: {
      intervalMs,
      budget: { maxRssBytes: Number.MAX_SAFE_INTEGER, maxCpuShare: Number.MAX_SAFE_INTEGER },
    },
    recorder,
    probes: probes.map((probe) => oftener(probe)),
    stats,
    cost: () => self.cost(),
    log,
    onTick: () => {
      ticks += 1;
      lastTick.take(recorder);
      recorder.endTick();
      if (ticks < 2) return;
      collect.stop();
      print(lastTick.text());
    },
  });
  collect.start();
}

/** The same probe, asked at every tick. */
function oftener(probe: Probe): Probe {
  return {
    name: probe.name,
    shedRank: probe.shedRank,
    read: (tick, recorder) => probe.read(tick, recorder),
    close: () => probe.close(),
  };
}

function fail(error: unknown): void {
  if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
  else if (error instanceof StorageError) process.stderr.write(`causeway-agent: ${errorText(error)}\n`);
  else
    process.stderr.write(
      `causeway-agent: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  process.exit(error instanceof ConfigError ? 2 : 1);
}

main().catch(fail);
