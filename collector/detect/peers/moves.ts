/**
 * The group that moves as a whole: most of the siblings show the same at once, so it is one trouble and no single host's.
 *
 * When at least two thirds of those that have a metric, and four at least, have an anomaly of it in one direction that began within
 * three minutes, all of these carry one `Anomaly.group`. What else the group shows together while that lasts belongs to it, and so does
 * a member that follows later. The trouble is over when none of its anomalies is open.
 *
 * A symptom is held back until the journal's next tick, and for up to twenty seconds while siblings that are about to show the same, or
 * have yet to report, could make it the group's: or one trouble would be told as several.
 */
import type { Anomaly, AnomalyGroup } from "#shared/anomaly.ts";
import type { HostDetector } from "../host-detector.ts";
import { type Cohort, membersMin } from "./cohort.ts";
import { metricKey, type Member } from "./member.ts";

const shareMin = 2 / 3;
const windowMs = 180_000;
const holdMs = 20_000;
/** A sibling that has been silent for longer is not waited for, and for longer still counts as none. */
const lateMs = 60_000;
const absentMs = 180_000;

interface OpenOne {
  readonly host: string;
  readonly id: string;
  readonly startedMs: number;
  inGroup: boolean;
}

/** Anomalies of one metric in one direction, by host. */
interface Move {
  readonly key: number;
  readonly open: Map<string, OpenOne>;
}

/** A trouble of the whole group; plain JSON. */
export interface Trouble {
  readonly id: string;
  readonly onsetMs: number;
  /** Metric and direction of what the group shows. */
  readonly moves: readonly string[];
}

export interface MovesState {
  readonly trouble: Trouble | null;
  /** Anomalies that are held back: id, and since when. */
  readonly held: readonly (readonly [string, number])[];
  readonly fresh: readonly string[];
}

export class Moves {
  readonly #cohort: Cohort;
  readonly #moves = new Map<string, Move>();
  /** Those of `#moves` in which something began since the last look, or is held. */
  readonly #fresh = new Set<string>();
  readonly #held: Map<string, number>;
  #trouble: Trouble | null;

  constructor(cohort: Cohort, state?: MovesState) {
    this.#cohort = cohort;
    this.#trouble = state?.trouble ?? null;
    this.#held = new Map(state?.held);
    if (state === undefined) return;
    for (const member of cohort.members.values()) this.adopt(member);
    this.#fresh.clear();
    for (const name of state.fresh) this.#fresh.add(name);
  }

  /** What is open on a host that is compared from now on. */
  adopt(member: Member): void {
    for (const anomaly of member.detector.open()) this.#enter(anomaly);
  }

