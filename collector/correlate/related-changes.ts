/**
 * Which changes speak for which cause, and which only happened to be there.
 *
 * A change counts for a cause that began at most an hour after it: exp(-age / 15 min), whole for the same entity or service, half for
 * what the cause's host calls, three tenths for its host; what was done to another service there speaks for that service only. It multiplies what the cause has of its own, so it makes a
 * cause of nothing that shows no evidence. (Most incidents begin with a change, and most changes begin no incident: "the latest deploy
 * did it" is the mistake that this is built against.)
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { type Change, targetText } from "#shared/contract/change.ts";
import { changeRelations, type RelatedChange, type Story } from "#shared/contract/incident.ts";
import { type Entity, entityId } from "#shared/entity.ts";
import type { ChangeHistory } from "#shared/suspicion.ts";
import { type Neighbourhood, ringOf } from "./neighbourhood.ts";

const lookBackMs = 3_600_000;
/** Changes made after the beginning are shown as well: somebody may have tried to mend it. */
const lookAheadMs = 900_000;
const fadeMs = 900_000;
const weights = { same: 1, callee: 0.5, host: 0.3 } as const;
type Near = keyof typeof weights;

/** Related changes that an incident shows, and those that it says were ruled out. */
const shownMax = 6;
const ruledOutMax = 3;
/** Changes that one ranking looks at, newest first: a bank makes some hundred a day. */
const lookedAtMax = 200;
/** Hosts around a trouble that are asked whether a service runs there, in each ring. */
const ringHostsMax = 500;

export interface ChangeBonus {
  readonly change: Change;
  /** 0 to 1: the cause's own evidence counts for so much more. */
  readonly bonus: number;
  /** It was made to the cause or its host, so that it is told as what somebody did; else to what that calls, which is only near. */
  readonly isOwn: boolean;
}

/** What grouping has found: its hosts, what is abnormal there, and when it began. */
export interface Trouble {
  readonly onsetMs: number;
  readonly isOn: (host: string) => boolean;
  readonly members: readonly Anomaly[];
  /** Hosts with a member, and those one and two calls away; looked up once, when a change of a service wants to know. */
  readonly rings: () => readonly (readonly string[])[];
}

export function ringsOf(members: readonly Anomaly[], graph: Neighbourhood): Trouble["rings"] {
  let rings: string[][] | null = null;
  return () => {
    if (rings !== null) return rings;
    const hosts = [...new Set(members.map(({ host }) => host))];
    const around = ([1, 2] as const).map((hops) => {
      const ring = new Set<string>();
      for (const host of hosts) {
        for (const other of ringOf(graph, host, hops)) ring.add(other);
        if (ring.size >= ringHostsMax) break;
      }
      return [...ring].slice(0, ringHostsMax);
    });
    rings = [hosts, ...around];
    return rings;
  };
}

export class RelatedChanges {
  readonly #history: ChangeHistory;
  readonly #graph: Neighbourhood;

  constructor(history: ChangeHistory, graph: Neighbourhood) {
    this.#history = history;
    this.#graph = graph;
  }

  /** The change that speaks most for `entity`, whose evidence began at `onsetMs`; null: none does. */
  bonus(entity: Entity, onsetMs: number): ChangeBonus | null {
    let best: ChangeBonus | null = null;
    for (const change of this.#history.between(onsetMs - lookBackMs, onsetMs).slice(-lookedAtMax)) {
      const near = this.#nearness(change, entity);
      // What was done to another service of the same host speaks for that one.
      if (near === null || (near === "host" && change.target.of !== "host")) continue;
      const bonus = weights[near] * Math.exp(-(onsetMs - change.atMs) / fadeMs);
      if (best === null || bonus > best.bonus) best = { change, bonus, isOwn: near !== "callee" };
    }
    return best;
  }

