/**
 * Detection: samples in, anomalies out; pure, strictly online, constant work and memory per sample.
 *
 * Everything is kept per host, so hosts can be moved between processes, those of a group of siblings (`peers/`) together; `README.md`
 * gives the method, its sources and what it measured. The same ticks give the same anomalies, however hosts follow each other.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { SampleBatch } from "#shared/batch.ts";
import type { Incident } from "#shared/contract/incident.ts";
import type { Series } from "#shared/series.ts";
import { SeriesPool } from "#shared/series-pool.ts";
import { type Column, packSnapshot, unpackSnapshot } from "#shared/snapshot.ts";
import { Absence, type AbsenceMeta, type AbsenceTick, type HostState } from "./absence.ts";
import { type Calendar, createCalendar } from "./calendar.ts";
import { type Factors, factorsOf, feedbackRules, type Feedbacks, inForce, withAnswerOf } from "./feedback.ts";
import type { Forecast } from "./forecast/forecast.ts";
import { HostDetector, type HostProgress, noProgress } from "./host-detector.ts";
import type { HostMeta } from "./host-meta.ts";
import type { HostReading } from "./host-score/host-score.ts";
import { type InMaintenance, Maintenance } from "./maintenance.ts";
import { Peers, type PeersState } from "./peers/peers.ts";
import type { ConnectionEnd } from "./presence.ts";
import { type DetectPolicy, type HostRules, Policies, usualPolicy } from "./policy.ts";

export type { Departure, HostState } from "./absence.ts";
export type { ConnectionEnd } from "./presence.ts";
import { Tick } from "./tick.ts";

export { type DetectPolicy, usualPolicy } from "./policy.ts";
export type { InMaintenance } from "./maintenance.ts";
export type { PeerGroup } from "./peers/peers.ts";

const snapshotSchema = "causeway.detect";
const snapshotVersion = 10;

export interface Detect {
  /** `number` of `host` is `series` from now on; what was learned under that number is forgotten. */
  define(host: string, number: number, series: Series): void;
  /** The host's own IP addresses, as its agent reports them. */
  addresses(host: string, addresses: readonly string[]): void;
  /** Anomalies that began, grew or ended with this tick. */
  judge(batch: SampleBatch): Anomaly[];
  /** The collector started, or a connection of a host ended, at a time on the journal's line. */
  started(nowMs: number): void;
  left(host: string, end: ConnectionEnd): void;
  /** An operator's answer about `incident` was given, changed or withdrawn: thresholds of what it showed follow. */
  heed(incident: Incident): void;
  /** The answers in force, oldest first, each for `keptMs`, and what follows from them. */
  feedback(): { readonly given: Feedbacks; readonly keptMs: number; readonly factors: Factors };
  /** The journal's time moved on: hosts that are silent now, and hosts that are gone: nothing is kept of those. */
  tick(nowMs: number): AbsenceTick;
  /** stopped: it said goodbye, or is quiet in its maintenance window. */
  state(host: string): HostState;
  progress(host: string): HostProgress;
  readonly calendar: Calendar;
  /** Whether a whole host is in maintenance at a time on the journal's line. */
  maintenance(host: string, timeMs: number): InMaintenance | null;
  /** How unlike itself the host is as a whole; null while that is being learned. */
  hostScore(host: string): HostReading | null;
  /** What of a host will run out, soonest first. */
  forecasts(host: string): Forecast[];
  /** Every anomaly that is open, as last told or seen. */
  open(): Anomaly[];
  lateTicks(): number;
  snapshot(): Uint8Array;
}

interface DetectMeta {
  readonly hosts: readonly HostMeta[];
  readonly absence: AbsenceMeta;
  readonly feedback: Feedbacks;
  readonly peers: PeersState;
}

export interface DetectParts {
  readonly policy?: DetectPolicy | undefined;
  /**
   * Bytes of an earlier `snapshot()`; throws when they are of another version. It may have been taken under another policy: what was
   * learned stays, and is judged by this one; what is open and no longer judged ends with its host's next tick.
   */
  readonly snapshot?: Uint8Array | undefined;
}

