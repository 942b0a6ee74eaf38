/**
 * Written by `npm run make:priors -- --data DIR` (`test/eval/priors/`) from recordings of our own agent and from a simulation; never
 * by hand. `README.md`, "Priors by kind", says what the columns mean. `hash` is the SHA-256 of the rows' JSON, as a test checks.
 */
import type { MetricKind, Resource } from "#shared/semantics.ts";

export type PriorRow = readonly [
  kind: MetricKind,
  resource: Resource,
  /** Of what is judged: of a counter, per second. */
  unit: string,
  /** Standard deviation of a sample around its level: an amount, and a share of the level. */
  deviation: number,
  share: number,
  /** What it was made of. */
  series: number,
  hours: number,
  source: "recorded" | "simulated" | "both",
];

export const schema = "causeway.priors";
export const version = 1;
export const hash = "df1a14ba7f8faa5d518ced244a90b199fa0cb3463be9f34a2a13a675f6546387";

export const priorRows: readonly PriorRow[] = [
  ["errors", "network", "{reset}/s", 0.488, 8.45, 4, 9.96, "recorded"],
  ["errors", "network", "{segment}/s", 0.00161, 5.84, 2, 4.98, "recorded"],
  ["errors", "none", "1", 0.0105, 0.000766, 24, 48, "simulated"],
  ["errors", "none", "{request}/s", 0.0332, 0.612, 24, 47.9, "simulated"],
  ["latency", "disk", "s/s", 0.00158, 4.02, 4, 9.96, "recorded"],
  ["latency", "none", "s", 0.0076, 0.0693, 24, 48, "simulated"],
  ["saturation", "cpu", "s/s", 0.00626, 2.53, 2, 4.98, "recorded"],
  ["saturation", "cpu", "{thread}", 0.0175, 1.02, 2, 4.98, "recorded"],
  ["saturation", "disk", "s/s", 0.00000271, 2.14, 4, 9.96, "recorded"],
  ["saturation", "memory", "{fault}/s", 0, 4.68, 2, 4.98, "recorded"],
  ["state", "network", "{connection}", 23.3, 3.51, 6, 15, "recorded"],
  ["state", "process", "{process}", 0.55, 0.152, 25, 43.6, "recorded"],
  ["traffic", "cpu", "{switch}/s", 0, 2.66, 2, 4.98, "recorded"],
  ["traffic", "disk", "By/s", 167000, 3.27, 47, 71.5, "recorded"],
  ["traffic", "disk", "{operation}/s", 0.429, 2.84, 4, 9.96, "recorded"],
  ["traffic", "network", "By/s", 2090, 3.7, 4, 9.96, "recorded"],
  ["traffic", "network", "{packet}/s", 0.105, 2.91, 4, 9.96, "recorded"],
  ["traffic", "none", "{request}/s", 0.513, 0.064, 24, 47.9, "simulated"],
  ["traffic", "process", "{process}/s", 1.77, 2.01, 2, 4.98, "recorded"],
  ["utilisation", "cpu", "1", 0.0197, 0.24, 50, 98.3, "both"],
  ["utilisation", "cpu", "s/s", 0.0738, 0.966, 19, 27.3, "recorded"],
  ["utilisation", "disk", "s/s", 0.00703, 3.36, 2, 4.98, "recorded"],
  ["utilisation", "memory", "1", 0.00306, 0.13, 2, 4.98, "recorded"],
  ["utilisation", "memory", "By", 47600000, 0.00198, 33, 43.9, "recorded"],
  ["utilisation", "space", "1", 0.0000852, 0.00267, 4, 9.97, "recorded"],
];
