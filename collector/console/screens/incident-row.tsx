/** One incident as a sentence; the whole row is its link. */
import type { Incident } from "#shared/contract/incident.ts";
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

export function IncidentRow({ incident, sparkline }: { incident: Incident; sparkline: boolean }) {
  const resolved = incident.state === "resolved";
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
          {incident.state === "recovering" && <span class="tag">{t("state.recovering")}</span>}
        </span>
        <span class="row-text">
          <span class="row-title">
            <Sentence text={renderText(incident.title, language.value)} />
          </span>
          <span class="row-meta">
            <CauseSummary incident={incident} />
            {incident.hosts.length > 1 && <span>{t("incident.hosts", { n: incident.hosts.length })}</span>}
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
