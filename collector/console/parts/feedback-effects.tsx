/** The thresholds that operators' feedback moved: by how much, and of what. */
import { formatNumber } from "#shared/units.ts";
import { metricWord, t } from "../state/settings.ts";
import type { Changed, Effects } from "../view/feedback.ts";
import { labelsLine } from "#shared/text/series-words.ts";
import { middleEllipsis } from "../view/series-name.ts";
import { Link } from "./link.tsx";
import { Sentence } from "./sentence.tsx";

export function FeedbackEffects({ effects, linked }: { effects: Effects; linked: boolean }) {
  const more = t("feedback.more", { n: effects.more });
  return (
    <div class="feedback-effects">
      {effects.groups.map(({ factor, changed }) => (
        <div key={`${factor} ${changed[0]?.host}`}>
          <p>{t("feedback.effect", { times: formatNumber(factor) })}</p>
          <ul class="evidences">
            {changed.map((one) => (
              <li key={`${one.host} ${one.series} ${one.metric}`} title={one.series}>
                <Sentence text={changedText(one)} />
              </li>
            ))}
          </ul>
        </div>
      ))}
      {effects.more > 0 && <p>{linked ? <Link to={{ screen: "feedback" }}>{more}</Link> : more}</p>}
    </div>
  );
}

/** "Process CPU java 4711 · core-db-03" */
function changedText({ metric, host, series }: Changed): string {
  const labels = labelsLine(series);
  const what = labels === "" ? metricWord(metric) : `${metricWord(metric)} ${middleEllipsis(labels, 32)}`;
  return `${what} · ${host ?? t("feedback.allHosts")}`;
}
