/** The HTTP API under `/api/v1`: requests, answers and errors. */
import * as z from "zod/mini";
import { entityKinds } from "../entity.ts";
import { incidentSchema, verdicts } from "./incident.ts";

const timeMs = z.int();

/** `GET /api/v1/incidents?state=open|all`: newest first, at most `limits.incidentsListedMax`. */
export const incidentListSchema = z.object({ incidents: z.array(incidentSchema) });

/**
 * `POST /api/v1/incidents/{id}/acknowledge` and `.../resolve`. Headers: `Idempotency-Key` (required), `If-Match: revision`
 * (optional; 412 when somebody was faster). Answers with the incident.
 */
export const commandRequestSchema = z.object({
  by: z.string().check(z.minLength(1), z.maxLength(64)),
  comment: z.optional(z.string().check(z.maxLength(2000))),
});
export type CommandRequest = z.infer<typeof commandRequestSchema>;

/**
 * `POST /api/v1/incidents/{id}/feedback`, with the headers of the other commands; for resolved incidents too. A new verdict
 * replaces the earlier one of the same incident, `none` withdraws it (409 when there is none). Answers with the incident.
 */
export const feedbackRequestSchema = z.extend(commandRequestSchema, {
  verdict: z.enum([...verdicts, "none"]),
});
export type FeedbackRequest = z.infer<typeof feedbackRequestSchema>;

/**
 * `POST /api/v1/incidents/{id}/cause`, with the headers of the other commands; for incidents that are over too. Says what the cause
 * was, in place of what was said before; null withdraws it (409 when there is nothing to withdraw). Answers with the incident.
 */
export const causeRequestSchema = z.extend(commandRequestSchema, {
  entity: z.nullable(z.string().check(z.minLength(1), z.maxLength(256))),
});
export type CauseRequest = z.infer<typeof causeRequestSchema>;

/**
 * `GET /api/v1/feedback?incident=`: the verdicts in force, newest first, and what follows from all of them together. With
 * `incident`, only that one and the series that it showed. A factor multiplies the deviation from which a series is
 * abnormal: above 1 it is told later, below 1 sooner.
 */
export const feedbackListSchema = z.object({
  feedbacks: z.array(
    z.object({
      incident: z.string(),
      verdict: z.enum(verdicts),
      by: z.string(),
      atMs: timeMs,
      comment: z.string(),
      /** It counts until then. */
      untilMs: timeMs,
      /** How many series the incident showed. */
      series: z.int(),
    }),
  ),
  /** Farthest from 1 first, at most `limits.feedbackSeriesListedMax`. */
  series: z.array(
    z.object({
      host: z.string(),
      series: z.string(),
      metric: z.string(),
      entityKind: z.enum(entityKinds),
      /** Incidents in force that showed this series. */
      useful: z.int(),
      noise: z.int(),
      factor: z.number(),
    }),
  ),
  /** Metrics that were called noise on so many hosts that all hosts' are raised. */
  kinds: z.array(
    z.object({
      metric: z.string(),
      entityKind: z.enum(entityKinds),
      /** Hosts, and incidents, by which noise outweighs useful. */
      hosts: z.int(),
      incidents: z.int(),
      factor: z.number(),
    }),
  ),
});
export type FeedbackList = z.infer<typeof feedbackListSchema>;

export const warmupSchema = z.object({
  /**
   * Series judged by their kind's bounds alone, by what is usual for their kind as well, and by their own history. They sum to the
   * judged series.
   */
  collecting: z.int(),
  provisional: z.int(),
  ready: z.int(),
  /** When the last series is expected to be ready, or null: it is, or cannot be told. */
  readyAtMs: z.nullable(timeMs),
  /** Of those, how many have been seen for two days of working days, of days of rest: their time of day is known there. */
  workdays: z.int(),
  restdays: z.int(),
});
export type Warmup = z.infer<typeof warmupSchema>;