  /** Returns what is told of it, since nobody waits for its siblings any longer. */
  leave(member: Member): Anomaly[] {
    const held = member.detector.open().filter(({ id }) => this.#held.delete(id));
    for (const [name, { open }] of this.#moves) if (open.has(member.host)) this.#exit(name, member.host);
    return held;
  }

  /** What a member's own history says; returns what of it is told at once. */
  hear(told: readonly Anomaly[]): Anomaly[] {
    return told.flatMap((anomaly) => {
      if (!isOfSeries(anomaly)) return [anomaly];
      if (anomaly.ended) {
        this.#exit(moveOf(anomaly), anomaly.host);
        // It was over before it was told.
        return this.#held.delete(anomaly.id) ? [{ ...anomaly, ended: false }, anomaly] : [anomaly];
      }
      const isNew = this.#enter(anomaly);
      if (isNew && anomaly.role === "symptom") this.#held.set(anomaly.id, 0);
      return this.#held.has(anomaly.id) ? [] : [anomaly];
    });
  }

  /** The journal's time is `nowMs`: what belongs to the group, and what need not be held any longer. */
  tick(nowMs: number): Anomaly[] {
    if (this.#fresh.size === 0) return [];
    const told: Anomaly[] = [];
    this.#endTrouble();
    for (const name of [...this.#fresh].sort()) {
      const move = this.#moves.get(name)!;
      told.push(...this.#look(name, move));
      if (!this.#isHolding(move, nowMs, told)) this.#fresh.delete(name);
    }
    return told;
  }

  state(): MovesState {
    return { trouble: this.#trouble, held: [...this.#held], fresh: [...this.#fresh] };
  }

  #enter(anomaly: Anomaly): boolean {
    const { host, id, startedMs, group } = anomaly;
    const name = moveOf(anomaly);
    const known = this.#moves.get(name);
    if (!isOfSeries(anomaly) || known?.open.get(host)?.id === id) return false;
    const key = known?.key ?? metricKey(anomaly.series);
    if (this.#cohort.members.get(host)?.has(key) !== true) return false;
    const move = known ?? { key, open: new Map() };
    this.#moves.set(name, move);
    move.open.set(host, { host, id, startedMs, inGroup: group !== undefined });
    this.#fresh.add(name);
    return true;
  }

  #exit(name: string, host: string): void {
    const move = this.#moves.get(name);
    move?.open.delete(host);
    if (move?.open.size !== 0) return;
    this.#moves.delete(name);
    this.#fresh.delete(name);
  }

  #endTrouble(): void {
    const isOpen = [...this.#moves.values()].some(({ open }) =>
      [...open.values()].some(({ inGroup }) => inGroup),
    );
    if (!isOpen) this.#trouble = null;
  }

  /** Puts what belongs to the group's trouble there, and tells it. */
  #look(name: string, { key, open }: Move): Anomaly[] {
    const all = [...open.values()].sort((a, b) => a.startedMs - b.startedMs || (a.host < b.host ? -1 : 1));
    const having = this.#having(key).length;
    let joining = all;
    if (this.#trouble === null || !this.#trouble.moves.includes(name)) {
      joining = together(all);
      if (joining.length < neededOf(having)) return [];
      const onsetMs = joining[0]!.startedMs;
      const before = this.#trouble ?? { id: `group|${this.#cohort.group}|${onsetMs}`, onsetMs, moves: [] };
      this.#trouble = { ...before, moves: [...before.moves, name] };
    }
    const { id, onsetMs } = this.#trouble;
    const hosts = all.filter((one) => one.inGroup || joining.includes(one)).length;
    const group: AnomalyGroup = {
      id,
      entity: { kind: "group", host: this.#cohort.group, name: "" },
      hosts: having,
    };
    return joining.flatMap((one) => {
      if (one.inGroup || one.startedMs < onsetMs - windowMs) return [];
      one.inGroup = true;
      this.#held.delete(one.id);
      const changed = this.#detectorOf(one).change(one.id, (anomaly) => inGroup(anomaly, group, hosts));
      return changed === undefined ? [] : [changed];
    });
  }

  /** Whether anything of this move is still held; what is not any more is added to `told`. */
  #isHolding({ key, open }: Move, nowMs: number, told: Anomaly[]): boolean {
    const held = [...open.values()].filter(({ id }) => this.#held.has(id));
    if (held.length === 0) return false;
    const newestMs = held.reduce((newest, { startedMs }) => Math.max(newest, startedMs), 0);
    const having = this.#having(key);
    const mayFollow = having.filter((member) => {
      if (open.has(member.host)) return false;
      const behindMs = newestMs - member.detector.lastMs;
      return member.isPending(key) || (behindMs > 0 && behindMs <= lateMs);
    });
    const mayBeGroup = open.size + mayFollow.length >= neededOf(having.length);
    let holding = false;
    for (const one of held) {
      const { id } = one;
      const sinceMs = this.#held.get(id)! || nowMs;
      if (mayBeGroup && mayFollow.length > 0 && nowMs - sinceMs < holdMs) {
        this.#held.set(id, sinceMs);
        holding = true;
        continue;
      }
      this.#held.delete(id);
      told.push(
        ...this.#detectorOf(one)
          .open()
          .filter((anomaly) => anomaly.id === id),
      );
    }
    return holding;
  }

  #detectorOf({ host }: OpenOne): HostDetector {
    return this.#cohort.members.get(host)!.detector;
  }

  /** Members that have the metric and report. */
  #having(key: number): Member[] {
    const members = [...this.#cohort.members.values()];
    const newestMs = members.reduce((newest, { detector }) => Math.max(newest, detector.lastMs), 0);
    return members.filter((member) => newestMs - member.detector.lastMs <= absentMs && member.has(key));
  }
}

function neededOf(having: number): number {
  return Math.max(membersMin, Math.ceil(shareMin * having));
}

/** The most of them that began within the window; of equals the earliest. Sorted by onset. */
function together(all: readonly OpenOne[]): OpenOne[] {
  let best: OpenOne[] = [];
  for (const [from, { startedMs }] of all.entries()) {
    const within = all.slice(from).filter((one) => one.startedMs - startedMs <= windowMs);
    if (within.length > best.length) best = within;
  }
  return best;
}

function inGroup(anomaly: Anomaly, group: AnomalyGroup, hosts: number): Anomaly {
  const args = { hosts, members: group.hosts!, group: group.entity.host };
  return {
    ...anomaly,
    group,
    reasons: [...anomaly.reasons, { key: "reason.group", effect: "raised", args }],
  };
}

/** Found by the series' own history. */
function isOfSeries({ detector }: Anomaly): boolean {
  return detector === "level" || detector === "record" || detector === "bound";
}

function moveOf({ series, direction }: Anomaly): string {
  return `${direction} ${series}`;
}
