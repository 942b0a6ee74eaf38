/** "Was this useful?": the answer to one incident, who gave it, what it changed, and the way back. */
import type { Incident } from "#shared/contract/incident.ts";
import { command } from "../parts/command-dialog.tsx";
import { FeedbackEffects } from "../parts/feedback-effects.tsx";
import { Moment } from "../parts/moment.tsx";
import { type CommandKind, isOffered } from "../state/command.ts";
import { useFeedback } from "../state/feedback.ts";
import { singleKeys, t } from "../state/settings.ts";
import { effectsOf } from "../view/feedback.ts";

const effectsShownMax = 5;
const kinds = ["useful", "noise", "withdraw"] as const satisfies readonly CommandKind[];
const keys = { useful: "u", noise: "n", withdraw: "w" } as const;

export function Feedback({ incident }: { incident: Incident }) {
  const { feedback } = incident;
  return (
    <section class="feedback" aria-labelledby="feedback-title">
      <h2 id="feedback-title">{t("feedback.title")}</h2>
      {feedback === null ? (
        <p class="faint">{t("feedback.hint")}</p>
      ) : (
        <>
          <p>
            <b>{t(`feedback.${feedback.verdict}`)}</b> · {feedback.by} · <Moment atMs={feedback.atMs} />
          </p>
          {feedback.comment !== "" && <q>{feedback.comment}</q>}
          <Changed id={incident.id} />
        </>
      )}
      <div class="feedback-actions" role="group" aria-labelledby="feedback-title">
        {kinds
          .filter((kind) => isOffered(kind, incident))
          .map((kind) => (
            <button key={kind} type="button" class="quiet" onClick={() => command(kind, incident.id)}>
              {t(`action.${kind}`)} {singleKeys.value === "on" && <kbd>{keys[kind]}</kbd>}
            </button>
          ))}
      </div>
    </section>
  );
}

function Changed({ id }: { id: string }) {
  const { list, problem } = useFeedback(id).value;
  if (problem !== null) return <p class="faint">{t("chart.failed", { message: problem })}</p>;
  if (list === null) return null;
  if (list.feedbacks.length === 0) return <p class="faint">{t("feedback.ended")}</p>;
  const effects = effectsOf(list, effectsShownMax);
  if (effects.groups.length === 0) return <p class="faint">{t("feedback.noSeries")}</p>;
  return <FeedbackEffects effects={effects} linked />;
}
