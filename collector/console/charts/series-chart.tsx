/**
 * One series of one host, fetched and drawn, and fetched again every ten seconds while it can still change. While an answer
 * is missing the last curve stays, and the chart's head says what went wrong.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { SeriesRange } from "#shared/contract/api.ts";
import type { Evidence } from "#shared/contract/incident.ts";
import { ApiFailure, fetchSeries } from "../state/api.ts";
import { browserClock } from "../state/browser-clock.ts";
import { language, metricWord, t, timeStyle } from "../state/settings.ts";
import { type Signal, useSignal } from "../state/signals.ts";
import { curve, stretchEndMs, type TimeRange, valueRange } from "../view/chart-data.ts";
import { formatReading } from "#shared/text/reading.ts";
import { labelsLine } from "#shared/text/series-words.ts";
import { middleEllipsis } from "../view/series-name.ts";
import { formatMinute, formatTime } from "../view/time.ts";
import { palette } from "./palette.ts";
import { type Chart, type ChartContent, createChart } from "./uplot.ts";

const refreshMs = 10_000;
const heightPx = 132;

export interface SeriesChartProps {
  readonly host: string;
  readonly series: string;
  readonly metric: string;
  readonly unit: string;
  readonly stretches: readonly Evidence[];
  /** Called for every fetch, so that a range that ends "now" moves on. */
  readonly range: () => TimeRange;
  /** Changes when the chart must be fetched anew at once: another range was chosen. */
  readonly rangeKey: string;
  readonly syncKey: string;
  readonly showHost: boolean;
  readonly mark?: ComponentChildren;
  readonly corner?: ComponentChildren;
}

interface Loaded {
  readonly points: SeriesRange;
  readonly range: TimeRange;
}

export function SeriesChart(props: SeriesChartProps) {
  const loaded = useSignal<Loaded | null>(null);
  const problem = useSignal<string | null>(null);
  const cursor = useSignal<number | null>(null);
  useSeries(props, loaded, problem);

  const name = metricWord(props.metric);
  const labels = labelsLine(props.series);
  const where = [props.showHost ? props.host : "", labels].filter((part) => part !== "").join(" · ");
  const content = loaded.value === null ? null : chartContent(loaded.value, props.stretches);
  return (
    <figure class="chart">
      <figcaption>
        {props.mark}
        <span class="chart-name" title={props.series}>
          <b>{name}</b> {where !== "" && <span class="faint">{middleEllipsis(where, 44)}</span>}
        </span>
        <Value metric={props.metric} loaded={loaded} cursor={cursor} />
        {props.corner}
      </figcaption>
      {content === null || loaded.value === null ? (
        <p class="chart-empty">{problem.value ?? t("chart.loading")}</p>
      ) : content.curve.timesMs.length === 0 ? (
        <p class="chart-empty">{t("chart.empty")}</p>
      ) : (
        <>
          <Plot
            content={content}
            metric={props.metric}
            unit={loaded.value.points.unit}
            syncKey={props.syncKey}
            cursor={cursor}
            summary={summary(props, loaded.value)}
          />
          {problem.value !== null && <p class="chart-problem">{problem.value}</p>}
        </>
      )}
    </figure>
  );
}

function useSeries(
  props: SeriesChartProps,
  loaded: Signal<Loaded | null>,
  problem: Signal<string | null>,
): void {
  useEffect(() => {
    const abort = new AbortController();
    let timer = browserClock.after(0, load);
    function load(): void {
      // Nobody looks at a hidden page; the next look loads at once.
      if (document.visibilityState === "hidden") return again();
      const range = props.range();
      void fetchSeries(props.host, props.series, range, abort.signal)
        .then(
          (points) => show({ points, range }),
          (error: unknown) => fail(error),
        )
        .finally(again);
    }
    function show(answer: Loaded): void {
      loaded.value = answer;
      problem.value = null;
    }
    function fail(error: unknown): void {
      if (abort.signal.aborted) return;
      const message = error instanceof ApiFailure ? error.message : String(error);
      problem.value = t("chart.failed", { message });
    }
    function again(): void {
      if (!abort.signal.aborted) timer = browserClock.after(refreshMs, load);
    }
    const seen = (): void => {
      if (document.visibilityState === "hidden") return;
      timer.cancel();
      timer = browserClock.after(0, load);
    };
    document.addEventListener("visibilitychange", seen);
    return () => {
      abort.abort();
      timer.cancel();
      document.removeEventListener("visibilitychange", seen);
    };
  }, [props.host, props.series, props.rangeKey]);
}

function chartContent({ points, range }: Loaded, stretches: readonly Evidence[]): ChartContent {
  const band = stretches[0];
  return {
    curve: curve(points, stretches, range),
    time: range,
    values: valueRange(points.values, band),
    band: band === undefined ? null : { low: band.expectedLow, high: band.expectedHigh },
    stretches: stretches.map((one) => ({ fromMs: one.startedMs, toMs: stretchEndMs(one, range) })),
  };
}

interface ValueProps {
  readonly metric: string;
  readonly loaded: Signal<Loaded | null>;
  readonly cursor: Signal<number | null>;
}

/** The value under the cursor with its time, else the last one. */
function Value({ metric, loaded, cursor }: ValueProps) {
  if (loaded.value === null) return null;
  const { points } = loaded.value;
  const index = cursor.value ?? lastIndex(points);
  const value = points.values[index];
  const atMs = points.timesMs[index];
  if (atMs === undefined) return null;
  return (
    <span class="chart-value">
      {cursor.value !== null && <span class="faint">{formatTime(atMs, timeStyle.value)}</span>}{" "}
      {reading(value, metric, points.unit)}
    </span>
  );
}

function reading(value: number | null | undefined, metric: string, unit: string): string {
  return formatReading(value, unit, metric, language.value);
}

function lastIndex(points: SeriesRange): number {
  return points.values.findLastIndex((value) => value !== null);
}

/** The chart in words, for those who do not see it. */
function summary({ metric, stretches }: SeriesChartProps, { points }: Loaded): string {
  const name = metricWord(metric);
  const format = (value: number | null | undefined): string => reading(value, metric, points.unit);
  const value = format(points.values[lastIndex(points)]);
  const band = stretches[0];
  if (band === undefined) return t("chart.plain", { name, value });
  return t("chart.summary", { name, value, low: format(band.expectedLow), high: format(band.expectedHigh) });
}

interface PlotProps {
  readonly content: ChartContent;
  readonly metric: string;
  readonly unit: string;
  readonly syncKey: string;
  readonly cursor: Signal<number | null>;
  readonly summary: string;
}

function Plot({ content, metric, unit, syncKey, cursor, summary }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const colours = palette.value;
  const style = timeStyle.value;
  useLayoutEffect(() => {
    const target = box.current;
    if (target === null) return undefined;
    const made = createChart(target, content, {
      width: Math.max(120, target.clientWidth),
      height: heightPx,
      formatValue: (value) => reading(value, metric, unit),
      binary: unit.startsWith("By"),
      syncKey,
      palette: colours,
      formatTime: (atMs) => formatMinute(atMs, style),
      cursorMoved: (index) => (cursor.value = index),
    });
    chart.current = made;
    const resized = new ResizeObserver(() => made.resize(Math.max(120, target.clientWidth), heightPx));
    resized.observe(target);
    return () => {
      resized.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [colours, style, metric, unit, syncKey]);
  useLayoutEffect(() => chart.current?.show(content), [content]);
  return <div class="plot" role="img" aria-label={summary} ref={box} />;
}
