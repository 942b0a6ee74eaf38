/**
 * Nothing is open. That is a statement, not an empty list: it says when that was last checked, what the last incident was
 * and what lies below the level of an incident; and it is not made while nothing is heard, or while nothing is watched.
 */
import { inWords } from "#shared/text/metric-words.ts";
import { renderText } from "#shared/text/text.ts";
import { Link } from "../parts/link.tsx";
import { ageSince } from "../parts/moment.tsx";
import { language, t, timeStyle } from "../state/settings.ts";
import { arranged, fresh, nowMs, toldSystem } from "../state/store.ts";
import { warmupShares } from "../view/hosts.ts";
import { formatMoment } from "../view/time.ts";

export function Calm() {
  const system = toldSystem.value;
  const trusted = fresh.value.state === "live";
  const blind = system !== null && system.hostsUp === 0;
  if (!trusted)
    return <Statement kind="unknown" title={t("calm.unknownTitle")} lines={[t("calm.unknown")]} />;
  if (blind) return <Statement kind="unknown" title={t("calm.blindTitle")} lines={[t("calm.blind")]} />;
  const lines = [t("calm.text")];
  if (system !== null) {
    const at = formatMoment(system.watermarkMs, nowMs.value, timeStyle.value);
    lines.push(t("calm.checked", { at }));
    lines.push(system.weakSignals === 0 ? t("calm.weakNone") : t("calm.weak", { n: system.weakSignals }));
    const ready = warmupShares(system.warmup).ready;
    if (ready < 1) lines.push(t("calm.learning", { percent: `${Math.floor(ready * 100)} %` }));
  }
  return <Statement kind="calm" title={t("calm.title")} lines={lines} />;
}

function Statement({
  kind,
  title,
  lines,
}: {
  kind: "calm" | "unknown";
  title: string;
  lines: readonly string[];
}) {
  const last = arranged.value.resolved[0];
  return (
    <div class={`calm calm-${kind}`}>
      <svg viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" focusable="false">
        <circle cx="24" cy="24" r="21" fill="none" stroke="currentColor" stroke-width="2" />
        {kind === "calm" ? (
          <path
            d="M15 24.5l6.5 6.5L33.5 18"
            fill="none"
            stroke="currentColor"
            stroke-width="3"
            stroke-linecap="round"
            stroke-linejoin="round"
          />
        ) : (
          <path
            d="M18.5 19.5a5.5 5.5 0 1 1 8.2 4.8c-1.9 1.1-2.7 2.1-2.7 4.2M24 33.5v.1"
            fill="none"
            stroke="currentColor"
            stroke-width="3"
            stroke-linecap="round"
          />
        )}
      </svg>
      <div>
        <p class="calm-title">{title}</p>
        {lines.map((line) => (
          <p key={line}>{line}</p>
        ))}
        <p class="faint">
          {last === undefined ? (
            t("calm.noLast")
          ) : (
            <>
              {t("calm.last")}{" "}
              <Link to={{ screen: "incident", id: last.id }}>
                {renderText(inWords(last.title, language.value), language.value)}
              </Link>{" "}
              <span class="nowrap">
                · {t("calm.lastResolved", { age: ageSince(last.resolvedMs ?? last.updatedMs) })}
              </span>
            </>
          )}
        </p>
      </div>
    </div>
  );
}
