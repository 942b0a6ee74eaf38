/**
 * A mapping brings a bank's own counters into the convention `bank_txn_total{channel,product,region,result=ok|biz_fail|sys_fail|timeout}`,
 * without touching what sends them.
 *
 * It is data: `[{"metric": "core_trans_cnt", "as": "bank_txn_total", "labels": {"chnl": "channel"}, "drop": ["thread"],
 * "result": {"from": "ret_code", "ok": ["0000"], "sys_fail": ["S*", "9999"], "otherwise": "biz_fail"}}]`. A pattern may end in `*`. The first entry
 * whose `metric` fits is taken. `parseMapping` says of every mistake where it is; an unknown key is one.
 */
import { limits } from "#shared/limits.ts";
import { canonicalLabels, labelValue, type Series } from "#shared/series.ts";

const results = ["ok", "biz_fail", "sys_fail", "timeout"] as const;
type Result = (typeof results)[number];

interface ResultRule {
  readonly from: string;
  readonly patterns: readonly (readonly [pattern: string, result: Result])[];
  readonly otherwise: Result;
}

interface Entry {
  readonly metric: string;
  readonly as: string | undefined;
  readonly labels: ReadonlyMap<string, string>;
  readonly drop: readonly string[];
  readonly result: ResultRule | undefined;
}

export interface Mapping {
  /** The series as the convention has it; itself when no entry fits. */
  map(series: Series): Series;
}

export const unmapped: Mapping = { map: (series) => series };

/** A mapping is not what it must be; the message has a line for each mistake. */
export class MappingError extends Error {}

/** `where` is what the mapping is called in messages: `collector.json: transactions.mapping`. */
export function parseMapping(raw: unknown, where: string): Mapping {
  const problems: string[] = [];
  const tell: Tell = (path, problem) => void problems.push(`${where}${path}: ${problem}`);
  const entries = listOf(raw, "", limits.transactionMappingsMax, tell).map((one, index) =>
    entryOf(one, `[${index}]`, tell),
  );
  if (problems.length > 0) throw new MappingError(problems.join("\n"));
  return {
    map(series) {
      const entry = entries.find(({ metric }) => fits(metric, series.metric));
      return entry === undefined ? series : mapped(series, entry);
    },
  };
}

function mapped(series: Series, { as, labels, drop, result }: Entry): Series {
  const pairs = series.labels
    .filter(([name]) => !drop.includes(name) && name !== result?.from)
    .map(([name, value]) => [labels.get(name) ?? name, value] as const);
  const code = result === undefined ? undefined : labelValue(series.labels, result.from);
  if (result !== undefined && code !== undefined) {
    const found = result.patterns.find(([pattern]) => fits(pattern, code));
    pairs.push(["result", found?.[1] ?? result.otherwise]);
  }
  return { ...series, metric: as ?? series.metric, labels: canonicalLabels(pairs) };
}

function fits(pattern: string, text: string): boolean {
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

type Tell = (path: string, problem: string) => void;

function entryOf(raw: unknown, path: string, tell: Tell): Entry {
  const fields = fieldsOf(raw, path, ["metric", "as", "labels", "drop", "result"], tell);
  const labels = fields.get("labels");
  const result = fields.get("result");
  return {
    metric: textOf(fields.get("metric"), `${path}.metric`, tell),
    as: fields.has("as") ? textOf(fields.get("as"), `${path}.as`, tell) : undefined,
    labels: new Map(
      labels === undefined
        ? []
        : [...fieldsOf(labels, `${path}.labels`, null, tell)].map(([from, to]) => [
            from,
            textOf(to, `${path}.labels.${from}`, tell),
          ]),
    ),
    drop: fields.has("drop") ? textsOf(fields.get("drop"), `${path}.drop`, tell) : [],
    result: result === undefined ? undefined : resultOf(result, `${path}.result`, tell),
  };
}

function resultOf(raw: unknown, path: string, tell: Tell): ResultRule {
  const fields = fieldsOf(raw, path, ["from", "otherwise", ...results], tell);
  const otherwise = fields.get("otherwise") ?? "biz_fail";
  const known = results.find((result) => result === otherwise);
  if (known === undefined)
    tell(`${path}.otherwise`, `want one of ${results.join(", ")}, got ${shown(otherwise)}`);
  return {
    from: textOf(fields.get("from"), `${path}.from`, tell),
    patterns: results.flatMap((result) =>
      (fields.has(result) ? textsOf(fields.get(result), `${path}.${result}`, tell) : []).map(
        (pattern) => [pattern, result] as const,
      ),
    ),
    otherwise: known ?? "biz_fail",
  };
}

/** `keys`: those that it may have; null for a map whose keys are the operator's. */
function fieldsOf(
  raw: unknown,
  path: string,
  keys: readonly string[] | null,
  tell: Tell,
): ReadonlyMap<string, unknown> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    tell(path, `want an object, got ${shown(raw)}`);
    return new Map();
  }
  const fields = new Map(Object.entries(raw));
  if (fields.size > limits.transactionMappingPatternsMax)
    tell(path, `want at most ${limits.transactionMappingPatternsMax} keys, got ${fields.size}`);
  for (const key of fields.keys())
    if (keys !== null && !keys.includes(key))
      tell(`${path}.${key}`, `unknown key; want one of ${keys.join(", ")}`);
  return fields;
}

function listOf(raw: unknown, path: string, max: number, tell: Tell): readonly unknown[] {
  if (Array.isArray(raw) && raw.length <= max) return raw as readonly unknown[];
  tell(
    path,
    Array.isArray(raw) ? `want at most ${max} items, got ${raw.length}` : `want a list, got ${shown(raw)}`,
  );
  return [];
}

function textsOf(raw: unknown, path: string, tell: Tell): string[] {
  return listOf(raw, path, limits.transactionMappingPatternsMax, tell).map((one, index) =>
    textOf(one, `${path}[${index}]`, tell),
  );
}

function textOf(raw: unknown, path: string, tell: Tell): string {
  if (typeof raw === "string" && raw !== "") return raw;
  tell(path, `want a text that is not empty, got ${shown(raw)}`);
  return "";
}

function shown(raw: unknown): string {
  return raw === undefined ? "nothing" : JSON.stringify(raw).slice(0, 60);
}
