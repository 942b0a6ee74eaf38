/** The collector's process: command line, environment, signals, exit codes, adapters. The product stands in `collector.ts`. */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "#shared/clock.ts";
import { ConfigReader, readConfigFile } from "#shared/config-file.ts";
import { ConfigError, errorText, StorageError } from "#shared/errors.ts";
import { limits } from "#shared/limits.ts";
import { createLog, type Log, type LogLevel } from "#shared/log.ts";
import { listenParts } from "#shared/loopback.ts";
import { version } from "#shared/version.ts";
import { type Collector, createCollector } from "./collector.ts";
import { type CollectorConfig, collectorOptions, collectorSchema } from "./config.ts";
import { openSqliteJournal } from "./journal/sqlite.ts";
import { detectPolicyOf, policyHash } from "./policy/policy.ts";
import { topologyPolicyOf } from "./policy/topology-settings.ts";
import { readConsole } from "./push/console-files.ts";
import { createMetrics, type Metrics } from "./self/metrics.ts";
import { noTracer, type Tracer } from "./self/tracer.ts";
import { openSqliteStore } from "./store/sqlite.ts";

const help = `causeway-collector ${version}: judges what agents measured and tells incidents with their cause

  --config FILE            settings as JSON with comments; what follows wins over it
  --data DIR               journal and store (/var/lib/causeway-collector)
  --listen ADDR            agents, API, console and metrics; loopback only (127.0.0.1:7420)
  --console DIR            the built console (dist/console)
  --journal-max-size 8GiB, --journal-max-age 30d   beyond it the oldest is removed
  --otlp-listen ADDR       a second port for OTLP from applications, such as 127.0.0.1:4318 (none)
  --otlp-endpoint URL      trace itself to an OpenTelemetry collector
  --log LEVEL              debug, info, warn or error
  --check                  check the settings and exit
  --version, --help

Each setting can also be given in the environment: CAUSEWAY_DATA, CAUSEWAY_LISTEN and so on.
Exit codes: 0 stopped, 1 the data directory cannot be used or has failed, 2 the settings cannot be used.
`;

async function main(): Promise<void> {
  const given = new Map(Object.entries(parseArguments()));
  if (given.has("help")) return print(help);
  if (given.has("version")) return print(`${version}\n`);
  const config = await readSettings(given);
  if (given.has("check")) return print("the settings are good\n");
  return run(config);
}

function parseArguments() {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = Object.fromEntries([
    ...collectorOptions.map(([option]) => [option, text] as const),
    ["config", text] as const,
    ...(["check", "version", "help"] as const).map((name) => [name, flag] as const),
  ]);
  try {
    return parseArgs({ options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new ConfigError([`${errorText(error)}; see --help`]);
  }
}

async function readSettings(given: ReadonlyMap<string, unknown>): Promise<CollectorConfig> {
  const reader = new ConfigReader(collectorSchema);
  const file = given.get("config") ?? process.env["CAUSEWAY_CONFIG"];
  if (typeof file === "string") await readConfigFile(reader, file);
  for (const [, variable, key] of collectorOptions) {
    const value = process.env[variable];
    if (value !== undefined && value !== "") reader.set(key, value, variable);
  }
  for (const [option, , key] of collectorOptions) {
    if (given.has(option)) reader.set(key, given.get(option), `--${option}`);
  }
  return reader.finish();
}

async function run(config: CollectorConfig): Promise<void> {
  const level = config.log as LogLevel;
  const log = createLog({ clock: systemClock, write: (line) => process.stderr.write(line), level });
  mkdirSync(config.data, { recursive: true, mode: 0o700 });
  const metrics = createMetrics({ version, processMetrics: true });
  const policy = detectPolicyOf(config.detect);
  const topology = topologyPolicyOf(config.topology);
  const hash = policyHash(policy, topology);
  const collector = createCollector({
    clock: systemClock,
    log,
    // The store first: its lock is the one that a second collector on this directory meets.
    store: openSqliteStore({ path: join(config.data, "store.db"), epoch: randomUUID(), limits, log }),
    journal: openJournal(config, log, metrics),
    metrics,
    tracer: await openTracer(config),
    console: readConsole(config.console, limits.consoleBytesMax),
    doors: { hosts: new Set(names(config.hosts)), origins: new Set(names(config.origins)) },
    version,
    returnCodes: { attributes: names(config.otlp.returnCodes), failures: names(config.otlp.systemFailures) },
    policy,
    topology,
    policyHash: hash,
    random: Math.random,
  });
  const { host, port } = listenParts(config.listen) ?? { host: config.listen, port: 0 };
  const address = await collector.start(host, port);
  const otlp = config.otlp.listen === null ? undefined : listenParts(config.otlp.listen);
  if (otlp !== undefined) await collector.listenOtlp(otlp.host, otlp.port);
  const shown = address.host.includes(":") ? `[${address.host}]` : address.host;
  const page = `http://${shown}:${address.port}`;
  log.info("collector started", { version, policy: hash, console: page, data: config.data });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop(collector));
  await collector.failed.catch((error: unknown) => {
    log.error("collector failed; start it again and it will replay its journal", { error: errorText(error) });
    process.exit(1);
  });
}

function openJournal(config: CollectorConfig, log: Log, metrics: Metrics) {
  return openSqliteJournal({
    path: join(config.data, "journal.db"),
    clock: systemClock,
    log,
    limits: { journalBytesMax: config.journal.maxSize, journalAgeMsMax: config.journal.maxAge },
    observe: ({ durationMs, error }) => {
      if (error === null) metrics.journalCommit.observe(durationMs / 1000);
    },
  });
}

/** The SDK costs 27 MB: it is loaded only when there is somebody to send spans to. */
async function openTracer({ tracing }: CollectorConfig): Promise<Tracer> {
  if (tracing.endpoint === null) return noTracer;
  const { startTracing } = await import("./self/tracing.ts");
  return startTracing({ endpoint: tracing.endpoint, version, clock: systemClock });
}

function names(list: readonly (string | null)[]): string[] {
  return list.filter((name) => name !== null);
}

function stop(collector: Collector): void {
  collector.stop().then(
    () => process.exit(0),
    (error: unknown) => fail(error),
  );
}

function print(output: string): void {
  process.stdout.write(output);
}

function fail(error: unknown): never {
  process.stderr.write(`causeway-collector: ${errorText(error)}\n`);
  process.exit(error instanceof ConfigError ? 2 : error instanceof StorageError ? 1 : 70);
}

main().catch(fail);
