/** One sign in one line: what it is, its value against what was expected, since when, and how surprising. */
import type { JSX } from "preact";
import type { Evidence } from "#shared/contract/incident.ts";
import { renderText } from "#shared/text/text.ts";
import { language, metricWord, t } from "../state/settings.ts";
import { formatReading, powerOfTen } from "../view/reading.ts";
import { formatAge } from "../view/time.ts";
import { inWords } from "../view/metric-words.ts";
import { labelsLine, middleEllipsis } from "../view/series-name.ts";
import { entityName } from "./entity-name.tsx";
import { Moment } from "./moment.tsx";

export interface EvidenceLineProps {
  readonly evidence: Evidence;
  /** When the first symptom began: evidence that came before it is worth more, and says so. */
  readonly firstSymptomMs: number | null;
}

export function EvidenceLine({ evidence, firstSymptomMs }: EvidenceLineProps) {
  const leadMs = firstSymptomMs === null ? 0 : firstSymptomMs - evidence.startedMs;
  return (
    <li class="evidence">
      <span class="evidence-main">
        {evidence.metric === "" ? (
          <b>{t("evidence.silence", { entity: entityName(evidence.entity) })}</b>
        ) : (
          <Reading evidence={evidence} />
        )}
      </span>
      <span class="evidence-meta">
        {evidence.ended ? <Stretch evidence={evidence} /> : <Since evidence={evidence} />}
        {leadMs >= 1000 && <span>{t("evidence.lead", { age: formatAge(leadMs, language.value) })}</span>}
        {evidence.score >= 2 && <span>{t("evidence.score", { odds: powerOfTen(evidence.score) })}</span>}
        {evidence.provisional && <span class="tag">{t("evidence.provisional")}</span>}
        {evidence.reasons.map((reason) => (
          <span key={reason.key}>
            {renderText(inWords(reason, metricWord, language.value), language.value)}
          </span>
        ))}
      </span>
    </li>
  );
}

function Reading({ evidence }: { evidence: Evidence }) {
  const format = (value: number): string =>
    formatReading(value, evidence.unit, evidence.metric, language.value);
  const value = format(evidence.value);
  const high = format(evidence.expectedHigh);
  const low = format(evidence.expectedLow);
  const text =
    evidence.direction === "up" ? t("evidence.up", { value, high }) : t("evidence.down", { value, low });
  const labels = labelsLine(evidence.series);
  return (
    <>
      <b title={evidence.series || evidence.metric}>
        {metricWord(evidence.metric)}
        {labels !== "" && ` ${middleEllipsis(labels, 40)}`}
      </b>{" "}
      {text}
    </>
  );
}

function Since({ evidence }: { evidence: Evidence }) {
  return <span>{around("evidence.since", { from: <Moment atMs={evidence.startedMs} zone={false} /> })}</span>;
}

function Stretch({ evidence }: { evidence: Evidence }) {
  const from = <Moment atMs={evidence.startedMs} zone={false} />;
  return (
    <span>{around("evidence.between", { from, to: <Moment atMs={evidence.lastMs} zone={false} /> })}</span>
  );
}

/** A sentence with elements in the places of its arguments. */
function around(
  word: "evidence.since" | "evidence.between",
  elements: Readonly<Record<string, JSX.Element>>,
) {
  const places = new Map(Object.entries(elements));
  return t(word)
    .split(/\{(\w+)\}/)
    .map((part, i) => (i % 2 === 1 ? places.get(part) : part));
}
