/**
 * What is judged by: the product's detector and what it is compared with, behind one interface.
 *
 * A judge is causal: the severity of a row depends on that row and those before it, never on the length or the range of the whole.
 * It has one configuration for all series and sees no labels.
 */
import type { HostInput, SeriesInput } from "./data/series.ts";

export interface HostSeverity {
  /** One a row: is the host as a whole as expected? */
  readonly host: Float32Array;
  /** `dims` a row: which metrics are to blame? */
  readonly perMetric: Float32Array;
}

export interface Judge {
  /** A word for tables and keys. */
  readonly name: string;
  /** At or above these it raises an alarm as it is shipped, whatever the data. */
  readonly shipped: { readonly series: number; readonly host: number };
  /** Its events are those at the threshold that is shipped; the others' threshold is chosen for them on the training half. */
  readonly shipsEvents?: true;
  /** One severity a row, at least 0; higher is worse. */
  judgeSeries(input: SeriesInput): Float32Array;
  judgeHost(input: HostInput): HostSeverity;
}

/** The severities of a series, looked at for being severities at all. */
export function severityOf(judge: Judge, id: string, input: SeriesInput): Float32Array {
  return checked(`${judge.name} on ${id}`, judge.judgeSeries(input), input.values.length);
}

export function hostSeverityOf(judge: Judge, id: string, input: HostInput): HostSeverity {
  const { host, perMetric } = judge.judgeHost(input);
  const rows = input.timesMs.length;
  return {
    host: checked(`${judge.name} on ${id}`, host, rows),
    perMetric: checked(`${judge.name} on the metrics of ${id}`, perMetric, rows * input.dims),
  };
}

function checked(what: string, severity: Float32Array, length: number): Float32Array {
  if (severity.length !== length)
    throw new Error(`${what}: want ${length} severities, got ${severity.length}`);
  const wrong = severity.findIndex((one) => !(one >= 0 && one < Infinity));
  if (wrong >= 0)
    throw new Error(`${what}: want finite severities of at least 0, got ${severity[wrong]} at ${wrong}`);
  return severity;
}

/** Mean of the `count` largest of `length` numbers from `at` on: a host's severity from its metrics'. */
export function topMean(numbers: Float32Array, at: number, length: number, count: number): number {
  const top = new Float64Array(Math.min(count, length));
  for (let index = at; index < at + length; index += 1) {
    let carried = numbers[index]!;
    if (carried <= top.at(-1)!) continue;
    for (let place = 0; place < top.length; place += 1) {
      if (carried <= top[place]!) continue;
      const smaller = top[place]!;
      top[place] = carried;
      carried = smaller;
    }
  }
  return top.reduce((sum, one) => sum + one, 0) / top.length;
}
