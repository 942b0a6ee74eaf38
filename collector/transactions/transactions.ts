/**
 * Transactions by their dimensions: one cube for each family of counters, fed by the same events as detection.
 *
 * `define` tells what a series is, `observe` what a tick brought; whatever the order of hosts within a minute, and however a tick is split,
 * the cubes are the same. `drill` asks a cube which combination of dimensions the failures, the refusals or the missing volume of a moment
 * are about; `signals` gives the four golden signals by service. What counts as which ending is `shared/counted.ts`'s to say; `mapping.ts`
 * brings other names into the convention. Pure; state is in typed arrays, `snapshot` packs it.
 */
import type { Combination, DrillDown } from "#collector/correlate/drilldown/drilldown.ts";
import type { SampleBatch } from "#shared/batch.ts";
import { type CountedLeaf, countedLeafOf } from "#shared/counted.ts";
import { limits } from "#shared/limits.ts";
import type { Series } from "#shared/series.ts";
import { type Column, packSnapshot, unpackSnapshot } from "#shared/snapshot.ts";
import { Cube, type CubeState, minute, minuteOf } from "./cube.ts";
import { type Drilled, drillCube } from "./drill.ts";
import { adds, HostCounters, type HostCountersState } from "./host-counters.ts";
import { type Mapping, unmapped } from "./mapping.ts";
import { type ServiceSignals, signalsOf } from "./signals.ts";

export type { Drilled, DrilledEnding } from "./drill.ts";
export { type Mapping, parseMapping } from "./mapping.ts";
export type { ServiceSignals } from "./signals.ts";
export type { Combination, DrillDown };

const snapshotSchema = "causeway.transactions";
const snapshotVersion = 1;

/** Dimensions that already say on which host it was. */
const nodeDimensions = new Set(["node", "host", "instance", "host.name"]);
/** What a counter may show at first sight, in terms of what its family brought in the last minute. */
const bornTimes = 2;
const bornMin = 10;

export interface Family {
  readonly family: string;
  readonly leaves: number;
  readonly dimensions: readonly string[];
  /** Counts that came too late to be counted. */
  readonly lateSamples: number;
}

export interface Transactions {
  /** `number` of `host` is `series` from now on. */
  define(host: string, number: number, series: Series): void;
  observe(batch: SampleBatch): void;
  /** The host is out of service: its series add to nothing any more. */
  forget(host: string): void;
  /** The family that a metric's counters belong to, if there is one. */
  familyOf(metric: string): string | undefined;
  families(): readonly Family[];
  /** Null when there is nothing to say of that time: no such family, or not kept any more. */
  drill(family: string, timeMs: number, ending: Drilled["ending"]): Drilled | null;
  /** Services by name; one without a name is the family as a whole. */
  signals(family: string, timeMs: number): readonly ServiceSignals[];
  snapshot(): Uint8Array;
}

interface Meta {
  readonly cubes: readonly CubeState[];
  readonly metrics: readonly (readonly [metric: string, family: string])[];
  readonly hosts: readonly (HostCountersState & { readonly host: string })[];
}

export interface TransactionsParts {
  readonly mapping?: Mapping | undefined;
  /** Bytes of an earlier `snapshot()`; throws when they are of another version. */
  readonly snapshot?: Uint8Array | undefined;
}

