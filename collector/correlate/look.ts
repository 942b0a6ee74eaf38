/**
 * Looks at everything that a group's hosts and their neighbours measured around its beginning, whether it was told as abnormal or not,
 * and asks `causes/` who is to blame.
 *
 * Anomalies alone say what crossed a threshold. A cause often does not, or does so after those that suffer from it; and that a
 * resource was as usual is known only to who looks at it. Entities are places here: a service, or its host with all that belongs to
 * it (disks, filesystems, interfaces). A process is its service. The answer is kept as plain data: a few places with their evidence, in the
 * shape of anomalies, so that it is told like any other evidence.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { type Entity, entityId } from "#shared/entity.ts";
import type { HistorySeries, HostHistory } from "#shared/host-history.ts";
import { isOfCallees, type Meaning, meaningOf } from "#shared/semantics.ts";
import { labelValue } from "#shared/series.ts";
import { rankCauses, usualScoreOf } from "./causes/causes.ts";
import type {
  EvidenceEntity,
  EvidenceSeries,
  EvidenceWindow,
  Measure,
  SeriesEvidence,
} from "./causes/evidence.ts";
import type { Neighbourhood } from "./neighbourhood.ts";
import type { Measured } from "./rarity.ts";

/** Places that are kept of a look. */
const blamedMax = 5;
/** A place with less than this share of the first one's score explains nothing. */
const blamedShareMin = 0.2;
const evidenceMax = 4;
/** What came so shortly before the trouble was noticed came with it. */
const newMs = 150_000;
/** How many usual deviations are still expected, for the band that is shown. */
const bandDeviations = 3;
const scoreMax = 7.9;

export interface BlamedPlace {
  readonly entity: Entity;
  /** Of the first one's score: 1 for the first. */
  readonly share: number;
  readonly confidence: number;
  /** Strongest first. */
  readonly evidence: readonly Anomaly[];
}

/** What a look has found. Plain JSON. */
export interface Look {
  readonly atMs: number;
  /** What the best of these places scores while nothing is wrong; null: that is not known. */
  readonly usualScore: number | null;
  /** Best first; [] when nothing strays. */
  readonly blamed: readonly BlamedPlace[];
  /** Of a process that was seen: its place, by entity id. */
  readonly places: Readonly<Record<string, string>>;
}

export interface LookedFor {
  /** When the trouble was noticed, and where it is felt. */
  readonly detectedMs: number;
  readonly leading: Pick<Anomaly, "entity" | "kind">;
  /** The look before this one. */
  readonly before: Look | null;
  /** How rarely a series is abnormal (`rarity.ts`); undefined when it is not known. */
  readonly rarityOf?: ((measured: Measured) => number | undefined) | undefined;
}

interface Seen {
  readonly host: string;
  readonly meaning: Meaning;
  readonly history: HistorySeries;
}

export function look(
  histories: readonly HostHistory[],
  graph: Neighbourhood,
  { detectedMs, leading, before, rarityOf = () => undefined }: LookedFor,
  nowMs: number,
): Look {
  const places = new Places(histories, graph);
  const seen = new Map<string, Seen>();
  const series: EvidenceSeries[] = [];
  for (const { host, timesMs, series: all } of histories) {
    for (const history of all) {
      const meaning = meaningOf(history.series, host);
      if (meaning.role === "context" || isEcho(meaning.entity)) continue;
      const of = places.of(host, history, meaning);
      if (of === null) continue;
      const id = `${host}\n${history.id}`;
      seen.set(id, { host, meaning, history });
      const { metric } = history.series;
      const rarity = rarityOf({ host, series: history.id, metric, entity: meaning.entity });
      const known = rarity === undefined ? {} : { rarity };
      const values = meaning.bornAtZero ? fromZero(history.values) : history.values;
      series.push({ id, ...of, ...known, timesMs, values });
    }
  }
  const window: EvidenceWindow = {
    detectedMs,
    series,
    calls: places.calls(),
    entities: places.entities(detectedMs),
    peers: places.peers(),
    breached: { entity: entityId(places.placeOf(leading.entity)), kind: leading.kind },
  };
  const usualScore = before?.usualScore ?? usualScoreOf(window) ?? null;
  const ranking = rankCauses(usualScore === null ? window : { ...window, usualScore });
  const first = ranking.causes[0]?.score ?? 0;
  const blamed = ranking.causes
    .filter(({ score }) => score >= blamedShareMin * first)
    .slice(0, blamedMax)
    .map(({ entity, score, confidence, evidence }) => ({
      entity: places.entity(entity),
      share: Math.round((100 * score) / first) / 100,
      confidence: Math.round(100 * confidence) / 100,
      evidence: evidence.slice(0, evidenceMax).map((one) => told(one, seen.get(one.series)!, nowMs)),
    }))
    .filter(({ evidence }) => evidence.length > 0);
  return { atMs: nowMs, usualScore, blamed, places: places.ofProcesses() };
}