export function createDetect({ policy = usualPolicy, snapshot }: DetectParts = {}): Detect {
  const rules = rulesOf(policy);
  const { calendar, maintenance } = rules;
  const hosts = new Map<string, HostDetector>();
  const peers = new Peers(policy.peerGroups);
  let absence = new Absence(policy.hostGoneMs);
  let given: Feedbacks = [];
  let factors = factorsOf(given);

  /** Once an answer, not once a sample: about 0.1 s for a million series. */
  const follow = (changed: Feedbacks): void => {
    if (changed === given) return;
    given = changed;
    factors = factorsOf(given);
    for (const host of hosts.values()) factors.applyToAll(host.table);
  };

  if (snapshot !== undefined) {
    const meta = restore(snapshot, hosts, peers, rules);
    absence = new Absence(policy.hostGoneMs, meta.absence);
    follow(meta.feedback);
  }

  const hostOf = (host: string): HostDetector => {
    const known = hosts.get(host);
    if (known !== undefined) return known;
    const fresh = new HostDetector(host, rules);
    hosts.set(host, fresh);
    return fresh;
  };

  /** Ends what is open on a host that is gone, and forgets the rest. */
  const retire = (host: string, nowMs: number): Anomaly[] => {
    const ends = hosts.get(host)?.endAll(nowMs) ?? [];
    hosts.delete(host);
    return peers.leave(host, ends, nowMs);
  };

  return {
    define(host, number, series) {
      const detector = hostOf(host);
      detector.define(number, series);
      factors.applyTo(detector.table, number);
      peers.define(host, number);
    },
    addresses: (host, addresses) => absence.addresses(host, addresses),
    judge(batch) {
      const heard = absence.heard(batch.host, batch.timeMs, batch.intervalMs);
      const detector = hostOf(batch.host);
      const found = peers.hear(detector, detector.judge(batch));
      return heard.length === 0 ? [...found] : [...heard, ...found];
    },
    started: (nowMs) => absence.started(nowMs),
    left: (host, end) => absence.left(host, end),
    heed: (incident) => follow(withAnswerOf(given, incident)),
    feedback: () => ({ given, keptMs: feedbackRules.keptMs, factors }),
    tick(nowMs) {
      follow(inForce(given, nowMs));
      const inMaintenance = (host: string, timeMs: number) => maintenance.at(host, timeMs) !== null;
      const { anomalies, departures } = absence.tick(nowMs, inMaintenance);
      const found = [...anomalies];
      for (const { host, what } of departures) if (what === "gone") found.push(...retire(host, nowMs));
      // A host that was switched off for its maintenance has no tick of its own that would end what was open.
      for (const [name, host] of hosts) {
        if (
          (host.open().length > 0 || peers.hasOpen(name)) &&
          absence.isQuiet(name) &&
          inMaintenance(name, nowMs)
        )
          found.push(...peers.leave(name, host.endAll(nowMs), nowMs));
      }
      found.push(...peers.tick(nowMs));
      return { anomalies: found, departures };
    },
    state(host) {
      const switchedOff = absence.isQuiet(host) && maintenance.at(host, absence.nowMs) !== null;
      return switchedOff ? "stopped" : absence.state(host);
    },
    progress: (host) => hosts.get(host)?.progress() ?? noProgress,
    calendar,
    maintenance: (host, timeMs) => maintenance.at(host, timeMs),
    hostScore: (host) => hosts.get(host)?.score.reading() ?? null,
    open: () => [...absence.open(), ...[...hosts.values()].flatMap((host) => host.open()), ...peers.open()],
    forecasts: (host) => hosts.get(host)?.forecasts.list() ?? [],
    lateTicks: () => [...hosts.values()].reduce((sum, host) => sum + host.lateTicks, 0),
    snapshot() {
      const columns = new Map<string, Column>();
      const metas: HostMeta[] = [];
      for (const host of hosts.values()) {
        for (const [name, column] of host.columns()) columns.set(`${name}/${metas.length}`, column);
        metas.push(host.meta());
      }
      for (const [name, column] of peers.columns()) columns.set(name, column);
      return packSnapshot(snapshotSchema, snapshotVersion, {
        meta: {
          hosts: metas,
          absence: absence.meta(),
          feedback: given,
          peers: peers.state(),
        } satisfies DetectMeta,
        columns,
      });
    },
  };
}

/** What follows from a policy for every host. */
export function rulesOf(policy: DetectPolicy): HostRules {
  const calendar = createCalendar(policy.calendar);
  const maintenance = new Maintenance(policy.maintenance, calendar);
  return {
    policies: new Policies(policy.rules),
    maintenance,
    calendar,
    tick: new Tick(),
    pool: new SeriesPool(),
  };
}

function restore(
  bytes: Uint8Array,
  hosts: Map<string, HostDetector>,
  peers: Peers,
  rules: HostRules,
): DetectMeta {
  const { meta, columns } = unpackSnapshot<DetectMeta>(snapshotSchema, snapshotVersion, bytes);
  for (const [index, host] of meta.hosts.entries()) {
    hosts.set(
      host.host,
      HostDetector.restore(host, (name) => columns.get(`${name}/${index}`)!, rules),
    );
  }
  peers.restore(meta.peers, hosts, (name) => columns.get(name)!);
  return meta;
}
