/**
 * What correlation says and the incident machine hears: a group of anomalies that belong together, with ranked causes.
 */
import type { Anomaly } from "./anomaly.ts";
import type { Cause, Evidence, Text } from "./contract/incident.ts";

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
