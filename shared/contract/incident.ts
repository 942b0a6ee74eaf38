/**
 * The incident, as the API and the live protocol show it. The schemas are the one source of its types.
 *
 * No sentence travels: a text is `{key, args}`, and whoever shows it renders it in the reader's language from
 * `shared/text/`. All times are milliseconds since 1970 UTC, on the collector's time line.
 */
import * as z from "zod/mini";
import { entityKinds } from "../entity.ts";

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
});
export type Cause = z.infer<typeof causeSchema>;

/** Below this a cause is a guess, and the honest answer is that it is not identified. */
export const causeConfidenceMin = 0.4;

/** What an operator says of an incident once it is understood; the series that it showed are judged accordingly. */
export const verdicts = ["useful", "noise"] as const;
export type Verdict = (typeof verdicts)[number];

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
  /** recovering: every sign is gone, and it waits to see whether they come back. */
  state: z.enum(["open", "recovering", "resolved"]),
  title: textSchema,
  startedMs: timeMs,
  detectedMs: timeMs,
  updatedMs: timeMs,
  resolvedMs: z.nullable(timeMs),
  /** How often it came back after it had resolved. */
  reopened: z.int(),
  hosts: z.array(z.string()),
  impact: z.array(textSchema),
  causes: z.array(causeSchema),
  /** The signs by which it was noticed, strongest first. */
  symptoms: z.array(evidenceSchema),
  entities: z.array(entityRoleSchema),
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
