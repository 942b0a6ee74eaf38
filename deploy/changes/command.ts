/**
 * What `npm run changes` understands: `add` tells the collector of a change, `list` shows those that it knows. For release scripts and
 * schedulers: one line of output, exit code 0 only when the collector has it, and a repeat with the same `--id` counts once.
 */
import { parseArgs } from "node:util";
import { apiErrorSchema } from "#shared/contract/api.ts";
import {
  type Change,
  changeKinds,
  changeListSchema,
  changesTakenSchema,
  targetText,
} from "#shared/contract/change.ts";
import { formatDuration, parseDuration } from "#shared/duration.ts";
import { ConfigError, errorText } from "#shared/errors.ts";

export interface Outcome {
  /** 0: done. 1: the collector did not take it, or did not answer. 2: what was asked makes no sense. */
  readonly code: 0 | 1 | 2;
  readonly output: string;
}

export const usage = `npm run changes -- add --kind KIND --service NAME --title TEXT [--at TIME] [--by WHO] [--link URL] [--id ID]
npm run changes -- list [--since 2h]

  --kind       ${changeKinds.join(", ")}
  --service    what was changed, wherever it runs; or --host NAME, or --entity ID as incidents show it
  --at         ISO 8601 with a zone; now when it is left out
  --id         told again with the same id it counts once
  --collector  http://127.0.0.1:7420
`;

const defaultCollector = "http://127.0.0.1:7420";
/** A collector that does not answer in this time is not there. */
const answerMs = 10_000;

export async function runChanges(args: readonly string[], nowMs: number): Promise<Outcome> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        kind: { type: "string" },
        title: { type: "string" },
        service: { type: "string" },
        host: { type: "string" },
        entity: { type: "string" },
        at: { type: "string" },
        by: { type: "string" },
        link: { type: "string" },
        id: { type: "string" },
        since: { type: "string", default: "2h" },
        collector: { type: "string", default: defaultCollector },
      },
    });
    const { since, collector, at, ...told } = values;
    const [verb, ...rest] = positionals;
    if (rest.length > 0 || (verb !== "add" && verb !== "list")) return { code: 2, output: usage };
    const url = new URL("/api/v1/changes", collector);
    if (verb === "list") return await list(url, nowMs, parseDuration(since, "--since"));
    return await add(url, { ...told, time: at ?? nowMs });
  } catch (error) {
    const asked = error instanceof ConfigError || (error instanceof TypeError && "code" in error);
    return { code: asked ? 2 : 1, output: `${errorText(error)}\n${asked ? usage : ""}` };
  }
}

async function add(url: URL, told: object): Promise<Outcome> {
  const answer = await ask(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(told),
  });
  if (!answer.ok) return refused(answer);
  const { added, changes } = changesTakenSchema.parse(await answer.json());
  const [change] = changes;
  const what = change === undefined ? "" : `: ${lineOf(change)}`;
  return { code: 0, output: `${added === 0 ? "known already" : "taken"}${what}\n` };
}

async function list(url: URL, nowMs: number, sinceMs: number): Promise<Outcome> {
  url.searchParams.set("from", String(nowMs - sinceMs));
  const answer = await ask(url, {});
  if (!answer.ok) return refused(answer);
  const { changes } = changeListSchema.parse(await answer.json());
  if (changes.length === 0) return { code: 0, output: `no change in the last ${formatDuration(sinceMs)}\n` };
  return { code: 0, output: changes.map((change) => `${lineOf(change)}\n`).join("") };
}

function ask(url: URL, init: RequestInit): Promise<Response> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(answerMs) }).catch((cause: unknown) => {
    throw new Error(
      `the collector at ${url.origin} does not answer: start it, or name another with --collector`,
      {
        cause,
      },
    );
  });
}

async function refused(answer: Response): Promise<Outcome> {
  const body = apiErrorSchema.safeParse(await answer.json().catch(() => null));
  const message = body.success ? body.data.error.message : `HTTP ${answer.status}`;
  return { code: answer.status === 400 ? 2 : 1, output: `not taken: ${message}\n` };
}

function lineOf({ id, kind, atMs, title, target, by }: Change): string {
  const who = by === "" ? "" : `  by ${by}`;
  return `${new Date(atMs).toISOString()}  ${kind.padEnd(13)}  ${targetText(target)}  ${title}${who}  (${id})`;
}
