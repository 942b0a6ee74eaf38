/**
 * `npm run eval -- root-cause --data DIR [--only sock-shop,petshop] [--verbose] [--json FILE] [--results FILE | --write]`: who is
 * to blame, in cases where somebody knows because he injected the fault.
 *
 * Every file `NAME.ndjson.gz` of the folder is a system, and systems are never pooled. The product and two published methods rank the
 * same windows in one run, at clock errors from -30 to 120 s.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { UsageError } from "../detection.ts";
import { plain } from "../report.ts";
import { writeSection } from "../sections.ts";
import { readCases, systemsIn } from "./cases.ts";
import { confidenceTable, missesOf, page, systemTable } from "./page.ts";
import { publicSources } from "./published.ts";
import { type RootCauseRun, runRootCause } from "./run.ts";

const pagePath = "test/eval/RESULTS.md";

export function evalRootCause(
  args: readonly string[],
  print: (line: string) => void,
  dataFolder?: string,
): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: "string" },
      json: { type: "string" },
      only: { type: "string" },
      results: { type: "string" },
      write: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
    },
  });
  const folder = values.data ?? dataFolder;
  if (folder === undefined)
    throw new UsageError(`say where the cases are: --data DIR or CAUSEWAY_DATA; ${publicSources}`);
  const files = systemsIn(folder);
  if (files.size === 0)
    throw new UsageError(`${folder}: neither it nor its folder rca has a NAME.ndjson.gz; ${publicSources}`);
  const only = values.only?.split(",") ?? [...files.keys()];
  const unknown = only.find((name) => !files.has(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `--only: want some of ${[...files.keys()].join(",")}, got ${JSON.stringify(unknown)}`,
    );
  }
  const run = runRootCause(new Map(only.map((name) => [name, () => readCases(files.get(name)!)])), () =>
    performance.now(),
  );
  printRun(run, values.verbose, print);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(run.figures, null, 2)}\n`);
  const path = values.results ?? (values.write ? pagePath : undefined);
  if (path !== undefined) writeSection(path, page(run, "npm run eval -- root-cause --data DIR"));
}

function printRun(run: RootCauseRun, verbose: boolean, print: (line: string) => void): void {
  for (const [system, report] of run.systems) {
    const tables = [systemTable(system, report), ...(verbose ? [missesOf(report)] : [])];
    for (const table of tables) for (const line of ["", ...plain(table)]) print(line);
  }
  for (const table of confidenceTable(run)) for (const line of ["", ...plain(table)]) print(line);
  print("");
  const { "rank.mean_ms": mean = 0, "rank.p99_ms": p99 = 0 } = run.figures;
  print(`ranking a case takes ${mean.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
}
