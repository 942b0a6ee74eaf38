/**
 * A metric's value as people say it. The unit on the wire is exact (UCUM); what it means depends on the metric: seconds of
 * CPU per second are cores, seconds of waiting per second are a share of the time, and `{thread}` adds nothing to "Load".
 */
import { formatNumber, formatValue } from "../units.ts";
import type { Language } from "./text.ts";

/** Metrics whose value counts cores, whether it comes as a ratio or as seconds per second. */
const cores = /^(process\.cpu\.utilization|(system|causeway\.(service|cgroup))\.cpu\.time)$/;

const coresWord: Readonly<Record<Language, (count: string) => string>> = {
  en: (count) => `${count} ${count === "1" ? "core" : "cores"}`,
  "zh-CN": (count) => `${count} 核`,
};

/** "–" for a value that is not there. */
export function formatReading(
  value: number | null | undefined,
  unit: string,
  metric: string,
  language: Language,
): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (cores.test(metric)) return coresWord[language](formatNumber(value));
  if (unit === "s/s") return formatValue(value, "1");
  return formatValue(value, unit.replace(/\{[^}]*\}/, "")).replace(/(\d)\/s$/, "$1 /s");
}
