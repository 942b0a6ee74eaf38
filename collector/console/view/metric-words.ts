/** Metrics in sentences, in the reader's words: detection names them as "system.disk.io sda write", a metric and its labels. */
import type { Text } from "#shared/contract/incident.ts";
import type { Language } from "#shared/text/text.ts";

type Word = (metric: string) => string;

export function metricsInWords(labels: readonly string[], word: Word, language: Language): string {
  return labels
    .map((label) => {
      const [metric = "", ...rest] = label.split(" ");
      return [word(metric), ...rest].join(" ");
    })
    .join(language === "zh-CN" ? "、" : ", ");
}

/** The same text, with the list that its argument `metrics` is in words. */
export function inWords(text: Pick<Text, "key" | "args">, word: Word, language: Language): Text {
  const metrics = text.args["metrics"];
  if (typeof metrics !== "string") return text;
  return {
    key: text.key,
    args: { ...text.args, metrics: metricsInWords(metrics.split(", "), word, language) },
  };
}
