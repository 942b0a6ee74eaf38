/** How unlike itself a host is as a whole: a number, beside a shape and a word that say whether that is usual. */
import type { Host } from "#shared/contract/api.ts";
import { language, t } from "../state/settings.ts";
import { metricsInWords } from "#shared/text/metric-words.ts";
import { ShapeIcon } from "./marks.tsx";

export function HostScore({ host }: { host: Pick<Host, "hostScore" | "state"> }) {
  const { hostScore, state } = host;
  if (hostScore === null) return <span class="faint">{t("score.learning")}</span>;
  // What was said last says nothing of now.
  if (state !== "up") return <span class="faint">–</span>;
  const score = hostScore.score.toFixed(1);
  const unusual = hostScore.unusual !== null;
  return (
    <span class={`mark mark-${unusual ? "info" : "calm"}`}>
      <ShapeIcon shape={unusual ? "dot" : "square"} />
      <span class="mark-word">{t(unusual ? "score.unusual" : "score.usual", { score })}</span>
    </span>
  );
}

/** What there is to say beside the number. */
export function hostScoreText({ hostScore, state }: Pick<Host, "hostScore" | "state">): string {
  if (hostScore === null) return t("score.learningHint");
  if (hostScore.unusual === null || state !== "up") return t("score.hint");
  const { share, metrics } = hostScore.unusual;
  return t("score.detail", {
    share: `${Math.round(share * 100)} %`,
    metrics: metricsInWords(metrics, language.value),
  });
}
