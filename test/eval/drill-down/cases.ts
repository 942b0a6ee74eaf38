/**
 * Cases of a failing share with the attribute combination that was to blame: a folder with `truth.json` and a CSV file a case.
 *
 * `truth.json` is a list of `{data, timestamp, cause}`: the file's name without `.csv`, the minute (seconds since 1970) that is asked
 * about, and the guilty combination, `{'cdn':5, 'p2p':0}`, or a list of such. The CSV has the columns `min` (seconds), `value` (what
 * failed), `cnt` (what was tried), and one for each attribute. The layout is RobustSpot's data (github.com/shaido987/riskloc, data/RS).
 *
 * The past is the calmer half of the minutes before: those with the smaller share of failures as a whole. Trouble comes in bursts,
 * and the minutes before a burst were often part of it.
 */
import { type Leaves, leavesOf, type RatioLeaves } from "#collector/correlate/drilldown/drilldown.ts";
import { DataError, isFields, readJson, readText } from "../data/read.ts";

export interface DrillCase extends RatioLeaves {
  readonly id: string;
  /** Guilty combinations as `spelled` writes them. */
  readonly guilty: readonly string[];
}

/** One row of the table: a minute, attribute values, counts. */
export interface Row {
  readonly minuteS: number;
  readonly values: readonly string[];
  readonly failures: number;
  readonly attempts: number;
}

/** One spelling of a combination: `cdn=5&p2p=0`, sorted by attribute. */
export function spelled(where: Iterable<readonly [string, string]>): string {
  return [...where]
    .map(([attribute, value]) => `${attribute}=${value}`)
    .sort()
    .join("&");
}

export function loadCases(folder: string): DrillCase[] {
  const path = `${folder}/truth.json`;
  const truth = readJson(path);
  if (!Array.isArray(truth)) throw new DataError(`${path}: want a list of cases, got ${typeof truth}`);
  return truth.map((entry, index) => {
    if (!isFields(entry)) throw new DataError(`${path}: case ${index}: want an object`);
    const { data, timestamp, cause } = entry;
    if (typeof data !== "string" || !/^[\w.+ -]+$/.test(data) || typeof timestamp !== "number")
      throw new DataError(
        `${path}: case ${index}: want "data", a plain file name, and "timestamp", a number`,
      );
    const { attributes, rows } = readTable(`${folder}/${data}.csv`);
    return caseOf(data, guiltyOf(cause, `${path}: ${data}`), attributes, rows, timestamp);
  });
}

/** `cause` is JSON, or a text of it in single quotes. */
function guiltyOf(cause: unknown, what: string): string[] {
  let parsed = cause;
  if (typeof cause === "string") {
    try {
      parsed = JSON.parse(cause.replaceAll("'", '"'));
    } catch (error) {
      throw new DataError(`${what}: want "cause" like {'cdn':5}, got ${JSON.stringify(cause)}`, {
        cause: error,
      });
    }
  }
  return (Array.isArray(parsed) ? parsed : [parsed]).map((one) => {
    if (!isFields(one))
      throw new DataError(`${what}: want "cause" like {'cdn':5}, got ${JSON.stringify(cause)}`);
    return spelled(Object.entries(one).map(([attribute, value]) => [attribute, String(value)] as const));
  });
}

const numbers = ["min", "value", "cnt"];

function readTable(path: string): { attributes: string[]; rows: Row[] } {
  const [first = "", ...lines] = readText(path).trim().split(/\r?\n/);
  const head = first.split(",");
  const [minute, value, count] = numbers.map((name) => head.indexOf(name));
  if (minute === -1 || value === -1 || count === -1)
    throw new DataError(`${path}: want the columns ${numbers.join(", ")} in its first line, got ${first}`);
  const attributes = head.filter((name) => !numbers.includes(name));
  const places = attributes.map((name) => head.indexOf(name));
  const rows = lines.map((line, index) => {
    const cells = line.split(",");
    const row = {
      minuteS: Number(cells[minute!]),
      values: places.map((place) => cells[place] ?? ""),
      failures: Number(cells[value!]),
      attempts: Number(cells[count!]),
    };
    if (cells.length !== head.length || !(row.failures >= 0) || !(row.attempts >= 0) || !(row.minuteS > 0))
      throw new DataError(`${path}:${index + 2}: want ${head.length} cells with counts, got ${line}`);
    return row;
  });
  return { attributes, rows };
}

/** What a case asks: the rows of its minute, and those of calm minutes before. */
export function caseOf(
  id: string,
  guilty: readonly string[],
  attributes: readonly string[],
  rows: readonly Row[],
  minuteS: number,
): DrillCase {
  const now = sumByLeaf(rows.filter((row) => row.minuteS === minuteS));
  if (now.size === 0) throw new DataError(`${id}: has no rows of the minute ${minuteS}`);
  const calm = sumByLeaf(calmHalf(rows.filter((row) => row.minuteS < minuteS)));
  const keys = [...now.keys()].sort();
  const leaves: Leaves = leavesOf(
    attributes,
    keys.map((key) => now.get(key)!.values),
  );
  const column = (of: ReadonlyMap<string, Row>, what: "attempts" | "failures"): Float64Array =>
    Float64Array.from(keys, (key) => of.get(key)?.[what] ?? 0);
  return {
    id,
    guilty,
    leaves,
    attempts: column(now, "attempts"),
    failures: column(now, "failures"),
    usualAttempts: column(calm, "attempts"),
    usualFailures: column(calm, "failures"),
  };
}

function calmHalf(before: readonly Row[]): Row[] {
  const minutes = [...Map.groupBy(before, ({ minuteS }) => minuteS).values()];
  const share = (rows: readonly Row[]): number =>
    rows.reduce((sum, { failures }) => sum + failures, 0) /
    rows.reduce((sum, { attempts }) => sum + attempts, 0);
  return minutes
    .toSorted((a, b) => share(a) - share(b))
    .slice(0, Math.ceil(minutes.length / 2))
    .flat();
}

function sumByLeaf(rows: readonly Row[]): Map<string, Row> {
  const sums = new Map<string, Row>();
  for (const row of rows) {
    const key = row.values.join("\n");
    const before = sums.get(key);
    const failures = row.failures + (before?.failures ?? 0);
    sums.set(key, { ...row, failures, attempts: row.attempts + (before?.attempts ?? 0) });
  }
  return sums;
}