/** The place of an entity of a group, as the look knows it. */
export function placeIn({ places }: Look, entity: Entity): string {
  const id = entityId(entity);
  return places[id] ?? entityId(placeWithout(entity));
}

/** Whether it is a process that the look has seen. */
export function isKnown({ places }: Look, entity: Entity): boolean {
  return places[entityId(entity)] !== undefined;
}

/** A control group tells what its service tells; a port and an agent are no places. */
function isEcho({ kind }: Entity): boolean {
  return kind === "cgroup" || kind === "agent" || kind === "port";
}

function placeWithout(entity: Entity): Entity {
  if (entity.kind === "service" || entity.kind === "network" || entity.kind === "group") return entity;
  return { kind: "host", host: entity.host, name: "" };
}

class Places {
  readonly #known = new Map<string, Entity>();
  /** Of a process' entity id: its service. */
  readonly #services = new Map<string, Entity>();
  /** Services by their plain names; null where several hosts have one. */
  readonly #byName = new Map<string, Entity | null>();

  /** When each place was first measured; 0: as long as is looked back. */
  readonly #sinceMs = new Map<string, number>();
  readonly #graph: Neighbourhood;

  constructor(histories: readonly HostHistory[], graph: Neighbourhood) {
    this.#graph = graph;
    for (const { host, timesMs, series } of histories) {
      for (const { series: one, values } of series) {
        const { entity } = meaningOf(one, host);
        const service = labelValue(one.labels, "service.name");
        if (entity.kind === "process" && service !== undefined && service !== "")
          this.#services.set(entityId(entity), { kind: "service", host, name: service });
        if (entity.kind === "peer") continue;
        const place = this.placeOf(entity);
        this.#know(place);
        this.#see(entityId(place), timesMs, values);
      }
    }
  }

