/**
 * One group: the anomalies of one trouble, and what is counted about them so that nobody has to look at all of them.
 *
 * Everything that placing an anomaly asks of a group (is any symptom open, is it on this host, is this the same sign again) is a count
 * that is kept as members come and go. Cost: constant per member, whatever the size of the group. What is kept is plain data; the counts
 * are made again from the members when a snapshot is restored.
 */
import type { Anomaly, AnomalyGroup } from "#shared/anomaly.ts";
import { entityId } from "#shared/entity.ts";
import type { Look } from "./look.ts";

export const joinMs = 180_000;
/** A group that goes on growing waits longer for what is still to come: half as long again each time, up to this. */
const joinMsMax = 900_000;
const windowGrowth = 1.5;
/** A symptom that begins this long after the last one is growth; a burst within a minute is one onset. */
const growthMs = 60_000;
/** Members kept; beyond it what ended first goes. A data centre has some thousand hosts with tens of series each. */
const symptomsMax = 20_000;
const evidenceMax = 2_000;
/** Trimmed by so many at once, so that a full group costs no more per member. */
const trimCount = 256;

export interface GroupState {
  readonly id: string;
  /** The trouble that detection told with the anomaly that opened it; null when it opened by itself. */
  readonly shared: AnomalyGroup | null;
  /** Ids of the troubles of siblings that it has taken over as a place's outage; else none. */
  readonly siblings: readonly string[];
  readonly detectedMs: number;
  readonly startedMs: number;
  readonly firstSymptomMs: number;
  readonly lastOnsetMs: number;
  readonly windowMs: number;
  readonly lastEndMs: number;
  readonly confirmed: boolean;
  readonly storm: boolean;
  readonly changed: boolean;
  readonly toldMs: number | null;
  readonly newsMs: number;
  readonly toldNewsMs: number;
  readonly rootHost: string | null;
  readonly causeIds: readonly string[];
  readonly look: Look | null;
  readonly absorbed: readonly string[];
  readonly places: readonly string[];
  readonly symptoms: readonly Anomaly[];
  readonly evidence: readonly Anomaly[];
}

/** What ranking is given of a group. */
export interface Members {
  readonly startedMs: number;
  readonly lastOnsetMs: number;
  readonly symptoms: ReadonlyMap<string, Anomaly>;
  readonly evidence: ReadonlyMap<string, Anomaly>;
  readonly look: Look | null;
}

export class Group implements Members {
  readonly id: string;
  shared: AnomalyGroup | null;
  readonly siblings: Set<string>;
  readonly detectedMs: number;
  startedMs: number;
  firstSymptomMs: number;
  lastOnsetMs: number;
  /** How long after `lastOnsetMs` another symptom may still belong to it. */
  windowMs: number;
  #lastEndMs: number;
  /** False while all of it is one sample: it is not told yet. */
  confirmed: boolean;
  /** So much began at once that it is one trouble, although nothing is known that connects it. */
  storm: boolean;
  /** Something has changed since it was told. */
  changed: boolean;
  /** When it was told last; null: never. */
  toldMs: number | null;
  /** The newest data of its members, and of those with which it was told last. */
  newsMs: number;
  toldNewsMs: number;
  /** The host of the first cause, once one is identified. */
  rootHost: string | null;
  /** Members that speak for the cause that was named; [] when none was, or by a look alone. */
  causeIds: readonly string[];
  /** What was found when it was last looked at; null: not yet. */
  look: Look | null;
  /** Groups that became part of it since it was told. */
  absorbed: string[];
  /** Networks and changes that its hosts share with others. */
  readonly places: Set<string>;
  readonly symptoms: Map<string, Anomaly>;
  readonly evidence: Map<string, Anomaly>;

  #open = 0;
  /** Silences that detection tells apart from those that were cut off together. */
  #ownSilences = 0;
  readonly #hosts = new Map<string, number>();
  readonly #signs = new Map<string, number>();
  readonly #kinds = new Map<string, number>();

