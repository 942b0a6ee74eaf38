/** What survives a restart of one host beside its table's columns. */
import type { Series } from "#shared/series.ts";
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
  readonly moments: MomentsState;
  /** By policy: the smallest deviations that the series were judged with. */
  readonly floors: readonly (readonly [floor: number, share: number])[];
  readonly capacities: readonly [number, number];
  readonly lateTicks: number;
}
