/**
 * Which anomalies belong together: those that began at about the same time on hosts that talk to each other.
 *
 * A symptom joins a group on its host or one call away within three minutes of the group's last onset (up to fifteen while the group
 * keeps growing), two calls away within a minute of its first (one silent hop is bridged); else one that shares a network or a change
 * and shows the same at the same moment; else it opens a group. Two groups that a symptom connects become one, if their roots are
 * neighbours or they began together: the older lives on. When more groups open within a minute than anybody can look at, it is one
 * trouble. What already suffers from something belongs to its group by every sign of it, and what is over stays over: after its last
 * symptom ended, a group takes back only what it knew, for a minute. Evidence never opens a group: it
 * waits, and is taken in when a group comes near it. (Dynatrace merges within 15 minutes along topology; three minutes gave 1.00
 * incident per fault on a public microservice trace.)
 *
 * Anomalies that detection itself calls one trouble (`Anomaly.group`) are one group, whatever the topology says; when it says so later
 * than it told them, the first group that holds one of them becomes that group, and the others' go over to it. Siblings of several kinds that
 * began together in one zone or network are that place's trouble.
 * Cost: the connections of an anomaly's host and its neighbours, not the number of members or groups.
 */
import type { Anomaly, AnomalyGroup } from "#shared/anomaly.ts";
import { limits } from "#shared/limits.ts";
import { Group, type GroupState, isOwnSilence, joinMs } from "./group.ts";
import { type Neighbourhood, ringOf } from "./neighbourhood.ts";
import { nameOfPlace, type Places } from "./places.ts";

const silentHopMs = 60_000;
/** What it knew, and comes back within this time after its last symptom ended, had not ended; later it may be of another cause. */
const relapseMs = 60_000;
/** Evidence that began this long before the first symptom may still be its cause: a leak, a slow fill. */
const evidenceLeadMs = 3_600_000;
/** Ended evidence is remembered this long for a symptom that comes late; ended groups for a symptom that comes back. */
export const rememberMs = 900_000;
/** Two groups may turn out to be one until the younger is this old. */
const mergeMs = 900_000;
/** One sample that detection has not confirmed waits this long for a second one, or for company. */
const pendingMs = 60_000;
/** Of what is expected at most. */
const clearlySlower = 1.25;
const forgetEveryMs = 10_000;
/** So many separate groups that begin within a minute of another one are a storm: nobody reads twenty incidents at once. */
const stormGroups = 20;
const stormMs = 60_000;
/**
 * So many kinds of hosts in one zone or network, each of which detection calls one trouble, within a minute of each other: the place is
 * out. Two may be a service and what it calls.
 */
const outageKinds = 3;
/** Sharing a place is enough from here on: half for the same moment, a fifth for the same kind; the shapes are not compared. */
const likenessMin = 0.6;

interface Found {
  readonly group: Group;
  readonly hops: number;
  readonly apartMs: number;
}

export interface GroupingState {
  readonly weak: readonly Anomaly[];
  readonly groups: readonly GroupState[];
  readonly forgotMs: number;
}

export class Grouping {
  readonly groups = new Map<string, Group>();
  /** Evidence that belongs to no group, by anomaly id. */
  readonly weak = new Map<string, Anomaly>();
  readonly #graph: Neighbourhood;
  readonly #places: Places;
  readonly #byMember = new Map<string, Group>();
  readonly #byHost = new Map<string, Set<Group>>();
  readonly #byPlace = new Map<string, Set<Group>>();
  readonly #byShared = new Map<string, Group>();
  readonly #weakByHost = new Map<string, Set<string>>();
  #forgotMs = 0;

  constructor(graph: Neighbourhood, places: Places, state?: GroupingState) {
    this.#graph = graph;
    this.#places = places;
    for (const anomaly of state?.weak ?? []) this.#wait(anomaly);
    for (const group of state?.groups ?? []) this.#enter(new Group(group));
    this.#forgotMs = state?.forgotMs ?? 0;
  }

