/** A drill-down in sentences: what the best combination explains, and how far behind the next one is; what customers feel of it all. */
import type { Text } from "#shared/contract/incident.ts";
import type { DrillDown } from "./answer.ts";
import type { Where } from "./leaves.ts";

/** From this share on of what is beyond the usual, what is left over is not worth a word. */
const nearlyAll = 0.8;

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

/** All that was tried and ended badly, wherever. */
export interface Whole {
  readonly events: number;
  readonly bad: number;
  readonly windowMs: number;
}

/** What customers feel: said of one combination when that explains nearly all, else of the whole. */
export function feltOf(
  what: "failed" | "refused",
  { causes: [first] }: DrillDown,
  { events, bad, windowMs: window }: Whole,
): Text {
  if (first === undefined || first.share < nearlyAll)
    return { key: `symptom.${what}_all`, args: { events, bad, window } };
  const [of, badOf] = [Math.round(first.events), Math.round(first.actual)];
  return {
    key: `symptom.${what}_where`,
    args: { where: placeOf(first.where), events: of, bad: badOf, window },
  };
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
