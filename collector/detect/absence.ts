/**
 * Silence is a signal: a host that should report and does not. Driven by the journal's own ticks, never by a clock.
 *
 * | what is seen | what it is |
 * | --- | --- |
 * | the agent said goodbye | stopped on purpose: no anomaly |
 * | its connection was closed and it did not come back | the agent died: the host's kernel closed the socket |
 * | nothing | the host is down, or cannot be reached |
 * | nothing, of several hosts at once (`partition.ts`) | they are cut off: one trouble, until most of them are back |
 * | not heard for a week, whatever the end | gone: taken out of service; everything about it ends and is forgotten |
 *
 * The collector's own absence is nobody's silence: after a start, or a gap between ticks, everyone gets time to come back.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { limits } from "#shared/limits.ts";
import { cutOff, type Fleet, mayBecomeCut, networksOfAddresses, type Sighting } from "./partition.ts";
import { type Partition, Partitions, type PartitionsState } from "./partitions.ts";
import {
  arrived,
  type ConnectionEnd,
  type HostPresence,
  isLate,
  isQuiet,
  silentLimitMs,
} from "./presence.ts";
import { cutOffSilence, ended, endedAsGone, silence, type SilenceReason } from "./silence.ts";

export type HostState = "up" | "silent" | "stopped" | "gone";

/** How long a silence may wait to be told, while others are late as well: those that report once a minute are known by then. */
const holdMs = 60_000;
/** After a start of the collector, while agents are in their backoff. */
const startGraceMs = 60_000;
/** The journal ticks every two seconds; without a tick for this long the collector stood still. */
const pauseMs = 30_000;

/** What became of a host with this tick: it counts as gone, or is not shown as gone any more. */
export interface Departure {
  readonly host: string;
  readonly what: "gone" | "forgotten";
}

export interface AbsenceTick {
  /** By host. */
  readonly anomalies: readonly Anomaly[];
  readonly departures: readonly Departure[];
}

/** Plain JSON. */
export interface AbsenceMeta {
  readonly nowMs: number;
  readonly graceUntilMs: number;
  readonly listenedMs: number;
  readonly hosts: readonly (readonly [string, HostPresence])[];
  readonly addresses: readonly (readonly [string, readonly string[]])[];
  readonly gone: readonly (readonly [string, number])[];
  readonly partitions: PartitionsState;
}

export class Absence {
  readonly #goneAfterMs: number;
  readonly #hosts: Map<string, HostPresence>;
  readonly #addresses: Map<string, readonly string[]>;
  /** When each host that is gone began to count as gone. */
  readonly #gone: Map<string, number>;
  readonly #partitions: Partitions;
  #nowMs: number;
  #graceUntilMs: number;
  /** Time that the collector has listened in all: its own absences do not count against anybody. */
  #listenedMs: number;

  constructor(goneAfterMs: number, meta?: AbsenceMeta) {
    this.#goneAfterMs = goneAfterMs;
    this.#hosts = new Map(meta?.hosts.map(([host, presence]) => [host, { ...presence }]));
    this.#addresses = new Map(meta?.addresses);
    this.#gone = new Map(meta?.gone);
    this.#partitions = new Partitions(meta?.partitions);
    this.#nowMs = meta?.nowMs ?? 0;
    this.#graceUntilMs = meta?.graceUntilMs ?? 0;
    this.#listenedMs = meta?.listenedMs ?? 0;
  }

  started(nowMs: number): void {
    this.#advance(nowMs);
    this.#graceUntilMs = this.#nowMs + startGraceMs;
  }

  addresses(host: string, addresses: readonly string[]): void {
    this.#addresses.set(host, addresses);
  }

