/**
 * Typed errors for what the world or the operator did wrong. Our own mistakes are assertions whose message starts with
 * `BUG:`. A message says what was being done, what was expected, what was got and what to do.
 */

/** A frame or control message breaks `shared/wire/README.md`. `reason` is a metric label: a closed set of words. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly reason: WireErrorReason;
  constructor(reason: WireErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
export type WireErrorReason =
  | "truncated"
  | "corrupted"
  | "oversized"
  | "unknown_version"
  | "unknown_section"
  | "malformed"
  | "out_of_order"
  | "no_key_frame"
  | "too_many_series"
  | "clock";

/** The configuration cannot be used. Holds every mistake found, not the first one; the process exits with 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** A disk, a database or a file refused. `retryable` says whether trying again later can help (a full disk can be freed). */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly retryable: boolean;
  constructor(message: string, options: ErrorOptions & { retryable: boolean }) {
    super(message, options);
    this.retryable = options.retryable;
  }
}

/** Fails with `BUG: message` when we, not the world, are wrong. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`BUG: ${message}`);
}

/** The message of anything thrown, with its causes, for a log line. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${errorText(error.cause)}`;
}
