/** What is remarkable about a host, in a few words. */
import type { Host } from "#shared/contract/api.ts";
import { formatDuration } from "#shared/duration.ts";
import { t, timeStyle } from "../state/settings.ts";
import { nowMs } from "../state/store.ts";
import { formatMoment } from "../view/time.ts";

export function HostNotes({ host }: { host: Host }) {
  const { maintenance } = host;
  return (
    <>
      {maintenance !== null && (
        <span class="tag">
          {t("host.maintenance", { at: formatMoment(maintenance.untilMs, nowMs.value, timeStyle.value) })}
          {maintenance.reason !== "" && ` · ${maintenance.reason}`}
        </span>
      )}
      {host.anomalies > 0 && <span class="tag">{t("host.anomalies", { n: host.anomalies })}</span>}
      {host.clockErrorMs !== 0 && (
        <span class="tag tag-warning">
          {t(host.clockErrorMs > 0 ? "host.clockAhead" : "host.clockBehind", {
            error: formatDuration(Math.abs(host.clockErrorMs)),
          })}
        </span>
      )}
    </>
  );
}
