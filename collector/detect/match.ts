/**
 * Which series a rule or a maintenance window speaks of: patterns by name, all of which must fit.
 *
 * A name is `metric`, `host`, `kind` (of the metric, `shared/semantics.ts`), or a label of the series; several patterns under one
 * name are alternatives. In a pattern `*` is any run of characters and `?` any one; `\` takes the next character as it is. The
 * whole text must fit, and a label that a series does not have fits nothing. Cost: matching is asked when a series is
 * defined, never for a sample; it is linear in pattern times text, whatever the pattern.
 */
import { limits } from "#shared/limits.ts";
import type { MetricKind } from "#shared/semantics.ts";
import { labelValue, type Series } from "#shared/series.ts";

/** No entry at all fits every series. */
export type Match = readonly (readonly [name: string, patterns: readonly string[]])[];

export type Matcher = (series: Series, host: string, kind: MetricKind) => boolean;

const anyRun = "";
const anyOne = null;
/** A character as it is, any run of them, or any one. */
type Token = string | typeof anyOne;

/** Why this pattern can never fit what it was written for, or null. */
export function patternProblem(pattern: string): string | null {
  if (pattern === "") return "an empty pattern fits nothing; leave the key out to fit everything";
  if (pattern.trim() !== pattern) return "no name begins or ends with a space";
  if (pattern.length > limits.labelValueBytesMax) return "no name is that long";
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(pattern)) return "nothing follows the last backslash";
  if (/[[\]{}]/.test(pattern.replaceAll(/\\./gs, "")))
    return 'brackets have no meaning in a pattern; give a list of patterns, or write "\\\\[" for a bracket';
  return null;
}

interface Glob {
  /** What every text that fits begins with: most that do not fit are told by it. */
  readonly prefix: string;
  readonly tokens: readonly Token[];
}

function globOf(pattern: string): Glob {
  const tokens = tokensOf(pattern);
  const wild = tokens.findIndex((token) => token === anyRun || token === anyOne);
  return { prefix: tokens.slice(0, wild < 0 ? tokens.length : wild).join(""), tokens };
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  let escaped = false;
  for (const char of pattern) {
    if (escaped) tokens.push(char);
    else if (char === "*") tokens.push(anyRun);
    else if (char === "?") tokens.push(anyOne);
    else if (char !== "\\") tokens.push(char);
    escaped = !escaped && char === "\\";
  }
  return tokens;
}

/** Goes back to the last run of `*` only: what an earlier one took can stay as it is. */
function fits({ prefix, tokens }: Glob, text: string): boolean {
  if (!text.startsWith(prefix)) return false;
  const chars = Array.from(text);
  let token = 0;
  let char = 0;
  let runToken = -1;
  let runChar = 0;
  while (char < chars.length) {
    const wanted = tokens[token];
    if (wanted === anyRun) {
      runToken = token;
      runChar = char;
      token += 1;
    } else if (wanted === anyOne || wanted === chars[char]) {
      token += 1;
      char += 1;
    } else if (runToken >= 0) {
      runChar += 1;
      char = runChar;
      token = runToken + 1;
    } else return false;
  }
  while (tokens[token] === anyRun) token += 1;
  return token === tokens.length;
}

/** Whether the whole of `text` fits `pattern`. */
export function fitsPattern(pattern: string, text: string): boolean {
  return fits(globOf(pattern), text);
}

export function matcherOf(match: Match): Matcher {
  const wanted = match.map(([name, patterns]) => [name, patterns.map(globOf)] as const);
  return (series, host, kind) =>
    wanted.every(([name, patterns]) => {
      const text = textOf(name, series, host, kind);
      return text !== undefined && patterns.some((glob) => fits(glob, text));
    });
}

function textOf(name: string, series: Series, host: string, kind: MetricKind): string | undefined {
  switch (name) {
    case "metric":
      return series.metric;
    case "host":
      return host;
    case "kind":
      return kind;
    default:
      return labelValue(series.labels, name);
  }
}

/** Says nothing of single series: what fits, fits a whole host. */
export function isOfWholeHosts(match: Match): boolean {
  return match.every(([name]) => name === "host");
}

/** What it says of the host is true of `host`. */
export function fitsHost(match: Match, host: string): boolean {
  return match.every(
    ([name, patterns]) => name !== "host" || patterns.some((pattern) => fitsPattern(pattern, host)),
  );
}
