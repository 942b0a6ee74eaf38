/**
 * What a fault button is: one file with one exported object. The twelve beside this file and those of `--faults DIR` are of the same form.
 *
 * A fault changes the bank through `Bank` only, which ends everything by itself when the fault's process is gone; so a fault needs no
 * clean-up but `stop`.
 */
import type { ChangeKind } from "#shared/contract/change.ts";
import type { EntityKind } from "#shared/entity.ts";
import type { Resource } from "#shared/semantics.ts";
import type { WorkerKind } from "../effects.ts";
import type { Knobs } from "../kit/knobs.ts";
import { hostNames, isHostName, isServiceName, layout, type HostName, type ServiceName } from "../layout.ts";

/** What was really done: what an incident has to name to be right. */
export interface TrueCause {
  /** What kind of thing is to blame; finer or coarser ones that are the same thing count as well. */
  readonly kind: EntityKind;
  /** A service of the bank, or the name of a process that the fault starts. */
  readonly name: string;
  readonly host: HostName;
  /** What of it the metrics should show; "none" when no resource is short. */
  readonly resource: Resource;
  /** Title of the change that began it, when one did. */
  readonly change?: string;
}

/** Somebody's deliberate act, as the collector takes it at `/api/v1/changes`. */
export interface ChangeNote {
  readonly kind: ChangeKind;
  readonly service: ServiceName;
  readonly title: string;
  readonly by: string;
}

export interface Bank {
  /** Turns knobs of a service, in place of those that this fault has turned there before. */
  turn(service: ServiceName, knobs: Knobs): Promise<void>;
  /** Runs a process on a host; `name` is what the kernel calls it, at most 15 characters. */
  run(host: HostName, worker: WorkerKind, name: string): Promise<void>;
  /** Kills a service and keeps it down. */
  down(service: ServiceName): Promise<void>;
  /** Tells the collector of a change. */
  note(change: ChangeNote): Promise<void>;
  /** Ends all of this fault's effects. */
  restore(): Promise<void>;
}

export interface Fault {
  readonly name: string;
  /** One sentence each: what it does. */
  readonly does: { readonly en: string; readonly zh: string };
  readonly cause: TrueCause;
  /** How long it lasts unless told otherwise. */
  readonly seconds: number;
  start(bank: Bank): Promise<void>;
  stop(bank: Bank): Promise<void>;
}

/** No fault lasts longer. */
export const faultSecondsMax = 900;

/** What is wrong with something that wants to be a fault; empty when nothing is. */
export function faultProblems(given: unknown): string[] {
  if (typeof given !== "object" || given === null)
    return ["want an object, like those in deploy/demo/faults"];
  const fault = given as Record<string, unknown>;
  const problems: string[] = [];
  const want = (fits: boolean, key: string, wanted: string, got: unknown): void => {
    if (!fits)
      problems.push(`${key}: want ${wanted}, got ${typeof got === "string" ? `"${got}"` : String(got)}`);
  };
  const { name, seconds } = fault;
  want(
    typeof name === "string" && /^[a-z][a-z0-9-]{1,30}$/.test(name),
    "name",
    'lower-case words joined by "-"',
    name,
  );
  const does = (fault["does"] ?? {}) as Record<string, unknown>;
  for (const language of ["en", "zh"]) {
    const text = does[language];
    want(typeof text === "string" && text !== "", `does.${language}`, "a sentence", text);
  }
  want(
    typeof seconds === "number" && seconds >= 1 && seconds <= faultSecondsMax,
    "seconds",
    `a number from 1 to ${faultSecondsMax}`,
    seconds,
  );
  for (const key of ["start", "stop"])
    want(typeof fault[key] === "function", key, "a function of the bank", fault[key]);
  return [...problems, ...causeProblems((fault["cause"] ?? {}) as Record<string, unknown>)];
}

const resources = ["cpu", "memory", "disk", "space", "network", "process", "agent", "none"];

function causeProblems({ kind, name, host, resource }: Record<string, unknown>): string[] {
  const problems: string[] = [];
  if (typeof kind !== "string" || kind === "")
    problems.push(`cause.kind: want an entity's kind, got ${String(kind)}`);
  if (typeof name !== "string" || name === "")
    problems.push(`cause.name: want a service or a process, got ${String(name)}`);
  if (typeof host !== "string" || !isHostName(host))
    problems.push(`cause.host: want one of ${hostNames.join(", ")}, got ${String(host)}`);
  else if (typeof name === "string" && isServiceName(name) && layout[name].host !== host)
    problems.push(`cause.host: ${name} is on ${layout[name].host}, not on ${host}`);
  if (typeof resource !== "string" || !resources.includes(resource))
    problems.push(`cause.resource: want one of ${resources.join(", ")}, got ${String(resource)}`);
  return problems;
}
