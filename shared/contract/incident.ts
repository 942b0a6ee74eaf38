/**
 * The incident, as the API and the live protocol show it. The schemas are the one source of its types.
 *
 * No sentence travels: a text is `{key, args}`, and whoever shows it renders it in the reader's language from
 * `shared/text/`. All times are milliseconds since 1970 UTC, on the collector's time line.
 */
import * as z from "zod/mini";
import { entityKinds } from "../entity.ts";
import { changeKinds } from "./change.ts";

const timeMs = z.int();

export const textSchema = z.object({
  key: z.string(),
  args: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type Text = z.infer<typeof textSchema>;

export const severities = ["info", "warning", "major", "critical"] as const;
export type Severity = (typeof severities)[number];

export const evidenceSchema = z.object({
  host: z.string(),
  /** Canonical series id; empty when the evidence is a silence (`metric` is empty then too) or a host as a whole. */
  series: z.string(),
  metric: z.string(),
  entity: z.string(),
  unit: z.string(),
  direction: z.enum(["up", "down"]),
  startedMs: timeMs,
  lastMs: timeMs,
  ended: z.boolean(),
  value: z.number(),
  /** What was expected when the anomaly began. */
  expectedLow: z.number(),
  expectedHigh: z.number(),
  /** -log10 of the probability under the series' own history, 0 to 16. */
  score: z.number(),
  provisional: z.boolean(),
  reasons: z.array(
    z.object({ key: z.string(), effect: z.enum(["raised", "lowered"]), args: textSchema.shape.args }),
  ),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** What kind of thing the cause is. Latency and errors are never a cause: they are what a cause does to others. */
export const causeKinds = ["saturation", "demand", "state_change", "silence", "exhaustion"] as const;

export const causeSchema = z.object({
  entity: z.string(),
  kind: z.enum(causeKinds),
  /** 0 to 1. A first cause below `causeConfidenceMin` is shown as "cause not identified". */
  confidence: z.number(),
  text: textSchema,
  evidence: z.array(evidenceSchema),
  counterEvidence: z.array(textSchema),
  /** What somebody did shortly before, that speaks for this cause; its id is one of the incident's `changes`. */
  action: z.optional(z.string()),
});
export type Cause = z.infer<typeof causeSchema>;

/** Below this a cause is a guess, and the honest answer is that it is not identified. */
export const causeConfidenceMin = 0.4;

/** What an operator says of an incident once it is understood; the series that it showed are judged accordingly. */
export const verdicts = ["useful", "noise"] as const;
export type Verdict = (typeof verdicts)[number];

/**
 * Where an incident is in its life.
 *
 * updating: open, and it has grown or changed since it was told. recovering: every sign is gone, and it waits to see whether they come
 * back. reopened: open again after it had resolved. flapping: it came and went so often that it is held open until it is calm.
 * merged: it turned out to be one with `mergedInto`, and goes on there. expired: nothing was heard of it for two days.
 */
export const incidentStates = [
  "open",
  "updating",
  "recovering",
  "resolved",
  "reopened",
  "flapping",
  "merged",
  "expired",
] as const;
export type IncidentState = (typeof incidentStates)[number];

/** Nothing more is expected of it; `resolvedMs` says since when. */
export function isOver({ state }: { readonly state: IncidentState }): boolean {
  return state === "resolved" || state === "merged" || state === "expired";
}

/** How a change is related to what is to blame, nearest first. near: at most two calls away from what is abnormal. */
export const changeRelations = ["same", "callee", "host", "near"] as const;

export const relatedChangeSchema = z.object({
  id: z.string(),
  kind: z.enum(changeKinds),
  title: z.string(),
  /** What was changed, as its sender named it: `service:pay`, `host:pay-01` or an entity's id. */
  target: z.string(),
  by: z.string(),
  link: z.string(),
  atMs: timeMs,
  /** How long before the incident began; negative: after. */
  beforeMs: z.int(),
  relation: z.enum(changeRelations),
  /** Calls between it and what is abnormal: 0 to 2. */
  hops: z.int(),
});
export type RelatedChange = z.infer<typeof relatedChangeSchema>;

/** What kind of thing it all comes from, in one word. Never latency or errors: those are what it does to others. */
export const storyKinds = ["state_change", "saturation", "dependency", "change", "silence"] as const;

/**
 * The incident in three parts: what it comes from, what failed first because of it, and (`impact`) what customers feel. `ruledOut`:
 * what else was looked at, and why it is not the cause.
 */
export const storySchema = z.object({
  /** Null: not identified. */
  cause: z.nullable(
    z.object({ kind: z.enum(storyKinds), entity: z.string(), text: textSchema, atMs: timeMs }),
  ),
  failure: z.nullable(z.object({ entity: z.string(), text: textSchema, atMs: timeMs })),
  ruledOut: z.array(z.object({ what: z.string(), why: textSchema })),
});
export type Story = z.infer<typeof storySchema>;

/** An earlier incident that this one is like. */
export const similarSchema = z.object({
  incident: z.string(),
  startedMs: timeMs,
  /** 0 to 1: the share of what makes the two rare that they have in common. */
  likeness: z.number(),
  /** Null: no cause was found, and nobody said one. */
  cause: z.nullable(
    z.object({
      entity: z.string(),
      /** An operator said so. */
      confirmed: z.boolean(),
      comment: z.string(),
    }),
  ),
});
export type Similar = z.infer<typeof similarSchema>;

export const entityRoleSchema = z.object({
  id: z.string(),
  kind: z.enum(entityKinds),
  host: z.string(),
  name: z.string(),
  role: z.enum(["cause", "affected", "impacted"]),
});

export const incidentSchema = z.object({
  /** Deterministic: the same journal gives the same id. */
  id: z.string(),
  /** Grows by one with every change; `If-Match` compares it. */
  revision: z.int(),
  severity: z.enum(severities),
  state: z.enum(incidentStates),
  title: textSchema,
  startedMs: timeMs,
  detectedMs: timeMs,
  updatedMs: timeMs,
  /** When it resolved, was merged or expired. */
  resolvedMs: z.nullable(timeMs),
  /** How often it came back after it had resolved. */
  reopened: z.int(),
  /** The incident that goes on with it, once its state is merged. */
  mergedInto: z.nullable(z.string()),
  /** The incident of the dead hosts on which all of this is: look there first. */
  suppressedBy: z.nullable(z.string()),
  /** The first of them, in the order of how bad it is there; `hostCount` counts all. */
  hosts: z.array(z.string()),
  hostCount: z.int(),
  impact: z.array(textSchema),
  story: storySchema,
  causes: z.array(causeSchema),
  /** The signs by which it was noticed, strongest first. */
  symptoms: z.array(evidenceSchema),
  entities: z.array(entityRoleSchema),
  /** What was changed nearby in the hour before, most telling first. */
  changes: z.array(relatedChangeSchema),
  /** Earlier incidents like this one, most alike first. */
  similar: z.array(similarSchema),
  /** What an operator says the cause was, or null: nobody did, or it was withdrawn. */
  confirmedCause: z.nullable(
    z.object({ entity: z.string(), by: z.string(), atMs: timeMs, comment: z.string() }),
  ),
  /** Who acknowledged last, or null: nobody. */
  owner: z.nullable(z.string()),
  acknowledgements: z.array(z.object({ by: z.string(), atMs: timeMs, comment: z.string() })),
  /** The latest answer to "was this useful?", or null: none, or withdrawn. What it changes: `GET /api/v1/feedback`. */
  feedback: z.nullable(
    z.object({ verdict: z.enum(verdicts), by: z.string(), atMs: timeMs, comment: z.string() }),
  ),
  timeline: z.array(z.object({ atMs: timeMs, text: textSchema })),
  /** Share of the samples expected in the judged windows that were there, 0 to 1. */
  completeness: z.number(),
});
export type Incident = z.infer<typeof incidentSchema>;

/** What an incident lacks that was stored or journaled before there was such a thing. */
export function completed(incident: Incident): Incident {
  const earlier: Partial<Incident> = incident;
  return {
    ...incident,
    mergedInto: earlier.mergedInto ?? null,
    suppressedBy: earlier.suppressedBy ?? null,
    hostCount: earlier.hostCount ?? incident.hosts.length,
    story: earlier.story ?? { cause: null, failure: null, ruledOut: [] },
    changes: earlier.changes ?? [],
    similar: earlier.similar ?? [],
    confirmedCause: earlier.confirmedCause ?? null,
  };
}