/** What of a host will run out: a filesystem or memory that fills, a certificate that ends. */
export const forecastSchema = z.object({
  series: z.string(),
  metric: z.string(),
  entity: z.string(),
  unit: z.string(),
  what: z.enum(["full", "expiry"]),
  value: z.number(),
  /** Most likely, and the times between which it is eight times of ten; for a certificate all three are the same. */
  likelyMs: timeMs,
  earliestMs: timeMs,
  latestMs: timeMs,
  /** Near enough to be told as an incident. */
  told: z.boolean(),
});
export type Forecast = z.infer<typeof forecastSchema>;

export const hostSchema = z.object({
  host: z.string(),
  agentId: z.string(),
  agentVersion: z.string(),
  os: z.string(),
  /**
   * silent: expected and not heard; stopped: said goodbye, or is quiet in its maintenance window; gone: not heard for so long that it
   * counts as taken out of service. A host that is gone has no series, and is no longer listed after a while.
   */
  state: z.enum(["up", "silent", "stopped", "gone"]),
  firstSeenMs: timeMs,
  lastSeenMs: timeMs,
  intervalMs: z.int(),
  series: z.int(),
  warmup: warmupSchema,
  /** Anomalies now, of any role. */
  anomalies: z.int(),
  /** How unlike itself the host is as a whole; null while that is being learned (37 hours). */
  hostScore: z.nullable(
    z.object({
      /** Up to 1 on an ordinary day. */
      score: z.number(),
      /** Null unless it was 1.6 or more and is not back at 1.25 yet. */
      unusual: z.nullable(
        z.object({
          /** Metrics that are unusual now, as a share of those compared. */
          share: z.number(),
          /** Those to blame most, at most three. */
          metrics: z.array(z.string()),
        }),
      ),
    }),
  ),
  /** What the host's clock is ahead by, when it is corrected; else 0. */
  clockErrorMs: z.number(),
  /** The maintenance window that covers the whole host now: nothing of it is judged until then. */
  maintenance: z.nullable(z.object({ untilMs: timeMs, reason: z.string() })),
  /** Soonest first, at most `limits.forecastsListedMax`. */
  forecasts: z.array(forecastSchema),
});
export type Host = z.infer<typeof hostSchema>;
/** `GET /api/v1/hosts`. */
export const hostListSchema = z.object({ hosts: z.array(hostSchema) });

/** `GET /api/v1/hosts/{host}/series`: what can be charted. */
export const seriesListSchema = z.object({
  host: z.string(),
  series: z.array(
    z.object({ id: z.string(), metric: z.string(), unit: z.string(), role: z.string(), entity: z.string() }),
  ),
});

export type SeriesList = z.infer<typeof seriesListSchema>;

/**
 * `GET /api/v1/series?host=&series=&from=&to=`: what was judged (for a counter its rate per second), oldest first, at most
 * `limits.seriesPointsMax` points, thinned by keeping each bucket's extremes. A gap is a null.
 */
export const seriesRangeSchema = z.object({
  host: z.string(),
  series: z.string(),
  unit: z.string(),
  timesMs: z.array(timeMs),
  values: z.array(z.nullable(z.number())),
});
export type SeriesRange = z.infer<typeof seriesRangeSchema>;

/** `GET /api/v1/ledger?host=&from=&to=`: what is missing from the journal, and why. */
export const lossSchema = z.object({
  host: z.string(),
  reason: z.string(),
  fromMs: timeMs,
  toMs: timeMs,
  series: z.int(),
  samples: z.int(),
});
export type Loss = z.infer<typeof lossSchema>;
export const ledgerSchema = z.object({ stored: z.int(), lost: z.int(), losses: z.array(lossSchema) });
export type Ledger = z.infer<typeof ledgerSchema>;

/** Every refusal: a stable code, a sentence for people, what to do. */
export const apiErrorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
export type ApiError = z.infer<typeof apiErrorSchema>;
