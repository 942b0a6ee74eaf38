/**
 * Correlation: anomalies in, suspicions out; pure. It alone sees all hosts, and it sees anomalies, not samples.
 *
 * `grouping.ts` says what belongs together, `rank.ts` what caused it, over what `look.ts` sees of the past, `related-changes.ts` what somebody did before, `story.ts` and
 * `explain.ts` put it into texts. A group is told when it opens and when its last symptom ends, and in between at most every
 * `rerankMs`: what a storm of anomalies costs is in proportion to time, not to their number.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { causeConfidenceMin, type Text } from "#shared/contract/incident.ts";
import { entityId } from "#shared/entity.ts";
import type { HistoryRequest, HostHistory } from "#shared/host-history.ts";
import type { ChangeHistory, Suspicion } from "#shared/suspicion.ts";
import { evidencePerCauseMax, impactTexts, symptomText, toCause, toEvidence } from "./explain.ts";
import type { Group, Members } from "./group.ts";
import { Grouping, type GroupingState } from "./grouping.ts";
import { look } from "./look.ts";
import { historyWanted } from "./looking.ts";
import type { Neighbourhood } from "./neighbourhood.ts";
import { Places } from "./places.ts";
import type { Candidate } from "./candidate.ts";
import { firstOf, rankCauses } from "./rank.ts";
import { type Measured, Rarity, type RarityState } from "./rarity.ts";
import { RelatedChanges, ringsOf, type Trouble } from "./related-changes.ts";
import { surerLook } from "./seen.ts";
import { storyOf } from "./story.ts";

/** Symptoms that an incident shows; a thousand hosts that were cut off need not all be spelled out. */
const shownMax = 50;
/** Members that are ranked: half the strongest, half the first. What a cause needs to be seen is among them, and pairs stay few. */
const rankedSymptomsMax = 128;
const rankedEvidenceMax = 256;
/** Sentences on what failing transactions have in common. */
const dimensionsMax = 2;
export const rerankMs = 5_000;

/** What transactions that fail have in common (`drilldown/`). */
export interface Drilled {
  /** What customers feel, in one sentence; null when nothing can be said of the whole. */
  readonly felt: Text | null;
  /** What explains it, best first. */
  readonly sentences: readonly Text[];
}

export interface Correlate {
  /** The groups that changed because of `anomalies` or of time; `nowMs` is the journal's time. */
  add(anomalies: readonly Anomaly[], nowMs: number): Suspicion[];
  /** The past that is wanted to find causes, of groups that were told; to be given to `look`. */
  wanted(dataMs: number): HistoryRequest[];
  /** The past that `id` asked for; `dataMs` is the time of the newest sample. */
  look(id: string, histories: readonly HostHistory[], dataMs: number, nowMs: number): Suspicion[];
  /** The host's addresses, of which its network follows. */
  locate(host: string, addresses: readonly string[]): void;
  /** Changes were told that may explain what began in the hour after `atMs`. */
  reconsider(atMs: number): void;
  /** The host is gone. */
  forget(host: string): void;
  /** Open anomalies that belong to no group that was told. */
  weakSignals(): number;
  snapshot(): CorrelateState;
}

/** Plain JSON. */
export interface CorrelateState {
  readonly grouping: GroupingState;
  readonly networks: readonly (readonly [string, string])[];
  readonly rarity: RarityState;
}

/** A symptom is noticed about this long after it began; the ranking forgives half a minute less and two minutes more. */
const noticedMs = 30_000;

const noChanges: ChangeHistory = { between: () => [], runsOn: () => false };
const changeMs = 3_600_000;

