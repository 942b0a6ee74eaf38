/**
 * `npm run make:priors -- --data DIR [--data DIR]`: writes `collector/detect/priors-data.ts`.
 *
 * Each DIR is a folder as `npm start` leaves it; its journal is copied and read by the product's own code. Kinds that no recording has
 * come from a simulation with a fixed seed. The same recordings give the same file, byte for byte. It holds no name of a host, a
 * service or a metric: kinds, units and numbers only.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { journalIn, withCopy } from "../recording/copy.ts";
import { replay } from "../recording/replay.ts";
import { type KindSpread, pooled, type PooledRow } from "./pool.ts";
import { Recorded } from "./recorded.ts";
import { simulatedServices } from "./services.ts";
import { spreadOf } from "./spread.ts";

const path = "collector/detect/priors-data.ts";
const version = 1;
const hourMs = 3_600_000;

/** Of every series of the recordings, and of the simulation. */
export async function allSpreads(folders: readonly string[]): Promise<KindSpread[]> {
  const spreads = simulatedSpreads();
  for (const folder of folders) {
    const recorded = new Recorded();
    await withCopy(journalIn(folder), (copy) => replay(copy, (event) => recorded.hear(event)));
    spreads.push(...spreadsOf(recorded, false));
  }
  return spreads;
}

export function simulatedSpreads(): KindSpread[] {
  const simulated = new Recorded();
  for (const event of simulatedServices()) simulated.hear(event);
  return spreadsOf(simulated, true);
}

function spreadsOf({ series }: Recorded, simulated: boolean): KindSpread[] {
  return series.flatMap(({ meaning: { kind, resource, unit }, intervalMs, values }) => {
    const spread = spreadOf(values);
    const hours = (values.length * intervalMs) / hourMs;
    return spread === null ? [] : [{ ...spread, kind, resource, unit, hours, simulated }];
  });
}

export function hashOf(rows: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(rows)).digest("hex");
}

export function fileOf(rows: readonly PooledRow[]): string {
  return `/**
 * Written by \`npm run make:priors -- --data DIR\` (\`test/eval/priors/\`) from recordings of our own agent and from a simulation; never
 * by hand. \`README.md\`, "Priors by kind", says what the columns mean. \`hash\` is the SHA-256 of the rows' JSON, as a test checks.
 */
import type { MetricKind, Resource } from "#shared/semantics.ts";

export type PriorRow = readonly [
  kind: MetricKind,
  resource: Resource,
  /** Of what is judged: of a counter, per second. */
  unit: string,
  /** Standard deviation of a sample around its level: an amount, and a share of the level. */
  deviation: number,
  share: number,
  /** What it was made of. */
  series: number,
  hours: number,
  source: "recorded" | "simulated" | "both",
];

export const schema = "causeway.priors";
export const version = ${version};
export const hash = "${hashOf(rows)}";

export const priorRows: readonly PriorRow[] = [
${rows.map((row) => `  [${row.map((one) => JSON.stringify(one)).join(", ")}],`).join("\n")}
];
`;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { data: { type: "string", multiple: true } } });
  const rows = pooled(await allSpreads(values.data ?? []));
  writeFileSync(path, fileOf(rows));
  process.stdout.write(`${path}: ${rows.length} kinds\n`);
}
