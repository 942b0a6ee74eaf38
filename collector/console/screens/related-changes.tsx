/** What was changed nearby around the beginning: how long before, how far away, who, and where to read on. */
import type { Incident } from "#shared/contract/incident.ts";
import { entityName } from "../parts/entity-name.tsx";
import { Moment } from "../parts/moment.tsx";
import { language, t } from "../state/settings.ts";
import { formatAge } from "../view/time.ts";

export function RelatedChanges({ incident }: { incident: Incident }) {
  if (incident.changes.length === 0) return null;
  const action = incident.causes[0]?.action;
  return (
    <section aria-labelledby="changes-title">
      <h2 id="changes-title">{t("changes.title")}</h2>
      <ul class="changes">
        {incident.changes.map(({ id, kind, title, target, by, link, atMs, beforeMs, relation, hops }) => (
          <li key={id}>
            <p>
              {id === action && <span class="tag tag-cause">{t("changes.action")}</span>}{" "}
              <span class="faint">{t(`changes.${kind}`)}</span> <b>{title}</b>
            </p>
            <p class="faint">
              <Moment atMs={atMs} zone={false} /> ·{" "}
              {t(beforeMs >= 0 ? "changes.before" : "changes.after", {
                age: formatAge(Math.abs(beforeMs), language.value),
              })}{" "}
              · {entityName(target)} ·{" "}
              {relation === "near" ? t("changes.near", { n: hops }) : t(`changes.at.${relation}`)}
              {by !== "" && ` · ${by}`}
              {link !== "" && (
                <>
                  {" "}
                  ·{" "}
                  <a class="change-link" href={link} rel="noreferrer noopener" target="_blank">
                    {t("changes.link")}
                  </a>
                </>
              )}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
