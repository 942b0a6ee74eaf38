/**
 * An anomaly in one plain sentence: what it is and what was expected, compared with what, what makes it worse and what less, and how
 * much of the data was there.
 *
 *   pay-01: CPU busy is 92 %, expected 10 % to 35 %; compared with 14:00 on working days; larger than any deviation in the 12d known; 98 %
 *   of the samples were there.
 *
 * Made of the same parts as the console's lines of evidence, so that nobody reads two stories of one thing.
 */
import type { Anomaly } from "../anomaly.ts";
import { inWords, metricName } from "./metric-words.ts";
import { formatReading } from "./reading.ts";
import { labelsLine } from "./series-words.ts";
import { type Language, renderText } from "./text.ts";

/** What an anomaly and a line of evidence have in common. */
export type Told = Pick<
  Anomaly,
  "series" | "metric" | "unit" | "direction" | "value" | "expectedLow" | "expectedHigh" | "reasons"
>;

const separators: Readonly<Record<Language, readonly [between: string, end: string]>> = {
  en: ["; ", "."],
  "zh-CN": ["；", "。"],
};

export function renderAnomaly(
  anomaly: Told & Pick<Anomaly, "host" | "completeness" | "detector">,
  language: Language,
): string {
  const [between, end] = separators[language];
  const { host, value, detector } = anomaly;
  const isSilence = detector === "absence";
  const silence = { key: "anomaly.silent", args: { host, silent: value * 1000 } };
  const parts = [isSilence ? renderText(silence, language) : headOf(anomaly, language)];
  if (anomaly.reasons.length > 0) parts.push(whyText(anomaly, language));
  const saysHowMuch = anomaly.reasons.some(({ key }) => key === "reason.incomplete");
  if (!isSilence && !saysHowMuch) parts.push(completenessText(anomaly.completeness, language));
  return parts.join(between) + end;
}

function headOf(anomaly: Told & { readonly host: string }, language: Language): string {
  const args = {
    host: anomaly.host,
    what: metricName(language, anomaly.metric),
    labels: labelsLine(anomaly.series),
    reading: readingText(anomaly, language),
  };
  return renderText({ key: args.labels === "" ? "anomaly.head" : "anomaly.head_of", args }, language);
}

/** "is 92 %, expected 10 % to 35 %": what follows the name of what is abnormal. */
export function readingText(told: Told, language: Language): string {
  const shown = (value: number) => formatReading(value, told.unit, told.metric, language);
  const { value, expectedLow, expectedHigh } = told;
  const args = { value: shown(value), low: shown(expectedLow), high: shown(expectedHigh) };
  return renderText({ key: readingKey(told), args }, language);
}

function readingKey({ direction, expectedLow, expectedHigh, reasons }: Told): string {
  // What stands still is not where it is for its value.
  if (direction === "down" && reasons[0]?.key === "reason.flat") return "anomaly.flat";
  if (direction === "up" && expectedLow <= 0) return "anomaly.at_most";
  if (direction === "down" && !Number.isFinite(expectedHigh)) return "anomaly.at_least";
  return "anomaly.between";
}

/** Compared with what, and what raised the score; then, each with a "but", what lowered it. "" without reasons. */
export function whyText({ reasons }: Pick<Told, "reasons">, language: Language): string {
  const said = (effect: "raised" | "lowered") =>
    reasons
      .filter((reason) => reason.effect === effect)
      .map(({ key, args }) => renderText(inWords({ key, args }, language), language));
  const but = said("lowered").map((reason) => renderText({ key: "anomaly.but", args: { reason } }, language));
  return [...said("raised"), ...but].join(separators[language][0]);
}

/** Rounded down: 100 % means that nothing is missing. */
function completenessText(completeness: number, language: Language): string {
  const share = Math.floor(completeness * 1000) / 1000;
  return renderText({ key: "anomaly.complete", args: { share } }, language);
}
