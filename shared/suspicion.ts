/**
 * What correlation says and the incident machine hears: a group of anomalies that belong together, with ranked causes.
 */
import type { Anomaly } from "./anomaly.ts";
import type { Change } from "./contract/change.ts";
import type { Cause, Evidence, RelatedChange, Story, Text } from "./contract/incident.ts";
import type { Entity } from "./entity.ts";

export interface Suspicion {
  /** Stable for the life of the group: the id of the symptom that opened it. */
  readonly id: string;
  /** Onset of the earliest anomaly, and the time on the journal's line when the group was opened. */
  readonly startedMs: number;
  readonly detectedMs: number;
  /** What customers or operators feel; at least one. Strongest first. */
  readonly symptoms: readonly Anomaly[];
  /** The symptoms as the incident shows them, in the same order, and the first of them as a sentence. */
  readonly shown: readonly Evidence[];
  readonly symptomText: Text;
  /** What else was abnormal on the same or neighbouring hosts. */
  readonly evidence: readonly Anomaly[];
  /** At most three, most likely first; may be empty. */
  readonly causes: readonly Cause[];
  readonly impact: readonly Text[];
  readonly story: Story;
  /** What was changed nearby, most telling first. */
  readonly changes: readonly RelatedChange[];
  /** Groups that turned out to be this one since it was last told, by their ids. */
  readonly absorbed: readonly string[];
  /** True while any symptom is open. */
  readonly active: boolean;
  /** What kind of trouble this is and where: a group with the same fingerprint soon after is the same trouble again. */
  readonly fingerprint: string;
}

/** Who talks to whom, as correlation needs it. */
export interface ServiceGraph {
  /** Connections between two hosts: 0 for the same host, 1 when one calls the other, more up to `max`, else Infinity. */
  hops(hostA: string, hostB: string, max: number): number;
  /** Whether something on `caller` uses something on `callee`. */
  calls(caller: string, callee: string): boolean;
}

/** What was changed on purpose, as correlation needs it. */
export interface ChangeHistory {
  /** Those made from `fromMs` to `toMs`, oldest first; equal times by id. */
  between(fromMs: number, toMs: number): readonly Change[];
  /** Whether a service of this name was seen on the host. */
  runsOn(service: string, host: string): boolean;
}

/** What of an edge has been seen. */
export interface EdgeFigures {
  /** Connections open at one time, averaged with a half-life of an hour; falls to 0 while none is seen. */
  readonly connections: number;
  /** Calls told by spans, averaged likewise. */
  readonly callsPerHour: number;
  /** Round-trip time of the network between both; null if nobody has measured it lately. */
  readonly rttSeconds: number | null;
  /** Segments that had to be sent again; null likewise. */
  readonly retransmitsPerSecond: number | null;
  /** Attempts to connect that nobody answers, now. */
  readonly unreachable: number;
  /** Null for what was only declared. */
  readonly lastSeenMs: number | null;
  /** Not seen for an hour: kept, because it may be a batch's. Never of what was declared. */
  readonly stale: boolean;
}

/** Who uses whom. Each end is a service of a host, a host (nobody knows which of its services) or an endpoint without an agent. */
export interface DependencyEdge extends EdgeFigures {
  readonly caller: Entity;
  readonly callee: Entity;
}

/** `ServiceGraph`, down to services and with figures. Entities are services or hosts; lists are sorted by entity id. */
export interface DependencyGraph extends ServiceGraph {
  /** Hosts that `host` calls or is called by, sorted. */
  neighbours(host: string): string[];
  callees(caller: Entity): DependencyEdge[];
  callers(callee: Entity): DependencyEdge[];
  /** The same as `hops`, from service to service; a host as an end stands for any of its services. */
  serviceHops(a: Entity, b: Entity, max: number): number;
  /** Where the host stands; null if nobody has said so. */
  zoneOf(host: string): string | null;
}
