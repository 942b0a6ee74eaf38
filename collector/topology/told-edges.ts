/**
 * Edges that nobody saw as sockets: those that the settings declare, and calls that spans tell of.
 *
 * A declared edge is always there: a queue's reader, what goes through a mainframe's gateway. A call is kept like a socket's edge
 * (`ageing.ts`): each adds one to a weight that halves in an hour. Both name services, perhaps with their host (`pay-01/ledger`); a call
 * may name a service alone. At most `limits.topologyCallsMax` pairs; a new one takes the place of the smallest. Pure.
 */
import { limits } from "#shared/limits.ts";
import { decay, halfLifeMs } from "./ageing.ts";

/** "" where it is not named. */
export interface Named {
  readonly host: string;
  readonly service: string;
}

export interface ToldEdge {
  readonly caller: Named;
  readonly callee: Named;
  /** Null for what is declared. */
  readonly lastSeenMs: number | null;
  readonly callsPerHour: number;
}

export interface ToldState {
  readonly declared: readonly (readonly [caller: string, callee: string])[];
  readonly calls: readonly (readonly [caller: string, callee: string, weight: number, atMs: number])[];
}

interface Calls {
  readonly caller: string;
  readonly callee: string;
  weight: number;
  atMs: number;
}

export class ToldEdges {
  /** Grows when an edge comes or goes. */
  version = 0;
  readonly #declared = new Map<string, readonly [caller: string, callee: string]>();
  readonly #calls = new Map<string, Calls>();

  constructor(state?: ToldState) {
    for (const [caller, callee] of state?.declared ?? []) this.declare(caller, callee);
    for (const [caller, callee, weight, atMs] of state?.calls ?? [])
      this.#calls.set(keyOf(caller, callee), { caller, callee, weight, atMs });
  }

  /** `caller`, `callee`: a host, or a host and its service: "db-01", "db-01/postgres". */
  declare(caller: string, callee: string): void {
    this.version += 1;
    this.#declared.set(keyOf(caller, callee), [caller, callee]);
  }

  /** `caller`, `callee`: a service, or a host and its service. */
  observeCall(caller: string, callee: string, timeMs: number, calls = 1): void {
    const key = keyOf(caller, callee);
    const known = this.#calls.get(key);
    if (known === undefined) {
      if (this.#calls.size >= limits.topologyCallsMax) this.#dropSmallest(timeMs);
      this.version += 1;
      this.#calls.set(key, { caller, callee, weight: calls, atMs: timeMs });
      return;
    }
    // Spans arrive in any order.
    const newestMs = Math.max(timeMs, known.atMs);
    known.weight = known.weight * decay(newestMs - known.atMs) + calls * decay(newestMs - timeMs);
    known.atMs = newestMs;
  }

  /** Sorted by caller and callee. */
  edges(nowMs: number, keptMs: number): ToldEdge[] {
    const declared = [...this.#declared.values()].map(([caller, callee]) => {
      const [from, to] = [hostFirst(caller), hostFirst(callee)];
      return { caller: from, callee: to, lastSeenMs: null, callsPerHour: 0 };
    });
    const calls = [...this.#calls.values()]
      .filter(({ atMs }) => nowMs - atMs <= keptMs)
      .map(({ caller, callee, weight, atMs }) => ({
        caller: serviceFirst(caller),
        callee: serviceFirst(callee),
        lastSeenMs: atMs,
        // A steady stream of n an hour weighs n / ln 2.
        callsPerHour: ((weight * decay(nowMs - atMs) * Math.LN2) / halfLifeMs) * 3_600_000,
      }));
    const text = ({ caller, callee }: ToldEdge) =>
      [caller.host, caller.service, callee.host, callee.service].join("\n");
    return [...declared, ...calls].sort((a, b) => (text(a) < text(b) ? -1 : 1));
  }

  snapshot(): ToldState {
    return {
      declared: [...this.#declared.values()],
      calls: [...this.#calls.values()].map(({ caller, callee, weight, atMs }) => [
        caller,
        callee,
        weight,
        atMs,
      ]),
    };
  }

  #dropSmallest(nowMs: number): void {
    let smallest: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { weight, atMs }] of this.#calls) {
      const left = weight * decay(nowMs - atMs);
      if (left >= least) continue;
      least = left;
      smallest = key;
    }
    if (smallest !== undefined) this.#calls.delete(smallest);
  }
}

function keyOf(caller: string, callee: string): string {
  return `${caller}\n${callee}`;
}

/** "db-01" is a host, "db-01/postgres" a service of it. */
function hostFirst(text: string): Named {
  const slash = text.indexOf("/");
  return slash < 0
    ? { host: text, service: "" }
    : { host: text.slice(0, slash), service: text.slice(slash + 1) };
}

/** "postgres" is a service, "db-01/postgres" one of a host. */
function serviceFirst(text: string): Named {
  return text.includes("/") ? hostFirst(text) : { host: "", service: text };
}
