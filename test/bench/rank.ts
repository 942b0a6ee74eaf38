/**
 * Ranking root causes at the size of a large bank: 10,000 series of 1,000 entities with 5,000 calls, half an hour at 10 s before the
 * detection and five minutes since. Once with what is usual taken from the samples, once with what is usual kept by whoever watches the
 * series, which is how a collector would ask.
 */
import { baselineOf } from "#collector/correlate/causes/baseline.ts";
import { rankCauses } from "#collector/correlate/causes/causes.ts";
import type { EvidenceSeries, EvidenceWindow, Measure } from "#collector/correlate/causes/evidence.ts";
import { type BenchOptions, type Figures, row, seeded, shown } from "./report.ts";

const sizes = {
  full: { entities: 1000, calls: 5000, rounds: 300 },
  quick: { entities: 1000, calls: 5000, rounds: 60 },
  tiny: { entities: 20, calls: 60, rounds: 5 },
} as const;

const stepMs = 10_000;
const baselineSamples = 180;
const samples = 210;

const usual = { role: "evidence", badDirection: "up", unit: "1", floor: 0, floorShare: 0.1 } as const;
const measures: readonly Measure[] = [
  { ...usual, kind: "utilisation", resource: "cpu", at: "itself", full: 1, floor: 0.1 },
  { ...usual, kind: "utilisation", resource: "memory", at: "itself", unit: "By", floor: 2 ** 27 },
  { ...usual, kind: "latency", resource: "none", at: "itself", unit: "s", floor: 0.02 },
  { ...usual, kind: "errors", resource: "none", at: "itself", full: 1, floor: 0.01 },
  { ...usual, kind: "traffic", resource: "none", at: "itself", badDirection: "both" },
];

export function benchRank({ size, print }: BenchOptions): Promise<Figures> {
  const { entities, calls, rounds } = sizes[size];
  const window = windowOf(entities, calls);
  const kept: EvidenceWindow = {
    ...window,
    series: window.series.map((one) => {
      const baseline = baselineOf(one.values, 0, baselineSamples, (samples - baselineSamples) / 5);
      return baseline === null ? one : { ...one, baseline };
    }),
  };
  const figures: Record<string, number> = {};
  for (const [name, given] of [
    ["samples", window],
    ["kept", kept],
  ] as const) {
    const { p50Ms, p99Ms, best } = timed(given, rounds);
    const { length } = given.series;
    const note = `p50 ${shown(p50Ms)} ms, ${length} series, ${entities} entities, ${calls} calls, blamed ${best}`;
    print(row(`rank, usual from ${name}`, `p99 ${shown(p99Ms)} ms`, note));
    figures[`rank.${name}.p50_ms`] = p50Ms;
    figures[`rank.${name}.p99_ms`] = p99Ms;
  }
  return Promise.resolve({
    ...figures,
    "rank.p50_ms": figures["rank.kept.p50_ms"]!,
    "rank.p99_ms": figures["rank.kept.p99_ms"]!,
  });
}

function timed(window: EvidenceWindow, rounds: number): { p50Ms: number; p99Ms: number; best: string } {
  const times = new Float64Array(rounds);
  let best = "";
  // The first rounds are the compiler's.
  for (let round = -Math.ceil(rounds / 10); round < rounds; round += 1) {
    const startedMs = performance.now();
    const ranking = rankCauses(window);
    if (round >= 0) times[round] = performance.now() - startedMs;
    best = ranking.causes[0]?.entity ?? "nobody";
  }
  times.sort();
  return { p50Ms: times[rounds >> 1]!, p99Ms: times[Math.floor(0.99 * (rounds - 1))]!, best };
}

/** Ten series an entity, on its own clock; one entity in a hundred is abnormal, and one of those is to blame. */
function windowOf(entities: number, calls: number): EvidenceWindow {
  const next = seeded(1);
  const names = Array.from({ length: entities }, (_, number) => `service-${number}`);
  const series: EvidenceSeries[] = [];
  for (const [number, entity] of names.entries()) {
    const timesMs = Float64Array.from(
      { length: samples },
      (_, place) => (place - baselineSamples) * stepMs + (number % 10) * 1000,
    );
    for (let copy = 0; copy < 10; copy += 1) {
      const measure = measures[copy % measures.length]!;
      const level = measure.unit === "By" ? 2 ** 30 : 0.2;
      const abnormal = number % 100 === 0 && copy < (number === 0 ? 5 : 3);
      const values = Float64Array.from({ length: samples }, (_, place) => {
        const moved = abnormal && place > baselineSamples ? (number === 0 ? 3.5 : 1.5) : 1;
        return level * moved * (0.95 + 0.1 * next());
      });
      series.push({ id: `${entity}-${copy}`, entity, measure, timesMs, values });
    }
  }
  const edges = Array.from({ length: calls }, (): readonly [string, string] => {
    const caller = Math.floor(next() * entities);
    return [names[caller]!, names[Math.floor(next() * entities)]!];
  });
  return { detectedMs: 0, series, calls: edges };
}