  /** A place is as old as the oldest of its series; what was there when its host was first heard has always been. */
  #see(place: string, timesMs: Float64Array, values: Float64Array): void {
    const first = values.findIndex((value) => !Number.isNaN(value));
    if (first < 0) return;
    const sinceMs = first === 0 ? 0 : timesMs[first]!;
    this.#sinceMs.set(place, Math.min(sinceMs, this.#sinceMs.get(place) ?? Number.POSITIVE_INFINITY));
  }

  #know(place: Entity): void {
    const id = entityId(place);
    if (this.#known.has(id)) return;
    this.#known.set(id, place);
    if (place.kind !== "service") return;
    this.#byName.set(place.name, this.#byName.has(place.name) ? null : place);
  }

  placeOf(entity: Entity): Entity {
    return this.#services.get(entityId(entity)) ?? placeWithout(entity);
  }

  /** Who a series is about, who calls it, and where it was measured; null when nobody knows. */
  of(
    host: string,
    { series }: HistorySeries,
    meaning: Meaning,
  ): { readonly entity: string; readonly caller?: string; readonly measure: Measure } | null {
    const { kind, resource, role, badDirection, unit, floor, floorShare } = meaning;
    const measure = { kind, resource, role, badDirection, unit, floor, floorShare, ...fullOf(meaning) };
    // What lies between both ends is the network's.
    const at = kind === "latency" && resource === "network" ? "gap" : "caller";
    if (meaning.entity.kind === "peer") {
      const ends = this.#graph.callOf?.(host, series);
      if (ends === undefined) return null;
      const [caller, entity] = [this.#end(ends.caller), this.#end(ends.callee)];
      return { entity, caller, measure: { ...measure, at: at === "gap" ? "wire" : at } };
    }
    const caller = labelValue(series.labels, "caller");
    const callee = labelValue(series.labels, "callee");
    if (caller === undefined || callee === undefined) {
      const where = isOfCallees(series.metric) ? "callees" : "itself";
      return { entity: entityId(this.placeOf(meaning.entity)), measure: { ...measure, at: where } };
    }
    return {
      entity: this.#named(callee, meaning.entity.host),
      caller: this.#named(caller, meaning.entity.host),
      measure: { ...measure, at },
    };
  }

  /** Of a connection; an endpoint outside becomes known by it. */
  #end(end: Entity): string {
    if (end.kind !== "peer") return entityId(this.placeOf(end));
    this.#know(end);
    return entityId(end);
  }

  /** A service that a caller names: the one that is known, else an endpoint that only its callers see. */
  #named(name: string, host: string): string {
    const here: Entity = { kind: "service", host, name };
    const place = this.#known.get(entityId(here)) ?? this.#byName.get(name) ?? null;
    return place === null ? `peer:${name}` : entityId(place);
  }

  calls(): [caller: string, callee: string][] {
    return [...this.#known].flatMap(([id, place]) =>
      (this.#graph.callees?.(place) ?? []).map(({ callee }): [string, string] => [id, this.#end(callee)]),
    );
  }

  entities(detectedMs: number): EvidenceEntity[] {
    return [...this.#known].map(([id, { kind, host }]) => {
      if (kind === "peer") return { id, remote: true };
      if (kind !== "service") return { id };
      const isNew = (this.#sinceMs.get(id) ?? 0) > detectedMs - newMs;
      return { id, host: entityId({ kind: "host", host, name: "" }), isNew };
    });
  }

  /** One service on several hosts: what all of them show is none's own. */
  peers(): string[][] {
    const services = [...this.#known.values()].filter(({ kind }) => kind === "service");
    const named = Map.groupBy(services, ({ name }) => name);
    return [...named.values()]
      .filter((same) => same.length > 1)
      .map((same) => same.map((place) => entityId(place)));
  }

  entity(id: string): Entity {
    return this.#known.get(id) ?? { kind: "peer", host: id.replace(/^peer:/, ""), name: "" };
  }

  ofProcesses(): Record<string, string> {
    return Object.fromEntries([...this.#services].map(([id, service]) => [id, entityId(service)]));
  }
}

/** What did not exist yet used nothing. */
function fromZero(values: Float64Array): Float64Array {
  const born = values.findIndex((value) => !Number.isNaN(value));
  return born <= 0 ? values : values.slice().fill(0, 0, born);
}

function fullOf({ kind, unit }: Meaning): { full?: number } {
  if (unit === "1" && (kind === "utilisation" || kind === "saturation" || kind === "errors"))
    return { full: 1 };
  return {};
}

/** Evidence in the shape of an anomaly: what it would have said if it had crossed a threshold. */
function told(evidence: SeriesEvidence, { host, meaning, history }: Seen, nowMs: number): Anomaly {
  const { direction, usual, value, deviations, sinceMs, weight } = evidence;
  const band = (bandDeviations * Math.abs(value - usual)) / Math.max(1, Math.abs(deviations));
  const { kind, resource, role, unit, entity } = meaning;
  return {
    id: `${host}|${history.id}|look`,
    host,
    entity,
    series: history.id,
    metric: history.series.metric,
    kind,
    resource,
    role,
    unit,
    detector: "level",
    direction,
    startedMs: sinceMs,
    lastMs: nowMs,
    ended: false,
    value,
    expectedLow: usual - band,
    expectedHigh: usual + band,
    score: Math.min(scoreMax, Math.round(100 * weight) / 100),
    hostShare: null,
    provisional: false,
    completeness: 1,
    reasons: [
      {
        key: "reason.look",
        effect: "raised",
        args: { deviations: Math.round(10 * Math.abs(deviations)) / 10 },
      },
    ],
  };
}
