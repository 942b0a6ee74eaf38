/** What is remarkable about a host, in a few words. */
import type { Host } from "#shared/contract/api.ts";
import { formatDuration } from "#shared/duration.ts";
import { t } from "../state/settings.ts";

export function HostNotes({ host }: { host: Host }) {
  return (
    <>
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
