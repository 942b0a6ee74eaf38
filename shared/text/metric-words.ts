/** Metrics in sentences, in the reader's words: detection names them as "system.disk.io sda write", a metric and its labels. */
import type { Text } from "../contract/incident.ts";
import { metricsEn } from "./metrics-en.ts";
import { metricsZhCN } from "./metrics-zh-cn.ts";
import type { Language } from "./text.ts";

const catalogues: Readonly<Record<Language, ReadonlyMap<string, string>>> = {
  en: new Map(Object.entries(metricsEn)),
  "zh-CN": new Map(Object.entries(metricsZhCN)),
};

/** Arguments that name metrics. */
const named = ["metric", "causeMetric", "metrics"];

/** A metric in words, or its name. */
export function metricName(language: Language, metric: string): string {
  return catalogues[language].get(metric) ?? metric;
}

export function metricsInWords(labels: readonly string[], language: Language): string {
  return labels
    .map((label) => {
      const [metric = "", ...rest] = label.split(" ");
      return [metricName(language, metric), ...rest].join(" ");
    })
    .join(language === "zh-CN" ? "、" : ", ");
}

/** The same text, with the metrics that it names, and the list that its argument `metrics` is, in words. */
export function inWords(text: Pick<Text, "key" | "args">, language: Language): Text {
  if (!named.some((name) => typeof text.args[name] === "string")) return text;
  const args = { ...text.args };
  for (const name of ["metric", "causeMetric"]) {
    const metric = args[name];
    if (typeof metric === "string") args[name] = metricName(language, metric);
  }
  const { metrics } = args;
  if (typeof metrics === "string") args["metrics"] = metricsInWords(metrics.split(", "), language);
  return { key: text.key, args };
}
