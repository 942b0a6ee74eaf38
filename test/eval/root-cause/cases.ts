/**
 * Cases of root-cause analysis: a file `NAME.ndjson.gz` is a system, a line of it a case.
 *
 * A line is `{id, fault, dt, tin, nPre, t, series: [{e, m, v, np?, caller?}], edges: [[caller, callee]], gt: {entity, service, metrics},
 * target?: {node, metric, timestamp}}`: `nPre` samples from before the fault (a series' own `np` overrides), then those since, `dt`
 * seconds apart; the two parts may lie days apart, so the clock of a case is counted from the fault on. A target is where
 * the trouble was felt, and when; without it the trouble is noticed when the fault begins.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { EvidenceSeries, EvidenceWindow } from "#collector/correlate/causes/evidence.ts";
import { earlierWindow } from "#collector/correlate/causes/usual-score.ts";
import { DataError, type Fields, isFields } from "../data/read.ts";
import { measureOf, wordsOf } from "./words.ts";

export interface Truth {
  readonly entity: string;
  /** Names of metrics, or of what they measure; empty when no metric is known to show the fault. */
  readonly metrics: readonly string[];
}

export interface Case {
  readonly id: string;
  readonly fault: string;
  readonly truth: Truth;
  readonly series: readonly EvidenceSeries[];
  /** As it is when the trouble is noticed `clockErrorMs` after it began. */
  readonly window: (clockErrorMs: number) => EvidenceWindow;
  /** The same length of time before anything was wrong: there is no cause in it. */
  readonly quietWindow: () => EvidenceWindow;
}

/** Two thirds of the past are before a quiet window. */
const quietShare = 2 / 3;
export const caseFileEnd = ".ndjson.gz";
/** Metrics of some systems have the other end of an edge in their name. */
const edgeName = /^([^:]+):(.+)$/;

/** Systems of a folder, or of its part `rca`, by name. */
export function systemsIn(folder: string): ReadonlyMap<string, string> {
  const inside = [folder, join(folder, "rca")].find(
    (place) => existsSync(place) && readdirSync(place).some((name) => name.endsWith(caseFileEnd)),
  );
  const names = inside === undefined ? [] : readdirSync(inside).filter((name) => name.endsWith(caseFileEnd));
  return new Map(names.sort().map((name) => [basename(name, caseFileEnd), join(inside!, name)]));
}

export function readCases(path: string): Case[] {
  let text: string;
  try {
    text = gunzipSync(readFileSync(path)).toString("utf8");
  } catch (cause) {
    throw new DataError(`${path}: want gzip of one JSON a line: ${(cause as Error).message}`, { cause });
  }
  return text
    .split("\n")
    .map((line, number) => ({ line, where: `${path}: line ${number + 1}` }))
    .filter(({ line }) => line !== "")
    .map(({ line, where }) => toCase(parse(line, where), where));
}

function parse(line: string, where: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new DataError(`${where}: want JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isFields(value)) throw new DataError(`${where}: want an object, got ${JSON.stringify(value)}`);
  return value;
}

export function toCase(raw: Fields, where: string): Case {
  const need = (right: boolean, what: string): void => {
    if (!right) throw new DataError(`${where}: want ${what}`);
  };
  const { dt, tin, nPre, series, edges, gt, target } = raw;
  need(typeof dt === "number" && dt > 0, '"dt" as seconds above 0');
  need(Number.isInteger(nPre) && (nPre as number) > 0, '"nPre" as a whole number of samples above 0');
  need(Array.isArray(series) && Array.isArray(edges), '"series" and "edges" as arrays');
  need(isFields(gt) && typeof gt["entity"] === "string", '"gt" with an "entity"');
  const calls = edges as (readonly [string, string])[];
  const rows = series as Fields[];
  const entities = new Set([...rows.map(({ e }) => e as string), ...calls.flat()]);
  const clock = clockOf((dt as number) * 1000);
  const read = rows.map((row): EvidenceSeries => {
    const { e, m, v, np = nPre, caller } = row;
    need(typeof e === "string" && typeof m === "string", 'every series with "e" and "m" as text');
    need(
      Array.isArray(v) && Number.isInteger(np),
      'every series with "v" as an array, "np" as a whole number',
    );
    const values = Float64Array.from(v as (number | null)[], (value) => value ?? Number.NaN);
    return seriesOf(e as string, m as string, caller as string | undefined, entities, {
      timesMs: clock(np as number, values.length),
      values,
    });
  });
  const felt = isFields(target) ? target : null;
  const noticed = Number(felt?.["timestamp"] ?? Number.NaN) - Number(tin);
  const noticedMs = Number.isFinite(noticed) ? noticed * 1000 : 0;
  const common = {
    series: read,
    calls,
    entities: [...entities]
      .filter((id) => wordsOf(id).includes("remote"))
      .map((id) => ({ id, remote: true })),
    ...(felt === null ? {} : { breached: breachOf(felt) }),
  };
  const truth = gt as Fields;
  return {
    id: String(raw["id"]),
    fault: String(raw["fault"]),
    truth: { entity: truth["entity"] as string, metrics: (truth["metrics"] ?? []) as string[] },
    series: read,
    window: (clockErrorMs) => ({ ...common, detectedMs: noticedMs + clockErrorMs }),
    quietWindow: () =>
      earlierWindow({ ...common, detectedMs: 0 }, quietShare) ?? { ...common, detectedMs: 0 },
  };
}

function breachOf({ node, metric }: Fields): NonNullable<EvidenceWindow["breached"]> {
  const name = String(metric);
  return {
    entity: String(node),
    kind: measureOf({ name, isEdge: false, isEntry: false, largest: 0 }).kind,
  };
}

/** Series with as many samples before the fault and since it share one clock. */
function clockOf(stepMs: number): (before: number, count: number) => Float64Array {
  const clocks = new Map<string, Float64Array>();
  return (before, count) => {
    const key = `${before}/${count}`;
    const known = clocks.get(key);
    if (known !== undefined) return known;
    const made = Float64Array.from({ length: count }, (_, place) => (place - before) * stepMs);
    clocks.set(key, made);
    return made;
  };
}

function seriesOf(
  entity: string,
  name: string,
  caller: string | undefined,
  entities: ReadonlySet<string>,
  samples: Pick<EvidenceSeries, "timesMs" | "values">,
): EvidenceSeries {
  const [, ownName = name, otherEnd = ""] = edgeName.exec(name) ?? [];
  const other = caller ?? (entities.has(otherEnd) ? otherEnd : undefined);
  const isEntry = wordsOf(entity).includes("entry");
  const words = wordsOf(name);
  const isCounted = words.includes("total") || (words.at(-1) === "time" && !words.includes("response"));
  const values = isCounted ? ratesOf(samples.values) : samples.values;
  let largest = 0;
  for (const value of values) if (value > largest) largest = value;
  const measure = measureOf({
    name: other === undefined ? name : ownName,
    isEdge: other !== undefined,
    isEntry,
    largest,
  });
  return {
    id: name,
    entity,
    ...(other === undefined ? {} : { caller: other }),
    measure,
    timesMs: samples.timesMs,
    values,
  };
}

/** What only ever grows, or starts again from nothing, is counted up: what it grew by is looked at. Anything else stays as it is. */
function ratesOf(values: Float64Array): Float64Array {
  const rates = new Float64Array(values.length).fill(Number.NaN);
  let last = Number.NaN;
  for (const [place, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    if (value < last && value > 0.5 * last) return values;
    rates[place] = value < last ? value : value - last;
    last = value;
  }
  return rates;
}
