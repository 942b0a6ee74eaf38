/**
 * The collector's settings: one schema for the file, the environment and the command line, which win in this order.
 */
import { bytesField, type ConfigOf, durationField, listField, textField } from "#shared/config-file.ts";
import { limits } from "#shared/limits.ts";
import { isLoopbackListen } from "#shared/loopback.ts";
import { detectSchema } from "./policy/policy.ts";
import { topologySchema } from "./policy/topology-settings.ts";

export const collectorSchema = {
  /** Journal, store and snapshots; one collector a directory. */
  data: textField("/var/lib/causeway-collector"),
  /** Agents, API, console and metrics, on one port. */
  listen: textField("127.0.0.1:7420", {
    want: 'a loopback address like "127.0.0.1:7420" (there is no TLS and no sign-in yet)',
    matches: isLoopbackListen,
  }),
  /** Names beside the loopback ones under which this listener is reached, and origins that may use it. */
  hosts: listField(textField(null), { max: 32 }),
  origins: listField(textField(null), { max: 32 }),
  /** The built console. */
  console: textField("dist/console"),
  journal: {
    maxSize: bytesField(limits.journalBytesMax, { min: "64MiB", max: "64TiB" }),
    maxAge: durationField(limits.journalAgeMsMax, { min: "1h", max: "3650d" }),
  },
  otlp: {
    /** A second port for OTLP over HTTP, where exporters look for it: "127.0.0.1:4318". Without it they come to `listen`. */
    listen: textField(null, {
      want: 'a loopback address like "127.0.0.1:4318" (there is no TLS and no sign-in yet)',
      matches: isLoopbackListen,
    }),
    /** Attributes of spans that hold a return code, beside `return_code` and the like; zeros are success. */
    returnCodes: listField(textField(null), { max: 32 }),
    /** Return codes that are failures of a system and no refusals, such as "SYS*". */
    systemFailures: listField(textField(null), { max: 256 }),
  },
  detect: detectSchema,
  topology: topologySchema,
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
  ["otlp-listen", "CAUSEWAY_OTLP_LISTEN", "otlp.listen"],
  ["otlp-endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", "tracing.endpoint"],
  ["log", "CAUSEWAY_LOG", "log"],
] as const;

function isHttp(text: string): boolean {
  return URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
}
