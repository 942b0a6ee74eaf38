/**
 * What an operator missed while the page was cut off: told in one line on return, because incidents that opened and
 * resolved meanwhile would otherwise leave no trace on a screen that only shows the present.
 */
import { type Incident, isOver } from "#shared/contract/incident.ts";

export interface Absence {
  readonly fromMs: number;
  readonly toMs: number;
  /** Ids, in no order: open now and not known before; resolved now and open (or unknown) before. */
  readonly opened: readonly string[];
  readonly resolved: readonly string[];
}

type Incidents = ReadonlyMap<string, Pick<Incident, "state" | "startedMs" | "resolvedMs">>;

/** Null when nothing was missed that is worth a line. */
export function absence(before: Incidents, after: Incidents, fromMs: number, toMs: number): Absence | null {
  const opened: string[] = [];
  const resolved: string[] = [];
  for (const [id, incident] of after) {
    const old = before.get(id);
    const wasOpen = old !== undefined && !isOver(old);
    if (!isOver(incident)) {
      if (!wasOpen) opened.push(id);
    } else if (wasOpen || (old === undefined && (incident.resolvedMs ?? 0) >= fromMs)) resolved.push(id);
  }
  return opened.length + resolved.length === 0 ? null : { fromMs, toMs, opened, resolved };
}