  /** Changes near the trouble, most telling first; `cause` is what is to blame, when that is known. */
  related(trouble: Trouble, cause: Entity | null, action: string | undefined): RelatedChange[] {
    const found: RelatedChange[] = [];
    for (const change of this.#around(trouble.onsetMs)) {
      const hops = this.#hops(change, trouble);
      if (hops === null) continue;
      const near = cause === null ? null : this.#nearness(change, cause);
      const { id, kind, title, by, link, atMs, target } = change;
      const relation = near ?? (hops === 0 ? "host" : "near");
      const beforeMs = trouble.onsetMs - atMs;
      const what = { id, kind, title, target: targetText(target), by, link, atMs };
      found.push({ ...what, beforeMs, relation, hops });
    }
    const rank = ({ id, beforeMs, relation }: RelatedChange): number =>
      (id === action ? -10 : 0) + (beforeMs < 0 ? 5 : 0) + changeRelations.indexOf(relation);
    found.sort(
      (a, b) => rank(a) - rank(b) || Math.abs(a.beforeMs) - Math.abs(b.beforeMs) || (a.id < b.id ? -1 : 1),
    );
    return found.slice(0, shownMax);
  }

  /** Changes that were looked at and are not what it comes from, latest first. */
  ruledOut(trouble: Trouble, action: string | undefined): Story["ruledOut"][number][] {
    const candidates = this.#around(trouble.onsetMs).filter(({ id }) => id !== action);
    return candidates
      .slice(-ruledOutMax)
      .reverse()
      .map((change) => ({ what: targetText(change.target), why: this.#whyNot(change, trouble) }));
  }

  #whyNot(change: Change, trouble: Trouble): Story["ruledOut"][number]["why"] {
    const args = { change: change.title };
    const late = change.atMs - trouble.onsetMs;
    if (late > 0) return { key: "ruled.change_late", args: { ...args, late } };
    const hops = this.#hops(change, trouble);
    if (hops === null) return { key: "ruled.change_elsewhere", args };
    const shows = trouble.members.some(
      ({ entity, host }) => isTarget(change, entity) || touches(change, host, this.#history),
    );
    return { key: shows ? "ruled.change_weaker" : "ruled.change_calm", args };
  }

  #around(onsetMs: number): readonly Change[] {
    return this.#history.between(onsetMs - lookBackMs, onsetMs + lookAheadMs).slice(-lookedAtMax);
  }

  #nearness(change: Change, entity: Entity): Near | null {
    if (isTarget(change, entity)) return "same";
    const { host } = entity;
    const target = hostOfTarget(change);
    const called =
      target === null
        ? this.#graph
            .neighbours(host)
            .some((other) => touches(change, other, this.#history) && this.#graph.calls(host, other))
        : this.#graph.calls(host, target);
    if (called) return "callee";
    return touches(change, host, this.#history) ? "host" : null;
  }

  /** Calls between what was changed and what is abnormal; null: more than two, or nobody knows. */
  #hops(change: Change, trouble: Trouble): number | null {
    const { members, isOn, rings } = trouble;
    if (members.some(({ entity }) => isTarget(change, entity))) return 0;
    const target = hostOfTarget(change);
    if (target === null) {
      const hops = rings().findIndex((ring) => ring.some((host) => touches(change, host, this.#history)));
      return hops === -1 ? null : hops;
    }
    if (isOn(target)) return 0;
    for (const hops of [1, 2] as const)
      for (const other of ringOf(this.#graph, target, hops)) if (isOn(other)) return hops;
    return null;
  }
}

/** Whether the change was made to something on `host`. */
export function touches(change: Change, host: string, history: ChangeHistory): boolean {
  return change.target.of === "service"
    ? history.runsOn(change.target.name, host)
    : hostOfTarget(change) === host;
}

/** Whether the change was made to just this. */
function isTarget({ target: { of, name } }: Change, entity: Entity): boolean {
  switch (of) {
    case "entity":
      return entityId(entity) === name;
    case "host":
      return entity.host === name && (entity.kind === "host" || entity.kind === "agent");
    case "service":
      return isService(entity, name);
  }
}

/** Its unit, a process or a port of it, the hosts that are named for it, or the one that is it. */
function isService({ kind, host, name }: Entity, service: string): boolean {
  if (kind === "host" || kind === "agent") return host === service;
  if (kind === "group") return host.replace(/[-_.]?\*$/, "") === service;
  return name.split("/").some((part) => part === service || part === `${service}.service`);
}

function hostOfTarget({ target: { of, name } }: Change): string | null {
  if (of === "host") return name;
  return of === "entity" ? (/^\w+:([^/]+)/.exec(name)?.[1] ?? null) : null;
}
