/** One sign in one line: what it is, its value against what was expected, since when, and how surprising. */
import type { JSX } from "preact";
import type { Evidence } from "#shared/contract/incident.ts";
import { readingText, whyText } from "#shared/text/anomaly-text.ts";
import { language, metricWord, t } from "../state/settings.ts";
import { powerOfTen } from "../view/power-of-ten.ts";
import { formatAge } from "../view/time.ts";
import { labelsLine } from "#shared/text/series-words.ts";
import { middleEllipsis } from "../view/series-name.ts";
import { entityName } from "./entity-name.tsx";
import { Moment } from "./moment.tsx";

export interface EvidenceLineProps {
  readonly evidence: Evidence;
  /** When the first symptom began: evidence that came before it is worth more, and says so. */
  readonly firstSymptomMs: number | null;
}

export function EvidenceLine({ evidence, firstSymptomMs }: EvidenceLineProps) {
  const leadMs = firstSymptomMs === null ? 0 : firstSymptomMs - evidence.startedMs;
  const why = whyText(evidence, language.value);
  return (
    <li class="evidence">
      <span class="evidence-main">
        {evidence.metric === "" ? (
          <b>{t("evidence.silence", { entity: entityName(evidence.entity) })}</b>
        ) : (
          <Reading evidence={evidence} />
        )}
      </span>
      {why !== "" && <span class="evidence-why">{why}</span>}
      <span class="evidence-meta">
        {evidence.ended ? <Stretch evidence={evidence} /> : <Since evidence={evidence} />}
        {leadMs >= 1000 && <span>{t("evidence.lead", { age: formatAge(leadMs, language.value) })}</span>}
        {isProbability(evidence.score) && (
          <span>{t("evidence.score", { odds: powerOfTen(evidence.score) })}</span>
        )}
        {evidence.provisional && <span class="tag">{t("evidence.provisional")}</span>}
      </span>
    </li>
  );
}

/** Above it counts what was never seen, of which nobody can say how probable it is. */
function isProbability(score: number): boolean {
  return score >= 2 && score < 7.99;
}

function Reading({ evidence }: { evidence: Evidence }) {
  const labels = labelsLine(evidence.series);
  return (
    <>
      <b title={evidence.series || evidence.metric}>
        {metricWord(evidence.metric)}
        {labels !== "" && ` ${middleEllipsis(labels, 40)}`}
      </b>{" "}
      {readingText(evidence, language.value)}
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
