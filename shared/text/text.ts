/**
 * Sentences in the reader's language, from `{key, args}`. `en.ts` is the type of `zh-CN.ts`: a missing sentence does not
 * compile.
 *
 * A placeholder is `{name}`; `{name|duration}` formats milliseconds, `{name|percent}` a share; `{name|unit}` formats a number in the UCUM unit that the argument `unit` names. The arguments `symptom`, `cause`
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
  return render(text.key, new Map(Object.entries(text.args)), catalogues[language], true);
}

function render(
  key: string,
  args: ReadonlyMap<string, string | number>,
  catalogue: ReadonlyMap<string, string>,
  mayNest: boolean,
): string {
  const template = catalogue.get(key) ?? key;
  return template.replace(/\{(\w+)(?:\|(\w+))?\}/g, (whole, name: string, format: string | undefined) => {
    const value = args.get(name);
    if (value === undefined) return whole;
    if (typeof value === "string") {
      return mayNest && nested.has(name) && catalogue.has(value)
        ? render(value, args, catalogue, false)
        : value;
    }
    if (format === undefined) return formatNumber(value);
    if (format === "duration") return formatDuration(value);
    if (format === "percent") return `${formatNumber(value * 100)} %`;
    return formatValue(value, String(args.get(format) ?? ""));
  });
}
