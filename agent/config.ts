/**
 * The agent's settings: one schema for the file, the environment and the command line, which win in this order. Each has a
 * default that suits a server; only the collector's address has none.
 */
import { isIP } from "node:net";
import {
  booleanField,
  bytesField,
  durationField,
  listField,
  numberField,
  shareField,
  textField,
  type ConfigOf,
  type ConfigReader,
} from "#shared/config-file.ts";
import { limits } from "#shared/limits.ts";
import { isLoopbackListen } from "#shared/loopback.ts";

/** A host with hundreds of container addresses tells the first; a label holds 1,024 bytes. */
export const addressesMax = 16;
/** The kernel's own (PID_MAX_LIMIT). */
const pidMax = 4_194_304;
const rootsMax = 64;

export const agentSchema = {
  /** Where samples go. Nothing is sent while it is not set. */
  collector: textField(null, {
    want: 'an address like "wss://collector.example:7420"',
    matches: isCollector,
  }),
  /** Identity and spool; one agent a directory. */
  data: textField("/var/lib/causeway-agent"),
  interval: durationField(10_000, { min: "1s", max: "1m" }),
  /** Null: the system's own name. */
  host: textField(null),
  /** The host's addresses, by which the collector knows where others' connections lead to. Empty: those of its interfaces. */
  addresses: listField(
    textField("", { want: 'an address like "10.0.0.5"', matches: (text) => isIP(text) !== 0 }),
    { max: addressesMax },
  ),
  /** Where the host stands: a data centre, a room, a cloud's zone. Null: not told; the collector's settings can say it too. */
  zone: textField(null, { want: "a name of at most 64 characters", matches: (text) => text.length <= 64 }),
  /**
   * Only these processes, what they start, and their connections, for several agents on one machine that stand for a host each.
   * Empty: all, and the machine.
   */
  processesOf: listField(numberField(1, { min: 1, max: pidMax, whole: true }), { max: rootsMax }),
  /** Round-trip times and retransmits of connections, by running `ss`. */
  edgeTimings: booleanField(true),
  /** Prometheus' text format for whoever wants to scrape; loopback only. */
  metricsListen: textField(null, {
    want: 'a loopback address like "127.0.0.1:7421"',
    matches: isLoopbackListen,
  }),
  maxRss: bytesField(120 * 2 ** 20, { min: "64MiB", max: "16GiB" }),
  maxCpu: shareField(0.1, { min: "0.1%", max: "1600%" }),
  perCore: booleanField(false),
  /** Where the host's own trees are seen, for an agent in a container. */
  roots: { proc: textField("/proc"), sys: textField("/sys"), fs: textField("/") },
  spool: {
    maxSize: bytesField(limits.spoolBytesMax, { min: "16MiB", max: "1TiB" }),
    maxAge: durationField(limits.spoolAgeMsMax, { min: "1h", max: "365d" }),
  },
  log: textField("info", { allowed: ["debug", "info", "warn", "error"] }),
} as const;

export type AgentConfig = ConfigOf<typeof agentSchema>;

/** Settings that the environment and the command line can give: option, variable, key. */
export const agentOptions = [
  ["collector", "CAUSEWAY_COLLECTOR", "collector"],
  ["data", "CAUSEWAY_DATA", "data"],
  ["interval", "CAUSEWAY_INTERVAL", "interval"],
  ["host", "CAUSEWAY_HOST", "host"],
  ["address", "CAUSEWAY_ADDRESS", "addresses"],
  ["zone", "CAUSEWAY_ZONE", "zone"],
  ["processes-of", "CAUSEWAY_PROCESSES_OF", "processesOf"],
  ["edge-timings", "CAUSEWAY_EDGE_TIMINGS", "edgeTimings"],
  ["metrics-listen", "CAUSEWAY_METRICS_LISTEN", "metricsListen"],
  ["max-rss", "CAUSEWAY_MAX_RSS", "maxRss"],
  ["max-cpu", "CAUSEWAY_MAX_CPU", "maxCpu"],
  ["per-core", "CAUSEWAY_PER_CORE", "perCore"],
  ["proc-root", "CAUSEWAY_PROC_ROOT", "roots.proc"],
  ["sys-root", "CAUSEWAY_SYS_ROOT", "roots.sys"],
  ["fs-root", "CAUSEWAY_FS_ROOT", "roots.fs"],
  ["log", "CAUSEWAY_LOG", "log"],
] as const;

/** Mistakes that no single setting shows. */
export function checkTogether(config: AgentConfig, reader: ConfigReader<typeof agentSchema>): void {
  if (60_000 % config.interval !== 0) {
    reader.problems.push(
      `interval: want a divisor of one minute, so that ticks fall on whole minutes, got ${config.interval} ms`,
    );
  }
}

function isCollector(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  const bare =
    username === "" &&
    password === "" &&
    search === "" &&
    hash === "" &&
    (pathname === "/" || pathname === "");
  return bare && (protocol === "ws:" || protocol === "wss:");
}
