/**
 * The incident as a story: what it comes from, what failed first because of it, and what else was looked at.
 *
 * It is a function of the ranked causes and the symptoms alone, whatever ranked them. What it comes from is a change of state, something
 * used up, a dependency, a change that somebody made, or a silence; latency and errors are what follows from it. (Datadog's root cause,
 * critical failure and impact; the impact is the incident's own.) "Not identified" is an answer, and it says what was ruled out.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { type Cause, causeConfidenceMin, type RelatedChange, type Story } from "#shared/contract/incident.ts";
import { entityId } from "#shared/entity.ts";
import { symptomText } from "./explain.ts";

const dependencies: ReadonlySet<string> = new Set(["cause.origin", "cause.way", "cause.answer"]);

export interface Told {
  /** Most likely first. */
  readonly causes: readonly Cause[];
  readonly symptoms: readonly Anomaly[];
  readonly changes: readonly RelatedChange[];
  /** Changes that are not what it comes from. */
  readonly ruledOut: Story["ruledOut"];
}

export function storyOf({ causes, symptoms, changes, ruledOut }: Told): Story {
  const [first, ...others] = causes;
  const named = first !== undefined && first.confidence >= causeConfidenceMin ? first : undefined;
  const rivals = named === undefined ? causes : others;
  return {
    cause: named === undefined ? null : causeOf(named, changes),
    failure: failureOf(symptoms, named),
    ruledOut: [...rivals.map((rival) => ({ what: rival.entity, why: whyNot(rival, named) })), ...ruledOut],
  };
}

function causeOf(cause: Cause, changes: readonly RelatedChange[]): Story["cause"] {
  const { entity, text, action } = cause;
  const atMs = cause.evidence.reduce((first, { startedMs }) => Math.min(first, startedMs), Infinity);
  const change = changes.find(({ id }) => id === action);
  if (change === undefined) return { kind: kindOf(cause), entity, text, atMs };
  const before = Math.max(0, atMs - change.atMs);
  const args = { ...text.args, cause: text.key, before, change: change.title, target: change.target };
  return { kind: "change", entity, text: { key: "story.after_change", args }, atMs };
}

function kindOf({ kind, text }: Cause): NonNullable<Story["cause"]>["kind"] {
  if (kind === "silence") return "silence";
  if (kind !== "state_change") return "saturation";
  return dependencies.has(text.key) ? "dependency" : "state_change";
}

/** The first that failed other than the cause itself; where the cause is all that failed, that. */
function failureOf(symptoms: readonly Anomaly[], cause: Cause | undefined): Story["failure"] {
  const others = symptoms.filter(({ entity, group }) => {
    const id = entityId(group?.entity ?? entity);
    return id !== cause?.entity;
  });
  const [head, ...rest] = others.length > 0 ? others : symptoms;
  if (head === undefined) return null;
  const first = rest.reduce((one, other) => (isEarlier(other, one) ? other : one), head);
  return { entity: entityId(first.entity), text: symptomText(first), atMs: first.startedMs };
}

function isEarlier(a: Anomaly, b: Anomaly): boolean {
  return a.startedMs === b.startedMs ? a.id < b.id : a.startedMs < b.startedMs;
}

function whyNot(rival: Cause, named: Cause | undefined): Story["ruledOut"][number]["why"] {
  const [counter] = rival.counterEvidence.filter(({ key }) => key !== "counter.rival");
  if (counter !== undefined) return counter;
  if (named === undefined) return { key: "ruled.unconnected", args: {} };
  return { key: "ruled.weaker", args: { entity: named.entity } };
}
