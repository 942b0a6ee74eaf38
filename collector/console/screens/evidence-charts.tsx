/** The evidence as small multiples: same time axis, one cursor, the expected band shaded, causes before symptoms. */
import type { Incident } from "#shared/contract/incident.ts";
import type { Word } from "../i18n/en.ts";
import { SeriesChart } from "../charts/series-chart.tsx";
import { t } from "../state/settings.ts";
import { nowMs } from "../state/store.ts";
import { type ChartSpec, incidentCharts, incidentRange } from "../view/chart-data.ts";

const roleWords = {
  cause: "role.cause",
  symptom: "role.affected",
  candidate: "role.candidate",
} as const satisfies Record<ChartSpec["role"], Word>;

export function EvidenceCharts({ incident }: { incident: Incident }) {
  const charts = incidentCharts(incident);
  if (charts.length === 0) return null;
  const severalHosts = new Set(charts.map((chart) => chart.host)).size > 1;
  return (
    <section aria-labelledby="charts-title">
      <div class="list-head">
        <h2 id="charts-title">{t("page.charts")}</h2>
        <span class="legend" aria-hidden="true">
          <span class="key-band" /> {t("chart.expected")} <span class="key-abnormal" /> {t("chart.abnormal")}
        </span>
      </div>
      <div class="charts">
        {charts.map((chart) => (
          <SeriesChart
            key={`${chart.host} ${chart.series}`}
            host={chart.host}
            series={chart.series}
            metric={chart.metric}
            unit={chart.unit}
            stretches={chart.stretches}
            range={() => incidentRange(incident, nowMs.peek())}
            rangeKey={String(incident.startedMs)}
            syncKey={incident.id}
            showHost={severalHosts}
            mark={<span class={`tag tag-${chart.role}`}>{t(roleWords[chart.role])}</span>}
          />
        ))}
      </div>
    </section>
  );
}