export function createTransactions({ mapping = unmapped, snapshot }: TransactionsParts = {}): Transactions {
  const cubes: Cube[] = [];
  const numberOf = new Map<string, number>();
  const familyOfMetric = new Map<string, string>();
  const hosts = new Map<string, HostCounters>();
  if (snapshot !== undefined) restore(snapshot, cubes, numberOf, familyOfMetric, hosts);

  const hostOf = (host: string): HostCounters => {
    const known = hosts.get(host);
    if (known !== undefined) return known;
    const fresh = new HostCounters();
    hosts.set(host, fresh);
    return fresh;
  };

  const cubeOf = (family: string): number | undefined => {
    const known = numberOf.get(family);
    if (known !== undefined || cubes.length >= limits.transactionFamiliesMax) return known;
    numberOf.set(family, cubes.length);
    return cubes.push(new Cube(family)) - 1;
  };

  const release = (counters: HostCounters, number: number): void => {
    const { cube, leaf } = counters.placeOf(number);
    if (cube === -1) return;
    cubes[cube]!.release(leaf);
    counters.define(number, -1, -1, 0, 0);
  };

  const bornMost = (cube: number, ofMinute: number): number =>
    bornMin + bornTimes * cubes[cube]!.total(minute.attempts, ofMinute - 1, ofMinute - 1);

  return {
    define(host, number, series) {
      const known = hosts.get(host);
      if (known !== undefined) release(known, number);
      const mapped = mapping.map(series);
      const counted = countedLeafOf(mapped);
      const added = counted === undefined ? 0 : addsOf(counted);
      const cube = added === 0 ? undefined : cubeOf(counted!.family);
      if (counted === undefined || cube === undefined) return;
      const { dimensions } = counted;
      const isPlaced = dimensions.some(([name]) => nodeDimensions.has(name));
      const all = isPlaced ? dimensions : [...dimensions, ["node", host] as const];
      const hasRoom = cubes.reduce((sum, { size }) => sum + size, 0) < limits.transactionLeavesMax;
      const leaf = cubes[cube]!.take(all, hasRoom);
      familyOfMetric.set(series.metric, counted.family);
      const unit = counted.part === "seconds" ? counted.seconds : 1;
      hostOf(host).define(number, cube, leaf, added, unit);
    },
    observe(batch) {
      const counters = hosts.get(batch.host);
      if (counters === undefined) return;
      const ofMinute = minuteOf(batch.timeMs);
      counters.read(
        batch,
        (cube) => bornMost(cube, ofMinute),
        (cube, leaf, added, count) => addTo(cubes[cube]!, leaf, ofMinute, added, count),
      );
    },
    forget(host) {
      const counters = hosts.get(host);
      if (counters === undefined) return;
      for (let number = 0; number < counters.state().size; number += 1) release(counters, number);
      hosts.delete(host);
    },
    familyOf: (metric) => familyOfMetric.get(metric),
    families: () =>
      cubes
        .map((cube) => ({
          family: cube.family,
          leaves: cube.size - 1,
          dimensions: cube.leaves().attributes,
          lateSamples: cube.lateSamples,
        }))
        .sort((a, b) => (a.family < b.family ? -1 : 1)),
    drill(family, timeMs, ending) {
      const number = numberOf.get(family);
      return number === undefined ? null : drillCube(cubes[number]!, timeMs, ending);
    },
    signals(family, timeMs) {
      const number = numberOf.get(family);
      if (number === undefined) return [];
      const timed = numberOf.get(`${family}_duration`) ?? number;
      return signalsOf(cubes[number]!, cubes[timed]!, timeMs);
    },
    snapshot() {
      const columns = new Map<string, Column>();
      for (const [index, cube] of cubes.entries())
        for (const [name, column] of cube.columns()) columns.set(`cube ${index} ${name}`, column);
      for (const [index, counters] of [...hosts.values()].entries())
        for (const [name, column] of counters.columns()) columns.set(`host ${index} ${name}`, column);
      return packSnapshot(snapshotSchema, snapshotVersion, {
        meta: {
          cubes: cubes.map((cube) => cube.state()),
          metrics: [...familyOfMetric],
          hosts: [...hosts].map(([host, counters]) => ({ host, ...counters.state() })),
        } satisfies Meta,
        columns,
      });
    },
  };
}

/** 0 for what adds to nothing: a counter of successes beside a total says nothing that is counted here. */
function addsOf({ part, isOfTotal }: CountedLeaf): number {
  if (part === "seconds") return adds.seconds;
  const ending = part === "failure" ? adds.system : part === "refusal" ? adds.business : 0;
  return ending + (isOfTotal ? adds.attempts : 0);
}

function addTo(cube: Cube, leaf: number, ofMinute: number, added: number, count: number): void {
  if ((added & adds.attempts) !== 0) cube.add(leaf, ofMinute, minute.attempts, count);
  if ((added & adds.business) !== 0) cube.add(leaf, ofMinute, minute.business, count);
  if ((added & adds.system) !== 0) cube.add(leaf, ofMinute, minute.system, count);
  if ((added & adds.seconds) !== 0) cube.add(leaf, ofMinute, minute.seconds, count);
}

function restore(
  bytes: Uint8Array,
  cubes: Cube[],
  numberOf: Map<string, number>,
  familyOfMetric: Map<string, string>,
  hosts: Map<string, HostCounters>,
): void {
  const { meta, columns } = unpackSnapshot<Meta>(snapshotSchema, snapshotVersion, bytes);
  for (const [index, state] of meta.cubes.entries()) {
    numberOf.set(state.family, index);
    cubes.push(Cube.restore(state, (name) => columns.get(`cube ${index} ${name}`)!));
  }
  for (const [metric, family] of meta.metrics) familyOfMetric.set(metric, family);
  for (const [index, { host, ...state }] of meta.hosts.entries())
    hosts.set(
      host,
      HostCounters.restore(state, (name) => columns.get(`host ${index} ${name}`)!),
    );
}
