/**
 * Who depends on whom, by numbers: an entity depends on those that it calls and on the one that it runs on.
 *
 * Neighbours lie in one array, row after row, so that a thousand entities with five thousand edges are walked without an object.
 */
import type { EvidenceWindow } from "./evidence.ts";

export interface Graph {
  readonly names: readonly string[];
  numberOf(entity: string): number | undefined;
  /** By series: its entity, and its caller or -1. */
  readonly entityOfSeries: Int32Array;
  readonly callerOfSeries: Int32Array;
  /** By series: 1 where it is of the network alone. */
  readonly ofWire: Uint8Array;
  /** What `entity` depends on: `targets[starts[entity]..starts[entity + 1])`. */
  readonly starts: Int32Array;
  readonly targets: Int32Array;
  /** What it runs on, or -1. */
  readonly hostOf: Int32Array;
  readonly remote: Uint8Array;
  readonly isNew: Uint8Array;
  /** Whether a way leads to it from where the trouble is felt; all 1 when that is unknown. */
  readonly reachable: Uint8Array;
}

export function graphOf(window: EvidenceWindow): Graph {
  const numbers = new Map<string, number>();
  const names: string[] = [];
  const intern = (name: string): number => {
    let number = numbers.get(name);
    if (number === undefined) {
      number = names.length;
      numbers.set(name, number);
      names.push(name);
    }
    return number;
  };
  const { series, calls, entities = [], breached } = window;
  const entityOfSeries = new Int32Array(series.length);
  const callerOfSeries = new Int32Array(series.length).fill(-1);
  const ofWire = new Uint8Array(series.length);
  for (let index = 0; index < series.length; index += 1) {
    const { entity, caller, measure } = series[index]!;
    ofWire[index] = Number(measure.at === "wire");
    entityOfSeries[index] = intern(entity);
    if (caller !== undefined) callerOfSeries[index] = intern(caller);
  }
  const hosted = entities.filter(({ host }) => host !== undefined);
  const from = new Int32Array(calls.length + hosted.length);
  const to = new Int32Array(calls.length + hosted.length);
  for (const [edge, [caller, callee]] of calls.entries()) {
    from[edge] = intern(caller);
    to[edge] = intern(callee);
  }
  for (const [place, { id, host }] of hosted.entries()) {
    from[calls.length + place] = intern(id);
    to[calls.length + place] = intern(host!);
  }
  const remotes = entities.filter(({ remote }) => remote === true).map(({ id }) => intern(id));
  const newcomers = entities.filter((one) => one.isNew === true).map(({ id }) => intern(id));
  const { starts, targets } = rows(from, to, names.length);
  const hostOf = new Int32Array(names.length).fill(-1);
  for (let place = calls.length; place < from.length; place += 1) hostOf[from[place]!] = to[place]!;
  // Whoever runs beside a service may take away what it needs.
  const [guests, hosts] = [from.subarray(calls.length), to.subarray(calls.length)];
  const ways = rows(joined(from, hosts), joined(to, guests), names.length);
  const remote = new Uint8Array(names.length);
  for (const number of remotes) remote[number] = 1;
  const isNew = new Uint8Array(names.length);
  for (const number of newcomers) isNew[number] = 1;
  const hurt = breached === undefined ? undefined : numbers.get(breached.entity);
  return {
    names,
    numberOf: (entity) => numbers.get(entity),
    entityOfSeries,
    callerOfSeries,
    ofWire,
    starts,
    targets,
    hostOf,
    remote,
    isNew,
    reachable: reachableFrom(hurt, ways.starts, ways.targets, names.length),
  };
}

function joined(a: Int32Array, b: Int32Array): Int32Array {
  const both = new Int32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Edges by their first end, without those from an entity to itself. */
function rows(
  from: Int32Array,
  to: Int32Array,
  count: number,
): { readonly starts: Int32Array; readonly targets: Int32Array } {
  const starts = new Int32Array(count + 1);
  for (let edge = 0; edge < from.length; edge += 1)
    if (from[edge] !== to[edge]) starts[from[edge]! + 1]! += 1;
  for (let row = 0; row < count; row += 1) starts[row + 1]! += starts[row]!;
  const next = starts.slice();
  const targets = new Int32Array(starts[count]!);
  for (let edge = 0; edge < from.length; edge += 1) {
    if (from[edge] === to[edge]) continue;
    targets[next[from[edge]!]!] = to[edge]!;
    next[from[edge]!]! += 1;
  }
  return { starts, targets };
}

function reachableFrom(
  first: number | undefined,
  starts: Int32Array,
  targets: Int32Array,
  count: number,
): Uint8Array {
  // Without a way onwards nothing is known of who serves it, and that rules nobody out.
  if (first === undefined || starts[first] === starts[first + 1]) return new Uint8Array(count).fill(1);
  const reachable = new Uint8Array(count);
  const queue = new Int32Array(count);
  reachable[first] = 1;
  queue[0] = first;
  let found = 1;
  for (let done = 0; done < found; done += 1) {
    const entity = queue[done]!;
    for (let place = starts[entity]!; place < starts[entity + 1]!; place += 1) {
      const target = targets[place]!;
      if (reachable[target] === 1) continue;
      reachable[target] = 1;
      queue[found] = target;
      found += 1;
    }
  }
  return reachable;
}
