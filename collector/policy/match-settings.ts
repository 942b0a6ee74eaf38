/** Settings of what a rule or a window covers: `{"host": "pay-*", "service.name": ["ledger", "core-*"]}`. */
import { type Match, patternProblem } from "#collector/detect/match.ts";
import { shown, valueOf } from "#shared/config-file.ts";
import { listPart, mapPart, type Part } from "#shared/config-parts.ts";
import { limits } from "#shared/limits.ts";

const patternPart: Part<string> = {
  want: 'a pattern like "pay-*"',
  readNode(node, key, tell) {
    const raw = valueOf(node);
    if (typeof raw !== "string") return tell(node, key, `want ${this.want}, got ${shown(raw)}`);
    const problem = patternProblem(raw);
    return problem === null ? raw : tell(node, key, `${shown(raw)} can never match: ${problem}`);
  },
};

const patternListPart = listPart(patternPart, { max: limits.matchPatternsMax });

export const patternsPart: Part<readonly string[]> = {
  want: "a pattern or a list of patterns",
  readNode(node, key, tell) {
    if (node.type !== "array") {
      const pattern = patternPart.readNode(node, key, tell);
      return pattern === undefined ? undefined : [pattern];
    }
    if ((node.children ?? []).length > 0) return patternListPart.readNode(node, key, tell);
    return tell(node, key, "an empty list can never match; leave the key out to match everything");
  },
};

/** Labels have any name, but one that is nearly one of the three special names is a typo. */
function keyProblem(name: string): string | null {
  const meant = /^(metric|host|kind)s?$/i.exec(name)?.[1]?.toLowerCase();
  return meant === undefined || meant === name ? null : `did you mean "${meant}"?`;
}

export const matchPart: Part<Match> = mapPart(patternsPart, { max: limits.matchKeysMax, keyProblem });
