/**
 * Policy: what detection is told about a series beyond its samples. Which direction is bad, how large a deviation must be to matter,
 * where trouble is certain, what values are possible, how sensitive to be, whether to judge at all.
 *
 * The defaults follow from what the metric means (`shared/semantics.ts`), by kind and unit, never by name. The operator's rules change
 * them for the series that they match, in order: later rules win, key by key. A policy is resolved when a series is
 * defined; equal policies share one index, so that a host's series hold a small number each and nothing is looked up per sample.
 */
import { limits } from "#shared/limits.ts";
import { meaningOf, type Meaning, type MetricKind, type Role } from "#shared/semantics.ts";
import type { Series } from "#shared/series.ts";
import type { SeriesPool } from "#shared/series-pool.ts";
import { type Calendar, type CalendarData, usualCalendar } from "./calendar.ts";
import type { Maintenance, MaintenanceWindow } from "./maintenance.ts";
import { type Match, matcherOf } from "./match.ts";
import type { PeerGroup } from "./peers/peers.ts";
import { priorOf } from "./priors.ts";
import type { Tick } from "./tick.ts";

export type Direction = Meaning["badDirection"];

/** A number with the unit it was written in: "5%", "64MiB" and "20ms" do not fit every series; "" fits all. */
export interface Amount {
  readonly value: number;
  readonly unit: "" | "1" | "By" | "s";
}

/** What a rule changes; a key that is absent changes nothing. */
export interface PolicySet {
  /** Another kind brings that kind's bad direction and range along. */
  readonly kind?: MetricKind;
  readonly role?: Exclude<Role, "context">;
  readonly direction?: Direction;
  readonly smallestDeviation?: Amount;
  readonly smallestShare?: number;
  readonly bound?: Amount;
  readonly range?: readonly [low: Amount, high: Amount];
  /** 2: half the deviation is enough. 0.5: twice as much is wanted. */
  readonly sensitivity?: number;
  readonly judge?: boolean;
  readonly intervalMs?: number;
}

export interface PolicyRule {
  readonly match: Match;
  readonly set: PolicySet;
}

/** Everything that the operator decides about detection. Data: the journal and this give the same verdicts, always. */
export interface DetectPolicy {
  readonly rules: readonly PolicyRule[];
  readonly calendar: CalendarData;
  readonly maintenance: readonly MaintenanceWindow[];
  /** A host that was not heard for this long counts as taken out of service. */
  readonly hostGoneMs: number;
  /** Hosts that are compared with each other, beside those whose names say so. */
  readonly peerGroups: readonly PeerGroup[];
}

export const usualPolicy: DetectPolicy = {
  rules: [],
  calendar: usualCalendar,
  maintenance: [],
  hostGoneMs: limits.hostGoneMs,
  peerGroups: [],
};

/** One series' policy, in the unit that is judged (of a counter: per second). */
export interface SeriesPolicy {
  readonly kind: MetricKind;
  readonly role: Role;
  readonly badDirection: Direction;
  /** Smallest deviation that matters, and the same as a share of the expected value. */
  readonly floor: number;
  readonly floorShare: number;
  /** Where trouble is certain without any history, in the bad direction (upwards when both are bad); NaN: nowhere. */
  readonly bound: number;
  /** Beyond the bound is trouble even when it is usual there. */
  readonly boundAlways: boolean;
  /** Values that are possible at all. */
  readonly rangeLow: number;
  readonly rangeHigh: number;
  /** How often it has a value; 0: at every tick of its host. */
  readonly intervalMs: number;
  /** Multiplies the threshold of every detector: 0.5 to 4. */
  readonly thresholdFactor: number;
  /** What its kind usually varies by: an amount, NaN where that is not known, and a share of the level. */
  readonly usualDeviation: number;
  readonly usualShare: number;
  readonly judged: boolean;
  /** It is told ahead when it will run out, where that can be known. */
  readonly foretold: boolean;
}

export const sensitivityMin = 0.25;
export const sensitivityMax = 2;

/** What a kind brings when a rule says that a series is of it. */
const directions: Readonly<Record<MetricKind, Direction>> = {
  utilisation: "up",
  saturation: "up",
  errors: "up",
  latency: "up",
  traffic: "both",
  state: "both",
  counter: "both",
};
export const metricKinds = Object.keys(directions) as readonly MetricKind[];

/** A series' policy, by its index, and what it means under that. */
export interface Resolved {
  readonly policy: number;
  readonly meaning: Meaning;
}

export class Policies {
  /** By index. */
  readonly all: SeriesPolicy[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #rules: readonly {
    readonly fits: ReturnType<typeof matcherOf>;
    readonly set: PolicySet;
  }[];

  readonly #speakOfHosts: boolean;
  readonly #resolved = new WeakMap<Series, Resolved>();

  constructor(rules: readonly PolicyRule[]) {
    this.#speakOfHosts = rules.some(({ match }) => match.some(([name]) => name === "host"));
    this.#rules = rules.map(({ match, set }) => ({ fits: matcherOf(match), set }));
  }

