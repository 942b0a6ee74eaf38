/**
 * One JSON line per event: past tense, data in fields. `info` is what an operator wants to read a week later at 3 a.m.;
 * what happens per sample belongs on a counter.
 */
import type { Clock } from "./clock.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** The same log with `fields` on every line. */
  with(fields: LogFields): Log;
}

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** `write` gets one complete line with its newline. Events below `level` are not formatted. */
export function createLog(options: {
  clock: Clock;
  write: (line: string) => void;
  level?: LogLevel;
  fields?: LogFields;
}): Log {
  const { clock, write, level = "info", fields = {} } = options;
  const emit = (eventLevel: LogLevel) => (event: string, more?: LogFields) => {
    if (levels.indexOf(eventLevel) < levels.indexOf(level)) return;
    const time = new Date(clock.nowMs()).toISOString();
    write(`${JSON.stringify({ time, level: eventLevel, event, ...fields, ...more })}\n`);
  };
  return {
    debug: emit("debug"),
    info: emit("info"),
    warn: emit("warn"),
    error: emit("error"),
    with: (more) => createLog({ ...options, fields: { ...fields, ...more } }),
  };
}

/** For tests and tools that have nothing to say. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};