  /** Puts `anomaly` where it belongs; groups that change say so (`Group.changed`). Evidence without a group only waits. */
  place(anomaly: Anomaly, nowMs: number): void {
    const holding = this.#byMember.get(anomaly.id);
    if (holding !== undefined) return this.#goOn(holding, anomaly);
    const found = this.#home(anomaly);
    if (found.length > 0) {
      const [home, ...others] = found;
      this.#put(home!.group, anomaly);
      if (anomaly.role === "symptom") this.#mergeWhatMeets(anomaly, home!.group, others, nowMs);
      return;
    }
    if (anomaly.role !== "symptom") return this.#wait(anomaly);
    if (!anomaly.ended) this.#open(anomaly, nowMs);
  }

  /** What time alone does: what was not confirmed and lasts is told; what ended long ago is forgotten. */
  pass(nowMs: number): void {
    if (nowMs - this.#forgotMs < forgetEveryMs) return;
    this.#forgotMs = nowMs;
    for (const group of this.groups.values()) {
      const { quietSinceMs } = group;
      if (!group.confirmed && nowMs - group.detectedMs >= pendingMs) group.confirmed = true;
      if (quietSinceMs !== null && nowMs - quietSinceMs > rememberMs) this.#drop(group);
    }
    for (const anomaly of this.weak.values()) {
      if (anomaly.ended && nowMs - anomaly.lastMs > rememberMs) this.#unwait(anomaly);
    }
  }

  state(): GroupingState {
    const groups = [...this.groups.values()].map((group) => group.state());
    return { weak: [...this.weak.values()], groups, forgotMs: this.#forgotMs };
  }

  #open(anomaly: Anomaly, nowMs: number): void {
    const storm = anomaly.group === undefined ? this.#storm(anomaly.startedMs) : undefined;
    if (storm !== undefined) return this.#put(storm, anomaly);
    const group = Group.opening(anomaly, nowMs, isConfirmed(anomaly));
    this.#enter(group);
    this.#put(group, anomaly);
    this.#gather(group);
  }

  /** What `holding` has goes on, unless detection has found out meanwhile that it is part of a trouble that is told elsewhere. */
  #goOn(holding: Group, anomaly: Anomaly): void {
    if (!holding.confirmed && anomaly.ended) {
      this.#put(holding, anomaly);
      if (holding.open === 0) this.#drop(holding);
      return;
    }
    holding.confirmed ||= isClear(anomaly);
    const found = anomaly.group;
    const isNews = found !== undefined && holding.shared === null && anomaly.role === "symptom";
    const shared = isNews ? this.#byShared.get(found.id) : undefined;
    if (isNews && shared === undefined) this.#share(holding, found);
    this.#put(shared ?? holding, anomaly);
    if (isNews && shared === undefined) this.#gather(holding);
    if (shared !== undefined) this.#leave(holding, anomaly, shared);
  }

