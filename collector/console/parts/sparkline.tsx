/** The leading symptom of an open incident, small: is it still going on, and how sudden was it. Decoration to the sentence. */
import { useEffect } from "preact/hooks";
import type { Evidence } from "#shared/contract/incident.ts";
import type { SeriesRange } from "#shared/contract/api.ts";
import { fetchSeries } from "../state/api.ts";
import { browserClock } from "../state/browser-clock.ts";
import { useSignal } from "../state/signals.ts";
import { nowMs } from "../state/store.ts";
import { valueRange } from "../view/chart-data.ts";
import { sparkPath, thin } from "../view/spark.ts";

const beforeMs = 15 * 60_000;
const refreshMs = 30_000;
const width = 132;
const height = 32;

export function Sparkline({ symptom }: { symptom: Evidence }) {
  const points = useSignal<SeriesRange | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    let timer = browserClock.after(0, load);
    function load(): void {
      const range = { fromMs: symptom.startedMs - beforeMs, toMs: nowMs.peek() };
      fetchSeries(symptom.host, symptom.series, range, abort.signal)
        .then((answer) => (points.value = answer))
        // The sentence stands without its picture; the incident's page says what is wrong.
        .catch(() => undefined)
        .finally(() => {
          if (!abort.signal.aborted) timer = browserClock.after(refreshMs, load);
        });
    }
    return () => {
      abort.abort();
      timer.cancel();
    };
  }, [symptom.host, symptom.series, symptom.startedMs]);
  if (points.value === null) return <span class="spark" />;
  const { values, timesMs } = points.value;
  const range = valueRange(values, symptom);
  const y = (value: number): number => height - ((value - range.min) / (range.max - range.min)) * height;
  const split = timesMs.findIndex((atMs) => atMs >= symptom.startedMs);
  const cut = split === -1 ? values.length : split;
  const share = cut / Math.max(1, values.length);
  const left = width * share;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      aria-hidden="true"
      focusable="false"
    >
      <rect
        class="spark-band"
        x="0"
        width={width}
        y={y(symptom.expectedHigh)}
        height={Math.max(1, y(symptom.expectedLow) - y(symptom.expectedHigh))}
      />
      <path
        class="spark-line"
        d={sparkPath(thin(values.slice(0, cut + 1), range, 60), range, left, height)}
      />
      <path
        class="spark-abnormal"
        transform={`translate(${left} 0)`}
        d={sparkPath(thin(values.slice(cut), range, 60), range, width - left, height)}
      />
    </svg>
  );
}
