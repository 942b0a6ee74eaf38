/** What survives a restart of one host beside its table's columns. */
import type { CountsState } from "./counts/counts.ts";
import type { ForecastsMeta } from "./forecast/forecast.ts";
import type { Series } from "#shared/series.ts";
import type { Column } from "#shared/snapshot.ts";
import { floorOf } from "./level.ts";
import { rangeOf } from "./record.ts";
import { near, nearLength, type SeriesTable } from "./series-state.ts";
import type { HostScoreState } from "./host-score/host-score.ts";
import type { MomentsState } from "./moments.ts";
import type { OpenAnomaliesState } from "./open-anomalies.ts";

export interface HostMeta {
  readonly host: string;
  readonly series: readonly (Series | null)[];
  readonly firstMs: number;
  readonly lastMs: number;
  readonly lastStepMs: number;
  readonly completeness: number;
  readonly anomalies: OpenAnomaliesState;
  readonly score: HostScoreState;
  readonly counts: CountsState;
  readonly forecasts: ForecastsMeta;
  readonly moments: MomentsState;
  /** By policy: the smallest deviations that the series were judged with. */
  readonly floors: readonly (readonly [floor: number, share: number])[];
  readonly capacities: readonly [number, number];
  readonly lateTicks: number;
}

/** Where the policy is another one than in the snapshot, its smallest deviation holds from now on. */
export function adoptFloors(table: SeriesTable, { floors }: HostMeta, policies: Column): void {
  for (let number = 0; number < policies.length; number += 1) {
    const [floor, share] = floors[policies[number]!]!;
    const now = table.policyOf(number);
    if (now.floor === floor && now.floorShare === share) continue;
    table.near[number * nearLength + near.floor] = floorOf(table, number, rangeOf(table, number));
  }
}
