/**
 * Changes: what somebody did to the systems on purpose, which is what most incidents begin with. Releases, settings, SQL, batch runs
 * and campaigns are told to the collector by whoever makes them; a cause that began shortly after one names it.
 */
import * as z from "zod/mini";

export const changeKinds = ["release", "configuration", "sql", "batch", "campaign"] as const;
export type ChangeKind = (typeof changeKinds)[number];

/**
 * `entity`: an id as incidents show it (`service:pay-01/pay.service`). `service`: by name, wherever it runs. `host`: all of a host.
 */
export const changeTargets = ["entity", "service", "host"] as const;

export const changeSchema = z.object({
  id: z.string(),
  kind: z.enum(changeKinds),
  atMs: z.int(),
  title: z.string(),
  target: z.object({ of: z.enum(changeTargets), name: z.string() }),
  /** Who made it; "" when it was not said. */
  by: z.string(),
  /** Where to read on; "" or an http address. */
  link: z.string(),
});
export type Change = z.infer<typeof changeSchema>;

/** `GET /api/v1/changes?from=&to=`: newest first, at most `limits.changesListedMax`. */
export const changeListSchema = z.object({ changes: z.array(changeSchema) });
export type ChangeList = z.infer<typeof changeListSchema>;

/** `POST /api/v1/changes` answers with what is now known: each change of the request, and how many of them were new. */
export const changesTakenSchema = z.object({ added: z.int(), changes: z.array(changeSchema) });
export type ChangesTaken = z.infer<typeof changesTakenSchema>;

/** What was changed, in one word: `service:pay`. */
export function targetText({ of, name }: Change["target"]): string {
  return of === "entity" ? name : `${of}:${name}`;
}
