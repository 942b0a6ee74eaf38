/**
 * Who is whose sibling: hosts that do the same work, so that what all of them do is their work and what one does alone is its own.
 *
 * The operator's groups come first, in order. Without one, hosts are siblings whose names differ only in digits: "pay-01" and "pay-2"
 * are both "pay-*". A name of more than three runs of digits ("ip-10-0-1-23"), or without a letter, is an address and says nothing.
 */
import { fitsHost, type Match } from "../match.ts";

export interface PeerGroup {
  readonly name: string;
  /** Speaks of hosts only. */
  readonly match: Match;
}

const digitRunsMax = 3;

/** The name of the group that `host` belongs to, or null: it has no siblings. */
export function groupOf(host: string, groups: readonly PeerGroup[]): string | null {
  const given = groups.find(({ match }) => fitsHost(match, host));
  if (given !== undefined) return given.name;
  const runs = host.match(/\d+/g)?.length ?? 0;
  if (runs === 0 || runs > digitRunsMax || !/\p{L}/u.test(host)) return null;
  const name = host.replaceAll(/\d+/g, "*");
  // Whoever wrote a group of this name said who belongs to it.
  return groups.some((group) => group.name === name) ? null : name;
}
