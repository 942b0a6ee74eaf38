/**
 * `npm run bench -- [name...] [--quick] [--json FILE] [--minutes N] [--million] [--screenshot FILE]`: the product beside what it is compared with.
 *
 * Names: agent, ingest, wire, detect, rank, console; none means all. Each prints both sides, their ratio and the version of Node, and its figures
 * go into one JSON object. The rivals are Debian's packages; one that cannot be had is told and left out.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { benchAgent } from "./agent.ts";
import { benchConsole } from "./console.ts";
import { benchDetect } from "./detect.ts";
import { benchIngest } from "./ingest.ts";
import type { BenchOptions, Figures } from "./report.ts";
import { loadAverage } from "./processes.ts";
import { benchRank } from "./rank.ts";
import { benchWire } from "./wire.ts";

export const benches: ReadonlyMap<string, (options: BenchOptions) => Promise<Figures>> = new Map([
  ["detect", benchDetect],
  ["wire", benchWire],
  ["ingest", benchIngest],
  ["agent", benchAgent],
  ["rank", benchRank],
  ["console", benchConsole],
]);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      minutes: { type: "string" },
      million: { type: "boolean", default: false },
      screenshot: { type: "string" },
    },
  });
  const size = values.quick ? "quick" : "full";
  const minutes = Number(values.minutes ?? (values.quick ? 1 : 5));
  if (!(minutes > 0)) throw new Error(`--minutes: want a number above 0, got ${values.minutes}`);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const figures = new Map<string, number>();
  for (const name of positionals.length > 0 ? positionals : benches.keys()) {
    const bench = benches.get(name);
    if (bench === undefined)
      throw new Error(`no benchmark ${name}; there are ${[...benches.keys()].join(", ")}`);
    print(`\n${name}, load ${loadAverage()}`);
    const { million, screenshot } = values;
    const found = await bench({ size, print, minutes, million, screenshot, rivals: true });
    for (const [key, value] of Object.entries(found)) figures.set(key, value);
  }
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(Object.fromEntries(figures), null, 2)}\n`);
  }
}

if (import.meta.main) await main();
