/**
 * Cases made by code. Volumes after the recipe of RiskLoc's synthetic data (arXiv:2205.10004): leaves of five attributes with skewed
 * volumes, forecasts with noise, one to three faults of one to three attributes that take a part of the volume away. Shares after what failing
 * transactions look like: a combination fails more, by a factor that differs a little between its leaves.
 */
import { type Leaves, leavesOf, type VolumeLeaves } from "#collector/correlate/drilldown/drilldown.ts";
import { caseOf, type DrillCase, type Row, spelled } from "./cases.ts";
import { randomFrom } from "./figures.ts";

export interface VolumeCase extends VolumeLeaves {
  readonly id: string;
  readonly guilty: readonly string[];
}

const attributeNames = ["channel", "product", "region", "system", "node"];

/** `widths`: values of each attribute. The paper's S has 10, 12, 10, 8, 5: 48,000 leaves. */
export function volumeCases(count: number, widths: readonly number[], seed: number): VolumeCase[] {
  const leaves = gridOf(widths);
  return Array.from({ length: count }, (_, index) =>
    volumeCase(`volume ${index}`, leaves, randomFrom(seed + index)),
  );
}

function volumeCase(id: string, leaves: Leaves, random: () => number): VolumeCase {
  const noise = 0.25 * random();
  const faults = Array.from({ length: 1 + Math.floor(3 * random()) }, () => ({
    where: somewhere(leaves, random),
    severity: 0.2 + 0.8 * random(),
    spread: 0.1 * random(),
  }));
  const expected = new Float64Array(leaves.size);
  const actual = new Float64Array(leaves.size);
  for (let leaf = 0; leaf < leaves.size; leaf += 1) {
    const usual = Math.exp(1.5 * normal(random)) * 20;
    expected[leaf] = Math.max(0, usual * (1 + noise * normal(random)));
    const fault = faults.find(({ where }) => isIn(leaves, leaf, where));
    const left = fault === undefined ? 1 : 1 - fault.severity - fault.spread * normal(random);
    actual[leaf] = usual * Math.min(1, Math.max(0, left));
  }
  return {
    id,
    guilty: [...new Set(faults.map(({ where }) => nameOf(leaves, where)))],
    leaves,
    actual,
    expected,
  };
}

const minutes = 20;
const firstMinuteS = 1_700_000_040;

export function ratioCases(count: number, widths: readonly number[], seed: number): DrillCase[] {
  const leaves = gridOf(widths);
  return Array.from({ length: count }, (_, index) =>
    ratioCase(`share ${index}`, leaves, randomFrom(seed + index)),
  );
}

function ratioCase(id: string, leaves: Leaves, random: () => number): DrillCase {
  const where = somewhere(leaves, random);
  const factor = 5 + 20 * random();
  const usual = Array.from({ length: leaves.size }, () => ({
    attempts: Math.exp(normal(random)) * 200,
    share: 0.02 * Math.exp(0.5 * normal(random)),
    factor: factor * Math.exp(0.3 * normal(random)),
  }));
  const rows: Row[] = [];
  for (let minute = 0; minute <= minutes; minute += 1) {
    for (const [leaf, { attempts, share, factor: times }] of usual.entries()) {
      const tried = Math.round(attempts * (0.8 + 0.4 * random()));
      const isFailing = minute === minutes && isIn(leaves, leaf, where);
      const failing = Math.min(0.9, share * (isFailing ? times : 1));
      const failures = Math.round(tried * failing + Math.sqrt(tried * failing) * normal(random));
      rows.push({
        minuteS: firstMinuteS + 60 * minute,
        values: leaves.codes.map((codes, attribute) => leaves.values[attribute]![codes[leaf]!]!),
        failures: Math.min(tried, Math.max(0, failures)),
        attempts: tried,
      });
    }
  }
  return caseOf(id, [nameOf(leaves, where)], leaves.attributes, rows, firstMinuteS + 60 * minutes);
}

function gridOf(widths: readonly number[]): Leaves {
  let rows: string[][] = [[]];
  for (const [attribute, width] of widths.entries()) {
    const letter = attributeNames[attribute]![0]!;
    rows = rows.flatMap((row) => Array.from({ length: width }, (_, value) => [...row, `${letter}${value}`]));
  }
  return leavesOf(attributeNames.slice(0, widths.length), rows);
}

/** One value each of one to three attributes, by their place. */
type Place = ReadonlyMap<number, number>;

function somewhere({ attributes, values }: Leaves, random: () => number): Place {
  const size = 1 + Math.floor(Math.min(3, attributes.length) * random());
  const order = attributes.map((_, attribute) => ({ attribute, at: random() })).sort((a, b) => a.at - b.at);
  return new Map(
    order
      .slice(0, size)
      .map(({ attribute }) => [attribute, 1 + Math.floor((values[attribute]!.length - 1) * random())]),
  );
}

function isIn({ codes }: Leaves, leaf: number, where: Place): boolean {
  for (const [attribute, code] of where) if (codes[attribute]![leaf] !== code) return false;
  return true;
}

function nameOf({ attributes, values }: Leaves, where: Place): string {
  return spelled(
    [...where].map(([attribute, code]) => [attributes[attribute]!, values[attribute]![code]!] as const),
  );
}

/** Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
