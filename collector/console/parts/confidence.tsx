/** How sure: a word, a number, and a bar that says the same for the eye. */
import { t } from "../state/settings.ts";
import { confidencePercent, confidenceWord } from "../view/confidence.ts";

export function Confidence({ confidence, bar = false }: { confidence: number; bar?: boolean }) {
  const word = confidenceWord(confidence);
  return (
    <span class={`confidence confidence-${word}`}>
      {bar && (
        <span class="confidence-bar" aria-hidden="true">
          <span style={{ width: `${Math.round(confidence * 100)}%` }} />
        </span>
      )}
      <b>{t(`confidence.${word}`)}</b> {confidencePercent(confidence)}
    </span>
  );
}
