/**
 * The API under `/api/v1`, as one table of routes. What it answers with comes through `ApiParts`; what is here is the
 * checking of what was asked.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { HttpRoute } from "#collector/self/http-labels.ts";
import { causeRequestSchema, commandRequestSchema, feedbackRequestSchema } from "#shared/contract/api.ts";
import type {
  CauseRequest,
  CommandRequest,
  FeedbackList,
  FeedbackRequest,
  Host,
  Ledger,
  SeriesList,
  SeriesRange,
} from "#shared/contract/api.ts";
import { type Change, type ChangesTaken, targetText } from "#shared/contract/change.ts";
import type { Incident } from "#shared/contract/incident.ts";
import type { SystemReport } from "#shared/contract/system.ts";
import { type TopologyLevel, topologyLevels, type TopologyReport } from "#shared/contract/topology.ts";
import type { Limits } from "#shared/limits.ts";
import { json, Refusal } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { readChanges } from "./change-request.ts";

type Soon<T> = T | Promise<T>;

export type Asked =
  | { readonly kind: "acknowledge" | "resolve"; readonly request: CommandRequest }
  | { readonly kind: "feedback"; readonly request: FeedbackRequest }
  | { readonly kind: "cause"; readonly request: CauseRequest };

export type Command = Asked & {
  readonly id: string;
  /** The same key with the same command gets the same answer, for `limits.commandsKeptMs`. */
  readonly idempotencyKey: string;
  /** The revision that the client saw; undefined when it does not mind. */
  readonly ifMatch: number | undefined;
};

export type CommandResult =
  | { readonly outcome: "done"; readonly incident: Incident }
  | { readonly outcome: "unknown_incident" }
  /** Its revision is not `ifMatch`: somebody was faster. */
  | { readonly outcome: "changed"; readonly incident: Incident }
  /** The incident's state does not allow it, such as resolving what is resolved. */
  | { readonly outcome: "not_allowed"; readonly message: string }
  /** The key was used for another command. */
  | { readonly outcome: "key_reused" };

export type ChangesResult =
  | { readonly outcome: "done"; readonly taken: ChangesTaken }
  /** A change of this id is known, and it is another one. */
  | { readonly outcome: "id_reused"; readonly known: Change };

/** What the API shows. A method that is given something unknown returns undefined. */
export interface ApiParts {
  incidents(filter: { state: "open" | "all"; limit: number }): Soon<readonly Incident[]>;
  incident(id: string): Soon<Incident | undefined>;
  command(command: Command): Promise<CommandResult>;
  /** Newest first, at most `limits.changesListedMax`. */
  changes(range: { fromMs?: number; toMs?: number }): Soon<readonly Change[]>;
  takeChanges(changes: readonly Change[]): Promise<ChangesResult>;
  /** The collector's time, by which a change is neither too old nor too far ahead. */
  nowMs(): number;
  hosts(): Soon<readonly Host[]>;
  hostSeries(host: string): Soon<SeriesList | undefined>;
  /** At most `limits.seriesPointsMax` points of [fromMs, toMs]. */
  seriesRange(range: {
    host: string;
    series: string;
    fromMs: number;
    toMs: number;
  }): Soon<SeriesRange | undefined>;
  /** The verdicts in force and what follows from them; of one incident when it is named. */
  feedback(filter: { incident?: string }): Soon<FeedbackList>;
  ledger(range: { host?: string; fromMs?: number; toMs?: number }): Soon<Ledger>;
  system(): Soon<SystemReport>;
  topology(level: TopologyLevel): Soon<TopologyReport>;
  /** Why the collector is not ready, one sentence each; empty when it is. */
  ready(): readonly string[];
}

export interface ApiRequest {
  /** The decoded path, split at slashes. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The body as text; refuses one that is larger than `sizeBytesMax`, as a rule `limits.requestBytesMax`. */
  readonly body: (sizeBytesMax?: number) => Promise<string>;
}

export interface ApiRoute {
  readonly route: HttpRoute;
  readonly method: "GET" | "POST";
  /** Path segments; `*` stands for any one. */
  readonly pattern: readonly string[];
  readonly handle: (request: ApiRequest) => Soon<Answer>;
}

export function apiRoutes(parts: ApiParts, limits: Limits): readonly ApiRoute[] {
  const route = (name: HttpRoute, path: string, handle: ApiRoute["handle"]): ApiRoute => ({
    route: name,
    method: name === "command" || name === "change" ? "POST" : "GET",
    pattern: ["api", "v1", ...path.split("/")],
    handle,
  });
  return [
    route("incidents", "incidents", async ({ query }) => {
      const state = query.get("state") ?? "all";
      if (state !== "open" && state !== "all") throw bad(`state: want open or all, got ${shown(state)}`);
      return json({ incidents: await parts.incidents({ state, limit: limits.incidentsListedMax }) });
    }),
    route("incident", "incidents/*", async ({ path }) => {
      const incident = await parts.incident(path[3] ?? "");
      if (incident === undefined) throw unknownIncident();
      return withRevision(incident);
    }),
    route("command", "incidents/*/acknowledge", (request) => command(parts, "acknowledge", request)),
    route("command", "incidents/*/resolve", (request) => command(parts, "resolve", request)),
    route("command", "incidents/*/feedback", (request) => command(parts, "feedback", request)),
    route("command", "incidents/*/cause", (request) => command(parts, "cause", request)),
    route("change", "changes", (request) => takeChanges(parts, limits, request)),
    route("changes", "changes", async ({ query }) => json({ changes: await parts.changes(times(query)) })),
    route("feedback", "feedback", async ({ query }) => {
      const incident = query.get("incident");
      return json(await parts.feedback(incident === null ? {} : { incident }));
    }),
    route("hosts", "hosts", async () => json({ hosts: await parts.hosts() })),
    route("host_series", "hosts/*/series", async ({ path }) => {
      const list = await parts.hostSeries(path[3] ?? "");
      if (list === undefined) throw new Refusal(404, "unknown_host", "no host of this name has reported");
      return json(list);
    }),
    route("series", "series", async ({ query }) => {
      const { fromMs, toMs } = times(query);
      const host = query.get("host");
      const series = query.get("series");
      if (host === null || series === null || fromMs === undefined || toMs === undefined) {
        throw bad("want host, series, from and to");
      }
      const range = await parts.seriesRange({ host, series, fromMs, toMs });
      if (range === undefined) throw new Refusal(404, "unknown_series", "this host has no such series");
      return json(range);
    }),
    route("system", "system", async () => json(await parts.system())),
    route("topology", "topology", async ({ query }) => {
      const asked = query.get("level") ?? "service";
      const level = topologyLevels.find((known) => known === asked);
      if (level === undefined) throw bad(`level: want ${topologyLevels.join(", ")}, got ${shown(asked)}`);
      return json(await parts.topology(level));
    }),
    route("ledger", "ledger", async ({ query }) => {
      const host = query.get("host");
      return json(await parts.ledger({ ...times(query), ...(host === null ? {} : { host }) }));
    }),
  ];
}

