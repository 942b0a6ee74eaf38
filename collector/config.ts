/**
 * The collector's settings: one schema for the file, the environment and the command line, which win in this order.
 */
import { bytesField, type ConfigOf, durationField, listField, textField } from "#shared/config-file.ts";
import { limits } from "#shared/limits.ts";

export const collectorSchema = {
  /** Journal, store and snapshots; one collector a directory. */
  data: textField("/var/lib/causeway-collector"),
  /** Agents, API, console and metrics, on one port. Loopback only: there is no TLS and no sign-in yet. */
  listen: textField("127.0.0.1:7420", { want: 'an address like "127.0.0.1:7420"', matches: isListen }),
  /** Names beside the loopback ones under which this listener is reached, and origins that may use it. */
  hosts: listField(textField(null), { max: 32 }),
  origins: listField(textField(null), { max: 32 }),
  /** The built console. */
  console: textField("dist/console"),
  journal: {
    maxSize: bytesField(limits.journalBytesMax, { min: "64MiB", max: "64TiB" }),
    maxAge: durationField(limits.journalAgeMsMax, { min: "1h", max: "3650d" }),
  },
  tracing: {
    /** OTLP over HTTP, such as "http://127.0.0.1:4318". Nothing is traced while it is not set. */
    endpoint: textField(null, { want: 'an address like "http://127.0.0.1:4318"', matches: isHttp }),
  },
  log: textField("info", { allowed: ["debug", "info", "warn", "error"] }),
} as const;

export type CollectorConfig = ConfigOf<typeof collectorSchema>;

/** Settings that the environment and the command line can give: option, variable, key. */
export const collectorOptions = [
  ["data", "CAUSEWAY_DATA", "data"],
  ["listen", "CAUSEWAY_LISTEN", "listen"],
  ["console", "CAUSEWAY_CONSOLE", "console"],
  ["journal-max-size", "CAUSEWAY_JOURNAL_MAX_SIZE", "journal.maxSize"],
  ["journal-max-age", "CAUSEWAY_JOURNAL_MAX_AGE", "journal.maxAge"],
  ["otlp-endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", "tracing.endpoint"],
  ["log", "CAUSEWAY_LOG", "log"],
] as const;

/** "127.0.0.1:7420" -> its parts; an IPv6 address stands in brackets. */
export function listenParts(listen: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(listen) ?? [];
  return { host: bracketed ?? plain ?? "", port: Number(port) };
}

function isListen(text: string): boolean {
  const { host, port } = listenParts(text);
  return host !== "" && Number.isInteger(port) && port <= 65_535;
}

function isHttp(text: string): boolean {
  return URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
}
