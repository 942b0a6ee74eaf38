/**
 * `npm run eval -- drill-down --data DIR [--json FILE] [--write | --results FILE] [--volumes COUNT]`: which combination of attributes a
 * failure is about, in cases where that is known (DIR/rs, or DIR itself), and which a missing volume is about, in cases made by code.
 */
import { existsSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { VolumeLeaves } from "#collector/correlate/drilldown/drilldown.ts";
import { UsageError } from "./detection.ts";
import { type DrillCase, loadCases } from "./drill-down/cases.ts";
import { volumeCases } from "./drill-down/corpus.ts";
import { type Answer, durationsOf, figuresOf, keyOf } from "./drill-down/figures.ts";
import { type Localize, ratioLocalizers, volumeLocalizers } from "./drill-down/localizers.ts";
import { drillPage, tableOf } from "./drill-down/page.ts";
import { type Figures, plain } from "./report.ts";
import { writeSection } from "./sections.ts";

const pagePath = "test/eval/RESULTS.md";
const publicSource = "RobustSpot's cases are in github.com/shaido987/riskloc, data/RS";
/** Volumes like those of RiskLoc's own synthetic data, of which 100 cases are usual. */
const volumeWidths = [10, 12, 10, 8, 5];
const volumeCount = "100";
const volumeSeed = 121;
/** The middle of so many runs is a short case's duration: what else the machine does is not ours. */
const shareRuns = 5;

export interface DrillRun {
  /** By localizer, the product first. */
  readonly shares: ReadonlyMap<string, readonly Answer[]>;
  readonly volumes: ReadonlyMap<string, readonly Answer[]>;
  readonly figures: Figures;
}

export function evalDrillDown(
  args: readonly string[],
  print: (line: string) => void,
  dataFolder?: string,
): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: "string" },
      json: { type: "string" },
      results: { type: "string" },
      write: { type: "boolean", default: false },
      volumes: { type: "string", default: volumeCount },
    },
  });
  const folder = values.data ?? dataFolder;
  if (folder === undefined)
    throw new UsageError(`say where the cases are: --data DIR or CAUSEWAY_DATA; ${publicSource}`);
  const volumes = Number(values.volumes);
  if (!Number.isInteger(volumes) || volumes < 1 || volumes > 10_000)
    throw new UsageError(
      `--volumes: want a number of cases up to 10000, got ${JSON.stringify(values.volumes)}`,
    );
  const run = runDrillDown(loadCases(casesIn(folder)), volumeCases(volumes, volumeWidths, volumeSeed));
  for (const table of [
    tableOf("shares", "drilldown", run.shares, run.figures),
    tableOf("volumes", "drilldown.volume", run.volumes, run.figures),
  ])
    for (const line of ["", ...plain(table)]) print(line);
  print("");
  for (const { id, guilty, named } of run.shares.get("Causeway")!)
    if (!guilty.includes(named[0] ?? ""))
      print(`missed ${id}: ${guilty.join(" or ")}, named ${named.join(", then ")}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(run.figures, null, 2)}\n`);
  const page = values.results ?? (values.write ? pagePath : undefined);
  if (page !== undefined) writeSection(page, drillPage(run));
}

function casesIn(folder: string): string {
  const found = [`${folder}/rs`, folder].find((place) => existsSync(`${place}/truth.json`));
  if (found === undefined)
    throw new UsageError(`${folder}: has no truth.json, nor rs/truth.json; ${publicSource}`);
  return found;
}

export function runDrillDown(
  shares: readonly DrillCase[],
  volumes: readonly (VolumeLeaves & { readonly id: string; readonly guilty: readonly string[] })[],
): DrillRun {
  const ofShares = answersOf(ratioLocalizers, shares, shareRuns);
  const ofVolumes = answersOf(volumeLocalizers, volumes, 1);
  const figures: Figures = { "drilldown.cases": shares.length, "drilldown.volume.cases": volumes.length };
  for (const [prefix, answers] of [
    ["drilldown", ofShares],
    ["drilldown.volume", ofVolumes],
  ] as const) {
    for (const [number, [name, own]] of [...answers].entries()) {
      const key = keyOf(prefix, name, number);
      Object.assign(figures, figuresOf(key, own), durationsOf(key, own));
    }
  }
  return { shares: ofShares, volumes: ofVolumes, figures };
}

function answersOf<Input extends { readonly id: string; readonly guilty: readonly string[] }>(
  localizers: ReadonlyMap<string, Localize<Input>>,
  cases: readonly Input[],
  runs: number,
): Map<string, Answer[]> {
  return new Map(
    [...localizers].map(
      ([name, localize]) => [name, cases.map((one) => answerOf(localize, one, runs))] as const,
    ),
  );
}

function answerOf<Input extends { readonly id: string; readonly guilty: readonly string[] }>(
  localize: Localize<Input>,
  input: Input,
  runs: number,
): Answer {
  let named: readonly string[] = [];
  const durationsMs = Array.from({ length: runs }, () => {
    const startMs = performance.now();
    named = localize(input);
    return performance.now() - startMs;
  }).sort((a, b) => a - b);
  return { id: input.id, guilty: input.guilty, named, durationMs: durationsMs[Math.floor(runs / 2)]! };
}