async function command(parts: ApiParts, kind: Command["kind"], request: ApiRequest): Promise<Answer> {
  const { headers, path } = request;
  const idempotencyKey = headers["idempotency-key"];
  if (typeof idempotencyKey !== "string" || !/^[\x21-\x7e]{1,128}$/.test(idempotencyKey)) {
    throw bad("Idempotency-Key: want 1 to 128 visible ASCII characters, new for each command");
  }
  const ifMatch = revision(headers["if-match"]);
  mustBeJson(headers);
  const asked = askedOf(kind, parseJson(await request.body()));
  const result = await parts.command({ id: path[3] ?? "", ...asked, idempotencyKey, ifMatch });
  switch (result.outcome) {
    case "done":
      return withRevision(result.incident);
    case "unknown_incident":
      throw unknownIncident();
    case "changed": {
      const { revision, owner } = result.incident;
      const who = owner === null ? "" : `, owned by ${owner}`;
      const message = `the incident changed meanwhile: it is at revision ${revision}${who}; look and try again`;
      throw new Refusal(412, "changed", message, [["ETag", `"${revision}"`]]);
    }
    case "not_allowed":
      throw new Refusal(409, "not_allowed", result.message);
    case "key_reused":
      throw new Refusal(
        422,
        "key_reused",
        "this Idempotency-Key was used for another command; make a new one",
      );
  }
}

/** A whole list or nothing: the first thing wrong with it refuses all of it, so that it can be sent again as it is. */
async function takeChanges(parts: ApiParts, limits: Limits, request: ApiRequest): Promise<Answer> {
  mustBeJson(request.headers);
  const body = parseJson(await request.body(limits.changesBytesMax));
  const result = await parts.takeChanges(readChanges(request.query, body, parts.nowMs(), limits));
  if (result.outcome === "done") return json(result.taken);
  const { id, kind, target, title } = result.known;
  const known = `${kind} of ${targetText(target)}, ${JSON.stringify(title)}`;
  throw new Refusal(
    409,
    "id_reused",
    `a change with the id ${shown(id)} is known, and it is another: ${known}`,
  );
}

function mustBeJson(headers: IncomingHttpHeaders): void {
  if (!/^application\/json\s*(;|$)/i.test(headers["content-type"] ?? "")) {
    throw new Refusal(415, "media_type", "want Content-Type: application/json");
  }
}

function askedOf(kind: Command["kind"], body: unknown): Asked {
  const common = "by: 1 to 64 characters, comment?: at most 2000 characters";
  if (kind === "feedback") {
    const parsed = feedbackRequestSchema.safeParse(body);
    if (parsed.success) return { kind, request: parsed.data };
    throw bad(`body: want {verdict: "useful", "noise" or "none", ${common}}`);
  }
  if (kind === "cause") {
    const parsed = causeRequestSchema.safeParse(body);
    if (parsed.success) return { kind, request: parsed.data };
    throw bad(`body: want {entity: 1 to 256 characters, or null to withdraw it, ${common}}`);
  }
  const parsed = commandRequestSchema.safeParse(body);
  if (parsed.success) return { kind, request: parsed.data };
  throw bad(`body: want {${common}}`);
}

function withRevision(incident: Incident): Answer {
  return json(incident, [["ETag", `"${incident.revision}"`]]);
}

function unknownIncident(): Refusal {
  return new Refusal(404, "unknown_incident", "no incident has this id; it may be older than what is kept");
}

function times(query: URLSearchParams): { fromMs?: number; toMs?: number } {
  const time = (name: string): number | undefined => {
    const value = query.get(name);
    if (value === null) return undefined;
    if (!/^\d{1,15}$/.test(value)) throw bad(`${name}: want milliseconds since 1970, got ${shown(value)}`);
    return Number(value);
  };
  const fromMs = time("from");
  const toMs = time("to");
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs) throw bad("from: want a time before to");
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
}

function revision(header: string | undefined): number | undefined {
  if (header === undefined || header === "*") return undefined;
  const digits = /^"?(\d{1,15})"?$/.exec(header)?.[1];
  if (digits === undefined) throw bad(`If-Match: want the incident's revision, got ${shown(header)}`);
  return Number(digits);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function bad(message: string): Refusal {
  return new Refusal(400, "bad_request", message);
}

/** What was sent, short enough for a message. */
function shown(value: string): string {
  return JSON.stringify(value.slice(0, 40));
}
