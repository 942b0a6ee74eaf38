/**
 * `npm run make:calibration -- --data DIR`: writes `collector/correlate/causes/calibration.ts`, how sure a ranking may be.
 *
 * A logistic regression with a small penalty (Newton's method) over what a ranking knows of itself: the strength of the first, by itself
 * and beside what is usual, and its lead over the second. It is fitted to every case when its trouble is noticed at once and a minute late, and, at half weight, to
 * windows before the fault, where nobody is to blame. Printed beside it is what a system gets whose cases were not in the fit.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { usualScoreOf } from "#collector/correlate/causes/causes.ts";
import { featuresOf } from "#collector/correlate/causes/confidence.ts";
import { UsageError } from "../detection.ts";
import { brier } from "../figures/ranking.ts";
import { type Case, readCases, systemsIn } from "./cases.ts";
import { product } from "./rankers.ts";

const path = "collector/correlate/causes/calibration.ts";
const lateMs = 60_000;
const quietWeight = 0.5;
const penalty = 1;
const steps = 50;

export interface Example {
  readonly system: string;
  readonly inputs: readonly number[];
  readonly right: boolean;
  readonly weight: number;
}

export function examplesOf(system: string, cases: readonly Case[]): Example[] {
  return cases.flatMap((one) =>
    [
      { window: one.window(0), weight: 0.5, truth: one.truth.entity },
      { window: one.window(lateMs), weight: 0.5, truth: one.truth.entity },
      { window: one.quietWindow(), weight: quietWeight, truth: null },
    ].map(({ window, weight, truth }): Example => {
      const [first, second] = product.rank(window).ranking?.causes ?? [];
      const usual = usualScoreOf(window);
      const { strength, rise, margin } = featuresOf(first?.score ?? 0, second?.score ?? 0, usual);
      return { system, inputs: [1, strength, rise, margin], right: first?.entity === truth, weight };
    }),
  );
}

/** Coefficients of the inputs; the first input is the constant 1, and is not penalised. */
export function fitLogistic(examples: readonly Example[]): number[] {
  const size = examples[0]!.inputs.length;
  let fitted = Array.from({ length: size }, () => 0);
  for (let step = 0; step < steps; step += 1) {
    const gradient = fitted.map((one, place) => (place === 0 ? 0 : -penalty * one));
    const curvature = fitted.map((_, row) =>
      fitted.map((__, column) => (row === column ? (row === 0 ? 1e-6 : penalty) : 0)),
    );
    for (const { inputs, right, weight } of examples) {
      const stated = probability(fitted, inputs);
      for (let row = 0; row < size; row += 1) {
        gradient[row]! += weight * (Number(right) - stated) * inputs[row]!;
        for (let column = 0; column < size; column += 1) {
          curvature[row]![column]! += weight * stated * (1 - stated) * inputs[row]! * inputs[column]!;
        }
      }
    }
    const change = solve(curvature, gradient);
    fitted = fitted.map((one, place) => one + change[place]!);
  }
  return fitted;
}

export function probability(fitted: readonly number[], inputs: readonly number[]): number {
  return 1 / (1 + Math.exp(-fitted.reduce((sum, one, place) => sum + one * inputs[place]!, 0)));
}

/** Gauss elimination; the matrix is symmetric and positive, so no pivot is 0. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, place) => [...row, right[place]!]);
  for (const [pivot, row] of rows.entries()) {
    for (const other of rows) {
      if (other === row) continue;
      const times = other[pivot]! / row[pivot]!;
      for (let column = pivot; column < other.length; column += 1) other[column]! -= times * row[column]!;
    }
  }
  return rows.map((row, place) => row.at(-1)! / row[place]!);
}

export function calibrationFile(fitted: readonly number[], counts: string): string {
  const [intercept, ofStrength, ofRise, ofMargin] = fitted.map((one) => Math.round(one * 100) / 100);
  return `/**
 * Written by \`npm run make:calibration -- --data DIR\` (\`test/eval/root-cause/make-calibration.ts\`), never by hand: a logistic regression
 * over ${counts}.
 */
export const calibration = { intercept: ${intercept}, ofStrength: ${ofStrength}, ofRise: ${ofRise}, ofMargin: ${ofMargin} } as const;
`;
}

function main(): void {
  const { values } = parseArgs({ options: { data: { type: "string" } } });
  const folder = values.data ?? process.env["CAUSEWAY_DATA"];
  if (folder === undefined) throw new UsageError("say where the cases are: --data DIR or CAUSEWAY_DATA");
  const systems = systemsIn(folder);
  if (systems.size === 0)
    throw new UsageError(`${folder}: neither it nor its folder rca has a NAME.ndjson.gz`);
  const examples = [...systems].flatMap(([system, file]) => examplesOf(system, readCases(file)));
  for (const system of systems.keys()) {
    const others = fitLogistic(examples.filter((example) => example.system !== system));
    const stated = examples
      .filter((example) => example.system === system)
      .map(({ inputs, right }) => ({ confidence: probability(others, inputs), right }));
    process.stdout.write(`${system}: Brier score ${brier(stated).toFixed(3)} when fitted to the others\n`);
  }
  const cases = examples.length / 3;
  const counts = `${cases} cases of ${systems.size} public systems (${[...systems.keys()].join(", ")}), and as many windows without a fault`;
  writeFileSync(path, calibrationFile(fitLogistic(examples), counts));
}

if (import.meta.main) main();
