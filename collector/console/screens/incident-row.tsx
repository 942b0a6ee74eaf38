/** One incident as a sentence; the whole row is its link. */
import { type Incident, isOver } from "#shared/contract/incident.ts";
import { inWords } from "#shared/text/metric-words.ts";
import { renderText } from "#shared/text/text.ts";
import { Confidence } from "../parts/confidence.tsx";
import { entityName } from "../parts/entity-name.tsx";
import { Link } from "../parts/link.tsx";
import { SeverityMark } from "../parts/marks.tsx";
import { ageSince } from "../parts/moment.tsx";
import { Sentence } from "../parts/sentence.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { language, t } from "../state/settings.ts";
import { selectedId } from "../state/store.ts";
import { rowId } from "../view/incident-list.ts";
import { rankCauses } from "../view/confidence.ts";
import { formatAge } from "../view/time.ts";

/** What of its state a row says beside its place in the list. */
const taggedStates: ReadonlySet<Incident["state"]> = new Set([
  "recovering",
  "reopened",
  "flapping",
  "merged",
  "expired",
]);

export function IncidentRow({ incident, sparkline }: { incident: Incident; sparkline: boolean }) {
  const resolved = isOver(incident);
  const symptom = incident.symptoms.find((one) => one.series !== "");
  return (
    <li
      class={`row row-${resolved ? "resolved" : incident.severity}`}
      id={rowId(incident.id)}
      onFocusIn={() => (selectedId.value = incident.id)}
    >
      <Link to={{ screen: "incident", id: incident.id }} class="row-link">
        <span class="row-mark">
          <SeverityMark severity={incident.severity} />
          {taggedStates.has(incident.state) && <span class="tag">{t(`state.${incident.state}`)}</span>}
        </span>
        <span class="row-text">
          <span class="row-title">
            <Sentence text={renderText(inWords(incident.title, language.value), language.value)} />
          </span>
          <span class="row-meta">
            <CauseSummary incident={incident} />
            {incident.suppressedBy !== null && (
              <span>{t("incident.suppressed", { id: incident.suppressedBy })}</span>
            )}
            {incident.mergedInto !== null && <span>{t("incident.merged", { id: incident.mergedInto })}</span>}
            {incident.hostCount > 1 && <span>{t("incident.hosts", { n: incident.hostCount })}</span>}
            {incident.reopened > 0 && <span>{t("incident.reopened", { n: incident.reopened })}</span>}
            <span class="id">{incident.id}</span>
          </span>
        </span>
        {sparkline && !resolved && symptom !== undefined && <Sparkline symptom={symptom} />}
        <span class="row-side">
          <span class="row-age">{age(incident)}</span>
          {!resolved && (
            <span class={incident.owner === null ? "nobody" : "owner"}>
              {incident.owner ?? t("incident.nobody")}
            </span>
          )}
          {resolved && (
            <span class="faint">
              {t("incident.lasted", {
                age: formatAge(
                  (incident.resolvedMs ?? incident.updatedMs) - incident.startedMs,
                  language.value,
                ),
              })}
            </span>
          )}
        </span>
      </Link>
    </li>
  );
}

function CauseSummary({ incident }: { incident: Incident }) {
  const first = rankCauses(incident).identified[0];
  if (first === undefined) return <span>{t("cause.notIdentified")}</span>;
  return (
    <span class="row-cause">
      {t("incident.cause")} {entityName(first.entity)} <Confidence confidence={first.confidence} />
    </span>
  );
}

function age(incident: Incident): string {
  if (incident.resolvedMs !== null) return t("incident.agoResolved", { age: ageSince(incident.resolvedMs) });
  return t("incident.age", { age: ageSince(incident.startedMs) });
}
