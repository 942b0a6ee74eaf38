/** Severities and host states as marks: a shape, a word and a colour always go together, so that none carries it alone. */
import { severities, type Severity } from "#shared/contract/incident.ts";

/** Worst first: the order of counts, lists and marks. */
export const severitiesWorstFirst: readonly Severity[] = [...severities].reverse();

export type Shape =
  | "cross"
  | "triangle"
  | "hollow-triangle"
  | "dot"
  | "square"
  | "hatch"
  | "hollow-square"
  | "dash";

export const severityShapes: Readonly<Record<Severity, Shape>> = {
  critical: "cross",
  major: "triangle",
  warning: "hollow-triangle",
  info: "dot",
};

/** The characters that stand for the shapes where only text goes: the window's title. */
export const severityGlyphs: Readonly<Record<Severity, string>> = {
  critical: "✕",
  major: "▲",
  warning: "△",
  info: "●",
};

export function severityRank(severity: Severity): number {
  return severities.indexOf(severity);
}
