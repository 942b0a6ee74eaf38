/** What the reader has chosen, kept in this browser only. A browser that keeps nothing (private mode) works the same. */
import { type Language, languages } from "#shared/text/text.ts";
import { metricName } from "#shared/text/metric-words.ts";
import { preferredLanguage, translate, type WordArgs } from "../i18n/i18n.ts";
import type { Word } from "../i18n/en.ts";
import type { TimeStyle } from "../view/time.ts";
import { computed, effect, type Signal, signal } from "./signals.ts";

export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

export const language = kept<Language>("language", languages, preferredLanguage(navigator.languages));
export const theme = kept<Theme>("theme", themes, "auto");
/** Single-key shortcuts can be turned off: speech input types letters (WCAG 2.1.4). */
export const singleKeys = kept<"on" | "off">("single-keys", ["on", "off"], "on");
export const myName = keptText("name");

const timeZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
export const timeStyle = computed<TimeStyle>(() => ({ language: language.value, timeZone }));

/** The word in the reader's language; a component that calls it is redrawn when the language changes. */
export function t(word: Word, args?: WordArgs): string {
  return translate(language.value, word, args);
}

export function metricWord(metric: string): string {
  return metricName(language.value, metric);
}

effect(() => {
  document.documentElement.lang = language.value;
  document.documentElement.dataset["theme"] = theme.value;
});

function kept<T extends string>(name: string, allowed: readonly T[], otherwise: T): Signal<T> {
  const stored = read(name);
  const value = signal<T>(allowed.find((one) => one === stored) ?? otherwise);
  effect(() => write(name, value.value, otherwise));
  return value;
}

function keptText(name: string): Signal<string> {
  const value = signal(read(name) ?? "");
  effect(() => write(name, value.value, ""));
  return value;
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(`causeway.${name}`);
  } catch {
    return null;
  }
}

function write(name: string, value: string, otherwise: string): void {
  try {
    if (value === otherwise) localStorage.removeItem(`causeway.${name}`);
    else localStorage.setItem(`causeway.${name}`, value);
  } catch {
    // Not kept; the choice holds until the page is closed.
  }
}
