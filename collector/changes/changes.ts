/**
 * What was changed on purpose, and where its services run: the state behind "what changed?".
 *
 * A pure, bounded state of the journal. A change is known by its id: told again it counts once. Services' hosts are learned from the
 * series that name a service, so that a change of a service by name is known to be near a host. Whether a change explains anything is
 * correlation's to say.
 * Cost: an insertion into a sorted list per change; a look-up by bisection per ranking.
 */
import type { Change } from "#shared/contract/change.ts";
import { limits } from "#shared/limits.ts";
import { labelValue, type Series } from "#shared/series.ts";
import type { ChangeHistory } from "#shared/suspicion.ts";

/** Plain JSON. */
export interface ChangesState {
  readonly changes: readonly Change[];
  readonly services: readonly (readonly [string, readonly string[]])[];
}

export interface Changes extends ChangeHistory {
  /** Those that were not known; an id that is known keeps what it was first told as. */
  add(changes: readonly Change[], nowMs: number): Change[];
  known(id: string): Change | undefined;
  /** A series of a host: its service, if it names one, runs there. */
  define(host: string, series: Series): void;
  /** The host is gone, and nothing runs on it. */
  forget(host: string): void;
  snapshot(): ChangesState;
}

export function createChanges(state?: ChangesState): Changes {
  /** By time, then by id. */
  const list: Change[] = [...(state?.changes ?? [])];
  const byId = new Map(list.map((change) => [change.id, change]));
  const services = new Map((state?.services ?? []).map(([name, hosts]) => [name, new Set(hosts)]));

  const insert = (change: Change): void => {
    list.splice(firstAfter(list, change), 0, change);
    byId.set(change.id, change);
  };
  const trim = (nowMs: number): void => {
    const tooMany = list.length - limits.changesKeptMax;
    let gone = Math.max(0, tooMany);
    while (gone < list.length && list[gone]!.atMs < nowMs - limits.changesKeptMs) gone += 1;
    for (const { id } of list.splice(0, gone)) byId.delete(id);
  };

  return {
    add(changes, nowMs) {
      const fresh: Change[] = [];
      for (const change of changes) {
        if (byId.has(change.id)) continue;
        insert(change);
        fresh.push(change);
      }
      trim(nowMs);
      return fresh;
    },
    known: (id) => byId.get(id),
    between(fromMs, toMs) {
      const found: Change[] = [];
      for (let at = firstFrom(list, fromMs); at < list.length && list[at]!.atMs <= toMs; at += 1)
        found.push(list[at]!);
      return found;
    },
    runsOn: (service, host) =>
      services.get(service)?.has(host) === true || services.get(`${service}.service`)?.has(host) === true,
    define(host, { labels }) {
      const service = labelValue(labels, "service.name");
      if (service === undefined) return;
      const hosts = services.get(service) ?? new Set();
      if (hosts.size >= limits.hostsPerServiceMax || hosts.has(host)) return;
      if (hosts.size === 0 && services.size >= limits.servicesKnownMax) return;
      services.set(service, hosts.add(host));
    },
    forget(host) {
      for (const [service, hosts] of services) {
        if (hosts.delete(host) && hosts.size === 0) services.delete(service);
      }
    },
    snapshot: () => ({
      changes: [...list],
      services: [...services].map(([name, hosts]) => [name, [...hosts]] as const),
    }),
  };
}

/** The place before which everything is earlier than `fromMs`. */
function firstFrom(list: readonly Change[], fromMs: number): number {
  return bisected(list.length, (at) => list[at]!.atMs < fromMs);
}

function firstAfter(list: readonly Change[], { atMs, id }: Change): number {
  return bisected(list.length, (at) => {
    const other = list[at]!;
    return other.atMs < atMs || (other.atMs === atMs && other.id < id);
  });
}

/** The first index at which `isBefore` is false; it is true up to there. */
function bisected(length: number, isBefore: (at: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
