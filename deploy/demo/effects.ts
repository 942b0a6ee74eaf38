/**
 * What a fault may do to a simulated host: turn a service's knobs, run a process beside them, keep a service down.
 *
 * Effects are data, so that they travel to the host's first process, and a state, not steps: the same list sent again changes nothing.
 */
import { type Knobs, knobProblems } from "./kit/knobs.ts";
import { type HostName, isServiceName, layout, type ServiceName } from "./layout.ts";

export const workers = ["burn", "write"] as const;
export type WorkerKind = (typeof workers)[number];

export type Effect =
  | { readonly kind: "knobs"; readonly service: ServiceName; readonly knobs: Knobs }
  /** `name` is what the kernel calls the process: at most 15 characters. */
  | { readonly kind: "worker"; readonly worker: WorkerKind; readonly name: string }
  | { readonly kind: "down"; readonly service: ServiceName };

/** What is wrong with effects for `host`, from wherever they came; empty when nothing is. */
export function effectProblems(effects: unknown, host: HostName): string[] {
  if (!Array.isArray(effects)) return ["effects: want a list"];
  return effects.flatMap((effect: unknown, at) =>
    problemsOf((effect ?? {}) as Record<string, unknown>, host).map((problem) => `effects[${at}].${problem}`),
  );
}

function problemsOf(effect: Record<string, unknown>, host: HostName): string[] {
  const { kind, service } = effect;
  if (kind === "worker") {
    const { worker, name } = effect;
    const known = (workers as readonly unknown[]).includes(worker);
    return [
      ...(known ? [] : [`worker: want one of ${workers.join(", ")}, got ${String(worker)}`]),
      ...(typeof name === "string" && /^[\w-]{1,15}$/.test(name)
        ? []
        : [`name: want 1 to 15 letters, digits, - or _, got ${String(name)}`]),
    ];
  }
  if (kind !== "knobs" && kind !== "down") return [`kind: want knobs, worker or down, got ${String(kind)}`];
  if (typeof service !== "string" || !isServiceName(service) || layout[service].host !== host)
    return [`service: want a service of ${host}, got ${String(service)}`];
  return kind === "down"
    ? []
    : knobProblems((effect["knobs"] ?? {}) as Record<string, unknown>).map((problem) => `knobs.${problem}`);
}
