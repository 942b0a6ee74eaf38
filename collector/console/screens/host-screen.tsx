/** One host: what is known of it, what is wrong on it, and any of its series as a chart. */
import { useEffect } from "preact/hooks";
import type { Host } from "#shared/contract/api.ts";
import { formatDuration } from "#shared/duration.ts";
import { Forecasts } from "../parts/forecasts.tsx";
import { HostNotes } from "../parts/host-notes.tsx";
import { HostScore, hostScoreText } from "../parts/host-score.tsx";
import { LastSeen } from "../parts/last-seen.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { HostMark } from "../parts/marks.tsx";
import { Moment } from "../parts/moment.tsx";
import { seasonText, WarmupBar, warmupText } from "../parts/warmup-bar.tsx";
import { fetchHostSeries, type SeriesInfo } from "../state/api.ts";
import { t } from "../state/settings.ts";
import { useSignal } from "../state/signals.ts";
import { arranged, toldHosts } from "../state/store.ts";
import { HostCharts } from "./host-charts.tsx";
import { IncidentRow } from "./incident-row.tsx";

export function HostScreen({ name }: { name: string }) {
  const host = toldHosts.value?.find((one) => one.host === name);
  return (
    <article>
      <Link to={{ screen: "hosts" }} class="back">
        <Icon name="back" /> {t("nav.backHosts")}
      </Link>
      {host === undefined ? (
        <p class="waiting">
          {toldHosts.value === null ? t("watch.unknown") : t("host.notFound", { host: name })}
        </p>
      ) : (
        <>
          <HostHead host={host} />
          <HostIncidents name={name} />
          <HostSeries key={name} name={name} />
        </>
      )}
    </article>
  );
}

function HostHead({ host }: { host: Host }) {
  return (
    <header class="host-head">
      <p class="head-line">
        <HostMark host={host} />
        <HostNotes host={host} />
      </p>
      <h1>{host.host}</h1>
      <dl class="head-facts">
        <div>
          <dt>{t("hosts.lastSeen")}</dt>
          <dd>{host.state === "up" ? <LastSeen host={host} /> : <Moment atMs={host.lastSeenMs} />}</dd>
        </div>
        <div>
          <dt>{t("hosts.interval")}</dt>
          <dd>{formatDuration(host.intervalMs)}</dd>
        </div>
        <div>
          <dt>{t("host.system")}</dt>
          <dd>{host.os}</dd>
        </div>
        <div>
          <dt>{t("host.agent")}</dt>
          <dd>
            {host.agentVersion} <span class="faint">{host.agentId}</span>
          </dd>
        </div>
        <div>
          <dt>{t("host.firstSeen")}</dt>
          <dd>
            <Moment atMs={host.firstSeenMs} />
          </dd>
        </div>
        {host.forecasts.length > 0 && (
          <div class="wide">
            <dt>{t("hosts.runsOut")}</dt>
            <dd>
              <Forecasts host={host} />
            </dd>
          </div>
        )}
        <div class="wide">
          <dt>{t("hosts.score")}</dt>
          <dd>
            <HostScore host={host} /> <span class="faint">{hostScoreText(host)}</span>
          </dd>
        </div>
        <div class="wide">
          <dt>{t("hosts.baselines")}</dt>
          <dd>
            <WarmupBar warmup={host.warmup} /> <span class="faint">{warmupText(host.warmup)}</span>
            <p class="faint">{seasonText(host.warmup)}</p>
          </dd>
        </div>
      </dl>
    </header>
  );
}

function HostIncidents({ name }: { name: string }) {
  const open = arranged.value.open.filter((incident) => incident.hosts.includes(name));
  return (
    <section aria-labelledby="host-incidents">
      <h2 id="host-incidents">{t("host.incidents")}</h2>
      {open.length === 0 && <p class="faint">{t("host.noIncidents")}</p>}
      <ol class="incidents">
        {open.map((incident) => (
          <IncidentRow key={incident.id} incident={incident} sparkline={false} />
        ))}
      </ol>
    </section>
  );
}

function HostSeries({ name }: { name: string }) {
  const series = useSignal<readonly SeriesInfo[] | null>(null);
  const problem = useSignal<string | null>(null);
  useEffect(() => {
    let gone = false;
    fetchHostSeries(name).then(
      (list) => !gone && (series.value = list),
      (error: unknown) => !gone && (problem.value = error instanceof Error ? error.message : String(error)),
    );
    return () => void (gone = true);
  }, [name]);
  if (problem.value !== null) return <p class="waiting">{t("chart.failed", { message: problem.value })}</p>;
  if (series.value === null) return <p class="waiting">{t("chart.loading")}</p>;
  return <HostCharts host={name} series={series.value} />;
}
