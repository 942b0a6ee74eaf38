/**
 * Peers: hosts that do the same work, compared with each other. One that is unlike its siblings is told, and what all of them show
 * together is one trouble.
 *
 * `membership.ts` says who is a sibling, `cohort.ts` finds the one that is unlike, `moves.ts` the group that moves as a whole. A host's
 * own ticks are heard at once; everything that follows from them for a group is said at the journal's ticks, in the order of hosts'
 * names: so the order in which hosts arrive between two ticks changes nothing.
 *
 * Kept per host of a group of four or more: 2 bytes a series, about 36 for each metric that is compared (500 at most), and 4 of each for a
 * step that waits for its siblings (five at most). A host without siblings keeps nothing but its name.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { Column } from "#shared/snapshot.ts";
import type { HostDetector } from "../host-detector.ts";
import { Cohort, type CohortState, membersMin } from "./cohort.ts";
import { groupOf, type PeerGroup } from "./membership.ts";
import { Moves, type MovesState } from "./moves.ts";

export type { PeerGroup } from "./membership.ts";

/** Plain JSON, beside the columns. */
export interface PeersState {
  readonly cohorts: readonly (CohortState & { readonly moves: MovesState })[];
}

interface Entry {
  readonly cohort: Cohort;
  readonly moves: Moves;
}

export class Peers {
  readonly #groups: readonly PeerGroup[];
  readonly #cohorts = new Map<string, Entry>();
  /** By host; null: it has no siblings. A host that has not ended a step yet is not in it. */
  readonly #ofHost = new Map<string, Entry | null>();
  /** What ended between two ticks of the journal. */
  #ends: Anomaly[] = [];

  constructor(groups: readonly PeerGroup[]) {
    this.#groups = groups;
  }

  /** `number` of `host` is another series from now on. */
  define(host: string, number: number): void {
    const entry = this.#ofHost.get(host);
    const member = entry?.cohort.members.get(host);
    if (member === undefined || entry?.cohort.isGroup !== true) return;
    const run = member.runs.get(number);
    if (run?.anomaly) this.#ends.push({ ...run.anomaly, ended: true });
    member.define(number);
  }

  /** A tick of a host was judged, and this was found; returns what of it is told at once. */
  hear(detector: HostDetector, found: readonly Anomaly[]): readonly Anomaly[] {
    const { host } = detector.table;
    let entry = this.#ofHost.get(host);
    if (entry === null) return found;
    if (detector.hasStepped) {
      if (entry?.cohort.stepMs !== detector.stepMs) entry = this.#join(host, detector);
      const member = entry?.cohort.members.get(host);
      if (member !== undefined) entry?.cohort.push(member);
    }
    return found.length === 0 || !entry ? found : entry.moves.hear(found);
  }

  /** The journal's time is `nowMs`. */
  tick(nowMs: number): Anomaly[] {
    const told = this.#ends;
    this.#ends = [];
    for (const { cohort, moves } of this.#cohorts.values()) {
      told.push(...cohort.close());
      told.push(...moves.tick(nowMs));
    }
    return told.length < 2 ? told : told.sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0));
  }

  /** A host is gone, or is in maintenance and sends nothing: `ends` is what ends of its own. Returns all that is told. */
  leave(host: string, ends: readonly Anomaly[], nowMs: number): Anomaly[] {
    const entry = this.#ofHost.get(host);
    this.#ofHost.delete(host);
    if (!entry) return [...ends];
    const told = [...entry.moves.hear(ends), ...entry.moves.leave(entry.cohort.members.get(host)!)];
    told.push(...entry.cohort.leave(host, nowMs));
    if (entry.cohort.members.size === 0) this.#cohorts.delete(keyOf(entry.cohort.group, entry.cohort.stepMs));
    return told;
  }

  /** Anomalies that siblings alone have found. */
  open(): Anomaly[] {
    return [...this.#cohorts.values()].flatMap(({ cohort }) => cohort.open());
  }

  /** Whether siblings alone have found anything on `host`. */
  hasOpen(host: string): boolean {
    const runs = this.#ofHost.get(host)?.cohort.members.get(host)?.runs;
    return runs !== undefined && runs.size > 0;
  }

  #join(host: string, detector: HostDetector): Entry | null {
    const before = this.#ofHost.get(host);
    if (before) this.#ends.push(...this.leave(host, [], detector.lastMs));
    const group = groupOf(host, this.#groups);
    if (group === null) {
      this.#ofHost.set(host, null);
      return null;
    }
    const key = keyOf(group, detector.stepMs);
    const cohort = this.#cohorts.get(key)?.cohort ?? new Cohort(group, detector.stepMs);
    const entry = this.#cohorts.get(key) ?? { cohort, moves: new Moves(cohort) };
    this.#cohorts.set(key, entry);
    this.#ofHost.set(host, entry);
    const joined = cohort.join(detector);
    // With its fourth member a group begins to be compared.
    const adopted = cohort.members.size === membersMin ? cohort.members.values() : [joined];
    for (const member of adopted) entry.moves.adopt(member);
    return entry;
  }

  state(): PeersState {
    const entries = [...this.#cohorts.values()];
    return { cohorts: entries.map(({ cohort, moves }) => ({ ...cohort.state(), moves: moves.state() })) };
  }

  columns(): [name: string, column: Column][] {
    return [...this.#cohorts.values()].flatMap(({ cohort }, at) =>
      cohort.columns().map(([name, column]): [string, Column] => [`peers/${at}/${name}`, column]),
    );
  }

  /** What was known of groups that are still the same; where the policy has others, they begin anew. */
  restore(
    { cohorts }: PeersState,
    detectors: ReadonlyMap<string, HostDetector>,
    column: (name: string) => Column,
  ): void {
    for (const [at, state] of cohorts.entries()) {
      if (state.members.some(({ host }) => groupOf(host, this.#groups) !== state.group)) continue;
      const detectorOf = (host: string): HostDetector => detectors.get(host)!;
      const cohort = Cohort.restore(state, detectorOf, (name) => column(`peers/${at}/${name}`));
      const entry = { cohort, moves: new Moves(cohort, state.moves) };
      this.#cohorts.set(keyOf(cohort.group, cohort.stepMs), entry);
      for (const member of cohort.members.values()) this.#ofHost.set(member.host, entry);
    }
  }
}

function keyOf(group: string, stepMs: number): string {
  return `${stepMs} ${group}`;
}
