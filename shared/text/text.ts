/**
 * Sentences in the reader's language, from `{key, args}`. `en.ts` is the type of `zh-CN.ts`: a missing sentence does not
 * compile.
 *
 * A placeholder is `{name}`; `{name|day}` names a class of day, those that every calendar has in the reader's words and the operator's
 * as they are; `{name|duration}` formats milliseconds, `{name|percent}` a share; `{name|unit}` formats a number in the UCUM unit that the argument `unit` names. The arguments `symptom`, `cause`
 * and `severity` may name another sentence, which is rendered in its place with the same arguments.
 */
import type { Text } from "../contract/incident.ts";
import { formatDuration } from "../duration.ts";
import { formatNumber, formatValue } from "../units.ts";
import { en } from "./en.ts";
import { zhCN } from "./zh-CN.ts";

export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

const catalogues: Readonly<Record<Language, ReadonlyMap<string, string>>> = {
  en: new Map(Object.entries(en)),
  "zh-CN": new Map(Object.entries(zhCN)),
};
const nested = new Set(["symptom", "cause", "severity"]);

/** A key that no catalogue has is shown as it is, so that a newer collector can talk to an older console. */
export function renderText(text: Text, language: Language): string {
  return render(text.key, new Map(Object.entries(text.args)), language, true);
}

function render(
  key: string,
  args: ReadonlyMap<string, string | number>,
  language: Language,
  mayNest: boolean,
): string {
  const catalogue = catalogues[language];
  const template = catalogue.get(key) ?? key;
  return template.replace(/\{(\w+)(?:\|(\w+))?\}/g, (whole, name: string, format: string | undefined) => {
    const value = args.get(name);
    if (value === undefined) return whole;
    if (format === "day" && mayNest) return dayText(String(value), language);
    if (typeof value === "string") {
      return mayNest && nested.has(name) && catalogue.has(value)
        ? render(value, args, language, false)
        : value;
    }
    if (format === undefined) return formatNumber(value);
    if (format === "duration") return durationText(value, language);
    if (format === "percent") return `${formatNumber(value * 100)} %`;
    const unit = String(args.get(format) ?? "");
    // Units annotate what is counted in English.
    return formatValue(value, language === "en" ? unit : unit.replace(/\{[^}]*\}/, ""));
  });
}

function dayText(day: string, language: Language): string {
  return (
    catalogues[language].get(`day.${day}`) ?? render("day.other", new Map([["day", day]]), language, false)
  );
}

const chineseUnits = new Map([
  ["d", "天"],
  ["h", "小时"],
  ["m", "分钟"],
  ["s", "秒"],
  ["ms", "毫秒"],
]);

function durationText(durationMs: number, language: Language): string {
  const text = formatDuration(durationMs);
  if (language === "en") return text;
  return text
    .replace(/(\d+)(ms|[dhms])/g, (_, count: string, unit: string) => `${count} ${chineseUnits.get(unit)} `)
    .trimEnd();
}