  /** A frame of `host` was appended; ends its silence. */
  heard(host: string, dataMs: number, intervalMs: number): Anomaly[] {
    const presence = this.#hosts.get(host) ?? arrived(intervalMs);
    this.#hosts.set(host, presence);
    this.#gone.delete(host);
    presence.intervalMs = intervalMs;
    presence.lastArrivalMs = this.#nowMs === 0 ? dataMs : this.#nowMs;
    presence.listenedMs = this.#listenedMs;
    presence.lastDataMs = Math.max(presence.lastDataMs, dataMs);
    presence.end = null;
    if (presence.silent === null) return [];
    const told = ended(presence.silent, this.#nowMs);
    presence.silent = null;
    return [told];
  }

  /** A connection of `host` ended. */
  left(host: string, end: ConnectionEnd): void {
    const presence = this.#hosts.get(host);
    if (presence !== undefined) presence.end = end;
  }

  /** The journal's time is `nowMs`: who is silent now, and who is gone? Nobody asks about a host that is in maintenance then. */
  tick(nowMs: number, inMaintenance: (host: string, timeMs: number) => boolean): AbsenceTick {
    this.#listen(nowMs);
    if (this.#nowMs < this.#graceUntilMs) return { anomalies: [], departures: [] };
    const told: Anomaly[] = [];
    const fallen: string[] = [];
    for (const [host, presence] of this.#hosts) {
      if (!isQuiet(presence, this.#nowMs)) continue;
      const isExcused = inMaintenance(host, this.#nowMs);
      // Its time in maintenance does not count against it either.
      if (isExcused) presence.listenedMs = this.#listenedMs;
      if (isExcused || presence.end === "bye") {
        // A goodbye explains the silence, also one that was told before it came.
        if (presence.silent !== null) told.push(ended(presence.silent, this.#nowMs));
        presence.silent = null;
      } else if (presence.silent === null) {
        if (presence.end === "closed") told.push(this.#fallSilent(host, presence, "agent_died"));
        else fallen.push(host);
      }
    }
    if (fallen.length > 0) told.push(...this.#tellFallen(fallen));
    if (!this.#partitions.none) told.push(...this.#tellLeftBehind());
    const departures = this.#depart(told);
    // By host, so that the order in which hosts were first heard changes nothing; of one host in the order of events.
    return { anomalies: told.sort((a, b) => byName(a.host, b.host)), departures };
  }

  /** A host that is not known here is up: it has only just begun to report. */
  state(host: string): HostState {
    if (this.#gone.has(host)) return "gone";
    const presence = this.#hosts.get(host);
    if (presence?.end === "bye") return "stopped";
    return presence === undefined || presence.silent === null ? "up" : "silent";
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Nothing has come from it for so long that it would be silent. */
  isQuiet(host: string): boolean {
    const presence = this.#hosts.get(host);
    return presence !== undefined && isQuiet(presence, this.#nowMs);
  }

  open(): Anomaly[] {
    return [...this.#hosts.values()].flatMap(({ silent }) => (silent === null ? [] : [silent]));
  }

  meta(): AbsenceMeta {
    return {
      nowMs: this.#nowMs,
      graceUntilMs: this.#graceUntilMs,
      listenedMs: this.#listenedMs,
      hosts: [...this.#hosts],
      addresses: [...this.#addresses],
      gone: [...this.#gone],
      partitions: this.#partitions.state(),
    };
  }

  /** Those that fell silent without a sign: cut off together, each for itself, or not told yet. */
  #tellFallen(hosts: readonly string[]): Anomaly[] {
    const told: Anomaly[] = [];
    const fleet = this.#fleet(hosts);
    let rest = fleet.fallen.filter((sighting) => {
      const partition = this.#partitions.join(sighting);
      if (partition !== undefined)
        told.push(this.#fallSilent(sighting.host, this.#known(sighting.host), partition));
      return partition === undefined;
    });
    for (
      let cut = cutOff({ ...fleet, fallen: rest });
      cut !== null;
      cut = cutOff({ ...fleet, fallen: rest })
    ) {
      const partition = this.#partitions.begin(cut);
      const members = new Set(cut.hosts);
      for (const host of members) told.push(this.#fallSilent(host, this.#known(host), partition));
      rest = rest.filter(({ host }) => !members.has(host));
    }
    const maySoonBeMore = rest.length > 0 && mayBecomeCut({ ...fleet, fallen: rest });
    for (const { host } of rest) {
      const presence = this.#known(host);
      const overdueMs = this.#nowMs - presence.lastArrivalMs - silentLimitMs(presence);
      if (!maySoonBeMore || overdueMs >= holdMs) told.push(this.#fallSilent(host, presence, "unreachable"));
    }
    return told;
  }

  #fleet(fallen: readonly string[]): Fleet {
    const owners = new Map<string, number>();
    for (const address of [...this.#addresses.values()].flat())
      owners.set(address, (owners.get(address) ?? 0) + 1);
    const isShared = (address: string): boolean => (owners.get(address) ?? 0) > 1;
    const sighting = (host: string, { lastArrivalMs, intervalMs }: HostPresence): Sighting => {
      const networks = networksOfAddresses(this.#addresses.get(host) ?? [], isShared);
      return { host, lastArrivalMs, intervalMs, networks };
    };
    const names = new Set(fallen);
    const late: Sighting[] = [];
    const others: Sighting[] = [];
    for (const [host, presence] of this.#hosts) {
      // Silent and not among the fallen: it is told already, or excused.
      if (names.has(host) || isQuiet(presence, this.#nowMs) || presence.end === "bye") continue;
      (isLate(presence, this.#nowMs) ? late : others).push(sighting(host, presence));
    }
    const sorted = fallen.toSorted(byName);
    return { fallen: sorted.map((host) => sighting(host, this.#known(host))), late, others };
  }

  /** Most of those that were cut off with them are back: what is silent still has its own reason. */
  #tellLeftBehind(): Anomaly[] {
    const isCut = [...this.#hosts].filter(([, { silent }]) => silent?.group !== undefined);
    const cuts = Map.groupBy(isCut, ([, { silent }]) => silent!.group!.id);
    const silent = new Map([...cuts].map(([id, hosts]) => [id, hosts.map(([host]) => host)]));
    const patienceMs = (host: string): number => silentLimitMs(this.#known(host));
    return this.#partitions.settle(silent, this.#nowMs, patienceMs).flatMap((host) => {
      const presence = this.#known(host);
      const before = ended(presence.silent!, this.#nowMs);
      return [before, this.#fallSilent(host, presence, "left_behind")];
    });
  }

  /** Who is gone is forgotten here at once; its name is kept for a while, to be shown. Adds the ends of silences to `told`. */
  #depart(told: Anomaly[]): Departure[] {
    const departures: Departure[] = [];
    for (const [host, sinceMs] of this.#gone) {
      if (this.#nowMs - sinceMs <= limits.hostGoneShownMs) continue;
      this.#gone.delete(host);
      departures.push({ host, what: "forgotten" });
    }
    for (const [host, presence] of this.#hosts) {
      if (this.#listenedMs - presence.listenedMs <= this.#goneAfterMs) continue;
      if (presence.silent !== null) told.push(endedAsGone(presence.silent, this.#nowMs));
      this.#hosts.delete(host);
      this.#addresses.delete(host);
      this.#gone.set(host, this.#nowMs);
      departures.push({ host, what: "gone" });
    }
    return departures.sort((a, b) => byName(a.host, b.host));
  }

  #fallSilent(host: string, presence: HostPresence, why: SilenceReason | Partition): Anomaly {
    const { intervalMs, lastDataMs } = presence;
    const of = { host, intervalMs, lastDataMs };
    presence.silent =
      typeof why === "string" ? silence(of, this.#nowMs, why) : cutOffSilence(of, this.#nowMs, why);
    return presence.silent;
  }

  #known(host: string): HostPresence {
    return this.#hosts.get(host)!;
  }

  #listen(nowMs: number): void {
    const beforeMs = this.#nowMs;
    this.#advance(nowMs);
    const elapsedMs = this.#nowMs - beforeMs;
    if (beforeMs === 0) return;
    if (elapsedMs <= pauseMs) this.#listenedMs += elapsedMs;
    else this.#graceUntilMs = Math.max(this.#graceUntilMs, this.#nowMs + startGraceMs);
  }

  /** Time on the journal's line only goes forward; a collector clock that was set back waits. */
  #advance(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
