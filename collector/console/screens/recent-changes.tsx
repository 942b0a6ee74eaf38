/** What was changed in the last hour, newest first: the first question when something breaks. Asked for once a minute while it is shown. */
import { useEffect } from "preact/hooks";
import { every } from "#shared/clock.ts";
import { type Change, targetText } from "#shared/contract/change.ts";
import { entityName } from "../parts/entity-name.tsx";
import { Moment } from "../parts/moment.tsx";
import { fetchChanges } from "../state/api.ts";
import { browserClock } from "../state/browser-clock.ts";
import { useSignal } from "../state/signals.ts";
import { t } from "../state/settings.ts";
import { nowMs } from "../state/store.ts";

const shownMax = 6;
const lookBackMs = 3_600_000;
const askAgainMs = 60_000;

export function RecentChanges() {
  /** Null until the first answer, and when the last one did not come. */
  const changes = useSignal<readonly Change[] | null>(null);
  useEffect(() => {
    let gone = false;
    const ask = (): void => {
      fetchChanges(nowMs.peek() - lookBackMs).then(
        (list) => !gone && (changes.value = list),
        () => !gone && (changes.value = null),
      );
    };
    ask();
    const timer = every(browserClock, askAgainMs, ask);
    return () => {
      gone = true;
      timer.cancel();
    };
  }, []);
  const list = changes.value;
  return (
    <>
      <h3>{t("changes.recent")}</h3>
      {list === null ? (
        <p class="faint">{t("watch.unknown")}</p>
      ) : list.length === 0 ? (
        <p class="faint">{t("changes.none")}</p>
      ) : (
        <ul class="plain">
          {list.slice(0, shownMax).map(({ id, kind, title, target, atMs }) => (
            <li key={id}>
              <Moment atMs={atMs} zone={false} /> <span class="faint">{t(`changes.${kind}`)}</span> {title}{" "}
              <span class="faint">· {entityName(targetText(target))}</span>
            </li>
          ))}
          {list.length > shownMax && (
            <li class="faint">{t("changes.more", { n: list.length - shownMax })}</li>
          )}
        </ul>
      )}
    </>
  );
}