export function createCorrelate(parts: {
  topology: Neighbourhood;
  changes?: ChangeHistory | undefined;
  /** What the transactions that an anomaly counts have in common. */
  drill?: ((anomaly: Anomaly) => Drilled | null) | undefined;
  state?: CorrelateState | undefined;
}): Correlate {
  const { topology, changes = noChanges, drill = () => null, state } = parts;
  const places = new Places(topology, changes, state?.networks);
  const grouping = new Grouping(topology, places, state?.grouping);
  const related = new RelatedChanges(changes, topology);
  const rarity = new Rarity(state?.rarity);
  const asked: Asked = { topology, related, drill, rarity };
  return {
    add(anomalies, nowMs) {
      grouping.pass(nowMs);
      rarity.advance(nowMs);
      for (const anomaly of anomalies) {
        grouping.place(anomaly, nowMs);
        if (anomaly.ended) rarity.add(anomaly);
      }
      const due = [...grouping.groups.values()].filter((group) => isDue(group, nowMs));
      return due.map((group) => tell(group, asked, nowMs));
    },
    wanted(dataMs) {
      const wanted = [...grouping.groups.values()].map((group) => historyWanted(group, topology, dataMs));
      return wanted.filter((request) => request !== null);
    },
    look(id, histories, dataMs, nowMs) {
      const group = grouping.groups.get(id);
      if (group === undefined) return [];
      const symptoms = [...group.symptoms.values()].sort(worstFirst);
      const detectedMs = group.firstSymptomMs + noticedMs;
      const rarityOf = (measured: Measured): number | undefined => rarity.of(measured);
      const lookedFor = { detectedMs, leading: symptoms[0]!, before: group.look, rarityOf };
      group.look = surerLook(group.look, look(histories, topology, lookedFor, dataMs), symptoms);
      return [tell(group, asked, nowMs)];
    },
    locate: (host, addresses) => places.locate(host, addresses),
    reconsider(atMs) {
      for (const group of grouping.groups.values()) {
        const agoMs = group.firstSymptomMs - atMs;
        if (group.quietSinceMs === null && Math.abs(agoMs) <= changeMs) group.changed = true;
      }
    },
    forget(host) {
      places.forget(host);
      rarity.forget(host);
    },
    weakSignals() {
      const pending = [...grouping.groups.values()].filter(({ confirmed }) => !confirmed);
      const open = [...grouping.weak.values()].filter(({ ended }) => !ended);
      return open.length + pending.reduce((sum, group) => sum + group.open, 0);
    },
    snapshot: () => ({
      grouping: grouping.state(),
      networks: places.state(),
      rarity: rarity.state(),
    }),
  };
}

/** By the data's time first: what a collector that catches up tells must not depend on how fast it does. */
function isDue(group: Group, nowMs: number): boolean {
  const { changed, confirmed, toldMs, newsMs, toldNewsMs, quietSinceMs, absorbed } = group;
  if (!changed || !confirmed) return false;
  if (toldMs === null || quietSinceMs !== null || absorbed.length > 0) return true;
  return newsMs - toldNewsMs >= rerankMs || nowMs - toldMs >= rerankMs;
}

/** What telling a group asks others. */
interface Asked {
  readonly topology: Neighbourhood;
  readonly related: RelatedChanges;
  readonly drill: (anomaly: Anomaly) => Drilled | null;
  readonly rarity: Rarity;
}

