/**
 * Knobs by which a fault makes a service really behave badly, and back. All are off unless turned.
 *
 * They reach a service as one whole object from its host's first process (`hosts/host.ts`), which forgets them when nobody renews them.
 */
import type { Channel, Product } from "./message.ts";
import type { ServiceName } from "../layout.ts";

export interface Knobs {
  /** Share of its one thread that is burnt, 0 to 0.95. */
  readonly burnShare?: number;
  /** Kept and never let go, up to `leakBytesMax`. */
  readonly leakBytesPerSecond?: number;
  /** Stops listening and cuts every connection. */
  readonly unreachable?: true;
  /** Each call to that service waits this long on the way. */
  readonly delayTo?: { readonly service: ServiceName; readonly ms: number };
  /** Share of the matching transactions that fail with this code; absent dimensions match all. */
  readonly failing?: {
    readonly share: number;
    readonly code: string;
    readonly channel?: Channel;
    readonly product?: Product;
  };
  /** Each request takes this much longer, by work and by waiting in equal parts: a slower version of the program. */
  readonly slowerMs?: number;
  /** Connections to the database that are taken and never given back. */
  readonly connectionsHeld?: number;
  /** Database: how much longer a commit takes to be durable. */
  readonly commitMs?: number;
  /** Database: the index of the entries' accounts is gone. */
  readonly indexDropped?: true;
  /** Database: a session takes the ledger's lock for so long, again and again. */
  readonly lockHeldMs?: number;
  /** Settlement: the batch does not come to an end. */
  readonly batchEndless?: true;
}

/** What a leak may take from the machine at most. */
export const leakBytesMax = 256 * 1024 * 1024;

const numbers: Readonly<Record<string, readonly [number, number]>> = {
  burnShare: [0, 0.95],
  leakBytesPerSecond: [0, 64 * 1024 * 1024],
  slowerMs: [0, 5_000],
  connectionsHeld: [0, 64],
  commitMs: [0, 5_000],
  lockHeldMs: [0, 5_000],
};
const switches = ["unreachable", "indexDropped", "batchEndless"];

/** What is wrong with knobs that somebody else's fault turns; empty when nothing is. */
export function knobProblems(knobs: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(knobs).flatMap(([name, value]) => {
    const range = numbers[name];
    if (range !== undefined) {
      const fits = typeof value === "number" && value >= range[0] && value <= range[1];
      return fits ? [] : [`${name}: want a number from ${range[0]} to ${range[1]}, got ${String(value)}`];
    }
    if (switches.includes(name))
      return value === true ? [] : [`${name}: want true or nothing, got ${String(value)}`];
    if (name === "delayTo") return partProblems(name, value, { service: "string", ms: "number" });
    if (name === "failing") return partProblems(name, value, { share: "number", code: "string" });
    return [`${name}: no such knob; deploy/demo/kit/knobs.ts has them all`];
  });
}

function partProblems(name: string, value: unknown, parts: Readonly<Record<string, string>>): string[] {
  const given = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  return Object.entries(parts)
    .filter(([part, type]) => typeof given[part] !== type)
    .map(([part, type]) => `${name}.${part}: want a ${type}, got ${String(given[part])}`);
}

/** Knobs as they stand now, and who wants to hear when they are turned. */
export class KnobBoard {
  now: Knobs = {};
  readonly #listeners: (() => void)[] = [];

  set(knobs: Knobs): void {
    this.now = knobs;
    for (const tell of this.#listeners) tell();
  }

  onChange(tell: () => void): void {
    this.#listeners.push(tell);
  }
}
