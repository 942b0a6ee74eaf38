/** What an evaluation found: figures under flat keys, and tables for people. */
import { DataError } from "./data/read.ts";

export type Figures = Record<string, number>;

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface SetReport {
  /** One line: what was judged. */
  readonly what: string;
  readonly figures: Figures;
  /** Where the judge is wrong. */
  readonly misses: readonly Table[];
}

/** Thresholds that were fitted elsewhere, under the keys that an evaluation gives them; absent: fitted here. */
export class Thresholds {
  readonly #given: Readonly<Record<string, unknown>> | undefined;
  readonly #from: string;

  /** `from` names the file in messages. */
  constructor(given?: Readonly<Record<string, unknown>>, from = "thresholds") {
    this.#given = given;
    this.#from = from;
  }

  /** The threshold for a figure; `fit` is asked only when none was given. Throws when some were given and this one was not. */
  of(figure: string, fit: () => number): number {
    if (this.#given === undefined) return fit();
    const key = thresholdKey(figure);
    const value = this.#given[key];
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw new DataError(
      `${this.#from}: want a number "${key}", got ${JSON.stringify(value)}; --json of a run on other data gives it`,
    );
  }
}

export function thresholdKey(figure: string): string {
  return `${figure}.train_threshold`;
}

/** Leaves out what has no value (the delay of nothing found), so that every figure is a number. */
export function finite(figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value)));
}

export function meanOf(numbers: readonly number[]): number {
  return numbers.length === 0 ? NaN : numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

/** Four digits that count: enough to compare, few enough to read. */
export function shown(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "-";
  if (value >= 1e12) return "none";
  if (Number.isInteger(value)) return `${value}`;
  return Math.abs(value) >= 100
    ? value.toFixed(1)
    : Math.abs(value) >= 1
      ? value.toFixed(2)
      : value.toFixed(4);
}

/** Columns side by side, for a terminal. */
export function plain({ title, head, rows }: Table): string[] {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("  ");
  return [title, ...[head, ...rows].map((row) => `  ${line(row).trimEnd()}`)];
}

export function markdown({ title, head, rows }: Table): string[] {
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [...(title === "" ? [] : [title, ""]), line(head), line(head.map(() => "---")), ...rows.map(line)];
}
