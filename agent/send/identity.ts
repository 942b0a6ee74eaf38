/**
 * Who this agent is: a random id made once in the data directory, and an epoch that grows with every start.
 *
 * The pair (epoch, sequence) is what makes a repeated frame known as repeated, so the epoch must never come back, not even
 * after the clock was set back: it is the larger of the time and the last epoch plus one, and durable before it is used.
 */
import fs from "node:fs";
import path from "node:path";
import type { Clock } from "#shared/clock.ts";
import { StorageError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";

export interface Identity {
  /** UUID, lower case. */
  readonly agentId: string;
  readonly epoch: number;
}

export interface IdentityOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly newUuid: () => string;
  /** What the spool knows of an earlier run; it helps when the identity's own file is gone. */
  readonly spooled: { readonly agentId: string; readonly epoch: number } | null;
}

const fileName = "agent.json";
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Takes the next epoch. Throws `StorageError` when the data directory cannot be written. */
export function takeIdentity(options: IdentityOptions): Identity {
  const { dataDir, clock, log, newUuid, spooled } = options;
  const file = path.join(dataDir, fileName);
  const stored = readIdentity(file, log);
  const agentId = stored?.agentId ?? spooled?.agentId ?? newUuid();
  if (stored === null) log.info("agent id was made", { agent: agentId, fromSpool: spooled !== null });
  const before = Math.max(stored?.epoch ?? 0, spooled?.epoch ?? 0);
  const identity = { agentId, epoch: Math.max(before + 1, Math.floor(clock.nowMs())) };
  try {
    writeDurably(file, `${JSON.stringify(identity)}\n`);
  } catch (cause) {
    throw new StorageError(`cannot write ${file}`, { cause, retryable: true });
  }
  return identity;
}

function readIdentity(file: string, log: Log): Identity | null {
  if (!fs.existsSync(file)) return null;
  const text = fs.readFileSync(file, "utf8");
  const value = parse(text);
  if (value !== null) return value;
  const movedTo = `${file}.corrupt`;
  fs.renameSync(file, movedTo);
  log.error("agent identity was damaged and moved aside", { movedTo });
  return null;
}

function parse(text: string): Identity | null {
  try {
    const value = JSON.parse(text) as Partial<Identity> | null;
    const { agentId, epoch } = value ?? {};
    if (typeof agentId !== "string" || !uuidPattern.test(agentId)) return null;
    if (typeof epoch !== "number" || !Number.isSafeInteger(epoch) || epoch < 0) return null;
    return { agentId, epoch };
  } catch {
    return null;
  }
}

/** A rename is atomic, and durable once the folder is. */
function writeDurably(file: string, text: string): void {
  const fresh = `${file}.new`;
  const descriptor = fs.openSync(fresh, "w", 0o600);
  try {
    fs.writeSync(descriptor, text);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(fresh, file);
  const folder = fs.openSync(path.dirname(file), "r");
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}
