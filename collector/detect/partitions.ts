/**
 * The cuts that are going on: who belongs to which, and when one is over.
 *
 * A host that falls silent later joins the cut that explains it: it may have been cut off at the same moment (it reports less often), or
 * it came back for a moment only. A cut is over when three quarters of its hosts are back; the others then get a moment to follow,
 * and whoever is silent still has a trouble of its own.
 */
import { type Cut, mayHaveBeenCutAt, type Sighting } from "./partition.ts";

const backShare = 3 / 4;
/** For those that come back last: agents return within their backoff. */
const followMs = 60_000;

export interface Partition {
  readonly id: string;
  readonly onsetMs: number;
  readonly network: string | null;
  readonly all: boolean;
}

/** Plain JSON. */
export interface PartitionsState {
  readonly partitions: readonly (Partition & {
    readonly hosts: readonly string[];
    readonly mostBackMs: number | null;
  })[];
}

interface Entry {
  readonly partition: Partition;
  /** All that ever belonged to it. */
  readonly hosts: Set<string>;
  /** Since when most of them are back. */
  mostBackMs: number | null;
}

export class Partitions {
  #entries: Entry[];

  constructor(state?: PartitionsState) {
    this.#entries = (state?.partitions ?? []).map(({ hosts, mostBackMs, ...partition }) => ({
      partition,
      hosts: new Set(hosts),
      mostBackMs,
    }));
  }

  get none(): boolean {
    return this.#entries.length === 0;
  }

  begin({ hosts, onsetMs, network, all }: Cut): Partition {
    const partition = { id: `partition|${network ?? ""}|${onsetMs}|${hosts[0]!}`, onsetMs, network, all };
    this.#entries.push({ partition, hosts: new Set(hosts), mostBackMs: null });
    return partition;
  }

  /** The cut that explains the silence of this host too; it belongs to it from now on. */
  join(sighting: Sighting): Partition | undefined {
    const entry = this.#entries.find(
      ({ partition, hosts }) => hosts.has(sighting.host) || explains(partition, sighting),
    );
    entry?.hosts.add(sighting.host);
    return entry?.partition;
  }

  /** `silent`: hosts that are silent now, by their cut. Returns those whose cut is over since `forMs` of them and longer. */
  settle(
    silent: ReadonlyMap<string, readonly string[]>,
    nowMs: number,
    patienceMs: (host: string) => number,
  ): string[] {
    const leftBehind: string[] = [];
    this.#entries = this.#entries.filter((entry) => {
      const still = silent.get(entry.partition.id) ?? [];
      const mostAreBack = still.length <= (1 - backShare) * entry.hosts.size;
      entry.mostBackMs = mostAreBack ? (entry.mostBackMs ?? nowMs) : null;
      const sinceMs = nowMs - (entry.mostBackMs ?? nowMs);
      if (mostAreBack)
        leftBehind.push(...still.filter((host) => sinceMs >= Math.max(followMs, patienceMs(host))));
      return still.length > 0;
    });
    return leftBehind;
  }

  state(): PartitionsState {
    return {
      partitions: this.#entries.map(({ partition, hosts, mostBackMs }) => ({
        ...partition,
        hosts: [...hosts],
        mostBackMs,
      })),
    };
  }
}

function explains({ onsetMs, network }: Partition, sighting: Sighting): boolean {
  return mayHaveBeenCutAt(sighting, onsetMs) && (network === null || sighting.networks.includes(network));
}