  constructor(state: GroupState) {
    const { id, shared, detectedMs, startedMs, firstSymptomMs, lastOnsetMs, windowMs } = state;
    this.id = id;
    this.shared = shared;
    this.siblings = new Set(state.siblings);
    this.detectedMs = detectedMs;
    this.startedMs = startedMs;
    this.firstSymptomMs = firstSymptomMs;
    this.lastOnsetMs = lastOnsetMs;
    this.windowMs = windowMs;
    this.#lastEndMs = state.lastEndMs;
    this.confirmed = state.confirmed;
    this.storm = state.storm;
    this.changed = state.changed;
    this.toldMs = state.toldMs;
    this.newsMs = state.newsMs;
    this.toldNewsMs = state.toldNewsMs;
    this.rootHost = state.rootHost;
    this.causeIds = state.causeIds;
    this.look = state.look;
    this.absorbed = [...state.absorbed];
    this.places = new Set(state.places);
    this.symptoms = new Map(state.symptoms.map((anomaly) => [anomaly.id, anomaly]));
    this.evidence = new Map(state.evidence.map((anomaly) => [anomaly.id, anomaly]));
    for (const symptom of this.symptoms.values()) this.#count(symptom, 1);
  }

  /** A group of one symptom that is still to be put in. */
  static opening(anomaly: Anomaly, nowMs: number, confirmed: boolean): Group {
    return new Group({
      id: anomaly.id,
      shared: anomaly.group ?? null,
      siblings: [],
      detectedMs: nowMs,
      startedMs: anomaly.startedMs,
      firstSymptomMs: anomaly.startedMs,
      lastOnsetMs: anomaly.startedMs,
      windowMs: joinMs,
      lastEndMs: 0,
      confirmed,
      storm: false,
      changed: true,
      toldMs: null,
      newsMs: anomaly.lastMs,
      toldNewsMs: 0,
      rootHost: null,
      causeIds: [],
      look: null,
      absorbed: [],
      places: [],
      symptoms: [],
      evidence: [],
    });
  }

  /** Time when the last symptom ended; null while one is open. */
  get quietSinceMs(): number | null {
    return this.#open > 0 || this.symptoms.size === 0 ? null : this.#lastEndMs;
  }

  /** When the last that speaks for the named cause ended; null while any of it goes on, or nothing is known of it. */
  get causeOverMs(): number | null {
    let overMs: number | null = null;
    for (const id of this.causeIds) {
      const member = this.symptoms.get(id) ?? this.evidence.get(id);
      if (member === undefined || !member.ended) return null;
      overMs = Math.max(overMs ?? 0, member.lastMs);
    }
    return overMs;
  }

  /** What was named as the cause, again. */
  isOfCause(anomaly: Anomaly): boolean {
    const sign = signOf(anomaly);
    return this.causeIds.some((id) => {
      const member = this.symptoms.get(id) ?? this.evidence.get(id);
      return member !== undefined && signOf(member) === sign;
    });
  }

  /** Symptoms that are open. */
  get open(): number {
    return this.#open;
  }

  holds({ id }: Anomaly): boolean {
    return this.symptoms.has(id) || this.evidence.has(id);
  }

  /** Hosts that have a symptom, in the order in which they came. */
  hosts(): IterableIterator<string> {
    return this.#hosts.keys();
  }

  isOn(host: string): boolean {
    return this.#hosts.has(host);
  }

