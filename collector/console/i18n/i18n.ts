/** The console's words in the reader's language. Pure; which language it is, is a signal in `state/settings.ts`. */
import type { Language } from "#shared/text/text.ts";
import { en, type Word, type Words } from "./en.ts";
import { zhCN } from "./zh-cn.ts";

const catalogues: Readonly<Record<Language, Words>> = { en, "zh-CN": zhCN };

export type WordArgs = Readonly<Record<string, string | number>>;

/** Fills `{name}` and `{name#one|several}`. A placeholder without its argument stays, so that it is seen. */
export function translate(language: Language, word: Word, args: WordArgs = {}): string {
  const values = new Map(Object.entries(args));
  return catalogues[language][word].replace(
    /\{(\w+)(?:#([^|}]*)\|([^}]*))?\}/g,
    (whole, name: string, one: string | undefined, several: string | undefined) => {
      const value = values.get(name);
      if (value === undefined) return whole;
      if (one === undefined) return String(value);
      return Number(value) === 1 ? one : (several ?? "");
    },
  );
}

/** The reader's language by the browser's list, best first: Chinese of any kind, or English. */
export function preferredLanguage(accepted: readonly string[]): Language {
  for (const tag of accepted) {
    if (tag.toLowerCase().startsWith("zh")) return "zh-CN";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}
