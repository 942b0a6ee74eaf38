/** What the columns are: the sections of a frame that define series and say what the agent is. */
import { WireError } from "../errors.ts";
import { limits } from "../limits.ts";
import { canonicalLabels, type Labels, type Series } from "../series.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { ColumnState } from "./columns.ts";

export interface Definition {
  readonly column: number;
  readonly series: Series;
}

export function writeLabels(out: ByteWriter, labels: Labels): void {
  out.varint(labels.length);
  for (const [name, value] of labels) {
    out.string(name);
    out.string(value);
  }
}

export function readLabels(part: ByteReader, what: string): Labels {
  const count = part.varint(`${what}: count`, limits.labelsPerSeriesMax);
  const pairs: [string, string][] = [];
  for (let index = 0; index < count; index += 1) {
    const name = part.string(`${what}: name`, limits.labelNameBytesMax);
    pairs.push([name, part.string(`${what}: value of ${name}`, limits.labelValueBytesMax)]);
  }
  return canonicalLabels(pairs);
}

/** A table of strings, then the definitions in ascending column order, their strings as table indexes. */
export function writeDefinitions(out: ByteWriter, definitions: readonly Definition[]): void {
  const index = new Map<string, number>();
  const refer = (text: string): number => {
    const known = index.get(text);
    if (known !== undefined) return known;
    index.set(text, index.size);
    return index.size - 1;
  };
  for (const { series } of definitions) {
    for (const text of [series.metric, series.unit, ...series.labels.flat()]) refer(text);
  }
  out.varint(index.size);
  for (const text of index.keys()) out.string(text);
  out.varint(definitions.length);
  let before = -1;
  for (const { column, series } of definitions) {
    out.varint(column - before - 1);
    before = column;
    out.varint(refer(series.metric));
    out.varint(refer(series.unit));
    out.byte((series.instrument === "counter" ? 1 : 0) | (series.decimals << 1));
    out.varint(series.labels.length);
    for (const text of series.labels.flat()) out.varint(refer(text));
  }
}

export function readDefinitions(part: ByteReader, state: ColumnState, key: boolean): Definition[] {
  const strings: string[] = [];
  const stringCount = part.varint("strings", limits.frameBytesMax);
  for (let index = 0; index < stringCount; index += 1)
    strings.push(part.string("string", limits.labelValueBytesMax));
  const string = (what: string, bytesMax: number): string => {
    const index = part.varint(what);
    const text = strings[index];
    if (text === undefined) throw new WireError("malformed", `${what}: string ${index} of ${strings.length}`);
    if (text.length > bytesMax)
      throw new WireError("oversized", `${what}: ${text.length} characters, limit is ${bytesMax}`);
    return text;
  };
  const count = part.varint("definitions", limits.seriesPerHostMax);
  const definitions: Definition[] = [];
  let column = -1;
  for (let index = 0; index < count; index += 1) {
    column += part.varint("column", limits.seriesPerHostMax) + 1;
    if (column >= limits.seriesPerHostMax) {
      throw new WireError(
        "too_many_series",
        `column ${column}, limit is ${limits.seriesPerHostMax} (limits.seriesPerHostMax)`,
      );
    }
    const metric = string("metric name", limits.metricNameBytesMax);
    const unit = string("unit", limits.labelNameBytesMax);
    const flags = part.byte();
    const decimals = flags >> 1;
    if (decimals > 9) throw new WireError("malformed", `${metric}: ${decimals} decimals, limit is 9`);
    const labelCount = part.varint("labels", limits.labelsPerSeriesMax);
    const pairs: [string, string][] = [];
    for (let label = 0; label < labelCount; label += 1) {
      const name = string("label name", limits.labelNameBytesMax);
      pairs.push([name, string(`label ${name}`, limits.labelValueBytesMax)]);
    }
    const instrument = (flags & 1) === 1 ? "counter" : "gauge";
    definitions.push({
      column,
      series: { metric, unit, instrument, decimals, labels: canonicalLabels(pairs) },
    });
  }
  defineColumns(state, definitions, key);
  return definitions;
}

function defineColumns(state: ColumnState, definitions: readonly Definition[], key: boolean): void {
  if (definitions.length === 0) return;
  // The arrays may still be those that the last good frame left: copy before writing, for a frame that fails later.
  if (!key) {
    state.last = state.last.slice();
    state.power = state.power.slice();
  }
  state.widen((definitions.at(-1)?.column ?? 0) + 1);
  for (const { column, series } of definitions) state.define(column, series.decimals);
}