  /** Holds the same thing wrong in the same way, now or before; or foretells what `anomaly` has a share in. */
  knows(anomaly: Anomaly): boolean {
    const foretold = forecastSign(anomaly);
    return (
      (anomaly.role === "symptom" && this.#signs.has(signOf(anomaly))) ||
      (foretold !== null && this.#signs.has(foretold))
    );
  }

  /** The same thing suffers from the same, by another sign. */
  suffers(anomaly: Anomaly): boolean {
    const suffering = sufferingOf(anomaly);
    return anomaly.role === "symptom" && suffering !== null && this.#signs.has(suffering);
  }

  /** Has a symptom of the same resource in the same direction. */
  hasKind(anomaly: Anomaly): boolean {
    return this.#kinds.has(kindOf(anomaly));
  }

  /** Hosts that are cut off together, and a host that is silent for a reason of its own, are never one trouble. */
  mayBeOneWith(other: Group): boolean {
    if (this.shared !== null && other.shared !== null) return false;
    return !(this.#isCut && other.ownSilences > 0) && !(other.#isCut && this.ownSilences > 0);
  }

  get #isCut(): boolean {
    return this.shared?.entity.kind === "network";
  }

  /** Siblings that show the same together, or a place where several kinds of them do. */
  get isOfSiblings(): boolean {
    return this.shared?.entity.kind === "group";
  }

  get ownSilences(): number {
    return this.#ownSilences;
  }

  /** Puts a member in, or in place of its earlier state. Returns members that had to go to make room. */
  put(anomaly: Anomaly): Anomaly[] {
    this.changed = true;
    this.newsMs = Math.max(this.newsMs, anomaly.lastMs);
    const members = anomaly.role === "symptom" ? this.symptoms : this.evidence;
    const before = members.get(anomaly.id);
    members.set(anomaly.id, anomaly);
    if (anomaly.role === "symptom") {
      this.#count(anomaly, 1);
      if (before !== undefined) this.#count(before, -1);
      if (anomaly.ended) this.#lastEndMs = Math.max(this.#lastEndMs, anomaly.lastMs);
    }
    if (before !== undefined) return [];
    this.startedMs = Math.min(this.startedMs, anomaly.startedMs);
    if (anomaly.role === "symptom") this.#grow(anomaly.startedMs);
    return this.#trim(members, anomaly.role === "symptom" ? symptomsMax : evidenceMax);
  }

  /** Takes a member out, for another group. */
  take(anomalyId: string): void {
    const symptom = this.symptoms.get(anomalyId);
    if (symptom !== undefined) this.#count(symptom, -1);
    this.symptoms.delete(anomalyId);
    this.evidence.delete(anomalyId);
  }

  #grow(onsetMs: number): void {
    this.firstSymptomMs = Math.min(this.firstSymptomMs, onsetMs);
    if (onsetMs - this.lastOnsetMs >= growthMs)
      this.windowMs = Math.min(joinMsMax, this.windowMs * windowGrowth);
    this.lastOnsetMs = Math.max(this.lastOnsetMs, onsetMs);
  }

  #trim(members: Map<string, Anomaly>, sizeMax: number): Anomaly[] {
    if (members.size <= sizeMax + trimCount) return [];
    const ended = [...members.values()].filter((member) => member.ended);
    const gone = (ended.length >= trimCount ? ended : [...members.values()]).slice(0, trimCount);
    for (const { id } of gone) this.take(id);
    return gone;
  }

  #count(symptom: Anomaly, by: 1 | -1): void {
    if (!symptom.ended) this.#open += by;
    if (isOwnSilence(symptom)) this.#ownSilences += by;
    add(this.#hosts, symptom.host, by);
    add(this.#signs, signOf(symptom), by);
    const suffering = sufferingOf(symptom);
    if (suffering !== null) add(this.#signs, suffering, by);
    const foretold = forecastSign(symptom);
    if (foretold !== null) add(this.#signs, foretold, by);
    add(this.#kinds, kindOf(symptom), by);
  }

  state(): GroupState {
    const { id, shared, detectedMs, startedMs, firstSymptomMs, lastOnsetMs, windowMs, confirmed } = this;
    const { storm, changed, toldMs, newsMs, toldNewsMs, rootHost, causeIds, look } = this;
    return {
      id,
      shared,
      siblings: [...this.siblings],
      detectedMs,
      startedMs,
      firstSymptomMs,
      lastOnsetMs,
      windowMs,
      confirmed,
      storm,
      changed,
      toldMs,
      newsMs,
      toldNewsMs,
      rootHost,
      causeIds,
      look,
      lastEndMs: this.#lastEndMs,
      absorbed: [...this.absorbed],
      places: [...this.places],
      symptoms: [...this.symptoms.values()],
      evidence: [...this.evidence.values()],
    };
  }
}

export function isOwnSilence({ detector, group }: Anomaly): boolean {
  return detector === "absence" && group === undefined;
}

/** The same thing wrong in the same way. */
function signOf({ host, series, direction }: Anomaly): string {
  return `${host}\n${series}\n${direction}`;
}

/** Null where that says too little: latency and errors of a host may be those of any of its services. */
function sufferingOf({ resource, entity }: Anomaly): string | null {
  if (resource === "none" && entity.kind === "host") return null;
  return `${entityId(entity)}\n${resource}`;
}

/** What is foretold takes hours to be told: what fills the memory that runs out belongs to it whenever that is seen. */
function forecastSign({ detector, resource, host }: Anomaly): string | null {
  return detector === "forecast" && resource === "memory" ? `${host}\nforecast` : null;
}

function kindOf({ resource, kind, direction }: Anomaly): string {
  return `${resource}\n${kind}\n${direction}`;
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
