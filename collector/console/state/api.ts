/** The HTTP API as the console uses it. Answers are checked against the contract's schemas; a failure is an `ApiFailure`. */
import {
  apiErrorSchema,
  type CauseRequest,
  type CommandRequest,
  type FeedbackList,
  feedbackListSchema,
  type FeedbackRequest,
  incidentListSchema,
  type SeriesList,
  seriesListSchema,
  type SeriesRange,
  seriesRangeSchema,
} from "#shared/contract/api.ts";
import { type Change, changeListSchema } from "#shared/contract/change.ts";
import { type Incident, incidentSchema } from "#shared/contract/incident.ts";
import { validateWithoutEval } from "#shared/contract/no-eval.ts";
import type { TimeRange } from "../view/chart-data.ts";

validateWithoutEval();

/** What of a schema is used. */
interface Schema<T> {
  safeParse(
    value: unknown,
  ): { readonly success: true; readonly data: T } | { readonly success: false; readonly error: Error };
}

export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  /** HTTP status; 0: no answer. */
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type SeriesInfo = SeriesList["series"][number];
export async function fetchIncidents(): Promise<readonly Incident[]> {
  return (await get("/api/v1/incidents?state=all", incidentListSchema)).incidents;
}

/** Rejects with status 404 for an incident that is not kept. */
export function fetchIncident(id: string): Promise<Incident> {
  return get(`/api/v1/incidents/${encodeURIComponent(id)}`, incidentSchema);
}

export async function fetchHostSeries(host: string): Promise<readonly SeriesInfo[]> {
  return (await get(`/api/v1/hosts/${encodeURIComponent(host)}/series`, seriesListSchema)).series;
}

export function fetchSeries(
  host: string,
  series: string,
  range: TimeRange,
  signal: AbortSignal,
): Promise<SeriesRange> {
  const query = new URLSearchParams({
    host,
    series,
    from: String(Math.floor(range.fromMs)),
    to: String(Math.ceil(range.toMs)),
  });
  return get(`/api/v1/series?${query.toString()}`, seriesRangeSchema, signal);
}

/** The verdicts in force and what follows from them; of one incident, or of all. */
export function fetchFeedback(incident: string | null): Promise<FeedbackList> {
  const query = incident === null ? "" : `?incident=${encodeURIComponent(incident)}`;
  return get(`/api/v1/feedback${query}`, feedbackListSchema);
}

/** Newest first. */
export async function fetchChanges(fromMs: number): Promise<readonly Change[]> {
  return (await get(`/api/v1/changes?from=${Math.floor(fromMs)}`, changeListSchema)).changes;
}

/**
 * Acknowledges, resolves, answers or says the cause. `key` makes a repetition count once; `revision` is what the reader saw: the collector refuses
 * with 412 when the incident has changed since.
 */
export async function sendCommand(
  path: "acknowledge" | "resolve" | "feedback" | "cause",
  incident: Pick<Incident, "id" | "revision">,
  request: CommandRequest | FeedbackRequest | CauseRequest,
  key: string,
): Promise<Incident> {
  const answer = await ask(`/api/v1/incidents/${encodeURIComponent(incident.id)}/${path}`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "Idempotency-Key": key,
      "If-Match": String(incident.revision),
    },
    body: JSON.stringify(request),
  });
  return parse(answer, incidentSchema);
}

async function get<T>(path: string, schema: Schema<T>, signal?: AbortSignal): Promise<T> {
  return parse(await ask(path, signal === undefined ? {} : { signal }), schema);
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(path, init).catch((cause: unknown) => {
    throw new ApiFailure(0, cause instanceof Error ? cause.message : String(cause));
  });
  if (answer.ok) return answer;
  const body = apiErrorSchema.safeParse(await answer.json().catch(() => null));
  throw new ApiFailure(answer.status, body.success ? body.data.error.message : `HTTP ${answer.status}`);
}

async function parse<T>(answer: Response, schema: Schema<T>): Promise<T> {
  const result = schema.safeParse(await answer.json().catch(() => null));
  if (result.success) return result.data;
  throw new ApiFailure(answer.status, `the collector's answer is not as expected: ${result.error.message}`);
}

/** A key for `Idempotency-Key`. `randomUUID` is absent on pages that came without TLS from another machine. */
export function newCommandKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
