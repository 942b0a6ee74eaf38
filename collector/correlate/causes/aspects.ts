/**
 * What a series can say of its entity, and how much that counts for.
 *
 * A resource that is used up or a network that delays is a cause; latency and errors are symptoms, that somebody else may have caused;
 * traffic is demand, that comes from the callers. Weights are those of the research ensemble (440 configurations scored on half of four
 * public systems), with latency a little lower and the network's gap a little higher, which is where two systems that do not share a
 * fault agreed (README.md, "what was tried").
 */
import type { Measure } from "./evidence.ts";

export const aspects = [
  "cpu",
  "memory",
  "disk",
  "network",
  "gap",
  "state",
  "latency",
  "edge",
  "errors",
  "queue",
  "traffic",
  "host",
  "other",
] as const;
export type Aspect = (typeof aspects)[number];

interface Weights {
  /** Of an entity's score. */
  readonly entity: number;
  /** Among the metrics of one entity: what is known to be closer to a cause goes first. */
  readonly metric: number;
  /** When it went the way that is usually good: a service that has failed uses little. */
  readonly goodDirection: number;
  readonly role: "cause" | "symptom" | "demand" | "place";
}

const weights: Readonly<Record<Aspect, Weights>> = {
  cpu: { entity: 1, metric: 1.15, goodDirection: 0.4, role: "cause" },
  memory: { entity: 1, metric: 1.1, goodDirection: 0.4, role: "cause" },
  disk: { entity: 0.4, metric: 1, goodDirection: 0.4, role: "cause" },
  network: { entity: 0.6, metric: 0.8, goodDirection: 0.4, role: "cause" },
  gap: { entity: 1.3, metric: 1, goodDirection: 0.3, role: "cause" },
  state: { entity: 1, metric: 1, goodDirection: 0.4, role: "cause" },
  latency: { entity: 0.65, metric: 0.85, goodDirection: 0.3, role: "symptom" },
  edge: { entity: 1.1, metric: 1, goodDirection: 0.3, role: "symptom" },
  errors: { entity: 1, metric: 1, goodDirection: 0.2, role: "symptom" },
  queue: { entity: 0.65, metric: 0.85, goodDirection: 0.3, role: "symptom" },
  traffic: { entity: 0.2, metric: 0.6, goodDirection: 1, role: "demand" },
  host: { entity: 0.2, metric: 0.5, goodDirection: 0.4, role: "place" },
  other: { entity: 0.2, metric: 0.5, goodDirection: 0.4, role: "place" },
};

export const weightOf = aspects.map((aspect) => weights[aspect]);

export const numberOfAspect = Object.fromEntries(
  aspects.map((aspect, number) => [aspect, number]),
) as Readonly<Record<Aspect, number>>;

/** -1 for what is no evidence: context, and what an entity sees of others. */
export function aspectOf({ role, at, kind, resource }: Measure): number {
  if (role === "context" || at === "callees") return -1;
  if (at === "host") return numberOfAspect.host;
  if (kind === "latency") {
    if (at === "gap" || at === "wire") return numberOfAspect.gap;
    return at === "caller" ? numberOfAspect.edge : numberOfAspect.latency;
  }
  if (kind === "errors" && (resource === "none" || resource === "network")) return numberOfAspect.errors;
  if (resource === "cpu") return numberOfAspect.cpu;
  if (resource === "memory") return numberOfAspect.memory;
  if (resource === "disk" || resource === "space") return numberOfAspect.disk;
  // What waits at an entity may wait for another, as its latency may.
  if (kind === "saturation" && resource === "none") return numberOfAspect.queue;
  if (kind === "state") return numberOfAspect.state;
  if (resource === "network") return numberOfAspect.network;
  return kind === "traffic" ? numberOfAspect.traffic : numberOfAspect.other;
}
