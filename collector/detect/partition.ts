/**
 * Several hosts that fall silent at once are one trouble: the network between them and the collector, or what they share.
 *
 * When was a host cut off? After its last arrival, and before its next one was due. Hosts whose spans have a moment in common may
 * have been cut off together. They were, if they are three at least, and a third at least of the hosts that anything is known of since
 * then: hosts that were heard after that moment speak against it, hosts that are not due yet say nothing. A smaller part of the fleet is
 * cut off together when it is all of a network, so that a branch office is one trouble in a fleet of thousands.
 * Only silence by time-out counts. A connection that was closed says that its host, and the way to it, are there.
 */

/** What is known of a host that is expected to report. */
export interface Sighting {
  readonly host: string;
  readonly lastArrivalMs: number;
  readonly intervalMs: number;
  /** Networks that it alone is known by, of those that its addresses are in. */
  readonly networks: readonly string[];
}

export interface Fleet {
  /** Silent for so long that it must be told, one way or the other. */
  readonly fallen: readonly Sighting[];
  /** Overdue, and not yet silent. */
  readonly late: readonly Sighting[];
  /** All others that are expected to report. */
  readonly others: readonly Sighting[];
}

export interface Cut {
  readonly hosts: readonly string[];
  /** The last arrival of any of them. */
  readonly onsetMs: number;
  /** The network that is cut off as a whole, when that is what makes it one trouble. */
  readonly network: string | null;
  /** Nobody was heard since: it may be the collector that is cut off. */
  readonly all: boolean;
}

const hostsMin = 3;
const shareMin = 1 / 3;
/** Arrivals are known to the journal's ticks, and come a moment after their time. */
const jitterMs = 5_000;

/** The largest set of fallen hosts that was cut off together; null when there is none. */
export function cutOff({ fallen, late, others }: Fleet): Cut | null {
  const momentMs = commonMoment(fallen);
  const members = fallen.filter((host) => mayHaveBeenCutAt(host, momentMs));
  if (members.length < hostsMin) return null;
  const heard = [...late, ...others].filter(({ lastArrivalMs }) => lastArrivalMs > momentMs + jitterMs);
  if (members.length >= shareMin * (members.length + heard.length))
    return cutOf(members, null, heard.length === 0);
  for (const network of networksOf(members)) {
    const own = inNetwork(members, network);
    if (own.length >= hostsMin && inNetwork(heard, network).length === 0) return cutOf(own, network, false);
  }
  return null;
}

/** Would it be a cut if those that are late fell silent as well? Then it is worth a moment's wait. */
export function mayBecomeCut({ fallen, late, others }: Fleet): boolean {
  return late.length > 0 && cutOff({ fallen: [...fallen, ...late], late: [], others }) !== null;
}

export function mayHaveBeenCutAt(
  { lastArrivalMs, intervalMs }: Omit<Sighting, "networks">,
  atMs: number,
): boolean {
  return lastArrivalMs <= atMs + jitterMs && atMs <= lastArrivalMs + intervalMs + jitterMs;
}

/** Networks (IPv4, three octets) of a host's addresses; `isShared`: another host has the same, so that it tells nothing. */
export function networksOfAddresses(
  addresses: readonly string[],
  isShared: (address: string) => boolean,
): string[] {
  const networks = addresses.flatMap((address) => {
    const match = /^(\d+\.\d+\.\d+)\.\d+$/.exec(address);
    const local = address.startsWith("127.") || address.startsWith("169.254.");
    return match === null || local || isShared(address) ? [] : [`${match[1]!}.0`];
  });
  return [...new Set(networks)].sort();
}

/** The last arrival that lies in the most spans; of several the earliest. */
function commonMoment(hosts: readonly Sighting[]): number {
  const begins = hosts.map(({ lastArrivalMs }) => lastArrivalMs).sort((a, b) => a - b);
  const ends = hosts.map(({ lastArrivalMs, intervalMs }) => lastArrivalMs + intervalMs).sort((a, b) => a - b);
  let best = 0;
  let moment = begins[0] ?? 0;
  let ended = 0;
  let begun = 0;
  for (const atMs of begins) {
    while (begun < begins.length && begins[begun]! <= atMs + jitterMs) begun += 1;
    while (ends[ended]! + jitterMs < atMs) ended += 1;
    if (begun - ended <= best) continue;
    best = begun - ended;
    moment = atMs;
  }
  return moment;
}

function cutOf(members: readonly Sighting[], network: string | null, all: boolean): Cut {
  const onsetMs = members.reduce((latest, { lastArrivalMs }) => Math.max(latest, lastArrivalMs), 0);
  return { hosts: members.map(({ host }) => host).sort(), onsetMs, network, all };
}

function networksOf(hosts: readonly Sighting[]): string[] {
  return [...new Set(hosts.flatMap(({ networks }) => networks))].sort();
}

function inNetwork(hosts: readonly Sighting[], network: string): Sighting[] {
  return hosts.filter(({ networks }) => networks.includes(network));
}
