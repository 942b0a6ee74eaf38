/** When a host was last heard: "now" while it reports in time, else how long ago and when. */
import type { Host } from "#shared/contract/api.ts";
import { t } from "../state/settings.ts";
import { nowMs } from "../state/store.ts";
import { ageSince } from "./moment.tsx";

/** Two intervals and the way through the collector. */
const slackMs = 5000;

export function LastSeen({ host }: { host: Host }) {
  const ageMs = nowMs.value - host.lastSeenMs;
  const iso = new Date(host.lastSeenMs).toISOString();
  if (host.state === "up" && ageMs <= 2 * host.intervalMs + slackMs) {
    return <time dateTime={iso}>{t("hosts.agoNow")}</time>;
  }
  return <time dateTime={iso}>{t("hosts.ago", { age: ageSince(host.lastSeenMs) })}</time>;
}
