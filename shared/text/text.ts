/**
 * Sentences in the reader's language, from `{key, args}`. `en.ts` is the type of `zh-CN.ts`: a missing sentence does not
 * compile. A placeholder is `{name}`; `{name|unit}` formats a number with the unit in the argument `unit`;
 * `{name|duration}` formats milliseconds; `{name|percent}` formats a share.
 */
import type { Text } from "../contract/incident.ts";
import { formatDuration } from "../duration.ts";
import { formatNumber, formatValue } from "../units.ts";
import { en } from "./en.ts";
import { zhCN } from "./zh-CN.ts";

export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

const catalogues: Readonly<Record<Language, Readonly<Record<string, string>>>> = { en, "zh-CN": zhCN };

/** A key that no catalogue has is shown as it is, so that a newer collector can talk to an older console. */
export function renderText(text: Text, language: Language): string {
  const args = new Map(Object.entries(text.args));
  const template = new Map(Object.entries(catalogues[language])).get(text.key) ?? text.key;
  return template.replace(/\{(\w+)(?:\|(\w+))?\}/g, (whole, name: string, format: string | undefined) => {
    const value = args.get(name);
    if (value === undefined) return whole;
    if (typeof value === "string") return new Map(Object.entries(catalogues[language])).get(value) ?? value;
    if (format === undefined) return formatNumber(value);
    if (format === "duration") return formatDuration(value);
    if (format === "percent") return `${formatNumber(value * 100)} %`;
    return formatValue(value, String(args.get(format) ?? ""));
  });
}