  /** `anomaly` has gone from `group` over to `shared`; with its last open symptom the group is part of it. */
  #leave(group: Group, anomaly: Anomaly, shared: Group): void {
    group.take(anomaly.id);
    if (group.open === 0) this.#absorb(shared, group);
    else group.changed = true;
  }

  /** The groups that `anomaly` may belong to, the best first. */
  #home(anomaly: Anomaly): Found[] {
    const { group: told } = anomaly;
    const shared = told === undefined ? undefined : this.#byShared.get(told.id);
    if (shared !== undefined) return [{ group: shared, hops: 0, apartMs: 0 }];
    if (told !== undefined && anomaly.role === "symptom") return [];
    const near = this.#near(anomaly);
    return near.length > 0 || anomaly.role !== "symptom" ? near : this.#alike(anomaly);
  }

  /** Nearest in hops, then in time; ties go to the older group. */
  #near(anomaly: Anomaly): Found[] {
    const found = new Map<Group, Found>();
    const look = (host: string, hops: number): void => {
      for (const group of this.#byHost.get(host) ?? []) {
        if (found.has(group) || !fits(anomaly, group, hops)) continue;
        found.set(group, { group, hops, apartMs: Math.abs(anomaly.startedMs - group.lastOnsetMs) });
      }
    };
    look(anomaly.host, 0);
    if (found.size === 0 || anomaly.role === "symptom")
      for (const host of ringOf(this.#graph, anomaly.host, 1)) look(host, 1);
    if (found.size === 0 || (anomaly.role === "symptom" && this.#beginsBeside(found, anomaly)))
      for (const host of ringOf(this.#graph, anomaly.host, 2)) look(host, 2);
    return [...found.values()].sort(
      (a, b) => a.hops - b.hops || a.apartMs - b.apartMs || (isOlder(a.group, b.group) ? -1 : 1),
    );
  }

  /** Whether any other group began at about that time: behind a silent hop it may be the same trouble. */
  #beginsBeside(found: ReadonlyMap<Group, Found>, { startedMs }: Anomaly): boolean {
    for (const group of this.groups.values()) {
      if (Math.abs(startedMs - group.firstSymptomMs) <= silentHopMs && !found.has(group)) return true;
    }
    return false;
  }

  /** Groups in the same place that show the same at the same moment, most alike first. */
  #alike(anomaly: Anomaly): Found[] {
    const found = new Map<Group, number>();
    for (const place of this.#places.of(anomaly.host, anomaly.startedMs)) {
      for (const group of this.#byPlace.get(place) ?? []) {
        if (group.quietSinceMs !== null || !suits(anomaly, group)) continue;
        const apartMs = Math.abs(anomaly.startedMs - group.lastOnsetMs);
        const likeness = 0.5 * Math.exp(-apartMs / silentHopMs) + (group.hasKind(anomaly) ? 0.2 : 0);
        if (likeness >= likenessMin) found.set(group, apartMs);
      }
    }
    return [...found]
      .map(([group, apartMs]) => ({ group, hops: Number.POSITIVE_INFINITY, apartMs }))
      .sort((a, b) => a.apartMs - b.apartMs || (isOlder(a.group, b.group) ? -1 : 1))
      .slice(0, 1);
  }

  /** `anomaly` has joined `home`, and would have fitted `others` as well: are they one trouble? */
  #mergeWhatMeets(anomaly: Anomaly, home: Group, others: readonly Found[], nowMs: number): void {
    let kept = home;
    for (const { group: other, hops } of others) {
      const younger = isOlder(kept, other) ? other : kept;
      const together = Math.abs(kept.firstSymptomMs - other.firstSymptomMs) <= silentHopMs;
      const late = nowMs - younger.detectedMs > mergeMs;
      if (late || (other.quietSinceMs !== null && !together) || !kept.mayBeOneWith(other)) continue;
      const isBySilence = kept.ownSilences > 0 || other.ownSilences > 0;
      if (!together && (isBySilence || hops > 1 || !this.#rootsMeet(kept, other, anomaly.host))) continue;
      const older = younger === other ? kept : other;
      this.#absorb(older, younger);
      kept = older;
    }
  }

  #rootsMeet(a: Group, b: Group, host: string): boolean {
    const [rootA, rootB] = [rootOf(a), rootOf(b)];
    const isNear = (one: string, other: string): boolean => this.#graph.hops(one, other, 1) <= 1;
    return isNear(rootA, rootB) || (isNear(rootA, host) && isNear(rootB, host));
  }

  /** `gone` is `kept` from now on. */
  #absorb(kept: Group, gone: Group): void {
    this.#drop(gone);
    for (const anomaly of [...gone.symptoms.values(), ...gone.evidence.values()]) this.#put(kept, anomaly);
    for (const place of gone.places) this.#settle(kept, place);
    if (kept.shared === null && gone.shared !== null) this.#share(kept, gone.shared);
    this.#takeOver(kept, gone.siblings);
    kept.windowMs = Math.max(kept.windowMs, gone.windowMs);
    kept.confirmed ||= gone.confirmed;
    kept.storm ||= gone.storm;
    kept.absorbed.push(...gone.absorbed, gone.id);
    kept.changed = true;
  }

  /**
   * The group of a storm, when one goes on at `onsetMs` or so much began at that time that it is one. By the data's times: a collector
   * that catches up hears an hour of unrelated trouble in a moment.
   */
  #storm(onsetMs: number): Group | undefined {
    const fresh: Group[] = [];
    for (const group of this.groups.values()) {
      if (group.quietSinceMs !== null || group.shared !== null || group.ownSilences > 0) continue;
      if (group.storm && Math.abs(onsetMs - group.lastOnsetMs) <= joinMs) return group;
      if (Math.abs(onsetMs - group.firstSymptomMs) <= stormMs) fresh.push(group);
    }
    if (fresh.length < stormGroups) return undefined;
    const oldest = fresh.reduce((first, group) => (isOlder(group, first) ? group : first));
    for (const group of fresh) if (group !== oldest) this.#absorb(oldest, group);
    oldest.storm = true;
    return oldest;
  }

  /** `group` is a trouble of siblings, perhaps one of several kinds that began together in one place: then it is the place's. */
  #gather(group: Group): void {
    if (!group.isOfSiblings) return;
    for (const place of group.places) {
      const name = nameOfPlace(place);
      const near = [...(this.#byPlace.get(place) ?? [])].filter((other) => isTogether(other, group));
      const told = near.flatMap(kindsOf);
      if (name === null || near.length < 2 || told.length < outageKinds) continue;
      const [oldest, ...others] = near.sort((a, b) => (isOlder(a, b) ? -1 : 1));
      const known = near.find(({ siblings }) => siblings.size > 0)?.shared;
      const isNews = oldest!.siblings.size === 0;
      const id = `outage|${place}|${oldest!.firstSymptomMs}`;
      this.#share(oldest!, known ?? { id, entity: { kind: "group", host: name, name: "" } });
      this.#takeOver(oldest!, told);
      // What it holds is the place's now, and says so; what the others hold does when it comes over.
      const held = isNews ? [...oldest!.symptoms.values(), ...oldest!.evidence.values()] : [];
      for (const one of held) this.#put(oldest!, one);
      for (const other of others) this.#absorb(oldest!, other);
      return;
    }
  }

  #takeOver(group: Group, siblings: Iterable<string>): void {
    for (const id of siblings) {
      group.siblings.add(id);
      this.#byShared.set(id, group);
    }
  }

  #put(group: Group, given: Anomaly): void {
    const isTakenOver = given.group !== undefined && group.siblings.has(given.group.id);
    const anomaly = isTakenOver && group.shared !== null ? { ...given, group: group.shared } : given;
    const isNewHost = anomaly.role === "symptom" && !group.isOn(anomaly.host);
    if (group.symptoms.size > 0 && !group.symptoms.has(anomaly.id) && anomaly.role === "symptom")
      group.confirmed ||= isClear(anomaly);
    const crowdedOut = group.put(anomaly);
    this.#byMember.set(anomaly.id, group);
    for (const { id } of crowdedOut) this.#byMember.delete(id);
    this.#unwait(anomaly);
    if (!isNewHost) return;
    member(this.#byHost, anomaly.host, group);
    for (const place of this.#places.of(anomaly.host, anomaly.startedMs)) this.#settle(group, place);
    this.#takeIn(group, anomaly.host);
  }

  /** Waiting evidence on a host that the group has reached, or beside it, joins the group. */
  #takeIn(group: Group, host: string): void {
    for (const near of [host, ...ringOf(this.#graph, host, 1)]) {
      for (const id of this.#weakByHost.get(near) ?? []) {
        const anomaly = this.weak.get(id)!;
        const leadMs = group.firstSymptomMs - anomaly.startedMs;
        const lasts = !anomaly.ended && leadMs >= 0 && leadMs <= evidenceLeadMs;
        const recent =
          Math.abs(leadMs) <= joinMs || Math.abs(group.lastOnsetMs - anomaly.startedMs) <= joinMs;
        if (recent || lasts) this.#put(group, anomaly);
      }
    }
  }

  #wait(anomaly: Anomaly): void {
    if (!this.weak.has(anomaly.id) && this.weak.size >= limits.weakSignalsMax)
      this.#unwait(this.weak.values().next().value!);
    this.weak.set(anomaly.id, anomaly);
    member(this.#weakByHost, anomaly.host, anomaly.id);
  }

  #unwait({ id, host }: Anomaly): void {
    if (this.weak.delete(id)) leave(this.#weakByHost, host, id);
  }

  #share(group: Group, shared: AnomalyGroup): void {
    group.shared = shared;
    this.#byShared.set(shared.id, group);
  }

  #settle(group: Group, place: string): void {
    group.places.add(place);
    member(this.#byPlace, place, group);
  }

  #enter(group: Group): void {
    this.groups.set(group.id, group);
    if (group.shared !== null) this.#byShared.set(group.shared.id, group);
    for (const id of group.siblings) this.#byShared.set(id, group);
    for (const anomaly of [...group.symptoms.values(), ...group.evidence.values()])
      this.#byMember.set(anomaly.id, group);
    for (const host of group.hosts()) member(this.#byHost, host, group);
    for (const place of group.places) member(this.#byPlace, place, group);
  }

  #drop(group: Group): void {
    this.groups.delete(group.id);
    for (const id of [group.shared?.id ?? "", ...group.siblings])
      if (this.#byShared.get(id) === group) this.#byShared.delete(id);
    for (const members of [group.symptoms, group.evidence])
      for (const id of members.keys()) if (this.#byMember.get(id) === group) this.#byMember.delete(id);
    for (const host of group.hosts()) leave(this.#byHost, host, group);
    for (const place of group.places) leave(this.#byPlace, place, group);
  }
}

/** Whether `anomaly` may belong to `group`, which is `hops` calls away. */
function fits(anomaly: Anomaly, group: Group, hops: number): boolean {
  if (!suits(anomaly, group)) return false;
  // Of what was already told nobody dies: a host that falls silent in the middle of it has its own story, and goes before it.
  const sinceMs = Math.abs(anomaly.startedMs - group.firstSymptomMs);
  if (isOwnSilence(anomaly) && sinceMs > silentHopMs && !group.knows(anomaly)) return false;
  const { quietSinceMs, causeOverMs } = group;
  // What begins long after the cause has ended is not its doing, though others still suffer from it.
  const isAfter = causeOverMs !== null && anomaly.startedMs - causeOverMs > relapseMs;
  if (isAfter && !group.isOfCause(anomaly)) return false;
  const relapses = quietSinceMs === null || anomaly.startedMs - quietSinceMs <= relapseMs;
  if (hops === 0 && relapses && (group.knows(anomaly) || (group.open > 0 && group.suffers(anomaly))))
    return true;
  if (hops === 2 && sinceMs > silentHopMs) return false;
  const active = quietSinceMs === null || anomaly.startedMs <= quietSinceMs;
  return active && Math.abs(anomaly.startedMs - group.lastOnsetMs) <= group.windowMs;
}

/** The troubles of siblings that it is. */
function kindsOf({ shared, siblings }: Group): string[] {
  return siblings.size > 0 ? [...siblings] : [shared!.id];
}

/** Both are troubles of siblings that go on and began within a minute; what is a place's outage already takes in what comes later. */
function isTogether(other: Group, group: Group): boolean {
  if (other.quietSinceMs !== null || !other.isOfSiblings) return false;
  if (other.siblings.size > 0) return Math.abs(group.firstSymptomMs - other.lastOnsetMs) <= joinMs;
  return Math.abs(group.firstSymptomMs - other.firstSymptomMs) <= stormMs;
}

/** A host that detection tells apart from those that were cut off is silent for its own reason. */
function suits(anomaly: Anomaly, group: Group): boolean {
  return group.shared?.entity.kind !== "network" || !isOwnSilence(anomaly);
}

/**
 * Detection confirms what it tells by a second sample; by one alone where samples are half a minute apart, and of that the deviation of
 * a level is worth a second look.
 */
function isConfirmed(anomaly: Anomaly): boolean {
  const { detector, kind, startedMs, lastMs } = anomaly;
  return (
    isClear(anomaly) && (detector !== "level" || kind === "errors" || kind === "state" || lastMs > startedMs)
  );
}

/** Answers that are a little slower than they ever were, everywhere at once, are a machine that was busy for a moment: it has to last. */
function isClear({ kind, resource, detector, direction, value, expectedHigh }: Anomaly): boolean {
  const isLatency = kind === "latency" && resource === "none" && detector !== "bound" && direction === "up";
  return !isLatency || value >= clearlySlower * expectedHigh;
}

/** Where it comes from as far as is known: what is to blame, else where it was seen first. */
function rootOf(group: Group): string {
  return group.rootHost ?? group.hosts().next().value ?? "";
}

function isOlder(a: Group, b: Group): boolean {
  if (a.detectedMs !== b.detectedMs) return a.detectedMs < b.detectedMs;
  return a.firstSymptomMs === b.firstSymptomMs ? a.id < b.id : a.firstSymptomMs < b.firstSymptomMs;
}

function member<T>(index: Map<string, Set<T>>, key: string, one: T): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, new Set([one]));
  else known.add(one);
}

function leave<T>(index: Map<string, Set<T>>, key: string, one: T): void {
  const known = index.get(key);
  if (known?.delete(one) === true && known.size === 0) index.delete(key);
}
