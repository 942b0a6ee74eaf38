/**
 * `npm run eval -- detection`: every public data set that the folder has, every figure, one judge after the other.
 *
 * Sets are loaded one at a time and dropped again: the largest has 3.4 M samples.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { baselines } from "./baselines.ts";
import { DataError, isFields } from "./data/read.ts";
import type { Corpus, SetName } from "./data/series.ts";
import { isSetName, loadSet, publicSources, setNames } from "./data/sets.ts";
import { product } from "./judge.ts";
import type { Judge } from "./judging.ts";
import { type Figures, plain, type SetReport, shown, Thresholds } from "./report.ts";
import { resultsPage } from "./results.ts";
import { writeSection } from "./sections.ts";
import { evaluateHosts } from "./sets/hosts.ts";
import { evaluateMetrics } from "./sets/metrics.ts";
import { evaluateNab } from "./sets/nab.ts";

/** The command line is wrong, or what it names is not there; one line says what to do. */
export class UsageError extends Error {}

const pagePath = "test/eval/RESULTS.md";

export interface DetectionRun {
  /** Sets that were judged, in order, by the product. */
  readonly sets: ReadonlyMap<SetName, SetReport>;
  /** By judge, the product first. */
  readonly figures: ReadonlyMap<string, Figures>;
}

type Load = <Name extends SetName>(name: Name) => Corpus[Name] | null;

/** Judges what `load` gives; a set that is null is said to be skipped. */
export function runDetection(
  load: Load,
  judges: readonly Judge[],
  only: readonly SetName[],
  thresholds: Thresholds,
  print: (line: string) => void,
): DetectionRun {
  const sets = new Map<SetName, SetReport>();
  const figures = new Map<string, Figures>(judges.map(({ name }) => [name, {}]));
  for (const name of only) {
    const evaluate = evaluation(name, load);
    if (evaluate === null) {
      print(`${name}: not in the folder, skipped`);
      continue;
    }
    for (const [number, judge] of judges.entries()) {
      // Thresholds from elsewhere are the product's; what it is compared with still chooses its own.
      const report = evaluate(judge, number === 0 ? thresholds : new Thresholds());
      Object.assign(figures.get(judge.name)!, report.figures);
      if (number === 0) sets.set(name, report);
    }
    printSet(name, sets.get(name)!, figures, print);
  }
  return { sets, figures };
}

function evaluation(name: SetName, load: Load): ((judge: Judge, thresholds: Thresholds) => SetReport) | null {
  switch (name) {
    case "nab": {
      const files = load(name);
      return files && ((judge, thresholds) => evaluateNab(files, judge, thresholds));
    }
    case "kpi2018":
    case "wsd": {
      const series = load(name);
      return series && ((judge, thresholds) => evaluateMetrics(name, series, judge, thresholds));
    }
    case "smd":
    case "asd": {
      const hosts = load(name);
      return hosts && ((judge) => evaluateHosts(name, hosts, judge));
    }
  }
}

function printSet(
  name: SetName,
  { what, figures: own, misses }: SetReport,
  figures: DetectionRun["figures"],
  print: (line: string) => void,
): void {
  const judges = [...figures.keys()];
  const rows = Object.keys(own).map((key) => [
    key,
    ...judges.map((judge) => shown(figures.get(judge)![key])),
  ]);
  print("");
  for (const line of plain({ title: what, head: [name, ...judges], rows })) print(line);
  for (const table of misses.filter((table) => table.rows.length > 0)) {
    print("");
    for (const line of plain(table)) print(line);
  }
}

/** All figures as one flat object: the product's under their keys, the others' under `baselines.<name>.`. */
export function flat(run: DetectionRun): Figures {
  const all: Figures = {};
  for (const [number, [judge, figures]] of [...run.figures].entries()) {
    for (const [key, value] of Object.entries(figures)) {
      // What chance gives is among the product's figures already.
      if (number > 0 && key.endsWith(".random")) continue;
      all[number === 0 ? key : `baselines.${judge}.${key}`] = value;
    }
  }
  return all;
}

export function evalDetection(
  args: readonly string[],
  print: (line: string) => void,
  dataFolder?: string,
): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: "string" },
      json: { type: "string" },
      thresholds: { type: "string" },
      only: { type: "string" },
      results: { type: "string" },
      write: { type: "boolean", default: false },
      baselines: { type: "boolean", default: false },
    },
  });
  const folder = values.data ?? dataFolder;
  if (folder === undefined)
    throw new UsageError(`say where the data is: --data DIR or CAUSEWAY_DATA; ${publicSources}`);
  const only = setsOf(values.only);
  const judges = values.baselines ? [product, ...baselines] : [product];
  const thresholds = values.thresholds === undefined ? new Thresholds() : readThresholds(values.thresholds);
  const load: Load = (name) => loadSet(folder, name);
  const run = runDetection(load, judges, only, thresholds, print);
  if (run.sets.size === 0)
    throw new UsageError(`${folder}: has none of ${only.join(", ")}; ${publicSources}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(flat(run), null, 2)}\n`);
  const page = values.results ?? (values.write ? pagePath : undefined);
  if (page !== undefined) {
    const given = values.thresholds === undefined ? "" : ` --thresholds ${values.thresholds}`;
    const some = values.only === undefined ? "" : ` --only ${values.only}`;
    const command = `npm run eval -- detection --data DIR${some}${given}${values.baselines ? " --baselines" : ""}`;
    writeSection(page, resultsPage(run, command));
  }
}

function setsOf(only: string | undefined): readonly SetName[] {
  if (only === undefined) return setNames;
  return only.split(",").map((name) => {
    if (isSetName(name)) return name;
    throw new UsageError(`--only: want some of ${setNames.join(",")}, got ${JSON.stringify(name)}`);
  });
}

function readThresholds(path: string): Thresholds {
  let given: unknown;
  try {
    given = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new UsageError(`--thresholds ${path}: ${(cause as Error).message}`, { cause });
  }
  if (!isFields(given)) throw new DataError(`--thresholds ${path}: want one flat JSON object`);
  return new Thresholds(given, path);
}
