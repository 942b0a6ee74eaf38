/**
 * What hosts share beside their connections: a zone, a network, or a change to all of them. Two that share one and show the same at the
 * same moment are likely one trouble, although nobody has seen them talk.
 *
 * A network is 256 neighbouring IPv4 addresses, the first that the host names: closer than a data centre and wider than a rack.
 */
import { type Change, targetText } from "#shared/contract/change.ts";
import type { ChangeHistory } from "#shared/suspicion.ts";
import type { Neighbourhood } from "./neighbourhood.ts";
import { touches } from "./related-changes.ts";

/** A change may show this long after it was made. */
const changeMs = 3_600_000;
/** Changes that one onset is compared with, newest first. */
const changesMax = 50;

export class Places {
  readonly #networks: Map<string, string>;
  readonly #graph: Neighbourhood;
  readonly #history: ChangeHistory;

  constructor(
    graph: Neighbourhood,
    history: ChangeHistory,
    networks: readonly (readonly [string, string])[] = [],
  ) {
    this.#graph = graph;
    this.#history = history;
    this.#networks = new Map(networks);
  }

  locate(host: string, addresses: readonly string[]): void {
    const address = addresses.find((one) => /^\d+\.\d+\.\d+\.\d+$/.test(one) && !one.startsWith("127."));
    if (address !== undefined) this.#networks.set(host, address.replace(/\d+$/, "0"));
  }

  forget(host: string): void {
    this.#networks.delete(host);
  }

  of(host: string, onsetMs: number): string[] {
    const network = this.#networks.get(host);
    const changes = this.#history.between(onsetMs - changeMs, onsetMs).slice(-changesMax);
    const on = changes.filter((change) => touches(change, host, this.#history));
    const zone = this.#graph.zoneOf?.(host) ?? null;
    return [
      ...(zone === null ? [] : [`zone ${zone}`]),
      ...(network === undefined ? [] : [`network ${network}`]),
      ...on.map(placeOf),
    ];
  }

  state(): (readonly [string, string])[] {
    return [...this.#networks];
  }
}

/** What a zone or a network is called; null: it is a change, which is no place. */
export function nameOfPlace(place: string): string | null {
  return /^(?:zone|network) (.+)$/.exec(place)?.[1] ?? null;
}

function placeOf(change: Change): string {
  return `change ${change.id} ${targetText(change.target)}`;
}
