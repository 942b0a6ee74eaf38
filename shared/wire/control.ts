/**
 * The agent protocol's control messages: JSON text frames beside the binary ones. Hand-checked, because the agent carries no
 * validation library. A message with unknown fields is fine (a newer peer), one with missing fields is refused.
 */
import { WireError } from "../errors.ts";
import { limits } from "../limits.ts";

export interface Position {
  readonly epoch: number;
  readonly sequence: number;
}

/** Agent to collector, first. `wire` lists the frame versions that the agent can write. */
export interface Hello {
  readonly t: "hello";
  readonly v: 1;
  readonly wire: readonly number[];
  readonly agent: string;
  readonly host: string;
  readonly version: string;
  readonly nowMs: number;
}

/** Collector to agent: `durable` is the last frame of this agent that the journal holds, or null. */
export interface Welcome {
  readonly t: "welcome";
  readonly v: 1;
  readonly nowMs: number;
  readonly durable: Position | null;
  /** The agent's clock minus the collector's at hello. */
  readonly clockErrorMs: number;
}

/** Every frame up to this one is in the journal, durable. */
export interface Ack extends Position {
  readonly t: "ack";
}

/** The collector closes after this. `retryInMs` is when it makes sense to come back. */
export interface Refuse {
  readonly t: "refuse";
  readonly reason: string;
  readonly message: string;
  readonly retryInMs: number;
  /** The frame that was refused, if it was a frame. Not checked by `parseControl`. */
  readonly at?: Position | null;
}

/** The agent stops on purpose. */
export interface Bye {
  readonly t: "bye";
  readonly reason: string;
}

export type Control = Hello | Welcome | Ack | Refuse | Bye;

type FieldType = "count" | "text" | "number" | "counts" | "position?";
const fields: ReadonlyMap<string, readonly (readonly [string, FieldType])[]> = new Map([
  [
    "hello",
    [
      ["v", "count"],
      ["wire", "counts"],
      ["agent", "text"],
      ["host", "text"],
      ["version", "text"],
      ["nowMs", "count"],
    ],
  ],
  [
    "welcome",
    [
      ["v", "count"],
      ["nowMs", "count"],
      ["durable", "position?"],
      ["clockErrorMs", "number"],
    ],
  ],
  [
    "ack",
    [
      ["epoch", "count"],
      ["sequence", "count"],
    ],
  ],
  [
    "refuse",
    [
      ["reason", "text"],
      ["message", "text"],
      ["retryInMs", "count"],
    ],
  ],
  ["bye", [["reason", "text"]]],
]);

/** Throws `WireError` "oversized" or "malformed". */
export function parseControl(text: string): Control {
  if (text.length > limits.controlBytesMax) {
    throw new WireError(
      "oversized",
      `control message of ${text.length} characters, limit is ${limits.controlBytesMax}`,
    );
  }
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch (cause) {
    throw new WireError("malformed", "control message is not JSON", { cause });
  }
  const type = fieldOf(message, "t");
  const wanted = typeof type === "string" ? fields.get(type) : undefined;
  if (wanted === undefined)
    throw new WireError("malformed", `control message of unknown type ${JSON.stringify(type)?.slice(0, 40)}`);
  for (const [name, kind] of wanted) {
    if (!matches(fieldOf(message, name), kind))
      throw new WireError("malformed", `${String(type)}.${name}: want a ${kind}`);
  }
  return message as Control;
}

function fieldOf(message: unknown, name: string): unknown {
  if (typeof message !== "object" || message === null || !Object.hasOwn(message, name)) return undefined;
  return (message as Record<string, unknown>)[name];
}

function matches(value: unknown, kind: FieldType): boolean {
  switch (kind) {
    case "count":
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "text":
      return typeof value === "string" && value.length <= limits.labelValueBytesMax;
    case "counts":
      return Array.isArray(value) && value.length <= 16 && value.every((item) => matches(item, "count"));
    case "position?":
      return (
        value === null ||
        (matches(fieldOf(value, "epoch"), "count") && matches(fieldOf(value, "sequence"), "count"))
      );
  }
}
