/** All faults: the twelve of the house, and those of a folder that somebody names. */
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { errorText } from "#shared/errors.ts";
import { fault as badRelease } from "./bad-release.ts";
import { fault as batchOverrun } from "./batch-overrun.ts";
import { fault as cpuHog } from "./cpu-hog.ts";
import { fault as droppedDependency } from "./dropped-dependency.ts";
import { fault as edgeLatency } from "./edge-latency.ts";
import { fault as errorBurst } from "./error-burst.ts";
import { type Fault, faultProblems } from "./fault.ts";
import { fault as lockContention } from "./lock-contention.ts";
import { fault as memoryLeak } from "./memory-leak.ts";
import { fault as poolExhaustion } from "./pool-exhaustion.ts";
import { fault as processCrash } from "./process-crash.ts";
import { fault as slowDisk } from "./slow-disk.ts";
import { fault as slowQuery } from "./slow-query.ts";

export const houseFaults: readonly Fault[] = [
  cpuHog,
  memoryLeak,
  slowDisk,
  slowQuery,
  lockContention,
  poolExhaustion,
  droppedDependency,
  edgeLatency,
  errorBurst,
  badRelease,
  processCrash,
  batchOverrun,
];

/** The house's and, of `folder`, one of each file. Throws with all that is wrong, file by file. */
export async function loadFaults(folder: string | undefined): Promise<readonly Fault[]> {
  if (folder === undefined) return houseFaults;
  const faults = [...houseFaults];
  const problems: string[] = [];
  for (const path of filesOf(folder)) {
    const found = await load(path);
    if (typeof found === "string") problems.push(`${path}: ${found}`);
    else if (faults.some(({ name }) => name === found.name))
      problems.push(`${path}: name: "${found.name}" is another fault's already`);
    else faults.push(found);
  }
  if (problems.length > 0) throw new Error(`cannot use the faults of ${folder}:\n${problems.join("\n")}`);
  return faults;
}

function filesOf(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    throw new Error(`cannot read the folder of faults ${folder}`, { cause });
  }
  const files = names.filter((name) => /\.(?:ts|mjs|js)$/.test(name)).sort();
  if (files.length === 0)
    throw new Error(`cannot use ${folder}: want at least one .ts, .js or .mjs file with an exported "fault"`);
  return files.map((name) => resolve(join(folder, name)));
}

/** The fault, or what is wrong. */
async function load(path: string): Promise<Fault | string> {
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    return `cannot be loaded: ${errorText(error)}`;
  }
  const { fault } = module;
  if (fault === undefined)
    return `want an export named "fault", got ${Object.keys(module).join(", ") || "no export"}`;
  const problems = faultProblems(fault);
  return problems.length === 0 ? (fault as Fault) : problems.join("; ");
}

export function faultNamed(name: string, faults: readonly Fault[]): Fault {
  const found = faults.find((fault) => fault.name === name);
  if (found !== undefined) return found;
  throw new Error(
    `there is no fault "${name}"; there are:\n${faults.map((fault) => `  ${fault.name}`).join("\n")}`,
  );
}
