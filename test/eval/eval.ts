/**
 * `npm run eval -- detection --data DIR [--json FILE] [--thresholds FILE] [--only nab,kpi2018] [--baselines]
 * [--results FILE | --write]`: how well the product does on public data. README.md says what each figure means.
 * `npm run eval -- quiet --data DIR [--verbose] [--json FILE]`: how quiet it is on a recording of one's own.
 * `npm run eval -- exam --data DIR [--verbose] [--json FILE]`: an exam of the demonstration bank, judged again.
 * `npm run eval -- root-cause --data DIR [--json FILE]`: who is to blame, in cases where that is known.
 * `npm run eval -- drill-down --data DIR [--json FILE] [--write]`: which combination of attributes a failure is about, where that is known.
 */
import { DataError } from "./data/read.ts";
import { evalDetection, UsageError } from "./detection.ts";
import { evalDrillDown } from "./drill-down.ts";
import { evalExam } from "./exam.ts";
import { evalQuiet } from "./quiet.ts";
import { evalRootCause } from "./root-cause/root-cause.ts";
import { evalWarmUp } from "./warm-up.ts";

type Evaluation = (
  args: readonly string[],
  print: (line: string) => void,
  dataFolder?: string,
) => void | Promise<void>;

const evaluations: ReadonlyMap<string, Evaluation> = new Map<string, Evaluation>([
  ["detection", evalDetection],
  ["quiet", evalQuiet],
  ["warm-up", evalWarmUp],
  ["exam", evalExam],
  ["root-cause", evalRootCause],
  ["drill-down", evalDrillDown],
]);

/** Exit code: 0, or 2 when the command line or the data is not what it must be. */
export async function runEval(
  argv: readonly string[],
  print: (line: string) => void,
  printError: (line: string) => void,
  dataFolder?: string,
): Promise<number> {
  const [name = "", ...args] = argv;
  try {
    const evaluation = evaluations.get(name);
    if (evaluation === undefined) {
      throw new UsageError(`want one of ${[...evaluations.keys()].join(", ")}, got ${JSON.stringify(name)}`);
    }
    await evaluation(args, print, dataFolder);
    return 0;
  } catch (error) {
    const isTheirs = error instanceof UsageError || error instanceof DataError || isArgsError(error);
    if (!isTheirs) throw error;
    printError(`eval: ${(error as Error).message}`);
    return 2;
  }
}

function isArgsError(error: unknown): boolean {
  return error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}

if (import.meta.main) {
  // Whoever reads stops when he has seen enough: `| head`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  process.exitCode = await runEval(
    process.argv.slice(2),
    (line) => void process.stdout.write(`${line}\n`),
    (line) => void process.stderr.write(`${line}\n`),
    process.env["CAUSEWAY_DATA"],
  );
}
