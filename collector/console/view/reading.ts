/**
 * A metric's value as people say it. The unit on the wire is exact (UCUM); what it means depends on the metric: seconds of
 * CPU per second are cores, seconds of waiting per second are a share of the time, and `{thread}` adds nothing to "Load".
 */
import type { Language } from "#shared/text/text.ts";
import { formatNumber, formatValue } from "#shared/units.ts";

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

/** "10⁹" for 9: how improbable a deviation is, in a form that is read at a glance. */
export function powerOfTen(exponent: number): string {
  const digits = Array.from(
    String(Math.max(0, Math.floor(exponent))),
    (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)],
  );
  return `10${digits.join("")}`;
}
