/** Earlier incidents like this one with what their causes were, and the way to say what the cause of this one was. */
import type { Incident, Similar as SimilarIncident } from "#shared/contract/incident.ts";
import { command } from "../parts/command-dialog.tsx";
import { entityName } from "../parts/entity-name.tsx";
import { Link } from "../parts/link.tsx";
import { ageSince, Moment } from "../parts/moment.tsx";
import { singleKeys, t } from "../state/settings.ts";
import { confidencePercent } from "../view/confidence.ts";

export function Similar({ incident }: { incident: Incident }) {
  const { confirmedCause } = incident;
  return (
    <section class="known" aria-labelledby="similar-title">
      <h2 id="similar-title">{t("similar.title")}</h2>
      {incident.similar.length === 0 && <p class="faint">{t("similar.none")}</p>}
      <ul class="similar">
        {incident.similar.map((one) => (
          <Line key={one.incident} one={one} />
        ))}
      </ul>
      {confirmedCause !== null && (
        <>
          <p>
            {t("similar.confirmed", { by: confirmedCause.by })} <b>{entityName(confirmedCause.entity)}</b> ·{" "}
            <Moment atMs={confirmedCause.atMs} />
          </p>
          {confirmedCause.comment !== "" && <q>{confirmedCause.comment}</q>}
        </>
      )}
      <div class="feedback-actions" role="group" aria-labelledby="similar-title">
        <button type="button" class="quiet" onClick={() => command("cause", incident.id)}>
          {t(confirmedCause === null ? "action.cause" : "action.causeAgain")}{" "}
          {singleKeys.value === "on" && <kbd>e</kbd>}
        </button>
        {confirmedCause !== null && (
          <button type="button" class="quiet" onClick={() => command("uncause", incident.id)}>
            {t("action.uncause")}
          </button>
        )}
      </div>
    </section>
  );
}

function Line({ one: { incident, startedMs, likeness, cause } }: { one: SimilarIncident }) {
  const word = cause === null ? "similar.unknown" : cause.confirmed ? "similar.was" : "similar.likely";
  return (
    <li>
      <Link to={{ screen: "incident", id: incident }}>{incident}</Link>{" "}
      <span class="faint">{t("hosts.ago", { age: ageSince(startedMs) })}</span>:{" "}
      {t(word, { entity: cause === null ? "" : entityName(cause.entity) })},{" "}
      {t("similar.alike", { percent: confidencePercent(likeness) })}
      {cause !== null && cause.comment !== "" && <q>{cause.comment}</q>}
    </li>
  );
}
