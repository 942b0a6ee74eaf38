/** What stands beside an incident's causes: its timeline, the entities it touches, and how much of the data was there. */
import type { Incident } from "#shared/contract/incident.ts";
import { renderText } from "#shared/text/text.ts";
import { kindWord, shortName } from "../parts/entity-name.tsx";
import { Link } from "../parts/link.tsx";
import { ShapeIcon } from "../parts/marks.tsx";
import { Moment } from "../parts/moment.tsx";
import { language, t } from "../state/settings.ts";

const roles = ["cause", "affected", "impacted"] as const;
/** Completeness under which a verdict deserves a warning. */
const completenessWarning = 0.95;

export function Timeline({ incident }: { incident: Incident }) {
  return (
    <section aria-labelledby="timeline-title">
      <h2 id="timeline-title">{t("page.timeline")}</h2>
      <ol class="timeline">
        {[...incident.timeline]
          .sort((a, b) => a.atMs - b.atMs)
          .map((entry) => {
            const text = renderText(entry.text, language.value);
            return (
              <li key={`${entry.atMs} ${text}`}>
                <Moment atMs={entry.atMs} zone={false} />
                <span>{text}</span>
              </li>
            );
          })}
      </ol>
    </section>
  );
}

export function Entities({ incident }: { incident: Incident }) {
  return (
    <section aria-labelledby="entities-title">
      <h2 id="entities-title">{t("page.entities")}</h2>
      <dl class="entities">
        {roles.map((role) => {
          const entities = incident.entities.filter((entity) => entity.role === role);
          if (entities.length === 0) return null;
          return (
            <div key={role}>
              <dt>{t(`role.${role}`)}</dt>
              {entities.map((entity) => (
                <dd key={entity.id}>
                  <span class="faint">{kindWord(entity.kind)}</span>{" "}
                  {entity.name !== "" && <b>{shortName(entity.kind, entity.name)} </b>}
                  <Link to={{ screen: "host", host: entity.host }}>{entity.host}</Link>
                </dd>
              ))}
            </div>
          );
        })}
      </dl>
    </section>
  );
}

export function Completeness({ incident }: { incident: Incident }) {
  const signs = [...incident.symptoms, ...incident.causes.flatMap((cause) => cause.evidence)];
  const total = new Set(signs.map((sign) => `${sign.host} ${sign.series}`)).size;
  const provisional = new Set(
    signs.filter((sign) => sign.provisional).map((sign) => `${sign.host} ${sign.series}`),
  ).size;
  // Rounded down: 100 % means that nothing is missing.
  const percent = `${Math.floor(incident.completeness * 1000) / 10} %`;
  return (
    <section aria-labelledby="data-title">
      <h2 id="data-title">{t("page.data")}</h2>
      <p>{t("page.completeness", { percent })}</p>
      {incident.completeness < completenessWarning && (
        <p class="warning-text">
          <ShapeIcon shape="triangle" /> {t("page.completenessLow")}
        </p>
      )}
      <p class="faint">
        {provisional === 0 ? t("page.ownBaseline") : t("page.provisional", { n: provisional, total })}
      </p>
    </section>
  );
}
