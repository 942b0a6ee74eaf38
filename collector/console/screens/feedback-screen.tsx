/** What operators answered, over all incidents, and what it made of the thresholds; each answer can be withdrawn here. */
import type { FeedbackList } from "#shared/contract/api.ts";
import { command } from "../parts/command-dialog.tsx";
import { FeedbackEffects } from "../parts/feedback-effects.tsx";
import { Link } from "../parts/link.tsx";
import { Moment } from "../parts/moment.tsx";
import { fetchIncident } from "../state/api.ts";
import { useFeedback } from "../state/feedback.ts";
import { t } from "../state/settings.ts";
import { useSignal } from "../state/signals.ts";
import { acceptAnswer, incidents } from "../state/store.ts";
import { effectsOf } from "../view/feedback.ts";

const rowsShownFirst = 50;
const effectsShownMax = 100;

export function FeedbackScreen() {
  const { list, problem } = useFeedback(null).value;
  return (
    <section aria-labelledby="feedback-title">
      <div class="list-head">
        <h1 id="feedback-title">{t("feedback.all")}</h1>
        {list !== null && <span class="faint">{t("feedback.count", { n: list.feedbacks.length })}</span>}
      </div>
      {problem !== null && <p class="warning-text">{t("chart.failed", { message: problem })}</p>}
      {list === null && problem === null && <p class="waiting">{t("chart.loading")}</p>}
      {list !== null && <Whole list={list} />}
    </section>
  );
}

function Whole({ list }: { list: FeedbackList }) {
  const all = useSignal(false);
  if (list.feedbacks.length === 0) return <p class="faint">{t("feedback.empty")}</p>;
  const rows = all.value ? list.feedbacks : list.feedbacks.slice(0, rowsShownFirst);
  const effects = effectsOf(list, effectsShownMax);
  return (
    <>
      <table class="hosts feedbacks">
        <thead>
          <tr>
            <th scope="col">{t("feedback.incident")}</th>
            <th scope="col">{t("feedback.verdict")}</th>
            <th scope="col">{t("feedback.by")}</th>
            <th scope="col">{t("feedback.at")}</th>
            <th scope="col">{t("feedback.until")}</th>
            <th scope="col">
              <span class="hidden-text">{t("action.label")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <Row key={one.incident} one={one} />
          ))}
        </tbody>
      </table>
      {list.feedbacks.length > rows.length && (
        <button type="button" class="quiet" onClick={() => (all.value = true)}>
          {t("incidents.showAll", { n: list.feedbacks.length })}
        </button>
      )}
      {effects.groups.length > 0 && (
        <section class="feedback-all" aria-labelledby="effects-title">
          <h2 id="effects-title">{t("feedback.effects")}</h2>
          <FeedbackEffects effects={effects} linked={false} />
        </section>
      )}
    </>
  );
}

function Row({ one }: { one: FeedbackList["feedbacks"][number] }) {
  const problem = useSignal<string | null>(null);

  /** The answer of an incident that is older than what the page holds can be withdrawn as well. */
  async function withdraw(): Promise<void> {
    problem.value = null;
    try {
      if (!incidents.value.has(one.incident)) acceptAnswer(await fetchIncident(one.incident));
      command("withdraw", one.incident);
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  return (
    <tr>
      <th scope="row">
        <Link to={{ screen: "incident", id: one.incident }}>{one.incident}</Link>
      </th>
      <td>{t(`feedback.${one.verdict}`)}</td>
      <td data-label={t("feedback.by")}>
        {one.by} {one.comment !== "" && <q class="faint">{one.comment}</q>}
      </td>
      <td data-label={t("feedback.at")}>
        <Moment atMs={one.atMs} />
      </td>
      <td data-label={t("feedback.until")}>
        <Moment atMs={one.untilMs} />
      </td>
      <td class="notes">
        <button type="button" class="quiet" onClick={() => void withdraw()}>
          {t("action.withdraw")}
        </button>
        {problem.value !== null && <p class="warning-text">{problem.value}</p>}
      </td>
    </tr>
  );
}