  /**
   * What is known of `series` when it is defined. Found once for all hosts that have it, unless a rule speaks of hosts: the meaning's
   * entity is then some host's, of which only the kind counts.
   */
  resolve(series: Series, host: string): Resolved {
    const known = this.#resolved.get(series);
    if (known !== undefined) return known;
    const meaning = meaningOf(series, host);
    const policy = this.of(series, host, meaning);
    const resolved = { policy, meaning: meaningUnder(meaning, this.all[policy]!) };
    if (!this.#speakOfHosts) this.#resolved.set(series, resolved);
    return resolved;
  }

  /** The index in `all` of what holds for `series` of `host`, which means `meaning`. */
  of(series: Series, host: string, meaning: Meaning): number {
    const set: PolicySet = {};
    // A rule matches what the metric means by itself: not the kind that an earlier rule gave it.
    for (const rule of this.#rules)
      if (rule.fits(series, host, meaning.kind)) Object.assign(set, fitting(rule.set, meaning.unit));
    const policy = resolved(meaning, set);
    const key = Object.values(policy).join(" ");
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.all.length);
    return this.all.push(policy) - 1;
  }
}

/** What every host's series are judged by, beside their history. */
export interface HostRules {
  readonly policies: Policies;
  readonly maintenance: Maintenance;
  readonly calendar: Calendar;
  /** One for all hosts: it is filled, judged and done with before the next host's tick. */
  readonly tick: Tick;
  readonly pool: SeriesPool;
}

function resolved(meaning: Meaning, set: PolicySet): SeriesPolicy {
  const kind = set.kind ?? meaning.kind;
  const badDirection = set.direction ?? (set.kind === undefined ? meaning.badDirection : directions[kind]);
  const judged = set.judge ?? (meaning.role !== "context" || set.role !== undefined);
  const role = set.role ?? (judged && meaning.role === "context" ? "evidence" : meaning.role);
  const [low, high] = rangeOf(kind, badDirection, meaning);
  const prior = priorOf({ ...meaning, kind });
  // A bound says where trouble begins in one direction: where the other one is bad, it says nothing.
  const turned = (badDirection === "down") !== (meaning.badDirection === "down");
  const usualBound = turned ? Number.NaN : (meaning.bound ?? Number.NaN);
  return {
    kind,
    role,
    badDirection,
    floor: set.smallestDeviation?.value ?? meaning.floor,
    floorShare: set.smallestShare ?? meaning.floorShare,
    bound: set.bound?.value ?? usualBound,
    boundAlways: set.bound !== undefined || meaning.resource === "space" || meaning.resource === "memory",
    rangeLow: set.range?.[0].value ?? low,
    rangeHigh: set.range?.[1].value ?? high,
    intervalMs: set.intervalMs ?? 0,
    thresholdFactor: 1 / (set.sensitivity ?? 1),
    usualDeviation: prior.deviation,
    usualShare: prior.share,
    judged,
    foretold: set.judge !== false,
  };
}

/** Nothing that is counted or timed is below 0; a share of something is not above 1. A state may be any number. */
function rangeOf(kind: MetricKind, bad: Direction, { unit, rate, capacity }: Meaning): [number, number] {
  const counted = rate || (kind !== "state" && kind !== "counter");
  const low = counted ? 0 : Number.NEGATIVE_INFINITY;
  const used = kind === "utilisation" && capacity === "none";
  const succeeded = kind === "errors" && bad === "down";
  if (!used && !succeeded) return [low, Number.POSITIVE_INFINITY];
  if (unit === "%") return [low, 100];
  return [low, unit === "1" || unit === "s/s" ? 1 : Number.POSITIVE_INFINITY];
}

/** Without the amounts that are of another unit: "64MiB" says nothing about a latency that the rule matches as well. */
function fitting(set: PolicySet, unit: string): PolicySet {
  const { smallestDeviation, bound, range, ...rest } = set;
  return {
    ...rest,
    ...(smallestDeviation !== undefined && isOf(smallestDeviation, unit) ? { smallestDeviation } : {}),
    ...(bound !== undefined && isOf(bound, unit) ? { bound } : {}),
    ...(range?.every((end) => isOf(end, unit)) === true ? { range } : {}),
  };
}

function isOf(amount: Amount, unit: string): boolean {
  // What a scraped metric is measured in is not always said.
  if (amount.unit === "" || unit === "") return true;
  if (amount.unit === "1") return unit === "1" || unit === "s/s";
  return amount.unit === unit || (amount.unit === "By" && unit === "By/s");
}

/** What the series means under its policy: for describing what was found. */
export function meaningUnder(meaning: Meaning, policy: SeriesPolicy): Meaning {
  const { bound: _, runsOut, ...rest } = meaning;
  const { kind, role, badDirection, floor, floorShare, bound, foretold } = policy;
  return {
    ...rest,
    kind,
    role,
    badDirection,
    floor,
    floorShare,
    ...(Number.isNaN(bound) ? {} : { bound }),
    ...(runsOut === undefined || !foretold ? {} : { runsOut }),
  };
}
