/**
 * Have we had this before? An incident's fingerprint is the set of what it is like: kinds of entities, metrics and their directions,
 * resources, detectors, severity, size, kinds of changes, services. Two are alike by what they have in common, and what is rare counts
 * for more: a weighted Jaccard index with inverse document frequencies over the incidents that are remembered.
 *
 * (WeBank's library of event fingerprints: choose features, store them, match by weights. The weights here are not chosen but counted.)
 * Cost: a thousand remembered incidents of at most 64 features, looked through when an incident opens or changes.
 */
import { causeConfidenceMin, type Incident, isOver, type Similar } from "#shared/contract/incident.ts";
import { limits } from "#shared/limits.ts";
import type { Suspicion } from "#shared/suspicion.ts";
import { classOf } from "./facts.ts";

const featuresMax = 64;
const membersMax = 50;
/** Below this two incidents have the usual in common and nothing else. */
const likenessMin = 0.5;
const shownMax = 3;

/** Plain JSON. */
export interface Remembered {
  readonly id: string;
  readonly startedMs: number;
  readonly features: readonly string[];
  readonly cause: Similar["cause"];
  /** It ended, so what became of it is known. */
  readonly over: boolean;
}

export class Library {
  /** Oldest first. */
  readonly #known = new Map<string, Remembered>();
  /** In how many of them each feature is. */
  readonly #counts = new Map<string, number>();

  constructor(state: readonly Remembered[] = []) {
    for (const one of state) this.#add(one);
  }

  /** Remembers an incident as it is now; one that was merged is another's. */
  remember(incident: Incident, features: readonly string[]): void {
    const known = this.#known.get(incident.id);
    if (incident.state === "merged") {
      if (known !== undefined) this.#remove(known);
      return;
    }
    const { id, startedMs } = incident;
    const next = { id, startedMs, features, cause: causeOf(incident), over: isOver(incident) };
    if (known !== undefined) this.#count(known, -1);
    this.#add(next);
    this.#trim();
  }

  /** What an operator says of an incident that may have been forgotten elsewhere. */
  correct(incident: Incident): void {
    const known = this.#known.get(incident.id);
    if (known !== undefined) this.#known.set(known.id, { ...known, cause: causeOf(incident) });
  }

  /** Earlier ones that have ended and are like `features`, most alike first. */
  similar(id: string, features: readonly string[]): Similar[] {
    const own = new Set(features);
    const known = new Map<string, number>();
    const rarityOf = (feature: string): number => {
      const before = known.get(feature);
      if (before !== undefined) return before;
      const rarity = this.#rarity(feature);
      known.set(feature, rarity);
      return rarity;
    };
    const total = features.reduce((sum, feature) => sum + rarityOf(feature), 0);
    const found: Similar[] = [];
    for (const one of this.#known.values()) {
      if (!one.over || one.id === id) continue;
      let common = 0;
      let all = total;
      for (const feature of one.features) {
        const rarity = rarityOf(feature);
        if (own.has(feature)) common += rarity;
        else all += rarity;
      }
      const likeness = all === 0 ? 0 : Math.round((100 * common) / all) / 100;
      const { startedMs, cause } = one;
      if (likeness >= likenessMin) found.push({ incident: one.id, startedMs, likeness, cause });
    }
    found.sort(
      (a, b) => b.likeness - a.likeness || b.startedMs - a.startedMs || (a.incident < b.incident ? -1 : 1),
    );
    return found.slice(0, shownMax);
  }

  state(): Remembered[] {
    return [...this.#known.values()];
  }

  /** What everybody has still counts for something, or two that are usual throughout would be alike in nothing. */
  #rarity(feature: string): number {
    return Math.log1p((this.#known.size + 1) / ((this.#counts.get(feature) ?? 0) + 1));
  }

  #add(one: Remembered): void {
    this.#known.set(one.id, one);
    this.#count(one, 1);
  }

  #remove(one: Remembered): void {
    this.#known.delete(one.id);
    this.#count(one, -1);
  }

  #count({ features }: Remembered, by: 1 | -1): void {
    for (const feature of features) {
      const count = (this.#counts.get(feature) ?? 0) + by;
      if (count > 0) this.#counts.set(feature, count);
      else this.#counts.delete(feature);
    }
  }

  /** The oldest goes; what an operator has confirmed goes last. */
  #trim(): void {
    if (this.#known.size <= limits.fingerprintsKeptMax) return;
    const all = [...this.#known.values()];
    this.#remove(all.find(({ cause }) => cause?.confirmed !== true) ?? all[0]!);
  }
}

/** What an operator said, else what was found. */
function causeOf({ confirmedCause, causes }: Incident): Similar["cause"] {
  if (confirmedCause !== null) {
    const { entity, comment } = confirmedCause;
    return { entity, comment, confirmed: true };
  }
  const [first] = causes;
  if (first === undefined || first.confidence < causeConfidenceMin) return null;
  return { entity: first.entity, comment: "", confirmed: false };
}

/** Sorted, without what is never the same again: process ids, numbers of hosts. */
export function featuresOf(suspicion: Suspicion, severity: Incident["severity"]): string[] {
  const features = new Set<string>([`severity ${severity}`]);
  const hosts = new Set<string>();
  for (const { host } of suspicion.symptoms) hosts.add(host);
  features.add(`size ${classOf(hosts.size)}`);
  for (const { kind, relation } of suspicion.changes) if (relation !== "near") features.add(`change ${kind}`);
  const [cause] = suspicion.causes;
  if (cause !== undefined && cause.confidence >= causeConfidenceMin) {
    features.add(`cause ${cause.kind} ${cause.entity.split(":")[0]}`);
    features.add(`origin ${lastingName(cause.entity)}`);
  }
  const members = [...suspicion.symptoms.slice(0, membersMax), ...suspicion.evidence.slice(0, membersMax)];
  for (const { role, metric, direction, kind, resource, detector, entity, host } of members) {
    features.add(`${role} ${metric} ${direction}`);
    features.add(`${role} ${resource} ${kind} ${direction}`);
    features.add(`${role} by ${detector}`);
    features.add(`${role} of ${entity.kind}`);
    features.add(`host ${lastingName(host)}`);
    if (entity.name !== "" && role === "symptom")
      features.add(`part ${entity.kind} ${lastingName(entity.name)}`);
  }
  return [...features].slice(0, featuresMax).sort();
}

function lastingName(name: string): string {
  return name.replaceAll(/\d+/g, "#");
}