function tell(group: Group, { topology, related, drill, rarity }: Asked, nowMs: number): Suspicion {
  const symptoms = [...group.symptoms.values()].sort(worstFirst);
  const members = ranked(group, symptoms);
  const candidates = rankCauses(
    members,
    topology,
    (entity, onsetMs) => related.bonus(entity, onsetMs),
    (anomaly) => rarity.of(anomaly),
  );
  const firstSymptomMs = firstOf(symptoms);
  const causes = candidates.map((candidate) => toCause(candidate, candidates, firstSymptomMs));
  const [first] = candidates;
  const named = first !== undefined && first.confidence >= causeConfidenceMin ? first : null;
  // When what is blamed began; evidence of anything else says nothing about when the trouble did.
  const startedMs = named === null ? firstSymptomMs : Math.min(firstSymptomMs, firstOf(named.evidence));
  const all = [...members.symptoms.values(), ...members.evidence.values()];
  const trouble: Trouble = {
    onsetMs: startedMs,
    isOn: (host) => group.isOn(host),
    members: all,
    rings: ringsOf(all, topology),
  };
  const action = named?.action?.change.id;
  const changes = related.related(trouble, named?.entity ?? null, action);
  const { absorbed } = group;
  group.changed = false;
  group.toldMs = nowMs;
  group.toldNewsMs = group.newsMs;
  group.absorbed = [];
  group.rootHost = rootHostOf(named);
  const spoken = named?.evidence.slice(0, evidencePerCauseMax) ?? [];
  group.causeIds = spoken.filter((one) => group.holds(one)).map(({ id }) => id);
  const leading = symptoms[0]!;
  const drilled = leading.detector === "counts" ? drill(leading) : null;
  const felt = drilled?.felt ?? null;
  const inCommon = drilled?.sentences.slice(0, dimensionsMax) ?? [];
  return {
    id: group.id,
    startedMs,
    detectedMs: group.detectedMs,
    symptoms,
    shown: symptoms.slice(0, shownMax).map(toEvidence),
    symptomText: felt ?? symptomText(leading),
    evidence: [...group.evidence.values()].sort(worstFirst),
    causes,
    impact: felt === null ? [...impactTexts(symptoms), ...inCommon] : [felt, ...inCommon],
    story: storyOf({ causes, symptoms, changes, ruledOut: related.ruledOut(trouble, action) }),
    changes,
    absorbed,
    active: group.quietSinceMs === null,
    fingerprint: fingerprintOf(group, leading),
  };
}

/** So many of the members that looking at pairs of them stays cheap. */
function ranked(group: Group, worst: readonly Anomaly[]): Members {
  const { startedMs, lastOnsetMs, evidence } = group;
  if (worst.length <= rankedSymptomsMax && evidence.size <= rankedEvidenceMax) return group;
  const first = [...worst].sort((a, b) => a.startedMs - b.startedMs || (a.id < b.id ? -1 : 1));
  const half = rankedSymptomsMax / 2;
  const symptoms = keyed([...worst.slice(0, half), ...first.slice(0, half)]);
  const hosts = new Set([...symptoms.values()].map(({ host }) => host));
  const near = (one: Anomaly): number => Number(hosts.has(one.host));
  const strongest = [...evidence.values()].sort((a, b) => near(b) - near(a) || worstFirst(a, b));
  return {
    startedMs,
    lastOnsetMs,
    symptoms,
    evidence: keyed(strongest.slice(0, rankedEvidenceMax)),
    look: group.look,
  };
}

function keyed(anomalies: readonly Anomaly[]): Map<string, Anomaly> {
  return new Map(anomalies.map((anomaly) => [anomaly.id, anomaly]));
}

/** What is to blame is on a host, unless it is what many share. */
function rootHostOf(cause: Candidate | null): string | null {
  if (cause === null || cause.entity.kind === "network" || cause.entity.kind === "group") return null;
  return cause.entity.host;
}

function fingerprintOf({ shared }: Group, { host, resource, entity, metric }: Anomaly): string {
  if (shared !== null) return `${entityId(shared.entity)}|${resource}`;
  // Latency and errors of a host may be those of any of its services: another metric is other trouble.
  if (resource === "none" && entity.kind === "host") return `${host}|${metric}`;
  return `${host}|${resource}|${entity.kind}|${entity.name}`;
}

/** Transactions are what customers feel; requests may be anybody's. */
function felt({ detector, reasons: [reason] }: Anomaly): number {
  if (detector !== "counts") return 0;
  return reason?.args["what"] === "transactions" ? 2 : 1;
}

/** Open before ended, what customers feel before what only we see, then by score, then by id: the same group always reads the same. */
function worstFirst(a: Anomaly, b: Anomaly): number {
  return (
    Number(a.ended) - Number(b.ended) || felt(b) - felt(a) || b.score - a.score || (a.id < b.id ? -1 : 1)
  );
}
