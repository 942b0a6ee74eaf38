/** A drill-down in one sentence: what the best combination explains, and how far behind the next one is. */
import type { Text } from "#shared/contract/incident.ts";
import type { DrillDown } from "./answer.ts";
import type { Where } from "./leaves.ts";

export type DrilledWhat = "failed" | "refused" | "missing" | "surplus";

/** Of the cause at `index`; null when there is none. The runner-up is the next cause, or what was no cause any more. */
export function sentenceOf(what: DrilledWhat, { causes, next }: DrillDown, index = 0): Text | null {
  const cause = causes[index];
  if (cause === undefined) return null;
  const args = {
    where: placeOf(cause.where),
    share: whole(cause.share),
    bad: Math.round(cause.actual),
    usual: Math.round(cause.expected),
    events: Math.round(cause.events),
  };
  const second = causes[index + 1] ?? next;
  const [key, runnerUp] = second === null ? [`drill.${what}`, {}] : [`drill.${what}_next`, nextArgs(second)];
  return { key, args: { ...args, ...runnerUp } };
}

function nextArgs({ where, share }: DrillDown["causes"][number]): Text["args"] {
  return { next_where: placeOf(where), next: whole(share) };
}

function placeOf(where: Where): string {
  return where.map(([attribute, value]) => `${attribute}=${value}`).join(", ");
}

/** Whole percent: what is usual is not known better. */
function whole(share: number): number {
  return Math.round(share * 100) / 100;
}
