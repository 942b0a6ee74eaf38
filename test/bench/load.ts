/**
 * The samples of many hosts, the same at every run: half of the series unchanged or zero, counters that grow unevenly, gauges
 * with two or three decimals. Names are those that agents use, so that most series are judged; nothing in it is abnormal.
 */
import { canonicalLabels, type Series } from "#shared/series.ts";
import { seeded } from "./report.ts";

export interface Load {
  /** By host. */
  readonly series: readonly (readonly Series[])[];
  /** The next tick: by host, one value a series; the caller's to keep. */
  next(): Float64Array[];
}

interface Template {
  readonly metric: string;
  readonly unit: string;
  readonly instrument: Series["instrument"];
  readonly decimals: number;
  readonly label: string;
  readonly first: (random: () => number) => number;
  readonly next: (before: number, random: () => number) => number;
}

const same = (before: number): number => before;
const zero = (): number => 0;

function rounded(value: number, decimals: number): number {
  const power = 10 ** decimals;
  return Math.round(value * power) / power;
}

/** Series n of a host is template n modulo their number: four of eight stay as they are. */
const templates: readonly Template[] = [
  {
    metric: "system.network.errors",
    unit: "{error}",
    instrument: "counter",
    decimals: 0,
    label: "network.interface.name",
    first: zero,
    next: same,
  },
  {
    metric: "system.disk.io",
    unit: "By",
    instrument: "counter",
    decimals: 0,
    label: "system.device",
    first: (random) => Math.round(random() * 1e11),
    next: (before, random) => before + Math.round(40_000 + 40_000 * random()),
  },
  {
    metric: "causeway.cgroup.memory.limit",
    unit: "By",
    instrument: "gauge",
    decimals: 0,
    label: "causeway.cgroup",
    next: same,
    first: (random) => 2 ** (28 + Math.floor(random() * 6)),
  },
  {
    metric: "causeway.service.cpu.time",
    unit: "s",
    instrument: "counter",
    decimals: 2,
    label: "service.name",
    first: (random) => rounded(random() * 1e5, 2),
    next: (before, random) => rounded(before + random() * 0.8, 2),
  },
  {
    metric: "bank_queue_messages",
    unit: "{message}",
    instrument: "gauge",
    decimals: 0,
    label: "queue",
    first: zero,
    next: same,
  },
  {
    metric: "process.cpu.utilization",
    unit: "1",
    instrument: "gauge",
    decimals: 3,
    label: "process.pid",
    first: (random) => rounded(random() * 0.2, 3),
    next: (before, random) => rounded(Math.abs(before * 0.8 + random() * 0.04), 3),
  },
  {
    metric: "bank_rejected_total",
    unit: "{request}",
    instrument: "counter",
    decimals: 0,
    label: "channel",
    next: same,
    first: (random) => Math.floor(random() * 5000),
  },
  {
    metric: "bank_latency_seconds",
    unit: "s",
    instrument: "gauge",
    decimals: 3,
    label: "operation",
    first: (random) => rounded(0.02 + random() * 0.2, 3),
    next: (before, random) => rounded(0.6 * before + 0.4 * (0.05 + 0.05 * random()), 3),
  },
];

export function createLoad({ hosts, series, seed }: { hosts: number; series: number; seed: number }): Load {
  const random = seeded(seed);
  const last = Array.from({ length: hosts }, () =>
    Float64Array.from({ length: series }, (_, index) => templates[index % templates.length]!.first(random)),
  );
  return {
    series: Array.from({ length: hosts }, () =>
      Array.from({ length: series }, (_, index) => seriesOf(index)),
    ),
    next() {
      for (const values of last) {
        for (let index = 0; index < values.length; index += 1) {
          values[index] = templates[index % templates.length]!.next(values[index]!, random);
        }
      }
      return last.map((values) => values.slice());
    },
  };
}

function seriesOf(index: number): Series {
  const { metric, unit, instrument, decimals, label } = templates[index % templates.length]!;
  const labels = canonicalLabels([
    [label, `${label.split(".").at(-1)}-${Math.floor(index / templates.length)}`],
  ]);
  return { metric, unit, instrument, decimals, labels };
}

export function hostName(host: number): string {
  return `bench-${String(host).padStart(4, "0")}`;
}
