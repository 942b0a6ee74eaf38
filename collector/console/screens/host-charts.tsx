/** A host's charts: its symptoms to begin with, any of its series on demand. */
import { SeriesChart } from "../charts/series-chart.tsx";
import { Icon } from "../parts/icon.tsx";
import type { SeriesInfo } from "../state/api.ts";
import { language, metricWord, t } from "../state/settings.ts";
import { useSignal } from "../state/signals.ts";
import { nowMs } from "../state/store.ts";
import { searchSeries, startingSeries } from "../view/series-search.ts";
import { labelsLine } from "#shared/text/series-words.ts";
import { formatAge } from "../view/time.ts";

const rangesMs = [15 * 60_000, 3_600_000, 6 * 3_600_000, 24 * 3_600_000] as const;
const chartsMax = 12;
const resultsMax = 40;

export function HostCharts({ host, series }: { host: string; series: readonly SeriesInfo[] }) {
  const rangeMs = useSignal<number>(3_600_000);
  const chosen = useSignal<readonly string[]>(startingSeries(series));
  const search = useSignal("");
  const found = searchSeries(series, search.value, metricWord);
  const byId = new Map(series.map((one) => [one.id, one]));
  const toggle = (id: string): void => {
    if (chosen.value.includes(id)) chosen.value = chosen.value.filter((one) => one !== id);
    else if (chosen.value.length < chartsMax) chosen.value = [...chosen.value, id];
  };
  return (
    <section aria-labelledby="host-series">
      <div class="list-head">
        <h2 id="host-series">{t("host.series")}</h2>
        <div class="segments" role="group" aria-label={t("host.range")}>
          {rangesMs.map((ms) => (
            <button
              key={ms}
              type="button"
              aria-pressed={ms === rangeMs.value}
              onClick={() => (rangeMs.value = ms)}
            >
              {formatAge(ms, language.value).replace(/ 00 .*$| 0 .*$/, "")}
            </button>
          ))}
        </div>
      </div>
      <div class="columns columns-wide-left">
        <div class="charts">
          {chosen.value.length === 0 && <p class="faint">{t("host.chartsNone")}</p>}
          {chosen.value.map((id) => {
            const one = byId.get(id);
            if (one === undefined) return null;
            return (
              <SeriesChart
                key={id}
                host={host}
                series={id}
                metric={one.metric}
                unit={one.unit}
                stretches={[]}
                range={() => ({ fromMs: nowMs.peek() - rangeMs.peek(), toMs: nowMs.peek() })}
                rangeKey={String(rangeMs.value)}
                syncKey={host}
                showHost={false}
                corner={
                  <button
                    type="button"
                    class="tool"
                    aria-label={`${t("host.remove")}: ${metricWord(one.metric)}`}
                    onClick={() => toggle(id)}
                  >
                    <Icon name="close" />
                  </button>
                }
              />
            );
          })}
        </div>
        <aside class="picker">
          <input
            type="search"
            id="search"
            class="search"
            placeholder={t("host.search")}
            aria-label={t("host.search")}
            value={search.value}
            onInput={(event) => (search.value = event.currentTarget.value)}
          />
          <p class="faint" role="status">
            {chosen.value.length >= chartsMax
              ? t("host.chartsMax", { n: chartsMax })
              : t("host.searchHint", { shown: found.length, total: series.length })}
          </p>
          <ul class="plain">
            {found.slice(0, resultsMax).map((one) => (
              <li key={one.id}>
                <label class="check" title={one.id}>
                  <input
                    type="checkbox"
                    checked={chosen.value.includes(one.id)}
                    onChange={() => toggle(one.id)}
                  />
                  <span>
                    {metricWord(one.metric)} <span class="faint">{labelsLine(one.id)}</span>
                  </span>
                </label>
              </li>
            ))}
          </ul>
        </aside>
      </div>
    </section>
  );
}
