/**
 * What a request to `POST /api/v1/changes` says: one change, a list of them, or another program's JSON with a mapping.
 *
 * Without a mapping the body is `{kind, time, title, service | host | entity, by?, link?, id?}` or `{changes: [...]}`. With one, the
 * query says where each field is: `?kind=release&service=$.project.name&time=$.finished_at&title=$.commit.title`, where `$.` begins a path
 * into the body and anything else stands for itself; `items=$.deployments` names a list. So a webhook needs no program in between.
 * What is wrong is said with its place, what was wanted and what was got.
 */
import { type Change, changeKinds, changeTargets, targetText } from "#shared/contract/change.ts";
import type { Limits } from "#shared/limits.ts";
import { Refusal } from "./answer.ts";

const fields = ["id", "kind", "time", "title", ...changeTargets, "by", "link"] as const;
type Field = (typeof fields)[number];

const nameCharactersMax = 256;
const titleCharactersMax = 200;
const linkCharactersMax = 500;
const idCharactersMax = 128;
/** What was changed longer ago explains nothing any more; farther ahead is a mistake in the date. */
const agoMsMax = 7 * 86_400_000;
const aheadMsMax = 7 * 86_400_000;

/** Throws a `Refusal` that names the first thing wrong. */
export function readChanges(
  query: URLSearchParams,
  body: unknown,
  nowMs: number,
  limits: Pick<Limits, "changesPerRequestMax">,
): Change[] {
  const mapped = fields.some((field) => query.has(field)) || query.has("items");
  const items = itemsOf(query, body);
  if (items.length === 0 || items.length > limits.changesPerRequestMax)
    throw bad(`body: want 1 to ${limits.changesPerRequestMax} changes, got ${items.length}`);
  return items.map((item, index) => {
    const place = items.length === 1 ? "" : `changes[${index}].`;
    if (!isRecord(item)) throw bad(`${place}body: want an object, got ${shown(item)}`);
    const told = mapped ? mapping(query, item) : item;
    if (!mapped) refuseUnknown(told, place);
    return changeOf(told, place, nowMs);
  });
}

function itemsOf(query: URLSearchParams, body: unknown): readonly unknown[] {
  const path = query.get("items");
  const list = path === null ? (isRecord(body) ? (body["changes"] ?? body) : body) : at(body, path);
  return Array.isArray(list) ? list : [list];
}

function mapping(query: URLSearchParams, item: Record<string, unknown>): Partial<Record<Field, unknown>> {
  const told: Partial<Record<Field, unknown>> = {};
  for (const field of fields) {
    const from = query.get(field);
    if (from !== null) told[field] = from.startsWith("$.") ? at(item, from) : from;
  }
  return told;
}

/** What is at `$.a.b.0` of `body`; undefined when it is not there. */
function at(body: unknown, path: string): unknown {
  let value = body;
  for (const key of path.replace(/^\$\.?/, "").split(".")) {
    if (key === "") continue;
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function refuseUnknown(told: Record<string, unknown>, place: string): void {
  const unknown = Object.keys(told).find((key) => !(fields as readonly string[]).includes(key));
  if (unknown !== undefined)
    throw bad(`${place}${shown(unknown)}: there is no such field; want ${fields.join(", ")}`);
}

function changeOf(told: Partial<Record<Field, unknown>>, place: string, nowMs: number): Change {
  const kind = changeKinds.find((one) => one === told.kind);
  if (kind === undefined) throw bad(`${place}kind: want ${changeKinds.join(", ")}, got ${shown(told.kind)}`);
  const atMs = timeOf(told.time, `${place}time`, nowMs);
  const title = textOf(told.title, `${place}title`, titleCharactersMax);
  const named = changeTargets.filter((of) => told[of] !== undefined && told[of] !== null);
  const [of] = named;
  if (of === undefined || named.length > 1)
    throw bad(`${place}service, host or entity: want one of them, got ${named.join(" and ") || "none"}`);
  const target = { of, name: textOf(told[of], `${place}${of}`, nameCharactersMax) };
  if (of === "entity" && !/^\w+:./.test(target.name))
    throw bad(`${place}entity: want an id such as service:pay-01/pay.service, got ${shown(target.name)}`);
  const by = optional(told.by, `${place}by`, nameCharactersMax);
  const link = optional(told.link, `${place}link`, linkCharactersMax);
  if (link !== "" && !/^https?:\/\//i.test(link))
    throw bad(`${place}link: want an address that begins with http:// or https://, got ${shown(link)}`);
  const own = optional(told.id, `${place}id`, idCharactersMax);
  // The same thing at the same moment is the same change, whoever tells it again.
  const id = own === "" ? `${kind} ${targetText(target)} ${atMs}` : own;
  return { id, kind, atMs, title, target, by, link };
}

function timeOf(told: unknown, place: string, nowMs: number): number {
  const want = "want ISO 8601 with a zone (2026-01-05T10:00:00+08:00) or milliseconds since 1970";
  const zoned = typeof told === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d.*(?:Z|[+-]\d\d:?\d\d)$/i.test(told);
  const digits = typeof told === "number" || (typeof told === "string" && /^\d{10,15}$/.test(told));
  const atMs = zoned ? Date.parse(told) : digits ? Number(told) : Number.NaN;
  if (!Number.isSafeInteger(atMs)) throw bad(`${place}: ${want}, got ${shown(told)}`);
  if (atMs < nowMs - agoMsMax || atMs > nowMs + aheadMsMax)
    throw bad(
      `${place}: want a time within a week of now, in milliseconds if it is a number, got ${shown(told)}`,
    );
  return atMs;
}

function textOf(told: unknown, place: string, charactersMax: number): string {
  const text = typeof told === "number" ? String(told) : told;
  if (typeof text !== "string" || text.trim() === "" || text.length > charactersMax)
    throw bad(`${place}: want 1 to ${charactersMax} characters, got ${shown(told)}`);
  return text.trim();
}

function optional(told: unknown, place: string, charactersMax: number): string {
  return told === undefined || told === null || told === "" ? "" : textOf(told, place, charactersMax);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bad(message: string): Refusal {
  return new Refusal(400, "bad_request", message);
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : (JSON.stringify(value) ?? "nothing").slice(0, 60);
}
