/** All hosts: who reports, who does not, how far their baselines are. What needs a look stands on top. */
import type { Host } from "#shared/contract/api.ts";
import { formatDuration } from "#shared/duration.ts";
import { Link } from "../parts/link.tsx";
import { HostMark } from "../parts/marks.tsx";
import { HostNotes } from "../parts/host-notes.tsx";
import { HostScore } from "../parts/host-score.tsx";
import { WarmupBar, warmupText } from "../parts/warmup-bar.tsx";
import { LastSeen } from "../parts/last-seen.tsx";
import { t } from "../state/settings.ts";
import { computed, signal, useSignal } from "../state/signals.ts";
import { toldHosts } from "../state/store.ts";
import { arrangeHosts } from "../view/hosts.ts";

/** Rows drawn at a time: ten thousand table rows take seconds to lay out, and nobody reads them; one searches. */
const pageRows = 100;

const search = signal("");
const arranged = computed(() => arrangeHosts(toldHosts.value ?? [], search.value));

export function HostsScreen() {
  const rows = useSignal(pageRows);
  const hosts = toldHosts.value;
  if (hosts === null) return <p class="waiting">{t("watch.unknown")}</p>;
  if (hosts.length === 0) {
    return (
      <div class="waiting">
        <h1>{t("hosts.empty")}</h1>
        <p>{t("hosts.emptyHint")}</p>
      </div>
    );
  }
  const found = arranged.value;
  return (
    <section aria-labelledby="hosts-title">
      <div class="list-head">
        <h1 id="hosts-title">{t("hosts.title")}</h1>
        <input
          type="search"
          id="search"
          class="search"
          placeholder={t("hosts.search")}
          aria-label={t("hosts.search")}
          value={search.value}
          onInput={(event) => (search.value = event.currentTarget.value)}
        />
        <span class="faint" role="status">
          {t("hosts.count", { shown: found.length, total: hosts.length })}
        </span>
      </div>
      {found.length === 0 ? (
        <p class="faint">{t("hosts.none")}</p>
      ) : (
        <Table hosts={found.slice(0, rows.value)} />
      )}
      {found.length > rows.value && (
        <button type="button" class="quiet" onClick={() => (rows.value += pageRows)}>
          {t("hosts.more", { n: Math.min(pageRows, found.length - rows.value) })}
        </button>
      )}
    </section>
  );
}

function Table({ hosts }: { hosts: readonly Host[] }) {
  return (
    <table class="hosts">
      <thead>
        <tr>
          <th scope="col">{t("hosts.host")}</th>
          <th scope="col">{t("hosts.state")}</th>
          <th scope="col" class="number">
            {t("hosts.lastSeen")}
          </th>
          <th scope="col" class="number">
            {t("hosts.interval")}
          </th>
          <th scope="col" class="number">
            {t("hosts.series")}
          </th>
          <th scope="col" class="number">
            {t("hosts.score")}
          </th>
          <th scope="col">{t("hosts.baselines")}</th>
          <th scope="col">{t("hosts.notes")}</th>
        </tr>
      </thead>
      <tbody>
        {hosts.map((host) => (
          <Row key={host.host} host={host} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ host }: { host: Host }) {
  return (
    <tr class={`host-${host.state}`}>
      <th scope="row">
        <Link to={{ screen: "host", host: host.host }}>{host.host}</Link>
      </th>
      <td class="host-state">
        <HostMark host={host} />
      </td>
      <td class="number" data-label={t("hosts.lastSeen")}>
        <LastSeen host={host} />
      </td>
      <td class="number" data-label={t("hosts.interval")}>
        {formatDuration(host.intervalMs)}
      </td>
      <td class="number" data-label={t("hosts.series")}>
        {host.series}
      </td>
      <td class="number" data-label={t("hosts.score")}>
        <HostScore host={host} />
      </td>
      <td class="baselines">
        <WarmupBar warmup={host.warmup} />
        <span class="faint">{warmupText(host.warmup)}</span>
      </td>
      <td class="notes">
        <HostNotes host={host} />
      </td>
    </tr>
  );
}
