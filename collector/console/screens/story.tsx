/** The incident in three parts (what it comes from, what failed first, what customers feel), and what was ruled out. */
import type { Incident, Text } from "#shared/contract/incident.ts";
import { inWords } from "#shared/text/metric-words.ts";
import { renderText } from "#shared/text/text.ts";
import { entityName } from "../parts/entity-name.tsx";
import { Moment } from "../parts/moment.tsx";
import { Sentence } from "../parts/sentence.tsx";
import { language, t } from "../state/settings.ts";
import { isIdentified } from "../view/confidence.ts";

export function Story({ incident }: { incident: Incident }) {
  const { cause, failure, ruledOut } = incident.story;
  return (
    <section class="story" aria-labelledby="story-title">
      <h2 id="story-title">{t("story.title")}</h2>
      <ol class="story-parts">
        <li>
          <h3>{t("story.cause")}</h3>
          {cause !== null ? (
            <>
              <p>
                <b>{t(`story.${cause.kind}`)}</b> · {entityName(cause.entity)} ·{" "}
                <Moment atMs={cause.atMs} zone={false} />
              </p>
              <p>
                <Sentence text={sentence(cause.text)} />
              </p>
            </>
          ) : (
            <p>{t(isIdentified(incident) ? "story.below" : "cause.notIdentified")}</p>
          )}
        </li>
        {failure !== null && (
          <li>
            <h3>{t("story.failure")}</h3>
            <p>
              {entityName(failure.entity)} · <Moment atMs={failure.atMs} zone={false} />
            </p>
            <p>
              <Sentence text={sentence(failure.text)} />
            </p>
          </li>
        )}
        <li>
          <h3>{t("page.impact")}</h3>
          {incident.impact.map((text) => {
            const line = renderText(text, language.value);
            return <p key={line}>{line}</p>;
          })}
        </li>
      </ol>
      {ruledOut.length > 0 && (
        <details open={cause === null}>
          <summary>{t("story.ruledOut", { n: ruledOut.length })}</summary>
          <ul class="evidences counter">
            {ruledOut.map(({ what, why }) => (
              <li key={`${what} ${why.key}`}>
                <b>{entityName(what)}</b>: {renderText(why, language.value)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function sentence(text: Text): string {
  return renderText(inWords(text, language.value), language.value);
}
